"""The use of index keys by every process of the hub, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from ecluse.app.ports import Tally


class KeyUse:
    """Look-ups asked for and pseudonyms computed, since the hub was made: the same from whichever worker answers."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    def collect(self) -> Iterator[Metric]:
        """Two counters that must be equal, and by how much they are not."""
        totals = self._tally.everywhere()
        yield CounterMetricFamily("ecluse_lookups", "Look-ups the desk asked for", totals.asked)
        pseudonyms = CounterMetricFamily("ecluse_pseudonyms", "Pseudonyms computed", labels=["use"])
        pseudonyms.add_metric(["lookup"], totals.computed)
        pseudonyms.add_metric(["feed"], totals.filed)
        yield pseudonyms
        unasked = max(0, totals.computed - totals.asked)
        yield GaugeMetricFamily("ecluse_pseudonyms_unasked", "Computed for look-ups nobody asked for", unasked)


def meter_keys(tally: Tally) -> CollectorRegistry:
    """What `GET /metrics` says of keys."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(KeyUse(tally))
    return registry
