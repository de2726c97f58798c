"""What people ask of the exchange: call a number (T7), listen to a call (T11), and how that goes.

The panel only writes down what is wanted; `trichter ari` does it. A request belongs to the one who
made it: for everybody else it does not exist.
"""

from __future__ import annotations

from typing import Any

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from peewee import JOIN

from errors import Refused
from fields import number_or_none, readable
from models import Call, CallRequest, Contact, Deal, Event, Phone, User
from panel.audience import card_of
from panel.auth import viewer
from panel.shown import clock, numbers
from panel.urls import came_from, is_local, wants_fragment, whole
from verbs import requests as asked
from verbs.customers import open_deal_of

bp = Blueprint("requests", __name__)

AUDITED = 50
LISTENS = ("listen.started", "listen.changed", "listen.ended")


@bp.post("/call-requests")
def create() -> Any:
    """Call the number of a ``call``, or a ``number`` of a ``contact`` or of that of a ``deal``:
    only numbers that the viewer sees there, or a click could dial anything."""
    if "contact" in request.form:
        number, deal = _of_contact()
    else:
        number, deal = _of_call() if "call" in request.form else _of_deal()
    made = asked.call_out(viewer(), number, current_app.config["PBX"], deal)
    return _answer(made)


def _of_call() -> tuple[str, Deal | None]:
    wanted = whole(request.form["call"])
    call = Call.visible_to(viewer()).where(Call.id == (wanted or 0)).first() or abort(404)
    return call.number or abort(404), card_of(call, viewer())


def _of_contact() -> tuple[str, Deal | None]:
    """The call belongs on the contact's open deal, if the viewer sees it."""
    wanted = whole(request.form.get("contact"))
    contact = Contact.visible_to(viewer()).where(Contact.id == (wanted or 0)).first() or abort(404)
    own = (Phone.contact == contact) & (Phone.e164 == _number())
    phone = Phone.select().where(own).first() or abort(404)
    open_one = open_deal_of(contact, viewer())
    seen = open_one and Deal.visible_to(viewer()).where(Deal.id == open_one.id).first()
    return phone.e164, seen


def _of_deal() -> tuple[str, Deal | None]:
    wanted = whole(request.form.get("deal"))
    deal = Deal.visible_to(viewer()).where(Deal.id == (wanted or 0)).first() or abort(404)
    of_contact = (Phone.contact == deal.contact_id) & (Phone.e164 == _number())
    phone = Phone.select().where(of_contact).first() or abort(404)
    return phone.e164, deal


def _number() -> str:
    """As the page wrote it: anything else is no number of anybody here."""
    number = request.form.get("number", "")
    return number if number and number_or_none(number) == number else abort(404)


@bp.post("/calls/<int:number>/listeners")
def listen(number: int) -> Any:
    """A head listens to a call, whispers or joins (``kind``); for sellers this does not exist."""
    if not viewer().sees_all:
        abort(404)
    call = Call.visible_to(viewer()).where(Call.id == number).first() or abort(404)
    return _answer(asked.listen(viewer(), call, request.form.get("kind", "")))


@bp.get("/call-requests/<int:number>")
def show(number: int) -> Any:
    """How it stands; without scripts the page asks again by itself."""
    found = the_request(number)
    asked.expire(found)
    return _shown(found)


@bp.post("/call-requests/<int:number>/end")
def end(number: int) -> Any:
    """Hang up, or call it off."""
    found = the_request(number)
    asked.cancel(found)
    return _answer(found)


@bp.post("/call-requests/<int:number>/kind")
def change(number: int) -> Any:
    """From listening to whispering, and so on, while it runs."""
    found = the_request(number)
    if not viewer().sees_all:
        abort(404)
    asked.listen_as(found, request.form.get("kind", ""))
    return _answer(found)


def the_request(number: int) -> CallRequest:
    """The viewer's own request with its call, or 404."""
    query = CallRequest.visible_to(viewer()).where(CallRequest.id == number)
    joined = (
        query.select(CallRequest, Call, Contact, Deal)
        .join(Call, JOIN.LEFT_OUTER)
        .join_from(CallRequest, Contact, JOIN.LEFT_OUTER, on=(CallRequest.contact == Contact.id))
        .join_from(CallRequest, Deal, JOIN.LEFT_OUTER, on=(CallRequest.deal == Deal.id))
    )
    return joined.first() or abort(404)


