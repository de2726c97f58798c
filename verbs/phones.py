"""Who speaks at which phone, and whose phones ring for a called number."""

from __future__ import annotations

from collections.abc import Iterable

from database.prepared import Prepared
from fields import normal_did, number_or_none
from models import Department, User
from telephony.call_report import MOBILE

FEW = 3
"""Places up to which each is asked for with SQL that is built once. A group has many phones."""
_AT_PHONE = Prepared(lambda endpoint: User.select().where(User.endpoint == endpoint, User.active))
_AT_MOBILE = Prepared(lambda number: User.select().where(User.mobile == number, User.active))


def users_at(endpoints: Iterable[str]) -> dict[str, User]:
    """Active users by the endpoint of their phone or mobile, of those given."""
    wanted = set(endpoints)
    found = _at_few(wanted) if len(wanted) <= FEW else _at_many(wanted)
    return {place: user for user in found for place in user.places if place in wanted}


def _at_few(places: set[str]) -> list[User]:
    found = []
    for place in places:
        mobile = _mobile(place)
        found += _AT_MOBILE.models(mobile) if mobile else _AT_PHONE.models(place)
    return found


def _at_many(places: set[str]) -> list[User]:
    numbers = [number for place in places if (number := _mobile(place))]
    theirs = (User.endpoint << list(places)) | (User.mobile << numbers)
    return list(User.select().where(theirs, User.active))


def _mobile(place: str) -> str | None:
    return number_or_none(place.removeprefix(MOBILE)) if place.startswith(MOBILE) else None


def known_endpoints() -> frozenset[str]:
    """The endpoints that are users' phones and mobiles: a call's inside."""
    found = User.select(User.endpoint, User.mobile).where(User.active)
    return frozenset(place for user in found for place in user.places)


def department_for(did: str) -> Department | None:
    """The department for a called number, or for all numbers, or None."""
    wanted = [normal_did(did), ""]
    newest_first = (
        Department.select().where(Department.did << wanted).order_by(Department.id.desc())
    )
    found = {department.did: department for department in newest_first}
    return next((found[number] for number in wanted if number in found), None)


def ringing_in(department: Department) -> list[User]:
    """Its active users with a phone, those added first in front."""
    phones = (User.department == department, User.active, User.endpoint.is_null(False))
    return list(User.select().where(*phones).order_by(User.id))
