"""Whether a JSON value keeps to a JSON schema, as far as structured outputs use one.

Read are type, enum, const, properties, required, additionalProperties (false or a
schema), items, anyOf, allOf and local `$ref`s. What else a schema asks for is taken as
kept: this finds an answer of another shape, it does not validate texts or numbers.
"""

from typing import Any

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
