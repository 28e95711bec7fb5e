"""An incident in a sentence."""

from datetime import UTC, datetime, timedelta

import pytest

from lectr_lab.analysis.odd.scores import KINDS
from lectr_lab.analysis.odd.split import FACTORS
from lectr_lab.analysis.odd.words import NAMES, sentence

SINCE = datetime(2026, 11, 9, 8, tzinfo=UTC)


def said(**changed):
    facts = {
        "series": ("chat",),
        "kind": "latency",
        "model": None,
        "actual": 4200.0,
        "expected": 1400.0,
        "size": 3.0,
        "n": 120,
        "since": SINCE,
        "until": SINCE + timedelta(hours=3),
        "feature_weeks": 140.0,
        "usd_over": 12.3,
        "parts": dict.fromkeys(FACTORS, 0.0) | {"answer": 12.3},
        "also": (),
    }
    return sentence(**(facts | changed))


def test_it_says_what_when_how_much_and_how_seldom():
    """In one line, with units."""
    assert said() == (
        "chat: a typical answer took 4.2 s, not 1.4 s, 3 times as much, from "
        "2026-11-09 08:00 for 3.0 h, 120 requests. $12.30 over what was expected: $12.30 "
        "by the length of answers. Chance shows one like this in 140 feature-weeks."
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_words(kind):
    """Also where nothing was expected, or nothing came."""
    assert kind in NAMES
    for actual, expected, size in ((0.2, 0.1, 2.0), (0.2, 0.0, float("inf"))):
        text = said(kind=kind, actual=actual, expected=expected, size=size, until=None)
        assert "since 2026-11-09 08:00" in text
        assert "inf" not in text.replace("information", "")
    assert "nan" not in said(kind=kind, actual=0.0, expected=0.1, size=0.0)


def test_a_name_cannot_break_the_line():
    """A client's string is shown on one line, whatever it holds."""
    assert "\n" not in said(series=("a\nb\x1b[31m",))
