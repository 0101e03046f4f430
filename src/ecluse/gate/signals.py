"""The table of signals: what is tried at each event, how often an honest account may hit, and how far an alert may go.

A signal is a row of trials that hit or not. Its null is not one rate but a bound: whatever came before, the next trial hits with
probability at most `p0` (gate/profile.py). Rates below are assumed (design of November 2026) until the simulator measures them.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class Step(IntEnum):
    """The ladder of an account, from open downwards."""

    OPEN = 0
    SLOWED = 1
    PRESENCE_ONLY = 2
    STEP_UP = 3
    QUARANTINED = 4


class Proof(IntEnum):
    """How a signal's null is known: fixed, learnt from trials that can be proved honest, or of trials whose hits never can."""

    FIXED = 0
    EACH = 1
    NEVER = 2


class Name(IntEnum):
    """Signals in the order of their state; a number is never reused."""

    MISSES = 0
    MISSES_OF_NEW = 1
    UNCLAIMED = 2
    STRANGERS = 3
    INSURERS = 4
    BIRTHPLACES = 5
    NEIGHBOURS = 6
    COURSE = 7
    PACE = 8
    HOURS = 9
    SURROUNDINGS = 10
    FAR_PASSES = 11
    DETAILS = 12
    SURGE = 13
    DECOYS = 14
    STRANGERS_ELSEWHERE = 15
    DENIALS = 16


class Signal(NamedTuple):
    """One row. `alpha`: the chance that an honest account is ever quarantined; a step above has ten times that.

    `usual`: the rate of a profession that `RATES` does not name. `gravest`: the lowest step this signal leads to by itself.
    `first`: trials to be learnt before it is bet on, where accounts differ too much for their profession to say anything:
    everybody is new to an account that joins, and how many insurers are rare there is not known before.
    """

    name: Name
    alpha: float
    proof: Proof
    usual: float
    gravest: Step
    first: int = 0


ALPHA = 1e-6  # for each signal and account, over a career: 0.4 accounts of the country's 400 000

SIGNALS = (
    Signal(Name.MISSES, ALPHA, Proof.NEVER, 0.03, Step.QUARANTINED),
    # the same of people the account does not know: whoever mixes guesses with known patients waters down the first, not this
    Signal(Name.MISSES_OF_NEW, ALPHA, Proof.NEVER, 0.06, Step.QUARANTINED),
    Signal(Name.UNCLAIMED, ALPHA, Proof.NEVER, 0.30, Step.QUARANTINED),
    Signal(Name.STRANGERS, ALPHA, Proof.EACH, 0.45, Step.QUARANTINED, 200),
    Signal(Name.INSURERS, ALPHA, Proof.EACH, 0.10, Step.QUARANTINED, 100),
    Signal(Name.BIRTHPLACES, ALPHA, Proof.EACH, 0.15, Step.QUARANTINED, 100),
    Signal(Name.NEIGHBOURS, ALPHA, Proof.EACH, 0.01, Step.QUARANTINED),
    # below one half for people in no order, whatever the turns before (docs/gate.md); a list sorted by age is honest, though
    Signal(Name.COURSE, ALPHA, Proof.FIXED, 0.50, Step.PRESENCE_ONLY),
    Signal(Name.PACE, ALPHA, Proof.EACH, 0.20, Step.SLOWED),  # software that checks tomorrow's patients is a machine
    Signal(Name.HOURS, ALPHA, Proof.EACH, 0.20, Step.STEP_UP, 100),  # weeks of duty come together: a proof ends it
    Signal(Name.SURROUNDINGS, ALPHA, Proof.EACH, 0.15, Step.STEP_UP),
    Signal(Name.FAR_PASSES, ALPHA, Proof.FIXED, 1e-3, Step.STEP_UP),  # a wrong clock; else somebody copied a pass
    Signal(Name.DETAILS, ALPHA, Proof.FIXED, 0.005, Step.STEP_UP),  # a new bank on one or two days a year
    Signal(Name.SURGE, ALPHA, Proof.EACH, 0.05, Step.PRESENCE_ONLY, 20),
    Signal(Name.DECOYS, ALPHA, Proof.FIXED, 4e-13, Step.QUARANTINED),
    # of questions from a network or software that is new to the account: a thief's are not watered down with the practice's own.
    # Its bound is that of STRANGERS. A doctor on duty elsewhere sees strangers only: hence a step that a login lifts
    Signal(Name.STRANGERS_ELSEWHERE, ALPHA, Proof.FIXED, 0.45, Step.PRESENCE_ONLY, 200),
    # "not me" by mistake: a visit forgotten, a laboratory known by another name (assumed). An insurer could make denials up, so
    # they ask for passes at most here; further down leads what several insurers pass on (gate/denials.py)
    Signal(Name.DENIALS, ALPHA, Proof.FIXED, 1 / 500, Step.PRESENCE_ONLY),
)
assert [signal.name for signal in SIGNALS] == list(Name)

