"""The styles of all components come as one file, kept by browsers as long as it stays the same."""

from __future__ import annotations

import os
import re
from pathlib import Path

from panel.assets import styles_of
from tests.panel.conftest import Browser

LINK = re.compile(r'<link rel="stylesheet" href="([^"]+)"')


def test_a_page_asks_for_one_file_that_holds_all_styles(anna: Browser) -> None:
    (address,) = LINK.findall(anna.get("/").text)
    with anna.client.get(address) as styles:
        text = styles.get_data(as_text=True)
        assert styles.mimetype == "text/css"
        assert "immutable" in styles.headers["Cache-Control"]
        mark = styles.headers["ETag"]
    files = sorted((Path(anna.client.application.static_folder or "") / "css").glob("*.css"))
    assert len(files) > 40
    assert all(file.read_text() in text for file in files)
    assert text.index(":root {") < text.index(".visually-hidden {") < text.index(".card {")
    with anna.client.get(address, headers={"If-None-Match": mark}) as again:
        assert (again.status_code, again.data) == (304, b"")


def test_another_style_has_another_address(tmp_path: Path) -> None:
    css = tmp_path / "css"
    css.mkdir()
    for name in ("tokens", "base", "a"):
        (css / f"{name}.css").write_text(f".{name} {{}}\n")
    before, text = styles_of(tmp_path)
    assert text == ".tokens {}\n.base {}\n.a {}\n"
    (css / "a.css").write_text(".b {}\n")
    os.utime(css / "a.css", ns=(1, 1))
    after, text = styles_of(tmp_path)
    assert text.endswith(".b {}\n")
    assert after != before
