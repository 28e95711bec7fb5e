"""One value changes, and no other byte."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.llm_api.splice import model_place, with_model

keys = st.sampled_from(["model", "Model", "messages", 'x"model', "mod\\el"]) | st.text()
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text()
    | st.sampled_from(["gpt-4o", '"model": "gpt-4o"', '\\"model\\":"a"', '","model":"a']),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
spaces = st.text(alphabet=" \t\r\n", max_size=2)


@st.composite
def bodies(draw) -> bytes:
    """A JSON object with a top-level model, written in one of many ways."""
    pairs = draw(st.lists(st.tuples(keys, values), max_size=4))
    asked = draw(st.text(min_size=1).filter(lambda text: text.strip()))
    pairs.insert(draw(st.integers(0, len(pairs))), ("model", asked))
    ascii_only = draw(st.booleans())

    def write(value: object) -> str:
        text = json.dumps(value, ensure_ascii=ascii_only)
        return f"{draw(spaces)}{text}{draw(spaces)}"

    inside = ",".join(f"{write(key)}:{write(value)}" for key, value in pairs)
    bom = draw(st.sampled_from(["", "\ufeff"]))
    text = f"{bom}{draw(spaces)}{{{inside}}}{draw(spaces)}"
    return text.encode("utf-8", "surrogatepass")


@given(bodies(), st.text(min_size=1).filter(lambda t: t.isprintable()))
def test_all_other_bytes_stay_and_the_parsed_body_differs_in_its_model(body, model):
    """json.loads says the same of both, but for the model."""
    text = body.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogatepass")
    before = json.loads(text)
    asked = before["model"]  # of a key given twice the last counts
    if not isinstance(asked, str):
        return
    changed = with_model(body, asked, model)
    if changed is None:
        assert asked == model or b"\xed" in body or body.count(b"model") > 8
        return
    after = json.loads(changed.removeprefix(b"\xef\xbb\xbf"))
    assert after == before | {"model": model}
    start = len(common(body, changed))
    end = len(common(body[start:][::-1], changed[start:][::-1]))
    old = body[start : len(body) - end]
    assert len(old) <= len(json.dumps(asked)) * 2
    assert start + end + len(old) == len(body)


def common(one: bytes, other: bytes) -> bytes:
    """What both begin with."""
    pairs = zip(one, other, strict=False)
    same = next((i for i, (a, b) in enumerate(pairs) if a != b), None)
    return one[: min(len(one), len(other)) if same is None else same]


@given(st.binary(max_size=60) | bodies().map(lambda b: b[:-1] + b"x"))
def test_what_is_no_json_object_is_left_alone(body):
    """Never an exception, never a guess."""
    assert with_model(body, "a", "b") is None


@pytest.mark.parametrize(
    ("body", "changed"),
    [
        (b'{"model":"a"}', b'{"model":"b"}'),
        (b'{ "model"\n:\t"a" }', b'{ "model"\n:\t"b" }'),
        (b'{"model":"\\u0061\\"\\\\"}', b'{"model":"b"}'),
        (b'{"x":[{"model":"a"}],"model":"a"}', b'{"x":[{"model":"a"}],"model":"b"}'),
        (b'{"model":"a","x":{"model":"a"}}', b'{"model":"b","x":{"model":"a"}}'),
        (b'{"model":"a","model":"c"}', b'{"model":"a","model":"b"}'),
        (b'{"a":"\\"model\\":\\"a\\"","model":"a"}', b'{"a":"\\"model\\":\\"a\\"","model":"b"}'),
        (b'\xef\xbb\xbf{"model":"a"}', b'\xef\xbb\xbf{"model":"b"}'),
        (b'{"n":1.50,"model":"a","e":1E2}', b'{"n":1.50,"model":"b","e":1E2}'),
        (b'{"mod\\u0065l":"a"}', None),
        (b'{"model":1}', None),
        (b'{"model":null}', None),
        (b'{"model":"b"}', None),
        (b'{"model":"a","x":NaN}', None),
        (b'{"model":"a"} {}', None),
        (b'[{"model":"a"}]', None),
        (b'{"x":{"model":"a"}}', None),
        ('{"model":"a"}'.encode("utf-16"), None),
        (b'{"x":[' + b'{"model":"a"},' * 9 + b'1],"model":"a"}', None),
    ],
)  # fmt: skip
def test_the_value_that_counts_is_found_or_nothing_is(body, changed):
    """Nested keys, keys in texts, escapes, spaces, doubles."""
    assert with_model(body, "b" if b'"b"' in body else "a", "b") == changed


def test_another_script_is_written_as_utf8():
    """The new name may have any letters and quotes."""
    assert with_model(b'{"model":"a"}', "a", 'ü"\\') == '{"model":"ü\\"\\\\"}'.encode()


def test_a_place_that_is_known_is_not_looked_for():
    """What a worker found, whoever splices."""
    body = b'{"a":{"model":"x"},"model":"x"}'
    place = model_place(body, "x")

    assert place is not None
    assert body[slice(*place)] == b'"x"'
    assert with_model(body, "x", "y", place) == with_model(body, "x", "y")


def test_a_large_body_is_tried_less_often():
    """Each try reads it once: of 3 MB four are enough, of 100 bytes eight."""
    inner = b",".join(b'"a%d":{"model":"x"}' % n for n in range(6))
    small = b'{%s,"model":"x"}' % inner
    large = b'{%s,"text":"%s","model":"x"}' % (inner, b"x" * 3_000_000)

    assert model_place(small, "x") is not None
    assert model_place(large, "x") is None
