"""What a stranger may cost is bounded unless told, and each bound can be moved."""

import pytest

from lectr_lab.config.limit_settings import LimitSettings
from lectr_lab.config.settings import read_settings
from lectr_lab.core.errors import ConfigError


def test_each_limit_can_be_moved(tmp_path):
    """In a section of its own; what it leaves out keeps its bound."""
    path = tmp_path / "lectr.toml"
    path.write_text("[limits]\nhead_fields = 7\nbody_timeout_s = 1.5\n")
    limits = read_settings(path, {}).limits
    assert limits == LimitSettings(head_fields=7, body_timeout_s=1.5)


@pytest.mark.parametrize("field", LimitSettings.__struct_fields__)
@pytest.mark.parametrize("value", ["0", "-1", "nan"])
def test_no_limit_is_nothing(tmp_path, field, value):
    """Of none a proxy could live; the line and what to write are said."""
    path = tmp_path / "lectr.toml"
    path.write_text(f"[limits]\n{field} = {value}\n")
    with pytest.raises(ConfigError) as refused:
        read_settings(path, {})
    assert field in str(refused.value)
    assert "line 2" in str(refused.value)
