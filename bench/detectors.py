"""How often detectors alarm on honest accounts, how soon they see a theft, and what they cost.

On an envelope: a bet is three multiplications and a small struct, 0.5 µs; a question tries eight signals, so 5 µs. P(ever) ≤
10⁻⁶ for each signal: of 100 000 honest account-years none is quarantined. A theft is seen after (ln 10⁶ + ln 1/capital) / KL
look-ups, where the capital bet after a theft is the chance that it begins just then.
Budget: 10 µs of the processor a question, no false quarantine.

Honest accounts draw their rates around those of their profession, begin unknown, are learnt month by month, and hit at random.
`seasons`: each month the odds are others, by up to a fifth. `at the bound`: every signal hits exactly as often as it may, the
worst an honest account can be. `somebody else`: for two months a colleague with other habits uses the login, which is not allowed
and no false alarm. Between hits nothing can rise, so only hits are played; what is paid in between joins unspent, and each year
begins with the capital of an opening: more than an account has.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable
from math import ceil, exp, lgamma, log
from random import Random
from statistics import median
from typing import Any, NamedTuple

from bench.results import keep
from ecluse.gate.betting import AT_OPENING, CAREER_S, STAKES, Capital, Row, bet
from ecluse.gate.detectors import Asked, DayClosed, Entered, Event, Matured, observe, watch
from ecluse.gate.features import Course, Features, Step
from ecluse.gate.profile import Lesson, Profile, Taught, Usual, cold, learn, odds_times, usual
from ecluse.gate.signals import PROFESSIONS, SIGNALS, Name, Proof, usual_rate

BUDGET_US = 10.0
SEED = 22
ASKS_A_DAY = {"pharmacy": 150, "laboratory": 90, "hospital": 250, "radiologist": 30, "general_practitioner": 25}
ASKS_A_DAY |= {"specialist": 15, "nurse": 20, "physiotherapist": 20, "optician": 12, "audio": 4}  # the others: 10
DAYS_A_MONTH, LOGINS_A_DAY = 20, 2
LOCUM_MONTHS = (6, 7)
SEASON = 1.2
YEAR_S, DAY_S = 31_557_600, 86_400
LOST1, LOST2, LOST3 = (1 - stake for stake in STAKES)
KEPT = 128  # misses in a row whose powers are kept
LOST_BY_MISSES = [(LOST1**misses, LOST2**misses, LOST3**misses) for misses in range(KEPT)]
RUNS = 500  # of each theft


class Theft(NamedTuple):
    """A theft as one signal sees it: the honest rate, the thief's, and look-ups to see it by the design's reckoning."""

    name: Name
    honest: float
    thief: float
    design: int


THEFTS = (
    Theft(Name.MISSES, 0.03, 0.50, 13),
    Theft(Name.UNCLAIMED, 0.15, 0.95, 9),
    Theft(Name.STRANGERS, 0.30, 0.99, 12),
    Theft(Name.INSURERS, 0.10, 0.60, 18),
)


# ------------------------------------------------------------------------------------------------------- honest accounts


def trials_a_month(profession: str, name: Name) -> int:
    """How often a signal is tried in a month of this profession."""
    asks = ASKS_A_DAY.get(profession, 10) * DAYS_A_MONTH
    new = 0.03 + 0.97 * usual_rate(profession, SIGNALS[Name.STRANGERS])
    shares = {Name.MISSES: 1.0, Name.STRANGERS: 0.97, Name.UNCLAIMED: new - 0.03}
    by_day = {Name.HOURS: LOGINS_A_DAY, Name.SURROUNDINGS: LOGINS_A_DAY, Name.SURGE: 1, Name.DETAILS: 1}
    if name in by_day:
        return by_day[name] * DAYS_A_MONTH
    return round(asks * shares.get(name, new))


def month(draw: Random, money: list[float], rate: float, p0: float, trials: int, paid: float) -> tuple[int, float]:
    """Play a month of one signal onto `money`; its hits and the highest E. `paid`: what is paid in meanwhile.

    Written out for three stakes: it is the whole cost of an account-year.
    """
    gain1, gain2, gain3 = (1 + stake * (1 / p0 - 1) for stake in STAKES)
    money1, money2, money3 = money
    random, never, new = draw.random, log(1 - rate), paid / trials / 3
    at, hits, highest = 0, 0, 0.0
    while True:
        misses = min(int(log(1 - random()) / never), trials - at)
        at += misses + 1
        if misses < KEPT:
            lost1, lost2, lost3 = LOST_BY_MISSES[misses]
        else:
            lost1, lost2, lost3 = LOST1**misses, LOST2**misses, LOST3**misses
        more = new * (misses + 1)
        money1, money2, money3 = money1 * lost1 + more, money2 * lost2 + more, money3 * lost3 + more
        if at > trials:
            money[:] = money1, money2, money3
            return hits, highest
        hits += 1
        money1, money2, money3 = money1 * gain1, money2 * gain2, money3 * gain3
        if money1 + money2 + money3 > highest:
            highest = money1 + money2 + money3


def account_year(draw: Random, rates: list[float], population: str, profile: Profile) -> tuple[Profile, list[float]]:
    """A year of an honest account of these rates from this profile on, and the highest E of each signal."""
    profession, highest = profile.profession, [0.0] * len(SIGNALS)
    money = [[AT_OPENING / 3] * 3 for _ in SIGNALS]
    paid = (1 - AT_OPENING) * YEAR_S / CAREER_S / 12
    for number in range(1, 13):
        known = usual(profile)
        here = HERE[population](draw, rates, profession, number)
        taught = {}
        for signal in SIGNALS[: Name.DECOYS]:
            name, trials = signal.name, trials_a_month(profession, signal.name)
            p0 = known.bounds[name]
            rate = p0 if population == "at the bound" else here[name]
            hits, most = month(draw, money[name], rate, p0, trials, paid)
            highest[name] = max(highest[name], most)
            taught[name] = lesson(signal.proof, trials, hits, here[Name.UNCLAIMED])
        if population != "at the bound":
            profile = learn(profile, Lesson(profile.day + 1, True, taught))
    return profile, highest


def habits(draw: Random, profession: str) -> list[float]:
    """Rates of one account: around those of its profession as a Beta of sixty trials; fixed ones a little below their bound."""
    rates = []
    for signal in SIGNALS:
        mean = usual_rate(profession, signal)
        drawn = draw.betavariate(60 * mean, 60 * (1 - mean)) if signal.proof is not Proof.FIXED else 0.75 * mean
        rates.append(min(max(drawn, 1e-9), 1 - 1e-9))
    return rates


def season(draw: Random, rates: list[float], _profession: str, _month: int) -> list[float]:
    """The rates of a month: odds between 1/1.2 and 1.2 of the usual ones, each signal by itself."""
    return [odds_times(rate, SEASON ** draw.uniform(-1, 1)) for rate in rates]


def locum(draw: Random, rates: list[float], profession: str, number: int) -> list[float]:
    """The usual rates; in two months those of somebody else of the profession."""
    return habits(draw, profession) if number in LOCUM_MONTHS else rates


HERE: dict[str, Callable[[Random, list[float], str, int], list[float]]] = {
    "steady": lambda _draw, rates, *_: rates,
    "seasons": season,
    "at the bound": lambda _draw, rates, *_: rates,
    "somebody else": locum,
}


def lesson(proof: Proof, trials: int, hits: int, unclaimed: float) -> Taught:
    """What a month teaches: of misses and unclaimed look-ups no hit is proved, of the rest all but the unclaimed ones."""
    if proof is Proof.NEVER:
        proved = round((trials - hits) * (1 - unclaimed))
        return Taught(0, proved, hits, trials - proved)
    proved = round(trials * (1 - unclaimed))
    known = round(hits * (1 - unclaimed))
    return Taught(known, proved, hits - known, trials - proved)


def honest(years: int, profession: str, population: str, seed: int = SEED) -> dict[str, Any]:
    """Accounts of two years each: how many signals of them ever passed 10², 10³ … 10⁶, as a table by power of ten."""
    draw = Random(f"{seed}/{profession}/{population}")
    passed: Counter[int] = Counter()
    loudest: Counter[str] = Counter()
    begun = time.process_time()
    for _ in range(years // 2):
        profile, rates = cold(profession), habits(draw, profession)
        for _ in range(2):
            profile, highest = account_year(draw, rates, population, profile)
            for name, e_value in enumerate(highest):
                for power in (2, 3, 4, 5, 6):
                    passed[power] += e_value >= 10**power
                loudest[Name(name).name] += e_value >= 1e3
    low, high = interval(passed[6], years)
    return {
        "profession": profession,
        "population": population,
        "account_years": years,
        "passed": {f"1e{power}": passed[power] for power in (2, 3, 4, 5, 6)},
        "quarantines_per_100000_years_95": [round(low * 1e5, 2), round(high * 1e5, 2)],
        "slowed_by": dict(loudest.most_common(3)),
        "cpu_s": round(time.process_time() - begun, 1),
    }


def interval(count: int, tries: int) -> tuple[float, float]:
    """The exact 95 % interval of a rare rate (Clopper and Pearson), by bisection on Poisson tails."""

    def below(mean: float, most: int) -> float:
        return sum(exp(-mean + each * log(mean) - lgamma(each + 1)) for each in range(most + 1)) if mean else 1.0

    def solve(wanted: Callable[[float], bool]) -> float:
        low, high = 0.0, 10.0 * (count + 4)
        for _ in range(80):
            middle = (low + high) / 2
            low, high = (middle, high) if wanted(middle) else (low, middle)
        return high

    lower = solve(lambda mean: 1 - below(mean, count - 1) < 0.025) if count else 0.0
    return lower / tries, solve(lambda mean: below(mean, count) > 0.025) / tries


# ---------------------------------------------------------------------------------------------------------------- thefts


def known_account(profession: str) -> Usual:
    """An account of that profession whose rates are exactly the usual ones, after two years."""
    profile = cold(profession)
    for number in range(1, 25):
        taught = {}
        for signal in SIGNALS[: Name.DECOYS]:
            trials = trials_a_month(profession, signal.name)
            hits = round(trials * usual_rate(profession, signal))
            taught[signal.name] = lesson(signal.proof, trials, hits, usual_rate(profession, SIGNALS[Name.UNCLAIMED]))
        profile = learn(profile, Lesson(number, True, taught))
    return usual(profile)


Start = Callable[[Random, Theft, float], tuple[Row, Capital, int]]


def elsewhere(draw: Random, theft: Theft, p0: float) -> tuple[Row, Capital, int]:
    """The login is used from a new device or network, in the third year; half a year ago the practice had a new one itself."""
    row, capital, at_s = amid(draw, theft, p0)
    return row, capital.refreshed(at_s), at_s


def amid(draw: Random, theft: Theft, p0: float) -> tuple[Row, Capital, int]:
    """The login is used from the practice itself, twenty minutes after an honest question, in the middle of a day."""
    at_s, end_s = 3 * YEAR_S - 20 * DAY_S, 3 * YEAR_S
    capital = Capital(0, int(2.5 * YEAR_S))
    row = Row(paid=capital.paid(at_s))
    while at_s < end_s:
        at_s += 1_200 if at_s % DAY_S < 30_000 else 57_000
        row = bet(row, draw.random() < theft.honest, p0, capital.paid(at_s), at_s)
    return row, capital, at_s


def reckoned(draw: Random, theft: Theft, p0: float) -> tuple[Row, Capital, int]:
    """As the design reckons: the honest rate is known exactly, and so is the moment of the theft."""
    return Row(1 / 3, 1 / 3, 1 / 3, 1.0), Capital(0, 0), YEAR_S


STARTS: dict[str, Start] = {"as reckoned": reckoned, "from elsewhere": elsewhere, "from the practice": amid}


def look_ups(theft: Theft, start: str, p0: float, e_value: float) -> tuple[int, int]:
    """Look-ups of the thief until E reaches a value: the median and the 95th percentile."""
    draw, counts = Random(f"{SEED}/{theft.name}/{start}"), []
    for _ in range(RUNS):
        row, capital, at_s = STARTS[start](draw, theft, p0)
        count = 0
        while row.e_value < e_value and count < 5_000:
            at_s += 20
            count += 1
            row = bet(row, draw.random() < theft.thief, p0, max(capital.paid(at_s), row.paid), at_s)
        counts.append(count)
    counts.sort()
    return counts[RUNS // 2], counts[ceil(0.95 * RUNS) - 1]


def thefts() -> list[dict[str, Any]]:
    """Each theft from each start: look-ups until typed questions stop (10⁴) and until quarantine (10⁶), beside the design's."""
    known, new = known_account("general_practitioner"), usual(cold("general_practitioner"))
    found = []
    for theft in THEFTS:
        bounds = {"as reckoned": theft.honest, "from elsewhere": known.bounds[theft.name]}
        bounds["from the practice"] = bounds["from elsewhere"]
        for start, p0 in bounds.items():
            told: dict[str, Any] = {"signal": theft.name.name, "thief": theft.thief, "start": start, "p0": round(p0, 4)}
            for step, e_value in (("presence_only", 1e4), ("quarantined", 1e6)):
                told[step] = look_ups(theft, start, p0, e_value)
            found.append({**told, "design": theft.design})
        p0 = new.bounds[theft.name]
        told = {"signal": theft.name.name, "thief": theft.thief, "start": "of a new account", "p0": round(p0, 4)}
        told |= {"presence_only": look_ups(theft, "from elsewhere", p0, 1e4)}
        told |= {"quarantined": look_ups(theft, "from elsewhere", p0, 1e6), "design": theft.design}
        found.append(told)
    return found


