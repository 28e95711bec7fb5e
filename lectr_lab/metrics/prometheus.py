"""Metrics in Prometheus' text, or as OpenMetrics where that is asked for."""

from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from lectr_lab.metrics.series import Distribution, Metric

Family = CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily
# https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/
# (checked 2026-11-30): dots are underscores, and the unit stands behind the name, but
# one in braces, which is none.
_UNITS = {"s": "_seconds", "USD": "_usd"}


def exposed(metrics: Iterable[Metric], accept: str = "") -> tuple[bytes, str]:
    """What a scrape is answered with, and its content type.

    Args:
        metrics: with their series.
        accept: the header of who asks.

    >>> exposed([])[1].startswith("text/plain")
    True
    """
    encode, content_type = choose_encoder(accept)
    registry = CollectorRegistry()
    registry.register(_Collector(lambda: map(_family, metrics)))
    return encode(registry), content_type


class _Collector(Collector):
    def __init__(self, families: Callable[[], Iterable[Family]]) -> None:
        self._families = families

    def collect(self) -> Iterator[Family]:
        yield from self._families()

    def describe(self) -> list[Family]:
        """Nothing is looked up to register it."""
        return []


def _family(metric: Metric) -> Family:
    name = metric.name.replace(".", "_") + _UNITS.get(metric.unit, "")
    labels = [attribute.replace(".", "_") for attribute in metric.attributes]
    if metric.kind == "histogram":
        histogram = HistogramMetricFamily(name, metric.about, labels=labels)
        for values, one in metric.points.items():
            assert isinstance(one, Distribution)
            bounds = [*map(str, map(float, metric.bounds)), "+Inf"]
            buckets = list(zip(bounds, accumulate(one.buckets), strict=True))
            histogram.add_metric(values, buckets, one.sum)
        return histogram
    kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    family: CounterMetricFamily | GaugeMetricFamily = kind(
        name, metric.about, labels=labels
    )
    for values, number in metric.points.items():
        assert not isinstance(number, Distribution)
        family.add_metric(values, number)
    return family
