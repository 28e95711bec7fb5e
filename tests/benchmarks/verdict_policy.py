"""How good our verdicts are, on public data whose truth is known.

Each feature of `quality_data.read_groups` is a world: its questions are all there is, and
its mean difference is the truth. Evidence is drawn from it with replacement, k pairs at
a time, so no feature is too near the margin to be judged; that no world is the data's
own population is what `transfer` looks at.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl
from quality_data import Floats, Group

from lectr_lab.evaluation.verdict import adopts, refuses

MARGIN, CONFIDENCE = 0.05, 0.95
PAIRS = (10, 20, 50, 100, 200, 500)
ENVELOPE_PROMPT_TOKENS, ENVELOPE_ANSWER_TOKENS = 500, 150
"""The fixed table that others use: below both, a feature is moved."""


def trials(
    groups: Sequence[Group],
    *,
    pairs: Sequence[int] = PAIRS,
    draws: int = 400,
    margin: float = MARGIN,
    seed: int = 1,
) -> pl.DataFrame:
    """What the verdict was on each feature, with so many pairs.

    Args:
        groups: the features.
        pairs: numbers of pairs to draw.
        draws: how often each is drawn.
        margin: as in `weigh`.
        seed: of the draws.

    Returns:
        One row per feature and number of pairs: `source`, `task`, `present`,
        `candidate`, `pairs`, `truth` (difference of scores), `fine` (the truth is
        within the margin), and the shares of draws that said `adopt`, `refuse`, and
        `adopt_ever`: at any look, if one looks after every pair up to that number;
        `plain` and `plain_ever` are the same for the textbook's bound, for comparison.
    """
    rng = np.random.default_rng(seed)
    rows = [row for g in groups for row in _trials(g, pairs, draws, margin, rng)]
    return pl.DataFrame(rows)


def _trials(
    group: Group,
    pairs: Sequence[int],
    draws: int,
    margin: float,
    rng: np.random.Generator,
) -> Iterator[dict[str, Any]]:
    values, seen = np.unique(group.new - group.old, return_counts=True)
    drawn = rng.choice(len(values), size=(draws, max(pairs)), p=seen / seen.sum())
    counts = np.cumsum(drawn[..., None] == np.arange(len(values)), axis=1)
    adopt = adopts(values, counts, margin, CONFIDENCE)
    plain = _plainly_adopts(values, counts, margin)
    ever, plain_ever = (np.logical_or.accumulate(a, axis=1) for a in (adopt, plain))
    for k in pairs:
        refuse = refuses(values, counts[:, k - 1], margin, CONFIDENCE)
        yield {
            "source": group.source,
            "task": group.task,
            "present": group.present,
            "candidate": group.candidate,
            "pairs": k,
            "truth": group.truth,
            "fine": is_fine(group, margin),
            "adopt": float(adopt[:, k - 1].mean()),
            "adopt_ever": float(ever[:, k - 1].mean()),
            "refuse": float(refuse.mean()),
            "plain": float(plain[:, k - 1].mean()),
            "plain_ever": float(plain_ever[:, k - 1].mean()),
        }


def _plainly_adopts(values: Floats, counts: Any, margin: float) -> Any:
    """The one-sided 95 % bound of a mean, by the normal distribution, from 10 pairs on.

    It is meant for one look at a number of pairs that was fixed before.
    """
    seen = np.maximum(counts.sum(axis=-1), 1)
    mean = counts @ values / seen
    variance = counts @ values**2 / seen - mean**2
    spread = np.sqrt(np.maximum(variance, 0) / np.maximum(seen - 1, 1))
    return (seen >= 10) & (mean - 1.645 * spread > -margin)


def is_fine(group: Group, margin: float) -> bool:
    """Whether the candidate is, in truth, worse by the margin at most."""
    return group.truth >= -margin - 1e-12


def curves(tried: pl.DataFrame) -> pl.DataFrame:
    """Errors and power over the number of pairs, by source and for `all`.

    Returns:
        One row per source and number of pairs: `worse` and `fine` (how many features
        are, in truth, worse by more than the margin, or not), `false_adopt` and
        `false_adopt_ever` (mean share of draws on the worse ones), `worst_false_adopt`
        (of one feature, at any look), `plain_false_adopt_ever` (of the textbook's
        bound), `power`, `plain_power` and `power_ever` (share of adopt on the
        fine ones), `power_better` (on those that are no worse at all), `false_refuse`.
    """
    both = pl.concat([tried, tried.with_columns(source=pl.lit("all"))])
    fine, worse = pl.col("fine"), ~pl.col("fine")
    return (
        both.group_by("source", "pairs", maintain_order=True)
        .agg(
            worse=worse.sum(),
            fine=fine.sum(),
            false_adopt=pl.col("adopt").filter(worse).mean(),
            false_adopt_ever=pl.col("adopt_ever").filter(worse).mean(),
            worst_false_adopt=pl.col("adopt_ever").filter(worse).max(),
            plain_false_adopt_ever=pl.col("plain_ever").filter(worse).mean(),
            plain_worst=pl.col("plain_ever").filter(worse).max(),
            power=pl.col("adopt").filter(fine).mean(),
            plain_power=pl.col("plain").filter(fine).mean(),
            power_ever=pl.col("adopt_ever").filter(fine).mean(),
            power_better=pl.col("adopt").filter(pl.col("truth") >= 0).mean(),
            false_refuse=pl.col("refuse").filter(fine).mean(),
        )
        .sort("source", "pairs")
    )


def money(
    groups: Sequence[Group], tried: pl.DataFrame, margin: float = MARGIN
) -> pl.DataFrame:
    """Money saved against quality lost, for our policy and others.

    Every feature counts the same number of calls. Evidence itself costs a call of the
    candidate per pair; it is not taken off, for how much it weighs depends on traffic.

    Returns:
        One row per source and policy: `features`, `moved` (share of them),
        `moved_wrongly` (share of all that were moved and are worse by more than the
        margin), `saved` (share of the spend; None without bills), `quality_lost` (mean
        score, in points of 100; below 0 is a gain).
    """
    frames = []
    for policy, moves in _policies(groups, tried, margin).items():
        rows = [
            {
                "source": g.source,
                "policy": policy,
                "move": move,
                "wrong": 0.0 if is_fine(g, margin) else move,
                "spend": g.old_usd,
                "saving": None
                if g.old_usd is None or g.new_usd is None
                else move * (g.old_usd - g.new_usd),
                "lost": -100 * move * g.truth,
            }
            for g, move in zip(groups, moves, strict=True)
            if move is not None
        ]
        if rows:
            frames.append(pl.DataFrame(rows, infer_schema_length=None))
    has_bills = pl.col("spend").count() > 0
    return (
        pl.concat(frames, how="vertical_relaxed")
        .group_by("source", "policy", maintain_order=True)
        .agg(
            features=pl.len(),
            moved=pl.col("move").mean(),
            moved_wrongly=pl.col("wrong").mean(),
            saved=pl.when(has_bills).then(
                pl.col("saving").sum() / pl.col("spend").sum()
            ),
            quality_lost=pl.col("lost").mean(),
        )
        .sort("source", maintain_order=True)
    )


def _policies(
    groups: Sequence[Group], tried: pl.DataFrame, margin: float
) -> dict[str, list[float | None]]:
    """For each policy, the chance that it moves each feature; None: it cannot say."""
    ours: dict[str, list[float | None]] = {
        f"evidence, {k} pairs": tried.filter(pairs=k)["adopt"].to_list()
        for k in tried["pairs"].unique().sort()
    }
    return {
        "never": [0.0] * len(groups),
        "always": [1.0] * len(groups),
        "token envelope": [_in_envelope(group) for group in groups],
        **ours,
        "if one knew the truth": [float(is_fine(g, margin)) for g in groups],
    }


def _in_envelope(group: Group) -> float | None:
    if group.prompt_tokens is None or group.answer_tokens is None:
        return None
    return float(
        group.prompt_tokens <= ENVELOPE_PROMPT_TOKENS
        and group.answer_tokens <= ENVELOPE_ANSWER_TOKENS
    )


def once(groups: Sequence[Group], margin: float = MARGIN) -> pl.DataFrame:
    """The verdict on each feature from all of its pairs, each used once.

    Returns:
        `source`, `task`, `present`, `candidate`, `pairs`, `truth`, `verdict`.
    """
    return pl.DataFrame([_once(group, margin) for group in groups])


def _once(group: Group, margin: float) -> dict[str, Any]:
    values, counts = np.unique(group.new - group.old, return_counts=True)
    adopt = adopts(values, counts, margin, CONFIDENCE)
    refuse = refuses(values, counts, margin, CONFIDENCE)
    return {
        "source": group.source,
        "task": group.task,
        "present": group.present,
        "candidate": group.candidate,
        "pairs": len(group.old),
        "truth": group.truth,
        "verdict": "adopt" if adopt else "refuse" if refuse else "need_more",
    }


def transfer(
    evidence: Sequence[Group], judged: Sequence[Group], margin: float = MARGIN
) -> pl.DataFrame:
    """Verdicts on some questions, judged on others of the same features.

    Here the truth has an error of its own. A feature is `worse` or `fine` on the other
    questions only where their 95 % interval leaves out the margin; else it is `near`.

    Args:
        evidence: the features whose pairs are all used once.
        judged: the same features, by source, task and models; others are left out.

    Returns:
        One row per feature: as `once`, with `judged` (the difference there, and
        `judged_pairs`) and `truth_is`.
    """
    there = {group[:4]: group for group in judged}
    rows = []
    for group in evidence:
        other = there.get(group[:4])
        if other is None:
            continue
        differences = other.new - other.old
        spread = 1.96 * float(differences.std(ddof=1)) / np.sqrt(len(differences))
        low, high = other.truth - spread, other.truth + spread
        truth = "fine" if low >= -margin else "worse" if high < -margin else "near"
        rows.append(
            _once(group, margin)
            | {"judged": other.truth, "judged_pairs": len(differences)}
            | {"truth_is": truth}
        )
    return pl.DataFrame(rows)


def halves(groups: Sequence[Group]) -> tuple[list[Group], list[Group]]:
    """Every other question of each feature, and the rest."""
    first, rest = (
        [g._replace(old=g.old[start::2], new=g.new[start::2]) for g in groups]
        for start in (0, 1)
    )
    return first, rest
