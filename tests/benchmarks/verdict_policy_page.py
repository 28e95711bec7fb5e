"""Writes what `verdict_policy` measures as a page of tables.

    python tests/benchmarks/verdict_policy_page.py ../shared/datasets/quality

prints it; with `--out` it is written to a file. `--judged-on` names a folder with other
questions of the same features: verdicts from the first are then judged on those.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl
from quality_data import SMALL_TASKS, Group, read_groups, set_aside
from verdict_policy import (
    ENVELOPE_ANSWER_TOKENS,
    ENVELOPE_PROMPT_TOKENS,
    MARGIN,
    curves,
    halves,
    money,
    once,
    transfer,
    trials,
)

from lectr_lab.core.errors import LabError
from lectr_lab.core.formatting import UNKNOWN

DRAWS = 300

_HEAD = f"""\
# When our verdicts are right, and what they save: measured on public data

Made by `python tests/benchmarks/verdict_policy_page.py <folder> --out <file>`; do not edit.

In these data several models answered the same questions, and each answer was scored.
Each (task, dearer model, cheaper model) is taken as a feature that might be moved to the
cheaper model. "Worse" is worse by more than the margin of {MARGIN} in mean score, in all
the data of that feature; "fine" is the rest. Evidence is k of its questions, drawn with
replacement: so the truth of each world is known exactly, and none is too near the margin
to be judged. The verdict is the product's own (`lectr_lab.evaluation.verdict`), at a
confidence of 95 %. Nobody tagged these tasks, so the rule that `reasoning` is never moved
is not at work here.
"""

_SOURCES = """\
## Sources

Only figures computed from these data are here, no question and no answer.

