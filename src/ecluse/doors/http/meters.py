"""What is counted and timed, and how the processes of one hub answer `/metrics` as one.

Each process counts in its own memory, which costs a request nothing more, and puts its sums in `run/` once a second; whoever
is scraped adds the others' to its own (docs/decisions/0011-operations.md). No label names a person or an account.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from ecluse import __version__
from ecluse.app.ports import FeedRecord, Log, Mark, Upkeep
from ecluse.gate.alerts import Alert

BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
SYNC_BUCKETS_S = (0.0001, 0.0002, 0.0005, *BUCKETS_S)  # an SSD that keeps its promises takes 0.1 to 2 ms
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)  # entries in one sync; `BATCH_MAX` of app/access.py is the last
GONE_S = 10  # a process tells every second; one that was silent this long is no more

disable_created_metrics()  # type: ignore[no-untyped-call]
REGISTRY = CollectorRegistry()
ANSWERS = Counter("ecluse_answers", "HTTP answers", ["route", "status"], registry=REGISTRY)
SECONDS = Histogram("ecluse_answer_seconds", "Time to answer", ["route"], buckets=BUCKETS_S, registry=REGISTRY)
REFUSALS = Counter("ecluse_refusals", "Refusals over HTTP", ["code"], registry=REGISTRY)
IN_FLIGHT = Gauge("ecluse_in_flight", "Requests being answered", registry=REGISTRY)
QUEUED = Gauge("ecluse_queued", "Requests waiting for a place", registry=REGISTRY)
WORKERS = Gauge("ecluse_workers", "Processes that answer", registry=REGISTRY)
BATCH = Histogram("ecluse_journal_batch_entries", "Entries in one sync", buckets=BATCHES, registry=REGISTRY)
SYNC = Histogram("ecluse_journal_sync_seconds", "Time of one sync", buckets=SYNC_BUCKETS_S, registry=REGISTRY)
STORE = CollectorRegistry()  # what the store says is the same whoever asks it: never added up
FEEDS = Gauge("ecluse_feeds", "Member files by state", ["state"], registry=STORE)
WAITING = Gauge("ecluse_feed_waiting_seconds", "Age of the oldest member file that is not finished", registry=STORE)
FEED_ROWS = Counter("ecluse_feed_rows", "Rows of files received over HTTP, by state", ["state"], registry=REGISTRY)
RETRIES = Gauge("ecluse_database_retries", "Units of work begun again, and servers found again", registry=REGISTRY)
WITNESSED = Counter("ecluse_witness_answers", "Answers of witnesses", ["witness", "outcome"], registry=REGISTRY)
ISSUERS = Counter(
    "ecluse_issuer_answers", "Answers of issuers asked for keys", ["issuer", "outcome"], registry=REGISTRY
)
ALERTS = Counter("ecluse_gate_alerts", "Alerts of the gate's detectors", ["signal", "step"], registry=REGISTRY)
UNSEEN = Gauge("ecluse_gate_waiting", "Questions that the detectors have not seen yet", registry=STORE)
for _outcome in ("loaded", "refused"):
    FEED_ROWS.labels(_outcome)  # 0 is told too
TELL_S = 1.0  # between two tellings of a process that answers nobody; well below `GONE_S`

Sample = tuple[str, dict[str, str], float]
Family = tuple[str, str, str, list[Sample]]  # name, documentation, type, samples

_families = msgspec.json.Decoder(list[Family]).decode


class MeteredLog:
    """A `Log` around another, whose batches are counted and timed."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.ready = log.ready
        self.is_ahead = log.is_ahead
        self.unkept = log.unkept

    def append(self, entries: Sequence[bytes]) -> Mark:
        """Write the batch, and note how many entries shared the sync and how long it took."""
        started_s = time.perf_counter()
        mark = self._log.append(entries)
        SYNC.observe(time.perf_counter() - started_s)
        BATCH.observe(len(entries))
        return mark


async def meter_store(upkeep: Upkeep) -> None:
    """Ask the store what it holds."""
    for state, count in (await upkeep.feeds()).items():
        FEEDS.labels(state).set(count)
    since_ts_us = await upkeep.waiting_since_ts_us()
    WAITING.set(max(0.0, time.time() - since_ts_us / 1e6) if since_ts_us else 0)


