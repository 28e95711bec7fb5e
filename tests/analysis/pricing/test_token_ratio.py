"""Token counts for streams that reported none."""

import statistics
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.pricing.token_ratio import LEAST_REPORTED, with_ratios
from lectr_lab.analysis.views.spend import spend
from lectr_lab.core.llm_api.reply import ReplyReader
from lectr_lab.core.llm_api.request import read_request
from lectr_lab.tape.cassette import read_cassettes

ROOT = Path(__file__).parents[3]
PROVIDERS = ["openai", "anthropic", "azure", "gemini", "groq"]
ENDS = {"/chat/completions": "chat", "/responses": "responses"}
ENDS |= {"/messages": "messages", "/completions": "completions"}


@pytest.fixture(scope="session")
def reported(event):
    """A row whose provider counted: four characters a token in, five out."""
    return lambda **fields: event(
        prompt_chars=4000, output_chars=2500, stream=True, **fields
    )


@pytest.fixture(scope="session")
def silent(event):
    """A stream whose tokens nobody counted."""
    counts = {"input_tokens": None, "output_tokens": None, "token_source": "absent"}
    plain = {"prompt_chars": 800, "output_chars": 500, "stream": True}
    return lambda **fields: event(**(counts | plain | fields))


def test_a_silent_stream_is_counted_by_its_models_ratio(log_of, reported, silent):
    """As many tokens per character as the model's other rows, and said to be so."""
    log = log_of([*(reported() for _ in range(LEAST_REPORTED)), silent()])

    row = with_ratios(log).collect().row(-1, named=True)

    assert (row["input_tokens"], row["output_tokens"]) == (200, 100)
    assert row["token_source"] == "ratio"


def test_an_estimate_is_spend_that_is_said_to_be_estimated(log_of, reported, silent):
    """It is in the total, and counted beside it."""
    log = log_of([*(reported() for _ in range(LEAST_REPORTED)), silent()])

    row = spend(priced(with_ratios(log))).collect().row(0, named=True)

    assert (row["priced"], row["estimated"], row["uncounted"]) == (4, 1, 0)
    assert row["spend_usd"] == pytest.approx(3 * 0.00045 + 0.00009)


@pytest.mark.parametrize(
    "fields",
    [
        {"model_actual": "another-model"},
        {"prompt_chars": None},
        {"output_chars": None},
        {"stream": False},
        {"stream": None},
        {"outcome": "provider_error"},
        {"operation": "other"},
    ],
)
def test_what_cannot_be_estimated_stays_uncounted(log_of, reported, silent, fields):
    """Null, never 0."""
    log = log_of([*(reported() for _ in range(LEAST_REPORTED)), silent(**fields)])

    row = with_ratios(log).collect().row(-1, named=True)

    assert (row["input_tokens"], row["token_source"]) == (None, "absent")


def test_few_rows_teach_no_ratio(log_of, reported, silent):
    """Two reported rows are chance."""
    log = log_of([*(reported() for _ in range(LEAST_REPORTED - 1)), silent()])

    assert with_ratios(log).collect()["input_tokens"][-1] is None


@settings(max_examples=30, deadline=None)
@given(which=st.lists(st.booleans(), max_size=30))
def test_nothing_else_changes(log_of, reported, silent, which):
    """No row is lost or twice; columns and every count of a provider stay."""
    log = log_of([silent() if s else reported() for s in which]).with_row_index()

    found = with_ratios(log).collect().sort("index")

    assert found.schema == log.collect_schema()
    assert found["index"].to_list() == list(range(len(which)))
    kept = pl.col("token_source") != "ratio"
    assert found.filter(kept).equals(
        log.collect().filter(pl.col("index").is_in(found.filter(kept)["index"]))
    )


def streams_left_out(paths: list[Path]) -> pl.DataFrame:
    """Each recorded stream with usage: its counts, and those of the others' ratio."""
    calls = pl.DataFrame([row for one in read_cassettes(paths) for row in _row(one)])
    sums = [pl.col(c).sum().over("model") for c in ("i", "ic", "o", "oc")]
    i, ic, o, oc = (s - pl.col(s.meta.root_names()[0]) for s in sums)
    others = pl.len().over("model") - 1
    return calls.with_columns(
        input_error=(pl.col("ic") * i / ic / pl.col("i") - 1).abs(),
        output_error=(pl.col("oc") * o / oc / pl.col("o") - 1).abs(),
        others=others,
    ).filter(pl.col("others") >= LEAST_REPORTED, "stream")


def _row(one):
    path = one.uri.split("?")[0]
    operation = next((o for end, o in ENDS.items() if path.endswith(end)), None)
    if operation is None:
        return
    headers = {name.lower(): value for name, value in one.response_headers}
    kind = headers.get(b"content-type", b"").decode()
    encoding = headers.get(b"content-encoding", b"").decode()
    reader = ReplyReader(operation, one.status, kind, encoding)
    for chunk in one.chunks:
        reader.feed(chunk.data)
    told, asked = reader.finish(), read_request(one.request_body, operation)
    counts = {"i": told.input_tokens, "o": told.output_tokens, "oc": told.output_chars}
    counts["ic"] = asked.prompt_chars if asked else None
    if all(counts.values()):
        yield {"model": told.model_actual, "stream": "event-stream" in kind, **counts}


def test_the_stated_error_is_the_measured_one(shared):
    """The figures of the module's docstring, measured again."""
    hosted = streams_left_out([shared / "cassettes" / p for p in PROVIDERS])
    local = streams_left_out([ROOT / "cassettes/llama"])

    def said(found: pl.DataFrame) -> list[float]:
        return [
            round(statistics.median(found[f"{way}_error"]), 2)
            for way in ("input", "output")
        ]

    assert (said(local), local.height) == ([0.10, 0.13], 31)
    assert hosted.height == pytest.approx(17, abs=2)
    assert said(hosted) == pytest.approx([0.42, 0.24], abs=0.1)
