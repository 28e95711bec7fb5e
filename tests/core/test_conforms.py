"""Answers held against the schema they were asked to keep to."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.conforms import conforms

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
