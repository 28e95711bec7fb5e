"""How deep a schema nests, and whether a value keeps to it."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.llm_api.json_schema import conforms, schema_depth

TEXT = {"type": "string"}


def an_object(**properties):
    """An object schema."""
    return {"type": "object", "properties": properties}


def a_list(items):
    """An array schema."""
    return {"type": "array", "items": items}


TREE = {
    "$ref": "#/$defs/Node",
    "$defs": {"Node": an_object(children=a_list({"$ref": "#/$defs/Node"}))},
}
CASES = {
    "scalar": (TEXT, 0),
    "flat": (an_object(a=TEXT, b=TEXT), 1),
    "empty object": ({"type": "object"}, 1),
    "object of lists of objects": (an_object(a=a_list(an_object(b=TEXT))), 3),
    "by reference": (
        {**an_object(a={"$ref": "#/$defs/B"}), "$defs": {"B": an_object(c=TEXT)}},
        2,
    ),
    "recursive": (TREE, 2),
    "alternatives": ({"anyOf": [TEXT, an_object(a=an_object())]}, 2),
    "values of any name": ({"type": "object", "additionalProperties": a_list(TEXT)}, 2),
    "closed": ({**an_object(a=TEXT), "additionalProperties": False}, 1),
    "dangling reference": ({"$ref": "#/$defs/None"}, 0),
    "reference to itself": ({"$ref": "#"}, 0),
    "no schema": ("object", None),
}


@pytest.mark.parametrize(("schema", "levels"), CASES.values(), ids=CASES)
def test_levels_are_objects_and_arrays(schema, levels):
    """References and alternatives are seen through."""
    assert schema_depth(schema) == levels


keys = st.sampled_from(
    ["type", "properties", "items", "anyOf", "$ref", "$defs", "additionalProperties"]
)
schemas = st.recursive(
    st.sampled_from(["object", "array", "#", "#/$defs", "#/items", None, 1]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4)
    ),
    max_leaves=15,
)


@given(schemas)
def test_any_schema_has_an_end(schema):
    """No exception and no endless walk, whatever refers to what."""
    levels = schema_depth(schema)

    assert (levels is None) == (not isinstance(schema, dict))
    assert levels is None or 0 <= levels <= 65


def test_a_schema_that_multiplies_is_cut_short():
    """Definitions that each use the next one twice would take 2**40 steps."""
    twice = {
        str(n): an_object(
            a={"$ref": f"#/$defs/{n + 1}"}, b={"$ref": f"#/$defs/{n + 1}"}
        )
        for n in range(40)
    }

    levels = schema_depth({"$ref": "#/$defs/0", "$defs": twice})

    assert levels is not None


def test_deep_nesting_is_cut_short():
    """Deeper than the limit counts as the limit."""
    schema = TEXT
    for _ in range(500):
        schema = a_list(schema)

    assert schema_depth(schema) == 65


TICKET = {
    "type": "object",
    "properties": {
        "product": {"type": "string"},
        "urgent": {"type": ["boolean", "null"]},
        "kind": {"enum": ["a", "b", 1]},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}},
    },
    "required": ["product"],
    "additionalProperties": False,
    "$defs": {"line": {"type": "object", "required": ["n"]}},
}


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ({"product": "x"}, True),
        ({"product": "x", "urgent": None, "kind": 1.0, "lines": [{"n": 1}]}, True),
        ({}, False),
        ({"product": 3}, False),
        ({"product": "x", "more": 1}, False),
        ({"product": "x", "kind": "c"}, False),
        ({"product": "x", "kind": True}, False),
        ({"product": "x", "lines": [{"n": 1}, {}]}, False),
        ([], False),
    ],
)
def test_an_answer_of_another_shape_is_found(value, kept):
    """Types, required and additional fields, enums, items and references."""
    assert conforms(value, TICKET) is kept


def test_alternatives_and_numbers():
    """anyOf, allOf, const; a whole float is an integer, a boolean is none."""
    either = {"anyOf": [{"type": "integer"}, {"type": "string"}]}
    assert conforms(2.0, either)
    assert not conforms(2.5, either)
    assert not conforms(True, either)
    assert not conforms("x", {"allOf": [either, {"const": "y"}]})


def test_a_schema_that_refers_to_itself_ends():
    """Deep values, and circles without one."""
    tree = {"properties": {"in": {"$ref": "#"}}, "required": ["in"]}
    assert conforms({"in": {"in": {}}}, tree) is False
    assert conforms(1, {"$ref": "#"}) is None
    began_s = time.process_time()
    twice = {"anyOf": [{"allOf": [{"$ref": "#"}, False]}, {"$ref": "#"}]}
    assert conforms(1, twice) is None
    assert time.process_time() - began_s < 3


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "type properties required items enum anyOf allOf $ref additionalProperties"
                " const object string #".split()
            ),
            inner,
            max_size=4,
        )
    ),
)


@given(JSON, JSON)
def test_nothing_a_client_sends_as_a_schema_raises(value, schema):
    """It is held to it, or nothing can be told."""
    assert conforms(value, schema) in (True, False, None)
