"""ari-py (`ari` 0.1.3 on `swaggerpy` 0.2.1) on Python 3.11 and later.

Both packages were written for Python 2: they import their own modules by bare names
(`import client`), and use `urlparse` and `urllib.urlencode`. Their sources are executed here with
an `import` statement of their own that knows these names. Nothing is put into `sys.modules` or onto
the standard library, at no time, so no other module and no other thread can see a difference:
elsewhere `import client` and `import urlparse` still fail, and so does `import ari`.

What stops ari-py from working after it is imported is repaired in the same private copies:
operations (values that are 0, False or '', parameters in the body, ids that need quoting), the step
from a reply to an object, and the listeners of one object.
"""

from __future__ import annotations

import builtins
import importlib.machinery
import importlib.util
import re
import types
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

PACKAGES = ("ari", "swaggerpy")

# The standard library as Python 2 named it, for these two packages only.
PYTHON2_NAMES: dict[str, Any] = {
    "urlparse": urllib.parse,
    "urllib": types.SimpleNamespace(
        urlencode=urllib.parse.urlencode,
        urlopen=urllib.request.urlopen,
        pathname2url=urllib.request.pathname2url,
    ),
}

# A regular expression in a plain string: Python warns of its backslashes when it compiles the file.
SOURCE_FIXES = {"ari.model": (("'''List\\[", "r'''List\\["),)}


