"""ARI over HTTP: one connection pool, time-outs, and errors that say what to do."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    EmptyPoolError,
    HTTPError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
    SSLError,
)

from ari_app.http_request import Content, authorization, base_of, path_with

# Doing these twice is the same as once (RFC 9110, 9.2.2).
REPEATABLE = frozenset({"GET", "PUT", "DELETE"})


class AriError(Exception):
    """ARI did not do what it was asked. `status` is HTTP's, None where there was no reply."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Gone(AriError):
    """404: the channel, bridge or other object is no longer there. Normal: calls do end."""


class WrongState(AriError):
    """409, or 412 from Asterisk 22: the channel is not in Stasis, or its state forbids this."""


class NotYet(AriError):
    """422: the object is not ready, as for a channel that has not entered Stasis."""


class Unsupported(AriError):
    """404 'Resource not found', or 405: this release of Asterisk has no such call."""


class Unauthorized(AriError):
    """401 or 403: the ARI user, its password or its rights are not as ari.conf has them."""


class Unreachable(AriError):
    """No answer: connection refused or cut, time-out, Asterisk still booting (503), ARI off."""


class BadReply(AriError):
    """What came back is not what ARI sends: no HTTP, no JSON, or cut short."""


STATUS_ERRORS: dict[int, type[AriError]] = {
    401: Unauthorized,
    403: Unauthorized,
    404: Gone,
    405: Unsupported,
    409: WrongState,
    412: WrongState,
    422: NotYet,
    503: Unreachable,
}


def refusal(status: int, method: str, path: str, data: bytes) -> AriError:
    """The error for a reply that is not a success, with Asterisk's own words in it."""
    try:
        said = str(json.loads(data)["message"])
    except (ValueError, TypeError, KeyError):
        said = ""
    if status == 404 and not said:
        return Unreachable(
            "the HTTP server answers but has no ARI: check [ari] url, enabled=yes in ari.conf, "
            "prefix in http.conf, and that res_ari.so is loaded",
            status,
        )
    if status == 401:
        said = "wrong user or password: compare [ari] username and password with ari.conf"
    elif status == 403:
        said = f"{said or 'forbidden'}: the ARI user needs read_only=no in ari.conf"
    kind = STATUS_ERRORS.get(status, AriError)
    if said == "Resource not found":
        kind = Unsupported
    return kind(f"{method} {path}: {status} {said}".rstrip(), status)


def no_connection(base: str) -> Unreachable:
    """The error for a port where nobody listens, or a name that is unknown."""
    return Unreachable(
        f"cannot connect to {base}: is Asterisk running, with enabled=yes in http.conf?"
    )


class Reply:
    """A successful answer."""

    def __init__(self, status: int, data: bytes) -> None:
        self.status = status
        self.data = data

    def json(self) -> Any:
        """The parsed body, None if it is empty. Raises BadReply if it is no JSON."""
        if not self.data.strip():
            return None
        try:
            return json.loads(self.data)
        except (ValueError, RecursionError) as error:
            raise BadReply(f"Asterisk answered {self.status} with no JSON", self.status) from error


class Rest:
    """The HTTP side of ARI, for many threads. Times are in seconds.

    `timeout` limits the connecting, each wait for the answer, and the wait for a free connection of
    the pool; an answer whose body drips in is given up after five times that.
    """

    def __init__(
        self, url: str, username: str, password: str, timeout: float = 2.0, pool_size: int = 16
    ) -> None:
        self.base = base_of(url)
        self.timeout = timeout
        self._prefix = urlsplit(self.base).path
        self._pool = urllib3.connection_from_url(
            self.base,
            maxsize=pool_size,
            block=True,
            timeout=urllib3.Timeout(connect=timeout, read=timeout),
            headers={"Authorization": authorization(username, password)},
        )

    def close(self) -> None:
        """Close the idle connections."""
        self._pool.close()

    def send(
        self,
        method: str,
        template: str,
        ids: Mapping[str, Any],
        query: Mapping[str, Any],
        body: Any = None,
    ) -> Reply:
        """Do one request. `template` is the path below /ari with `{channelId}` and its like.

        Raises one of AriError's kinds unless Asterisk answers with a success.
        """
        path = path_with(template, ids)
        content = Content.of(method, query, body)
        headers = {**self._pool.headers}
        if content.kind:
            headers["Content-Type"] = content.kind
        target = f"{self._prefix}{path}" + (f"?{content.query}" if content.query else "")
        status, answer = self._exchange(method, target, content.body, headers)
        if not 200 <= status < 300:
            raise refusal(status, method, path, answer)
        return Reply(status, answer)

    def _exchange(
        self, method: str, target: str, data: bytes | None, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        # Asterisk closes a connection that was idle for session_keep_alive (15 s). The pool sees
        # that and dials anew before it sends. If the cut comes later nobody knows whether the
        # request was carried out, so only what may be done twice is sent again.
        try:
            return self._once(method, target, data, headers)
        except Unreachable as error:
            cut = isinstance(error.__cause__, ProtocolError)
            if not cut or method not in REPEATABLE:
                raise
            return self._once(method, target, data, headers)

    def _once(
        self, method: str, target: str, data: bytes | None, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        deadline = time.monotonic() + 5 * self.timeout
        try:
            response = self._pool.urlopen(
                method,
                target,
                body=data,
                headers=headers,
                retries=False,
                redirect=False,
                preload_content=False,
                pool_timeout=self.timeout,  # type: ignore[arg-type]  # fractions are fine
            )
            try:
                return response.status, self._drain(response, deadline)
            finally:
                response.release_conn()
        except HTTPError as error:
            raise self._failure(error) from error

    def _drain(self, response: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
        chunks = []
        while chunk := response.read1(65536):
            chunks.append(chunk)
            if time.monotonic() > deadline:
                response.close()
                raise BadReply(
                    f"{self.base} answers too slowly: given up after {5 * self.timeout:g} s"
                )
        return b"".join(chunks)

    def _failure(self, error: HTTPError) -> AriError:
        if isinstance(error, NewConnectionError):  # a kind of ConnectTimeoutError to urllib3
            return no_connection(self.base)
        if isinstance(error, (ConnectTimeoutError, ReadTimeoutError)):
            return Unreachable(f"no answer from {self.base} within {self.timeout:g} s")
        if isinstance(error, EmptyPoolError):
            return Unreachable(f"all connections to {self.base} were busy for {self.timeout:g} s")
        if isinstance(error, SSLError):
            return Unreachable(f"TLS with {self.base} failed: {error}")
        cause = error.args[1] if len(error.args) > 1 else None
        if isinstance(cause, (OSError, http.client.RemoteDisconnected)):
            return Unreachable(f"{self.base} closed the connection without an answer")
        return BadReply(f"what {self.base} answered is not HTTP, or was cut short")
