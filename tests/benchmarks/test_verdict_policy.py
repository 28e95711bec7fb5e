"""The measurement of our verdicts, where the truth is known."""

import numpy as np
import polars as pl
import pytest
from quality_data import Group, read_groups, set_aside
from verdict_policy import curves, halves, money, once, transfer, trials


def feature(task, worse, better, same=100, **more):
    """A feature by how many questions the candidate got worse, better and alike."""
    old = np.array([1.0] * worse + [0.0] * better + [1.0] * same)
    new = np.array([0.0] * worse + [1.0] * better + [1.0] * same)
    return Group("S", task, "dear", "cheap", old, new, **more)


GROUPS = [
    feature(
        "equal", 0, 0, old_usd=4.0, new_usd=1.0, prompt_tokens=9.0, answer_tokens=9.0
    ),
    feature(
        "worse", 50, 0, old_usd=4.0, new_usd=1.0, prompt_tokens=9.0, answer_tokens=200.0
    ),
    feature("edge", 10, 4, same=86),
]


def test_shares_of_verdicts_are_of_each_world():
    """No adopt of what is worse, no refuse of what is equal, a bound at the edge."""
    tried = trials(GROUPS, pairs=(50, 100), draws=200)
    equal, worse, edge = (tried.filter(task=t) for t in ("equal", "worse", "edge"))

    assert equal["adopt"].to_list() == [0.0, 1.0]
    assert worse["adopt_ever"].to_list() == [0.0, 0.0]
    assert worse["refuse"].to_list()[1] > 0.9
    assert edge["fine"].to_list() == [False, False]
    assert max(edge["adopt_ever"]) <= 0.05 + 2 * 0.0155
    assert max(edge["plain_ever"]) > 0.05


def test_curves_average_over_worse_and_fine_features():
    """Errors are of the worse, power of the fine."""
    table = curves(trials(GROUPS, pairs=(100,), draws=50)).filter(source="all")

    assert table.select("worse", "fine").row(0) == (2, 1)
    assert table["power"].item() == 1.0
    assert table["false_adopt"].item() < 0.1


def test_money_is_counted_for_each_policy():
    """By hand: two features with bills, one of them worse and out of the envelope."""
    groups = GROUPS[:2]
    table = money(groups, trials(groups, pairs=(100,), draws=50))
    rows = {row["policy"]: row for row in table.iter_rows(named=True)}

    assert rows["never"]["saved"] == 0.0
    assert rows["always"]["saved"] == 0.75
    assert rows["always"]["moved_wrongly"] == 0.5
    assert rows["always"]["quality_lost"] == pytest.approx(100 / 3 / 2)
    for policy in ("token envelope", "evidence, 100 pairs", "if one knew the truth"):
        assert rows[policy]["saved"] == 0.375
        assert rows[policy]["quality_lost"] == 0.0


def test_without_bills_nothing_is_said_to_be_saved():
    """Missing is None, not 0."""
    table = money(GROUPS[2:], trials(GROUPS[2:], pairs=(100,), draws=5))

    assert table["saved"].null_count() == len(table)
    assert "token envelope" not in table["policy"].to_list()


def test_each_pair_is_used_once():
    """The verdict on all there is, and what other questions say of it."""
    assert once(GROUPS)["verdict"].to_list() == ["adopt", "refuse", "need_more"]
    judged = transfer(*halves(GROUPS))
    assert judged["truth_is"].to_list() == ["fine", "worse", "near"]
    assert transfer(GROUPS, []).is_empty()


@pytest.mark.slow
def test_on_public_data_the_targets_hold(shared):
    """Wrong adopts in 5 % at most, in every source, at any look; and it pays."""
    groups, _ = set_aside(read_groups(shared / "datasets" / "quality"))
    tried = trials(groups, pairs=(20, 50, 200), draws=60)
    table = curves(tried)

    assert table["false_adopt_ever"].max() <= 0.05
    # Each world by itself: 60 draws of 5 % are 8 at most, but for one in 100,000.
    worse = tried.filter(~pl.col("fine"))
    assert worse["adopt_ever"].max() <= 0.05 + 4.5 * np.sqrt(0.05 * 0.95 / 60)
    everything = table.filter(source="all", pairs=200).row(0, named=True)
    assert everything["power"] > 0.5
    assert everything["plain_worst"] > 0.15  # what looking does to the textbook's bound
    ours = money(groups, tried).filter(policy="evidence, 200 pairs")
    assert ours["moved_wrongly"].max() <= 0.01
    assert ours.filter(source="RouterArena")["saved"].item() > 0.4
