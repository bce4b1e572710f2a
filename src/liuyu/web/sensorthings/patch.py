"""JSON Patch (RFC 6902) on the properties of one entity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from liuyu.basin.errors import BadInput

_MOST = 1000


def patched(value: Mapping[str, Any], operations: Sequence[Any]) -> dict[str, Any]:
    """The value after every operation, in order; the one that is given stays. Raises BadInput at the first that fails.

    >>> patched({"name": "a", "properties": {}}, [{"op": "add", "path": "/properties/x", "value": 1}])
    {'name': 'a', 'properties': {'x': 1}}
    """
    if len(operations) > _MOST:
        raise BadInput(f"the patch has {len(operations)} operations; send at most {_MOST}")
    found: Any = deepcopy(dict(value))
    for operation in operations:
        if not isinstance(operation, Mapping) or not isinstance(operation.get("path"), str):
            raise BadInput(f'{str(operation)[:60]!r} is no operation; write {{"op", "path", "value"}} (RFC 6902)')
        found = _apply(found, operation)
        if not isinstance(found, dict):
            raise BadInput("the patch replaces the whole entity by something else; name its properties")
    return dict(found)


def _apply(document: Any, operation: Mapping[str, Any]) -> Any:
    kind, path = operation.get("op"), _steps(operation["path"])
    if kind in ("add", "replace", "test") and "value" not in operation:
        raise BadInput(f"{kind} of {operation['path'][:60]!r} has no value; give one")
    if kind == "add":
        return _put(document, path, deepcopy(operation["value"]), insert=True)
    if kind == "replace":
        _get(document, path)
        return _put(document, path, deepcopy(operation["value"]), insert=False)
    if kind == "remove":
        return _remove(document, path)
    if kind == "test":
        if _get(document, path) != operation["value"]:
            raise BadInput(f"test of {operation['path'][:60]!r} fails; read the entity again and mend the patch")
        return document
    if kind in ("move", "copy") and isinstance(operation.get("from"), str):
        source = _steps(operation["from"])
        value = deepcopy(_get(document, source))
        return _put(_remove(document, source) if kind == "move" else document, path, value, insert=True)
    raise BadInput(f"operation {str(kind)[:40]!r} is not known; use add, remove, replace, move, copy or test")


def _steps(path: str) -> list[str]:
    if path and not path.startswith("/"):
        raise BadInput(f"path {path[:60]!r} does not begin with a slash; write it as /properties/owner")
    return [each.replace("~1", "/").replace("~0", "~") for each in path.split("/")[1:]]


def _get(document: Any, path: Sequence[str]) -> Any:
    for step in path:
        document = _child(document, step)
    return document


def _child(document: Any, step: str) -> Any:
    if isinstance(document, dict) and step in document:
        return document[step]
    if isinstance(document, list) and step.isascii() and step.isdecimal() and int(step) < len(document):
        return document[int(step)]
    raise BadInput(f"there is nothing at {step[:60]!r} of the path; read the entity and mend the patch")


def _put(document: Any, path: Sequence[str], value: Any, *, insert: bool) -> Any:
    if not path:
        return value
    parent, last = _get(document, path[:-1]), path[-1]
    if isinstance(parent, dict):
        parent[last] = value
    elif isinstance(parent, list) and 0 <= (place := _place(last, len(parent))) <= len(parent):
        parent[place : place if insert else place + 1] = [value]
    else:
        raise BadInput(f"nothing can be put at {last[:60]!r} of the path; read the entity and mend the patch")
    return document


def _place(step: str, end: int) -> int:
    """The place in a list that a step names; -1 for none."""
    if step == "-":
        return end
    return int(step) if step.isascii() and step.isdecimal() and len(step) < 10 else -1


def _remove(document: Any, path: Sequence[str]) -> Any:
    if not path:
        raise BadInput("the patch removes the whole entity; DELETE it instead")
    parent = _get(document, path[:-1])
    _child(parent, path[-1])
    del parent[path[-1] if isinstance(parent, dict) else int(path[-1])]
    return document
