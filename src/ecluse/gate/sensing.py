"""Sensing: what an account asks, in order, becomes trials, alerts and, a month later, lessons. Pure.

The hub's watcher and a simulation run the same code, an account at a time:

    sensed = begun(profession, at_s)
    sensed, alerts, waiting = sense(sensed, question)   each typed question that was answered, in order
    sensed, alerts = closed(sensed, at_s)               at any time: a day that is over is closed
    sensed, alerts = ripened(sensed, at_s, day, ripe)   the openings of a day, once `DEBT_DAYS` are over, in their order
    sensed, alerts = stepped(sensed, move)              after each move of the account on the ladder

Who calls keeps each `Waiting` for those days, and moves the ladder by `Alerted(alert)`. Days are numbered from 1970-01-01, UTC.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple
from zlib import crc32

import msgspec
from msgspec.structs import replace

from ecluse.gate.alerts import Alert
from ecluse.gate.containment import Move, Proved
from ecluse.gate.detectors import (
    TRIALS,
    Asked,
    DayClosed,
    DetailsChanged,
    Entered,
    Event,
    Matured,
    Shown,
    Touched,
    Watch,
    observe,
    proved,
    released,
    watch,
)
from ecluse.gate.features import NOTHING, Features
from ecluse.gate.lessons import Ripe, Tally, Waiting, bits, lesson, tallied
from ecluse.gate.profile import Profile, Usual, cold, hour_class, insurer_class, learn, usual
from ecluse.gate.signals import SIGNALS, Step
from ecluse.kernel.days import S_US, instant

DAY_S = 86_400
DAYS_MAX = 45  # days that wait for their openings: 30, and some if the watcher was down
ALIKE = 0xFFFF_FFFF  # of `asked`: enough to tell a day's questions of an account apart
ASKED_MAX = 4_096  # identifiers remembered of a day: a large hospital desk; past that, all are as never asked
LOGINS_MAX = 16  # logins remembered; an older one that asks again is a new one
PLACES_MAX = 24  # networks and software remembered
PLACE_DAYS = 90  # for so long
FRESH_DAYS = 30  # a network or software is new to an account for so long
FRESH_MAX = 4  # remembered at a time
STRANGER_KNOWN = 2, -3  # what a stranger and a known person add to `Fresh.unlike`
UNLIKE_MAX = 30  # where strangers are many anyway, the newest place has its turn
DEVICES_MAX = 8  # devices remembered, for as long
# A browser may draw a key at each login, and then a new one says nothing. It is told of accounts whose keys last: of the last 16
# to 128 logins by a device, at most one in sixteen by one that was not known: far below the rate usual for surroundings.
BOUND_MIN, BOUND_MAX, BOUND_NEW = 16, 128, 16
DEVICES_REMEMBERED_MAX = 65_536  # of everybody who asks in a day, as networks are
USUALS_MAX = 1_024  # profiles worked out and remembered: 100 µs and some kB each


class Question(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A typed question by what the card says, as it was answered. `missed`: nothing confirmed; `known`: told of before.

    `asked`: 64 bits of the keyed pseudonym of what was typed, of which a day keeps 32; `network`: a prefix (`gate/network.py`).
    `since_day`: when a person known was first told of. `device`: 32 bits of the key or certificate its token is bound to
    (`device_class`), 0 of one bound to nobody.
    """

    at_s: int
    missed: bool
    known: bool
    asked: int
    insurer: str = ""
    features: Features = NOTHING
    network: str = ""
    software: str = ""
    session: str = ""
    decoy: bool = False
    since_day: int = 0
    device: int = 0


class Fresh(NamedTuple):
    """A network and software that are new to an account: 32 bits of them, since which day, and how unlike the account so far.

    `unlike` only says where `STRANGERS_ELSEWHERE` bets next: on one of them, lest a thief's be watered down with the practice's.
    """

    place: int
    day: int
    unlike: int = 0


