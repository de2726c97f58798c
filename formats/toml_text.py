"""What stands in a TOML file that somebody has written."""

from __future__ import annotations

import tomllib
from typing import Any


class Unreadable(ValueError):
    """No TOML; the message is for who wrote it."""


def read(data: bytes) -> tuple[str, dict[str, Any]]:
    """The text of a file, and what it says. Raises Unreadable."""
    try:
        text = data.decode("utf-8-sig")
        return text, tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Unreadable(f"this is not text in UTF-8: save it so (line {line})") from error
    except (ValueError, RecursionError) as error:
        # TOMLDecodeError is one; a whole number of thousands of digits raises another.
        raise Unreadable(f"this is not TOML: {error}") from error
