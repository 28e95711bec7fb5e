"""The fake provider's cache."""

from clients.fake_provider.prefix_cache import PrefixCache

LONG = "x" * 8_000
MARK = {"cache_control": {"type": "ephemeral"}}


def body(*texts: str, system: str = LONG, marked: int = -1) -> dict:
    messages = [{"role": "user", "content": [{"text": text}]} for text in texts]
    messages[marked]["content"][0] |= MARK
    return {"model": "m", "system": [{"text": system}], "messages": messages}


def test_what_was_marked_is_read_by_whoever_begins_alike():
    """The mark moves on; another system prompt begins anew; the parts are the whole."""
    cache = PrefixCache()
    first = cache.anthropic(body("a"))
    second = cache.anthropic(body("a", "b"))
    changed = cache.anthropic(body("a", "b", system=LONG + "!"))

    assert first["cache_read_input_tokens"] == 0
    assert first["cache_creation_input_tokens"] > 1_900
    assert second["cache_read_input_tokens"] == first["cache_creation_input_tokens"]
    assert changed["cache_read_input_tokens"] == 0
    assert sum(second.values()) >= sum(first.values())


def test_what_is_short_or_not_marked_is_not_kept():
    """As the vendors document it."""
    cache = PrefixCache()
    for _ in range(2):
        short = cache.anthropic(body("a", system="y"))
    plain = body("a") | {"messages": [{"role": "user", "content": "a"}]}

    assert short["cache_creation_input_tokens"] == 0 == short["cache_read_input_tokens"]
    assert cache.anthropic(plain)["cache_creation_input_tokens"] == 0


def test_openais_is_read_in_steps():
    """Of 128 tokens, without a mark."""
    cache = PrefixCache()
    asked = {"model": "m", "instructions": LONG, "input": [{"content": "a"}]}
    cache.openai(asked)
    again = cache.openai(asked | {"input": [*asked["input"], {"content": "b"}]})

    assert again["cached_tokens"] % 128 == 0
    assert 1_900 < again["cached_tokens"] < again["input_tokens"]