# ------------------------------------------------------------------------------------------------------------------ cost


def cost_us() -> dict[str, float]:
    """Microseconds of the processor: a question, the other events, and one bet; medians of seven runs."""
    draw = Random(SEED)
    profile = cold("general_practitioner")
    habit = {Name.MISSES: Taught(0, 20, 1, 5)}
    known = usual(learn(profile, Lesson(1, True, habit, 8, dict.fromkeys(range(20), 20), {75: 300}, {9: 300})))
    told = [Features(75, Step.FAR, draw.choice((Course.SAME, Course.TURNED)), draw.randrange(600)) for _ in range(50)]
    events: dict[str, Callable[[int], Event]] = {
        "question": lambda at_s: Asked(at_s, at_s % 33 == 0, False, False, at_s % 20, told[at_s % 50]),
        "question about a known patient": lambda at_s: Asked(at_s, False, True, False, 3, told[0]),
        "matured": lambda at_s: Matured(at_s, at_s % 7 > 0),
        "login": lambda at_s: Entered(at_s, at_s % 9 == 0, 9),
        "day": lambda at_s: DayClosed(at_s, 8),
    }
    found = {}
    for name, make in events.items():
        made = [make(at_s) for at_s in range(20_000)]
        found[name] = median(observed_us(made, known) for _ in range(7))
    row = Row(1e-4, 1e-4, 1e-4, 0.3)
    begun = time.process_time()
    for _ in range(100_000):
        bet(row, False, 0.05, 0.3, 7)
    found["one signal"] = (time.process_time() - begun) * 10
    return {name: round(each, 2) for name, each in found.items()}


