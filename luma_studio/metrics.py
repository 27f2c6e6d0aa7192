"""Metrics for those who run the studio, in the text form of Prometheus.

They are read from what the workspace keeps anyway (jobs, ledger, counts), so they hold over all its processes and
starts, and nothing has to be running for them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from luma_studio.store import tally
from luma_studio.studio import STORE, Studio

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def metrics(studio: Studio) -> str:
    """Counts and times of jobs, calls to vendors, and how many takes were here before they were asked for.

    Raises StoreError where jobs or ledger cannot be read.
    """
    registry = CollectorRegistry()
    registry.register(_Collector([*_jobs(studio), *_calls(studio), _takes(studio)]))
    return generate_latest(registry).decode()


class _Collector(Collector):
    """Gives what was read."""

    def __init__(self, found: list[Metric]) -> None:
        self._found = found

    def collect(self) -> Iterable[Metric]:
        return self._found


def _jobs(studio: Studio) -> Iterable[Metric]:
    """Of the jobs that are kept: those that ended long ago are cleaned away, so these can fall."""
    count: Counter[tuple[str, str]] = Counter()
    took: defaultdict[tuple[str, str], float] = defaultdict(float)
    waited: defaultdict[tuple[str, str], float] = defaultdict(float)
    for job in studio.jobs.every():
        key = job.kind, job.state
        count[key] += 1
        if job.began is not None:
            waited[key] += job.began - job.created
            took[key] += (job.ended or job.changed) - job.began
    yield _gauge("luma_jobs", "Jobs that are kept.", ("kind", "state"), count)
    yield _gauge("luma_jobs_seconds", "Seconds that these took since they began.", ("kind", "state"), took)
    yield _gauge("luma_jobs_waited_seconds", "Seconds that these waited to begin.", ("kind", "state"), waited)


def _calls(studio: Studio) -> Iterable[Metric]:
    count: Counter[tuple[str, str, str]] = Counter()
    took: defaultdict[tuple[str, str], float] = defaultdict(float)
    dollars: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for entry in studio.ledger.entries():
        to = entry.purchase.vendor, entry.purchase.what
        count[*to, entry.outcome] += 1
        if entry.answered is not None:
            took[to] += entry.answered - entry.asked
        if entry.outcome != "refused":
            dollars[to] += (entry.purchase.price if entry.cost is None else entry.cost) or 0
    labels = ("vendor", "model")
    yield _counter("luma_vendor_calls", "Paid calls to vendors.", (*labels, "outcome"), count)
    yield _counter("luma_vendor_seconds", "Seconds until these were answered.", labels, took)
    yield _counter("luma_vendor_dollars", "US dollars that these cost, as far as is known.", labels, dollars)


def _takes(studio: Studio) -> Metric:
    counted = tally.read(studio.folder / STORE)
    counts = {(outcome,): count for (what, outcome), count in counted.items() if what == "take"}
    return _counter("luma_takes", "Takes wanted: cached ones were here, done ones were spoken.", ("outcome",), counts)


def _gauge(name: str, about: str, labels: Sequence[str], values: Mapping[Any, float]) -> Metric:
    return _filled(GaugeMetricFamily(name, about, labels=labels), values)


def _counter(name: str, about: str, labels: Sequence[str], values: Mapping[Any, Decimal | float]) -> Metric:
    return _filled(CounterMetricFamily(name, about, labels=labels), values)


def _filled(family: GaugeMetricFamily | CounterMetricFamily, values: Mapping[Any, Decimal | float]) -> Metric:
    for labels, value in sorted(values.items()):
        family.add_metric(list(labels), float(value))
    return family
