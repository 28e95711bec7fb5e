"""How a simulation shows itself."""

import pytest

from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.simulate import simulate
from lectr_lab.core.routing.rules import Rule, RuleTarget

MINI = Rule(name="<b>mini", priority=1, then=RuleTarget(model="gpt-4o-mini"))


@pytest.fixture(scope="module")
def simulation(traffic):
    """Everything that OpenAI answers, by its smallest."""
    return simulate(priced(traffic), MINI)


def test_the_text_says_saving_interval_and_assumptions(simulation):
    """What is read in a terminal holds what the figures rest on."""
    said = repr(simulation)

    assert "90 %" in said
    assert "from 14 days" in said
    for assumption in simulation.assumptions:
        assert assumption in said


def test_names_are_escaped_in_html(simulation):
    """A rule's name is an operator's text, and a feature's a client's."""
    html = simulation._repr_html_()

    assert "&lt;b&gt;mini" in html
    assert "<b>mini" not in html


def test_the_frame_adds_up_to_the_totals(simulation):
    """Each changed request is in one row."""
    frame = simulation.frame()

    assert frame["requests"].sum() == simulation.changed
    assert frame["judged"].sum() == simulation.judged
    assert frame["saving_usd"].sum() == pytest.approx(simulation.saving_usd)
    assert sum(simulation.unjudged) == simulation.changed - simulation.judged


def test_the_largest_saving_is_first(simulation):
    """What to look at is on top."""
    savings = simulation.frame()["saving_usd"].to_list()

    assert savings == sorted(savings, reverse=True)


def test_money_stands_first_and_no_column_is_of_dashes(simulation):
    """What no change has is not shown; what is taken for granted is folded in a cell."""
    shown = simulation._shown()

    assert shown.columns[1 if shown.columns[0] == "feature" else 2].startswith("saving")
    assert all(shown[name].null_count() < len(shown) for name in shown.columns[1:])
    assert "<details" in simulation._repr_html_()
    assert "1 [—, —]" not in repr(simulation)
