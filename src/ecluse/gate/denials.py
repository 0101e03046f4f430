""" "Not me": how many patients may say so by mistake, and from how many on an account goes down the ladder.

A month in which k patients of n say no is this unlikely by mistake: P(N ≥ k) ≤ exp(-(k·ln(k/μ) - k + μ)), μ = n × `MISTAKEN`
(Chernoff's bound for a Poisson, and for any sum of rare independent mistakes). Months of a career share α (union bound).
"""

from __future__ import annotations

from math import exp, log

from ecluse.gate.signals import ALPHA, STEPS_BELOW, Step

MISTAKEN = 1 / 500  # of people told of a look-up: they forgot a visit, or know the laboratory by another name (assumed)
CAREER_MONTHS = 480


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
