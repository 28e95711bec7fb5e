"""What must hold of every client's runs, and the events that the fake's figures make."""

from collections import Counter
from pathlib import Path
from typing import Any

from clients.beside import (
    FEATURE,
    Client,
    Passed,
    differences,
    directly,
    on_the_wire,
    through,
)
from clients.fake_provider import (
    Seen,
    anthropic_api,
    gemini_api,
    openai_chat,
    openai_responses,
)
from lectr_lab.core.event import columns

_OURS = ("x-lectr", "lc_key", FEATURE)
_NO_COUNT_OF_TOKENS = {"max_output_tokens"}  # a limit
_TOKENS = [
    c.name
    for c in columns()
    if c.name.endswith("_tokens") and c.name not in _NO_COUNT_OF_TOKENS
]
_DIALECTS = {
    "/messages": ("messages", anthropic_api.COUNTED),
    "/responses": ("responses", openai_responses.COUNTED),
    "/chat/completions": ("chat", openai_chat.COUNTED),
    ":generateContent": ("generate_content", gemini_api.COUNTED),
    ":streamGenerateContent": ("generate_content", gemini_api.COUNTED),
}
_SAID = ["provider", "operation", "status", "outcome", "model_requested", "model_sent"]
_SAID += ["model_actual", "token_source", "request_bytes", "feature", *_TOKENS]
_SAID += ["session"]
# The headers that name a session; of an agent that has one of its own, its parent's.
_SESSIONS = ("x-parent-session-id", "x-claude-code-session-id", "x-session-id")
_SESSIONS += ("session-id",)


def checked(client: Client, folder: Path) -> Passed:
    """Run a client through the proxy and straight at the provider, and hold that the
    proxy changes nothing, tells nothing, and counts what there was.

    Args:
        client: what is started.
        folder: for its homes and the lab.
    """
    direct, passed = directly(client, folder), through(client, folder)
    assert direct.calls, direct.said
    assert (passed.run.exit_code, passed.run.text) == (direct.exit_code, direct.text)
    differ = differences(direct, passed.run)
    assert not differ, "\n".join(differ)
    sent = [on_the_wire(call) for call in passed.sent if not call.is_declined]
    came = [on_the_wire(call) for call in passed.calls]
    assert Counter(came) == Counter(sent)
    for call in passed.calls:
        assert_nothing_of_ours(call)
    assert len(passed.events) == sum(call.method != "HEAD" for call in passed.sent)
    assert told(passed.events) == wanted(passed.calls)
    assert passed.unknown_callers == 0
    assert not direct.strangers + passed.run.strangers
    return passed


def assert_nothing_of_ours(call: Seen) -> None:
    """No header, name or value, and no byte of the body speaks of the proxy."""
    sent = "\n".join([call.path, *(f"{n}: {v}" for n, v in call.headers)]).lower()
    for ours in _OURS:
        assert ours not in sent
        assert ours.encode() not in call.plain


def wanted(calls: list[Seen]) -> Counter[str]:
    """The events of model calls: as many, and with the figures that were sent."""
    return Counter(_row(_event(call)) for call in calls if _dialect(call))


def told(events: list[dict[str, Any]]) -> Counter[str]:
    """The same of what the log says; what is no model call is left out."""
    operations = {operation for operation, _ in _DIALECTS.values()}
    rows = [e for e in events if e["operation"] in operations and e["status"] != 426]
    return Counter(_row(event) for event in rows)


def _dialect(call: Seen) -> tuple[str, dict[str, int]] | None:
    ends = (said for end, said in _DIALECTS.items() if call.resource.endswith(end))
    return next(ends, None) if call.method == "POST" else None


def _event(call: Seen) -> dict[str, Any]:
    dialect = _dialect(call)
    assert dialect is not None
    operation, counted = dialect
    model, ok = _model(call), call.status == 200
    event = {
        "provider": call.vendor,
        "operation": operation,
        "status": call.status,
        "outcome": "ok" if ok else "provider_error",
        "model_requested": model,
        "model_sent": model,
        "model_actual": model if ok else None,
        "token_source": "provider" if ok else "absent",
        "request_bytes": len(call.body),
        "feature": FEATURE,
        "session": next(filter(None, map(call.header, _SESSIONS)), None),
    }
    return event | (counted if ok else {})


def _model(call: Seen) -> str:
    """What was asked for: in the body, or in Gemini's path."""
    in_path = call.resource.rpartition("/")[2].partition(":")[0]
    return str(call.json.get("model") or in_path)


def _row(event: dict[str, Any]) -> str:
    return ", ".join(f"{name} {event.get(name)}" for name in _SAID)
