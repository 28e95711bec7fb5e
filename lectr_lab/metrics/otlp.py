"""Metrics as OTLP's JSON, and their way to a collector.

Sums are since the first day that was counted, so a push that failed is made good by the
next one, and a restart goes on where it was.
"""

import time
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import unquote

import httpx
import msgspec

from lectr_lab.core.errors import ConfigError
from lectr_lab.log.exporters.otel_names import SCOPE, otel_names
from lectr_lab.metrics.series import Distribution, Metric

HEADERS_VARIABLE = "OTEL_EXPORTER_OTLP_HEADERS"
_CUMULATIVE = 2
_TIMEOUT_S = 10.0


def as_json(metrics: Iterable[Metric], since: date, now_ns: int) -> bytes:
    """One ExportMetricsServiceRequest.

    Args:
        metrics: with their series.
        since: the first day that is counted (UTC).
        now_ns: nanoseconds since 1970.
    """
    start = datetime(since.year, since.month, since.day, tzinfo=UTC)
    times = {
        "startTimeUnixNano": str(int(start.timestamp()) * 10**9),
        "timeUnixNano": str(now_ns),
    }
    told = {
        "scope": {"name": SCOPE},
        "schemaUrl": f"https://opentelemetry.io/schemas/{otel_names().version}",
        "metrics": [_metric(one, times) for one in metrics if one.points],
    }
    resource = {"attributes": _attributes(("service.name",), ("lectr-lab",))}
    whole = {"resourceMetrics": [{"resource": resource, "scopeMetrics": [told]}]}
    return msgspec.json.encode(whole)


class Pusher:
    """Sends to one collector.

    Args:
        url: such as `http://127.0.0.1:4318/v1/metrics`.
        environ: OTEL_EXPORTER_OTLP_HEADERS, as `name=value,name=value`, goes with it.

    Raises:
        ConfigError: the URL is none.
    """

    def __init__(self, url: str, environ: Mapping[str, str]) -> None:
        if not url.startswith(("http://", "https://")):
            raise ConfigError(
                f"--otlp {url}: write a URL such as http://127.0.0.1:4318/v1/metrics."
            )
        pairs = environ.get(HEADERS_VARIABLE, "").split(",")
        named = (pair.partition("=") for pair in pairs if "=" in pair)
        own = {name.strip(): unquote(value.strip()) for name, _, value in named}
        self._url, self._headers = url, own | {"content-type": "application/json"}

    def push(self, metrics: Iterable[Metric], since: date) -> str | None:
        """Send them once; why that failed, without the URL's own secrets, or None."""
        body = as_json(metrics, since, time.time_ns())
        try:
            reply = httpx.post(
                self._url, content=body, headers=self._headers, timeout=_TIMEOUT_S
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return f"The collector cannot be reached: {type(error).__name__}"
        if reply.is_success:
            return None
        return f"The collector answered {reply.status_code}"


def _metric(metric: Metric, times: Mapping[str, str]) -> dict[str, Any]:
    points = [_point(metric, at, one, times) for at, one in metric.points.items()]
    told: dict[str, Any] = {
        "name": metric.name,
        "unit": metric.unit,
        "description": metric.about,
    }
    data: dict[str, Any] = {"dataPoints": points}
    if metric.kind != "gauge":
        data["aggregationTemporality"] = _CUMULATIVE
    if metric.kind == "counter":
        data["isMonotonic"] = True
    return told | {"sum" if metric.kind == "counter" else metric.kind: data}


def _point(
    metric: Metric,
    at: tuple[str, ...],
    one: float | Distribution,
    times: Mapping[str, str],
) -> dict[str, Any]:
    point: dict[str, Any] = {"attributes": _attributes(metric.attributes, at), **times}
    if isinstance(one, Distribution):
        return point | {
            "count": str(sum(one.buckets)),
            "sum": one.sum,
            "bucketCounts": [str(n) for n in one.buckets],
            "explicitBounds": list(metric.bounds),
        }
    return point | ({"asInt": str(one)} if isinstance(one, int) else {"asDouble": one})


def _attributes(names: tuple[str, ...], values: tuple[str, ...]) -> list[Any]:
    pairs = zip(names, values, strict=True)
    return [{"key": n, "value": {"stringValue": v}} for n, v in pairs if v]
