"""OpenRouter's activity: the page's CSV and the API's objects."""

import json

from lectr_lab.log.importers import openrouter
from lectr_lab.log.importers.fields import Choices
from lectr_lab.log.importers.openrouter import openrouter_rows

HEAD = (
    "generation_id,created_at,model_permaslug,provider_name,api_key_name,app_name,"
    "tokens_prompt,tokens_completion,tokens_reasoning,tokens_cached,cost_total,"
    "cost_web_search,generation_time_ms,finish_reason_normalized,streamed,cancelled,user,"
    "time_to_first_token_ms"
)
LINE = (
    "gen-1764000000-abc,2026-11-24T10:00:00Z,anthropic/claude-4.5-sonnet-20250929,"
    "Anthropic,Primary,Chat,1000,50,20,900,0.0041,{search},1500,stop,true,{left},ann,250"
)


def test_a_line_of_the_csv_is_an_event(tmp_path, take):
    """Its own cost comes along; the key's name does not."""
    file = tmp_path / "activity.csv"
    file.write_text(f"{HEAD}\n{LINE.format(search=0, left='false')}\n")

    [event] = take(openrouter_rows(file, Choices())).events

    ours = ("event_id", "org", "kind", "source", "source_id", "started_at")
    assert {name: v for name, v in event.items() if name not in ours} == {
        "feature": "Chat",
        "user": "hashed-3",
        "provider": "openrouter",
        "provider_response_id": "gen-1764000000-abc",
        "model_requested": "anthropic/claude-4.5-sonnet-20250929",
        "model_actual": "anthropic/claude-4.5-sonnet-20250929",
        "stream": True,
        "finish_reason": "stop",
        "outcome": "ok",
        "total_ms": 1500.0,
        "ttft_ms": 250.0,
        "input_tokens": 1000,
        "output_tokens": 50,
        "cache_read_tokens": 900,
        "reasoning_tokens": 20,
        "cost_stated_usd": 0.0041,
        "token_source": "provider",
    }


def test_a_search_that_was_billed_is_one_at_least(tmp_path, take):
    """And who left, left."""
    file = tmp_path / "activity.csv"
    file.write_text(f"{HEAD}\n{LINE.format(search=0.02, left='true')}\n")

    [event] = take(openrouter_rows(file, Choices())).events

    assert event["web_searches"] == 1
    assert event["outcome"] == "client_disconnect"


def test_a_generation_of_the_api(tmp_path, take):
    """Tokens of the model's own tokenizer are what is billed."""
    data = {
        "id": "gen-1764000000-abc",
        "created_at": "2026-11-24T10:00:00.123Z",
        "model": "openai/gpt-4o-mini",
        "total_cost": 0.001,
        "tokens_prompt": 10,
        "native_tokens_prompt": 12,
        "native_tokens_completion": 3,
        "external_user": None,
    }
    file = tmp_path / "generation.json"
    file.write_text(json.dumps({"data": data}))

    [event] = take(openrouter_rows(file, Choices())).events

    assert (event["input_tokens"], event["output_tokens"]) == (12, 3)


def test_sums_by_day_are_no_calls(tmp_path, take):
    """What reads them is named."""
    row = {"date": "2026-11-24", "model_permaslug": "m", "requests": 7, "usage": 0.1}
    file = tmp_path / "a.json"
    file.write_text(json.dumps({"data": [row, {"a": 1}]}))

    told = take(openrouter_rows(file, Choices()))

    assert told.left == {openrouter.SUMS: 1, openrouter.NO_ROW: 1}
    assert "reconcile" in openrouter.SUMS
