"""JSON schemas: how deep one nests, and whether a value keeps to it.

Depth is a signal of how hard an answer is to get right. Whether a value keeps to a
schema is told as far as structured outputs use one: read are type, enum, const,
properties, required, additionalProperties (false or a schema), items, anyOf, allOf and
local `$ref`s. What else a schema asks for is taken as kept: this finds an answer of
another shape, it does not validate texts or numbers.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

_MAX_NODES = 1000  # a client waits: what is beyond is not counted
_MAX_LEVELS = 64
_NESTS = ("object", "array", "OBJECT", "ARRAY")  # Gemini writes them large
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
        if below or node.get("type") in _NESTS:
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


_MOST_STEPS = 100_000
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "null": (type(None),),
    "number": (int, float),
    "integer": (int, float),
}


def conforms(value: Any, schema: Any) -> bool | None:
    """Whether a value has the shape that a schema asks for.

    Args:
        value: parsed JSON.
        schema: parsed JSON; what is no schema asks for nothing.

    Returns:
        None where that takes too many steps to tell, or circles.

    >>> schema = {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}
    >>> conforms({"a": 1}, schema), conforms({"a": "1"}, schema), conforms({}, schema)
    (True, False, False)
    """
    try:
        return _Check(schema).holds(value, schema)
    except RecursionError:
        return None


class _Check:
    """Counts its steps: a schema may refer to itself."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._steps = 0

    def holds(self, value: Any, schema: Any) -> bool:
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise RecursionError
        if not isinstance(schema, dict):
            return schema is not False
        return (
            _is_of_type(value, schema.get("type"))
            and _is_listed(value, schema)
            and self._holds_combined(value, schema)
            and self._holds_inside(value, schema)
        )

    def _holds_combined(self, value: Any, schema: dict[str, Any]) -> bool:
        options, parts = schema.get("anyOf"), schema.get("allOf")
        ref = schema.get("$ref")
        return (
            (
                not isinstance(options, list)
                or any(self.holds(value, o) for o in options)
            )
            and (
                not isinstance(parts, list) or all(self.holds(value, p) for p in parts)
            )
            and (not isinstance(ref, str) or self.holds(value, self._at(ref)))
        )

    def _holds_inside(self, value: Any, schema: dict[str, Any]) -> bool:
        if isinstance(value, list):
            items = schema.get("items", True)
            return all(self.holds(item, items) for item in value)
        if not isinstance(value, dict):
            return True
        fields, required = schema.get("properties"), schema.get("required")
        fields = fields if isinstance(fields, dict) else {}
        others = schema.get("additionalProperties", True)
        names = required if isinstance(required, list) else []
        missing = any(isinstance(name, str) and name not in value for name in names)
        return not missing and all(
            self.holds(inner, fields.get(name, others)) for name, inner in value.items()
        )

    def _at(self, ref: str) -> Any:
        """What `#/$defs/name` points at; what cannot be found asks for nothing."""
        here = self._root
        for step in ref.removeprefix("#").split("/")[1:]:
            here = here.get(step, True) if isinstance(here, dict) else True
        return here


def _is_of_type(value: Any, wanted: Any) -> bool:
    names = wanted if isinstance(wanted, list) else [wanted]
    return any(_is_a(value, name) for name in names)


def _is_a(value: Any, name: Any) -> bool:
    kinds = _TYPES.get(name) if isinstance(name, str) else None
    if kinds is None:
        return True
    if isinstance(value, bool):
        return name == "boolean"
    whole = name != "integer" or not isinstance(value, float) or value.is_integer()
    return isinstance(value, kinds) and whole


def _is_listed(value: Any, schema: dict[str, Any]) -> bool:
    listed = schema.get("enum")
    if isinstance(listed, list) and not any(_same(value, one) for one in listed):
        return False
    return "const" not in schema or _same(value, schema["const"])


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON: 1 is 1.0, and true is not 1."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)
