"""C3: receipts of erasures. They say when, by whom and how much, and of whom only a mark: who knows
the number can see that it was erased, and nobody can find the number from it without the key.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable
from typing import Any

from database import database
from fields import clean, number_or_none, utcnow
from models import Call, Receipt, User
from telephony import recorded

NO_MARK = ""
PAGE = 400


def write(
    by: User | None, key: str, texts: list[str], counts: dict[str, int], left: list[int]
) -> Receipt:
    """``texts``: numbers, mail and name, the most telling in front; ``left``: calls whose
    recordings could not be deleted."""
    marks = [mark(key, text) for text in texts] if key else []
    about = {"counts": counts, "marks": marks, "left": left}
    return Receipt.create(
        at=utcnow(), by=by, mark=marks[0] if marks else NO_MARK, counts=json.dumps(about)
    )


def mark(key: str, text: str) -> str:
    """A number in any notation, a mail or a name, as 64 hexadecimal digits that tell it only to who
    has the key."""
    told = number_or_none(text) or clean(text, 200).casefold()
    return hmac.new(f"erased {key}".encode(), told.encode(), hashlib.sha256).hexdigest()


def found(key: str, text: str) -> list[Receipt]:
    """The receipts of whom the text names, the newest first."""
    if not key or not clean(text, 200):
        return []
    return list(
        Receipt.select()
        .where(Receipt.counts.contains(mark(key, text)))
        .order_by(Receipt.id.desc())
        .limit(20)
    )


def content(receipt: Receipt) -> dict[str, Any]:
    """``counts`` by what was erased, ``marks``, and ``left``: calls with recordings that stayed."""
    return json.loads(receipt.counts)


def again(receipt: Receipt, folders: Iterable[str]) -> Receipt:
    """Try once more to delete the recordings that were left."""
    about = json.loads(receipt.counts)
    left = recordings_left(about["left"], list(folders))
    with database.atomic():
        done = [call for call in about["left"] if call not in left]
        for ids in pages(done):
            Call.update(recording=None).where(Call.id << ids).execute()
        about["counts"]["recordings"] += len(done)
        about["left"] = left
        receipt.counts = json.dumps(about)
        receipt.save(only=[Receipt.counts])
    return receipt


def recordings_left(calls: list[int], folders: list[str]) -> list[int]:
    """Deletes the recordings of calls; those of which it can't be said that they are gone."""
    left = []
    for ids in pages(calls):
        for call in Call.select().where(Call.id << ids, Call.recording.is_null(False)):
            try:
                recorded.remove(folders, call.recording or "", call.started_at)
            except recorded.NotThere:
                left.append(call.id)
    return left


def pages(ids: list[int]) -> Iterable[list[int]]:
    """So many at a time as a statement takes."""
    return (ids[at : at + PAGE] for at in range(0, len(ids), PAGE))
