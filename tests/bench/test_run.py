"""`lectr-lab bench`, short."""

import json

import pytest

from lectr_lab.bench.run import run_bench
from lectr_lab.core.errors import ConfigError


def test_a_short_run_measures_the_proxy(tmp_path, capsys):
    """A table on stdout, the same figures as JSON, and no errors."""
    path = tmp_path / "bench.json"

    figures = run_bench(1.0, path, only=("lectr-lab",), soak_requests=40)

    assert list(figures) == ["direct", "lectr-lab"]
    ours = figures["lectr-lab"]
    assert ours.errors == 0
    assert ours.cpu_us is not None and 10 < ours.cpu_us < 100_000
    assert ours.added_p50_ms is not None and ours.added_p50_ms > 0
    written = json.loads(path.read_text())
    assert written["gateways"]["lectr-lab"] == ours._asdict()
    assert isinstance(written["memory_mb_per_100k_requests"], float)
    assert "CPU per request" in capsys.readouterr().out


def test_a_gateway_that_is_not_here_says_how_to_get_it():
    """With the command that installs it."""
    with pytest.raises(ConfigError, match="npm install @portkey-ai/gateway"):
        run_bench(only=("kong",))
