"""Everything an administrator sets in the panel can also be set by file: each field of each form of
the setup has its place in a file, and what was set in the panel goes through a file unchanged."""

from __future__ import annotations

import re
from collections import defaultdict
from html.parser import HTMLParser
from pathlib import Path

import pytest

import database
from formats import rules_file, setup_file, setup_people
from models import Deal, Department, Funnel, Stage, User
from tests.panel.conftest import Browser, Visit
from tests.world import PASSWORD, World, release, use
from verbs import rule_set, rules, setup

PAGES = (
    "/admin/users/new", "/admin/users/{anna}", "/admin/users/{gone}", "/admin/departments/",
    "/admin/funnels/", "/admin/funnels/1", "/admin/funnels/{old}", "/admin/stages/2",
    "/admin/texts/", "/admin/rules", "/admin/rules/rule?situation=incoming&caller=known&did=",
    "/admin/rules/rule?situation=missed&caller=unknown&did=%2B4930555",
)  # fmt: skip
CARRIED = {"csrf_token", "form_key", "seen", "seen_name", "seen_did"}
"""Not set by anybody."""
SAYS_NOTHING = {f"seen_{name}" for name in setup_file.wordings.LENGTHS}
STAGE = {
    "name": "name", "kind": "kind", "buyer_phase": "buyer_phase", "advice": "advice",
    "probability": "probability", "stuck_after": "stuck_after_days", "required": "required",
    "colour": "colour", "target": "takes",
}  # fmt: skip
USER = {
    "login": "login", "name": "name", "role": "role", "endpoint": "endpoint", "mobile": "mobile",
    "department": "department", "locale": "language",
}  # fmt: skip
IN_ORDER = {"item": "", "way": "", "order": ""}
"""An entry's place in the file is its place."""
BY_COMMAND = {"password": "user password LOGIN", "heir": "--heir"}
"""Passwords stand in no file; open work is handed over once, which is no setting."""
FORMS = {
    r"/admin/users/(\d+)?": (USER, setup_people.USER_KEYS),
    r"/admin/users/\d+/(password|disabling|enabling)": ({}, ("active",)),
    r"/admin/departments/(\d+)?": ({"name": "name", "did": "did"}, setup_people.DEPARTMENT_KEYS),
    r"/admin/departments/\d+/removal": ({}, setup_people.DEPARTMENT_KEYS),
    r"/admin/funnels/(\d+)?": ({"name": "name"}, setup_file.FUNNEL_KEYS),
    r"/admin/funnels/\d+/archive": ({"archived": "archived"}, setup_file.FUNNEL_KEYS),
    r"/admin/funnels/(\d+/|reasons/)?order": (IN_ORDER, ("",)),
    r"/admin/funnels/reasons(/\d+/removal)?": ({"reason": "reasons"}, setup_file.PARTS),
    r"/admin/funnels/\d+/stages|/admin/stages/\d+(/removal)?": (STAGE, setup_file.STAGE_KEYS),
    r"/admin/texts/": (
        dict.fromkeys(setup_file.wordings.LENGTHS, "texts"),
        setup_file.PARTS,
    ),
    r"/admin/rules/(rule|numbers)(/removal)?": (
        {
            "did": "did", "situation": "situation", "caller": "number", "effects": "makes",
            "missed_owner": "missed_owner", "repeat_after": "repeat_after_days",
        },
        rules_file.RULE_KEYS,
    ),
    r"/admin/rules/ignored(/\d+/removal)?": (
        {"ignored": "number", "note": "note"},
        rules_file.IGNORE_KEYS,
    ),
}  # fmt: skip
ELSEWHERE = {r"/logout", r"/account/.*", r"/search", r"/deals", r"/contacts", r"/admin/rules#try"}
"""Forms of the frame, and the one that only asks."""


