"""A provider with a true prefix cache, by each vendor's documented rules, and sessions
that hit and miss it for causes that are known: one thing is done before each request, and
whatever is then missed is due to that.

One character of a prompt, as its parts are written here, is one token.
"""

import json
import random
from collections.abc import Iterator
from typing import Any, NamedTuple

ACTIONS = ("go_on",) * 4 + ("pause", "tools", "system", "history", "model")
ACTIONS += ("parameters", "provider", "aside")


class Vendor(NamedTuple):
    """What is documented, said once more and by other words than the package's."""

    provider: str
    api: str
    models: tuple[str, str]
    least: int  # tokens of a prefix that is cached
    life_s: float
    step: int = 1
    by_request: bool = False  # entries end where requests ended, or at a mark
    marks: str | None = None  # "5m", "1h": asks for it; "none": has to, and does not
    charges_writes: bool = False
    parameter: tuple[dict[str, Any], dict[str, Any]] | None = None


VENDORS = {
    "anthropic": Vendor(
        "anthropic",
        "messages",
        ("claude-opus-5-5", "claude-sonnet-5-5"),
        512,
        300,
        by_request=True,
        marks="5m",
        charges_writes=True,
        parameter=({"tool_choice": {"type": "auto"}}, {"tool_choice": {"type": "any"}}),
    ),
    "openai": Vendor(
        "openai",
        "chat",
        ("gpt-4o", "gpt-4.1-mini"),
        1024,
        300,
        step=128,
        parameter=({"reasoning_effort": "low"}, {"reasoning_effort": "high"}),
    ),
    "openai-6": Vendor(
        "openai",
        "chat",
        ("gpt-6-sol", "gpt-6-luna"),
        1024,
        1800,
        by_request=True,
        charges_writes=True,
        parameter=({"prompt_cache_key": "a"}, {"prompt_cache_key": "b"}),
    ),
    "gemini": Vendor(
        "gemini",
        "generate_content",
        ("gemini-3.8-flash", "gemini-3.5-flash"),
        4096,
        3600,
    ),
    "groq": Vendor(
        "groq", "chat", ("openai/gpt-oss-120b", "openai/gpt-oss-20b"), 1024, 7200
    ),
}
VENDORS["anthropic-1h"] = VENDORS["anthropic"]._replace(marks="1h", life_s=3600)
VENDORS["anthropic-unmarked"] = VENDORS["anthropic"]._replace(marks="none")


class Part(NamedTuple):
    """A joint of a prompt: what counts of it, and how it is sent."""

    text: str
    sent: str


class Prompt(NamedTuple):
    """What is asked: instructions, and what was said, the user first, then in turns."""

    tools: tuple[Part, ...]
    system: Part
    said: tuple[Part, ...] = ()

    @property
    def head(self) -> str:
        """What stands before the first message."""
        return "".join(part.text for part in (*self.tools, self.system))

    @property
    def text(self) -> str:
        """All of it."""
        return self.head + "".join(part.text for part in self.said)

    @property
    def before(self) -> int:
        """How much of it an earlier request has sent."""
        return len(self.head) + sum(len(part.text) for part in self.said[:-2])


class Asked(NamedTuple):
    """One request, the provider's reply, and what is true of it."""

    at_s: float
    path: bytes
    model: str
    body: bytes
    reply: bytes
    cause: str | None  # None: nothing is missed
    missed_tokens: int


class Cache:
    """What a provider holds of prompts, and when it was last used."""

    def __init__(self, vendor: Vendor) -> None:
        self._vendor = vendor
        self._used_s: dict[tuple[str, str], float] = {}  # by who may use it, and text

    def ask(self, owner: str, prompt: Prompt, at_s: float) -> int:
        """How many tokens of a prompt are read; all of it is then held."""
        vendor, text = self._vendor, prompt.text
        if vendor.marks == "none":
            return 0
        alive = [
            entry
            for (whose, entry), used_s in self._used_s.items()
            if whose == owner and at_s - used_s <= vendor.life_s
        ]
        if vendor.by_request:
            alive = [entry for entry in alive if text.startswith(entry)]
        read = max((_shared(entry, text) for entry in alive), default=0)
        read -= read % vendor.step
        read = read if read >= vendor.least else 0
        for entry in alive:
            if text.startswith(entry) and len(entry) <= read:
                self._used_s[owner, entry] = at_s
        for end in {len(text), len(prompt.head) if vendor.by_request else len(text)}:
            if end >= vendor.least:
                self._used_s[owner, text[:end]] = at_s
        return read

    def forget(self) -> None:
        """Hold nothing."""
        self._used_s.clear()


