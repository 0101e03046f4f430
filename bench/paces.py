"""False claims for 90 % at every pace, from elsewhere and from the practice's own device; and honest practices that move.

A target met at one pace would say little: a thief chooses theirs. On an envelope: a theft takes 0.1 to 0.5 s, a hundred seeds of
fourteen thieves five minutes; a month of an honest account that bets takes some 20 µs, the two years before it 10 ms.

    python -m bench.paces [--seeds 100] [--years 20000] [--keep]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import Any

from bench.detectors import HERE, YEAR_S, account_year, habits, interval, month, trials_a_month
from bench.gate import PEOPLE, WORLD_SEED, around, quantile
from bench.results import keep
from ecluse.gate.betting import AT_OPENING, CAREER_S
from ecluse.gate.profile import cold, usual
from ecluse.gate.signals import Name
from ecluse.kernel.days import paris_day
from ecluse.wiring.gate import built_in_caps
from sim.attacks.scenarios import SCENARIOS, Scenario
from sim.lab.office import NEW_PLACE
from sim.lab.play import Lab, play
from sim.professionals import BY_SHARE
from sim.seeds import weighted
from sim.world import build

PACES = (3, 5, 10, 15, 20, 40)  # people a day
DAY_LONG_S = 8 * 3600
KNOWN_SHARE = 67  # of the questions of a thief who hides among the practice's own patients
MOVES_A_MONTH = 1 - (1 - NEW_PLACE) ** 20  # months in which an honest account is somewhere new: 18 %


def thieves() -> list[tuple[str, int, Scenario]]:
    """Who asks: from where, how many questions a day, and the attack."""
    base = SCENARIOS["fake-claims-90"]

    def paced(a_day: int, **how: Any) -> Scenario:
        return replace(base, plan=replace(base.plan, a_day=a_day, gap_s=DAY_LONG_S // a_day, **how))

    found = [("elsewhere", pace, paced(pace)) for pace in PACES]
    found += [("the practice's device", pace, paced(pace, elsewhere=False)) for pace in PACES]
    mixed = 3 * PACES[2]
    return [*found, ("elsewhere, two of three known patients", mixed, paced(mixed, known_share=KNOWN_SHARE))]


def stolen(seeds: int) -> list[dict[str, Any]]:
    """Each thief over so many practices."""
    lab = Lab(build(WORLD_SEED, PEOPLE, paris_day(datetime.now(UTC))), built_in_caps(), 1)
    rows = []
    for place, pace, scenario in thieves():
        newly = play(lab, scenario, seeds).newly
        p95 = {"p50": quantile(newly, 0.5), "p95": quantile(newly, 0.95), "max": newly[-1]}
        rows.append({"from": place, "questions_a_day": pace, **p95, "p95_95": list(around(newly, 0.95))})
    return rows


def moved(years: int) -> dict[str, Any]:
    """Honest accounts of two years, in a third of which two months or so are spent somewhere new: how loud it gets."""
    passed: Counter[str] = Counter()
    paid = (1 - AT_OPENING) * YEAR_S / CAREER_S / 12
    for number in range(years):
        draw = Random(f"elsewhere/{number}")
        profession = weighted(draw, BY_SHARE).profession
        profile, rates = cold(profession), habits(draw, profession)
        for _ in range(2):
            profile, _ = account_year(draw, rates, "seasons", profile)
        p0, money, loudest = usual(profile).bounds[Name.STRANGERS_ELSEWHERE], [AT_OPENING / 3] * 3, 0.0
        for each in range(1, 13):
            rate = HERE["seasons"](draw, rates, profession, each)[Name.STRANGERS]
            if draw.random() < MOVES_A_MONTH:
                trials = trials_a_month(profession, Name.STRANGERS)
                loudest = max(loudest, month(draw, money, rate, p0, trials, paid)[1])
        passed.update(f"1e{power}" for power in (2, 3, 4) if loudest >= 10**power)
    limited = passed["1e4"]
    return {
        "account_years": years,
        "passed": dict(sorted(passed.items())),
        "asked_for_passes_per_100000_years_95": [round(each * 1e5, 1) for each in interval(limited, years)],
    }


def main(words: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.paces", description=str(__doc__).splitlines()[0])
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--years", type=int, default=20_000)
    parser.add_argument("--keep", action="store_true", help="write the figures to bench/results")
    given = parser.parse_args(words)
    found = {"seeds": given.seeds, "thieves": stolen(given.seeds), "honest_elsewhere": moved(given.years)}
    if given.keep:
        keep(f"paces-{given.seeds}", found)
    sys.stdout.write(json.dumps(found, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
