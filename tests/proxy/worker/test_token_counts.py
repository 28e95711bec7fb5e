"""The process that counts: its numbers, its error, and what it shows."""

import random
import statistics
from pathlib import Path
from typing import NamedTuple

import pytest

from lectr_lab.core.llm_api.reply import ReplyReader
from lectr_lab.core.llm_api.token_texts import encoding_of
from lectr_lab.proxy.worker.token_counts import (
    _counter,
    counts_of,
    is_installed,
)
from lectr_lab.tape.cassette import read_cassettes

ROOT = Path(__file__).parents[3]
ENDS = {"/chat/completions": "chat", "/completions": "completions"}
PROVIDERS = ["openai", "azure", "groq", "gemini", "anthropic"]


@pytest.mark.parametrize(
    ("encoding", "text", "tokens"),
    [
        ("cl100k_base", "tiktoken is great!", 6),  # as OpenAI's cookbook has it
        ("cl100k_base", "antidisestablishmentarianism", 6),
        ("o200k_base", "antidisestablishmentarianism", 6),
        ("cl100k_base", "2 + 2 = 4", 7),
        ("o200k_base", "お誕生日おめでとう", 8),
        ("cl100k_base", "お誕生日おめでとう", 9),
        ("o200k_base", "", 0),
        ("o200k_base", "\ud83d", 1),
    ],
)
def test_counts_are_the_known_ones(encoding, text, tokens):
    """Those that OpenAI publishes, and none for what cannot be."""
    assert is_installed()
    assert _counter(encoding)(text) == tokens


class Compared(NamedTuple):
    """A recorded reply: what the provider counted, and what we do."""

    provider: str
    stream: bool
    known: bool
    input_error: float
    output_error: float


def compared(paths: list[Path]) -> list[Compared]:
    """Each recorded reply that reports usage and can be counted."""
    return [row for one in read_cassettes(paths) for row in _row(one)]


def _row(one):
    path = one.uri.split("?")[0]
    end = next((e for e in ENDS if path.endswith(e)), None)
    if end is None:
        return
    headers = {name.lower(): value.decode() for name, value in one.response_headers}
    kind = headers.get(b"content-type", "")
    coding = headers.get(b"content-encoding", "")
    reader = ReplyReader(ENDS[end], one.status, kind, coding)
    reader.feed(one.body)
    told = reader.finish()
    if not told.input_tokens or not told.output_tokens:
        return
    encoding = encoding_of(told.model_actual)
    counts = counts_of(
        encoding or "o200k_base", ENDS[end], coding, one.request_body or b"", [one.body]
    )
    if counts is not None:
        yield Compared(
            one.provider or "local",
            "event-stream" in kind,
            encoding is not None,
            abs(counts.input_tokens / told.input_tokens - 1),
            abs(counts.output_tokens / told.output_tokens - 1),
        )


def stated(errors: list[float]) -> str:
    """The median in per cent, with a 95 % bootstrap interval, and n."""
    draw = random.Random(0)
    medians = sorted(
        statistics.median(draw.choices(errors, k=len(errors))) for _ in range(2000)
    )
    low, high = medians[50], medians[-51]
    middle = statistics.median(errors)
    return f"{middle:.0%} ({low * 100:.0f} to {high * 100:.0f}), n {len(errors)}"


def both(rows: list[Compared]) -> tuple[str, str]:
    return stated([r.input_error for r in rows]), stated([r.output_error for r in rows])


def test_the_stated_error_is_the_measured_one(shared):
    """The figures of the module's docstring, measured again."""
    hosted = compared([shared / "cassettes" / name for name in PROVIDERS])
    local = compared([ROOT / "cassettes/llama"])
    known = [row for row in hosted if row.known]
    streams = [row for row in known if row.stream]
    of_openai = [row for row in streams if row.provider == "openai"]

    assert both(streams) == ("0% (0 to 0), n 7", "0% (0 to 5), n 7")
    assert both(of_openai) == ("0% (0 to 0), n 6", "0% (0 to 2), n 6")
    assert both(known) == ("0% (0 to 0), n 15", "0% (0 to 0), n 15")
    assert max(row.input_error for row in known) == pytest.approx(0.07, abs=0.005)
    assert max(row.output_error for row in known) == pytest.approx(0.10, abs=0.005)
    assert both([row for row in local if row.stream]) == (
        "10% (10 to 10), n 31",
        "9% (7 to 13), n 31",
    )
    gemini = [row for row in hosted if row.stream and row.provider == "gemini"]
    assert [round(row.input_error, 2) for row in gemini] == [2.33, 2.33]
