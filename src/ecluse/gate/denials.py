""" "Not me": how many patients may say so by mistake, and how many it takes to move an account down the ladder.

A month in which k patients of n say no is this unlikely by mistake: P(N ≥ k) ≤ exp(-(k·ln(k/μ) - k + μ)), μ = n × `MISTAKEN`
(Chernoff's bound for a Poisson, and for any sum of rare independent mistakes). Months of a career share α (union bound).

They come through insurers, who could make them up: what one insurer can do by them is bounded (`weight`, `step_due`).
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from math import exp, log
from typing import NamedTuple

from ecluse.gate.signals import ALPHA, SIGNALS, STEPS_BELOW, Name, Step
from ecluse.kernel.days import instant

MISTAKEN = SIGNALS[Name.DENIALS].usual  # of people told of a look-up (assumed)
CAREER_MONTHS = 480
ACCOUNT_MIN, ACCOUNT_SHARE = 5, 4  # of an account in a year: 5 of 50 slow it; a quarter of its debt cap
ALL_MIN, ALL_SHARE = (
    20,
    100,
)  # of all accounts in two months: a theft that a small insurer sees whole; 1 % of its openings


def chance_of_mistake(denied: int, opened: int) -> float:
    """At most how probable it is that so many of `opened` people say "not me" by mistake."""
    mean = opened * MISTAKEN
    if denied <= mean or not opened:
        return 1.0
    return exp(-(denied * log(denied / mean) - denied + mean))


def step_for(denied: int, opened: int) -> Step:
    """The step due when `denied` people said "not me" this month, of those opened this month and the one before."""
    chance = chance_of_mistake(denied, opened) * CAREER_MONTHS
    return max((step for tens, step in STEPS_BELOW if chance <= ALPHA * 10**tens), default=Step.OPEN)


class Weight(StrEnum):
    """What a "not me" does. `counted`: the opening is unjustified for ever, and the account may go down its ladder; `held`: it is
    written down, and waits for an operator; `noted`: the person's pass was shown to that account, so nothing is to be counted."""

    COUNTED = "counted"
    HELD = "held"
    NOTED = "noted"


class Said(NamedTuple):
    """What one insurer had counted before: of an account in a year; of all accounts this month and the last; and how many
    openings of its members there were in these two months."""

    of_account: int
    of_all: int
    told: int


def weight(said: Said, cap: int) -> Weight:
    """Whether one more denial from this insurer counts without an operator, for an account whose debt cap is `cap`.

    So an insurer that lies takes a quarter of an account's allowance at most, and troubles as many accounts as one in a hundred
    of its openings reach: thefts are rarer than that, and mistakes five times rarer.
    """
    of_account_max = max(ACCOUNT_MIN, cap // ACCOUNT_SHARE)
    of_all_max = max(ALL_MIN, said.told // ALL_SHARE)
    return Weight.HELD if said.of_account >= of_account_max or said.of_all >= of_all_max else Weight.COUNTED


def step_due(denied: int, opened: int, of_one: int = 0) -> Step:
    """The step due when one insurer alone passed on `of_one` of the denials: one insurer can at most make passes required."""
    return max(min(step_for(denied, opened), Step.PRESENCE_ONLY), step_for(denied - of_one, opened))


def months(at_us: int) -> tuple[int, int]:
    """When this month began, and the one before (UTC, µs)."""
    this = instant(at_us).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    last = (this - timedelta(days=1)).replace(day=1)
    return int(this.timestamp()) * 1_000_000, int(last.timestamp()) * 1_000_000
