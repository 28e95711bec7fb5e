"""lectr.toml and the environment, read once into frozen Settings.

Nothing is required: without a file the proxy runs on 127.0.0.1 and asks the
providers at their own addresses.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from lectr_lab.config.budget_settings import (
    BudgetSettings,
    first_fault,
    of_daily_spend,
)
from lectr_lab.config.limit_settings import LimitSettings
from lectr_lab.config.record_settings import RecordSettings
from lectr_lab.config.shadow_settings import ShadowSettings
from lectr_lab.config.ship_settings import ShipSettings
from lectr_lab.config.text_files import read_text
from lectr_lab.config.urls import is_host, key_is_safe, names_proxy, reachable
from lectr_lab.config.watch_settings import WatchSettings
from lectr_lab.core.errors import ConfigError
from lectr_lab.core.registry import (
    AuthStyle,
    Provider,
    Registry,
    no_provider,
    registry,
    shipped,
)
from lectr_lab.core.routing.providers import Address
from lectr_lab.core.routing.rules_file import RULES_FILE
from lectr_lab.core.toml_text import Toml, parsed

Engine = Literal["native", "httpx"]
CONFIG = Path("lectr.toml")
DEFAULT_PORT = 8484
_LONGEST_DRAIN_S = 3600.0
MOST_WORKERS = 64
REPLAY_LAB = "replay-lab"  # not your own log: nobody paid for a replay
_BEYOND_LOOPBACK = (
    "{!r} can be reached from other machines, and keys would cross the network "
    "unencrypted: set tls_cert and tls_key, or say allow_plain_http = true "
    "(--allow-plain-http) where something in front of the proxy does TLS"
)
_KEY_IN_PATH = (
    "a key in a path is for clients on this machine alone, and {!r} can be reached from "
    'others: take key_in_path out, or write host = "127.0.0.1"'
)

_USERINFO = re.compile(r"//[^/@\s]+@")
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")
_EXAMPLE = 'Write one `name = value` a line, texts in double quotes: host = "127.0.0.1"'
_MISSING = "Run `lectr-lab init` to make one, or name another with --config."


class Tls(NamedTuple):
    """The proxy's own certificate: paths of two PEM files."""

    cert: str
    key: str


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A misspelt line is an error, not a silent default."""


class ProviderSettings(_Strict, frozen=True, kw_only=True):
    """`[providers.<name>]`: another address for a provider, how it takes its key, or one
    more provider. A name that the shipped data has (`registry.toml`) needs nothing else;
    any other needs its `base_url`. `models` are globs of the models that are its own.
    `operator_key_env` names the environment variable that holds the operator's own key,
    used where a rule sends another provider's request here.
    """

    base_url: str | None = None
    auth: AuthStyle | None = None
    models: tuple[str, ...] = ()
    operator_key_env: str | None = None


class AzureSettings(_Strict, frozen=True, kw_only=True):
    """`[azure]` and `[orgs.<name>.azure]`: an organisation's own endpoint."""

    endpoint: str
    api_version: str = "2024-10-21"
    auth: Literal["api-key", "bearer", "none"] = "api-key"
    operator_key_env: str | None = None


class OrgSettings(_Strict, frozen=True, kw_only=True):
    """`[orgs.<name>]`: what differs for one organisation. None: no limit.

    Limits hold for all keys of the organisation together, over all workers of a proxy.
    `daily_spend_usd` is a budget that warns and never blocks; a day is one of UTC.
    """

    azure: AzureSettings | None = None
    requests_per_minute: int | None = None
    concurrent_streams: int | None = None
    max_body_bytes: int | None = None
    daily_spend_usd: float | None = None


