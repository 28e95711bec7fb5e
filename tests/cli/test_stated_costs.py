"""A source's own costs are a check of ours."""

import json

import pytest

from lectr_lab.cli.import_log import import_log
from lectr_lab.cli.stated_costs import stated_cost_sentence

ROW = {
    "call_type": "acompletion",
    "startTime": "2026-11-24T10:00:00Z",
    "endTime": "2026-11-24T10:00:01Z",
    "model": "openai/gpt-4o-mini",
    "custom_llm_provider": "openai",
    "prompt_tokens": 1000,
    "completion_tokens": 100,
}
RIGHT = 1000 * 0.15e-6 + 100 * 0.6e-6


@pytest.mark.parametrize("spends", [[RIGHT], [RIGHT, 0.5], [0.0], [None]])
def test_calls_that_cost_otherwise_are_told_of(tmp_path, capsys, spends):
    """With both sums; a rounding is no difference, and what says nothing is none."""
    rows = [ROW | {"request_id": f"r{i}", "spend": s} for i, s in enumerate(spends)]
    (tmp_path / "spend.json").write_text(json.dumps(rows))

    import_log(tmp_path / "spend.json", kind="litellm", lab=tmp_path / "lab")

    said = "not the list's price of 1 of 2: $0.50 there"
    assert (said in capsys.readouterr().out) == (0.5 in spends)


def test_another_source_is_not_looked_at(tmp_path):
    """Nor another org."""
    (tmp_path / "spend.json").write_text(json.dumps([ROW | {"spend": 9}]))
    import_log(tmp_path / "spend.json", kind="litellm", lab=tmp_path / "lab")

    assert stated_cost_sentence(tmp_path / "lab", "litellm", "default")
    assert stated_cost_sentence(tmp_path / "lab", "otel", "default") is None
    assert stated_cost_sentence(tmp_path / "lab", "litellm", "acme") is None
