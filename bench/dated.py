"""Signals of dated counts (gate/dated.py): what a theft takes to be seen by "not me" and by changes of bank; honest accounts.

On an envelope: a "not me" at one in 500 is worth a factor of 6 to 125, an opening without costs 1 to 25 %; from what was paid in
since a theft began (some 10⁻⁴) to 10⁴ it takes ten. Peer: the count of the month (gate/denials.py), which forgets each month.
Budget: no honest account ever reaches 10³ in the years played.

    python -m bench.dated [--seeds 20] [--accounts 200] [--json]
"""

from __future__ import annotations

import argparse
import json
from itertools import accumulate
from math import log10
from random import Random
from statistics import median
from typing import Any

from ecluse.gate.dated import Counted, every_day, row_of
from ecluse.gate.denials import step_for
from ecluse.gate.signals import SIGNALS, Name, Step

OPENED = 20_000
PRACTICE_DAYS = 730
WATCHED_DAYS = 365
# People a working day, a thief's beside them, how many of the thief's say so.
THEFTS = ((8, 2, 0.05), (8, 2, 0.20), (8, 8, 0.05), (8, 8, 0.20), (50, 10, 0.05), (50, 10, 0.20), (175, 50, 0.20))
GAPS = (1, 3, 7, 30)  # days between changes of bank
LEAST = 1e3  # the first step


def denied(draw: Random, people: int, rate: float) -> int:
    """How many of so many say "not me"."""
    return sum(draw.random() < rate for _ in range(people))


def theft(draw: Random, own: int, more: int, rate: float) -> dict[str, float | None]:
    """Days, people and denials until passes are asked for; and days until the month's own count asks for them."""
    mistaken = SIGNALS[Name.DENIALS].usual
    days = [
        Counted(day, own, denied(draw, own, mistaken)) for day in range(OPENED, OPENED + PRACTICE_DAYS) if day % 7 < 5
    ]
    said, seen, by_month = 0, None, None
    for number in range(WATCHED_DAYS):
        day = OPENED + PRACTICE_DAYS + number
        if day % 7 >= 5:
            continue
        days.append(Counted(day, own + more, denied(draw, own, mistaken) + denied(draw, more, rate)))
        said += days[-1].hits
        if seen is None and days[-1].hits and row_of(Name.DENIALS, days, OPENED).e_value >= 10 * LEAST:
            seen = {"days": number + 1.0, "people": more * (number + 1) * 5 / 7, "denials": float(said)}
        month = [each for each in days if each.day > day - 30]
        opened = sum(each.tries for each in days if each.day > day - 60)
        if by_month is None and step_for(sum(each.hits for each in month), opened) >= Step.PRESENCE_ONLY:
            by_month = number + 1.0
        if seen and by_month:
            break
    return {**(seen or {"days": None, "people": None, "denials": None}), "by_month": by_month}


def thefts(seeds: int) -> list[dict[str, Any]]:
    """The median of so many thefts of each kind; None where most are not seen in a year."""
    found = []
    for own, more, rate in THEFTS:
        played = [theft(Random(seed), own, more, rate) for seed in range(seeds)]
        told = {name: median([float(each[name] or 9e9) for each in played]) for name in played[0]}
        row: dict[str, Any] = {"own": own, "more": more, "rate": rate}
        found.append(row | {name: days if days < 9e9 else None for name, days in told.items()})
    return found


def changes() -> list[dict[str, Any]]:
    """After how many changes of bank an account of two years is slowed, asked for passes, asked to prove itself."""
    found = []
    for gap in GAPS:
        days = list(accumulate([OPENED + PRACTICE_DAYS] + [gap] * 19))
        e_values = [
            row_of(Name.DETAILS, every_day(OPENED, days[count], days[: count + 1]), OPENED).e_value
            for count in range(20)
        ]
        steps = [next((n for n, e in enumerate(e_values, 1) if e >= LEAST * 10**ten), None) for ten in range(3)]
        found.append({"gap": gap, "slowed": steps[0], "presence_only": steps[1], "step_up": steps[2]})
    return found


def honest(accounts: int) -> dict[str, float]:
    """The highest log10 of E of honest accounts: three years of patients' mistakes at the bound, ten of changes at the bound."""
    denials, details = -99.0, -99.0
    for seed in range(accounts):
        draw, people = Random(seed), (4, 8, 25, 50)[seed % 4]
        rate = SIGNALS[Name.DENIALS].usual
        days = [Counted(OPENED + day, people, denied(draw, people, rate)) for day in range(1_095) if day % 7 < 5]
        for end in [number + 1 for number, each in enumerate(days) if each.hits]:
            denials = max(denials, log10(row_of(Name.DENIALS, days[:end], OPENED).e_value))
        hits = [day for day in range(OPENED, OPENED + 3_650) if draw.random() < SIGNALS[Name.DETAILS].usual]
        for number, day in enumerate(hits, 1):
            e_value = row_of(Name.DETAILS, every_day(OPENED, day, hits[:number]), OPENED).e_value
            details = max(details, log10(e_value))
    return {"accounts": accounts, "denials": round(denials, 2), "details": round(details, 2)}


def main() -> None:
    """Play and print."""
    parser = argparse.ArgumentParser(description="Signals of dated counts: thefts, and honest accounts.")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--accounts", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    stolen, banks, own = thefts(given.seeds), changes(), honest(given.accounts)
    if given.json:
        print(json.dumps({"thefts": stolen, "changes": banks, "honest": own, "within_budget": within(own)}))
        return
    for what, rows in (("not me", stolen), ("changes of bank", banks), ("honest", [own])):
        for row in rows:
            print(f"{what}:", ", ".join(f"{name} {value}" for name, value in row.items()))
    print(f"budget: no honest account at the first step: {'held' if within(own) else 'missed'}")


def within(own: dict[str, float]) -> bool:
    """Whether no honest account reached the first step."""
    return max(own["denials"], own["details"]) < log10(LEAST)


if __name__ == "__main__":
    main()
