"""lectr.toml and the environment, read once into frozen Settings.

Nothing is required: without a file the proxy runs on 127.0.0.1 and asks the five
providers at their own addresses.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from lectr_lab.core.errors import ConfigError
from lectr_lab.core.headers import AuthStyle
from lectr_lab.core.providers import Upstream, default_upstreams

Engine = Literal["aiohttp", "httpx"]
DEFAULT_PORT = 8484
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A misspelt line is an error, not a silent default."""


class ProviderSettings(_Strict, frozen=True, kw_only=True):
    """`[providers.<name>]`: another address for a provider, or how it takes its key."""

    base_url: str | None = None
    auth: AuthStyle | None = None


class AzureSettings(_Strict, frozen=True, kw_only=True):
    """`[azure]` and `[orgs.<name>.azure]`: an organisation's own endpoint."""

    endpoint: str
    api_version: str = "2024-10-21"
    auth: Literal["api-key", "bearer", "none"] = "api-key"


class OrgSettings(_Strict, frozen=True, kw_only=True):
    """`[orgs.<name>]`: what differs for one organisation."""

    azure: AzureSettings | None = None


class Settings(_Strict, frozen=True, kw_only=True):
    """Everything the proxy is told. The whole shape of lectr.toml.

    Fields with a unit in their name are in that unit. `lab` is relative to the file
    that names it. `upstream` sends every provider's traffic to one place: the base URL
    of a local server, or `tape:<cassette or folder>`.
    """

    lab: str = "lab"
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    upstream: str | None = None
    engine: Engine = "aiohttp"
    max_body_bytes: int = 32 * 1024 * 1024
    connect_timeout_s: float = 10.0
    response_timeout_s: float = 15 * 60.0
    http_proxy: str | None = None
    ca_bundle: str | None = None
    queue_events: int = 100_000
    providers: dict[
        Literal["openai", "anthropic", "groq", "gemini"], ProviderSettings
    ] = {}
    azure: AzureSettings | None = None
    orgs: dict[str, OrgSettings] = {}

    def upstream_for(self, org: str, provider: str) -> Upstream | None:
        """Where an organisation's requests for a provider go; None: Azure is not set up.

        >>> Settings().upstream_for("me", "openai").base_url
        'https://api.openai.com/v1'
        """
        if self.upstream is not None:
            return Upstream(self.upstream.rstrip("/"), "none")
        if provider == "azure":
            own = self.orgs.get(org, OrgSettings()).azure or self.azure
            if own is None:
                return None
            return Upstream(own.endpoint.rstrip("/"), own.auth, own.api_version)
        default = default_upstreams()[provider]
        mine = self.providers.get(provider, ProviderSettings())  # type: ignore[call-overload]
        base_url = mine.base_url or default.base_url
        return Upstream(base_url.rstrip("/"), mine.auth or default.auth)


def read_settings(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Read lectr.toml.

    Args:
        path: the file; None means the defaults alone.
        environ: LECTR_HOST, LECTR_PORT and LECTR_LAB win over the file.

    Returns:
        Settings, with `lab` resolved against the folder of the file.

    Raises:
        ConfigError: the file cannot be read or followed; names file, line and remedy.

    >>> read_settings(None, {"LECTR_PORT": "9000"}).port
    9000
    """
    text = _read(path) if path else ""
    name = str(path or "environment")
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"{name} is not valid TOML: {error}.\n"
            'Write one `name = value` a line, texts in double quotes: host = "127.0.0.1"'
        ) from None
    data |= _from_environment(environ)
    try:
        settings = msgspec.convert(data, Settings)
    except msgspec.ValidationError as error:
        raise ConfigError(_explain(name, text, str(error))) from None
    _check(name, text, settings)
    if path is not None and "LECTR_LAB" not in environ:
        lab = str(path.resolve().parent / settings.lab)
        settings = msgspec.structs.replace(settings, lab=lab)
    return settings


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise ConfigError(
            f"There is no {path}. Run `lectr-lab init` to make one, or name another "
            "with --config."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ConfigError(f"{path} cannot be read: {reason}.") from None


def _from_environment(environ: Mapping[str, str]) -> dict[str, object]:
    found: dict[str, object] = {
        name: environ[f"LECTR_{name.upper()}"]
        for name in ("host", "lab")
        if environ.get(f"LECTR_{name.upper()}")
    }
    port = environ.get("LECTR_PORT")
    if port:
        found["port"] = int(port) if port.isdigit() else port
    return found


def _explain(name: str, text: str, error: str) -> str:
    """`Expected int, got str - at $.port` as file, line and what to write."""
    what, _, where = error.partition(" - at ")
    unknown = re.search(r"unknown field `(.+)`", what)
    path = where.strip("`").removeprefix("$").lstrip(".")
    field = unknown[1] if unknown else path.rpartition(".")[2]
    place = f"{name}, line {_line(text, field)}" if _line(text, field) else name
    if unknown:
        known = ", ".join(Settings.__struct_fields__)
        return f"{place}: there is no setting {field!r}. The settings are: {known}."
    return f"{place}: {path or 'the file'}: {what[0].lower()}{what[1:]}."


def _line(text: str, field: str) -> int | None:
    pattern = re.compile(
        rf"^\s*(\[.*\b{re.escape(field)}\b.*\]|{re.escape(field)}\s*=)"
    )
    lines = enumerate(text.splitlines(), start=1)
    return next((number for number, line in lines if pattern.match(line)), None)


def _check(name: str, text: str, settings: Settings) -> None:
    if not 0 <= settings.port <= 65535:
        _refuse(name, text, "port", "write a port from 1 to 65535 (0: any free one)")
    for field in ("max_body_bytes", "queue_events"):
        if getattr(settings, field) <= 0:
            _refuse(name, text, field, "write a number above 0")
    for field in ("connect_timeout_s", "response_timeout_s"):
        if getattr(settings, field) <= 0:
            _refuse(name, text, field, "write a number of seconds above 0")
    for field, url in _urls(settings):
        if not _acceptable(url):
            advice = f"{url!r} must be https://…, or http:// on this machine"
            _refuse(name, text, field, advice)


def _urls(settings: Settings) -> list[tuple[str, str]]:
    urls = [("base_url", p.base_url) for p in settings.providers.values()]
    azures = [settings.azure, *(org.azure for org in settings.orgs.values())]
    urls += [("endpoint", azure.endpoint) for azure in azures if azure]
    if settings.upstream and not settings.upstream.startswith("tape:"):
        urls.append(("upstream", settings.upstream))
    return [(field, url) for field, url in urls if url]


def _acceptable(url: str) -> bool:
    """A key may cross a network only encrypted."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    if not host or parts.query or parts.fragment or parts.username:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)


def _refuse(name: str, text: str, field: str, advice: str) -> None:
    line = _line(text, field)
    place = f"{name}, line {line}" if line else name
    raise ConfigError(f"{place}: {field}: {advice}.")
