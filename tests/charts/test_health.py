"""Latency and errors, drawn."""

import polars as pl
import pytest

from lectr_lab.charts import error_rates, latency_ranges


def timed(prefix: str = "total", n: int = 50, factor: float = 1.0) -> dict[str, float]:
    of = {"p50_ms": 400.0 * factor, "p95_ms": 900.0 * factor, "p99_ms": 2000.0 * factor}
    return {"requests": n, f"{prefix}_n": n} | {
        f"{prefix}_{k}": v for k, v in of.items()
    }


def test_latency_is_drawn_whatever_the_features_are_called(view, groups, drawn, texts):
    """Empty, one, and hostile names."""
    chart = latency_ranges(view(groups, **timed()))

    assert "<script>" not in drawn(chart)
    assert texts(chart).count("400 ms · 900 ms · n 50") == len(groups)


@pytest.mark.parametrize(
    "n, said", [(50, "one in 20 takes over 900 ms"), (3, "median of 3")]
)
def test_few_requests_have_no_one_in_twenty(view, n, said):
    """The title claims what n can carry."""
    assert said in latency_ranges(view(["a"], **timed(n=n))).title.text


def test_what_was_not_timed_is_left_out(view, rows_of):
    """No row at 0 ms."""
    frame = view(["a", "b"], **timed()).with_columns(total_n=pl.Series([50, 0]))

    assert rows_of(latency_ranges(frame))["label"].to_list() == ["a"]


def test_durations_far_apart_get_a_logarithmic_scale(view):
    """So that the quick ones are seen beside the slow."""
    apart = pl.concat([view(["a"], **timed()), view(["b"], **timed(factor=100))])

    scales = [
        latency_ranges(frame).to_dict()["layer"][0]["encoding"]["x"]["scale"]
        for frame in (apart, view(["a"], **timed()))
    ]

    assert [scale.get("type") for scale in scales] == ["log", None]
    assert scales[1]["domain"][0] == 0


def test_any_duration_can_be_drawn(view, texts, rows_of):
    """TTFT as well as total, slowest on top."""
    frame = pl.concat(
        [view(["quick"], **timed("ttft")), view(["slow"], **timed("ttft", factor=2))]
    )

    chart = latency_ranges(frame, of="ttft")

    assert rows_of(chart)["label"].to_list() == ["slow", "quick"]
    assert "1.8 s" in texts(chart)


RATES = {"error_rate": 0.1, "error_rate_low": 0.03, "error_rate_high": 0.3}


def test_error_rates_are_drawn_with_their_counts(view, groups, drawn, texts):
    """Empty, one, and hostile names."""
    chart = error_rates(view(groups, requests=20, errors=2, **RATES))

    assert "<script>" not in drawn(chart)
    assert texts(chart).count("10 % · 2 of 20") == len(groups)


@pytest.mark.parametrize(
    "errors, said", [(2, "a: 2 of 20 requests failed"), (0, "No request failed")]
)
def test_the_title_says_what_failed(view, errors, said):
    """In counts, which say more than a rate of few."""
    assert (
        error_rates(view(["a"], requests=20, errors=errors, **RATES)).title.text == said
    )
