"""Prices, where there is a list."""

import sys

from metrics_rows import events

from lectr_lab.log.schema import frame
from lectr_lab.metrics.priced import priced_by_list


def test_a_labs_own_prices_go_before_the_list(lab):
    """As everywhere else."""
    (lab.root / "prices.toml").write_text(
        '[[price]]\nmodel = "gpt-4o-mini"\ninput_usd_per_mtok = 1000\n'
        "output_usd_per_mtok = 0\n"
    )
    own = priced_by_list(lab)(frame(events(0, 1)).lazy()).collect()

    assert own["price_source"].to_list() == ["user"]


def test_without_a_list_nothing_is_priced(lab, monkeypatch):
    """The metrics of a proxy alone do without."""
    monkeypatch.setitem(sys.modules, "lectr_lab.analysis.pricing.priced", None)

    assert priced_by_list(lab) is None
