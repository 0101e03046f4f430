"""What the whole gate adds to a rights check: checks in one process, with the gate and without, by the processor's time.

On an envelope: the counters of somebody new are three statements and a share of a transaction, 15 µs; the note for the detectors
is 120 bytes of MessagePack and a row, 8; whether who is found froze is a reference made and looked for, 4; features of the NIR,
limits and the disclosure table 1 to 3 each: 33 µs, of a check of some 150 without HTTP; 20 for somebody known.
Budget: 40 µs a check, for somebody new and for somebody known. Measured in turn, rounds of the same size with other people in
each, and the median of the differences between neighbours, for a machine's mood lasts longer than a round.
Beside it, the check without the gate: the same journal, seals and references, nothing counted, limited, frozen, noted, compared.

    python -m bench.checks [--people 20000] [--rounds 20] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import msgspec

from bench import members
from bench.rights import CAPS, ecluse
from ecluse.app.hub import Hub
from ecluse.app.rights import RightsQuestion, check_rights
from ecluse.doors.cli.serve import quiet_collector
from ecluse.gate.admission import Request
from ecluse.gate.features import NOTHING
from ecluse.gate.identity import Account
from ecluse.kernel.days import PARIS
from ecluse.wiring import open_hub

BUDGET_US = 40.0
BATCH = 20  # questions that wait for the same sync, at the load of bench/rights.py
DOCTOR = Account("rpps:10000000001", "370000028", "general_practitioner", scopes=frozenset({"rights"}))
NETWORK = "192.0.2.0/24"


def measure(people: int, rounds: int) -> dict[str, Any]:
    """Microseconds a check, with the gate and without, about people asked about for the first time and again."""
    with tempfile.TemporaryDirectory(prefix="ecluse-bench-") as home, opened(Path(home), people) as hub:
        size = people // (2 * rounds) // BATCH * BATCH
        parts = [range(start, start + size) for start in range(0, 2 * rounds * size, size)]
        found = {"new": compared(hub, parts), "known": compared(hub, parts)}
    return {"checks": size, **found, "within_budget": all(each["gate_us"] <= BUDGET_US for each in found.values())}


def compared(hub: Hub, parts: Sequence[range]) -> dict[str, float]:
    """Each part once; with the gate and without it in turn, so that whom it counted it meets again the second time."""
    gated, bare = [], []
    for index in range(0, len(parts), 2):
        gated.append(checked(hub, parts[index]))
        with without_gate(hub):
            bare.append(checked(hub, parts[index + 1]))
    differences = [whole - less for whole, less in zip(gated, bare, strict=True)]
    return {
        "with_us": round(median(gated), 1),
        "without_us": round(median(bare), 1),
        "gate_us": round(median(differences), 1),
    }


def checked(hub: Any, people: range) -> float:
    """Microseconds of the processor a check, all threads together."""
    today = datetime.now(PARIS).date().isoformat()
    questions = [question(number, today) for number in people]

    async def ask() -> None:
        for start in range(0, len(questions), BATCH):
            requests = [Request(DOCTOR, hub.ids.new("chk_"), NETWORK) for _ in range(BATCH)]
            batch = zip(requests, questions[start : start + BATCH], strict=True)
            released = await asyncio.gather(*(check_rights(hub, asked, each) for asked, each in batch))
            assert all(each.answer.outcome == "confirmed" for each in released)

    begun = time.process_time()
    hub.run(ask())
    return (time.process_time() - begun) / len(questions) * 1e6


def question(number: int, today: str) -> RightsQuestion:
    """About the `number`-th member."""
    return msgspec.convert(members.question(number, today), RightsQuestion)


@contextmanager
def without_gate(hub: Any) -> Iterator[None]:
    """The hub as if it had no gate: what only the gate does is not done."""
    nothing = SimpleNamespace(take=lambda asks: [""] * len(asks), store=SimpleNamespace(reached=lambda mark: None))
    undone: dict[str, Any] = {
        "ecluse.app.rights.unless_frozen": lambda _hub, _meant, _born, _rank, _presence, rights: rights,
        "ecluse.app.last.features": lambda _nir, _now, last: (NOTHING, last),
        "ecluse.app.access.overtold": lambda *_: "",
        "ecluse.app.access._ask": lambda *_, is_told: None,
    }
    with ExitStack() as stack:
        stack.enter_context(patch.object(hub.desk, "_allowance", nothing))
        stack.enter_context(patch.object(hub.desk, "_containments", SimpleNamespace(limits=dict)))
        for name, instead in undone.items():
            stack.enter_context(patch(name, instead))
        yield


@contextmanager
def opened(home: Path, people: int) -> Iterator[Hub]:
    """A hub over `people` members, in this process, that notes for the detectors and refuses nobody."""
    members.write_feed(home / "members.csv", people)
    (home / "product.yaml").write_text(members.PRODUCT_YAML)
    (home / "caps.toml").write_text(CAPS)
    told = {"ECLUSE_GATE_CAPS": str(home / "caps.toml"), "ECLUSE_GATE_DETECTORS": "tell"}
    directory = ["--dir", str(home / "hub")]
    ecluse("init", str(home / "hub"), **told)
    ecluse("product", "load", str(home / "product.yaml"), "--insurer", members.AMC, *directory, **told)
    ecluse("feed", "load", str(home / "members.csv"), "--insurer", members.AMC, "--full", *directory, **told)
    with patch.dict(os.environ, told), warnings.catch_warnings(action="ignore"), open_hub(home / "hub") as hub:
        quiet_collector()
        yield hub


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="What the whole gate adds to a rights check.")
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = measure(given.people, given.rounds)
    if given.json:
        print(json.dumps(found))
        return
    print(f"median of {given.rounds} rounds of {found['checks']} checks, microseconds of the processor")
    for name in ("new", "known"):
        with_us, without_us, gate_us = found[name].values()
        print(f"somebody {name:6} {with_us:7.1f} with the gate  {without_us:7.1f} without  {gate_us:6.1f} added")
    print(f"budget: {BUDGET_US:g} µs added: {'held' if found['within_budget'] else 'missed'}")


if __name__ == "__main__":
    main()