class Settings(_Strict, frozen=True, kw_only=True):
    """Everything the proxy is told. The whole shape of lectr.toml.

    Fields with a unit in their name are in that unit. `lab`, `rules`, `tls_cert` and
    `tls_key` are relative to the file that names them. `rules` is `rules.toml` beside
    lectr.toml unless it names another; None: nothing is ruled. `allowed_hosts` are names
    by which what wants no key, such as /health, may be asked for, beside `host`,
    loopback and addresses in numbers. `upstream` sends every provider's traffic to one
    place: the base URL of a local server, or `tape:<cassette or folder>`.
    `drain_s` is how long requests are still taken after the order to stop, while /readyz
    says 503: a balancer in front then sends them elsewhere. `key_in_path`: `/key/<lc_key>/v1/…` does for a header; on loopback only.
    `keep_request_ids`: closed days keep the provider's ids of all calls, not only of
    those that failed; a row costs 19 bytes more. `workers` is how many processes of
    `lectr-lab serve` answer at the port; more than the machine has processors is no
    faster.
    """

    lab: str = "lab"
    rules: str | None = None
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    tls_cert: str | None = None
    tls_key: str | None = None
    allow_plain_http: bool = False
    allowed_hosts: tuple[str, ...] = ()
    key_in_path: bool = False
    upstream: str | None = None
    engine: Engine = "native"
    max_body_bytes: int = 32 * 1024 * 1024
    connect_timeout_s: float = 10.0
    response_timeout_s: float = 15 * 60.0
    drain_s: float = 0.0
    http_proxy: str | None = None
    ca_bundle: str | None = None
    queue_events: int = 100_000
    keep_request_ids: bool = False
    workers: int = 1
    providers: dict[str, ProviderSettings] = {}
    azure: AzureSettings | None = None
    orgs: dict[str, OrgSettings] = {}
    budget: tuple[BudgetSettings, ...] = ()
    shadow: ShadowSettings | None = None
    limits: LimitSettings = LimitSettings()
    record: RecordSettings = RecordSettings()
    watch: WatchSettings | None = None
    ship: ShipSettings | None = None

    def __repr__(self) -> str:
        """Without the password that `http_proxy` may hold."""
        return _USERINFO.sub("//…@", super().__repr__())

    @property
    def budgets(self) -> tuple[BudgetSettings, ...]:
        """Every budget: each `[[budget]]`, and each organisation's daily_spend_usd."""
        caps = {name: org.daily_spend_usd for name, org in self.orgs.items()}
        return (*self.budget, *of_daily_spend(caps))

    @property
    def tls(self) -> Tls | None:
        """The certificate to serve with; None is plain HTTP."""
        if self.tls_cert is None or self.tls_key is None:
            return None
        return Tls(self.tls_cert, self.tls_key)

    def base_url(self, port: int | None = None) -> str:
        """Where clients reach the proxy, without `/v1`; `port` where it was any free one.

        >>> Settings(host="::1").base_url(9000)
        'http://[::1]:9000'
        """
        host = f"[{self.host}]" if ":" in self.host else self.host
        scheme = "https" if self.tls else "http"
        return f"{scheme}://{host}:{self.port if port is None else port}"

    def check_bind(self) -> None:
        """Beyond loopback it takes TLS, or the operator's word, and no key in a path.

        Raises:
            ConfigError: the host is not this machine's alone, and neither is there; or
                keys may be in paths.

        >>> Settings(host="127.0.0.1").check_bind()
        """
        if self.open_to_others:
            raise ConfigError(f"host: {_BEYOND_LOOPBACK.format(self.host)}.")
        if self.key_in_path and reachable(self.host):
            raise ConfigError(f"key_in_path: {_KEY_IN_PATH.format(self.host)}.")

    @property
    def open_to_others(self) -> bool:
        """Keys would cross a network in the clear, and nobody said that it is meant."""
        plain = self.tls is None and not self.allow_plain_http
        return plain and reachable(self.host)

    def address_for(self, org: str, provider: str) -> Address | None:
        """Where an organisation's requests for a provider go; None: Azure is not set up.

        >>> Settings().address_for("me", "openai").base_url
        'https://api.openai.com/v1'
        """
        if self.upstream is not None:
            return Address(self.upstream.rstrip("/"), "none")
        if provider == "azure":
            own = self.azure_of(org)
            if own is None:
                return None
            return Address(own.endpoint.rstrip("/"), own.auth, own.api_version)
        row, mine = shipped().get(provider, Provider()), self._provider(provider)
        base_url = mine.base_url or row.base_url
        return Address(base_url.rstrip("/"), mine.auth or row.auth)

    def registry(self) -> Registry:
        """The providers that a request can be for: with `[providers.<name>]`, more.

        >>> mine = Settings(providers={"deepseek": ProviderSettings()}).registry()
        >>> mine.of_model("deepseek-chat")
        'deepseek'
        """
        if not self.providers:
            return registry()
        named = {name: shipped().get(name, Provider()) for name in self.providers}
        globs = {name: one.models for name, one in self.providers.items()}
        return Registry(registry() | named, globs)

    def operator_key_env(self, org: str, provider: str) -> str | None:
        """The environment variable with the operator's key for a provider."""
        own = self.azure_of(org) if provider == "azure" else self._provider(provider)
        return own.operator_key_env if own else None

    def azure_of(self, org: str) -> AzureSettings | None:
        """The endpoint that an organisation's requests for Azure go to."""
        return self.orgs.get(org, OrgSettings()).azure or self.azure

    def _provider(self, provider: str) -> ProviderSettings:
        return self.providers.get(provider, ProviderSettings())


