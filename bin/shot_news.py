"""What happens on the exchange and among colleagues while a page is looked at: a talk that ends,
a head who listens in, somebody who was faster, a task that is due."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

from peewee import Expression
from playwright.sync_api import Page

from fields import utcnow
from models import OPEN_REQUESTS, CallRequest, Task, User
from tests.world import Story
from verbs import requests, tasks

GRETA, NYSTROEM = "PJSIP/115", "+4684455667"
DUE = "Jonas Brandt zurückrufen: zwei Studios auf einer Nummer"
_talks = count(1)


def _is_live(page: Page) -> None:
    """What happens from now on reaches the page."""
    page.locator("html[data-live=on]").wait_for(state="attached")


def hang_up(page: Page) -> None:
    """Greta has talked for some minutes; the card asks for the next step."""
    begun = utcnow() - timedelta(seconds=312)
    talk = Story.begins(NYSTROEM, f"ended-{next(_talks)}", at=begun).rings(GRETA).answered(GRETA)
    _is_live(page)
    page.locator(".pop--talks").wait_for()
    talk.ended(after=312)
    page.locator(".pop--ended [data-part=next] form").wait_for()


def _freed(login: str) -> Expression:
    """The requests of somebody, of whom none is open: the one of the picture before would keep the
    phone busy for as long as a request waits."""
    mine = CallRequest.user == User.get(User.login == login)
    for earlier in CallRequest.select().where(mine, CallRequest.state << OPEN_REQUESTS):
        requests.over(earlier) or requests.fail(earlier, "cancelled")
    return mine


def dial(page: Page) -> None:
    _freed("anna")
    page.locator(".dial button").first.click()
    page.locator("#request .request").wait_for()


def listen(page: Page) -> None:
    """A head's phone was picked up, and hears the first of the talks."""
    mine = _freed("hugo")
    _is_live(page)
    page.locator(".listen button:enabled").first.click()
    page.locator("#request .request").wait_for()
    asked = CallRequest.select().where(mine).order_by(CallRequest.id.desc()).get()
    for step in (requests.claim, requests.rings, requests.picked_up):
        step(asked)
    page.locator("#request .request--talking").wait_for()


def move_too_late(page: Page) -> None:
    """Without scripts, from a page on which the deal stands in another stage than by now."""
    page.evaluate(
        """() => {
          const form = document.querySelector("form[data-move]");
          const others = [...form.stage.options].filter((one) => !one.selected);
          form.elements.from.value = others[0].value;
          form.stage.value = others[1].value;
          form.submit();
        }"""
    )
    page.locator(".error__code").wait_for()


def remind(page: Page) -> None:
    _is_live(page)
    anna = User.get(User.login == "anna")
    task = Task.get_or_none(Task.title == DUE)
    if task is None:
        tasks.add(DUE, utcnow(), anna, by=anna)
    else:
        tasks.change(task, anna, due_at=utcnow())
    tasks.remind(utcnow())
    page.locator(".toast--task").wait_for()
