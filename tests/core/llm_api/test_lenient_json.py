"""JSON that may be anything."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.llm_api.lenient_json import (
    QUICK_BYTES,
    SKIMMED_BYTES,
    Unread,
    count,
    loads,
    name,
    read,
    read_quickly,
    salvaged,
)


class Inner(msgspec.Struct):
    """What is nested."""

    text: str | None = None


class Shape(msgspec.Struct):
    """A shape with every kind of field that the readers use."""

    model: str | None = None
    inner: Inner | None = None
    items: list[Inner] | None = None
    mixed: str | list[Inner] | None = None
    usage: Any = None


DECODER = msgspec.json.Decoder(Shape)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["model", "inner", "items", "mixed", "text", "usage"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(values)
def test_any_json_is_read_as_far_as_it_fits(value):
    """A field that fits is kept, whatever the other fields are."""
    shape = read(DECODER, json.dumps(value).encode())

    assert (shape is None) == (not isinstance(value, dict))
    if shape is not None and isinstance(value.get("model"), str):
        assert shape.model == value["model"]


@given(st.binary(max_size=40))
def test_any_bytes_are_read_without_an_exception(data):
    """What is no JSON is None."""
    shape = read(DECODER, data)

    assert shape is None or isinstance(shape, Shape)


def test_a_wrong_type_costs_that_field_alone():
    """Good fields, and good items of a list in their places, survive bad ones."""
    body = {
        "model": 7,
        "inner": {"text": []},
        "items": [{"text": "a"}, "b", {"text": 1}],
        "mixed": [{"text": "c"}, None],
        "usage": {"n": 1},
    }

    shape = read(DECODER, json.dumps(body).encode())

    assert shape == Shape(
        model=None,
        inner=Inner(),
        items=[Inner("a"), Inner(), Inner()],
        mixed=[Inner("c"), Inner()],
        usage={"n": 1},
    )


@pytest.mark.parametrize(
    "data",
    [
        b'{"model": "m", "x": NaN}',
        b'{"model": "m", "x": -Infinity}',
        b'{"model": "m", "x": "\\ud800"}',
        b'{"model": "m", "x": "\xff"}',
        b'{"model": "m", "x": 1e999}',
        b'{"model": "m", "x": 123456789012345678901234567890}',
        b'{"model": "first", "model": "m"}',
    ],
)
def test_what_the_standard_forbids_hides_nothing(data):
    """NaN, half a surrogate pair, broken UTF-8, huge numbers, a key given twice."""
    shape = read(DECODER, data)

    assert shape is not None
    assert shape.model == "m"


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"inner":', b'{"x":['])
def test_deep_nesting_is_not_followed(opening):
    """Deeper than the stack is unreadable, and no exception."""
    assert read(DECODER, opening * 100_000) is None
    assert loads(opening * 100_000) is None


def test_only_an_object_has_fields():
    """Nothing is made of other values."""
    assert [salvaged(Shape, v) for v in (None, 1, "x", [{}])] == [None] * 4


@given(st.one_of(st.integers(), st.floats(), st.booleans(), st.text(), st.none()))
def test_a_count_is_a_whole_number_that_can_be_stored(value):
    """0 to 2**53, or None."""
    counted = count(value)

    assert counted is None or (type(counted) is int and 0 <= counted <= 2**53)
    if counted is not None:
        assert counted == value


@given(st.text())
def test_a_name_holds_no_prose(text):
    """No spaces, no line ends, nothing long."""
    accepted = name(text)

    assert accepted in (None, text)
    if accepted:
        assert len(text) <= 64
        assert text.isascii() and not any(c.isspace() for c in text)


@given(values)
def test_what_is_small_is_read_quickly(value):
    """And says the same."""
    data = json.dumps(value).encode()

    assert read_quickly(DECODER, data) == read(DECODER, data)


@pytest.mark.parametrize(
    "data",
    [
        b'{"model":"%s"}' % (b"m" * QUICK_BYTES),
        b'{"items":[%s1]}' % (b"1," * 5000),
        b" " * 2000 + b'{"items":[%s1]}' % (b"1," * 5000),
        b'{"model":"\\ud800","usage":[%s1]}' % (b"1," * 5000),
    ],
)
def test_what_is_large_or_odd_is_not(data):
    """It is read all the same by who has the time."""
    with pytest.raises(Unread):
        read_quickly(DECODER, data)

    assert read(DECODER, data) is not None


def skim_quickly(decoder, data):
    return read_quickly(decoder, data, SKIMMED_BYTES)


def test_a_shape_of_scalars_is_skimmed_from_much():
    """Beside its fields all is skipped, and checked."""
    scalars = msgspec.defstruct("Scalars", [("model", Any, None)])
    data = b'{"items":[%s],"model":"m"}' % (b"{}," * 500_000 + b"{}")

    assert skim_quickly(msgspec.json.Decoder(scalars), data).model == "m"
    with pytest.raises(Unread):
        skim_quickly(msgspec.json.Decoder(scalars), data[:-1])
    with pytest.raises(Unread):
        skim_quickly(msgspec.json.Decoder(scalars), data * 3)


@pytest.mark.parametrize("data", [b"--boundary", b"[%s1]" % (b"1," * 99), b"", b" "])
@pytest.mark.parametrize("quick", [read_quickly, skim_quickly])
def test_what_is_no_object_takes_no_time(data, quick):
    """However large it is: an upload is not read."""
    assert quick(DECODER, data + bytes(5_000_000)) is None
    assert quick(DECODER, data) is None
