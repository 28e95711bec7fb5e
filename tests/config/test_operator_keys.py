"""The operator's keys are read once, and shown never."""

import pytest

from lectr_lab.config.operator_keys import OperatorKeys
from lectr_lab.config.settings import (
    AzureSettings,
    OrgSettings,
    ProviderSettings,
    Settings,
)
from lectr_lab.core.errors import ConfigError
from lectr_lab.core.registry import registry

OWN = AzureSettings(endpoint="https://own.test", operator_key_env="OWN_AZURE")
SETTINGS = Settings(
    providers={
        "groq": ProviderSettings(operator_key_env="GROQ"),
        "gemini": ProviderSettings(auth="none", base_url="http://127.0.0.1:1/v1"),
        "anthropic": ProviderSettings(operator_key_env="UNSET"),
    },
    azure=AzureSettings(endpoint="https://all.test", operator_key_env="AZURE"),
    orgs={"own": OrgSettings(azure=OWN), "plain": OrgSettings()},
)
ENVIRON = {"GROQ": " gsk_1\n", "AZURE": "az-1", "OWN_AZURE": "az-2", "OTHER": "no"}


def test_only_what_the_settings_name_is_read():
    """One key each; Azure's is its endpoint's own."""
    keys = OperatorKeys(SETTINGS, ENVIRON)

    assert keys.of("any", "groq") == keys.of("own", "groq") == b"gsk_1"
    assert (keys.of("plain", "azure"), keys.of("own", "azure")) == (b"az-1", b"az-2")
    assert keys.of("any", "openai") is keys.of("any", "anthropic") is None
    assert keys.secrets == {"gsk_1", "az-1", "az-2"}


def test_a_provider_is_keyed_by_a_key_or_because_it_wants_none():
    """And an organisation without an Azure endpoint has none there."""
    keys = OperatorKeys(SETTINGS, ENVIRON)

    assert keys.keyed("any") == keys.keyed("own") == {"groq", "gemini", "azure"}
    assert OperatorKeys(Settings(), ENVIRON).keyed("any") == frozenset()
    one_for_all = Settings(upstream="http://127.0.0.1:1/v1")
    assert OperatorKeys(one_for_all, {}).keyed("any") == registry().keys()


@pytest.mark.parametrize("value", ["", "  ", "a b", "sk-\nx: y", "schlüssel", "a\x00"])
def test_what_is_no_key_is_a_problem_told_by_its_variable(value):
    """Its value could be a secret all the same."""
    keys = OperatorKeys(SETTINGS, ENVIRON | {"GROQ": value})

    assert keys.of("any", "groq") is None
    assert "groq" not in keys.keyed("any")
    [problem] = [p for p in keys.problems if p.startswith("GROQ ")]
    assert value.strip() == "" or value not in problem


@pytest.mark.parametrize(
    "key",
    [
        "sk-ant-api03-x",
        "gsk_0a1b2c",
        "AIzaSyD0a1b2c",
        "lc_key_0a1b",
        "0a" * 16,
        "x" * 84,
    ],
)
def test_a_key_in_the_place_of_its_variable_is_refused_unseen(key):
    """What stands there would be shown as a variable's name, by /health too."""
    settings = Settings(providers={"groq": ProviderSettings(operator_key_env=key)})
    with pytest.raises(ConfigError, match="environment variable") as refused:
        OperatorKeys(settings, {})

    assert key not in str(refused.value)


def test_no_key_is_shown():
    """Nor in whatever holds them."""
    keys = OperatorKeys(SETTINGS, ENVIRON)

    for shown in (repr(keys), str(keys), str(keys.problems), f"{[keys]}"):
        assert not [secret for secret in keys.secrets if secret in shown]
