"""How what is odd shows itself."""

from datetime import timedelta

import polars as pl
import pytest
from odd_traffic import DAY, START, Fault, as_log, feature, moment, requests

import lectr_lab as lectr
from lectr_lab.core.errors import LabError

FAULT = Fault("traffic", 4.0, 8 * DAY + 96, 8 * DAY + 168)


@pytest.fixture(scope="module")
def found(made_up):
    """Nine days of two features, of which the first has a burst."""
    return lectr.odd(made_up(fault=FAULT))


def test_the_frame_has_a_row_for_each_incident(found):
    """With parts that add up to the dollars over."""
    frame = found.incidents

    assert frame.height == len(found) == len(list(found))
    parts = pl.sum_horizontal(
        f"{name}_usd"
        for name in ("requests", "models", "cache", "prompt", "answer", "price")
    )
    off = frame.select((parts - pl.col("usd_over")).abs().max()).item()
    assert off <= 1e-9 * frame["usd"].max()
    assert frame["found"].is_sorted(descending=True)


def test_text_and_html_say_what_is_stated_and_measured(found):
    """Beside every incident's sentence."""
    for shown in (repr(found), found._repr_html_()):
        assert "Stated: 0.3 false alarms a feature-week. Measured" in shown
        assert "feature-0" in shown
    assert found[0].sentence in repr(found)


def test_names_are_escaped_in_html(made_up):
    """A feature's name is a client's string."""
    log = made_up(fault=FAULT).with_columns(feature=pl.lit("<b>x"))

    assert "<b>x" not in lectr.odd(log)._repr_html_()


def test_what_is_too_young_is_said():
    """With how long it takes."""
    log = as_log(requests(feature(1, 60.0), DAY))

    young = lectr.odd(log, now=START + timedelta(hours=17))

    assert "Active in 31 h" in young.stated
    assert young.waiting().height == 1
    assert "nothing" in repr(young)


def test_an_unknown_id_is_said(found):
    """Rather than no rows."""
    with pytest.raises(LabError, match="no incident 'x'"):
        found.rows("x")
    assert found.rows(found[0]).collect().height == found[0].n
    assert found[0].found >= moment(100)
