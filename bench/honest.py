"""Honest account-years by the hundred thousand: how often detectors quarantine somebody who did nothing.

On an envelope: 3 to 15 ms of the processor a year (bench/detectors.py), so 100 000 years of a country's mix of professions are
ten minutes of one core. They are played in slices of 500 years that add up: a slice is a function of its number alone, and
what it gave is kept in bench/results/honest-years.json, so that a run goes on where the last one stopped.
Budget: no quarantine in 100 000 account-years at α = 10⁻⁶ a signal.

    python -m bench.honest [--slices 200] [--json]
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from bench.detectors import account_year, habits, interval
from bench.results import HERE as RESULTS
from ecluse.gate.profile import cold
from ecluse.gate.signals import SIGNALS, Name
from sim.professionals import BY_SHARE
from sim.seeds import weighted

SLICE_YEARS = 500
WANTED_YEARS = 100_000
POPULATIONS = ("steady", "seasons")  # half of each
POWERS = (3, 4, 5, 6)
KEPT = RESULTS / "honest-years.json"


def played(number: int) -> dict[str, Any]:
    """One slice: accounts of two years each, from a cold start, of professions as often as they are."""
    passed: Counter[str] = Counter()
    loudest: Counter[str] = Counter()
    professions: Counter[str] = Counter()
    begun = time.process_time()
    for account in range(SLICE_YEARS // 2):
        draw = Random(f"honest/{number}/{account}")
        profession = weighted(draw, BY_SHARE).profession
        profile, rates = cold(profession), habits(draw, profession)
        for _ in range(2):
            profile, highest = account_year(draw, rates, POPULATIONS[account % 2], profile)
            for name, e_value in enumerate(highest):
                passed.update(f"1e{power}" for power in POWERS if e_value >= 10**power)
                loudest[Name(name).name] += e_value >= 1e3
        professions[profession] += 2
    return {
        "slice": number,
        "account_years": SLICE_YEARS,
        "professions": dict(professions),
        "passed": {f"1e{power}": passed[f"1e{power}"] for power in POWERS},
        "slowed_by": dict(+loudest),
        "cpu_s": round(time.process_time() - begun, 1),
    }


def kept(path: Path = KEPT) -> list[dict[str, Any]]:
    """The slices that were played, of all runs."""
    return json.loads(path.read_bytes()) if path.exists() else []


def play_on(slices: int, told: Callable[[int, int], None], path: Path = KEPT) -> list[dict[str, Any]]:
    """Play what is missing of the first `slices`, and keep each as it is done."""
    done = {each["slice"]: each for each in kept(path)}
    for number in range(slices):
        if number not in done:
            done[number] = played(number)
            text = ",\n".join(json.dumps(done[each]) for each in sorted(done))
            path.write_text(f"[\n{text}\n]\n")
        told(number + 1, slices)
    return [done[number] for number in sorted(done)]


def summed(slices: list[dict[str, Any]]) -> dict[str, Any]:
    """All slices together: years, signals that ever passed each step, quarantines per 100 000 years at 95 %."""
    years = sum(each["account_years"] for each in slices)
    passed: Counter[str] = Counter()
    professions: Counter[str] = Counter()
    loudest: Counter[str] = Counter()
    for each in slices:
        passed.update(each["passed"])
        professions.update(each["professions"])
        loudest.update(each["slowed_by"])
    low, high = interval(passed["1e6"], years) if years else (0.0, 1.0)
    return {
        "account_years": years,
        "signals": len(SIGNALS) - 1,  # decoys are not bet on
        "passed": {f"1e{power}": passed[f"1e{power}"] for power in POWERS},
        "quarantines": passed["1e6"],
        "quarantines_per_100000_years_95": [round(low * 1e5, 2), round(high * 1e5, 2)],
        "slowed_by": dict(loudest.most_common(5)),
        "professions": dict(professions.most_common()),
        "cpu_s": round(sum(each["cpu_s"] for each in slices), 1),
    }


def main() -> int:
    """Play what is missing, print the sum; exit code 1 when somebody honest was quarantined."""
    parser = argparse.ArgumentParser(description="Honest account-years that add up.")
    parser.add_argument("--slices", type=int, default=WANTED_YEARS // SLICE_YEARS, help="of 500 years, in all")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = summed(play_on(asked.slices, lambda *_: None))
    if asked.json:
        print(json.dumps(found))
    else:
        low, high = found["quarantines_per_100000_years_95"]
        print(f"{found['account_years']:,} honest account-years: signals that passed {found['passed']}")
        print(f"quarantines per 100 000 years, at 95 %: {low} to {high}; loudest {found['slowed_by']}")
        print(f"no quarantine: {'held' if not found['quarantines'] else 'missed'}")
    return 1 if found["quarantines"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
