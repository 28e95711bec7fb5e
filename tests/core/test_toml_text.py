"""What a TOML file says, or where it cannot be followed."""

import time
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.errors import ConfigError
from lectr_lab.core.toml_text import Toml, parsed


class Place(msgspec.Struct, forbid_unknown_fields=True):
    url: str | None = None


class Entry(msgspec.Struct, forbid_unknown_fields=True):
    name: str = ""
    place: Place | None = None
    until: int = msgspec.field(default=0, name="to")


class Shape(msgspec.Struct, forbid_unknown_fields=True):
    port: int = 0
    orgs: dict[str, Place] = {}
    rules: tuple[Entry, ...] = ()


@pytest.mark.parametrize(
    ("text", "field", "path", "place"),
    [
        ("a = 1\nport = 3", "port", "", "x.toml, line 2"),
        ("[orgs.acme]\n  port=1", "port", "", "x.toml, line 2"),
        ("[orgs.acme.azure]", "azure", "", "x.toml, line 1"),
        ("[orgs.acme.azure]", "acme", "", "x.toml, line 1"),
        ("a = { port = 1 }", "port", "", "x.toml, line 1"),
        ("'port' = 1", "port", "", "x.toml, line 1"),
        ("# port = 1\nreport = 1", "port", "", "x.toml"),
        ("[[r]]\na = 1\n[[ r ]]\na = 1", "a", "r[1].a", "x.toml, line 4"),
        ("[[r]]\na = 1\n[[r]]\n\nb = 1", "a", "r[1].a", "x.toml, line 3"),
        ("r = [{ a = 1 }]", "a", "r[0].a", "x.toml"),
    ],
)
def test_a_field_is_found_where_it_is_set(text, field, path, place):
    """Or where its table begins; not in comments, longer names, or another entry."""
    refusal = parsed(text, "x.toml").refusal(field, "no", path)

    assert str(refusal).startswith(f"{place}: ")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("port = 'x'", "x, line 1: port: expected `int`, got `str`.\nWrite it so."),
        ("prot = 1", "line 1: there is no setting 'prot'. The settings are: port, org"),
        ("[orgs.a]\nurI = 1", "line 2: orgs[...]: there is no setting 'urI'. The settings are: url."),
        ("[[rules]]\n[rules.place]\nx = 1", "line 3: rule number 1: place: there is no setting 'x'. The settings are: url."),
        ("[[rules]]\nname = 'a'\nx = 1", "rule 'a': there is no setting 'x'. The settings are: name, place, to."),
        ("[[rules]]\n[[rules]]\nname = 1", "line 3: rule number 2: name: expected"),
    ],
)  # fmt: skip
def test_what_is_of_another_shape_says_what_may_be_there(text, told):
    """Of the place where it is, by the names that a file has for it."""
    with pytest.raises(ConfigError) as raised:
        parsed(text, "x", example="Write it so.").struct(Shape)

    assert told in str(raised.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a = 1\nb = ]", "x.toml is not valid TOML: Invalid value (at line 2, column 5)"),
        ("a = " + "[" * 5_000 + "]" * 5_000, "it is nested too deeply"),
        ("a = " + "9" * 5_000, "a number in it is too long"),
        ("a = 1e" + "9" * 30, "a number in it is too long"),
        ("\na" + ".a" * 20 + " = 1", "more than 12 parts (at line 2)"),
    ],
)  # fmt: skip
def test_what_is_no_toml_says_why_and_how_it_looks(text, told):
    """With the line where it is known, and never as another exception."""
    with pytest.raises(ConfigError) as raised:
        parsed(text, "x.toml", example="Write so.", parse_float=Decimal)

    assert told in str(raised.value)
    assert str(raised.value).endswith("\nWrite so.")


def test_content_is_not_quoted():
    """Where a file holds content, a message has the place alone."""
    row = "[[rules]]\nname = 'secret'\nport = 1"
    twice = "a = { secret = 1, secret = 2 }"

    with pytest.raises(ConfigError, match="rule number 1") as in_entry:
        parsed(row, "x", content=True).struct(Shape)
    with pytest.raises(ConfigError, match=r"\(at line 1, column") as in_text:
        parsed(twice, "x", content=True)

    assert "secret" not in f"{in_entry.value}{in_text.value}"


@pytest.mark.parametrize(
    "text",
    [
        "a" + ".a" * 100_000 + " = 1",
        "[" + "a . " * 100_000 + "a]",
        "x = { b = 1, " + "'a'." * 100_000 + "a = 1 }",
        "x = { " + '"\\"".' * 100_000 + "a = 1 }",
    ],
)
def test_a_long_name_takes_no_time(text):
    """However it is written: tomllib would need minutes for one of 100,000 parts."""
    began_s = time.perf_counter()
    with pytest.raises(ConfigError, match="parts"):
        parsed(text, "x")

    assert time.perf_counter() - began_s < 1


@pytest.mark.parametrize(
    "text", ['a = "b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s"', "# " + "a." * 40, "a.b.c = 1"]
)
def test_dots_in_a_value_are_no_name(text):
    """Nor in a comment."""
    assert isinstance(parsed(text, "x"), Toml)


def test_a_file_of_settings_is_bounded():
    """The last letter that may be is read; one of content is as long as it is."""
    text = "#" * 1_000_000

    assert parsed(text, "x").data == parsed(text + "#", "x", content=True).data == {}
    with pytest.raises(ConfigError, match="x has more than 1,000,000 characters"):
        parsed(text + "#", "x")


@given(st.text(alphabet="[]port{}rules.='\"\\ \n#9e,", max_size=60))
def test_any_text_is_a_shape_or_a_config_error(text):
    """No other exception reaches whoever reads a file."""
    try:
        shape: Any = parsed(text, "x", parse_float=Decimal).struct(Shape)
    except ConfigError:
        return
    assert isinstance(shape, Shape)