def _shared(one: str, other: str) -> int:
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


class Session:
    """One conversation, with side calls that have instructions of their own."""

    def __init__(self, vendor: Vendor, seed: int) -> None:
        self._vendor, self._dice = vendor, random.Random(seed)
        self._cache = Cache(vendor)
        self._at_s, self._parameter, self._model = 1000.0, 0, vendor.models[0]
        self._form = _FORMS[vendor.api]
        size = self._dice.choice([250, 1500, 3000])
        tools = tuple(self._form.tool(self._words(size)) for _ in range(3))
        self._prompt = Prompt(tools, self._form.system(self._words(size)))
        self._aside = Prompt((), self._form.system(self._words(2000)))
        self._aside_s: float | None = None  # when it was last asked

    def play(self, turns: int) -> Iterator[Asked]:
        """The session, request by request."""
        self._say("user", 120)
        yield self._ask(self._prompt, None)
        for _ in range(turns):
            action = self._dice.choice(ACTIONS)
            self._at_s += self._dice.uniform(5, 100)
            if action == "aside":
                yield self._ask_aside()
                continue
            self._say("assistant", self._dice.randint(40, 900))
            self._say("user", self._dice.randint(40, 900))
            self._do(action)
            yield self._ask(self._prompt, action)

    def _say(self, role: str, size: int) -> None:
        part = self._form.message(role, self._words(size))
        self._prompt = self._prompt._replace(said=(*self._prompt.said, part))

    def _do(self, action: str) -> None:
        prompt, dice, form = self._prompt, self._dice, self._form
        if action == "pause":
            self._at_s += self._vendor.life_s + 60
        elif action == "tools":
            tools = list(prompt.tools)
            tools[dice.randrange(3)] = form.tool(self._words(600))
            self._prompt = prompt._replace(tools=tuple(tools))
        elif action == "system":
            altered = f"It is {dice.randrange(10**6)}. {self._words(700)}"
            self._prompt = prompt._replace(system=form.system(altered))
        elif action == "history":
            said, at = list(prompt.said), dice.randrange(len(prompt.said) - 2)
            role = "user" if at % 2 == 0 else "assistant"
            said[at] = form.message(role, self._words(300))
            self._prompt = prompt._replace(said=tuple(said))
        elif action == "model":
            self._model = next(m for m in self._vendor.models if m != self._model)
        elif action == "parameters" and self._vendor.parameter is not None:
            self._parameter = 1 - self._parameter
        elif action == "provider":
            self._cache.forget()

    def _ask_aside(self) -> Asked:
        """Each time another question. It may have been forgotten, or lain too long."""
        part = self._form.message("user", self._words(90))
        lay_s = None if self._aside_s is None else self._at_s - self._aside_s
        cause = None if lay_s is None else "provider"
        if lay_s is not None and lay_s > self._vendor.life_s:
            cause = "pause"
        self._aside_s = self._at_s
        model, parameter = self._model, self._parameter
        self._model, self._parameter = self._vendor.models[0], 0
        asked = self._ask(self._aside._replace(said=(part,)), cause)
        self._model, self._parameter = model, parameter
        return asked

    def _ask(self, prompt: Prompt, cause: str | None) -> Asked:
        vendor, at_s, total = self._vendor, self._at_s, len(prompt.text)
        read = self._cache.ask(f"{self._model} {self._parameter}", prompt, at_s)
        cached = vendor.marks != "none" and total >= vendor.least
        written = total - read if vendor.charges_writes and cached else 0
        before = prompt.before if len(prompt.said) > 1 else len(prompt.head)
        full = read if cause is None else max(read, before - before % vendor.step)
        if full < vendor.least:
            cause = "too_short"
        elif vendor.marks == "none":
            cause = "unmarked"
        self._at_s += 2.0
        return Asked(
            at_s,
            _PATHS[vendor.api].replace("MODEL", self._model).encode(),
            self._model,
            self._body(prompt),
            _reply(vendor, self._model, total, read, written),
            cause if full > read else None,
            full - read,
        )

    def _words(self, size: int) -> str:
        return "".join(self._dice.choices("abcdefghij klmnop", k=size))

    def _body(self, prompt: Prompt) -> bytes:
        fields = {"model": self._model}
        if self._vendor.parameter is not None:
            fields |= self._vendor.parameter[self._parameter]
        parts = self._form.parts(prompt, self._vendor.marks)
        return (json.dumps(fields)[:-1] + ", " + parts + "}").encode()


