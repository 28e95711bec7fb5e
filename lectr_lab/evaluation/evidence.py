"""Two models on the same recorded prompts: scores, their difference, and a verdict."""

from collections import Counter
from collections.abc import Callable, Iterable
from html import escape
from math import isnan
from pathlib import Path
from typing import NamedTuple, TypeAlias

import msgspec

from lectr_lab.core.agreement import judge, parsed
from lectr_lab.core.formatting import NO_MATH, name, percent
from lectr_lab.core.llm_api.json_schema import conforms
from lectr_lab.core.recommendation import Evidence, Recommendation, is_protected
from lectr_lab.evaluation.labels import Labels, key_of, read_labels
from lectr_lab.evaluation.pairs import Found, Prompt, find_pairs
from lectr_lab.evaluation.verdict import weigh
from lectr_lab.tape.cassette import Interaction, read_cassettes

Cassettes: TypeAlias = Path | str | Iterable[Path | str]
Measure: TypeAlias = Callable[[str, str, str | None], float | None]
"""(present answer, candidate's answer, label or None) to the candidate's score."""

_WORDS = {
    "adopt": "adopt: it is as good, within the margin",
    "refuse": "refuse",
    "need_more": "need more",
}


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """A recommendation with its evidence, and what could not be compared.

    Counts are of distinct prompts that the present model answered; `without_answer`
    of those that it did not.
    """

    recommendation: Recommendation
    without_answer: int
    not_asked: int  # the candidate has not answered them
    without_label: int
    not_judged: int
    sampled: int  # of the pairs: those at a temperature above 0

    @property
    def evidence(self) -> Evidence:
        """The scores and the verdict."""
        assert self.recommendation.evidence is not None
        return self.recommendation.evidence

    def __str__(self) -> str:
        return "\n".join(f"{what}: {value}" for what, value in _lines(self))

    def _repr_html_(self) -> str:
        left = 'style="text-align:left"'
        rows = "".join(
            f"<tr><th {left}>{escape(what)}</th><td {left}>{escape(value)}</td></tr>"
            for what, value in _lines(self)
        )
        return f'<table class="{NO_MATH}">{rows}</table>'


def evidence(
    recommendation: Recommendation,
    cassette: Cassettes,
    *,
    margin: float = 0.05,
    labels: Labels | None = None,
    measure: Measure | None = None,
    confidence: float = 0.95,
) -> Compared:
    """Compare two models on the prompts that a cassette has answers of both to.

    Args:
        recommendation: its feature, task, `from_model` and `to_model` say whose
            prompts and answers.
        cassette: one, a folder of them, or several of either.
        margin: how much lower the candidate's mean score may be, in [0, 1).
        labels: the right answers: a mapping of prompts, or a file (see `read_labels`).
            Then both models are scored against them; else the candidate is scored by
            its agreement with the present model, whose own score is 1.
        measure: scores of your own, in [0, 1], or None where it cannot judge. The
            present model is scored by the same, with its answer in both places.
        confidence: of the verdict, in (0.5, 1), however often one looks.

    Returns:
        The recommendation with its evidence, and counts of what was left out. For the
        task `reasoning` the verdict is `refuse`, whatever the scores.

    Raises:
        CassetteError: a cassette cannot be used.
        ConfigError: the file of labels cannot be used.
        ValueError: a number is out of its range, a score of your measure included.

    >>> from lectr_lab.resources import shipped_cassettes
    >>> change = Recommendation(
    ...     org="local", feature="support-triage", task="classification",
    ...     provider="openai", from_model="gemma-3-270m-q4_k_m",
    ...     to_model="gemma-3-270m-q2_k", confidence="high", reasons=(),
    ...     requests=28, days=1, spend_usd=0.1)
    >>> told = evidence(change, shipped_cassettes() / "llama").evidence
    >>> told.verdict, told.pairs
    ('need_more', 14)
    """
    return compare(
        recommendation,
        read_cassettes(cassette),
        margin=margin,
        labels=labels,
        measure=measure,
        confidence=confidence,
    )


def compare(
    recommendation: Recommendation,
    interactions: Iterable[Interaction],
    *,
    margin: float = 0.05,
    labels: Labels | None = None,
    measure: Measure | None = None,
    confidence: float = 0.95,
) -> Compared:
    """As `evidence`, of cassettes that were read."""
    found = find_pairs(
        interactions,
        feature=recommendation.feature,
        task=recommendation.task,
        from_model=recommendation.from_model,
        to_model=recommendation.to_model,
    )
    known = None if labels is None else read_labels(labels)
    scores = _scored(found, known, measure)
    weighed = weigh(
        scores.present,
        scores.candidate,
        measure=" + ".join(scores.measures) or "none",
        against="present_model" if known is None else "labels",
        margin=margin,
        confidence=confidence,
    )
    return Compared(
        recommendation=msgspec.structs.replace(
            recommendation, evidence=_guarded(weighed, recommendation, found)
        ),
        without_answer=found.without_answer,
        not_asked=sum(prompt.candidate is None for prompt in found.prompts),
        without_label=scores.without_label,
        not_judged=scores.not_judged,
        sampled=scores.sampled,
    )