def read_settings(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Read lectr.toml.

    Args:
        path: the file; None means the defaults alone.
        environ: LECTR_HOST, LECTR_PORT, LECTR_WORKERS, LECTR_LAB, LECTR_UPSTREAM and
            LECTR_ALLOW_PLAIN_HTTP win over the file.

    Returns:
        Settings, with its paths resolved against the folder of the file.

    Raises:
        ConfigError: the file cannot be read or followed; names file, line and remedy.

    >>> read_settings(None, {"LECTR_PORT": "9000"}).port
    9000
    """
    toml = Toml("environment", "", {})
    if path:
        toml = parsed(read_text(path, _MISSING), str(path), example=_EXAMPLE)
    settings = toml.struct(Settings, _from_environment(environ))
    _check(toml, settings)
    return _resolved(settings, path.resolve().parent, environ) if path else settings


def settings_here(environ: Mapping[str, str], config: Path | None = None) -> Settings:
    """What a file says, or this folder's lectr.toml where it is; as `read_settings`."""
    return read_settings(config or (CONFIG if CONFIG.is_file() else None), environ)


def lab_here(environ: Mapping[str, str]) -> Path:
    """The lab folder where none is named: the one that the settings here name.

    >>> lab_here({"LECTR_LAB": "elsewhere"}).as_posix()
    'elsewhere'
    """
    return Path(settings_here(environ).lab)


def settings_beside(lab: Path, environ: Mapping[str, str]) -> Settings:
    """What the lectr.toml beside a lab folder says; the defaults where there is none."""
    path = lab.resolve().parent / CONFIG
    return read_settings(path if path.is_file() else None, environ)


def _resolved(settings: Settings, folder: Path, environ: Mapping[str, str]) -> Settings:
    """Paths that the file names lie beside it; those of the environment, here."""
    names = ["tls_cert", "tls_key"] + ["lab"] * ("LECTR_LAB" not in environ)
    paths = {name: getattr(settings, name) for name in names}
    paths["rules"] = settings.rules or RULES_FILE
    resolved: dict[str, Any] = {n: str(folder / p) for n, p in paths.items() if p}
    if settings.watch and settings.watch.file:
        file = str(folder / settings.watch.file)
        resolved["watch"] = msgspec.structs.replace(settings.watch, file=file)
    return msgspec.structs.replace(settings, **resolved)


def _from_environment(environ: Mapping[str, str]) -> dict[str, object]:
    found: dict[str, object] = {
        name: environ[f"LECTR_{name.upper()}"]
        for name in ("host", "lab", "upstream")
        if environ.get(f"LECTR_{name.upper()}")
    }
    for name in ("port", "workers"):
        number = environ.get(f"LECTR_{name.upper()}")
        if number:
            found[name] = int(number) if number.isdigit() else number
    plain = environ.get("LECTR_ALLOW_PLAIN_HTTP")
    if plain:
        found["allow_plain_http"] = plain.lower() not in ("0", "false", "no")
    return found


def _check(toml: Toml, settings: Settings) -> None:
    if not 0 <= settings.port <= 65535:
        raise toml.refusal("port", "write a port from 1 to 65535 (0: any free one)")
    if not 1 <= settings.workers <= MOST_WORKERS:
        raise toml.refusal("workers", f"write a number from 1 to {MOST_WORKERS}")
    numbers = [(f, getattr(settings, f)) for f in ("max_body_bytes", "queue_events")]
    for field, number in numbers + _org_limits(settings):
        if number <= 0:
            raise toml.refusal(field, "write a number above 0")
    if not 0 <= settings.drain_s <= _LONGEST_DRAIN_S:
        raise toml.refusal("drain_s", "write a number of seconds from 0 to 3600")
    for field in ("connect_timeout_s", "response_timeout_s"):
        if getattr(settings, field) <= 0:
            raise toml.refusal(field, "write a number of seconds above 0")
    for provider in settings.providers:
        advice = _provider_fault(provider, settings.providers[provider])
        if advice:
            raise toml.refusal(provider, advice)
    for field, url in _urls(settings):
        if not key_is_safe(url):
            advice = f"{url!r} must be https://…, or http:// on this machine"
            raise toml.refusal(field, advice)
    if settings.http_proxy and not names_proxy(settings.http_proxy):
        raise toml.refusal("http_proxy", "write http://host:port, or https://")
    if not all(map(is_host, settings.allowed_hosts)):
        advice = 'write names without scheme, port or path: ["proxy.example"]'
        raise toml.refusal("allowed_hosts", advice)
    if (settings.tls_cert is None) != (settings.tls_key is None):
        field = "tls_key" if settings.tls_cert is None else "tls_cert"
        raise toml.refusal(field, "tls_cert and tls_key only work together: set both")
    broken = first_fault(settings.budget)
    if broken:
        place, field, advice = broken
        raise toml.refusal(field, advice, f"budget[{place}]")
    shadow, known = settings.shadow, settings.registry()
    sections = (settings.limits, settings.record)
    watch = settings.watch and settings.watch.fault()
    own = (
        shadow and shadow.fault(known),
        watch,
        settings.ship and settings.ship.fault(),
    )
    faults = (*own, *(one.fault() for one in sections))
    caps = (cap.fault() for cap in settings.budgets[len(settings.budget) :])
    of_caps = (fault and ("daily_spend_usd", fault[1]) for fault in caps)
    for fault in (*faults, *of_caps):
        if fault:
            raise toml.refusal(*fault)
    if settings.open_to_others:
        raise toml.refusal("host", _BEYOND_LOOPBACK.format(settings.host))
    if settings.key_in_path and reachable(settings.host):
        raise toml.refusal("key_in_path", _KEY_IN_PATH.format(settings.host))


def _provider_fault(name: str, mine: ProviderSettings) -> str | None:
    """Why a table of a provider cannot be followed; None where it can."""
    row = shipped().get(name)
    if row is not None and row.hosts:
        return f"its endpoint is an organisation's own: write it in [{name}]"
    if not _NAME.fullmatch(name):
        return "name it in lower case: letters, digits, dots and hyphens"
    if row is None and mine.base_url is None:
        known = no_provider(name, shipped())
        return f'{known}, and any other with its base_url: base_url = "https://…/v1"'
    return None


def _org_limits(settings: Settings) -> list[tuple[str, float]]:
    fields = ["requests_per_minute", "concurrent_streams", "max_body_bytes"]
    fields.append("daily_spend_usd")
    limits = [(f, getattr(org, f)) for org in settings.orgs.values() for f in fields]
    return [(field, limit) for field, limit in limits if limit is not None]


def _urls(settings: Settings) -> list[tuple[str, str]]:
    urls = [("base_url", p.base_url) for p in settings.providers.values()]
    azures = [settings.azure, *(org.azure for org in settings.orgs.values())]
    urls += [("endpoint", azure.endpoint) for azure in azures if azure]
    if settings.upstream and not settings.upstream.startswith("tape:"):
        urls.append(("upstream", settings.upstream))
    return [(field, url) for field, url in urls if url]