def observed_us(events: list[Event], known: Usual) -> float:
    """Microseconds an event."""
    watched = watch(0)
    begun = time.process_time()
    for event in events:
        watched, _ = observe(watched, known, event)
    return (time.process_time() - begun) / len(events) * 1e6


def same_as_product() -> None:
    """Money of a month as it is played here is what `bet` makes of it, where nothing is paid in; more where something is."""
    for paid, most in ((0.0, 1.001), (0.01, 1e9)):
        money, drawn, draw = [0.1, 0.1, 0.1], Random(5), Random(5)
        month(drawn, money, 0.2, 0.25, 60, paid)
        row, trials = Row(0.1, 0.1, 0.1, 0.5), list[bool]()
        while len(trials) < 60:
            trials += [*[False] * int(log(1 - draw.random()) / log(0.8)), True]
        for number, hit in enumerate(trials[:60], start=1):
            row = bet(row, hit, 0.25, 0.5 + paid * number / 60, 0)
        for mine, its in zip(money, (row.money1, row.money2, row.money3), strict=True):
            assert its * 0.999 <= mine <= its * most, (money, row)


def main() -> int:
    """Print the measures; exit code 1 when a budget is not held."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of sentences")
    parser.add_argument("--years", type=int, default=20, help="account-years for each profession and population")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--professions", nargs="*", default=list(PROFESSIONS))
    parser.add_argument("--populations", nargs="*", default=list(HERE))
    parser.add_argument("--keep", action="store_true", help="write the figures to bench/results")
    asked = parser.parse_args()
    same_as_product()
    found: dict[str, Any] = {"name": "detectors", "budget_us": BUDGET_US, "cost_us": cost_us(), "thefts": thefts()}
    found["honest"] = [
        honest(asked.years, profession, population)
        for profession in asked.professions
        for population in asked.populations
    ]
    quarantines = sum(each["passed"]["1e6"] for each in found["honest"] if each["population"] != "somebody else")
    found["held"] = found["cost_us"]["question"] <= BUDGET_US and not quarantines
    if asked.keep:
        keep(f"detectors-{asked.years}", found)
    print(json.dumps(found) if asked.json else told(found))
    return 0 if found["held"] else 1


def told(found: dict[str, Any]) -> str:
    """The figures as sentences and tables."""
    costs = ", ".join(f"{name} {each} µs" for name, each in found["cost_us"].items())
    lines = [f"cost: {costs} (budget {found['budget_us']} µs a question)"]
    for each in found["thefts"]:
        steps = "; ".join("{} {}, p95 {}".format(step, *each[step]) for step in ("presence_only", "quarantined"))
        lines.append(
            f"{each['signal']} {each['thief']:.0%} {each['start']} (p0 {each['p0']}): {steps}; design {each['design']}"
        )
    for each in found["honest"]:
        low, high = each["quarantines_per_100000_years_95"]
        lines.append(
            f"{each['profession']}, {each['population']}, {each['account_years']:,} years: passed {each['passed']}, quarantines "
            f"{low} to {high} per 100 000 years, loudest {each['slowed_by']}, {each['cpu_s']} s"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