class Sensed(msgspec.Struct, frozen=True, array_like=True):
    """All that is kept of an account: some 4 kB as MessagePack, of which a day's `asked` are 5 bytes each.

    `step`: where it stands; `tally`: of today; `days`: whose openings have not matured; `logins`, `places`: 32 bits of each,
    places with the day they were last seen; `login`: trials of the last login, which the first person it opens will prove.
    `fresh`: surroundings that are new, the newest first.
    `changed_s`: the last change of details that was handed in. `devices`: as `places`; `bound`: logins by a device, and how
    many of them by one that was known.
    """

    watch: Watch
    profile: Profile
    step: int = Step.OPEN
    tally: Tally = Tally()
    days: tuple[Tally, ...] = ()
    asked: frozenset[int] = frozenset()
    logins: tuple[int, ...] = ()
    places: tuple[tuple[int, int], ...] = ()
    login: tuple[int, int] = (0, 0)
    fresh: tuple[Fresh, ...] = ()
    changed_s: int = 0
    devices: tuple[tuple[int, int], ...] = ()
    bound: tuple[int, int] = (0, 0)


Alerts = tuple[Alert, ...]
Places = tuple[tuple[int, int], ...]


class Sense(NamedTuple):
    """What came of a question; `waiting`: what to keep of the person it opened, None when it opened nobody."""

    sensed: Sensed
    alerts: Alerts
    waiting: Waiting | None


def begun(profession: str, at_s: int, step: int = Step.OPEN) -> Sensed:
    """The state of an account at its first question, of which only its profession is known."""
    return Sensed(watch(at_s), cold(profession), step)


def sense(sensed: Sensed, question: Question) -> Sense:
    """The state after a question, and what it alerts to."""
    sensed, of_day = closed(sensed, question.at_s)
    sensed, of_login = _entered(sensed, question)
    alike = question.asked & ALIKE
    event = Asked(
        at_s=question.at_s,
        missed=question.missed,
        known=question.known,
        again=alike in sensed.asked,
        insurer=insurer_class(question.insurer),
        features=question.features,
        decoy=question.decoy,
        elsewhere=bool(sensed.fresh) and _is_of(max(sensed.fresh, key=_unlike), question),
    )
    sensed, trials, alerts = _tried(sensed, event)
    if sensed.fresh and not (event.again or event.missed):
        sensed = replace(sensed, fresh=tuple(_likened(each, question) for each in sensed.fresh))
    asked = sensed.asked if len(sensed.asked) < ASKED_MAX else frozenset()
    sensed = replace(sensed, asked=asked | {alike})
    alerts = of_day + of_login + alerts
    if question.missed:
        return Sense(replace(sensed, tally=tallied(sensed.tally, trials)), alerts, None)
    if question.known:
        return Sense(_tally(sensed, known=sensed.tally.known + (not event.again)), alerts, None)
    tried, hits = bits(trials)
    waiting = Waiting(
        sensed.tally.day,
        tried | sensed.login[0],
        hits | sensed.login[1],
        event.insurer,
        question.features.birth_department,
        _hour(question.at_s),
    )
    sensed = replace(_tally(sensed, people=sensed.tally.people + 1), login=(0, 0))
    return Sense(sensed, alerts, waiting)


def closed(sensed: Sensed, at_s: int) -> tuple[Sensed, Alerts]:
    """The state with its day closed, if that is over at `at_s`."""
    tally, today = sensed.tally, at_s // DAY_S
    if today <= tally.day:  # a clock that was set back closes nothing
        return sensed, ()
    alerts: Alerts = ()
    if tally.people or tally.known or any(tally.tried):  # a day on which it asked
        surged = tally.people > usual_of(sensed.profile).people_max
        sensed, _, alerts = _tried(sensed, DayClosed(at_s, tally.people))
        sensed = replace(sensed, days=(*sensed.days, replace(sensed.tally, surged=surged))[-DAYS_MAX:])
    return replace(sensed, tally=Tally(today, sensed.step == Step.OPEN), asked=frozenset()), alerts


