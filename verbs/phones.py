"""Who speaks at which phone, and whose phones ring for a called number."""

from __future__ import annotations

from collections.abc import Iterable

from fields import normal_did, number_or_none
from models import Department, User
from telephony.call_report import MOBILE


def users_at(endpoints: Iterable[str]) -> dict[str, User]:
    """Active users by the endpoint of their phone or mobile, of those given."""
    wanted = set(endpoints)
    mobiles = [p.removeprefix(MOBILE) for p in wanted if p.startswith(MOBILE)]
    numbers = [number for mobile in mobiles if (number := number_or_none(mobile))]
    theirs = (User.endpoint << list(wanted)) | (User.mobile << numbers)
    found = User.select().where(theirs, User.active)
    return {place: user for user in found for place in user.places if place in wanted}


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
