"""Public data in which two models answered the same questions, as features to move.

Each (task, dearer model, cheaper model) is a feature that might be moved to the cheaper
one. The data are read where they lie; `../shared/datasets/INDEX.md` names sources and
licences, and `verdict_policy_page` repeats them.
"""

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lectr_lab.core.errors import LabError
from lectr_lab.core.intervals import wilson

FEWEST_PAIRS = 10
"""Smaller tasks of a source are put together into one."""

SMALL_TASKS = "(small tasks)"
# USD per million tokens, input and output: the makers' list prices and, for open
# models, Fireworks' by size, as LiteLLM 1.109.1 and genai-prices 0.2.3 have them.
# RouterArena's are the bills it published.
USD_PER_MTOK = {
    "gemini-1.5-pro-002": (1.25, 5.0),
    "gemini-1.5-flash-002": (0.075, 0.3),
    "jamba-1.5-large": (2.0, 8.0),
    "command-r-v01": (0.15, 0.6),
    "llama-3.1-70b-instruct": (0.9, 0.9),
    "llama-3.1-8b-instruct": (0.2, 0.2),
    "qwen1.5-72b-chat": (0.9, 0.9),
    "qwen1.5-7b-chat": (0.2, 0.2),
    "mixtral-8x7b-instruct": (0.5, 0.5),
    "mistral-7b-instruct-v0.2": (0.2, 0.2),
    "gpt-4-1106-preview": (10.0, 30.0),
}
GPT_4, MIXTRAL = "gpt-4-1106-preview", "mixtral-8x7b-instruct"

Floats = NDArray[np.float64]


class Group(NamedTuple):
    """One feature: paired scores in [0, 1], and what a call costs and weighs.

    Money is the mean USD of a call, tokens the present model's mean; None where the
    source does not tell.
    """

    source: str
    task: str
    present: str
    candidate: str
    old: Floats
    new: Floats
    old_usd: float | None = None
    new_usd: float | None = None
    prompt_tokens: float | None = None
    answer_tokens: float | None = None

    @property
    def truth(self) -> float:
        """The candidate's mean score less the present model's, in all the data."""
        return float((self.new - self.old).mean())


def read_groups(folder: Path | str) -> list[Group]:
    """Every feature of the data sets in a folder; those that are not there are none.

    Args:
        folder: `quality` of the shared data, or one of the same form.

    Raises:
        LabError: the folder has none of them, or one that cannot be read.
    """
    readers = {
        "mmlu_pro_models": _mmlu_pro,
        "routellm_mmlu": _mmlu,
        "routellm_gsm8k": _gsm8k,
        "routellm_mtbench": _mtbench,
        "routerarena": _routerarena,
    }
    groups: list[Group] = []
    for name, read in readers.items():
        path = Path(folder) / f"{name}.parquet"
        if path.is_file():
            groups += map(_answered, read(_read(path)))
    groups = [group for group in groups if len(group.old) >= FEWEST_PAIRS]
    if not groups:
        raise LabError(
            f"There is none of {', '.join(readers)} (*.parquet) in {folder}, or none "
            f"with {FEWEST_PAIRS} questions that two models answered."
        )
    return groups


def _read(path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError):
        raise LabError(f"{path} is not Parquet that can be read.") from None


def set_aside(groups: list[Group]) -> tuple[list[Group], list[str]]:
    """Take out what cannot be quality, by a rule that knows no names.

    A present model that scores near 0 where the cheaper one is far better, and that
    elsewhere in the same source is right mostly, was not read right: its answers were
    lost on the way into the data.

    Returns:
        The groups that stay, and a note on each that does not.
    """
    mostly_right = {
        key: float(np.median([g.old.mean() for g in groups if _pair(g) == key])) >= 0.5
        for key in {_pair(group) for group in groups}
    }
    kept, notes = [], []
    for group in groups:
        old_high, new_low = _bounds(group.old)[1], _bounds(group.new)[0]
        if mostly_right[_pair(group)] and old_high < 0.1 and new_low > old_high:
            notes.append(
                f"{group.source}, {group.task}: {group.present} {group.old.mean():.3f}, "
                f"{group.candidate} {group.new.mean():.3f} (n={len(group.old)}). A "
                "fault in the source, not quality."
            )
        else:
            kept.append(group)
    return kept, notes


def _answered(group: Group) -> Group:
    """Without the questions that one of the two was not asked."""
    both = ~np.isnan(group.old + group.new)
    return group._replace(old=group.old[both], new=group.new[both])


def _pair(group: Group) -> tuple[str, str, str]:
    return group.source, group.present, group.candidate


def _bounds(scores: Floats) -> tuple[float, float]:
    """Wilson's of a mean, at 99 %."""
    return wilson(float(scores.sum()), len(scores), 2.576)


