"""Values that a JSON schema allows: what a model answers where a form is asked for."""

from typing import Any

_PLAIN = {"integer": 7, "number": 7.5, "boolean": True, "null": None, "array": []}


def sample(schema: dict[str, Any], root: dict[str, Any] | None = None) -> Any:
    """One value of a schema.

    >>> sample({"type": "object", "properties": {"age": {"type": "integer"}}})
    {'age': 7}
    """
    root = schema if root is None else root
    if "$ref" in schema:
        found: Any = root
        for name in schema["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        return sample(found, root)
    if "anyOf" in schema:
        return sample(schema["anyOf"][0], root)
    if "enum" in schema:
        return schema["enum"][0]
    kind = str(schema.get("type", "")).lower()  # Gemini's are in capitals
    if kind == "object":
        fields = schema.get("properties", {}).items()
        return {name: sample(field, root) for name, field in fields}
    return _PLAIN.get(kind, "x")
