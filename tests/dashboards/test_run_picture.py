"""A session drawn small."""

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lectr_lab.analysis.views.turns import turns
from lectr_lab.dashboards.run_picture import run_picture


def drawn(log, *rows) -> str:
    session = log(*({"session": "s", **row} for row in rows))
    return run_picture(turns(session, "s").collect())


def parsed(html: str) -> ElementTree.Element:
    """The picture alone; it fails where it is no XML."""
    [picture] = re.findall(r"<svg.*</svg>", html, flags=re.DOTALL)
    return ElementTree.fromstring(picture)


tokens = st.none() | st.integers(0, 10**9)


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(
        st.fixed_dictionaries(
            {
                "input_tokens": tokens,
                "output_tokens": tokens,
                "cache_read_tokens": tokens,
                "agent": st.sampled_from([None, "a1", "</text><script>"]),
                "turn_kind": st.sampled_from([None, "main", "subagent", "compaction"]),
                "outcome": st.sampled_from(["ok", "provider_error"]),
            }
        ),
        min_size=1,
        max_size=30,
    )
)
def test_it_is_whole_and_stays_within_its_box(log, rows):
    """Whatever the counts and names: a bar is never below its foot or above its head."""
    svg = parsed(drawn(log, *rows))

    width, high = map(float, svg.get("viewBox").split()[2:])
    for rect in svg.iter("rect"):
        x, y, w, h = (float(rect.get(n)) for n in ("x", "y", "width", "height"))
        assert x >= 0 and x + w <= width + 0.2
        assert y >= 9.8 and y + h <= high
    assert not list(svg.iter("script"))


def test_bars_are_as_high_as_their_tokens(log):
    """The largest request reaches the top, and half of it half of the way."""
    svg = parsed(
        drawn(
            log,
            {"input_tokens": 1000, "cache_read_tokens": 600, "output_tokens": None},
            {"input_tokens": 500, "cache_read_tokens": None, "output_tokens": None},
        )
    )

    first, second = (list(g.iter("rect")) for g in list(svg.iter("g"))[:2])
    heights = [float(r.get("height")) for r in first]
    assert heights == pytest.approx([78, 52], abs=0.1)
    assert [float(r.get("height")) for r in second] == pytest.approx([65], abs=0.1)


def test_what_failed_and_what_was_compacted_is_marked(log):
    """With a word in the legend; without either there is none."""
    plain = drawn(log, {"input_tokens": 5})
    both = drawn(
        log,
        {"input_tokens": 5, "turn_kind": "compaction"},
        {"outcome": "provider_error", "error_type": "overloaded_error"},
    )

    assert "failed" not in plain and "compacted" not in plain
    assert ">failed<" in both and ">compacted<" in both and "overloaded_error" in both


def test_lanes_are_those_who_asked(log):
    """The main one first, each by its name."""
    svg = parsed(
        drawn(
            log,
            {"turn_kind": "main"},
            {"turn_kind": "subagent", "agent": "helper"},
        )
    )

    assert [t.text for t in svg.iter("text")][-2:] == ["main", "helper"]
