"""OTLP in JSON."""

import json
import os
import threading
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from metrics_rows import events, made

from lectr_lab.core.errors import ConfigError
from lectr_lab.metrics.otlp import HEADERS_VARIABLE, Pusher, as_json

DAY = date(2026, 11, 24)


def metrics_of(body: bytes) -> dict[str, dict]:
    [resource] = json.loads(body)["resourceMetrics"]
    [scope] = resource["scopeMetrics"]
    return {metric["name"]: metric for metric in scope["metrics"]}


def test_sums_are_cumulative_since_the_first_day():
    """And as many as the rows; the times are the same for all points."""
    found = metrics_of(as_json(made(events(0, 50)), DAY, 7))
    told = found["lectr.requests"]["sum"]

    assert sum(int(point["asInt"]) for point in told["dataPoints"]) == 50
    assert (told["aggregationTemporality"], told["isMonotonic"]) == (2, True)
    times = {(p["startTimeUnixNano"], p["timeUnixNano"]) for p in told["dataPoints"]}
    assert times == {("1795478400000000000", "7")}
    duration = found["gen_ai.client.operation.duration"]["histogram"]["dataPoints"]
    for point in duration:
        assert len(point["bucketCounts"]) == len(point["explicitBounds"]) + 1
        assert sum(map(int, point["bucketCounts"])) == int(point["count"])


def test_it_parses_as_opentelemetrys_own_message():
    """Nothing in it that the protocol does not know."""
    try:
        from google.protobuf.json_format import Parse
        from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
            ExportMetricsServiceRequest,
        )
    except ModuleNotFoundError:
        if os.environ.get("CI") == "true":
            pytest.fail("CI must have opentelemetry-proto: it is in the extra `dev`")
        pytest.skip("needs opentelemetry-proto")
    message = Parse(as_json(made(events(0, 50)), DAY, 7), ExportMetricsServiceRequest())

    [scope] = message.resource_metrics[0].scope_metrics
    [requests] = [one for one in scope.metrics if one.name == "lectr.requests"]
    assert sum(point.as_int for point in requests.sum.data_points) == 50


class Collector(BaseHTTPRequestHandler):
    """Keeps what it is sent."""

    got: list = []  # noqa: RUF012 - made anew for each test
    status = 200

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        type(self).got.append((self.path, dict(self.headers), body))
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *_) -> None:
        pass


@pytest.fixture
def collector():
    """One on loopback; its class and its URL."""
    kept = type("Kept", (Collector,), {"got": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), kept) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield kept, f"http://127.0.0.1:{server.server_port}/v1/metrics"
        server.shutdown()
        thread.join()


def test_a_push_arrives_with_the_operators_headers(collector):
    """As JSON."""
    kept, url = collector
    pusher = Pusher(url, {HEADERS_VARIABLE: "Authorization=Bearer%20mine, x-a=b"})
    fault = pusher.push(made(events(0, 5)), DAY)

    [(path, headers, body)] = kept.got
    told = {name.lower(): value for name, value in headers.items()}
    assert (fault, path) == (None, "/v1/metrics")
    assert told["content-type"] == "application/json"
    assert (told["authorization"], told["x-a"]) == ("Bearer mine", "b")
    assert "lectr.requests" in metrics_of(body)


def test_what_goes_wrong_is_said_without_a_secret(collector):
    """An answer that is none, nobody there, no URL."""
    kept, url = collector
    kept.status = 503
    environ = {HEADERS_VARIABLE: "Authorization=hidden"}
    said = [
        Pusher(at, environ).push(made(events(0, 5)), DAY)
        for at in (url, "http://127.0.0.1:1/v1/metrics")
    ]

    assert said == [
        "The collector answered 503",
        "The collector cannot be reached: ConnectError",
    ]
    with pytest.raises(ConfigError, match="write a URL"):
        Pusher("collector:4318", {})
