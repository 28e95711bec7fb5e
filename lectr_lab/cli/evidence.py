"""`lectr-lab evidence`: would a cheaper model have answered as well?"""

import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from lectr_lab.cli.say import say, say_json
from lectr_lab.core.errors import ConfigError

if TYPE_CHECKING:  # `--help` loads nothing that it does not show
    from lectr_lab.evaluation.ask import Estimate
    from lectr_lab.evaluation.pairs import Prompt
    from lectr_lab.tape.cassette import Interaction


def evidence(
    cassette: Path,
    *,
    to_model: str,
    feature: str | None = None,
    task: str | None = None,
    from_model: str | None = None,
    labels: Path | None = None,
    margin: float = 0.05,
    limit: int | None = None,
    upstream: str | None = None,
    key_env: str | None = None,
    prices: Path | None = None,
    yes: bool = False,
    json: bool = False,
) -> None:
    """Compare a cheaper model with the present one on recorded prompts.

    What the candidate was not asked yet it is asked now, if you agree: first comes how
    many calls that takes, and about how many dollars. Its answers are kept in a
    cassette beside; Ctrl-C loses none, and the next run asks only the rest.

    Example: lectr-lab evidence cassettes --feature triage --to-model gpt-4o-mini

    Args:
        cassette: the file, or a folder of them.
        to_model: the candidate.
        feature: whose prompts (default: those of no feature).
        task: its task, where the recording names none.
        from_model: the present model (default: the one most of the prompts went to).
        labels: the right answers, `*.jsonl` or `*.toml`.
        margin: how much lower the mean score may be.
        limit: ask so many more prompts at most; 0 asks none.
        upstream: the base URL of a local server to ask; it gets a key only with
            `--key-env`.
        key_env: the variable with the key to ask with.
        prices: your own prices, for the estimate.
        yes: ask without a question.
        json: for other programs: the verdict and what it rests on; all else goes to
            standard error.

    Raises:
        ConfigError: a model, a key, an address, the labels or a number is missing or
            wrong.
        CassetteError: a cassette cannot be used or written.
    """
    import msgspec

    from lectr_lab.core.recommendation import Recommendation, is_protected
    from lectr_lab.evaluation.ask import answers_path
    from lectr_lab.evaluation.evidence import compare
    from lectr_lab.evaluation.pairs import find_pairs, present_model
    from lectr_lab.tape.cassette import read_cassettes

    _check(margin, labels, limit)
    answers = answers_path(cassette, to_model)
    recordings = read_cassettes(_files(cassette, answers))
    model = from_model or present_model(recordings, feature, task, to_model)
    if model is None:
        raise ConfigError(_none_of(cassette, feature, recordings))
    found = find_pairs(
        recordings, feature=feature, task=task, from_model=model, to_model=to_model
    )
    if not found.prompts:
        raise ConfigError(f"{cassette} has no answers of {model} to {_said(feature)}.")
    tasks = {prompt.task for prompt in found.prompts}
    wanted = [prompt for prompt in found.prompts if prompt.candidate is None][:limit]
    if wanted and any(map(is_protected, tasks | {task})):
        with redirect_stdout(sys.stderr if json else sys.stdout):
            say("Nothing is asked: reasoning is never moved to a cheaper model.")
    elif wanted:
        with redirect_stdout(sys.stderr if json else sys.stdout):
            _ask(wanted, to_model, answers, upstream, key_env, prices, yes)
        recordings = read_cassettes(_files(cassette, answers))
    change = Recommendation(
        org="local",
        feature=feature,
        task=task or (tasks.pop() if len(tasks) == 1 else None),
        provider="",
        from_model=model,
        to_model=to_model,
        confidence="medium",
        reasons=(),
        requests=len(found.prompts),
        days=0,
        spend_usd=0.0,
    )
    verdict = compare(change, recordings, margin=margin, labels=labels)
    if json:
        say_json(msgspec.to_builtins(verdict))
    else:
        say(str(verdict))


def _said(feature: str | None) -> str:
    from lectr_lab.core.formatting import name

    return f"feature {name(feature)}" if feature else "prompts without a feature"


def _none_of(
    cassette: Path, feature: str | None, recordings: "Sequence[Interaction]"
) -> str:
    """What is there instead, for whoever forgot or misspelt it."""
    from lectr_lab.core.formatting import name

    features = {one.timing.feature for one in recordings if one.timing}
    there = ", ".join(name(one) for one in sorted(filter(None, features))) or "none"
    return f"{cassette} has no answer to {_said(feature)}. Its features: {there}."


def _check(margin: float, labels: Path | None, limit: int | None) -> None:
    """Before any call is paid for."""
    from lectr_lab.evaluation.labels import read_labels

    if not 0 <= margin < 1:
        raise ConfigError(f"--margin {margin:g} is not in [0, 1): 0.05, say.")
    if limit is not None and limit < 0:
        raise ConfigError(f"--limit {limit} is below 0.")
    if labels is not None:
        read_labels(labels)


def _files(cassette: Path, answers: Path) -> list[Path]:
    """A folder holds the answers' cassette itself."""
    return (
        [cassette] if cassette.is_dir() or not answers.exists() else [cassette, answers]
    )


def _ask(
    prompts: "Sequence[Prompt]",
    model: str,
    answers: Path,
    upstream: str | None,
    key_env: str | None,
    prices: Path | None,
    yes: bool,
) -> None:
    """Say what it takes, ask for leave, and show how far it is."""
    from rich.progress import Progress

    from lectr_lab.analysis.pricing.price_file import read_prices
    from lectr_lab.config.settings import settings_here
    from lectr_lab.evaluation.ask import ask, estimate, where

    settings = settings_here(os.environ)
    there = where(model, settings, os.environ, upstream=upstream, key_env=key_env)
    own = read_prices(prices) if prices else ()
    say(_plan(estimate(prompts, model, there.target.provider, own), model, answers))
    if not (yes or _agreed()):
        say("Nothing was asked.\n")
        return
    with Progress(transient=True) as bar:
        task = bar.add_task(f"asking {model}", total=len(prompts))
        told = ask(prompts, model, there, settings, answers, lambda: bar.advance(task))
    say(f"{told.answered} answered, now in {answers}.")
    for fault, calls in told.faults.items():
        say(f"{calls} failed: {fault}.")
    if told.stopped:
        say("Stopped, for the next would fail too. Run it again to ask the rest.")
    say("")


def _plan(plan: "Estimate", model: str, answers: Path) -> str:
    from lectr_lab.core.formatting import usd

    cost = f"about {usd(plan.usd)}"
    if plan.usd is None:
        cost = "what it costs is not known: no price for this model, or no tokens told"
    return (
        f"{plan.calls} calls to {model}, about {plan.input_tokens:,} tokens in and "
        f"{plan.output_tokens:,} out: {cost}.\nPrompts and answers go to {answers}."
    )


def _agreed() -> bool:
    try:
        return input("Ask now? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:  # no one is there to say so
        return False
