"""The text of a TOML file: what it says, and in which line what cannot be followed is."""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec import inspect

from lectr_lab.core.errors import ConfigError

T = TypeVar("T", bound=msgspec.Struct)

_MOST_LETTERS = 1_000_000  # tomllib takes a second or so for as many
_MOST_PARTS = 12
# tomllib needs the square of the parts of a dotted name: minutes for 100,000 of them.
_PART = r"""(?:[\w-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+"""
_LONG_NAME = re.compile(
    rf"(?:^|[\[{{,])[ \t]*+(?:{_PART}){{{_MOST_PARTS}}}", re.MULTILINE
)
_ENTRY = re.compile(r"(\w+)\[(\d+)\]\.?")


class Toml(NamedTuple):
    """A TOML file that was read; `parsed` makes it. Paths in it are such as `rules[0].when`."""

    name: str  # the file's, for messages
    text: str
    data: dict[str, Any]
    example: str = ""
    content: bool = False

    def struct(self, shape: type[T], over: Mapping[str, object] | None = None) -> T:
        """What it says, in its shape; `over` is what wins over it.

        Raises:
            ConfigError: it is of another shape; names the line and what may be there.
        """
        try:
            return msgspec.convert(self.data | dict(over or {}), shape)
        except msgspec.ValidationError as error:
            raise ConfigError(self._explained(str(error), shape)) from None

    def refusal(self, field: str, advice: str, path: str = "") -> ConfigError:
        """What to raise for a value that cannot be followed.

        >>> print(parsed("[[p]]\\nn = 1", "x.toml").refusal("n", "write 2", "p[0]"))
        x.toml, line 2: p number 1: n: write 2.
        """
        subject, _ = self._subject(path)
        return ConfigError(
            f"{self._place(field.rpartition('.')[2], path)}: {subject}{field}: {advice}."
        )

    def _explained(self, error: str, shape: type[msgspec.Struct]) -> str:
        """`Object contains unknown field `x` - at `$.rules[0].when`` in a user's terms."""
        what, _, where = error.partition(" - at ")
        path = where.strip("`").partition("$")[2].lstrip(".")
        lacks = re.search(r"(unknown|missing required) field `(.+)`", what)
        field = lacks[2] if lacks else path.rpartition(".")[2]
        subject, inside = self._subject(path)
        place = f"{self._place(field, path)}: {subject}"
        if inside:
            place += f"{inside}: "
        if lacks and lacks[1] == "unknown":
            steps = re.findall(r"\[.*?\]|\w+", path)
            known = ", ".join(_names_at(inspect.type_info(shape), steps))
            return f"{place}there is no setting {field!r}. The settings are: {known}."
        told = f"{place}{what[0].lower()}{what[1:]}."
        return told if subject else f"{told}\n{self.example}".rstrip()

    def _subject(self, path: str) -> tuple[str, str]:
        """Which of a file's entries is meant, by name where it has one, and the path in it."""
        entry = _ENTRY.match(path)
        if entry is None:
            return "", path
        kind, number = entry[1].removesuffix("s"), int(entry[2])
        row = self.data[entry[1]][number]
        name = row.get("name") if isinstance(row, dict) and not self.content else None
        title = repr(name) if isinstance(name, str) else f"number {number + 1}"
        return f"{kind} {title}: ", path[entry.end() :]

    def _place(self, field: str, path: str) -> str:
        """The file and the line that sets a field, else the first of its entry."""
        lines = self.text.split("\n")
        heads, number = [0], 0
        entry = _ENTRY.match(path)
        if entry:
            head, number = re.compile(rf"\s*\[\[\s*{entry[1]}\s*\]\]"), int(entry[2])
            heads = [i for i, line in enumerate(lines) if head.match(line)]
            if number >= len(heads):
                return self.name  # the entries are written in another form
        begin, end = [*heads, len(lines)][number : number + 2]
        sets = re.compile(
            rf"^(?!\s*#)(.*[\s{{,.\[])?[\"']?{re.escape(field)}[\"']?\s*[=.\]]"
        )
        found = (i for i in range(begin, end) if sets.match(lines[i]))
        line = next(found, begin if entry else None)
        return self.name if line is None else f"{self.name}, line {line + 1}"


def parsed(
    text: str,
    name: str,
    *,
    example: str = "",
    content: bool = False,
    parse_float: Callable[[str], Any] = float,
) -> Toml:
    """Read TOML, in seconds at most.

    Args:
        text: the file's.
        name: the file's, for messages.
        example: how to write it, for messages.
        content: it may be of any length, and no message repeats what is in it.
        parse_float: what makes numbers of texts.

    Raises:
        ConfigError: it is not TOML, or too much; names the line and the column.

    >>> parsed("port = 1", "lectr.toml").data
    {'port': 1}
    """
    if len(text) > _MOST_LETTERS and not content:
        raise ConfigError(f"{name} has more than {_MOST_LETTERS:,} characters.")
    try:
        long = _LONG_NAME.search(text)
        if long is None:
            data = tomllib.loads(text, parse_float=parse_float)
            return Toml(name, text, data, example, content)
        line = text.count("\n", 0, long.end()) + 1
        reason = f"a name has more than {_MOST_PARTS} parts (at line {line})"
    except tomllib.TOMLDecodeError as error:
        message, at, place = str(error).rpartition(" (at ")
        reason = f"it breaks off (at {place}" if content else f"{message}{at}{place}"
    except RecursionError:
        reason = "it is nested too deeply"
    except (ValueError, ArithmeticError):
        reason = "a number in it is too long"
    raise ConfigError(f"{name} is not valid TOML: {reason}.\n{example}".rstrip())


def _names_at(kind: Any, steps: Sequence[str]) -> list[str]:
    """The names that a shape has for what may stand at a path."""
    if hasattr(kind, "types"):  # a union
        return [name for one in kind.types for name in _names_at(one, steps)]
    fields = {field.encode_name: field.type for field in getattr(kind, "fields", ())}
    if not steps:
        return list(fields)
    of_each = getattr(kind, "item_type", getattr(kind, "value_type", None))
    return _names_at(of_each or fields.get(steps[0]), steps[1:])
