"""How fast displayed people become their insurer's encrypted list, and what memory that takes.

On an envelope: a person's key derived and their number opened 9 µs, two instants, the names of fields and a category 5 µs, a line
of CSV 4 µs and of Parquet 6 µs: 25 µs. Encrypting 200 bytes is 0.5 µs. Memory: the two files and their encrypted forms.
Budget: a million displayed people in 60 s, all of a pack: 17 000/s. What the lake is asked first is not in it.
The peer is the CSV alone, of rows that are there already, and nothing is encrypted.

    python -m bench.lists [--people 1000000] [--json]
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from pyrage import x25519

from bench.results import keep
from ecluse.app.access import seal_who
from ecluse.app.exposure.lists import sealed_lists
from ecluse.app.hub import Hub
from ecluse.engines.keys.file import KeyFile
from ecluse.exposure.answer import Exposure
from ecluse.exposure.shown import Shown
from ecluse.journal.member import Member
from ecluse.wiring import ENVELOPES

BUDGET_PER_S = 17_000
AMC = "0075123456"
START_US = 1_770_681_600_000_000
WEEK_US = 7 * 86_400_000_000
FIELDS = (63, 192, 577)  # of a rights check, a quote, a claim
PASSPHRASE = "six words drawn by dice"


def people(keys: KeyFile, count: int) -> list[Shown]:
    """Members of one insurer, each shown some times in a week."""
    return [_shown(keys, number) for number in range(count)]


def _shown(keys: KeyFile, number: int) -> Shown:
    person = sha256(b"%d" % number).digest()[:16]
    first_us = START_US + number * 7_919_000_003 % WEEK_US
    who = seal_who(keys, AMC, person, Member(f"{number:013d}", "19800101", 1))
    return Shown(
        AMC, person, FIELDS[number % 3], first_us, START_US + WEEK_US, 1 + number % 4, number % 3, number % 2 == 0, who
    )


def measure(count: int) -> dict[str, Any]:
    """People a second by the clock and by the processor; memory above what was there before."""
    with tempfile.TemporaryDirectory(prefix="ecluse-bench-") as home:
        keys = KeyFile(Path(home) / "hub.keys", PASSPHRASE)
        keys.create(AMC)
        shown = people(keys, count)
        hub = cast(Hub, SimpleNamespace(keys=keys, exposure=SimpleNamespace(envelopes=ENVELOPES)))
        exposure = cast(Exposure, SimpleNamespace(exposure_id="exp_1"))
        recipients = {AMC: str(x25519.Identity.generate().to_public())}
        before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        wall_s, cpu_s = timed(lambda: sealed_lists(hub, exposure, shown, recipients, lambda *_: None))
        after_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        _, peer_s = timed(lambda: naive(shown))
    return {
        "name": "lists",
        "people": count,
        "people_per_s": round(count / wall_s),
        "people_per_cpu_s": round(count / cpu_s),
        "peer_per_cpu_s": round(count / peer_s),
        "mib_more": (after_kib - before_kib) // 1024,
        "load": round(os.getloadavg()[0], 1),
        "budget_per_s": BUDGET_PER_S,
        "held": count / wall_s >= BUDGET_PER_S,
    }


def naive(shown: list[Shown]) -> bytes:
    """CSV of what is there, instants as `datetime` writes them."""
    text = io.StringIO()
    csv.writer(text).writerows(
        (each.person.hex(), each.fields, _at(each.first_ts_us), _at(each.last_ts_us), each.times, each.typed)
        for each in shown
    )
    return text.getvalue().encode()


def _at(ts_us: int) -> str:
    return datetime.fromtimestamp(ts_us / 1_000_000, UTC).isoformat(timespec="seconds")


def timed(act: Callable[[], object]) -> tuple[float, float]:
    """Seconds of the clock, and of the processor."""
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    act()
    return time.perf_counter() - began_s, time.process_time() - began_cpu_s


def main() -> int:
    """Print the measure; exit code 1 when the budget is not held."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=200_000, help="displayed members of one insurer")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of sentences")
    parser.add_argument("--keep", action="store_true", help="write the figures to bench/results/")
    given = parser.parse_args()
    found = measure(given.people)
    if given.keep:
        keep(f"lists-{given.people}", found)
    print(json.dumps(found) if given.json else "\n".join(f"{name}: {value}" for name, value in found.items()))
    return 0 if found["held"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
