"""Log-in, log-out, and who is looking. Every page needs a log-in unless marked ``public``."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable
from functools import cache, partial, wraps
from typing import Any, TypeVar, cast

from flask import (
    Flask,
    Response,
    abort,
    current_app,
    g,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from flask_babel import gettext as _
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from peewee import fn
from werkzeug.security import check_password_hash, generate_password_hash

from database.prepared import Prepared
from fields import clean
from models import EndedSession, User
from panel.urls import is_local, wants_fragment, whole
from verbs import users

PER_ADDRESS = "30 per 5 minutes"
PER_LOGIN = "10 per 5 minutes"
PASSWORD_LENGTH = 200
TURN_SECONDS = 10.0

View = TypeVar("View", bound=Callable[..., Any])


_turn = threading.Lock()


class Sessions(LoginManager):
    """Log-ins live in the session only. Flask-Login would also read a cookie that keeps them
    longer: nothing here sets it, so whoever sends one has made it up."""

    def _load_user_from_remember_cookie(self, cookie: str) -> None:
        return None


class SignedIn(UserMixin):
    """What a session holds of a user: the id; a mark of the password hash and the user's own mark,
    so that another one of either ends all earlier sessions; a key of this one, so that logging out
    ends it wherever its cookie was copied to."""

    def __init__(self, user: User, key: str = "") -> None:
        self.user, self.key = user, key

    def get_id(self) -> str:
        return f"{self.user.id}.{_mark(self.user)}.{self.key}"


class Cookies(SecureCookieSessionInterface):
    """Only who is logged in gets a cookie with a new date: by its date a cookie that was copied
    before the log-out becomes worthless, after which nobody need remember that it is one."""

    def should_set_cookie(self, app: Flask, session: SessionMixin) -> bool:
        return session.modified or bool(g.get("viewer") and session.permanent)


def public(view: View) -> View:
    """Marks a view that answers without a log-in."""
    view.is_public = True  # type: ignore[attr-defined]
    return view


def viewer() -> User:
    """The user who is looking. Only for views that are not public."""
    return g.viewer


def session_user(session_id: str) -> User | None:
    """The active user of a session id as ``SignedIn.get_id`` makes it, or None: the password was
    changed, the user disabled or logged out since. Long-lived streams ask from time to time."""
    number, mark, key = (*session_id.split(".", 2), "", "")[:3]
    user = next(iter(_ACTIVE.models(whole(number) or 0, key)), None)
    valid = user is not None and hmac.compare_digest(_mark(user).encode(), mark.encode())
    return user if valid else None


def _active(number: Any, key: Any) -> Any:
    ended = EndedSession.select(EndedSession.id).where(EndedSession.key == key)
    return User.select().where(User.id == number, User.active, ~fn.EXISTS(ended))


_ACTIVE = Prepared(_active)  # asked for every page, and for every open stream again and again


def install(app: Flask) -> None:
    # Templates use g.viewer: its own variable would read the database on every page, and again on
    # the page that says that the database is gone.
    manager = Sessions(app, add_context_processor=False)
    # 'basic' would mark a session that moves to another network; 'strong' would end it.
    manager.session_protection = None
    manager.user_loader(_load)
    app.session_interface = Cookies()
    app.before_request(_let_in)
    # Kept in memory, which is right for one worker process. It counts failures only: a whole
    # office behind one address logs in every morning.
    limiter = Limiter(get_remote_address, app=app, storage_uri="memory://")
    per_address = limiter.limit(PER_ADDRESS, methods=["POST"], deduct_when=_failed)
    per_login = limiter.limit(
        PER_LOGIN, key_func=_login_name, methods=["POST"], deduct_when=_failed
    )
    limited = public(_in_turn(per_address(per_login(login))))
    app.add_url_rule("/login", "auth.login", limited, methods=["GET", "POST"])
    app.extensions["limited"] = partial(_limited, limiter)
    app.teardown_request(_next_turn)
    app.add_url_rule("/logout", "auth.logout", public(logout), methods=["POST"])
    _nobodys_hash()


def _limited(limiter: Limiter, view: View) -> View:
    """For views in which somebody who is logged in has to give the password once more."""
    limit = limiter.limit(PER_LOGIN, key_func=lambda: f"user {viewer().id}", deduct_when=_failed)
    return cast(View, _in_turn(limit(view)))


def login() -> Any:
    target = request.values.get("next", "")
    target = target if is_local(target) else url_for("board.board")
    if g.viewer:
        return redirect(target, 303)
    if request.method == "GET":
        nobody = not User.select(User.id).exists()
        return render_template("login.html", next=target, login="", problem="", nobody=nobody)
    user = _checked(_login_name(), request.form.get("password", ""))
    if user is None:
        problem = _("Login or password is not right.")
        page = render_template("login.html", next=target, login=_login_name(), problem=problem)
        return page, 401
    # Whatever the session held before, planted or not, ends here.
    session.clear()
    begin(user)
    return redirect(target, 303)


def begin(user: User) -> None:
    """This browser is logged in from now on."""
    session.permanent = True
    login_user(SignedIn(user, secrets.token_hex(16)))


def logout() -> Any:
    was = current_user.key if g.viewer else ""
    # The cookie first: should the database fail, this browser at least is out.
    logout_user()
    session.clear()
    if g.viewer:
        users.end_session(g.viewer, was)
    return redirect(url_for("auth.login"), 303)


def _load(session_id: str) -> SignedIn | None:
    user = session_user(session_id)
    return SignedIn(user, session_id.rpartition(".")[2]) if user else None


def _let_in() -> Any:
    """Find out who is looking; send the others to the log-in."""
    g.viewer = None
    if request.endpoint == "static" or (request.endpoint and not _knows_people(request.endpoint)):
        return None
    if current_user.is_authenticated:
        g.viewer = current_user.user
        return None
    # One that is over gets no new date with the rest of what it holds.
    session.pop("_user_id", None)
    view = current_app.view_functions.get(request.endpoint or "")
    if view is None or getattr(view, "is_public", False):
        return None
    wanted = request.accept_mimetypes
    if request.method != "GET" or wants_fragment() or (wanted and not wanted.accept_html):
        abort(401)
    return redirect(url_for("auth.login", next=request.full_path.rstrip("?")), 303)


def _knows_people(endpoint: str) -> bool:
    return not endpoint.startswith("health.")


def _in_turn(view: View) -> View:
    """One attempt at a time, until its failure is counted: attempts at once would all be let in
    before the first counts, and each takes 32 MB for its hash."""

    @wraps(view)
    def waits(*args: Any, **kwargs: Any) -> Any:
        if request.method == "POST":
            if not _turn.acquire(timeout=TURN_SECONDS):
                abort(429)
            g.has_turn = True
        return view(*args, **kwargs)

    return cast(View, waits)


def _next_turn(_error: Any) -> None:
    if g.pop("has_turn", False):
        _turn.release()


def _failed(response: Response) -> bool:
    return response.status_code != 303


def _login_name() -> str:
    return clean(request.form.get("login"), 40).lower()


def _checked(login: str, password: str) -> User | None:
    """The user, if the password is right. Takes as long for logins that do not exist, or are
    disabled, so that the time taken tells nothing."""
    user = User.get_or_none(User.login == login)
    if user and user.login != login:
        # MariaDB takes ánna for anna, and each spelling would have failures of its own.
        user = None
    stored = user.password_hash if user else _nobodys_hash()
    right = check_password_hash(stored, password[:PASSWORD_LENGTH])
    return user if user and right and user.active and len(password) <= PASSWORD_LENGTH else None


@cache
def _nobodys_hash() -> str:
    return generate_password_hash(secrets.token_hex())


def _mark(user: User) -> str:
    """One-way: it stands in the cookie, which is signed, but readable."""
    about = f"session of {user.id} {user.session_mark}".encode()
    return hmac.new(user.password_hash.encode(), about, hashlib.sha256).hexdigest()[:32]