def ripened(sensed: Sensed, at_s: int, day: int, ripe: tuple[Ripe, ...]) -> tuple[Sensed, Alerts]:
    """The state once all that `day` opened has matured, each claimed or not, in the order of disclosure; the same day once."""
    sensed, alerts = closed(sensed, at_s)
    for each in ripe:
        sensed, _, more = _tried(sensed, Matured(at_s, each.claimed))
        alerts += more
    tally = next((each for each in sensed.days if each.day == day), None)
    if tally is not None:
        profile = learn(sensed.profile, lesson(tally, ripe, sensed.profile))
        days = tuple(each for each in sensed.days if each.day > day)
        sensed = replace(sensed, profile=profile, days=days)
    return sensed, alerts


def stepped(sensed: Sensed, move: Move) -> tuple[Sensed, Alerts]:
    """The state after a move of the account: downwards its day teaches nothing; upwards what was explained is forgiven."""
    sensed, of_day = closed(sensed, move.at_us // S_US)
    tally = sensed.tally if move.after == Step.OPEN else replace(sensed.tally, clean=False)
    sensed = replace(sensed, step=move.after, tally=tally)
    if move.after >= move.before:
        return sensed, of_day
    if move.before >= Step.PRESENCE_ONLY:  # whoever logged in anew says that they are where they are
        sensed = replace(sensed, fresh=())
    by_proof = isinstance(move.event, Proved)
    watched = proved(sensed.watch, Step(move.before)) if by_proof else released(sensed.watch)
    return replace(sensed, watch=watched), of_day


def changed(sensed: Sensed, at_s: int) -> Sensed:
    """The state once bank details of the account's practice changed: whatever it asks next is bet on with more; the same once."""
    if at_s <= sensed.changed_s:
        return sensed
    sensed, _, _ = _tried(sensed, DetailsChanged(at_s))
    return replace(sensed, changed_s=at_s)


def shown(sensed: Sensed, at_s: int, who: int, *, far: bool) -> tuple[Sensed, Alerts]:
    """The state after somebody's pass was shown; of each person the first of a day is tried, so that nobody waters it down.

    `who`: a number of that person, of which 32 bits are kept for the day.
    """
    sensed, of_day = closed(sensed, at_s)
    alike = _class("shown", str(who))
    if alike in sensed.asked:
        return sensed, of_day
    sensed, _, alerts = _tried(sensed, Shown(at_s, far))
    asked = sensed.asked if len(sensed.asked) < ASKED_MAX else frozenset()
    return replace(sensed, asked=asked | {alike}), of_day + alerts


def touched(sensed: Sensed, at_s: int) -> tuple[Sensed, Alerts]:
    """The state of an account that nobody honest has, once somebody came with it."""
    sensed, _, alerts = _tried(sensed, Touched(at_s))
    return sensed, alerts


def grown(sensed: Sensed) -> Sensed:
    """A state kept when there were fewer signals: those that came since, at the end of the table, begin cold."""
    more = len(SIGNALS) - len(sensed.watch.rows)
    if not more:
        return sensed
    profile, watched = sensed.profile, sensed.watch
    rates = profile.rates + cold(profile.profession).rates[-more:]
    return replace(
        sensed,
        watch=replace(watched, rows=watched.rows + watch(watched.capital.opened_s).rows[-more:]),
        profile=replace(profile, rates=rates),
        tally=_longer(sensed.tally, more),
        days=tuple(_longer(each, more) for each in sensed.days),
    )


def _longer(tally: Tally, more: int) -> Tally:
    return replace(tally, tried=tally.tried + (0,) * more, hits=tally.hits + (0,) * more)


@lru_cache(USUALS_MAX)
def usual_of(profile: Profile) -> Usual:
    """What detectors read of a profile."""
    return usual(profile)


def _entered(sensed: Sensed, question: Question) -> tuple[Sensed, Alerts]:
    """A login's first question; the same login from another network or software is another login."""
    login = _class(
        question.session, question.network, question.software, *([str(question.device)] * bool(question.device))
    )
    if login in sensed.logins:
        return sensed, ()
    before, today = dict(sensed.places), question.at_s // DAY_S
    here = _places(question)
    is_elsewhere = bool(before) and not here <= before.keys()
    is_new = is_elsewhere or (bool(before) and _is_new_device(sensed, question.device))
    sensed, trials, alerts = _tried(sensed, Entered(question.at_s, is_new, _hour(question.at_s)))
    places = _lately(sensed.places, here, today, PLACES_MAX)
    logins = (*sensed.logins, login)[-LOGINS_MAX:]
    fresh = tuple(each for each in sensed.fresh if each.day > today - FRESH_DAYS)
    if is_elsewhere:
        fresh = (Fresh(_surroundings(question), today), *fresh)[:FRESH_MAX]
    sensed = replace(sensed, logins=logins, places=places, login=bits(trials), fresh=fresh)
    return _by_device(sensed, question.device, today), alerts


def _places(question: Question) -> set[int]:
    return {_class("network", question.network), _class("software", question.software)}


def _surroundings(question: Question) -> int:
    return _class(question.network, question.software)


def _unlike(fresh: Fresh) -> int:
    return fresh.unlike


def _is_of(fresh: Fresh, question: Question) -> bool:
    """Asked from there; about people whom the account was told of since, nothing is said: a thief asks again about its own."""
    return fresh.place == _surroundings(question) and question.since_day < fresh.day


def _likened(fresh: Fresh, question: Question) -> Fresh:
    if not _is_of(fresh, question):
        return fresh
    return fresh._replace(unlike=min(max(0, fresh.unlike + STRANGER_KNOWN[question.known]), UNLIKE_MAX))


def _lately(before: Places, here: Iterable[int], today: int, most: int) -> Places:
    """Those seen in the last months, with these of today, the latest first."""
    lately = {place: day for place, day in before if day > today - PLACE_DAYS} | dict.fromkeys(here, today)
    return tuple(sorted(lately.items(), key=lambda each: -each[1])[:most])


def _is_new_device(sensed: Sensed, device: int) -> bool:
    """Whether a device says that the surroundings are new: decided by the logins before, of which this is none."""
    logins, known = sensed.bound
    keys_last = logins >= BOUND_MIN and (logins - known) * BOUND_NEW <= logins
    return bool(device) and keys_last and device not in dict(sensed.devices)


def _by_device(sensed: Sensed, device: int, today: int) -> Sensed:
    if not device:
        return sensed
    logins, known = sensed.bound
    if logins >= BOUND_MAX:  # old logins weigh half
        logins, known = logins // 2, known // 2
    if sensed.devices:  # the first of all is no news
        logins, known = logins + 1, known + (device in dict(sensed.devices))
    return replace(sensed, devices=_lately(sensed.devices, [device], today, DEVICES_MAX), bound=(logins, known))


def _tried(sensed: Sensed, event: Event) -> tuple[Sensed, list[tuple[int, bool]], Alerts]:
    known = usual_of(sensed.profile)
    watched, alerts = observe(sensed.watch, known, event)
    sensed = replace(sensed, watch=watched)
    if alerts:  # a day that alarmed teaches nothing, however late the ladder is moved
        sensed = replace(sensed, tally=replace(sensed.tally, clean=False))
    return sensed, TRIALS[type(event)](event, known), alerts


def _tally(sensed: Sensed, **changes: int) -> Sensed:
    return replace(sensed, tally=replace(sensed.tally, **changes))


@lru_cache(DEVICES_REMEMBERED_MAX)
def device_class(key: str, certificate: str) -> int:
    """A device as it is remembered: 32 bits of the thumbprint its tokens are bound to; 0 of tokens bound to nobody."""
    return crc32(f"device|{certificate or key}".encode()) if key or certificate else 0


def _hour(at_s: int) -> int:
    return hour_class(instant(at_s * S_US))


def _class(*words: str) -> int:
    return crc32("\n".join(words).encode())
