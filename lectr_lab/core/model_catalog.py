"""Which cheaper model could do a model's work, and what each can do: `model_catalog.toml`.

Only models of the provider at hand: its key opens no other door.
"""

import re
import tomllib
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Literal, NamedTuple, TypeAlias

import msgspec

StepSource: TypeAlias = Literal["documented", "successor", "price list"]
Ability: TypeAlias = Literal["images", "audio", "tools", "json_schema", "web_search"]

NOTICE = timedelta(days=30)
"""A target serves at least this much longer: savings are told by the month."""

LASTS = timedelta(days=90)
"""Who changes a model does not want to change again within a quarter."""

# What may follow a model's name: -2024-08-06, -20241022, -0613, -002, -latest.
_VERSION = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{8}|\d{3,4}|latest)$")


class Model(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one model takes and gives, and who says so. What is not known is None."""

    name: str
    providers: tuple[str, ...]
    also: tuple[str, ...] = ()
    retired_on: dict[str, date] = {}  # by provider: the day, or one it was gone by
    context_tokens: int | None = None  # of input
    max_output_tokens: int | None = None
    can: frozenset[Ability] = frozenset()
    reasons: bool = False
    source: str
    checked: date
    note: str | None = None

    def serves(self, provider: str, day: date) -> bool:
        """Whether it is there on that day, and for a month from it."""
        retired_on = self.retired_on.get(provider)
        return retired_on is None or retired_on >= day + NOTICE

    def ends_soon(self, provider: str, day: date) -> date | None:
        """The day on which it retires, where that is within a quarter of that day."""
        retired_on = self.retired_on.get(provider)
        soon = retired_on is not None and retired_on < day + LASTS
        return retired_on if soon else None


class Step(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={"from_models": "from"},
):
    """One way down, and who says so."""

    from_models: tuple[str, ...]
    to: str
    source: StepSource
    page: str
    checked: date
    note: str | None = None


class CheaperModel(NamedTuple):
    """A model to go to, and the step that leads there."""

    model: Model
    step: Step


class _Table(NamedTuple):
    steps: tuple[Step, ...]
    models: dict[str, Model]  # by every name a model has


def base_name(model: str) -> str | None:
    """A model's name without its date or version; None for a fine-tune, always.

    >>> base_name("gpt-4o-2024-08-06"), base_name("models/gemini-1.5-flash-002")
    ('gpt-4o', 'gemini-1.5-flash')
    >>> base_name("ft:gpt-4o:acme::7p4lURel")
    """
    name = model.strip().lower().removeprefix("models/")
    if name.startswith("ft:") or ".ft-" in name:
        return None
    return name if name in _table().models else _VERSION.sub("", name)


def known_model(provider: str, model: str) -> Model | None:
    """What the table knows of a model at a provider; None where it is not there.

    >>> known_model("openai", "gpt-4o-mini-2024-07-18").max_output_tokens
    16384
    """
    name = base_name(model)
    found = None if name is None else _table().models.get(name)
    return found if found is not None and provider in found.providers else None


def targets(provider: str, model: str, day: date) -> tuple[CheaperModel, ...]:
    """Where a model's work could go at the same provider, the nearest first.

    Args:
        provider: who serves the model, as the log names it.
        model: as a reply names it, dated or not.
        day: the day on which one would change.

    Returns:
        The steps of the table. A target that is retired by then, or within a quarter,
        is among them, for the caller to say so, and what it leads to comes after all of
        them.

    >>> day = date(2026, 11, 24)
    >>> [target.model.name for target in targets("openai", "o3", day)]
    ['o3-mini', 'gpt-4o-mini', 'gpt-6-luna']
    """
    start = known_model(provider, model)
    if start is None:
        return ()
    reached: dict[str, CheaperModel] = {}
    names = [start.name]
    for name in names:  # grows as it goes, by each name once
        for target in _next(provider, name):
            if target.model.name in reached or target.model is start:
                continue
            reached[target.model.name] = target
            if target.model.ends_soon(provider, day):
                names.append(target.model.name)
    return tuple(reached.values())


def _next(provider: str, name: str) -> list[CheaperModel]:
    table = _table()
    steps = (step for step in table.steps if name in step.from_models)
    found = [CheaperModel(table.models[step.to], step) for step in steps]
    return [target for target in found if provider in target.model.providers]


def steps() -> tuple[Step, ...]:
    """Every step of the table, in the order of the file."""
    return _table().steps


def models() -> tuple[Model, ...]:
    """Every model of the table, in the order of the file."""
    return tuple(m for name, m in _table().models.items() if name == m.name)


@cache
def _table() -> _Table:
    text = files("lectr_lab.core").joinpath("model_catalog.toml").read_text("utf-8")
    data = tomllib.loads(text)
    found = [msgspec.convert(row, Model) for row in data["model"]]
    named = {name: model for model in found for name in (model.name, *model.also)}
    return _Table(tuple(msgspec.convert(r, Step) for r in data["step"]), named)
