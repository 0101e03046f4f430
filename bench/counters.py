"""What the gate's counters, limits and notes for the detectors add to a rights check, by the processor's time.

On an envelope: whom an account knows is one read by key in a small B-tree, 4 µs with Python around it. Somebody new is that
read again, the account's row read and written, a row added: five statements of 3 µs, and a share of one transaction without a
sync, some 40 µs for a batch of twenty. Limits are a look into an empty table, 0.3 µs, and its version once in 50 ms. Whether who
is found, or nobody, froze: a reference is computed (2 µs) and looked for, whatever comes of it. A note of a
typed question is 120 bytes of MessagePack and a row, 8 µs, and a known person needs a transaction for it. The watcher reads a
state of 2 kB, tries eight signals and writes it: 100 µs on whichever core is free.
Budget: 40 µs a check for the whole gate, of which the token has a share (bench/identity.py). Here: 10 µs for a known person,
25 µs for a new one, 10 µs more with a note of it, 8 µs for the freeze; the watcher 200 µs, which is 5 000 questions a second.
Beside it, what one would write first: counters in a dictionary of one process, which a restart forgives and workers do not
share.

    python -m bench.counters [--accounts 2000] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ecluse.app.freezes import unless_frozen
from ecluse.app.last import LastQuestions
from ecluse.app.ports import HUB
from ecluse.app.ports.allowances import Ask
from ecluse.app.watching import Watcher
from ecluse.engines.keys.file import DevelopmentOnly, KeyFile
from ecluse.gate.admission import Person
from ecluse.gate.features import Course, Features, Step
from ecluse.gate.presence import Presence
from ecluse.gate.sensing import Question
from ecluse.settings import GateSettings
from ecluse.wiring.gate import built_in_caps, open_allowances, open_containments, open_freezes, open_gate

BUDGET_US = {"known": 10.0, "new": 25.0, "freeze": 8.0, "known_noted": 20.0, "new_noted": 35.0, "watcher": 200.0}
BATCH = 20  # answers that wait for the same sync, at the load of bench/rights.py
EACH = 40  # people an account opens: below every cap
FROZEN = 1_000  # people
START_US = 1_796_000_000_000_000


def measure(accounts: int) -> dict[str, Any]:
    """Microseconds an ask: somebody new, the same again, nobody, the peer, limits, who froze, notes, the watcher."""
    with tempfile.TemporaryDirectory(prefix="ecluse-bench-") as folder:
        gate, limits = (
            open_allowances(Path(folder), built_in_caps(), is_watched=False),
            open_containments(Path(folder)),
        )
        gate.caught_up()
        asks = [ask(account, person) for person in range(EACH) for account in range(accounts)]
        nobody = [ask(account, None) for account in range(accounts)]
        found = {
            "new": best(gate.take, asks, rounds=1),
            "known": best(gate.take, asks, rounds=3),
            "nobody": best(gate.take, nobody, rounds=3),
            "dictionary": best(Dictionary().take, asks, rounds=1),
            "limits": per_call(limits.limits),
            "freeze": per_call(freezing(Path(folder))),
            "bytes_each": round((Path(folder) / "gate.db").stat().st_size / len(asks)),
        }
        gate.close()
        limits.close()
    found |= noted(asks)
    return {**found, "within_budget": all(found[name] <= most for name, most in BUDGET_US.items())}


def noted(asks: list[Ask]) -> dict[str, float]:
    """The same with notes for the detectors; what the watcher takes for each; the features of a number."""
    with tempfile.TemporaryDirectory(prefix="ecluse-bench-") as home:
        last, gate = LastQuestions(), open_gate(Path(home), GateSettings())
        counters = gate.allowances
        counters.caught_up()
        hub: Any = SimpleNamespace(**gate.ports())
        watcher = Watcher(hub, built_in_caps().fleet, acts=False)
        found = {"new_noted": best(counters.take, asks, rounds=1), "watcher": drained(watcher, len(asks))}
        found["known_noted"] = best(counters.take, asks, rounds=1)
        found["features"] = per_call(lambda: last.features("rpps:1", "2790675056123"))
        gate.close()
    return found


def drained(watcher: Watcher, questions: int) -> float:
    """Microseconds of the processor a question until nothing waits."""
    begun = time.process_time()
    while asyncio.run(watcher.watch())[0]:
        pass
    return round((time.process_time() - begun) / questions * 1e6, 2)


def freezing(folder: Path) -> Callable[[], object]:
    """Whether somebody froze, as every question asks; a thousand people did."""
    warnings.simplefilter("ignore", DevelopmentOnly)
    keys = KeyFile(folder / "hub.keys", "")
    keys.create(HUB)
    hub: Any = SimpleNamespace(keys=keys, freezes=open_freezes(folder))
    for number in range(FROZEN):
        hub.freezes.freeze(HUB, number.to_bytes(16), START_US)
    return lambda: unless_frozen(hub, Person(HUB, (), False), "1979-06-14", 1, Presence.TYPED, ())


def ask(account: int, person: int | None) -> Ask:
    """A typed question; `None`: about nobody."""
    reference = b"" if person is None else sha256(b"%d/%d" % (account, person)).digest()[:16]
    hour = EACH if person is None else person  # one person an hour: the bucket never refuses
    at_us = START_US + hour * 3_600_000_000
    note = Question(
        at_s=at_us // 1_000_000,
        missed=person is None,
        known=False,
        asked=person or 0,
        insurer=f"00750000{account % 50:02}",
        features=Features(75, Step.FAR, Course.TURNED, 600),
        network=f"192.0.{account % 250}.0/24",
        software="logiciel",
        session=str(hour // 8),
    )
    return Ask(
        account=f"rpps:{account}",
        practice=f"75{account % 500:07}",
        profession="general_practitioner",
        person=reference,
        presence=Presence.TYPED,
        at_us=at_us,
        question=note,
    )


class Dictionary:
    """The peer: the same debt, in memory."""

    def __init__(self) -> None:
        self._known: dict[str, set[bytes]] = defaultdict(set)

    def take(self, asks: Sequence[Ask]) -> list[str]:
        """Count each."""
        refused = []
        for each in asks:
            known = self._known[each.account]
            refused.append("debt" if each.person not in known and len(known) >= 183 else "")
            known.add(each.person)
        return refused


def best(take: Callable[[Sequence[Ask]], list[str]], asks: list[Ask], rounds: int) -> float:
    """Microseconds of the processor an ask, in the quickest of some rounds."""
    taken = []
    for _ in range(rounds):
        begun = time.process_time()
        for start in range(0, len(asks), BATCH):
            refused = take(asks[start : start + BATCH])
            assert not any(refused)
        taken.append((time.process_time() - begun) / len(asks) * 1e6)
    return round(min(taken), 2)


def per_call(call: Callable[[], object]) -> float:
    """Microseconds of the processor a call."""
    begun = time.process_time()
    for _ in range(100_000):
        call()
    return round((time.process_time() - begun) * 10, 2)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="The gate's counters and limits.")
    parser.add_argument("--accounts", type=int, default=2_000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = measure(given.accounts)
    if given.json:
        print(json.dumps(found))
        return
    print(f"somebody new       {found['new']:6.2f} µs   in a dictionary of one process {found['dictionary']} µs")
    print(f"somebody known     {found['known']:6.2f} µs")
    print(f"nobody             {found['nobody']:6.2f} µs")
    print(f"with a note: new   {found['new_noted']:6.2f} µs   known {found['known_noted']} µs")
    print(f"features of a NIR  {found['features']:6.2f} µs")
    print(f"the watcher        {found['watcher']:6.2f} µs a question")
    print(f"a look at limits   {found['limits']:6.2f} µs")
    print(f"whether they froze {found['freeze']:6.2f} µs")
    print(f"bytes for an account and a person: {found['bytes_each']}")
    held = "held" if found["within_budget"] else "missed"
    print(f"budget: {', '.join(f'{name} {most:g} µs' for name, most in BUDGET_US.items())}: {held}")


if __name__ == "__main__":
    main()
