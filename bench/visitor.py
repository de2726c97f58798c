"""The panel under its real server, and people who ask it over HTTP as a browser does."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

import psutil
import urllib3
from ports import free_tcp_port

from tests.world import PASSWORD

ROOT = Path(__file__).resolve().parent.parent
STARTS_WITHIN = 30.0
_TIMING = re.compile(r"app;dur=([\d.]+), cpu;dur=([\d.]+), db;dur=(\d+)")
_TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')


class Panel:
    """`trichter panel` on a database, with what its administrator sets; a context manager."""

    def __init__(self, database: Path, folder: Path) -> None:
        place = f"127.0.0.1:{free_tcp_port()}"
        self.address = f"http://{place}"
        self._log = folder / "panel.log"
        self._environment = {
            **os.environ,
            "TRICHTER_DATABASE_URL": f"sqlite:///{database}",
            "TRICHTER_PANEL_SECRET_KEY": "k" * 64,
            "TRICHTER_PANEL_BIND": place,
            "TRICHTER_PANEL_PUBLIC_URL": self.address,
        }

    def __enter__(self) -> Self:
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "bench.clocked"],
                cwd=ROOT, env=self._environment, stdout=log, stderr=log,
            )  # fmt: skip
        deadline = time.monotonic() + STARTS_WITHIN
        while not self._answers():
            if time.monotonic() > deadline or self.process.poll() is not None:
                self.__exit__()
                raise RuntimeError(f"the panel does not start: {self._log.read_text()[-1000:]}")
            time.sleep(0.1)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(30)

    def _answers(self) -> bool:
        try:
            asked = urllib3.request("GET", f"{self.address}/healthz", timeout=2, retries=False)
        except urllib3.exceptions.HTTPError:
            return False
        return asked.status == 200

    def cpu_seconds(self) -> float:
        """That all its processes have worked so far."""
        server = psutil.Process(self.process.pid)
        spent = [p.cpu_times() for p in (server, *server.children(recursive=True))]
        return sum(one.user + one.system for one in spent)

    def memory(self) -> tuple[float, float]:
        """Of all its processes, in megabytes: RSS, in which shared pages count in each, and PSS,
        in which they count once."""
        server = psutil.Process(self.process.pid)
        used = [p.memory_full_info() for p in (server, *server.children(recursive=True))]
        return sum(one.rss for one in used) / 1e6, sum(one.pss for one in used) / 1e6


@dataclass(frozen=True)
class Answer:
    """``ms`` and ``cpu_ms``: as the server took them; ``wall_ms``: as the visitor waited;
    ``bytes``: as they were sent; ``text``: unpacked."""

    status: int
    headers: Any
    text: str
    bytes: int
    ms: float
    cpu_ms: float
    queries: int
    wall_ms: float


class Visitor:
    """Somebody with a browser of their own; one connection, kept open."""

    def __init__(self, address: str, login: str = "") -> None:
        self.address, self.login = address, login
        self._pool = urllib3.PoolManager(num_pools=1, maxsize=1, retries=False, timeout=60)
        self.cookie = self.token = ""
        if login:
            self.read_token("/login")
            self.ask("/login", {"login": login, "password": PASSWORD}, wanted=303)
            self.read_token("/tasks")

    def read_token(self, path: str) -> None:
        found = _TOKEN.search(self.ask(path).text)
        if not found:
            raise RuntimeError(f"{path} has no token for {self.login}")
        self.token = found[1]

    def ask(
        self,
        path: str,
        form: dict[str, Any] | None = None,
        wanted: int = 200,
        fragment: bool = False,
    ) -> Answer:
        """A page, or what comes of a form. Raises RuntimeError for another status than wanted."""
        headers, body = self._request(form, fragment)
        begun = time.perf_counter()
        reply = self._pool.request(
            "GET" if body is None else "POST", self.address + path, body=body,
            headers=headers, redirect=False, preload_content=False, decode_content=False,
        )  # fmt: skip
        raw = reply.read(decode_content=False)
        waited = (time.perf_counter() - begun) * 1000
        reply.release_conn()
        text = unpacked(raw, reply.headers.get("Content-Encoding", "")).decode(errors="replace")
        if reply.status != wanted:
            raise RuntimeError(f"{path} answers {reply.status}: {text[:300]}")
        if "Set-Cookie" in reply.headers:
            self.cookie = reply.headers["Set-Cookie"].partition(";")[0]
        timing = _TIMING.search(reply.headers.get("Server-Timing", ""))
        took, cpu, queries = timing.groups() if timing else ("nan", "nan", "0")
        return Answer(
            reply.status, reply.headers, text, len(raw), float(took), float(cpu), int(queries),
            waited,
        )  # fmt: skip

    def _request(
        self, form: dict[str, Any] | None, fragment: bool
    ) -> tuple[dict[str, str], str | None]:
        headers = {"Cookie": self.cookie, "Accept": "text/html", "Accept-Encoding": "gzip"}
        if fragment:
            headers |= {"HX-Request": "true", "Accept": "text/html-partial"}
        if form is None:
            return headers, None
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        return headers, urlencode({"csrf_token": self.token, **form})


def unpacked(raw: bytes, encoding: str) -> bytes:
    return gzip.decompress(raw) if encoding == "gzip" else raw
