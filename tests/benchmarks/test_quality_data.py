"""Public data, read as features."""

import numpy as np
import polars as pl
import pytest
from quality_data import FEWEST_PAIRS, SMALL_TASKS, Group, read_groups, set_aside

from lectr_lab.core.errors import LabError


def scored(task, right, wrong, *, new_right):
    """A feature whose present model got so many right."""
    total = right + wrong
    old, new = np.zeros(total), np.zeros(total)
    old[:right], new[:new_right] = 1.0, 1.0
    return Group("S", task, "dear", "cheap", old, new)


def test_a_fault_of_the_source_is_found_without_its_name():
    """Near 0 where the cheaper model is not, in a source that is mostly right."""
    good = [scored(f"t{i}", 80, 20, new_right=70) for i in range(5)]
    fault = scored("broken", 8, 262, new_right=86)
    kept, notes = set_aside([*good, fault])

    assert [g.task for g in kept] == [g.task for g in good]
    assert len(notes) == 1
    assert "broken: dear 0.030, cheap 0.319 (n=270)" in notes[0]


def test_what_is_only_hard_is_kept():
    """Both near 0, or a dear model that is bad everywhere, is no fault."""
    good = [scored(f"t{i}", 80, 20, new_right=70) for i in range(5)]
    hard = scored("hard", 2, 98, new_right=4)
    few = scored("few", 0, 10, new_right=3)
    bad_everywhere = [scored(f"b{i}", 3, 97, new_right=60) for i in range(5)]

    assert set_aside([*good, hard, few]) == ([*good, hard, few], [])
    assert set_aside(bad_everywhere)[1] == []


def test_a_folder_without_data_says_so(tmp_path):
    """What was looked for, and where."""
    with pytest.raises(LabError, match="none of mmlu_pro_models"):
        read_groups(tmp_path)


def test_small_tasks_are_put_together_and_unasked_questions_left_out(tmp_path):
    """Ten questions make a task; a null is no answer of 0."""
    rows = [
        {
            "subject": s,
            "strong_correct": s == "large",
            "weak_correct": None if i % 2 else True,
        }
        | {"prompt_tokens_cl100k": 10}
        for s, n in (("large", 24), ("a", 8), ("b", 8), ("c", 8))
        for i in range(n)
    ]
    pl.DataFrame(rows).write_parquet(tmp_path / "routellm_mmlu.parquet")
    large, small = read_groups(tmp_path)

    assert (large.task, small.task) == ("large", SMALL_TASKS)
    assert (large.old.tolist(), large.new.tolist()) == ([1.0] * 12, [1.0] * 12)
    assert len(small.old) == 12


def test_what_is_missing_is_no_feature_and_no_money(tmp_path):
    """A model that answered nothing, tokens that nobody counted, one router alone."""
    rows = pl.DataFrame(
        {
            "subject": ["a"] * 12 + ["b"] * 12,
            "strong_correct": [True] * 24,
            "weak_correct": [True] * 12 + [None] * 12,
            "prompt_tokens_cl100k": pl.Series([None] * 24, dtype=pl.Int64),
        }
    )
    rows.write_parquet(tmp_path / "routellm_mmlu.parquet")
    _router(["m"]).write_parquet(tmp_path / "routerarena.parquet")
    [only] = read_groups(tmp_path)

    assert (only.task, only.old_usd, only.prompt_tokens) == ("a", None, None)


def test_each_pair_of_routers_is_looked_at(tmp_path):
    """From the one that was billed more."""
    _router(["cheap", "middle", "dear"]).write_parquet(tmp_path / "routerarena.parquet")

    pairs = {(group.present, group.candidate) for group in read_groups(tmp_path)}
    assert pairs == {("dear", "cheap"), ("dear", "middle"), ("middle", "cheap")}


def _router(models):
    """Twelve questions to each model, each dearer than the one before."""
    return pl.DataFrame(
        [
            {"model": model, "task": "t", "global_index": i, "score": 1.0}
            | {"cost_usd": 0.1 * place, "prompt_tokens": 9, "completion_tokens": 9}
            for place, model in enumerate(models, 1)
            for i in range(12)
        ]
    )


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    """And not the reader's own error."""
    (tmp_path / "routellm_mmlu.parquet").write_bytes(b"nope")
    with pytest.raises(LabError, match=r"routellm_mmlu\.parquet"):
        read_groups(tmp_path)


def test_the_shared_data_are_features_with_money(shared):
    """Every pair is from the dearer model to the cheaper, and scores are in [0, 1]."""
    groups = read_groups(shared / "datasets" / "quality")

    assert {g.source for g in groups} == {
        "MMLU-Pro",
        "MMLU",
        "GSM8K",
        "MT-bench",
        "RouterArena",
    }
    assert sum(g.source == "MMLU-Pro" for g in groups) == 14 * 45
    for group in groups:
        scores = np.concatenate([group.old, group.new])
        assert len(group.old) >= FEWEST_PAIRS or group.source == "MMLU-Pro"
        assert ((scores >= 0) & (scores <= 1)).all()
    totals = {}
    for g in groups:
        if g.old_usd is not None:
            key, calls = (g.source, g.present, g.candidate), len(g.old)
            old, new = totals.get(key, (0, 0))
            totals[key] = old + calls * g.old_usd, new + calls * g.new_usd
    assert all(old > new for old, new in totals.values())
