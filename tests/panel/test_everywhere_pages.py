"""Every page of the panel, as everybody who may see it: on a phone and on a desk, by day and by
night, it fits, fingers hit what is to be pressed, and axe-core finds nothing.

The list comes from the addresses of the panel itself: a new page that is not named here fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page

from fields import utcnow
from models import Call, Contact, Deal, Receipt, Stage, User
from panel import create_app
from tests.browser import AXE, PATIENCE
from tests.desk import Panel
from tests.panel.test_server import FAULTS, RULES
from tests.world import CUSTOMER, PASSWORD, Story, World, world_on
from verbs import contacts, deals, notes, reasons, requests, rules, tasks, users, wordings
from verbs.rules import Rule

LONG = "Donaudampfschifffahrtsgesellschaftskapitänswitwe"
FILE = f"Name;Telefon;Firma\nJörg Krüger;by hand;{LONG}\nOtto;030 1234599;Fitwerk\n"
# What an address answers with, other than a page: a part of one, a file, a stream, figures.
NO_PAGES = {
    "board.card", "board.column_heads", "call_statistics.download", "calls.count",
    "contact_import.refused", "contacts.export", "deals.entries", "exchange.now",
    "health.figures", "health.healthz", "live.stream", "popups.after", "popups.index",
    "popups.show", "recordings.recording", "static", "tasks.count", "tasks.reminder",
}  # fmt: skip
# The addresses of each page; names in braces are what `furnished` has made.
PAGES: dict[str, tuple[str, ...]] = {
    "account.index": ("/account/",),
    "admin.index": ("/admin/",),
    "admin_departments.index": ("/admin/departments/",),
    "admin_doctor.index": ("/admin/doctor/",),
    "admin_funnels.index": ("/admin/funnels/",),
    "admin_funnels.show": ("/admin/funnels/{funnel}",),
    "admin_stages.show": ("/admin/stages/{stage}",),
    "admin_texts.index": ("/admin/texts/",),
    "admin_users.index": ("/admin/users/",),
    "admin_users.new": ("/admin/users/new",),
    "admin_users.show": ("/admin/users/{user}",),
    "board.board": ("/", "/?stuck=1&q=nothing+like+it"),
    "board.more_cards": ("/board/stages/{stage}/cards",),
    "call_statistics.index": ("/calls/statistics",),
    "calls.index": ("/calls", "/calls?number=x&from=y"),
    "calls.missed": ("/calls/missed",),
    "companies.show": ("/companies/{company}",),
    "contact.ask_erasure": ("/contacts/{contact}/erasure",),
    "contact.merge": ("/contacts/{contact}/merge/{twin}",),
    "contact.show": ("/contacts/{contact}",),
    "contact_import.index": ("/contacts/import",),
    "contact_import.preview": ("{preview}",),
    "contact_import.result": ("{result}",),
    "contacts.index": ("/contacts", "/contacts?q=nobody"),
    "contacts.new": ("/contacts/new",),
    "deals.deal": ("/deals/{deal}", "/deals/{bare}", "/deals/0"),
    "deals.new": ("/deals/new",),
    "exchange.index": ("/exchange",),
    "receipts.index": ("/receipts",),
    "receipts.show": ("/receipts/{receipt}",),
    "requests.show": ("/call-requests/{request}",),
    "rules.index": ("/admin/rules?situation=missed&number=030+4470+1182",),
    "rules.rule": (
        "/admin/rules/rule?situation=missed&caller=unknown",
        "/admin/rules/rule?did=&situation=incoming&caller=known",
    ),
    "shortcuts.index": ("/shortcuts",),
    "search.index": ("/search", "/search?q=kruger", "/search?q=nobody"),
    "tasks.index": ("/tasks", "/tasks?of=all"),
    "tasks.next_step": ("/tasks/{done}/next",),
    "tasks.task": ("/tasks/{task}",),
}
OPEN = {"auth.login": "/login"}
LANGUAGES = {"ada": "ru", "hugo": "de", "anna": "en"}
"""Who walks in which language: the long words of each meet the screens."""
WALKERS = (("ada", "desk"), ("ada", "phone"), ("hugo", "desk"), ("anna", "phone"))
"""Who may do all sees the most; of the others only what differs is looked at closely."""
SIZES = {"phone": (390, 320), "desk": (1440, 768)}
"""The width of the walk, and one more in which the page still has to fit."""

WIDER = """() => {
  const wide = document.documentElement.scrollWidth - innerWidth;
  if (wide <= 0) return [];
  const out = [...document.body.querySelectorAll('*')].filter(
    (part) => part.getBoundingClientRect().right > innerWidth + 0.5 && part.checkVisibility());
  return [`${wide} px wider than ${innerWidth}: ` + out.slice(0, 5).map(
    (part) => part.tagName + '.' + part.className).join(' ')];
}"""
# CSS pixels that a finger hits (WCAG 2.2, 2.5.5), without what stands in a sentence, and the size
# of type below which a phone zooms into a field.
FINGERS = """() => {
  const shown = (part) => part.checkVisibility({visibilityProperty: true, opacityProperty: true});
  const named = (part) =>
    `${part.tagName}.${part.className} ${part.name || part.textContent.trim()}`;
  const places = [...document.querySelectorAll(
    'a:not(.skip), button, select, summary, textarea, input:not([type=hidden])')].filter(shown);
  const small = places.filter((place) => {
    // The whole card is its link, and what stands in a sentence is as high as its line.
    if (place.matches('.card h3 a, .card__choice, p a')) return false;
    const hit = place.matches('[type=checkbox], [type=radio]') && place.labels[0] || place;
    const {width, height} = hit.getBoundingClientRect();
    return width > 0 && Math.min(width, height) < 43.5;
  });
  const zooming = places.filter((place) => place.matches(
    'select, textarea, input:not([type=checkbox], [type=radio], [type=file])')
    && parseFloat(getComputedStyle(place).fontSize) < 16);
  const size = ({width, height}) => `${Math.round(width)}×${Math.round(height)}`;
  return [
    ...small.map((place) => `small: ${named(place)} ${size(place.getBoundingClientRect())}`),
    ...zooming.map((place) => `zooms: ${named(place)}`)];
}"""
# Every kind of thing on the page, the words in it left out.
KINDS = """() => [...new Set([...document.body.querySelectorAll('*')].map((part) =>
  `${part.parentNode.className} > ${part.tagName}.${part.className}[${part.role}]`))]"""
OUTLINE = """() => {
  const count = (what) => [...document.querySelectorAll(what)].filter(
    (part) => part.checkVisibility()).length;
  const faults = [];
  const heads = count('h1:not(dialog *)');
  if (heads !== 1) faults.push(`${heads} h1`);
  if (count('main') !== 1) faults.push(`${count('main')} main`);
  const [title, end] = document.title.split(' · ');
  if (!title || end !== 'Trichter') faults.push(`title ${document.title}`);
  const skip = document.querySelector('.skip');
  if (skip && !document.querySelector(skip.getAttribute('href'))) faults.push('skip leads nowhere');
  return faults;
}"""


def test_every_page_is_walked(world: World) -> None:
    rules_of = create_app(world.settings).url_map.iter_rules()
    readable = {rule.endpoint for rule in rules_of if "GET" in (rule.methods or ())}
    assert readable == NO_PAGES | PAGES.keys() | OPEN.keys()


def furnished(world: World) -> dict[str, int]:
    """Something of everything, with long words; the numbers that the addresses need."""
    reasons.set_reasons(["Price", LONG], world.ada)
    wordings.change({"company": "Roofs, Tiles and Gutters"})
    users.change(world.ben, name=f"Ben {LONG}")
    rules.add_number("a called number that has no digit in it", by=world.ada)
    rules.change(
        Rule("", "incoming", False, ("contact", "deal", "task", "record")),
        "contact deal|last|0",
        by=world.ada,
    )
    rules.ignore("+4930111222", "the taxi that we call for our guests", by=world.ada)
    documents = world.stage("Documents")
    Stage.update(colour="amber", name=LONG).where(Stage.id == documents.id).execute()
    made = {
        "funnel": world.funnel.id,
        "stage": documents.id,
        "user": world.ben.id,
        "receipt": Receipt.create(mark="a" * 64, counts='{"counts": {"calls": 1}, "left": [1]}').id,
    }
    return made | _customers(world) | _sale(world)


def _customers(world: World) -> dict[str, int]:
    contact = Contact.of_number(CUSTOMER, "Jörg Krüger", world.anna)
    contacts.change(contact, world.anna, company=LONG, email=f"{LONG}@fitwerk.example".lower())
    twin = Contact.of_number("+4989121447", "Jörg Kruger", world.anna)
    contacts.change(twin, world.anna, company="Fitwerk")
    company = Contact.get_by_id(contact.id).company_id
    return {"contact": contact.id, "twin": twin.id, "company": company}


def _sale(world: World) -> dict[str, int]:
    now = utcnow()
    contact = Contact.by_number(CUSTOMER)
    deal = Deal.open(
        f"Roof of the {LONG}", world.anna, world.anna, contact=contact, amount=Decimal("12500.50")
    )
    deals.change(deal, world.anna, priority=1)
    deal.move_to(Stage.get_by_id(world.stage("Opportunity").id), by=world.anna)
    notes.add(f"Wants it red.\nBy May. {'x' * 90}", world.anna, deal=deal)
    bare = Deal.open("+493044701199", world.anna, world.anna, at=now - timedelta(days=40))
    Deal.open("Nobody's", None, None, priority=-1)
    late = tasks.add("Send it", now - timedelta(days=2), world.anna, world.anna, deal=deal)
    tasks.add(LONG, now + timedelta(hours=1), world.anna, world.anna, contact=contact)
    done = tasks.add("Ring", now - timedelta(days=1), world.anna, world.anna, deal=deal)
    tasks.finish(done, world.anna)
    Story.begins(linkedid="1.0", at=now - timedelta(days=1)).rings("PJSIP/101").ended()
    Story.begins(linkedid="1.1").rings("PJSIP/101").answered("PJSIP/101").ended()
    Call.update(recording="there.wav").where(Call.linkedid == "1.1").execute()
    Story.begins("+493012399", "1.2", name=LONG).rings("PJSIP/101").ended()
    Story.begins("+4940123456", "2.1").rings("PJSIP/102").answered("PJSIP/102")
    request = requests.call_out(world.anna, CUSTOMER, "asterisk", deal)
    return {
        "deal": deal.id, "bare": bare.id, "task": late.id, "done": done.id, "request": request.id,
    }  # fmt: skip


class Walk:
    """One server, one browser, and a page for each who walks on each kind of screen."""

    def __init__(self, panel: Panel, chromium: Chromium, numbers: dict[str, int]) -> None:
        self.errors: list[str] = []
        self._panel = panel
        self._chromium = chromium
        self._numbers: dict[str, Any] = dict(numbers)
        self._pages: dict[tuple[str, str], Page] = {}
        self.seen: dict[tuple[str, str], set[str]] = {}

    def page(self, login: str, size: str) -> Page:
        if (login, size) not in self._pages:
            self._pages[login, size] = self._entered(login, size)
        return self._pages[login, size]

    def _entered(self, login: str, size: str) -> Page:
        is_phone = size == "phone"
        context = self._chromium.new_context(
            base_url=self._panel.address,
            viewport={"width": SIZES[size][0], "height": 844},
            has_touch=is_phone,
            is_mobile=is_phone,
            locale="en-GB",
            reduced_motion="reduce",
        )
        context.set_default_timeout(PATIENCE)
        context.on("weberror", lambda error: self.errors.append(str(error.error)))
        # As the browser's own, so that the policy for scripts of the panel holds as ever.
        context.add_init_script(path=AXE)
        page = context.new_page()
        page.goto("/login")
        if login:
            page.fill("#login", login)
            page.fill("#password", PASSWORD)
            page.press("#password", "Enter")
            page.wait_for_selector("header .me")
        return page

    def address(self, path: str) -> str:
        for name, made in (("{preview}", self._preview), ("{result}", self._result)):
            if path == name:
                self._numbers.setdefault(name[1:-1], made())
        return path.format(**self._numbers)

    def _preview(self) -> str:
        page = self.page("ada", "desk")
        page.goto("/contacts/import")
        file: Any = {"name": "a.csv", "mimeType": "text/csv", "buffer": FILE.encode()}
        page.set_input_files("#file", file)
        page.locator("main form button").first.click()
        page.wait_for_url("**/contacts/imports/*")
        return page.url

    def _result(self) -> str:
        page = self.page("ada", "desk")
        page.goto(self._preview())
        page.locator("main form button.btn--go").click()
        page.wait_for_url("**/result")
        return page.url

    def end(self) -> None:
        for page in self._pages.values():
            page.context.close()


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory, browser: Chromium) -> Iterator[Walk]:
    folder = tmp_path_factory.mktemp("walk")
    with world_on(f"sqlite:///{folder}/trichter.db") as world:
        numbers = furnished(world)
        for login, locale in LANGUAGES.items():
            User.update(locale=locale).where(User.login == login).execute()
        panel = Panel(world)
        walking = Walk(panel, browser, numbers)
        yield walking
        walking.end()
        panel.stop()
    assert not walking.errors, f"errors in the pages: {walking.errors}"


def fits(page: Page, size: str) -> Iterator[str]:
    """On this screen, and on a narrower one."""
    for width in reversed(SIZES[size]):
        page.set_viewport_size({"width": width, "height": 844})
        yield from page.evaluate(WIDER)


def faults(page: Page, size: str) -> Iterator[str]:
    """What is wrong with the page that is open, by day and by night."""
    yield from page.evaluate(FAULTS, RULES)
    yield from page.evaluate(OUTLINE)
    yield from page.evaluate(FINGERS) if size == "phone" else []
    # By night only the colours are other ones.
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    yield from (f"dark: {fault}" for fault in page.evaluate(FAULTS, ["color-contrast"]))
    page.emulate_media(color_scheme="light", reduced_motion="reduce")


PATHS = [path for paths in PAGES.values() for path in paths]


@pytest.mark.parametrize("path", PATHS)
def test_it_is_for_everybody_everywhere(walk: Walk, path: str) -> None:
    found: list[str] = []
    seen = 0
    address = walk.address(path)
    for login, size in WALKERS:
        page = walk.page(login, size)
        answer = page.goto(address, wait_until="domcontentloaded")
        assert answer is not None
        assert answer.status < 500
        if answer.status == 404 and path != "/deals/0":
            continue  # not for them
        seen += 1
        checks = [fits(page, size)]
        # What was looked at already for somebody who sees more needs no second look.
        kinds, known = set(page.evaluate(KINDS)), walk.seen.setdefault((path, size), set())
        if not kinds <= known:
            known |= kinds
            checks.append(faults(page, size))
        found += [f"{login}, {size}: {fault}" for check in checks for fault in check]
    assert seen
    assert found == [], "\n".join(found)


def test_so_is_the_log_in(walk: Walk) -> None:
    for size in SIZES:
        page = walk.page("", size)
        page.goto("/login")
        assert [*fits(page, size), *faults(page, size)] == []


def opened(page: Page, path: str) -> Iterator[str]:
    """Opens what is folded up on this page, one after the other; yields what it was."""
    if path == "/":
        page.keyboard.press("n")
        page.wait_for_selector("#new-deal:popover-open")
        yield "new deal"
        page.keyboard.press("Escape")
        page.wait_for_selector("#new-deal", state="hidden")
        page.keyboard.press("?")
        page.wait_for_selector("#help[open] [data-shortcut]")
        yield "help"
        page.keyboard.press("Escape")
        page.wait_for_selector("#help", state="hidden")
        page.keyboard.press("/")
        page.keyboard.type("kruger")
        page.keyboard.press("ArrowDown")
        page.wait_for_selector("#find-list [role=option]")
        yield "search"
        page.keyboard.press("Escape")
        page.keyboard.press("Escape")
        page.locator("[data-choosing]").click()
        yield "choosing"
        page.locator("#bulk [data-done]").click()
        page.locator(".me").click()
        yield "account"
    else:
        for ways in page.locator("main details > summary").all()[:4]:
            ways.click()
        # Nothing half below the bar at the top.
        page.evaluate("scrollTo(0, 0)")
        yield "unfolded"
        page.reload()
        page.locator("main [data-play]").first.click()
        # There is no such file: the player says so, and that stays.
        page.wait_for_selector("#player .player__trouble:not(:empty)")
        page.evaluate("scrollTo(0, 0)")
        yield "player"


@pytest.mark.parametrize("path", ["/", "/deals/{deal}"])
@pytest.mark.parametrize("size", SIZES)
def test_so_is_what_opens(walk: Walk, path: str, size: str) -> None:
    page = walk.page("ada", size)
    page.goto(walk.address(path))
    found = []
    for what in opened(page, path):
        found += [f"{what}: {fault}" for fault in faults(page, size)]
        page.set_viewport_size({"width": SIZES[size][0], "height": 844})
        found += [f"{what}: {fault}" for fault in page.evaluate(WIDER)]
    assert found == [], "\n".join(found)