def _answer(made: CallRequest) -> Any:
    if wants_fragment():
        return _shown(the_request(made.id))
    back = came_from(url_for("board.board"))
    return redirect(url_for("requests.show", number=made.id, back=back), 303)


def _shown(found: CallRequest) -> Response:
    name = "_request.html" if wants_fragment() else "request.html"
    back = request.args.get("back", "")
    page = render_template(
        name,
        asked=found,
        who=who(found),
        sentence=sentence(found),
        back=back if is_local(back) else url_for("board.board"),
    )
    response = make_response(page)
    if found.is_open and not wants_fragment():
        response.headers["Refresh"] = "2"
    return response


def who(found: CallRequest) -> str:
    """With whom: the contact's name, or the number."""
    call = found.call
    contact = (call.contact if call else None) or found.contact
    number = found.number or (call.number if call else None)
    name = contact.name if contact else call.name if call else ""
    return numbers(name) or readable(number) or _("a hidden number")


def sentence(found: CallRequest) -> str:
    """How it stands, in a sentence."""
    if found.state == "failed":
        return _reason(found.reason)
    return _of_listening(found) if found.kind != "call" else _of_calling(found)


def _of_calling(found: CallRequest) -> str:
    name, call = who(found), found.call
    if found.state == "ringing":
        return _("Your phone rings. Pick it up to call %(name)s.", name=name)
    if found.state == "talking":
        answered = call is not None and call.answered_at is not None
        text = _("Talking with %(name)s.") if answered else _("Calling %(name)s…")
        return text % {"name": name}
    if found.state != "done":
        return _("Hanging up…") if found.state == "ending" else _("Your phone is being called…")
    if call is not None and call.answered_at:
        return _("Talked with %(name)s. %(time)s", name=name, time=clock(call.talk))
    outcome = call.outcome if call is not None else None
    ends = {
        "busy": _("%(name)s is busy."),
        "missed": _("%(name)s did not pick up."),
        "failed": _("%(name)s could not be reached."),
    }
    return ends.get(outcome or "", _("The call to %(name)s has ended.")) % {"name": name}


def _of_listening(found: CallRequest) -> str:
    if found.state == "talking":
        return {
            "listen": _("You hear the call. Nobody hears you."),
            "whisper": _("Only the seller hears you."),
            "join": _("Both hear you."),
        }[found.kind]
    if found.state == "ringing":
        return _("Your phone rings. Pick it up to be in the call.")
    if found.state == "done":
        return _("You are no longer in the call.")
    return _("Hanging up…") if found.state == "ending" else _("Your phone is being called…")


def _reason(word: str) -> str:
    reasons = {
        "expired": _("The exchange is not connected right now. Dial on the phone instead."),
        "no phone": _("Your phone can't be reached. Is it switched on and registered?"),
        "busy": _("Your phone is busy."),
        "refused": _("Your phone turned the call down."),
        "no answer": _("You did not pick up your phone."),
        "cancelled": _("Cancelled."),
        "no way out": _("The exchange can't dial this number. Ask the administrator."),
        "forbidden": _("The exchange does not allow this. Ask the administrator."),
        "exchange": _("The exchange did not answer. Try again."),
        "lost": _("The exchange was away for a moment. Try again."),
        "over": _("The call is over."),
    }
    return reasons.get(word, word)


@bp.app_template_global("listened_to")
def listened_to(deal: Deal) -> list[Event]:
    """T11: who has listened to calls on a card and how, the newest first; for heads only."""
    if not viewer().sees_all:
        raise Refused("Only heads see who listened.")
    query = (
        Event.select(Event, User)
        .join(User, on=(Event.user == User.id), attr="user")
        .join_from(Event, Call, on=(Event.call == Call.id))
        .where(Call.deal == deal, Event.kind << LISTENS)
    )
    return list(query.order_by(Event.id.desc()).limit(AUDITED))
