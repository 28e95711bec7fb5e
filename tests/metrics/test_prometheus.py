"""Prometheus' text."""

import os
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metrics_rows import events, made
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parsed_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parsed

from lectr_lab.metrics.prometheus import exposed

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def samples(text: str, name: str, parse=parsed) -> list[tuple[dict, float]]:
    return [
        (sample.labels, sample.value)
        for family in parse(text)
        for sample in family.samples
        if sample.name == name
    ]


@pytest.mark.parametrize(
    "accept, parse",
    [("", parsed), (OPENMETRICS, parsed_openmetrics)],
    ids=["text", "om"],
)
def test_the_sums_are_the_rows_in_either_form(accept, parse):
    """As its own parser reads it; buckets include those below them."""
    body, content_type = exposed(made(events(0, 50)), accept)
    text = body.decode()

    requests = samples(text, "lectr_requests_total", parse)
    assert sum(n for _, n in requests) == 50
    name = "gen_ai_client_operation_duration_seconds"
    ends = samples(text, f"{name}_bucket", parse)
    counted = samples(text, f"{name}_count", parse)
    assert sum(n for labels, n in ends if labels["le"] == "+Inf") == 30
    assert sum(n for _, n in counted) == 30
    assert ("openmetrics" in content_type) == bool(accept)


@given(name=st.text(min_size=1, max_size=20))
@settings(max_examples=50)
def test_any_name_is_read_back(name):
    """Quotes, backslashes, other scripts: a client's word breaks no scrape."""
    body, _ = exposed(made(events(0, 1, feature=name)))

    [(labels, n)] = samples(body.decode(), "lectr_requests_total")
    assert (labels["lectr_org"], n) == ("acme", 1)


def test_promtool_has_nothing_to_say():
    """Prometheus' own checker of names, units and help."""
    promtool = shutil.which("promtool")
    if promtool is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI must have promtool: apt-get install prometheus")
        pytest.skip("needs promtool: apt-get install prometheus")
    body, _ = exposed(made(events(0, 50, feature='a"b\\c\nd')))

    done = subprocess.run(
        [promtool, "check", "metrics"], input=body, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
