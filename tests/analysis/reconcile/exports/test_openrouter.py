"""OpenRouter's activity, by day and by generation."""

import json
from datetime import date

from lectr_lab.analysis.reconcile.exports.read import read_export
from lectr_lab.analysis.reconcile.exports.shape import Charged, Used

DAY = date(2026, 11, 2)


def test_a_day_s_activity_is_used_and_charged(tmp_path):
    """Credits are dollars; what ran on a key of one's own is on another bill."""
    row = {
        "date": "2026-11-02",
        "model": "openai/gpt-x",
        "model_permaslug": "openai/gpt-x-2026-01-01",
        "usage": 0.015,
        "byok_usage_inference": 0.012,
        "requests": 5,
        "prompt_tokens": 50,
        "completion_tokens": 125,
        "reasoning_tokens": 25,
    }
    file = tmp_path / "activity.json"
    file.write_text(json.dumps({"data": [row]}))

    found = read_export(file)

    counts = {"input_tokens": 50, "output_tokens": 125}
    assert found.provider == "openrouter"
    assert found.used == (Used(DAY, "openai/gpt-x", 5, counts),)
    assert found.charged == (Charged(DAY, "openai/gpt-x", 0.015),)
    assert "$0.012000 of it ran on providers' keys of your own" in found.notes[-1]


def test_each_generation_is_a_request(tmp_path):
    """The page's CSV has one a line."""
    file = tmp_path / "activity.csv"
    file.write_text(
        "generation_id,created_at,cost_total,tokens_prompt,tokens_completion,"
        "tokens_cached,model_permaslug\n"
        "gen-1,2026-11-02 10:00:00.000,0.5,100,10,40,a/m\n"
        "gen-2,2026-11-02 11:00:00.000,0.25,50,5,,a/m\n"
    )

    found = read_export(file)

    assert [used.requests for used in found.used] == [1, 1]
    assert found.used[0].counts["cache_read_tokens"] == 40
    assert sum(one.usd for one in found.charged) == 0.75
