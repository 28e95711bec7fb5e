"""What a program is started with, so that its calls pass through a proxy."""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from lectr_lab.config.settings import Settings
from lectr_lab.core.registry import provider_of_host
from lectr_lab.programs.known import Part, Program, holds
from lectr_lab.programs.logins import read_json

_OURS = "x-lectr-"
_BETWEEN_HEADERS = re.compile(r",(?=\s*[^,:]+:)")  # as Gemini CLI separates them
_HEADER_VARIABLES = {
    "LECTR_KEY": "X-Lectr-Key",
    "LECTR_FEATURE": "X-Lectr-Feature",
    "LECTR_TASK": "X-Lectr-Task",
    "LECTR_SESSION": "X-Lectr-Session",
}
_BASE_URL = "LECTR_BASE_URL"  # of the proxy, for a run inside a run


class Way(NamedTuple):
    """The way through a proxy: its `http://host:port`, and what each request says."""

    root: str
    headers: Mapping[str, str]


class Setup(NamedTuple):
    """What to start a program with, and what to say before."""

    words: tuple[str, ...]  # before its own arguments
    variables: dict[str, str]
    files: dict[str, str]  # of a variable: what the file that it names is to hold
    notices: tuple[str, ...]


def set_up(
    program: Program,
    way: Way,
    environ: Mapping[str, str],
    facts: Collection[str],
    settings: Settings,
) -> Setup:
    """Everything that points a program at a proxy, and nothing that sends it astray.

    Args:
        program: what is known of it.
        way: the proxy, and the headers for it.
        environ: the variables that it would have.
        facts: what its conditions ask for, as `logins.facts` finds them.
        settings: the proxy's, which say whom it asks.

    Returns:
        Words, variables and files. No variable with a provider's key is among them.

    >>> from lectr_lab.programs.known import known
    >>> way = Way("http://127.0.0.1:1", {"X-Lectr-Key": "lc_key_x"})
    >>> setup = set_up(known("claude"), way, {}, (), Settings())
    >>> setup.variables["ANTHROPIC_BASE_URL"]
    'http://127.0.0.1:1'
    >>> setup.variables["ANTHROPIC_CUSTOM_HEADERS"]
    'X-Lectr-Key: lc_key_x'
    """
    said = [n.text.replace("\n", " ") for n in program.notices if holds(n.when, facts)]
    variables, files, words = _always(way, environ), dict[str, str](), list[str]()
    for part in program.parts:
        if not holds(part.when, facts):
            continue
        elsewhere = asks_elsewhere(part, environ, settings)
        if elsewhere:
            said.append(elsewhere)
            continue
        variables |= _variables(part, way, {**environ, **variables})
        files |= {n: json.dumps(_filled(v, way)) for n, v in part.files.items()}
        words += [_filled(word, way) for word in part.words]
    return Setup(tuple(words), variables, files, tuple(dict.fromkeys(said)))


def asks_elsewhere(
    part: Part, environ: Mapping[str, str], settings: Settings
) -> str | None:
    """What to say where a variable names a server that the proxy would not ask.

    Its key and its prompts are for that server, and must reach no other.

    >>> part = Part(vendor="openai", urls={"OPENAI_BASE_URL": "{root}/v1"})
    >>> asks_elsewhere(part, {"OPENAI_BASE_URL": "https://api.openai.com/v1"}, Settings())
    >>> asks_elsewhere(part, {"OPENAI_BASE_URL": "https://x.test"}, Settings())[:45]
    'OPENAI_BASE_URL names x.test: that stays as i'
    """
    for variable in (*part.urls, *part.reads):
        place = _place(environ.get(variable, ""))
        if place and not _is_asked(place, part.vendor, environ, settings):
            return (
                f"{variable} names {place}: that stays as it is, and what goes there is "
                "not seen. To see it, let the proxy ask that server: write its base_url "
                f"under [providers.{part.vendor}] in lectr.toml; or unset {variable}."
            )
    return None


def _is_asked(
    place: str, vendor: str, environ: Mapping[str, str], settings: Settings
) -> bool:
    """The proxy asks it for this vendor, or it is a proxy of ours."""
    ours = {_place(environ.get(_BASE_URL, "")), _place(settings.base_url())}
    if settings.upstream is not None or place in ours:
        return True
    address = settings.address_for("", vendor)
    asked = _place(address.base_url) if address else ""
    return place == asked or provider_of_host(place) == vendor == provider_of_host(
        asked
    )


def _place(url: str) -> str:
    """Host and port of a URL; nothing of what stands before them, which may be secret."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2].lower()
    except ValueError:
        return url.rpartition("@")[2]


def _always(way: Way, environ: Mapping[str, str]) -> dict[str, str]:
    """Our own variables, and the way to loopback, which leads through no proxy."""
    found = {n: way.headers.get(h, "") for n, h in _HEADER_VARIABLES.items()}
    found[_BASE_URL] = way.root
    for name in ("NO_PROXY", "no_proxy"):
        hosts = [*environ.get(name, "").split(","), "127.0.0.1"]
        found[name] = ",".join(filter(None, dict.fromkeys(hosts)))
    return found


def _variables(part: Part, way: Way, environ: Mapping[str, str]) -> dict[str, str]:
    found = {name: _filled(url, way) for name, url in part.urls.items()} | part.set
    ours = [f"{name}: {value}" for name, value in way.headers.items()]
    for name in part.lines:
        found[name] = "\n".join([*_others(environ.get(name, "").splitlines()), *ours])
    for name in part.commas:
        before = _BETWEEN_HEADERS.split(environ.get(name, ""))
        found[name] = ", ".join([*_others(before), *ours])
    for name, value in part.json.items():
        before_json = read_json(environ.get(name, ""))
        found[name] = json.dumps(_merged(before_json, _filled(value, way)))
    return found


def _others(headers: list[str]) -> Iterator[str]:
    """The user's own, and none of an earlier proxy's."""
    for header in headers:
        if header.strip() and not header.strip().lower().startswith(_OURS):
            yield header.strip()


def _filled(value: Any, way: Way) -> Any:
    if isinstance(value, str):
        whole = value == "{headers}"
        if whole:
            return dict(way.headers)
        key = way.headers.get("X-Lectr-Key", "")
        return value.replace("{root}", way.root).replace("{key}", key)
    if isinstance(value, dict):
        return {name: _filled(member, way) for name, member in value.items()}
    return [_filled(one, way) for one in value] if isinstance(value, list) else value


def _merged(before: Any, ours: Any) -> Any:
    if not (isinstance(before, dict) and isinstance(ours, dict)):
        return ours
    return before | {name: _merged(before.get(name), v) for name, v in ours.items()}
