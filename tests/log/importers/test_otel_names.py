"""Every convention's names: one call, one row, whoever wrote it down."""

import pytest

from lectr_lab.core.event import columns
from lectr_lab.log.importers import otel_names
from lectr_lab.log.importers.fields import fitted
from lectr_lab.log.importers.otel_names import NO_CALL, facts_of, kind_of, total_of

COLUMNS = {c.name for c in columns()}
FILE = otel_names._names()


@pytest.mark.parametrize("column", sorted(FILE.columns))
def test_every_name_of_the_table_is_read(column):
    """Alone, into its column."""
    assert column in COLUMNS
    for name in FILE.columns[column]:
        value = "12" if column.endswith("tokens") else "0"
        assert fitted(
            column, facts_of({name: value})[column]
        ) is not None or column in (
            "status",
            "feature",
        )


def test_no_name_is_two_columns():
    """Of two, one would be wrong."""
    names = [name for names in FILE.columns.values() for name in names]

    assert len(names) == len(set(names))


def test_the_standard_name_counts_before_older_ones():
    """An instrumentation may write both."""
    both = {"gen_ai.usage.input_tokens": 3, "gen_ai.usage.prompt_tokens": 2}

    assert facts_of(both)["input_tokens"] == 3


@pytest.mark.parametrize(
    ("attribute", "ms"),
    [
        ("gen_ai.response.time_to_first_chunk", 250.0),
        ("gen_ai.server.time_to_first_token", 250.0),
        ("ai.response.msToFirstChunk", 0.25),
    ],
)
def test_times_have_our_unit(attribute, ms):
    """Seconds or milliseconds, as the name has it."""
    assert facts_of({attribute: 0.25})["ttft_ms"] == ms


def test_lists_totals_and_kinds():
    """The first of a list; all tokens; what a span is."""
    assert facts_of({"gen_ai.response.finish_reasons": ["stop", "x"]})[
        "finish_reason"
    ] == ("stop")
    assert total_of({"llm.usage.total_tokens": 7}) == 7
    assert total_of({}) is None
    assert kind_of({"ai.operationId": "ai.streamText.doStream"}) == "chat"
    assert kind_of({"traceloop.span.kind": "workflow"}) == NO_CALL


def test_what_no_table_names_is_nowhere():
    """A prompt is not."""
    said = {"gen_ai.input.messages": "hello", "llm.prompts.0.content": "hello"}

    assert "hello" not in str(facts_of(said))