def _tasks(data: pl.DataFrame, column: str) -> Iterator[tuple[str, pl.DataFrame]]:
    """The rows of each task, small ones together."""
    small = pl.len().over(column) < FEWEST_PAIRS
    task = pl.when(small).then(pl.lit(SMALL_TASKS)).otherwise(column).alias("_task")
    for (name,), rows in data.with_columns(task).group_by("_task", maintain_order=True):
        if len(rows) >= FEWEST_PAIRS:
            yield str(name), rows


def _usd(
    model: str, prompt_tokens: float | None, answer_tokens: float | None
) -> float | None:
    if prompt_tokens is None or answer_tokens is None:
        return None
    into, out = USD_PER_MTOK[model]
    return (into * prompt_tokens + out * answer_tokens) / 1e6


def _mean(rows: pl.DataFrame, column: str) -> float | None:
    """Of what is known; None where nothing is."""
    values = _floats(rows, column)
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else None


def _floats(rows: pl.DataFrame, column: str) -> Floats:
    return rows[column].cast(pl.Float64).to_numpy()


def _mmlu_pro(data: pl.DataFrame) -> Iterator[Group]:
    """Ten models; each pair once, from the one whose calls cost more to the other."""
    models = [c.split("|")[0] for c in data.columns if c.endswith("|correct")]
    prompt = _mean(data, "q_tokens_cl100k")
    cost = {m: _usd(m, prompt, _mean(data, f"{m}|out_tokens")) for m in models}
    dearest_first = sorted(models, key=lambda m: -(cost[m] or 0.0))
    for task, rows in _tasks(data, "category"):
        prompt = _mean(rows, "q_tokens_cl100k")
        tokens = {m: _mean(rows, f"{m}|out_tokens") for m in models}
        for present, candidate in combinations(dearest_first, 2):
            yield Group(
                "MMLU-Pro",
                task,
                present,
                candidate,
                _floats(rows, f"{present}|correct"),
                _floats(rows, f"{candidate}|correct"),
                _usd(present, prompt, tokens[present]),
                _usd(candidate, prompt, tokens[candidate]),
                prompt,
                tokens[present],
            )


def _mmlu(data: pl.DataFrame) -> Iterator[Group]:
    for task, rows in _tasks(data, "subject"):
        yield _gpt_4_to_mixtral("MMLU", task, rows, 1.0, 1.0)  # an answer is a letter


def _gsm8k(data: pl.DataFrame) -> Iterator[Group]:
    tokens = (_mean(data, f"{which}_tokens_cl100k") for which in ("strong", "weak"))
    yield _gpt_4_to_mixtral("GSM8K", "GSM8K", data, *tokens)


def _gpt_4_to_mixtral(
    source: str,
    task: str,
    rows: pl.DataFrame,
    old_tokens: float | None,
    new_tokens: float | None,
) -> Group:
    prompt = _mean(rows, "prompt_tokens_cl100k")
    return Group(
        source,
        task,
        GPT_4,
        MIXTRAL,
        _floats(rows, "strong_correct"),
        _floats(rows, "weak_correct"),
        _usd(GPT_4, prompt, old_tokens),
        _usd(MIXTRAL, prompt, new_tokens),
        prompt,
        old_tokens,
    )


def _mtbench(data: pl.DataFrame) -> Iterator[Group]:
    """Grades of 1 to 10, no tokens and so no money."""
    models = {GPT_4: GPT_4, "mistralai/Mixtral-8x7B-Instruct-v0.1": MIXTRAL}
    graded = data.with_columns(pl.col("model").replace(models), pl.col("score") / 10)
    keys = ["category", "question_id", "turn"]
    rows = graded.pivot(on="model", index=keys, values="score").drop_nulls()
    for task, part in _tasks(rows, "category"):
        scores = _floats(part, GPT_4), _floats(part, MIXTRAL)
        yield Group("MT-bench", task, GPT_4, MIXTRAL, *scores)


def _routerarena(data: pl.DataFrame) -> Iterator[Group]:
    """Models with their real bills; the present one is the one that cost more."""
    bills = data.group_by("model").agg(pl.col("cost_usd").mean()).sort("cost_usd")
    for candidate, present in combinations(bills["model"].to_list(), 2):
        pair = data.filter(pl.col("model").is_in([candidate, present]))
        yield from _routed(pair, present, candidate)


def _routed(data: pl.DataFrame, present: str, candidate: str) -> Iterator[Group]:
    columns = ["score", "cost_usd", "prompt_tokens", "completion_tokens"]
    rows = data.pivot(on="model", index=["task", "global_index"], values=columns)
    for task, part in _tasks(rows.drop_nulls(), "task"):
        means: dict[str, Any] = {
            "old_usd": _mean(part, f"cost_usd_{present}"),
            "new_usd": _mean(part, f"cost_usd_{candidate}"),
            "prompt_tokens": _mean(part, f"prompt_tokens_{present}"),
            "answer_tokens": _mean(part, f"completion_tokens_{present}"),
        }
        models = (present, candidate)  # a few scores have a penalty, and are below 0
        old, new = (_floats(part, f"score_{m}").clip(0, 1) for m in models)
        yield Group("RouterArena", task, present, candidate, old, new, **means)
