"""What a stolen login opens, and what honest practices pay for it: the targets of the gate, over a hundred seeds each.

On an envelope: a practice grows up in 0.2 s (180 days, some 3 000 questions through counters and detectors), a theft takes 0.05
to 1 s. A hundred seeds of fourteen attacks, with and without detectors, with and without passes: five minutes of one core.
Budgets are the rows of `TARGETS`; beside them, on the same people and the same questions, the peer: the portal of 2024, a number
in, the record of the whole family out, and no count kept.

    ecluse bench gate [--seeds 100] [--json]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from math import comb
from statistics import median
from typing import Any, NamedTuple

from bench import honest
from bench.detectors import interval
from bench.results import keep
from ecluse.kernel.days import paris_day
from ecluse.wiring.gate import built_in_caps
from sim.attacks.scenarios import SCENARIOS
from sim.charts import spaced
from sim.lab.play import GROWN_DAYS, Lab, Score, play, served
from sim.world import build

PEOPLE, WORLD_SEED = 20_000, 7
EVERY = {"hundred": 10, "knows-all": 5}  # attacks that take seconds each are played in every such seed
WITH_PASS = 0.8
ALL, COUNTERS, PASSES, COUNTERS_PASSES = "all", "counters", "passes", "counters, passes"
LABS = {ALL: (True, 0.0), COUNTERS: (False, 0.0), PASSES: (True, WITH_PASS), COUNTERS_PASSES: (False, WITH_PASS)}


class Target(NamedTuple):
    """An attack, what of the gate is on, and the most people that 95 of a hundred thieves may get."""

    attack: str
    lab: str
    people_max: int
    words: str


TARGETS = (
    Target("blind", ALL, 5, "blind enumeration"),
    Target("leaked", COUNTERS, 70, "leaked list, counters alone"),
    Target("leaked", ALL, 70, "leaked list"),
    Target("leaked", COUNTERS_PASSES, 55, "leaked list, 80 % of look-ups with a pass, counters alone"),
    Target("leaked", PASSES, 55, "leaked list, 80 % of look-ups with a pass"),
    Target("fake-claims-90", ALL, 200, "false claims for 90 %"),
)
REFUSED_PER_MILLION = 10.0


def measure(seeds: int, told: Callable[[int, int], None] = lambda *_: None) -> dict[str, Any]:
    """Grow practices, rob them; every figure of this bench."""
    begun = time.process_time()
    world = build(WORLD_SEED, PEOPLE, paris_day(datetime.now(UTC)))
    labs = {name: Lab(world, built_in_caps(), 1, senses=on, with_pass=share) for name, (on, share) in LABS.items()}
    attacks = [(name, ALL) for name in SCENARIOS if name != "hundred"]
    attacks += [(each.attack, each.lab) for each in TARGETS if each.lab != ALL]
    attacks += [("leaked-slow", COUNTERS), ("hundred", ALL)]
    scores: dict[tuple[str, str], Score] = {}
    for place, (name, lab) in enumerate(attacks):
        rounds = max(1, seeds // EVERY.get(name, 1))

        def step(done: int, of: int, place: int = place) -> None:
            told(place * 100 + 100 * done // of, 100 * len(attacks))

        scores[name, lab] = play(labs[lab], SCENARIOS[name], rounds, step)
    quiet = {name: quiet_life(lab, seeds) for name, lab in labs.items()}
    own = honest_figures(quiet)
    targets = [aimed(each, scores[each.attack, each.lab]) for each in TARGETS]
    one, many = scores["leaked", ALL].newly[-1], scores["hundred", ALL].newly[-1]
    words = "a hundred accounts at once: people, at most, of a hundred times one account"
    targets += [{"words": words, "measured": many, "most": 100 * one, "held": many <= 100 * one}, *own.pop("targets")]
    return {
        "seeds": seeds,
        "people": PEOPLE,
        "attacks": [figures(*key, score) for key, score in scores.items()],
        "targets": targets,
        "honest": own,
        "held": all(each["held"] for each in targets),
        "cpu_s": round(time.process_time() - begun, 1),
    }


def figures(name: str, lab: str, score: Score) -> dict[str, Any]:
    """One attack: people, fields, time, and how the robbed practices' own patients fared until a day later."""
    newly, portals = score.newly, [each.portal[-1][1] for each in score.loot]
    refused: Counter[str] = Counter()
    for each in score.loot:
        refused.update(each.refused)
    return {
        "attack": name,
        "gate": lab,
        "seeds": len(newly),
        "people": {"p50": quantile(newly, 0.5), "p95": quantile(newly, 0.95), "max": newly[-1]},
        "p95_95": list(around(newly, 0.95)),
        "fields_p50": median(each.fields for each in score.loot),
        "contained_after_s_p50": round(median(each.last_new_s for each in score.loot)),
        "contained_after_s_max": round(max(each.last_new_s for each in score.loot)),
        "asked_p50": median(each.asked for each in score.loot),
        "false_claims_p50": median(each.claims for each in score.loot),
        "quarantined": sum(each.quarantined for each in score.loot),
        "refused": dict(refused.most_common()),
        "portal_p50": median(portals),
        "own_patients": {name: score.served[name] for name in ("asked", "with_pass", "refused", "refused_with_pass")},
    }


