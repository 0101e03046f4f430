"""Detectors: an event of an account becomes trials of signals, signals become alerts. Pure, constant work and state per event.

Who calls keeps a `Watch` beside the account and hands in its `Usual` (gate/profile.py). Only what somebody typed is tried: a pass
shown is a proof. The mathematics, and what it takes to be seen: docs/gate.md, "Detectors".
"""

from __future__ import annotations

from collections.abc import Callable
from math import log10

import msgspec

from ecluse.gate.alerts import Alert, Evidence
from ecluse.gate.betting import Capital, Row, bet
from ecluse.gate.features import NOTHING, Course, Features
from ecluse.gate.features import Step as Kin
from ecluse.gate.profile import Usual
from ecluse.gate.signals import DECOY_E_VALUE, SIGNALS, Name, Step, thresholds

THRESHOLDS = tuple(thresholds(signal) for signal in SIGNALS)
LEAST = tuple(rows[0][0] for rows in THRESHOLDS)


class Asked(msgspec.Struct, frozen=True, gc=False):
    """A typed question that was answered. `missed`: nothing confirmed; `known`: the account had been told of this person before.

    `again`: not the first question about this person today, so that nobody waters rates down with one known patient.
    `insurer`: `profile.insurer_class` of it; `decoy`: the person, insurer or row exists for thieves only.
    """

    at_s: int
    missed: bool
    known: bool
    again: bool = False
    insurer: int = 0
    features: Features = NOTHING
    decoy: bool = False


class Matured(msgspec.Struct, frozen=True, gc=False):
    """A first disclosure that got its claim or presence, or whose time for it (30 days) ran out."""

    at_s: int
    claimed: bool


class Entered(msgspec.Struct, frozen=True, gc=False):
    """A login's first question. `new`: from a network, device or software not seen in the last months; `hour`: `hour_class`."""

    at_s: int
    new: bool
    hour: int


class Shown(msgspec.Struct, frozen=True, gc=False):
    """A pass shown to this account; `far`: too far from where it was shown before for anybody to travel in between."""

    at_s: int
    far: bool


class DetailsChanged(msgspec.Struct, frozen=True, gc=False):
    """Bank account, address or contact of the professional changed: handed in once a day at most."""

    at_s: int


class DayClosed(msgspec.Struct, frozen=True, gc=False):
    """A day on which the account asked is over: people newly opened, typed. `changed`: `DetailsChanged` was handed in."""

    at_s: int
    people: int
    changed: bool = False


Event = Asked | Matured | Entered | Shown | DetailsChanged | DayClosed
Trials = list[tuple[int, bool]]


class Watch(msgspec.Struct, frozen=True, array_like=True):
    """What detectors keep of an account, under 1 kB: its capital and a row for each signal."""

    capital: Capital
    rows: tuple[Row, ...]


def watch(opened_s: int) -> Watch:
    """The watch of an account at its opening (Unix seconds)."""
    return Watch(Capital(opened_s, opened_s), (Row(),) * len(SIGNALS))


def observe(watched: Watch, usual: Usual, event: Event) -> tuple[Watch, tuple[Alert, ...]]:
    """The watch after an event, and what it alerts to: each signal that hit while its E is at a step of the ladder."""
    capital = watched.capital
    if type(event) is Entered and event.new:
        capital = capital.refreshed(event.at_s)
    at_s = event.at_s
    paid = capital.paid(at_s)
    rows = list(watched.rows)
    alerts: tuple[Alert, ...] = ()
    for name, hit in TRIALS[type(event)](event, usual):
        row = rows[name] = bet(rows[name], hit, usual.bounds[name], paid, at_s)
        if hit and row.e_value >= LEAST[name]:
            alerts += (_alert(name, row, usual, at_s),)
    if type(event) is Asked and event.decoy:
        rows[Name.DECOYS], touched = _touched(rows[Name.DECOYS], usual, at_s)
        alerts += (touched,)
    return Watch(capital, tuple(rows)), alerts


def proved(watched: Watch, lifted: Step) -> Watch:
    """The watch after a fresh proof lifted that step: circumstances are explained by it, what was asked about is not.

    Only after a step-up do the signals that quarantine keep an E of the first step at most; the ladder takes a second step-up
    within a month for a relapse. Money is only taken out, so what is said of false alarms stays true.
    """
    rows = zip(watched.rows, SIGNALS, LEAST, strict=True)
    return Watch(watched.capital, tuple(_explained(row, signal.gravest, least, lifted) for row, signal, least in rows))


def _explained(row: Row, gravest: Step, least: float, lifted: Step) -> Row:
    if gravest is not Step.QUARANTINED:
        return row.at_most(0.0)
    return row.at_most(least) if lifted is Step.STEP_UP else row


def released(watched: Watch, at_s: int) -> Watch:
    """The watch after two operators found an account honest: what was paid in is taken out; what comes from now on bets."""
    row = Row(paid=watched.capital.paid(at_s))
    return Watch(watched.capital, (row,) * len(SIGNALS))


def _alert(name: int, row: Row, usual: Usual, at_s: int) -> Alert:
    e_value = row.e_value
    step = max(step for least, step in THRESHOLDS[name] if e_value >= least)
    evidence = Evidence(row.hits, row.tries, row.since_s, at_s, usual.means[name], usual.bounds[name])
    return Alert(Name(name), step, log10(e_value), evidence)


def _touched(row: Row, usual: Usual, at_s: int) -> tuple[Row, Alert]:
    """Nothing is bet on decoys: the chance to touch one in a career is known, and its inverse is an e-value."""
    hits = row.hits + 1
    after = Row(DECOY_E_VALUE, tries=hits, hits=hits, since_s=row.since_s or at_s)
    return after, _alert(Name.DECOYS, after, usual, at_s)


def _asked(event: Asked, usual: Usual) -> Trials:
    trials: Trials = []
    if event.decoy:
        return trials
    if not event.again and not event.missed:
        trials.append((Name.STRANGERS, not event.known))
    if event.known:
        return trials
    told = event.features
    trials.append((Name.MISSES, event.missed))
    if usual.insurers:
        trials.append((Name.INSURERS, event.insurer not in usual.insurers))
    if usual.departments and told.birth_department:
        trials.append((Name.BIRTHPLACES, told.birth_department not in usual.departments))
    if told.step:
        trials.append((Name.NEIGHBOURS, told.step >= Kin.NEAR))
    if told.course:
        trials.append((Name.COURSE, told.course == Course.SAME))
    if told.gap_s >= 0:
        trials.append((Name.PACE, told.machine_paced))
    return trials


def _entered(event: Entered, usual: Usual) -> Trials:
    trials: Trials = [(Name.SURROUNDINGS, event.new)]
    if usual.hours:
        trials.append((Name.HOURS, event.hour not in usual.hours))
    return trials


def _day_closed(event: DayClosed, usual: Usual) -> Trials:
    surge: Trials = [(Name.SURGE, event.people > usual.people_max)]
    return surge if event.changed else [*surge, (Name.DETAILS, False)]


TRIALS: dict[type, Callable[..., Trials]] = {
    Asked: _asked,
    Matured: lambda event, _: [(Name.UNCLAIMED, not event.claimed)],
    Entered: _entered,
    Shown: lambda event, _: [(Name.FAR_PASSES, event.far)],
    DetailsChanged: lambda event, _: [(Name.DETAILS, True)],
    DayClosed: _day_closed,
}
assert max(Step) == Step.QUARANTINED
