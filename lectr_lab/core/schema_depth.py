"""How deep a JSON schema nests: a signal of how hard an answer is to get right."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

_MAX_NODES = 1000  # a client waits: what is beyond is not counted
_MAX_LEVELS = 64
_SAME_LEVEL = ("anyOf", "oneOf", "allOf")
_BELOW = ("items", "prefixItems", "additionalProperties")
_BELOW_BY_NAME = ("properties", "patternProperties")


def schema_depth(schema: Any) -> int | None:
    """Levels of objects and arrays in a JSON schema, references followed.

    Args:
        schema: decoded JSON.

    Returns:
        0 for a scalar, 1 for a flat object; a recursive type counts once. None where
        it is no schema.

    >>> person = {"type": "object", "properties": {"name": {"type": "string"}}}
    >>> schema_depth(person), schema_depth({"type": "array", "items": person})
    (1, 2)
    """
    return _Walk(schema).levels(schema, ()) if isinstance(schema, dict) else None


class _Walk:
    """Counts the nodes it visits, so that it comes to an end."""

    def __init__(self, root: dict[str, Any]) -> None:
        self._root = root
        self._nodes = 0

    def levels(self, node: Any, refs: tuple[str, ...], above: int = 0) -> int:
        self._nodes += 1
        if not isinstance(node, dict):
            return 0
        if self._nodes > _MAX_NODES or above > _MAX_LEVELS:
            return 0
        found = 0
        ref = node.get("$ref")
        if isinstance(ref, str) and ref not in refs:
            found = self.levels(self._target(ref), (*refs, ref), above + 1)
        for same in islice(_under(node, _SAME_LEVEL), _MAX_NODES):
            found = max(found, self.levels(same, refs, above + 1))
        nested = islice(_nested(node), _MAX_NODES)
        below = [self.levels(n, refs, above + 1) for n in nested]
        if below or node.get("type") in ("object", "array"):
            found = max(found, 1 + max(below, default=0))
        return found

    def _target(self, ref: str) -> Any:
        """What a local reference points to."""
        node: Any = self._root
        for step in ref.removeprefix("#").split("/")[1:]:
            node = node.get(step) if isinstance(node, dict) else None
        return node


def _nested(node: dict[str, Any]) -> Iterator[Any]:
    yield from _under(node, _BELOW)
    for key in _BELOW_BY_NAME:
        by_name = node.get(key)
        if isinstance(by_name, dict):
            yield from by_name.values()


def _under(node: dict[str, Any], keys: tuple[str, ...]) -> Iterator[Any]:
    for key in keys:
        value = node.get(key)
        if isinstance(value, list):
            yield from value
        elif isinstance(value, dict):
            yield value
