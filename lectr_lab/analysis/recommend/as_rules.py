"""Recommendations as routing rules, and as the text of a rules.toml.

A rule sees what a client writes, and no org. So it names the model that was asked for,
not the one that answered, and it holds for whoever sends that feature. A rule without a
task would take along the tasks beside it, so those stay by a rule of their own, before
it: one that asks for the model that was asked for anyway.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from lectr_lab.core import formatting
from lectr_lab.core.errors import ConfigError
from lectr_lab.core.event import UNTAGGED
from lectr_lab.core.headers import TASKS
from lectr_lab.core.recommendation import Recommendation, is_protected
from lectr_lab.core.routing.rules import Conditions, Rule, RuleTarget
from lectr_lab.core.routing.rules_file import read_rules
from lectr_lab.files import read_regular, write_whole

_READABLE = 0o644
_MOST_BYTES = 1_000_000
_NAME_LETTERS = 60
_HEAD = """\
# What `lectr-lab recommend` found, as rules. `lectr-lab simulate` says what they would
# have changed, `lectr-lab evidence` compares answers: no quality has been measured. A
# rule sees no org: it holds for whoever sends its feature.
"""
_STAYS = (
    "# So that this task keeps the model it asks for: the rule for no task comes after."
)


class Asked(Protocol):
    """What a group asked for, as far as a rule sees it."""

    @property
    def feature(self) -> str | None: ...
    @property
    def task(self) -> str | None: ...
    @property
    def asked_for(self) -> tuple[str, ...]: ...


class RulesText(str):
    """The text of a rules.toml, which a cell shows as such."""

    __slots__ = ()

    def _repr_pretty_(self, printer: "_Printer", cycle: bool) -> None:
        printer.text(str(self))


class _Printer(Protocol):
    def text(self, text: str) -> None: ...


def rules_of(
    found: Sequence[Recommendation], beside: Sequence[Asked] = ()
) -> tuple[Rule, ...]:
    """Rules that do what is recommended, in the order in which they are tried.

    Args:
        found: recommendations, the largest saving first.
        beside: groups for which nothing is recommended: they stay as they are.

    Of two for the very same requests the first counts. A name that a rule cannot say
    exactly (it ends in `*`, or has blanks around it) has none.
    """
    return tuple(
        msgspec.structs.replace(rule, priority=place)
        for place, (rule, _) in enumerate(_rules(found, beside), 1)
    )


def rules_text(
    found: Sequence[Recommendation], beside: Sequence[Asked] = ()
) -> RulesText:
    """The same as the text of a rules.toml, each rule with what it rests on."""
    tables = [_HEAD]
    for place, (rule, why) in enumerate(_rules(found, beside), 1):
        when = msgspec.structs.asdict(rule.when)
        said = {name: value for name, value in when.items() if value is not None}
        tables.append(
            f"{why}\n[[rules]]\nname = {_quoted(rule.name)}\npriority = {place}\n"
            f"when = {{ {_pairs(said)} }}\n"
            f"then = {{ {_pairs({'model': rule.then.model or ''})} }}\n"
        )
    return RulesText("\n".join(tables))


def write_rules(path: Path, text: str, *, overwrite: bool = False) -> None:
    """Write rules to a file; one that has no rule yet, such as that of `init`, keeps
    what it says.

    Raises:
        ConfigError: there is no rule to write, the file has rules already and is not to
            be overwritten, or it cannot be read or written.
    """
    if not read_rules(text):
        raise ConfigError(
            f"No smaller model is recommended, so there is no rule to write to {path}."
        )
    try:
        there = path.exists()
        before = read_regular(path, most_bytes=_MOST_BYTES).decode() if there else ""
        mode = path.stat().st_mode & 0o777 if there else _READABLE
        held = [] if overwrite or not there else read_rules(before, str(path))
        if held:
            one = len(held) == 1
            raise ConfigError(
                f"{path} has {'a rule' if one else f'{len(held)} rules'} already. Name "
                "another file, or replace it: overwrite=True, or --overwrite."
            )
        kept = "" if overwrite or not there else before.rstrip() + "\n\n"
        write_whole(path, (kept + text).encode())
        path.chmod(mode)
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not text in UTF-8.") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}.") from None


def _rules(
    found: Sequence[Recommendation], beside: Sequence[Asked]
) -> Iterator[tuple[Rule, str]]:
    """Each rule with its comment; those that name a task come first."""
    done: set[Conditions] = set()
    names: set[str] = set()
    said = [one for one in found if not is_protected(one.task)]
    for one in sorted(said, key=lambda one: one.task is None):
        for when in _conditions(one):
            if when in done:
                continue
            if one.task is None:
                for stays in _staying(when, beside):
                    if stays not in done:
                        done.add(stays)
                        yield _rule(stays, when.model or "", names), _STAYS
            done.add(when)
            yield _rule(when, one.to_model, names), _why(one)


def _conditions(one: Recommendation) -> Iterator[Conditions]:
    feature = UNTAGGED if one.feature is None else one.feature
    for model in one.asked_for or (one.from_model,):
        if all(map(_is_exact, (feature, model, one.to_model))) and (
            one.task is None or _is_exact(one.task)
        ):
            yield Conditions(
                feature=feature, task=one.task, provider=one.provider, model=model
            )


def _is_exact(text: str) -> bool:
    return bool(text) and text == text.strip() and not text.endswith("*")


def _staying(when: Conditions, beside: Sequence[Asked]) -> Iterator[Conditions]:
    """The tasks that a rule without one is not to take along."""
    tasks = {task for task in TASKS if is_protected(task)}
    for one in beside:
        same = (UNTAGGED if one.feature is None else one.feature) == when.feature
        if same and one.task and when.model in one.asked_for and _is_exact(one.task):
            tasks.add(one.task)
    for task in sorted(tasks):
        yield msgspec.structs.replace(when, task=task)


def _rule(when: Conditions, to_model: str, names: set[str]) -> Rule:
    stays = when.model == to_model
    words = f"{when.feature}-{when.task if stays else ''}-{'stays' if stays else ''}"
    stem = _plain(words if stays else f"{when.feature}-to-{to_model}")
    name, n = stem, 1
    while name in names:
        n += 1
        name = f"{stem}-{n}"
    names.add(name)
    return Rule(name=name, priority=1, when=when, then=RuleTarget(model=to_model))


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.")[:_NAME_LETTERS]


def _why(one: Recommendation) -> str:
    text = (
        f"# {one.confidence} confidence, from {formatting.count(one.requests)} requests"
    )
    if one.saving_usd_month is not None:
        text += f"; saves {formatting.usd(one.saving_usd_month)} a month"
    if one.to_retires_on is not None:
        text += (
            f"\n# The target retires on {one.to_retires_on}: look for another by then."
        )
    return text


def _pairs(values: dict[str, str]) -> str:
    return ", ".join(f"{name} = {_quoted(value)}" for name, value in values.items())


def _quoted(text: str) -> str:
    """A basic string of TOML."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else _escaped(c) for c in escaped) + '"'


def _escaped(letter: str) -> str:
    return f"\\U{ord(letter):08X}"
