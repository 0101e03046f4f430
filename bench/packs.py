"""How fast an incident becomes its insurers' packs: the lake asked, seals opened, lists, letters' rows, forms, encrypted.

    python -m bench.packs [--people 1000000 --insurers 100] [--proofs] [--keep]

A hub of its own, whose journal is written entry by entry as the desk would (sealed members, a stolen account) and exported to its
lake; then the incident as the commands do it: opened, scoped, decided, packed. Timed: what `ecluse incident pack` does.
On an envelope, a person: opened and put into CSV and Parquet 27 µs (`bench.lists`), into the letters' two files 25 µs, asked of
the lake 10 µs: 62 s of processor a million. Budget: a million people of a hundred insurers in 120 s, proofs apart.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from pyrage import x25519

from bench.results import keep
from ecluse.app.access import seal_who
from ecluse.app.exposure.proofs import Proofs
from ecluse.app.incidents.acts import add_fact, decide, open_incident, scope
from ecluse.app.incidents.packs import Making, make_packs
from ecluse.app.recipients import set_key
from ecluse.doors.cli.pack_folder import FolderOfPacks
from ecluse.doors.cli.pack_proofs import SpoolOfProofs
from ecluse.doors.incidents.page import page
from ecluse.exposure.question import read_question
from ecluse.journal.entry import FORMAT, Entry, Field, Operation, encode
from ecluse.journal.member import Member
from ecluse.wiring import ENVELOPES, OpenHub, init_hub, lake_files, open_hub
from ecluse.wiring.journal import provable
from ecluse.wiring.letters import printed_form

BUDGET_PER_S = 1_000_000 / 120
THIEF, PRACTICE, BY = "rpps:10000000019", "370000028", "Anne Martin, DPO"
TOGETHER = 512  # entries in one sync, as the desk writes them
SHOWN = Field.OUTCOME | Field.THIRD_PARTY_PAYMENT | Field.COVERED_UNTIL


def quiet(_step: str, _done: int, _of: int) -> None:
    """Nobody looks."""


def fill(hub: OpenHub, people: int, insurers: int, since: datetime) -> None:
    """Everybody displayed once, by the stolen account, a second apart at most."""
    names = [f"{75_000_000 + number:010}" for number in range(insurers)]
    recipient = str(x25519.Identity.generate().to_public())
    for name in names:
        hub.keys.create(name)
        hub.run(set_key(hub, ENVELOPES, name, recipient))
    start_us = int(since.timestamp() * 1_000_000)
    batch: list[bytes] = []
    for number in range(people):
        batch.append(encode(entry(hub, number, names[number % insurers], start_us + number * 1_000)))
        if len(batch) == TOGETHER or number == people - 1:
            hub.log.append(batch)
            batch = []


def entry(hub: OpenHub, number: int, insurer: str, ts_us: int) -> Entry:
    """The entry of one display, as the desk would write it."""
    person = sha256(b"%d" % number).digest()[:16]
    who = seal_who(hub.keys, insurer, person, Member(f"{number:013d}", "1980-01-01", 1))
    said = (THIEF, PRACTICE, insurer, person, 0, SHOWN.value, "confirmed", "", f"chk_{number:020}", b"", who)
    return Entry(FORMAT, ts_us, Operation.RIGHTS_CHECK, *said)


def measure(people: int, insurers: int, *, proofs: bool) -> dict[str, Any]:
    """Seconds of each step, and people a second of the packs."""
    with tempfile.TemporaryDirectory(prefix="ecluse-bench-") as home:
        directory, out = Path(home) / "hub", Path(home) / "packs"
        init_hub(directory)
        since = datetime.now(UTC) - timedelta(hours=2)
        steps: dict[str, float] = {}
        with open_hub(directory) as hub:
            fill(hub, people, insurers, since)
        with open_hub(directory) as hub:
            hub.run(hub.recover())
            question = read_question([THIEF], since.isoformat(), (since + timedelta(hours=1)).isoformat())
            name, _ = hub.run(open_incident(hub, BY, question, hub.now_ts_us, "Un appel du titulaire."))
            hub.run(add_fact(hub, name, BY, "cause", "external_malicious"))
            hub.run(add_fact(hub, name, BY, "recipient", "criminal"))
            lake_files(directory).export(quiet)
            timed(steps, "scope_s", lambda: hub.run(scope(hub, name, BY, quiet)))
            timed(steps, "decide_s", lambda: hub.run(decide(hub, name, BY)))
            lake_files(directory).export(quiet)
            spool = SpoolOfProofs(out, name) if proofs else None
            proving = Proofs(provable(hub), spool, packed=True) if spool else None
            making = Making(BY, FolderOfPacks(out, zipped=False), page, printed_form(), proving)
            began_cpu_s = time.process_time()
            packs = timed(steps, "pack_s", lambda: hub.run(make_packs(hub, name, making, quiet)))
            cpu_s = time.process_time() - began_cpu_s
            timed(steps, "again_s", lambda: hub.run(make_packs(hub, name, making, quiet)))
    assert sum(each.members for each in packs) == people
    return {
        "name": "packs",
        "people": people,
        "insurers": insurers,
        "with_proofs": proofs,
        **{step: round(seconds, 2) for step, seconds in steps.items()},
        "pack_cpu_s": round(cpu_s, 2),
        "people_per_s": round(people / steps["pack_s"]),
        "load": round(os.getloadavg()[0], 1),
        "budget_per_s": round(BUDGET_PER_S),
        "held": people / steps["pack_s"] >= BUDGET_PER_S,
    }


def timed(steps: dict[str, float], step: str, act: Any) -> Any:
    """What the act gives; its seconds by the clock are kept under the step."""
    began_s = time.perf_counter()
    given = act()
    steps[step] = time.perf_counter() - began_s
    return given


def main() -> int:
    """Print the measure; exit code 1 when the budget is not held."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=20_000, help="displayed people, of all insurers")
    parser.add_argument("--insurers", type=int, default=10, help="insurers, each with a key")
    parser.add_argument("--proofs", action="store_true", help="with the proof of each display")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of sentences")
    parser.add_argument("--keep", action="store_true", help="write the figures to bench/results/")
    given = parser.parse_args()
    found = measure(given.people, given.insurers, proofs=given.proofs)
    if given.keep:
        keep(f"packs-{given.people}", found)
    print(json.dumps(found) if given.json else "\n".join(f"{name}: {value}" for name, value in found.items()))
    return 0 if found["held"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