class PrivateImporter:
    """Executes modules of the packages with Python 2's import rules, out of everyone's sight."""

    def __init__(self, packages: tuple[str, ...] = PACKAGES) -> None:
        self.packages = packages
        self.modules: dict[str, types.ModuleType] = {}
        self._builtins = {**vars(builtins), "__import__": self._import}

    def load(self, name: str) -> types.ModuleType:
        """Return the module with this dotted name, executing it and its parents the first time.

        Raises ImportError, saying what to install, if the package is missing or is cut short.
        """
        if name in self.modules:
            return self.modules[name]
        parent, _, leaf = name.rpartition(".")
        holder = self.load(parent) if parent else None
        if name in self.modules:  # the parent's own code asked for it
            return self.modules[name]
        spec = self._find(name)
        if spec is None or spec.loader is None:
            raise ImportError(
                f"{name} not found: install the packages 'ari' 0.1.3 and 'swaggerpy' 0.2.1",
                name=name,
            )
        module = self._execute(name, spec)
        if holder is not None:
            setattr(holder, leaf, module)
        return module

    def _find(self, name: str) -> importlib.machinery.ModuleSpec | None:
        parent = name.rpartition(".")[0]
        if not parent:
            return importlib.util.find_spec(name)
        return importlib.machinery.PathFinder.find_spec(name, self.modules[parent].__path__)

    def _execute(self, name: str, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        source = getattr(spec.loader, "get_source", lambda _: None)(name)
        if source is None:
            raise ImportError(f"{name} has no Python source at {spec.origin}", name=name)
        for old, new in SOURCE_FIXES.get(name, ()):
            source = source.replace(old, new)
        module = importlib.util.module_from_spec(spec)
        module.__dict__["__builtins__"] = self._builtins
        self.modules[name] = module
        try:
            # The source of an installed, pinned package: what an import statement would execute.
            code = compile(source, spec.origin or name, "exec", dont_inherit=True)
            exec(code, module.__dict__)  # noqa: S102
        except BaseException:
            del self.modules[name]
            raise
        return module

    def _import(
        self,
        name: str,
        globals_: Mapping[str, Any] | None = None,
        locals_: Mapping[str, Any] | None = None,
        fromlist: tuple[str, ...] | None = (),
        level: int = 0,
    ) -> Any:
        root = name.partition(".")[0]
        if root in self.packages:
            module = self.load(name)
            return module if fromlist else self.modules[root]
        package = (globals_ or {}).get("__package__") or ""
        if package and "." not in name and self._find(f"{package}.{name}"):
            return self.load(f"{package}.{name}")  # Python 2 looked beside the importing file first
        if name in PYTHON2_NAMES:
            return PYTHON2_NAMES[name]
        return builtins.__import__(name, globals_, locals_, fromlist or (), level)


_importer = PrivateImporter()
_importer.load("ari")
_model: Any = _importer.load("ari.model")
_swagger: Any = _importer.load("swaggerpy.client")

if TYPE_CHECKING:

    class AriPyClient:
        """ari-py's client, as far as this project uses it."""

        event_listeners: dict[str, list[tuple[Callable[..., Any], Any, Any]]]
        exception_handler: Callable[[Exception], None]

        def on_event(
            self, event_type: str, event_cb: Callable[..., Any], *args: Any, **kwargs: Any
        ) -> Any: ...
else:
    AriPyClient = _importer.load("ari.client").Client

Repository: Any = _model.Repository
SwaggerClient: Any = _swagger.SwaggerClient
SwaggerError: Any = _importer.load("swaggerpy.processors").SwaggerError


def call_operation(operation: Any, **values: Any) -> Any:
    """Invoke one ARI operation by the names of its parameters; None means 'not given'.

    Raises TypeError for a parameter that the operation does not have or that is missing.
    """
    declared = {item["name"]: item for item in operation.json.get("parameters", [])}
    nickname = operation.json["nickname"]
    if unknown := values.keys() - declared.keys():
        raise TypeError(f"{nickname}() has no parameter {', '.join(sorted(unknown))}")
    if operation.json.get("is_websocket"):
        raise TypeError(f"{nickname}() is a websocket: use EventStream")
    parts: dict[str, dict[str, Any]] = {"path": {}, "query": {}, "body": {}}
    body: Any = None
    for name, item in declared.items():
        value = values.get(name)
        if value is None:
            if item.get("required"):
                raise TypeError(f"{nickname}() needs the parameter {name}")
        elif item["paramType"] == "body":
            body = body_of(name, item, value)
        else:
            parts[item["paramType"]][name] = value
    method, template = operation.json["httpMethod"], operation.uri
    return operation.http_client.send(method, template, parts["path"], parts["query"], body)


def body_of(name: str, item: Mapping[str, Any], value: Any) -> Any:
    """The JSON body for a parameter that travels in it.

    ARI's 'containers' are a member of the body under their own name (`{"variables": {…}}`), whereas
    an 'object' (the event filter) is the body itself. A value that is wrapped already stays so.
    """
    wrapped = (
        isinstance(value, Mapping) and value.keys() == {name} and isinstance(value[name], Mapping)
    )
    return value if item.get("dataType") == "object" or wrapped else {name: value}


def promote(client: Any, reply: Any, operation_json: Mapping[str, Any]) -> Any:
    """Turn a reply into ari-py objects, plain JSON, bytes (a file), or None if it is empty."""
    name = operation_json["responseClass"]
    if name == "binary":
        return reply.data
    data = reply.json()
    if data is None:
        return None
    many = re.fullmatch(r"List\[(.*)\]", name)
    factory = _model.CLASS_MAP.get(many.group(1) if many else name)
    if factory is None:
        return data
    return [factory(client, item) for item in data] if many else factory(client, data)


def on_object_event(
    subject: Any, event_type: str, listener: Callable[..., Any], *args: Any, **kwargs: Any
) -> Any:
    """Listen for events about one object: `channel.on_event("ChannelDtmfReceived", fn)`.

    The listener goes away by itself when the object's last event has been dispatched, or before
    that by `close()` on what is returned. An event that names no such object is passed over.
    Raises RuntimeError for objects that have no events (mailboxes).
    """
    if not subject.event_reg:
        raise RuntimeError(f"{subject!r} has no events to listen for")

    def of_this_object(objects: Any, event: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        found = objects.values() if isinstance(objects, dict) else [objects]
        if any(item is not None and item.id == subject.id for item in found):
            listener(objects, event, *args, **kwargs)

    handle = subject.event_reg(event_type, of_this_object, *args, **kwargs)
    subject.client.remember(type(subject).__name__, subject.id, handle)
    return handle


_swagger.Operation.__call__ = call_operation
_model.promote = promote
_model.BaseObject.on_event = on_object_event
