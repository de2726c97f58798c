"""ARI's description of itself, from which ari-py makes its objects."""

from __future__ import annotations

import copy
import threading
from typing import Any

from ari_app.rest import Rest

_api_docs: dict[str, dict[str, Any]] = {}
_api_docs_lock = threading.Lock()


def api_docs_of(rest: Rest) -> dict[str, Any]:
    """ARI's description of itself; a copy, for swagger.py writes into it.

    The addresses in it are dropped: Asterisk builds them from the Host header of whoever asks,
    which is not where we reach it when a proxy stands between.
    """
    with _api_docs_lock:
        if rest.base not in _api_docs:
            listing = rest.send("GET", "/api-docs/resources.json", {}, {}).json()
            for api in listing["apis"]:
                path = api["path"].replace("{format}", "json")
                api["api_declaration"] = rest.send("GET", path, {}, {}).json()
                api["api_declaration"]["basePath"] = ""
            _api_docs[rest.base] = listing
        return copy.deepcopy(_api_docs[rest.base])
