"""What an account usually does, and how much of it an honest account may do: learnt only from what later proved honest.

Rates are Beta counts that forget, habits are small tables of counts, the people of a day a Gamma. A new account has the counts of
its profession. Who teaches, at what price: docs/gate.md, "Detectors". Probabilities are floats; nothing here is money.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from math import log, sqrt
from zlib import crc32

import msgspec

from ecluse.gate.signals import PEOPLE_A_DAY, PEOPLE_A_DAY_ELSE, SIGNALS, Name, Proof, Signal, usual_rate
from ecluse.kernel.days import PARIS

PRIOR_TRIES = 60  # what a profession's habit weighs: accounts of it differ by some 5 points around 30 %
MEMORY_TRIES = (
    4_000  # beyond, old trials weigh less: some months of a practice, and what training it away costs a thief
)
GROWTH = 1.25  # what is not proved may teach a quarter more than the account's own usual share, and no more
CREDIT_MAX = 10  # unproved trials saved up; also taken at once, whatever the habit
GULP = 4  # times the usual share: what is more in one lesson teaches nothing
DELTA = 1e-6  # the bound is too low with at most this chance, when rates stay as they are
PRECISION = 1e-6  # of a bound, beside rates of some per cent
DAYS_PRIOR, DAYS_MEMORY = (
    10,
    120,
)  # days that the profession's number of people weighs; days after which one is forgotten
DAY_SPREAD = 0.25  # beyond chance: a flu, a Monday (assumed: a standard deviation of half the mean)
DAY_LIMIT_SDS = 3

INSURERS_MAX, DEPARTMENTS_MAX, HOURS = 36, 20, 48  # what is kept of habits; hours of working days, then of the others
HABIT_MEMORY = 2_000  # counts are halved there
HABIT_TRIES = 200  # before that many, everything is new and says nothing
HABIT_SHARE = 0.01  # what comes up less often is rare for the account; ten to twenty settled claims buy an insurer

Counts = tuple[tuple[int, int], ...]


class Rate(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Beta counts of a signal; `credit`: unproved trials that may still teach it, none while it is below 0."""

    hits: float
    others: float
    credit: float = 0.0

    @property
    def mean(self) -> float:
        """The usual rate."""
        return self.hits / (self.hits + self.others)


class Profile(msgspec.Struct, frozen=True, array_like=True):
    """What is kept of an account, under 1.1 kB as MessagePack. `day`: of the last lesson, an ordinal; older ones are not taken.

    `people_*`: a Gamma of the people newly opened in a day. Habits are counts by insurer (16 bits), department and hour.
    """

    profession: str
    rates: tuple[Rate, ...]
    day: int = 0
    people_shape: float = 0.0
    people_days: float = 0.0
    insurers: Counts = ()
    departments: Counts = ()
    hours: Counts = ()


class Taught(msgspec.Struct, frozen=True, array_like=True):
    """Trials of one signal in a day that matured: those proved by a settled claim or a presence, and the others."""

    proved_hits: int = 0
    proved: int = 0
    other_hits: int = 0
    others: int = 0


class Lesson(msgspec.Struct, frozen=True):
    """A day of an account, once its look-ups have matured (30 days): only proved ones count in habits and in `people`.

    `clean`: the account was open all that day, and nobody said "not me" of it. `people`: newly opened, typed, proved.
    """

    day: int
    clean: bool
    taught: Mapping[Name, Taught]
    people: int = 0
    insurers: Mapping[int, int] = {}
    departments: Mapping[int, int] = {}
    hours: Mapping[int, int] = {}


class Usual(msgspec.Struct, frozen=True):
    """A profile as detectors read it, worked out once a lesson: `means` and `bounds` (p0) by signal, and what is habit.

    An empty habit is one that is not known yet. `people_max`: of a day that is not a surge. `learnt`: signals that may be bet
    on by now (`Signal.first`).
    """

    means: tuple[float, ...]
    bounds: tuple[float, ...]
    insurers: frozenset[int]
    departments: frozenset[int]
    hours: frozenset[int]
    people_max: float
    learnt: tuple[bool, ...]


def cold(profession: str) -> Profile:
    """The profile of an account nothing is known of yet."""
    rates = []
    for signal in SIGNALS:
        mean = usual_rate(profession, signal)
        rates.append(Rate(PRIOR_TRIES * mean, PRIOR_TRIES * (1 - mean)))
    people = PEOPLE_A_DAY.get(profession, PEOPLE_A_DAY_ELSE)
    return Profile(profession, tuple(rates), 0, people * DAYS_PRIOR, DAYS_PRIOR)


def learn(profile: Profile, lesson: Lesson) -> Profile:
    """The profile after a lesson; the same one if the lesson is not clean, not later than the last, or proves nothing."""
    if not lesson.clean or lesson.day <= profile.day or not any(each.proved for each in lesson.taught.values()):
        return profile
    unclaimed = profile.rates[Name.UNCLAIMED].mean
    rates = tuple(
        _learn_rate(rate, signal, lesson.taught[signal.name], unclaimed) if signal.name in lesson.taught else rate
        for rate, signal in zip(profile.rates, SIGNALS, strict=True)
    )
    kept = 1 - 1 / DAYS_MEMORY
    return Profile(
        profile.profession,
        rates,
        lesson.day,
        profile.people_shape * kept + lesson.people,
        profile.people_days * kept + 1,
        _counted(profile.insurers, lesson.insurers, INSURERS_MAX),
        _counted(profile.departments, lesson.departments, DEPARTMENTS_MAX),
        _counted(profile.hours, lesson.hours, HOURS),
    )


