"""Bets against a null: a row of trials as an e-process, in constant space, that alarms on the honest no more than it says.

A trial hits with probability at most p0, given all before. A stake g in (0, 1) multiplies its money by 1 + g·(hit/p0 - 1):
its mean is at most 1 for every rate up to p0 (equal at p0), dependent or not. So money is a non-negative supermartingale that
begins at 1 at most, and P(it ever reaches 1/α) ≤ α (Ville 1939). Against one rate q, the stake (q - p0)/(1 - p0) is the
likelihood ratio of q and p0.

Nobody knows when a login is stolen. So the 1 is not bet at once: capital is paid in as time goes by, over a career, and more
of it when the surroundings are new. What was paid in before a theft may be lost; what is paid in after works. Money is
multiplied as it is, not in logarithms: what falls to nothing is meant to, for what comes after is added to it.
"""

from __future__ import annotations

import msgspec

STAKES = (0.15, 0.45, 0.90)  # a slow thief, half and half, nothing but theft; each has a third of the capital
CAREER_S = 40 * 365.25 * 86_400  # after it the capital is out, and what was paid in bets on
AT_OPENING = 0.25  # an account may be false from its first day
FRESH_SHARE = 0.375  # saved up for new devices, networks and software; half of it is paid in at each
STEADY_SHARE = 1 - AT_OPENING - FRESH_SHARE
ENOUGH = 1e30  # no step comes after; money stays a number

_G1, _G2, _G3 = STAKES
_LOST1, _LOST2, _LOST3 = (1 - stake for stake in STAKES)


class Capital(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What an account's signals have been paid in, each: at its opening, at `fresh` moments (a sum), and steadily since."""

    opened_s: int
    saved_since_s: int
    fresh: float = 0.0

    def paid(self, at_s: int) -> float:
        """The sum paid in up to `at_s`: never above 1."""
        steady = STEADY_SHARE * (at_s - self.opened_s) / CAREER_S
        return AT_OPENING + self.fresh + (steady if steady < STEADY_SHARE else STEADY_SHARE)

    def refreshed(self, at_s: int) -> Capital:
        """After new surroundings: half of what was saved up is paid in."""
        end_s = min(at_s, self.opened_s + int(CAREER_S))
        half_s = max(0, end_s - self.saved_since_s) // 2
        return Capital(self.opened_s, self.saved_since_s + half_s, self.fresh + FRESH_SHARE * half_s / CAREER_S)


class Row(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One signal of one account: the money of each stake, what was paid in when it last bet, and what is told of it.

    `run`, `tries`, `hits` and `since_s` are of the latest trials that speak for a theft (a CUSUM of the middle stake): evidence
    for people, on which nothing is decided.
    """

    money1: float = 0.0
    money2: float = 0.0
    money3: float = 0.0
    paid: float = 0.0
    run: float = 1.0
    tries: int = 0
    hits: int = 0
    since_s: int = 0

    @property
    def e_value(self) -> float:
        """The money of all stakes: a lower bound of E, which also holds what is not paid in yet."""
        return self.money1 + self.money2 + self.money3

    def at_most(self, e_value: float) -> Row:
        """The row with money taken out, down to an E."""
        share = min(1.0, e_value / self.e_value) if self.money1 else 0.0
        return Row(self.money1 * share, self.money2 * share, self.money3 * share, self.paid)


def bet(row: Row, hit: bool, p0: float, paid: float, at_s: int) -> Row:
    """The row after one trial. `paid`: what was paid in before the trial came, which never falls; the new part joins the bet."""
    if row.money1 + row.run > ENOUGH:
        return row
    new = (paid - row.paid) / 3
    if hit:
        gain = 1 / p0 - 1
        run = row.run * (1 + _G2 * gain)
        money1 = (row.money1 + new) * (1 + _G1 * gain)
        money2 = (row.money2 + new) * (1 + _G2 * gain)
        money3 = (row.money3 + new) * (1 + _G3 * gain)
        since_s = row.since_s if row.tries else at_s
        return Row(money1, money2, money3, paid, run, row.tries + 1, row.hits + 1, since_s)
    run = row.run * _LOST2
    money1, money2 = (row.money1 + new) * _LOST1, (row.money2 + new) * _LOST2
    money3 = (row.money3 + new) * _LOST3
    if run < 1:
        return Row(money1, money2, money3, paid, 1.0, 0, 0, 0)
    return Row(money1, money2, money3, paid, run, row.tries + 1, row.hits, row.since_s)
