"""Signals of dated counts: on each day so many trials, so many of which turned out to be hits, on that day or long after.

"Not me" is said weeks after the opening it is about, so nothing is multiplied as it comes: the e-process is worked out anew
from the counts, which the hub keeps anyway and makes again from the journal. No state of it is kept, nothing of it is migrated.

Why the bound holds though hits come late: X_n, the money after the true outcomes of the first n trials in the order of their
days, is a non-negative supermartingale that begins at 1 at most (gate/betting.py). What is worked out takes each outcome that is
not known yet for none, so it is never above X_n of all trials made so far: P(it ever reaches 1/α) ≤ P(X ever does) ≤ α (Ville).
Money joins at the beginning of a day: no hit of an earlier day can be bet on with it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from functools import lru_cache
from math import exp, log, log10
from typing import NamedTuple

from ecluse.gate.alerts import Alert, Evidence
from ecluse.gate.betting import ENOUGH, Capital, Row
from ecluse.gate.signals import SIGNALS, Name, thresholds

DAY_S = 86_400
LOG_ENOUGH = log(ENOUGH)


class Counted(NamedTuple):
    """A day (from 1970-01-01, UTC), its trials, and how many of them hit as far as is known."""

    day: int
    tries: int
    hits: int


class Bets(NamedTuple):
    """How a signal bets. `stakes`: small ones, for what is rare also in a theft; a third of the money each.

    `refreshes`: a hit is a new circumstance, so half of what was saved up joins on the day after (`betting.Capital`).
    """

    stakes: tuple[float, float, float]
    refreshes: bool = False


BETS = {
    Name.DETAILS: Bets((0.05, 0.20, 0.60), refreshes=True),  # once a month, once a week, day after day
    Name.DENIALS: Bets((0.01, 0.05, 0.25)),  # of a hundred openings one, five, twenty-five more than by mistake
}


def row_of(name: Name, days: Iterable[Counted], opened_day: int, since_day: int = 0) -> Row:
    """A signal's row after these days, in their order, for an account that first asked on `opened_day`.

    `since_day`: what was paid in up to that day was taken out, and nothing of before counts: two operators looked at it.
    """
    return deque(rows_of(name, days, opened_day, since_day), maxlen=1).pop()


def rows_of(name: Name, days: Iterable[Counted], opened_day: int, since_day: int = 0) -> Iterator[Row]:
    """The same as a history: the row before the first day, then after each day, in one pass."""
    signal, bets = SIGNALS[name], BETS[name]
    gain = 1 / signal.usual - 1
    capital = Capital(opened_day * DAY_S, opened_day * DAY_S)
    row = Row(paid=capital.paid(since_day * DAY_S) if since_day >= opened_day else 0.0)
    yield row
    for day, tries, hits in days:
        if day > since_day:
            paid = capital.paid(day * DAY_S)
            row = _bet(row, Counted(day, tries, hits), _factors(bets.stakes, gain, tries, hits), paid)
        if hits and bets.refreshes:
            capital = capital.refreshed((day + 1) * DAY_S)
        yield row


@lru_cache(1_024)
def _factors(stakes: tuple[float, float, float], gain: float, tries: int, hits: int) -> tuple[float, float, float]:
    """What each stake's money is multiplied by on such a day."""
    low, middle, high = (
        exp(min((tries - hits) * log(1 - each) + hits * log(1 + each * gain), LOG_ENOUGH)) for each in stakes
    )
    return low, middle, high


def _bet(row: Row, day: Counted, factors: tuple[float, float, float], paid: float) -> Row:
    """The row after one day. `run` and what follows is for people: the latest days that speak against it (a CUSUM)."""
    new = (paid - row.paid) / 3
    money1 = min((row.money1 + new) * factors[0], ENOUGH)
    money2 = min((row.money2 + new) * factors[1], ENOUGH)
    money3 = min((row.money3 + new) * factors[2], ENOUGH)
    run = min(row.run * factors[1], ENOUGH)
    if run < 1:
        return Row(money1, money2, money3, paid)
    since_s = row.since_s if row.tries else day.day * DAY_S
    return Row(money1, money2, money3, paid, run, row.tries + day.tries, row.hits + day.hits, since_s)


def every_day(opened_day: int, until_day: int, hit: Iterable[int]) -> Iterator[Counted]:
    """One trial a day, from the account's first to `until_day`, which hits on the days in `hit`."""
    hits = frozenset(hit)
    return (Counted(day, 1, int(day in hits)) for day in range(opened_day, until_day + 1))


def alert_of(name: Name, row: Row, at_s: int) -> Alert | None:
    """The alert a signal asks for, where it stands at a step of the ladder."""
    signal, e_value = SIGNALS[name], row.e_value
    step = max((step for least, step in thresholds(signal) if e_value >= least), default=None)
    if step is None:
        return None
    evidence = Evidence(row.hits, row.tries, row.since_s, at_s, signal.usual, signal.usual)
    return Alert(name, step, log10(e_value), evidence)
