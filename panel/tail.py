"""One thread per panel process reads the new rows of Event and hands them to the listeners.

It runs while somebody listens. It starts with the first listener, hence after the server has
forked, and a forked copy of a running one starts anew.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from collections.abc import Callable

from database import DATABASE_ERRORS, explain
from database.changes import Changes
from models import Event, User
from panel import audience
from panel.event_reader import Reader

log = logging.getLogger(__name__)

QUEUE_LENGTH = 200
STREAMS_PER_USER = 6
WAIT_SECONDS = 0.5
RETRY_SECONDS = 1.0
TOO_MANY = "too many streams of one user"
CHECKS_STREAMS = ("user.disabled", "user.password", "user.logged_out", "user.changed")
"""After which a user may no longer see what they saw, or no longer be logged in at all."""


class Listener:
    """One open stream: the user it is for, and what waits to be sent to it.

    ``abort`` frees a thread that is stuck in sending to a browser that does not read.
    """

    def __init__(self, user: User, session: str = "", abort: Callable[[], None] | None = None):
        self.user = user
        self.session = session
        self.mark = 0
        self.ended = ""
        self._must_check = False
        self._abort = abort
        self._idle = True
        self._waiting: deque[tuple[Event, int]] = deque()
        self._news = threading.Condition()

    def concerns(self, event: Event) -> bool:
        return audience.concerns(event, self.user)

    def offer(self, event: Event, mark: int) -> None:
        """Called by the tail: keep it for sending, or end a listener that does not keep up."""
        with self._news:
            if not self.concerns(event):
                # With nothing waiting, all up to here has been dealt with.
                self.mark = self.mark if self._waiting else mark
                return
            self._waiting.append((event, mark))
            slow = len(self._waiting) > QUEUE_LENGTH
            self._news.notify()
        if slow:
            self.end("too slow")

    def check(self) -> None:
        """Have the thread that sends look at once whether the user may still listen."""
        with self._news:
            self._must_check = True
            self._news.notify()

    def end(self, why: str) -> None:
        with self._news:
            first, self.ended = not self.ended, self.ended or why
            stuck = first and not self._idle
            self._news.notify()
        if stuck and self._abort:
            self._abort()

    def wait(self, seconds: float) -> bool:
        """Until there is something to send or to check, or it has ended. True: check at once."""
        with self._news:
            self._idle = True
            self._news.wait_for(lambda: self._waiting or self.ended or self._must_check, seconds)
            self._idle, at_once = False, self._must_check
            self._must_check = False
        return at_once

    def pause(self, seconds: float) -> None:
        """Until it has ended, at most ``seconds``: whatever else waits."""
        with self._news:
            self._idle = True
            self._news.wait_for(lambda: self.ended, seconds)
            self._idle = False

    def take(self) -> tuple[Event, int] | None:
        with self._news:
            if not self._waiting:
                return None
            event, self.mark = self._waiting.popleft()
            return event, self.mark


class Hub:
    """All listeners of this process, and the thread that serves them. ``news``: how often there was
    some; ``crowd``: how many listen for those who see all, and hear of everything at once."""

    def __init__(self) -> None:
        self.alive: Callable[[], bool] = lambda: True
        self.news = 0
        self.crowd = 0
        self._trouble = False
        self._lock = threading.Lock()
        self._listeners: list[Listener] = []
        self._reader: Reader | None = None
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    def join(self, listener: Listener) -> None:
        """Needs an open connection. What commits from now on reaches the listener."""
        with self._lock:
            if self._reader is None:
                self._reader = Reader()
                self._stop = threading.Event()
                self._thread = threading.Thread(
                    target=self._run, args=(self._reader, self._stop), name="tail", daemon=True
                )
                self._thread.start()
            listener.mark = self._reader.mark
            self._listeners.append(listener)
            self._count()
            same = [one for one in self._listeners if one.user.id == listener.user.id]
        for one in same[:-STREAMS_PER_USER]:
            self._end(one, TOO_MANY)

    @property
    def streams(self) -> int:
        """How many are open now."""
        return len(self._listeners)

    def leave(self, listener: Listener) -> None:
        with self._lock:
            if listener in self._listeners:
                self._listeners.remove(listener)
            self._count()
            if not self._listeners:
                self._reader = None
                self._stop.set()

    def _count(self) -> None:
        self.crowd = sum(one.user.sees_all for one in self._listeners)

    def end_all(self, why: str, session: str | None = None) -> None:
        """End every stream, or those of one browser's session."""
        with self._lock:
            ending = [one for one in self._listeners if session in (None, one.session)]
        for listener in ending:
            self._end(listener, why)

    def stop(self) -> None:
        """End all and wait until the thread is gone, with its connection."""
        thread = self._thread
        self.end_all("stopped")
        if thread:
            thread.join()

    def _end(self, listener: Listener, why: str) -> None:
        listener.end(why)
        self.leave(listener)

    def _run(self, reader: Reader, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                self._follow(reader, stop)
            except DATABASE_ERRORS as error:
                if not self._trouble:
                    log.error("Live updates wait for the %s", explain(error))
                self._trouble = True
                stop.wait(RETRY_SECONDS)
            except Exception:  # a single event must not end the news of all others
                log.exception("Live updates: what was read last could not be told")
                # Who connects anew asks for what came after the last that was told.
                self.end_all("an event could not be told")
                stop.wait(RETRY_SECONDS)

    def _follow(self, reader: Reader, stop: threading.Event) -> None:
        try:
            changes = Changes()
            while not stop.is_set():
                for news in iter(reader.read, []):
                    self._hand_out(news, stop)
                if self._trouble:
                    log.warning("Live updates work again.")
                    self._trouble = False
                changes.wait(stop, WAIT_SECONDS)
                if not self.alive():
                    self.end_all("the server stops")
        finally:
            Changes.close()

    def _hand_out(self, news: list[tuple[Event, int]], stop: threading.Event) -> None:
        with self._lock:
            # A tail that was told to stop may overlap with its successor for a moment.
            listeners = [] if stop.is_set() else list(self._listeners)
            # What somebody asks for because of this is made after it.
            self.news += 1
            self._count()
        for event, mark in news:
            for listener in listeners:
                listener.offer(event, mark)
                mine = event.kind in CHECKS_STREAMS and listener.user.login
                if mine and event.content.get("login") == mine:
                    listener.check()
        for listener in listeners:
            if listener.ended:
                self.leave(listener)


hub = Hub()


def _after_fork() -> None:
    """Threads do not survive a fork: the copy starts without any, and without listeners."""
    alive = hub.alive
    hub.__init__()  # type: ignore[misc]
    hub.alive = alive


os.register_at_fork(after_in_child=_after_fork)
