"""The operator's own keys: read once from the environment, used where a rule sends a
request to a vendor that the client did not name. Never written, never shown."""

import re
from collections.abc import Mapping

from lectr_lab.config.settings import Settings
from lectr_lab.core.errors import ConfigError
from lectr_lab.core.registry import provider_of_key

_ANY_ORG = ""  # every one without settings of its own
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_KEY = re.compile(r"sk_|lc_key_|[A-Za-z0-9]{30}")


def check_variable(setting: str, variable: str) -> str:
    """The name of an environment variable, as given.

    Args:
        setting: where it was given, for the message.
        variable: what was given.

    Raises:
        ConfigError: it is none, or looks like a key itself; it is not repeated.

    >>> check_variable("operator_key_env", "OPENAI_API_KEY")
    'OPENAI_API_KEY'
    """
    is_key = _KEY.match(variable) or provider_of_key(variable.encode())
    if _VARIABLE.fullmatch(variable) and not is_key:
        return variable
    raise ConfigError(
        f"{setting} takes the name of an environment variable, such as OPENAI_API_KEY. "
        "If a key is written there, take it out: keys are never kept in a file."
    )


class OperatorKeys:
    """The keys that the settings name, as they were when the proxy started.

    `problems` says which could not be read, by variable, never by value. `secrets` are
    the keys themselves, for whoever must recognise them.

    Raises:
        ConfigError: a setting that names a variable holds something else.
    """

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        self._settings = settings
        self._by_variable: dict[str, bytes] = {}
        self.problems: tuple[str, ...] = ()
        orgs = (_ANY_ORG, *settings.orgs)
        for variable in sorted(self._variables(orgs)):
            check_variable("operator_key_env", variable)
            self._read(variable, environ.get(variable, "").strip())
        values = self._by_variable.values()
        self.secrets = frozenset(key.decode() for key in values)
        self._keyed = {org: self._keyed_of(org) for org in orgs}

    def of(self, org: str, provider: str) -> bytes | None:
        """The key to ask a provider with, on an organisation's behalf."""
        variable = self._settings.operator_key_env(org, provider)
        return self._by_variable.get(variable) if variable else None

    def keyed(self, org: str) -> frozenset[str]:
        """The providers that a rule may send an organisation's requests to."""
        return self._keyed.get(org, self._keyed[_ANY_ORG])

    def __repr__(self) -> str:
        return f"<operator keys: {', '.join(self._by_variable) or 'none'}>"

    def _variables(self, orgs: tuple[str, ...]) -> set[str]:
        named = (
            self._settings.operator_key_env(org, provider)
            for org in orgs
            for provider in self._settings.registry()
        )
        return {variable for variable in named if variable}

    def _read(self, variable: str, value: str) -> None:
        if not value:
            self.problems += (f"{variable} is not set",)
        elif not (value.isascii() and value.isprintable() and " " not in value):
            self.problems += (f"{variable} holds what no key can hold",)
        else:
            self._by_variable[variable] = value.encode()

    def _keyed_of(self, org: str) -> frozenset[str]:
        names = self._settings.registry()
        addresses = {name: self._settings.address_for(org, name) for name in names}
        return frozenset(
            provider
            for provider, address in addresses.items()
            if address and (address.auth == "none" or self.of(org, provider))
        )