class Forms(HTMLParser):
    """The names of the fields of each form of a page, by its address."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.fields: dict[str, set[str]] = defaultdict(set)
        self._here = ""
        self._ids: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        about = dict(attrs)
        if tag == "form":
            self._here = about.get("action") or ""
            self.fields[self._here] |= set()
            self._ids[about.get("id") or ""] = self._here
        elif tag in ("input", "select", "textarea", "button") and about.get("name"):
            form = self._ids.get(about.get("form") or "", self._here)
            self.fields[form].add(str(about["name"]))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._here = ""


@pytest.fixture
def ada(visit: Visit, world: World) -> Browser:
    rules.add_number("+4930555", by=world.ada)
    rules.ignore("+4930777", "Fax", by=world.ada)
    return visit("ada")


def fill(ada: Browser, world: World) -> None:
    """Something in every field, as somebody would do it in the panel."""
    ada.get("/admin/")
    service = {"name": "Repairs", "did": "030 555"}
    assert ada.post("/admin/departments/", service).status_code == 303
    assert ada.post("/admin/departments/", {"name": "Empty"}).status_code == 303
    kim = {
        "login": "kim", "name": 'Kim "K" Öz', "role": "head", "endpoint": "PJSIP/kim",
        "mobile": "0151 55522100", "department": "Repairs", "locale": "ru", "password": PASSWORD,
    }  # fmt: skip
    assert ada.post("/admin/users/", kim).status_code == 200
    assert ada.post(f"/admin/users/{world.ben.id}/disabling", {"heir": "keep"}).status_code == 200
    assert ada.post("/admin/funnels/", {"name": "After the sale"}).status_code == 303
    stage = world.stage("Documents").id
    offer = {
        "name": "Papers", "buyer_phase": "decision", "advice": 'Say: "Hi"\nthen\\wait',
        "probability": "35", "stuck_after": "4", "required": "amount", "colour": "violet",
    }  # fmt: skip
    saw = re.search(r'name="seen" value="(.*?)"', ada.get(f"/admin/stages/{stage}").text)
    assert saw
    seen = saw[1].replace("&#34;", '"')
    assert ada.post(f"/admin/stages/{stage}", {**offer, "seen": seen}).status_code == 303
    for reason in ("Price", "No need"):
        assert ada.post("/admin/funnels/reasons", {"reason": reason}).status_code == 303
    texts = {"company": "Roofs & Söhne", "login_line": "Ask Ada", "popup_hint": "Ask the postcode"}
    saw_none = {f"seen_{name}": "" for name in texts}
    assert ada.post("/admin/texts/", {**texts, **saw_none}).status_code == 303


def test_each_field_of_each_form_has_its_place_in_a_file(ada: Browser, world: World) -> None:
    fill(ada, world)
    old = Funnel.create(name="Old", position=9, archived=True)
    Deal.open("Roof", world.anna, world.anna, stage=Stage.get_by_id(2))
    ids = {"anna": world.anna.id, "gone": world.ben.id, "old": old.id}
    met = set()
    for path in PAGES:
        page = ada.get(path.format(**ids))
        assert page.status_code == 200, path
        for action, fields in Forms(page.text).fields.items():
            if any(re.fullmatch(known, action) for known in ELSEWHERE) or not action:
                continue
            known = [form for form in FORMS if re.fullmatch(form, action)]
            assert known, f"{path}: what of the form {action!r} can be set by file?"
            met.add(known[0])
            places, keys = FORMS[known[0]]
            for name in fields - CARRIED - SAYS_NOTHING - set(BY_COMMAND):
                assert places.get(name) in keys, f"{action}: {name} has no place in a file"
    assert met == set(FORMS)
    commands = (Path(setup_file.__file__).parents[1] / "docs" / "commands.md").read_text()
    assert all(text in commands for text in BY_COMMAND.values())


def test_what_was_set_in_the_panel_goes_through_a_file(
    ada: Browser, world: World, tmp_path: Path
) -> None:
    fill(ada, world)
    shown = setup_file.as_toml()
    rules_shown = rules_file.as_toml(
        rules.matrix(), {row.e164: row.note for row in rules.ignore_list()}
    )
    for word in ("Kim", "ru", "Repairs", "35", "violet", "Roofs & Söhne", "After the sale"):
        assert word in shown
    assert setup.apply(setup_file.read(shown.encode())) == [], "loading it changes nothing"
    release()
    use(f"sqlite:///{tmp_path}/other.db")
    database.migrate()
    # On a new system the default funnel has other names: stages that are not named go.
    contents = setup_file.read(shown.encode())
    assert contents.problems == []
    assert setup.apply(contents)
    assert setup_file.as_toml() == shown
    assert setup.apply(setup_file.read(shown.encode())) == []
    read = rules_file.read(rules_shown.encode())
    assert read.problems == []
    rule_set.replace_all(read.rules, read.ignored)
    assert rule_set.replace_all(read.rules, read.ignored) == []
    again = rules_file.as_toml(rules.matrix(), {r.e164: r.note for r in rules.ignore_list()})
    assert again == rules_shown
    kim = User.get(User.login == "kim")
    assert not kim.check_password(PASSWORD), "no file holds passwords"
    assert Department.select().count() >= 1
