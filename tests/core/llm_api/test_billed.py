"""What is billed and stands beside the counts."""

import pytest

from lectr_lab.core.llm_api.billed import billed, other_tool_calls
from lectr_lab.core.llm_api.usage import usage_columns


@pytest.mark.parametrize(
    ("usage", "output", "reasoning"),
    [
        # Gemini's compatible endpoint: thoughts in the total alone.
        ({"prompt_tokens": 35, "completion_tokens": 12, "total_tokens": 109}, 74, 62),
        ({"prompt_tokens": 35, "total_tokens": 50}, 15, 15),
        # xAI's chat: beside the output, and in the total.
        (
            {
                "prompt_tokens": 10,
                "completion_tokens": 5,
                "total_tokens": 45,
                "completion_tokens_details": {"reasoning_tokens": 30},
            },
            35,
            30,
        ),
        # OpenAI's: a part of the output.
        (
            {
                "prompt_tokens": 10,
                "completion_tokens": 35,
                "total_tokens": 45,
                "completion_tokens_details": {"reasoning_tokens": 30},
            },
            35,
            30,
        ),
        ({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}, 5, None),
        ({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 0}, 5, None),
        ({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": "9"}, 5, None),
        # What is cached may be beside the prompt, and in the total.
        (
            {
                "prompt_tokens": 10,
                "completion_tokens": 5,
                "total_tokens": 105,
                "cache_read_input_tokens": 90,
            },
            5,
            None,
        ),
    ],
)
def test_thoughts_are_output(usage, output, reasoning):
    """Wherever a provider counts them, once."""
    told = usage_columns(usage)

    assert (told.get("output_tokens"), told.get("reasoning_tokens")) == (
        output,
        reasoning,
    )


ANSWER = {"input_tokens": 23_000, "output_tokens": 1_000, "cache_read_input_tokens": 7}


def iteration(kind, **counts):
    return {"type": kind, **counts}


def test_a_summary_of_the_conversation_is_billed_with_the_answer():
    """It is in the iterations alone; those of the answer are in the block already."""
    summary = iteration("compaction", input_tokens=180_000, output_tokens=3_500)
    written = {"ephemeral_1h_input_tokens": 40}
    cached = iteration(
        "compaction", cache_creation_input_tokens=100, cache_creation=written
    )

    told = usage_columns(
        ANSWER | {"iterations": [summary, iteration("message", **ANSWER), cached]}
    )

    assert told == {
        "input_tokens": 23_007 + 180_000 + 100,
        "output_tokens": 4_500,
        "cache_read_tokens": 7,
        "cache_write_tokens": 100,
        "cache_write_1h_tokens": 40,
    }


def test_what_another_model_said_is_a_tool_with_a_price_of_its_own():
    """An advisor's tokens are in no count of the answer's, nor is their price."""
    advice = iteration("advisor_message", model="claude-opus-4-8", input_tokens=9)
    usage = ANSWER | {"iterations": [iteration("message", **ANSWER), advice]}

    assert usage_columns(usage) == usage_columns(ANSWER)
    assert other_tool_calls(usage) == 1
    assert other_tool_calls(ANSWER | {"iterations": [iteration("message")]}) is None


@pytest.mark.parametrize("nonsense", [None, 3, "x", [3], [[]], {}, [{"type": []}]])
def test_nonsense_adds_nothing(nonsense):
    """Nor does it raise."""
    usage = ANSWER | {"iterations": nonsense, "cache_creation": nonsense}

    assert usage_columns(billed(usage)) == usage_columns(ANSWER)


@pytest.mark.parametrize(
    ("usage", "calls"),
    [
        (
            {"server_tool_use": {"web_fetch_requests": 3, "tool_search_requests": 1}},
            None,
        ),
        ({"server_tool_use": {"code_execution_requests": 2}}, 2),
        ({"num_server_side_tools_used": 4}, 4),
        ({"num_sources_used": 0}, 0),
        ({}, None),
    ],
)
def test_tools_that_are_billed_are_counted(usage, calls):
    """Pages that Anthropic fetches are free but for their tokens."""
    assert other_tool_calls(usage) == calls
