"""What a usage block bills and its own counts leave out.

Facts:

- Gemini's endpoint compatible with OpenAI's counts thoughts in `total_tokens` alone,
  and bills them as output (recorded; https://ai.google.dev/gemini-api/docs/pricing:
  "output price (including thinking tokens)"). xAI's chat counts reasoning beside
  `completion_tokens`, in its details and in the total, and bills it as output
  (https://docs.x.ai/docs/guides/reasoning).
- Anthropic's `iterations` has an entry for each sampling. Those of the answer add up to
  the block's own counts (recorded); a summary of the conversation, `compaction`, is
  billed and is in none of them; another model's advice, `advisor_message`, is billed
  at that model's price (https://platform.claude.com/docs/en/build-with-claude/compaction
  and …/agents-and-tools/tool-use/advisor-tool).
- Anthropic fetches pages and finds tools at no charge beside their tokens
  (…/agents-and-tools/tool-use/web-fetch-tool). xAI tells the tools that it ran as
  `num_server_side_tools_used`, and sources of a live search as `num_sources_used`.

All pages as of 2026-11-30.
"""

from typing import Any

from lectr_lab.core.llm_api.lenient_json import count

_PLAIN = {"prompt_tokens", "completion_tokens", "total_tokens"}
_SUMMED = (
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
)
_OF_THE_ANSWER = ("message", "fallback_message")
_UNBILLED = ("web_search_requests", "web_fetch_requests", "tool_search_requests")
_XAI_TOOLS = ("num_server_side_tools_used", "num_sources_used")
_TELL_TOOLS = frozenset({"server_tool_use", "iterations", *_XAI_TOOLS})


def billed(usage: dict[str, Any]) -> dict[str, Any]:
    """The block, with what else is billed in its counts.

    >>> thought = {"prompt_tokens": 35, "completion_tokens": 12, "total_tokens": 109}
    >>> billed(thought)["completion_tokens"]
    74
    >>> summary = {"type": "compaction", "input_tokens": 180_000, "output_tokens": 3_500}
    >>> billed({"input_tokens": 23_000, "iterations": [summary]})["input_tokens"]
    203000
    """
    if "iterations" in usage:
        usage = _with_summaries(usage)
    if "total_tokens" in usage:
        usage = _with_thoughts(usage)
    return usage


def other_tool_calls(usage: dict[str, Any]) -> int | None:
    """Calls of the tools that a provider ran and bills, less searches of the web.

    >>> told = {"web_search_requests": 2, "code_execution_requests": 1}
    >>> other_tool_calls({"server_tool_use": told}), other_tool_calls({})
    (1, None)
    """
    if _TELL_TOOLS.isdisjoint(usage):
        return None  # nearly every reply
    told = usage.get("server_tool_use")
    tools = told if isinstance(told, dict) else {}
    found = [count(n) for key, n in tools.items() if key not in _UNBILLED]
    found += [count(usage[key]) for key in _XAI_TOOLS if key in usage]
    if "iterations" in usage:
        found.append(
            sum(
                kind not in (*_OF_THE_ANSWER, "compaction")
                for kind in map(_kind, _iterations(usage))
            )
            or None
        )
    known = [n for n in found if n is not None]
    return sum(known) if known else None


def _with_summaries(usage: dict[str, Any]) -> dict[str, Any]:
    summaries = [one for one in _iterations(usage) if _kind(one) == "compaction"]
    if not summaries:
        return usage
    return (
        usage
        | _sums([usage, *summaries], _SUMMED)
        | {
            "cache_creation": _sums(
                [one.get("cache_creation") or {} for one in (usage, *summaries)],
                ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"),
            )
        }
    )


def _with_thoughts(usage: dict[str, Any]) -> dict[str, Any]:
    sent, total = count(usage.get("prompt_tokens")), count(usage.get("total_tokens"))
    got = count(usage.get("completion_tokens")) or 0
    if sent is None or total is None or total <= sent + got:
        return usage
    beyond = total - sent - got
    details = usage.get("completion_tokens_details")
    details = details if isinstance(details, dict) else {}
    thought = count(details.get("reasoning_tokens"))
    if not thought and all(key in _PLAIN for key, value in usage.items() if value):
        thought = beyond
    if not thought or thought > beyond:
        return usage  # of what nobody says what it is
    return usage | {
        "completion_tokens": got + thought,
        "completion_tokens_details": details | {"reasoning_tokens": thought},
    }


def _iterations(usage: dict[str, Any]) -> list[dict[str, Any]]:
    told = usage["iterations"]
    return (
        [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
    )


def _kind(iteration: dict[str, Any]) -> Any:
    return iteration.get("type", "message")


def _sums(blocks: list[Any], keys: tuple[str, ...]) -> dict[str, int]:
    told = {
        key: [
            n
            for one in blocks
            if isinstance(one, dict)
            if (n := count(one.get(key))) is not None
        ]
        for key in keys
    }
    return {key: sum(counts) for key, counts in told.items() if counts}