# A decoy is met by chance when a typing mistake is another valid number and has its insurer, birth date and rank. What all decoys
# of an insurer add up to is held below 4·10⁻¹³ a question (gate/decoys.py), and two million questions are a career of the busiest
# pharmacy. So one touch has an E of 1 / 8·10⁻⁷.
CAREER_QUESTIONS = 2_000_000
DECOY_E_VALUE = 1 / (CAREER_QUESTIONS * SIGNALS[Name.DECOYS].usual)

# Usual rates by profession, where they differ: look-ups without claim and new people (follow-through of the design), pace.
# Misses of new people follow: m / (m + (1 - m)·s), with 3 % of misses m and a share s of new people.
_COLUMNS = (Name.UNCLAIMED, Name.STRANGERS, Name.PACE, Name.MISSES_OF_NEW)
_RATES = {
    "general_practitioner": (0.15, 0.30, 0.20, 0.09),
    "specialist": (0.15, 0.60, 0.20, 0.05),
    "pharmacy": (0.05, 0.35, 0.20, 0.08),
    "laboratory": (0.05, 0.60, 0.30, 0.05),
    "dentist": (0.40, 0.30, 0.20, 0.09),
    "optician": (0.45, 0.60, 0.20, 0.05),
    "audio": (0.50, 0.40, 0.20, 0.07),
    "radiologist": (0.10, 0.75, 0.30, 0.04),
    "nurse": (0.10, 0.15, 0.20, 0.17),
    "physiotherapist": (0.10, 0.15, 0.20, 0.17),
    "osteopath": (0.30, 0.40, 0.20, 0.07),
    "hospital": (0.20, 0.70, 0.40, 0.04),
}
PROFESSIONS = tuple(_RATES)
# People newly opened in a working day, to begin with: the design's look-ups a day × new people.
PEOPLE_A_DAY = {"pharmacy": 50.0, "laboratory": 55.0, "hospital": 175.0, "radiologist": 20.0, "specialist": 12.0}
PEOPLE_A_DAY_ELSE = 8.0

# From log10 E = 3 on, a step for each power of ten; the last at 1/α. Signals stop at their `gravest`.
STEPS_BELOW = ((3, Step.SLOWED), (2, Step.PRESENCE_ONLY), (1, Step.STEP_UP), (0, Step.QUARANTINED))


def usual_rate(profession: str, signal: Signal) -> float:
    """The rate at which accounts of this profession usually hit."""
    rates = dict(zip(_COLUMNS, _RATES.get(profession, ()), strict=False))
    name = Name.STRANGERS if signal.name is Name.STRANGERS_ELSEWHERE else signal.name
    return rates.get(name, signal.usual)


def thresholds(signal: Signal) -> tuple[tuple[float, Step], ...]:
    """E from which each step of the ladder is due, from the least to the gravest."""
    return tuple((1 / signal.alpha / 10**tens, step) for tens, step in STEPS_BELOW if step <= signal.gravest)
