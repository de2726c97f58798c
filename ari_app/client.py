"""The way to Asterisk: ari-py's objects, a plain `request()`, and the event stream.

    client = connect("http://127.0.0.1:8088", "trichter", password)
    for channel in client.channels.list():
        channel.hangup()
    client.request("POST", "/channels/{channelId}/answer", channelId=channel_id)

This module is what the rest of the project imports. Behind it, `compat` makes ari-py work on
Python 3, `rest` is the HTTP side with the errors, `stream` the websocket; no other module of the
project imports ari, swaggerpy, urllib3 or websocket.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterable
from typing import Any

from ari_app.api_docs import api_docs_of
from ari_app.compat import AriPyClient, Repository, SwaggerClient, SwaggerError
from ari_app.rest import (
    AriError,
    BadReply,
    Gone,
    NotYet,
    Rest,
    Unauthorized,
    Unreachable,
    Unsupported,
    WrongState,
)
from ari_app.stream import QUIET_EVENTS, EventStream

__all__ = [
    "QUIET_EVENTS",
    "AriError",
    "BadReply",
    "Client",
    "EventStream",
    "Gone",
    "NotYet",
    "Unauthorized",
    "Unreachable",
    "Unsupported",
    "WrongState",
    "connect",
]

log = logging.getLogger(__name__)

# The last event of an object, and where in the event the object stands.
LAST_EVENTS = {
    "ChannelDestroyed": ("Channel", "channel"),
    "BridgeDestroyed": ("Bridge", "bridge"),
    "PlaybackFinished": ("Playback", "playback"),
    "RecordingFinished": ("LiveRecording", "recording"),
    "RecordingFailed": ("LiveRecording", "recording"),
}


def connect(url: str, username: str, password: str, timeout: float = 2.0) -> Client:
    """A client for the ARI at `url` (http://host:8088), tried out once. `timeout` in seconds.

    Raises Unreachable, Unauthorized or BadReply with a message that says what to do, and ValueError
    for an address that is no http address or holds a password.
    """
    client = Client(url, username, password, timeout)
    try:
        client.version()
    except AriError:
        client.close()
        raise
    return client


class Client(AriPyClient):
    """ari-py's client: `client.channels.originate(…)`, `client.on_channel_event(…)`.

    Made without a word to Asterisk; the API's description (a dozen files) is fetched at the first
    use of a repository, once in a process for each address. For many threads.
    """

    def __init__(
        self, url: str, username: str, password: str, timeout: float = 2.0, pool_size: int = 16
    ) -> None:
        # ari-py's own __init__ would fetch everything at once, over a client without time-outs.
        self.rest = Rest(url, username, password, timeout, pool_size)
        self.event_listeners = {}
        self.exception_handler: Callable[[Exception], None] = self._log_listener_error
        self._credentials = (url, username, password)
        self._swagger: Any = None
        self._repositories: dict[str, Any] = {}
        self._handles: dict[tuple[str, str], list[Any]] = {}
        self._lock = threading.RLock()
        self._stream: EventStream | None = None

    def __repr__(self) -> str:
        return f"Client({self.rest.base!r})"

    def __getattr__(self, item: str) -> Any:
        if item.startswith("_"):
            raise AttributeError(item)
        repository = self.repositories.get(item)
        if repository is None:
            raise AttributeError(
                f"ARI has no {item!r}, only {', '.join(sorted(self.repositories))}"
            )
        return repository

    @property
    def swagger(self) -> Any:
        """swagger.py's client with all operations. Raises AriError's kinds on no access."""
        with self._lock:
            if self._swagger is None:
                try:
                    swagger = SwaggerClient(api_docs_of(self.rest), http_client=self.rest)
                except (SwaggerError, KeyError, TypeError) as error:
                    raise BadReply(
                        f"{self.rest.base}/api-docs is not an ARI description"
                    ) from error
                self._repositories = {
                    name: Repository(self, name, api) for name, api in swagger.resources.items()
                }
                self._swagger = swagger
            return self._swagger

    @property
    def repositories(self) -> dict[str, Any]:
        """`channels`, `bridges` and so on, by name."""
        return self._repositories if self.swagger else {}

    @property
    def event_models(self) -> dict[str, Any]:
        """The description of every kind of event, by name."""
        for api in self.swagger.api_docs["apis"]:
            if api["name"] == "events":
                models: dict[str, Any] = api["api_declaration"]["models"]
                return models
        return {}

    def request(self, method: str, template: str, /, *, json: Any = None, **params: Any) -> Any:
        """Do one request without model objects; returns the parsed JSON, None if there is none.

        `request("POST", "/channels/{channelId}/variable", channelId=…, variable=…, value=…)`: what
        the path names goes there, quoted; the rest are query parameters, without those that are
        None; `json` is the body.
        Raises AriError's kinds, and TypeError for an id that is missing or empty.
        """
        names = set(re.findall(r"\{(\w+)\}", template))
        ids = {name: params.pop(name) for name in names & params.keys()}
        return self.rest.send(method, template, ids, params, json).json()

    def version(self) -> str:
        """Asterisk's version, such as '22.10.1'. Raises AriError's kinds."""
        info = self.request("GET", "/asterisk/info", only="system")
        try:
            return str(info["system"]["version"])
        except (KeyError, TypeError) as error:
            raise BadReply(f"{self.rest.base} answers, but is not Asterisk") from error

    def close(self) -> None:
        """End `run()` and the idle connections."""
        if self._stream is not None:
            self._stream.stop()
        self.rest.close()

    def run(self, apps: str | list[str], subscribe_all: bool = False) -> None:
        """Pass events to the listeners until `close()`. Reconnects by itself, unlike ari-py's.

        No event filter is set: each listener gets what it asked for.
        """
        app = apps if isinstance(apps, str) else ",".join(apps)
        self._stream = EventStream(
            *self._credentials,
            app,
            on_event=self.dispatch,
            timeout=self.rest.timeout,
            subscribe_all=subscribe_all,
            disallowed=(),
        )
        self._stream.run()

    def dispatch(self, event: dict[str, Any]) -> None:
        """Call the listeners of one event; one that fails does not stop the others."""
        for listener, args, kwargs in list(self.event_listeners.get(event["type"], ())):
            try:
                listener(event, *args, **kwargs)
            except Exception as error:  # noqa: BLE001 - handed on
                self.exception_handler(error)
        if event["type"] in LAST_EVENTS:
            kind, field = LAST_EVENTS[event["type"]]
            subject = event.get(field) or {}
            self.forget(kind, str(subject.get("id") or subject.get("name")))

    def on_object_event(
        self,
        event_type: str,
        event_cb: Callable[..., Any],
        factory_fn: Callable[[Any, Any], Any],
        model_id: str,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        """Listen for events of a type, with the objects of one kind that they carry.

        The listener gets the object (None if the event has none), or a dict of field → object for
        those types that can carry several: StasisStart has `channel` and `replace_channel`.
        Raises ValueError for a type that does not exist or carries no such object.
        """
        model = self.event_models.get(event_type)
        if model is None:
            raise ValueError(f"ARI has no event {event_type!r}")
        fields = [name for name, item in model["properties"].items() if item["type"] == model_id]
        if not fields:
            raise ValueError(f"{event_type} carries no {model_id}")

        def with_objects(event: dict[str, Any], *args: Any, **kwargs: Any) -> None:
            found = {name: factory_fn(self, event[name]) for name in fields if event.get(name)}
            objects = found if len(fields) > 1 else next(iter(found.values()), None)
            event_cb(objects, event, *args, **kwargs)

        return self.on_event(event_type, with_objects, *args, **kwargs)

    def remember(self, kind: str, object_id: str, handle: Any) -> None:
        """Note the listener of one object, to be closed with the object."""
        with self._lock:
            self._handles.setdefault((kind, object_id), []).append(handle)

    def forget(self, kind: str, object_id: str) -> None:
        """Close the listeners of one object; `kind` is the name of its class, such as 'Channel'."""
        with self._lock:
            handles: Iterable[Any] = self._handles.pop((kind, object_id), ())
        for handle in handles:
            handle.close()

    def _log_listener_error(self, error: Exception) -> None:
        log.error("a listener of ARI events failed", exc_info=error)
