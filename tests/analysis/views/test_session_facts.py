"""What requests add up to, a session at a time."""

import polars as pl
import pytest

from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.views.session_facts import cost_facts, session_usd
from lectr_lab.analysis.views.spend import beside_spend, spend_measures


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"model_actual": "our-own"},
        {"outcome": "timeout", "input_tokens": None, "output_tokens": None},
        {"outcome": "ok", "input_tokens": None, "output_tokens": None},
        {"credential": "plan"},
        {"cost_stated_usd": 0.25},
    ],
    ids=["priced", "unpriced", "failed", "uncounted", "on_plan", "stated"],
)
@pytest.mark.parametrize("beside", [{}, {"model_actual": "our-own"}], ids=["", "more"])
def test_dollars_are_those_of_spend(log_of, event, given, beside):
    """Null where nothing is known of what may cost, and 0 where nothing costs."""
    log = priced(log_of([event(**given), event(**(given | beside))]))

    wanted = log.select(*spend_measures(), *beside_spend()).drop("priced").collect()
    facts = cost_facts()
    parts = pl.concat(log.slice(at, 1).select(facts.once) for at in range(2))
    found = parts.select(facts.again).with_columns(session_usd()).collect()

    assert found.select(wanted.columns).rows() == wanted.rows()