def count_feed(feed: FeedRecord) -> None:
    """Count the rows of a finished feed: all of them loaded, or those refused."""
    FEED_ROWS.labels("loaded").inc(feed.counts.rows if feed.state == "loaded" else 0)
    FEED_ROWS.labels("refused").inc(feed.counts.refused_rows)


def count_witness(witness: str, outcome: str) -> None:
    """Count a witness's answer; anything but `cosigned` is worth a look, `refused` and `ahead` are alarms."""
    WITNESSED.labels(witness, outcome).inc()


def count_alert(alert: Alert) -> None:
    """Count an alert of a detector, by its signal and the step it asks for."""
    ALERTS.labels(alert.signal.name.lower(), alert.step.name.lower()).inc()


def meter_gate(waiting: int) -> None:
    """Tell how many questions wait for the detectors: more than some hundred, and nobody watches."""
    UNSEEN.set(waiting)


def count_issuer(issuer: str, outcome: str) -> None:
    """Count what came of asking an issuer for its keys: `failed` that goes on ends in nobody being recognised."""
    ISSUERS.labels(issuer, outcome).inc()


class Board(Collector):
    """The folder where the processes of a hub put their sums. `collect` is their total, seen from this process."""

    def __init__(self, folder: Path, *, answers: bool = True) -> None:
        self._folder = folder
        self._own = folder / f"metrics-{os.getpid()}.json"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        WORKERS.set(answers)

    def tell(self) -> None:
        """Put this process's sums where the others find them; never half a file."""
        beside = self._own.with_suffix(".new")
        beside.write_bytes(msgspec.json.encode(_now()))
        beside.replace(self._own)

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Tell every second until the end of the block, whatever this process is busy with."""
        ended = Event()

        def tell() -> None:
            while not ended.wait(TELL_S):
                self.tell()

        teller = Thread(target=tell, name="metrics", daemon=True)
        teller.start()
        try:
            yield
        finally:
            ended.set()
            teller.join()
            self.withdraw()

    def withdraw(self) -> None:
        """This process answers no more."""
        self._own.unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove what processes that are gone have left."""
        for left in self._folder.glob("metrics-*"):
            if not _fresh(left):
                left.unlink(missing_ok=True)

    def collect(self) -> Iterator[Metric]:
        """Every family, its samples added over the processes."""
        told = [_now(), *(each for path in self._others() if (each := _read(path)))]
        for name, (documentation, kind, samples) in _added(family for each in told for family in each).items():
            metric = Metric(name, documentation, kind)
            for (sample, labels), value in samples.items():
                metric.add_sample(sample, dict(labels), value)
            yield metric
        build = Metric("ecluse_build", "What runs", "info")
        build.add_sample("ecluse_build_info", {"version": __version__, "python": platform.python_version()}, 1)
        yield build

    def _others(self) -> list[Path]:
        return [path for path in self._folder.glob("metrics-*.json") if path != self._own and _fresh(path)]


def _now() -> list[Family]:
    return [
        (each.name, each.documentation, each.type, [(one.name, one.labels, one.value) for one in each.samples])
        for each in REGISTRY.collect()
    ]


def _added(
    families: Iterable[Family],
) -> dict[str, tuple[str, str, dict[tuple[str, tuple[tuple[str, str], ...]], float]]]:
    total: dict[str, tuple[str, str, dict[tuple[str, tuple[tuple[str, str], ...]], float]]] = {}
    for name, documentation, kind, samples in families:
        sums = total.setdefault(name, (documentation, kind, {}))[2]
        for sample, labels, value in samples:
            key = (sample, tuple(labels.items()))
            sums[key] = sums.get(key, 0) + value
    return total


def _read(path: Path) -> list[Family]:
    try:
        return _families(path.read_bytes())
    except FileNotFoundError:  # it stopped between the listing and the reading
        return []


def _fresh(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime < GONE_S
    except FileNotFoundError:
        return False
