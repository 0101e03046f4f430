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

    `again`: not the first question with these identifiers today, so that nobody waters rates down with one known patient, and
    a wrong card tried three times counts once.
    `insurer`: `profile.insurer_class` of it; `decoy`: the person, insurer or row exists for thieves only; `elsewhere`: from a
    network or software that is new to the account.
    """

    at_s: int
    missed: bool
    known: bool
    again: bool = False
    insurer: int = 0
    features: Features = NOTHING
    decoy: bool = False
    elsewhere: bool = False


class Matured(msgspec.Struct, frozen=True, gc=False):
    """A first disclosure whose time for a claim or a presence (30 days) is over.

    Handed in at that time whether claimed or not, in the order of disclosures: if claimed ones came early, the first weeks of a
    holiday would see nothing but unclaimed ones.
    """

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
    """Bank account of the professional's practice changed. It is tried by days (gate/dated.py); here it is a new circumstance."""

    at_s: int


class Touched(msgspec.Struct, frozen=True, gc=False):
    """The account itself is a decoy, and somebody came with a token of it."""

    at_s: int


class DayClosed(msgspec.Struct, frozen=True, gc=False):
    """A day on which the account asked is over: people newly opened, typed."""

    at_s: int
    people: int


Event = Asked | Matured | Entered | Shown | DetailsChanged | Touched | DayClosed
Trials = list[tuple[int, bool]]


class Watch(msgspec.Struct, frozen=True, array_like=True):
    """What detectors keep of an account, under 1 kB: its capital and a row for each signal.

    `paid`: the capital paid in up to the last event. The next one bets with that, because neither the time of an event nor new
    surroundings may choose the stake on the very trial they belong to.
    """

    capital: Capital
    rows: tuple[Row, ...]
    paid: float


def watch(opened_s: int) -> Watch:
    """The watch of an account at its opening (Unix seconds)."""
    capital = Capital(opened_s, opened_s)
    return Watch(capital, (Row(),) * len(SIGNALS), capital.paid(opened_s))


def observe(watched: Watch, usual: Usual, event: Event) -> tuple[Watch, tuple[Alert, ...]]:
    """The watch after an event, and what it alerts to: each signal that hit while its E is at a step of the ladder."""
    at_s, paid = event.at_s, watched.paid
    rows = list(watched.rows)
    alerts: tuple[Alert, ...] = ()
    for name, hit in TRIALS[type(event)](event, usual):
        if not usual.learnt[name]:
            continue
        row = rows[name] = bet(rows[name], hit, usual.bounds[name], paid, at_s)
        if hit and row.money1 + row.money2 + row.money3 >= LEAST[name]:
            alerts += (_alert(name, row, usual, at_s),)
    if type(event) is Touched or (type(event) is Asked and event.decoy):
        rows[_DECOYS], touched = _touched(rows[_DECOYS], usual, at_s)
        alerts += (touched,)
    capital = watched.capital
    if type(event) is DetailsChanged or (type(event) is Entered and event.new):
        capital = capital.refreshed(at_s)
    return Watch(capital, tuple(rows), max(paid, capital.paid(at_s))), alerts


def proved(watched: Watch, lifted: Step) -> Watch:
    """The watch after a fresh proof lifted that step: circumstances are explained by it, what was asked about is not.

    `slowed` is lifted by any login of a morning, which explains a pace and nothing else. Only after a step-up do the signals that
    quarantine keep an E of the first step at most; the ladder takes their second step-up within a month for a relapse. Money is
    only taken out, so what is said of false alarms stays true.
    """
    rows = zip(watched.rows, SIGNALS, LEAST, strict=True)
    kept = (_explained(row, signal.gravest, least, lifted) for row, signal, least in rows)
    return Watch(watched.capital, tuple(kept), watched.paid)


def _explained(row: Row, gravest: Step, least: float, lifted: Step) -> Row:
    if gravest is not Step.QUARANTINED:
        return row.at_most(0.0) if lifted >= min(gravest, Step.PRESENCE_ONLY) else row
    return row.at_most(least) if lifted is Step.STEP_UP else row


def released(watched: Watch) -> Watch:
    """The watch after two operators found an account honest: what was paid in is taken out; what comes from now on bets."""
    return Watch(watched.capital, (Row(paid=watched.paid),) * len(SIGNALS), watched.paid)


def _alert(name: int, row: Row, usual: Usual, at_s: int) -> Alert:
    e_value = row.e_value
    step = max(step for least, step in THRESHOLDS[name] if e_value >= least)
    evidence = Evidence(row.hits, row.tries, row.since_s, at_s, usual.means[name], usual.bounds[name])
    return Alert(Name(name), step, log10(e_value), evidence)


def _touched(row: Row, usual: Usual, at_s: int) -> tuple[Row, Alert]:
    """Nothing is bet on decoys: the chance to touch one in a career is known, and its inverse is an e-value."""
    hits = row.hits + 1
    after = Row(DECOY_E_VALUE, tries=hits, hits=hits, since_s=row.since_s or at_s)
    return after, _alert(_DECOYS, after, usual, at_s)


# Plain numbers: members of an IntEnum cost more to read than a bet.
(_MISSES, _MISSES_OF_NEW, _UNCLAIMED, _STRANGERS, _INSURERS, _BIRTHPLACES, _NEIGHBOURS, _COURSE,
 _PACE, _HOURS, _SURROUNDINGS, _FAR_PASSES, _DETAILS, _SURGE, _DECOYS, _ELSEWHERE, _DENIALS) = map(int, Name)  # fmt: skip
_NEAR, _SAME = int(Kin.NEAR), int(Course.SAME)


def _asked(event: Asked, usual: Usual) -> Trials:
    if event.decoy or event.again:
        return []
    trials: Trials = [(_MISSES, event.missed)]
    if not event.missed:
        trials.append((_STRANGERS, not event.known))
        if event.elsewhere:
            trials.append((_ELSEWHERE, not event.known))
    if event.known:
        return trials
    told = event.features
    trials.append((_MISSES_OF_NEW, event.missed))
    if usual.insurers:
        trials.append((_INSURERS, event.insurer not in usual.insurers))
    if usual.departments and told.birth_department:
        trials.append((_BIRTHPLACES, told.birth_department not in usual.departments))
    if told.step:
        trials.append((_NEIGHBOURS, told.step >= _NEAR))
    if told.course:
        trials.append((_COURSE, told.course == _SAME))
    if told.gap_s >= 0:
        trials.append((_PACE, told.machine_paced))
    return trials


def _entered(event: Entered, usual: Usual) -> Trials:
    login: Trials = [(_SURROUNDINGS, event.new)]
    return [*login, (_HOURS, event.hour not in usual.hours)] if usual.hours else login


TRIALS: dict[type, Callable[..., Trials]] = {
    Asked: _asked,
    Matured: lambda event, _: [(_UNCLAIMED, not event.claimed)],
    Entered: _entered,
    Shown: lambda event, _: [(_FAR_PASSES, event.far)],
    DetailsChanged: lambda _, __: [],
    Touched: lambda _, __: [],
    DayClosed: lambda event, usual: [(_SURGE, event.people > usual.people_max)],
}
assert max(Step) == Step.QUARANTINED
