"""`[record]` in lectr.toml."""

import pytest

from lectr_lab.config.record_settings import RecordSettings
from lectr_lab.config.settings import read_settings
from lectr_lab.core.errors import ConfigError


def test_secrets_are_read(tmp_path):
    """As regular expressions; none where none are named."""
    path = tmp_path / "lectr.toml"
    path.write_text("[record]\nsecrets = ['acme-[0-9]+', 'Jane']\n")

    assert read_settings(path, {}).record.secrets == ("acme-[0-9]+", "Jane")
    assert read_settings(None, {}).record == RecordSettings()


def test_what_is_no_pattern_is_an_error(tmp_path):
    """It is named by its number: the pattern itself may be the secret."""
    path = tmp_path / "lectr.toml"
    path.write_text("[record]\nsecrets = ['fine', 'not(fine']\n")

    with pytest.raises(ConfigError, match="number 2 is none") as error:
        read_settings(path, {})

    assert "secrets" in str(error.value)
