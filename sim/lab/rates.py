"""What an honest account does: rates by profession, and the year. Everything here is assumed, but where a source is named.

New people and look-ups without a claim are the rates that detectors begin with (`gate/signals.py`: follow-through of the design,
assumed). A claim is settled within seven working days of its coming in (Inter-AMC contract, IGAS 2017-111R); when it comes is
assumed: the same evening at a doctor's, at the end of a course, after a devis.
"""

from __future__ import annotations

from math import exp
from random import Random
from typing import NamedTuple

from ecluse.gate.signals import SIGNALS, Name, usual_rate


class Rates(NamedTuple):
    """A profession: questions a working day, and days until a claim is settled (fewest, most, most often)."""

    asks: float
    settles: tuple[int, int, int]


RATES = {
    "general_practitioner": Rates(25, (2, 14, 6)),
    "specialist": Rates(15, (2, 14, 6)),
    "pharmacy": Rates(150, (2, 10, 5)),
    "laboratory": Rates(90, (3, 14, 7)),
    "dentist": Rates(10, (5, 40, 14)),
    "optician": Rates(12, (7, 40, 15)),
    "audio": Rates(4, (14, 60, 30)),
    "radiologist": Rates(30, (2, 14, 6)),
    "nurse": Rates(20, (5, 30, 12)),
    "physiotherapist": Rates(20, (5, 30, 12)),
    "osteopath": Rates(10, (2, 14, 6)),
    "hospital": Rates(250, (10, 60, 25)),  # named users share an establishment's look-ups, not an account: one desk
}
MISSES = 0.03  # of questions: cards of last year, slips of the hand
MISSES_SPREAD = 0.01
WEEK = (1.25, 1.0, 1.0, 1.0, 1.0, 0.35, 0.0)  # from Monday
MONTHS = (1.2, 1.15, 1.05, 1.0, 0.95, 1.0, 0.9, 0.7, 1.05, 1.05, 1.05, 1.1)  # flu, summer
WEEKS_OFF = (
    7,
    16,
    31,
    32,
    52,
)  # of the year, moved by up to a week each way; hospitals, pharmacies, laboratories never close
AFTER_REST = 1.3  # the first week after holidays
NEVER_CLOSED = ("pharmacy", "laboratory", "hospital", "radiologist")
SPREAD = 0.35  # standard deviation of the logarithm of an account's size, of one profession
SIZES = (0.4, 2.5)
MONDAY_DAYS = 3  # 1970-01-01 was a Thursday
YEAR_DAYS = 365


class Habit(NamedTuple):
    """One account: what it does in a usual day, at which rates."""

    profession: str
    asks: float
    missed: float
    new: float
    unclaimed: float
    settles: tuple[int, int, int]
    with_pass: float
    off: frozenset[int]  # weeks of the year


def habit(draw: Random, profession: str, with_pass: float = 0.0) -> Habit:
    """An account of a profession: its size, its rates around those of the profession, its holidays."""
    rates = RATES[profession]
    size = min(max(draw.lognormvariate(0, SPREAD), SIZES[0]), SIZES[1])
    closes = () if profession in NEVER_CLOSED else WEEKS_OFF
    return Habit(
        profession,
        rates.asks * size,
        min(max(draw.gauss(MISSES, MISSES_SPREAD), 0.005), 0.06),
        around(draw, usual_rate(profession, SIGNALS[Name.STRANGERS])),
        around(draw, usual_rate(profession, SIGNALS[Name.UNCLAIMED])),
        rates.settles,
        with_pass,
        frozenset((week + draw.randrange(-1, 2)) % 53 for week in closes),
    )


def around(draw: Random, mean: float) -> float:
    """A rate of one account: accounts of a profession differ as sixty trials do (bench/detectors.py)."""
    return min(max(draw.betavariate(60 * mean, 60 * (1 - mean)), 1e-3), 0.98)


def questions(draw: Random, who: Habit, day: int) -> int:
    """How many questions an account asks on a day (number of the day since 1970-01-01)."""
    week = day % YEAR_DAYS // 7
    if week in who.off:
        return 0
    busy = WEEK[(day + MONDAY_DAYS) % 7] * MONTHS[min(day % YEAR_DAYS * 12 // YEAR_DAYS, 11)]
    return poisson(draw, who.asks * busy * (AFTER_REST if week - 1 in who.off else 1.0))


def settles_on(draw: Random, who: Habit, day: int) -> int:
    """The day on which the claim of a look-up of `day` is settled; 0 for never."""
    if draw.random() < who.unclaimed:
        return 0
    least, most, often = who.settles
    return day + round(draw.triangular(least, most, often))


def poisson(draw: Random, mean: float) -> int:
    """A Poisson number; from forty on as a rounded normal one."""
    if mean >= 40:
        return max(0, round(draw.gauss(mean, mean**0.5)))
    least, product, count = exp(-mean), draw.random(), 0
    while product > least:
        product *= draw.random()
        count += 1
    return count