def aimed(target: Target, score: Score) -> dict[str, Any]:
    """A target on people, and what was measured."""
    p95 = quantile(score.newly, 0.95)
    held = p95 <= target.people_max
    low, high = around(score.newly, 0.95)
    words = f"{target.words}: people p95"
    return {"words": words, "measured": p95, "interval_95": [low, high], "most": target.people_max, "held": held}


def quiet_life(lab: Lab, seeds: int) -> Counter[str]:
    """What the practices of a laboratory lived through before any theft."""
    total: Counter[str] = Counter(days=GROWN_DAYS * seeds)
    for number in range(seeds):
        office = lab.office(number)
        total += served(office.served)
        total["quarantined"] += any(step == 4 for _, step, _ in office.desk.moves)
        total["limited"] += bool(office.desk.moves)
    return total


def honest_figures(quiet: dict[str, Counter[str]]) -> dict[str, Any]:
    """Honest practices before any theft, under the whole gate; and the account-years that were kept (bench/honest.py)."""
    both = quiet[ALL] + quiet[PASSES]
    years = honest.summed(honest.kept())
    asked, refused, with_pass = both["asked"], both["refused"], both["refused_with_pass"]
    low, high = interval(refused, asked)
    quarantines = years["quarantines"] + both["quarantined"]
    return {
        "whole_gate_account_years": round(both["days"] / 365, 1),
        "whole_gate": {name: dict(counts) for name, counts in quiet.items()},
        "account_years": years,
        "targets": [
            {
                "words": f"honest accounts quarantined in {spaced(years['account_years'])} account-years",
                "measured": quarantines,
                "interval_95": years["quarantines_per_100000_years_95"],
                "most": 0,
                "held": quarantines == 0 and years["account_years"] >= honest.WANTED_YEARS,
            },
            {
                "words": f"honest look-ups refused per million, of {spaced(asked)}",
                "measured": round(refused / asked * 1e6, 1),
                "interval_95": [round(low * 1e6, 1), round(high * 1e6, 1)],
                "most": REFUSED_PER_MILLION,
                "held": refused / asked * 1e6 <= REFUSED_PER_MILLION,
            },
            {
                "words": f"patients with a pass refused, of {spaced(both['with_pass'])}",
                "measured": with_pass,
                "most": 0,
                "held": with_pass == 0,
            },
        ],
    }


def quantile(ordered: list[int], share: float) -> int:
    """The smallest value that `share` of them do not exceed."""
    return ordered[max(0, -(-round(len(ordered) * share * 1000) // 1000) - 1)]


def around(ordered: list[int], share: float) -> tuple[int, int]:
    """A 95 % interval of a quantile, by order statistics: the ranks between which a binomial number lies."""
    count = len(ordered)

    def below(rank: int) -> float:  # P(fewer than `rank` values are under the true quantile)
        return sum(comb(count, each) * share**each * (1 - share) ** (count - each) for each in range(rank))

    low = max((rank for rank in range(1, count + 1) if below(rank) <= 0.025), default=1)
    high = min((rank for rank in range(1, count + 1) if below(rank) >= 0.975), default=count)
    return ordered[low - 1], ordered[high - 1]


def sentences(found: dict[str, Any]) -> str:
    """The figures as a table for a screen."""
    lines = [f"{found['seeds']} seeds, {found['people']} people, {found['cpu_s']} s of the processor", ""]
    lines.append(f"{'attack':<16}{'gate':<18}{'p50':>5}{'p95':>6}{'max':>6}  contained after   portal of 2024")
    for each in found["attacks"]:
        people = each["people"]
        lines.append(
            f"{each['attack']:<16}{each['gate']:<18}{people['p50']:>5}{people['p95']:>6}{people['max']:>6}"
            f"  {lasting(each['contained_after_s_p50']):>15}   {spaced(round(each['portal_p50']))}"
        )
    lines.append("")
    for each in found["targets"]:
        between = " ({} to {})".format(*each["interval_95"]) if "interval_95" in each else ""
        verdict = "held" if each["held"] else "MISSED"
        lines.append(f"{verdict:<7}{each['words']}: {each['measured']}{between}, at most {each['most']}")
    return "\n".join(lines)


def lasting(seconds: float) -> str:
    """A time, in the unit that says it best."""
    for unit, length in (("days", 86_400), ("hours", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def main(words: list[str] | None = None, told: Callable[[int, int], None] = lambda *_: None) -> int:
    """Measure and print; exit code 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="ecluse bench gate", description="The gate against thieves.")
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--keep", action="store_true", help="write the figures to bench/results")
    given = parser.parse_args(words)
    found = measure(given.seeds, told)
    if given.keep:
        keep(f"gate-{given.seeds}", found)
    sys.stdout.write((json.dumps(found) if given.json else sentences(found)) + "\n")
    return 0 if found["held"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