_PATHS = {
    "chat": "/v1/chat/completions",
    "messages": "/v1/messages",
    "generate_content": "/v1beta/models/MODEL:generateContent",
}


class _Chat:
    """OpenAI's: a message counts as its role and its text."""

    def tool(self, words: str) -> Part:
        sent = json.dumps({"type": "function", "function": {"name": words}})
        return Part(sent, sent)

    def system(self, words: str) -> Part:
        return self.message("system", words)

    def message(self, role: str, words: str) -> Part:
        return Part(f"{role}:{words}", json.dumps({"role": role, "content": words}))

    def parts(self, prompt: Prompt, marks: str | None) -> str:
        tools = ", ".join(part.sent for part in prompt.tools)
        said = ", ".join(part.sent for part in (prompt.system, *prompt.said))
        return f'"tools": [{tools}], "messages": [{said}]'


class _Messages(_Chat):
    """Anthropic's: the system prompt and the last message carry a mark."""

    def tool(self, words: str) -> Part:
        sent = json.dumps({"name": words, "input_schema": {}})
        return Part(sent, sent)

    def system(self, words: str) -> Part:
        sent = json.dumps({"type": "text", "text": words})
        return Part(sent, sent)

    def parts(self, prompt: Prompt, marks: str | None) -> str:
        tools = ", ".join(part.sent for part in prompt.tools)
        messages = [json.loads(part.sent) for part in prompt.said]
        system = json.loads(prompt.system.sent)
        if marks != "none":
            mark = {"cache_control": {"type": "ephemeral", "ttl": marks}}
            system |= mark
            block = {"type": "text", "text": messages[-1]["content"]} | mark
            messages[-1]["content"] = [block]
        rest = json.dumps({"system": [system], "messages": messages})
        return f'"max_tokens": 50, "tools": [{tools}], {rest[1:-1]}'


class _Gemini:
    """Google's own."""

    def tool(self, words: str) -> Part:
        sent = json.dumps({"functionDeclarations": [{"name": words}]})
        return Part(sent, sent)

    def system(self, words: str) -> Part:
        sent = json.dumps({"parts": [{"text": words}]})
        return Part(sent, sent)

    def message(self, role: str, words: str) -> Part:
        role = "model" if role == "assistant" else role
        sent = json.dumps({"role": role, "parts": [{"text": words}]})
        return Part(sent, sent)

    def parts(self, prompt: Prompt, marks: str | None) -> str:
        tools = ", ".join(part.sent for part in prompt.tools)
        said = ", ".join(part.sent for part in prompt.said)
        system = f'"systemInstruction": {prompt.system.sent}'
        return f'"tools": [{tools}], {system}, "contents": [{said}]'


_FORMS: dict[str, Any] = {
    "chat": _Chat(),
    "messages": _Messages(),
    "generate_content": _Gemini(),
}


def _reply(vendor: Vendor, model: str, total: int, read: int, written: int) -> bytes:
    """What the provider says that it counted."""
    if vendor.api == "messages":
        hourly = written if vendor.marks == "1h" else 0
        usage: dict[str, Any] = {
            "input_tokens": total - read - written,
            "cache_read_input_tokens": read,
            "cache_creation_input_tokens": written,
            "cache_creation": {"ephemeral_1h_input_tokens": hourly},
            "output_tokens": 10,
        }
        said = {"type": "message", "stop_reason": "end_turn", "content": []}
        return json.dumps(said | {"model": model, "usage": usage}).encode()
    if vendor.api == "generate_content":
        counts = {"promptTokenCount": total, "candidatesTokenCount": 10}
        counts |= {"cachedContentTokenCount": read} if read else {}
        return json.dumps({"modelVersion": model, "usageMetadata": counts}).encode()
    details = {"cached_tokens": read}
    if vendor.charges_writes:
        details["cache_write_tokens"] = written
    usage = {"prompt_tokens": total, "completion_tokens": 10}
    usage["prompt_tokens_details"] = details
    return json.dumps({"model": model, "choices": [], "usage": usage}).encode()
