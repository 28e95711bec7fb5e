"""One incident as a picture."""

import polars as pl
import pytest
from odd_traffic import DAY, Fault

import lectr_lab as lectr
from lectr_lab.core.errors import LabError

FAULT = Fault("traffic", 4.0, 8 * DAY + 96, 8 * DAY + 168)


def test_an_incident_is_drawn_in_a_cell(made_up):
    """What it is of, what was expected, since when; the last one unless another is named."""
    found = lectr.odd(made_up(fault=FAULT))

    shown = found.picture()._repr_mimebundle_()

    assert shown["image/svg+xml"].startswith("<svg")
    assert "feature-0: " in shown["text/plain"]
    named = found.picture(found[0].id)
    assert named.title.text == found.picture(found[0]).title.text


def test_series_of_several_keys_are_drawn(made_up):
    """As those of a feature."""
    found = lectr.odd(made_up(fault=FAULT), by=["feature", "provider"])

    assert "feature-0 · " in found.picture().title.text


def test_nothing_odd_is_nothing_to_draw(made_up):
    """It says so."""
    quiet = lectr.odd(made_up(days=1).filter(pl.col("feature") == "none"))

    with pytest.raises(LabError, match="nothing to draw"):
        quiet.picture()