| source | from | licence |
|---|---|---|
| MMLU-Pro | github.com/TIGER-AI-Lab/MMLU-Pro, eval_results, f418b116 | Apache-2.0 |
| MMLU, GSM8K, MT-bench | github.com/lm-sys/RouteLLM, 0b64fdaf | Apache-2.0 (GSM8K's questions: MIT) |
| RouterArena | github.com/RouteWorks/RouterArena, cached_results, 4714a9ad | Apache-2.0 |

A missing answer counts as wrong in MMLU-Pro (the paper guesses). Prices are list prices
(for open models Fireworks', by size) times the answers' real lengths; the five examples
before each MMLU-Pro question are not counted. An MMLU answer counts as one token.
RouterArena's money is what it was billed; its dearer model is the worse one, and its
few scores below 0 count as 0.
"""


def page(
    groups: Sequence[Group],
    notes: Sequence[str],
    draws: int = DRAWS,
    judged: Sequence[Group] = (),
) -> str:
    """The page, in Markdown.

    Args:
        groups: the features, less those set aside.
        notes: on each that was set aside.
        draws: how often each number of pairs is drawn from each feature.
        judged: other questions of the same features, to judge verdicts on.
    """
    tried = trials(groups, draws=draws)
    parts = [
        _HEAD,
        f"{len(groups)} features; {draws} draws of each number of pairs.\n",
        *_set_aside(notes),
        *_curves(curves(tried)),
        *_money(money(groups, tried)),
        *_once(groups),
        *_halves(groups),
        *(_judged(groups, judged) if judged else ()),
        _SOURCES,
    ]
    return "\n".join(parts)


def _set_aside(notes: Sequence[str]) -> Iterator[str]:
    yield "## Set aside\n"
    yield (
        "By rule: the dearer model scores near 0, the cheaper one far more, and the "
        "dearer is mostly right in the rest of the source.\n"
    )
    yield "".join(f"- {note}\n" for note in notes) or "None in these data.\n"


def _curves(table: pl.DataFrame) -> Iterator[str]:
    yield "## Errors and power, by number of pairs\n"
    yield (
        "*wrong adopt*: of the worse features, the share of draws on which the verdict "
        "was adopt: with one look at k pairs; at any of the looks, if one looks after "
        "every pair up to k; and of the one feature where that happened most. *right "
        "adopt*: the same share of the fine ones, and of those where the cheaper model "
        "is no worse at all.\n"
    )
    everything = table.filter(source="all")
    head = "pairs | wrong adopt | at any look | worst feature | right adopt | "
    head += "at any look | where no worse | wrong refuse"
    names = "false_adopt false_adopt_ever worst_false_adopt power power_ever "
    names += "power_better false_refuse"
    yield _table(head, everything, ["pairs"], names.split())
    yield (
        "For comparison, the textbook's one-sided 95 % bound, which is meant for one "
        "look at a number of pairs fixed before; looked at after every pair:\n"
    )
    names = "plain_false_adopt_ever plain_worst plain_power"
    head = "pairs | wrong adopt at any look | worst feature | right adopt, one look"
    yield _table(head, everything, ["pairs"], names.split())
    yield "By source:\n"
    head = "source | pairs | worse | fine | wrong adopt at any look | right adopt"
    rows = table.filter(pl.col("source") != "all", pl.col("pairs").is_in([20, 50, 200]))
    labels = ["source", "pairs", "worse", "fine"]
    yield _table(head, rows, labels, ["false_adopt_ever", "power"])


def _money(table: pl.DataFrame) -> Iterator[str]:
    yield "## Money saved, quality lost\n"
    yield (
        "Every feature sends the same number of calls. *wrongly*: the share of all "
        "features that were moved though worse. *quality lost*: in points of 100 of mean "
        "score, over all features; below 0 is a gain. *token envelope* is the fixed rule "
        f"of others: move where the average prompt has at most {ENVELOPE_PROMPT_TOKENS} "
        f"tokens and the average answer {ENVELOPE_ANSWER_TOKENS}. Evidence costs one call "
        "of the cheaper model per pair, once; that is not taken off here.\n"
    )
    head = (
        "source | policy | features | moved | wrongly | saved | quality lost (points)"
    )
    shares = ["moved", "moved_wrongly", "saved"]
    labels = ["source", "policy", "features"]
    yield _table(head, table, labels, shares, ["quality_lost"])


def _once(groups: Sequence[Group]) -> Iterator[str]:
    yield "## With all the pairs there are, each used once\n"
    head = "source | adopt | need more | refuse"
    yield _verdicts(head, once(groups), "source")


def _halves(groups: Sequence[Group]) -> Iterator[str]:
    yield (
        "Evidence from every other question, judged on the rest. There the truth has an "
        "error of its own, so it is *worse* or *fine* only where its 95 % interval "
        "leaves out the margin, and else *near*:\n"
    )
    head = "on the other half | adopt | need more | refuse"
    yield _verdicts(head, transfer(*halves(groups)), "truth_is")


def _judged(groups: Sequence[Group], judged: Sequence[Group]) -> Iterator[str]:
    # Under this name are other tasks there: no feature of these.
    named = [group for group in groups if group.task != SMALL_TASKS]
    table = transfer(named, judged)
    yield (
        f"Evidence from all of these questions, judged on others that were held back, of "
        f"the {len(table)} features that both have:\n"
    )
    if len(table):
        head = "on the others | adopt | need more | refuse"
        yield _verdicts(head, table, "truth_is")


def _verdicts(head: str, rows: pl.DataFrame, by: str) -> str:
    """How many features got each verdict."""
    names = ["adopt", "need_more", "refuse"]
    counts = rows.group_by(by).agg(
        (pl.col("verdict") == v).sum().alias(v) for v in names
    )
    return _table(head, counts.sort(by), [by, *names], [])


def _table(
    head: str,
    rows: pl.DataFrame,
    labels: list[str],
    shares: list[str],
    points: Sequence[str] = (),
) -> str:
    """A table in Markdown: labels as they are, shares in per cent, points with two digits."""
    lines = [f"| {head} |", "|" + "---|" * (head.count("|") + 1)]
    for row in rows.iter_rows(named=True):
        cells = [str(row[name]) for name in labels]
        cells += [_percent(row[name]) for name in shares]
        cells += [UNKNOWN if row[n] is None else f"{row[n]:z.2f}" for n in points]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _percent(share: float | None) -> str:
    if share is None:
        return UNKNOWN
    return (
        f"{share:.2%}".replace("%", " %") if share < 0.1 else f"{share:.0%}"[:-1] + " %"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print or write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="a folder of the quality data")
    parser.add_argument("--out", type=Path, help="write the page here")
    parser.add_argument("--draws", type=int, default=DRAWS)
    parser.add_argument("--judged-on", type=Path, help="a folder of other questions")
    options = parser.parse_args(arguments)
    try:
        judged = (
            set_aside(read_groups(options.judged_on))[0] if options.judged_on else []
        )
        groups, notes = set_aside(read_groups(options.folder))
    except LabError as error:
        parser.exit(2, f"{error}\n")
    text = page(groups, notes, options.draws, judged)
    if options.out:
        options.out.write_text(text, "utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