def _learn_rate(rate: Rate, signal: Signal, taught: Taught, unclaimed: float) -> Rate:
    """Unproved trials teach on credit, which proved ones earn: `GROWTH` × the usual odds each.

    Whether they are taken is decided before they are looked at, for a lesson taken or left by its outcome would make an honest
    account look better than it is. Where hits can never be proved the whole lesson is left, or the rate would only ever fall.
    """
    if signal.proof is Proof.FIXED:
        return rate
    never = signal.proof is Proof.NEVER
    usual = rate.mean if never else unclaimed
    earned = usual / (1 - usual) * taught.proved
    unproved = taught.other_hits if never else taught.others
    if rate.credit >= 0 and unproved <= max(CREDIT_MAX, GULP * earned):
        credit = min(CREDIT_MAX, rate.credit + GROWTH * earned - unproved)
        return _added(rate, taught.proved_hits + taught.other_hits, taught.proved + taught.others, credit)
    credit = min(CREDIT_MAX, rate.credit + GROWTH * earned)
    return _added(rate, 0, 0, credit) if never else _added(rate, taught.proved_hits, taught.proved, credit)


def _added(rate: Rate, more_hits: int, more: int, credit: float) -> Rate:
    hits, others = rate.hits + more_hits, rate.others + more - more_hits
    kept = min(1.0, MEMORY_TRIES / (hits + others))
    return Rate(hits * kept, others * kept, credit)


def _counted(counts: Counts, more: Mapping[int, int], places: int) -> Counts:
    """Counts with more added: the most frequent ones, halved when they are many, so that old habits fade."""
    if not more:
        return counts
    summed = dict(counts)
    for key, count in more.items():
        summed[key] = summed.get(key, 0) + count
    if sum(summed.values()) > HABIT_MEMORY:
        summed = {key: count // 2 for key, count in summed.items() if count > 1}
    most = sorted(summed.items(), key=lambda pair: (-pair[1], pair[0]))[:places]
    return tuple(sorted(most))


def usual(profile: Profile) -> Usual:
    """What detectors need of a profile: some 100 µs, so once for each lesson, not for each question."""
    bounds = []
    for rate, signal in zip(profile.rates, SIGNALS, strict=True):
        least = odds_times(max(rate.mean, usual_rate(profile.profession, signal)), GROWTH)  # seasons
        bounds.append(signal.usual if signal.proof is Proof.FIXED else max(least, upper(rate.hits, rate.others)))
    mean = profile.people_shape / profile.people_days
    means = [rate.mean for rate in profile.rates]
    learnt = [
        not signal.first or rate.hits + rate.others >= PRIOR_TRIES + signal.first
        for rate, signal in zip(profile.rates, SIGNALS, strict=True)
    ]
    strangers, elsewhere = Name.STRANGERS, Name.STRANGERS_ELSEWHERE  # the same people, from wherever
    means[elsewhere], bounds[elsewhere], learnt[elsewhere] = means[strangers], bounds[strangers], learnt[strangers]
    return Usual(
        tuple(means),
        tuple(bounds),
        _habit(profile.insurers),
        _habit(profile.departments),
        _habit(profile.hours),
        mean + DAY_LIMIT_SDS * sqrt(mean + DAY_SPREAD * mean * mean),
        tuple(learnt),
    )


def _habit(counts: Counts) -> frozenset[int]:
    total = sum(count for _, count in counts)
    if total < HABIT_TRIES:
        return frozenset()
    return frozenset(key for key, count in counts if count >= HABIT_SHARE * total)


@lru_cache(4096)  # cold profiles are all alike
def upper(hits: float, others: float) -> float:
    """A rate that the true one exceeds with probability at most `DELTA`, after these Beta counts (both above 0).

    Chernoff's bound for a Beta, whose tail is a binomial's: P(rate > x) ≤ exp(-n·KL(hits/n ‖ x)), n = hits + others.
    """
    tries = hits + others
    mean = hits / tries
    wanted = -log(DELTA) / tries
    low, high = mean, 1.0
    while high - low > PRECISION:
        middle = (low + high) / 2
        apart = mean * log(mean / middle) + (1 - mean) * log((1 - mean) / (1 - middle))
        low, high = (middle, high) if apart < wanted else (low, middle)
    return high


def odds_times(rate: float, factor: float) -> float:
    """The rate whose odds are `factor` times those of `rate`."""
    return factor * rate / (1 - rate + factor * rate)


def insurer_class(insurer: str) -> int:
    """An insurer in the table of habits: 16 bits, enough to tell 400 insurers apart."""
    return crc32(insurer.encode()) & 0xFFFF


def hour_class(instant: datetime) -> int:
    """The hour of Paris, 0 to 23 from Monday to Friday, 24 to 47 at the weekend."""
    local = instant.astimezone(PARIS)
    return local.hour + (24 if local.weekday() > 4 else 0)