def _guarded(evidence: Evidence, of: Recommendation, found: Found) -> Evidence:
    """Reasoning is never moved, whether the log or the recording says that it is."""
    tasks = {of.task, *(prompt.task for prompt in found.prompts)}
    if any(map(is_protected, tasks)):
        return msgspec.structs.replace(evidence, verdict="refuse", need_pairs=None)
    return evidence


class _Scores(NamedTuple):
    present: list[float]
    candidate: list[float]
    measures: list[str]
    without_label: int
    not_judged: int
    sampled: int


def _scored(
    found: Found, labels: dict[str, str] | None, measure: Measure | None
) -> _Scores:
    present, candidate = [], []
    measures: Counter[str] = Counter()
    without_label = not_judged = sampled = 0
    for prompt in found.prompts:
        if prompt.candidate is None:
            continue
        label = None if labels is None else labels.get(key_of(prompt.text))
        if labels is not None and label is None:
            without_label += 1
            continue
        old = _score(prompt, prompt.present, label, measure)
        new = _score(prompt, prompt.candidate, label, measure)
        if old is None or new is None:
            not_judged += 1
            continue
        present.append(old[1])
        candidate.append(new[1])
        measures[new[0]] += 1
        sampled += bool(prompt.temperature)
    left_out = without_label, not_judged
    return _Scores(present, candidate, sorted(measures), *left_out, sampled)


def _score(
    prompt: Prompt, answer: str, label: str | None, measure: Measure | None
) -> tuple[str, float] | None:
    if measure is not None:
        score = measure(prompt.present, answer, label)
        if score is not None and not 0 <= score <= 1:
            raise ValueError(f"the measure gave {score}, which is not in [0, 1]")
        own = getattr(measure, "__name__", "own measure")
        return None if score is None else (own, float(score))
    right = prompt.present if label is None else label
    judged = judge(prompt.task, prompt.response_format, right, answer)
    if judged is None or prompt.schema is None or judged.measure == "tool_calls":
        return judged
    kept = conforms(parsed(answer), prompt.schema) is not False
    return judged if kept else judged._replace(score=0.0)  # nobody could use it


def _lines(compared: Compared) -> list[tuple[str, str]]:
    what, told = compared.recommendation, compared.evidence
    low, high, confidence = told.interval
    against = (
        "the labels" if told.against == "labels" else "the present model's answers"
    )
    verdict = _WORDS[told.verdict]
    if told.verdict == "need_more" and told.need_pairs is not None:
        verdict += f": about {told.need_pairs:,} more prompts like these would decide"
    if told.verdict == "refuse" and is_protected(what.task):
        verdict += ": reasoning is never moved"
    how = f", scored by {told.measure} against {against}" if told.pairs else ""
    lines = [
        ("feature", name(what.feature)),
        ("from", name(what.from_model)),
        ("to", name(what.to_model)),
        ("pairs", f"{told.pairs:,}{how}"),
    ]
    if not isnan(told.difference):
        interval = f"between {low:+.3f} and {high:+.3f} ({percent(confidence)})"
        allowed = f"allowed down to {-told.margin:+.3f}"
        lines += [
            ("scores", f"{told.score_from:.3f} now, {told.score_to:.3f} then"),
            ("difference", f"{told.difference:+.3f}, {interval}; {allowed}"),
        ]
    left_out = {
        "the candidate was not asked": compared.not_asked,
        "no label": compared.without_label,
        "cannot be judged": compared.not_judged,
        "the present model gave no answer": compared.without_answer,
    }
    lines += [("left out", f"{n:,}: {why}") for why, n in left_out.items() if n]
    return [*lines, *_doubts(compared), ("verdict", verdict)]


def _doubts(compared: Compared) -> list[tuple[str, str]]:
    """Where the scores may say something else than they seem to."""
    told, doubts = compared.evidence, []
    labelled = told.against == "labels"
    if labelled and told.pairs >= 10 and told.score_from < 0.1:
        doubts.append("the present model scores near 0: check labels and measure")
    if compared.sampled and not labelled:
        doubts.append(
            f"{compared.sampled:,} of the pairs are at a temperature above 0, where "
            "the present model would not repeat its own answer either: use labels"
        )
    return [("doubt", doubt) for doubt in doubts]
