"""Search across everything: a page, and the list that shows while somebody types."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from fields import clean
from panel.auth import viewer
from panel.finding import LONGEST, Found, find
from panel.urls import wants_fragment

bp = Blueprint("search", __name__)

PAGE = 20
"""Of each kind on the page."""
LIST = 5
"""Of each kind in the list."""


@bp.get("/search")
def index() -> str:
    """``q``: names, or a number in any notation. Scripts get the list alone."""
    question = clean(request.args.get("q"), LONGEST)
    as_list = wants_fragment()
    found = find(viewer(), question, LIST if as_list else PAGE) if question else Found()
    page = "_found.html" if as_list else "search.html"
    return render_template(page, question=question, found=found, as_list=as_list, most=PAGE)
