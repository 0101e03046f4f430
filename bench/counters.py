"""What the gate's counters and limits add to a rights check, by the processor's time.

On an envelope: whom an account knows is one read by key in a small B-tree, 4 µs with Python around it. Somebody new is that
read again, the account's row read and written, a row added: five statements of 3 µs, and a share of one transaction without a
sync, some 40 µs for a batch of twenty. Limits are a look into an empty table, 0.3 µs, and its version once in 50 ms.
Budget: 40 µs a check for the whole gate, of which the verified token's share is bench/identity.py, that of the detectors
bench/detectors.py. Here: 10 µs for a known person, 25 µs for a new one.
Beside it, what one would write first: counters in a dictionary of one process, which a restart forgives and workers do not
share.

    python -m bench.counters [--accounts 2000] [--json]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from ecluse.app.ports.allowances import Ask
from ecluse.gate.presence import Presence
from ecluse.wiring.gate import open_allowances, open_containments

BUDGET_US = {"known": 10.0, "new": 25.0}
BATCH = 20  # answers that wait for the same sync, at the load of bench/rights.py
EACH = 40  # people an account opens: below every cap
START_US = 1_796_000_000_000_000


def measure(accounts: int) -> dict[str, Any]:
    """Microseconds an ask: somebody new, the same again, nobody; the peer; a look at limits."""
    with tempfile.TemporaryDirectory(prefix="ecluse-bench-") as folder:
        gate, limits = open_allowances(Path(folder), ""), open_containments(Path(folder))
        gate.caught_up()
        asks = [ask(account, person) for person in range(EACH) for account in range(accounts)]
        nobody = [ask(account, None) for account in range(accounts)]
        found = {
            "new": best(gate.take, asks, rounds=1),
            "known": best(gate.take, asks, rounds=3),
            "nobody": best(gate.take, nobody, rounds=3),
            "dictionary": best(Dictionary().take, asks, rounds=1),
            "limits": per_call(limits.limits),
            "bytes_each": round((Path(folder) / "gate.db").stat().st_size / len(asks)),
        }
        gate.close()
        limits.close()
    return {**found, "within_budget": all(found[name] <= most for name, most in BUDGET_US.items())}


def ask(account: int, person: int | None) -> Ask:
    """A typed question; `None`: about nobody."""
    reference = b"" if person is None else sha256(b"%d/%d" % (account, person)).digest()[:16]
    hour = EACH if person is None else person  # one person an hour: the bucket never refuses
    at_us = START_US + hour * 3_600_000_000
    return Ask(f"rpps:{account}", f"place {account % 500}", "general_practitioner", reference, Presence.TYPED, at_us)


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
    print(f"a look at limits   {found['limits']:6.2f} µs")
    print(f"bytes for an account and a person: {found['bytes_each']}")
    held = "held" if found["within_budget"] else "missed"
    print(f"budget: known {BUDGET_US['known']} µs, new {BUDGET_US['new']} µs: {held}")


if __name__ == "__main__":
    main()
