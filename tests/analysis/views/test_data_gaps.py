"""How much can be relied on."""

import pytest

from lectr_lab.analysis.pricing.price_file import read_prices
from lectr_lab.analysis.pricing.priced import priced
from lectr_lab.analysis.views.data_gaps import (
    price_advice,
    streams_advice,
    streams_without_usage,
    unpriced_models,
    untagged_advice,
)
from lectr_lab.analysis.views.summary import totals


@pytest.mark.parametrize("name", ["own[1]*?", None])
def test_what_the_advice_says_to_write_prices_the_model(log_of, event, tmp_path, name):
    """Whatever its name, and where it has none."""
    names = {"model_requested": name, "model_sent": name, "model_actual": name}
    log = log_of([event(**names)])
    file = tmp_path / "prices.toml"
    said = price_advice(unpriced_models(priced(log)).collect())
    file.write_text(said.partition(":\n")[2].replace("…", "1"))

    found = priced(log, read_prices(file)).collect()["cost_usd"]

    assert found.to_list() == [0.0015]


def test_untagged_is_a_share_of_requests_and_of_spend(log_of, event):
    """One of four requests can be most of the money."""
    big = event(input_tokens=10_000_000)
    log = priced(log_of([big, *[event(feature="a")] * 3]))

    [row] = totals(log).collect().to_dicts()

    assert (row["untagged_requests"], row["untagged_of_requests"]) == (1, 0.25)
    assert row["untagged_of_spend"] > 0.99


def test_no_spend_has_no_untagged_share(log_of, failed):
    """Null where there is nothing to divide."""
    [row] = totals(priced(log_of([failed()]))).collect().to_dicts()

    assert (row["untagged_of_requests"], row["untagged_of_spend"]) == (1.0, None)


def test_rows_to_take_with_care_are_counted_by_reason(log_of, event):
    """Each reason on its own."""
    log = log_of(
        [
            event(token_source="tokenizer"),
            event(model_actual="x"),
            event(input_tokens=None),
            event(retry_count=1),
        ]
    )

    [row] = totals(priced(log)).collect().to_dicts()

    expected = {"estimated": 1, "unpriced": 1, "uncounted": 1, "retries": 1}
    assert row | expected | {"requests": 4} == row


def test_models_without_a_price_are_named(traffic):
    """With what they used, so that a price can be written."""
    [row] = unpriced_models(priced(traffic)).collect().to_dicts()

    assert (row["provider"], row["model"]) == ("azure", "our-own-llama")
    assert row["requests"] > 0 and row["input_tokens"] > row["output_tokens"] > 0


def test_advice_is_given_above_a_tenth():
    """Of requests or of spend; it names the header and where it goes."""
    assert untagged_advice(0.10, 0.10) is None
    assert untagged_advice(None, None) is None
    for advice in (untagged_advice(0.11, None), untagged_advice(0.0, 0.5)):
        assert "X-Lectr-Feature" in advice and "extra_headers" in advice


def test_an_empty_log_has_nothing_to_say(log_of):
    """No rows."""
    assert unpriced_models(priced(log_of([]))).collect().is_empty()


def test_features_that_stream_without_usage_are_named(log_of, event):
    """Chat and completions alone: the other APIs report without being asked."""
    silent = {"stream": True, "input_tokens": None, "token_source": "absent"}
    log = log_of(
        [
            event(feature="a", **silent),
            event(feature="a", **silent | {"token_source": "tokenizer"}),
            event(feature="b", include_usage=True, **silent),
            event(feature="c", operation="messages", **silent),
            event(feature="d", stream=True),
            event(feature="e", outcome="client_disconnect", **silent),
            event(feature=None, **silent),
        ]
    )

    found = streams_without_usage(log, org="local").collect()

    assert found.rows() == [("a", "openai", 2), ("untagged", "openai", 1)]


def test_advice_names_a_few_and_counts_the_others(log_of, event):
    """A sentence stays one, however many models or features there are."""
    log = priced(log_of([event(model_actual=f"own-{n}") for n in range(12)]))
    silent = log_of(
        [
            event(
                feature=f"f{n}", stream=True, input_tokens=None, token_source="absent"
            )
            for n in range(12)
        ]
    )

    models = price_advice(unpriced_models(log).collect())
    features = streams_advice(streams_without_usage(silent).collect())

    assert models.count("of openai (1)") == 5 and "and 7 more" in models
    assert "12 streams" in features and "f11, f2 and 7 more" in features
