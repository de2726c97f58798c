"""What is sent: packed for who unpacks it, and under addresses that tell the content."""

from __future__ import annotations

import gzip
import re

from werkzeug.wrappers import Response

from models import Deal
from tests.panel.conftest import Browser
from tests.world import World

UNPACKS = {"Accept-Encoding": "gzip, br"}
KEPT = "public, max-age=31536000, immutable"


def unpacked(answer: Response) -> str:
    assert answer.headers["Content-Encoding"] == "gzip"
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    return gzip.decompress(answer.data).decode()


def bare(page: str) -> str:
    """Without what differs each time."""
    return re.sub(r'csrf-token" content="[^"]*"|(?:csrf_token|form_key)" value="[^"]*"', "", page)


def test_pages_are_packed_for_who_asks(world: World, anna: Browser) -> None:
    Deal.open("Bäckerei Krüger", world.anna, world.anna)
    plain, packed = anna.get("/deals/1"), anna.client.get("/deals/1", headers=UNPACKS)
    assert "Content-Encoding" not in plain.headers
    assert plain.headers["Vary"] == packed.headers["Vary"] == "Accept-Encoding, Cookie"
    assert "Bäckerei Krüger" in unpacked(packed)
    assert bare(unpacked(packed)) == bare(plain.text)
    assert len(packed.data) < len(plain.data) / 3


def test_the_length_of_a_page_tells_nothing(anna: Browser) -> None:
    lengths = {len(anna.client.get("/search?q=holm", headers=UNPACKS).data) for _ in range(12)}
    assert max(lengths) - min(lengths) > 10


def test_what_is_small_or_no_text_stays_as_it_is(anna: Browser) -> None:
    for path in ("/deals/1/card", "/healthz", "/calls.csv", "/static/vendor/htmx.LICENSE"):
        with anna.client.get(path, headers=UNPACKS) as answer:
            assert "Content-Encoding" not in answer.headers, path
    with anna.client.head("/", headers=UNPACKS) as head:
        assert "Content-Encoding" not in head.headers


def test_files_are_packed_and_kept_by_their_content(anna: Browser) -> None:
    page = anna.get("/").text
    files = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
    assert len(files) > 20
    for path in files:
        with anna.client.get(path, headers=UNPACKS) as file, anna.client.get(path) as plain:
            assert file.headers["Cache-Control"] == KEPT, path
            if len(plain.data) >= 1000:
                assert unpacked(file) == plain.data.decode()
    with anna.client.get(path, headers={**UNPACKS, "If-None-Match": file.headers["ETag"]}) as same:
        assert same.status_code == 304


def test_what_modules_import_is_kept_too(anna: Browser) -> None:
    page = anna.get("/").text
    board = re.search(r'src="(/static/modules/[0-9a-f]{12}/)board.js"', page)
    assert board
    with anna.client.get(f"{board[1]}shared/page.js") as shared:
        assert (shared.status_code, shared.headers["Cache-Control"]) == (200, KEPT)
        assert "export function" in shared.data.decode()
    with anna.client.get(f"{board[1]}../../__init__.py") as outside:
        assert outside.status_code == 404
