"""What OpenAI and those who speak its dialect answer, path by path."""

from clients.fake_provider import openai_chat, openai_responses
from clients.fake_provider.wire import Answer, Asked, whole

_MODELS = [
    {"id": model, "object": "model", "created": 1, "owned_by": "openai"}
    for model in ("gpt-5.5", "gpt-4o-mini")
]


def answer(asked: Asked) -> Answer | None:
    """The reply to a request in OpenAI's dialect; None: it is none."""
    resource = asked.seen.resource
    if resource.endswith("/responses"):
        return openai_responses.answer(asked)
    if resource.endswith("/chat/completions"):
        return openai_chat.answer(asked)
    if resource.endswith("/models"):  # Codex reads `models`
        return whole({"object": "list", "data": _MODELS, "models": []})
    return None


def error(status: int, message: str = "Fake.") -> Answer:
    """A failure in OpenAI's form."""
    code = "rate_limit_exceeded" if status == 429 else None
    what = {"message": message, "type": "server_error", "param": None, "code": code}
    headers = {} if status in (400, 401, 404, 426) else {"retry-after": "1"}
    return whole({"error": what}, status, headers)
