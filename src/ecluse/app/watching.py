"""The watcher: what was answered, in order, becomes alerts and lessons, and moves the ladder. One at a time for a hub.

Exactly once: a move is journalled, then made, which twice is as once; then states, openings, counts and how far was read are
kept in one transaction. So a kill at any moment loses nothing and counts nothing twice; it may leave a move in the journal twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from msgspec.structs import replace

from ecluse.app.containment import moved
from ecluse.app.decoys import Watched
from ecluse.app.hub import Hub
from ecluse.app.ports import HUB
from ecluse.app.ports.containments import Name
from ecluse.app.ports.sensings import (
    Alerting,
    Came,
    Changed,
    Full,
    Happening,
    Noted,
    NotMe,
    Opening,
    Seen,
    Sensings,
    Showed,
    Stepped,
    Touch,
    Work,
)
from ecluse.exposure.places import departement
from ecluse.gate.alerts import Alert
from ecluse.gate.allowance import DEBT_DAYS, day_of, yearly
from ecluse.gate.containment import Alerted, CapReached, Event, Kind
from ecluse.gate.dated import Counted, alert_of, every_day, row_of
from ecluse.gate.decoys import Found
from ecluse.gate.distance import REMEMBERED_S, WHERE, too_far
from ecluse.gate.fleet import Breaker, FleetCap, lifted, opened, places
from ecluse.gate.sensing import DAY_S, Question, Sensed, begun, changed, ripened, sense, shown, stepped, touched
from ecluse.gate.signals import SIGNALS, Step
from ecluse.gate.signals import Name as Signalled
from ecluse.kernel.days import S_US

LOG = logging.getLogger(__name__)

FORGET_EVERY_S = 60  # where passes were shown
TOGETHER = 500  # happenings in one transaction: some 30 ms of work
RIPENED_TOGETHER = (
    20  # days of accounts between two looks at what happens: settled claims are looked for, milliseconds each
)


@dataclass
class _Round:
    """What one round changes. `events` by what they move, in their order: alerts, caps reached."""

    store: Sensings
    states: dict[str, Sensed] = field(default_factory=dict)
    breakers: dict[Name, Breaker] = field(default_factory=dict)
    alerts: list[Alerting] = field(default_factory=list)
    openings: list[Opening] = field(default_factory=list)
    events: dict[Name, list[Event]] = field(default_factory=dict)
    full: set[str] = field(default_factory=set)
    touches: list[Touch] = field(default_factory=list)
    seen: dict[int, Seen] = field(default_factory=dict)

    def state(self, account: str) -> Sensed | None:
        return self.states.get(account) or self.store.state(account)

    def alerted(self, account: str, at_s: int, alerts: tuple[Alert, ...]) -> None:
        self.alerts += (Alerting(account, at_s, alert) for alert in alerts)
        for alert in alerts:
            self.due((Kind.ACCOUNT, account), Alerted(alert))

    def touched(self, account: str, at_s: int, decoy: Found, alerts: tuple[Alert, ...], *where: str) -> None:
        """Alerts of which those about the decoy say which, so that the journal has it; its label stays sealed."""
        self.touches.append(Touch(decoy.batch, decoy.place, account, at_s, at_s, 1, *where))
        self.alerted(account, at_s, _told(alerts, Signalled.DECOYS, decoy=f"{decoy.batch} {decoy.place}"))

    def due(self, name: Name, event: Event) -> None:
        self.events.setdefault(name, []).append(event)


class Watcher:
    """Reads what happened and keeps what comes of it.

    `caps`: the fleet breakers' by kind; a kind without one has none. `acts`: the ladder is moved; else alerts are only kept.
    """

    def __init__(self, hub: Hub, caps: Mapping[Kind, FleetCap], *, acts: bool = True) -> None:
        self._acts = acts
        self._hub = hub
        self._caps = caps
        self._decoys = Watched(hub)
        self._known = self._decoys.now()
        self._forgot_s = 0

    async def watch(self) -> tuple[int, list[Alerting]]:
        """Take the oldest happenings: how many there were, and what alerted."""
        store = self._hub.sensings
        happenings = store.happenings(TOGETHER)
        if not happenings:
            return 0, []
        work, self._known = _Round(store), self._decoys.now()
        for each in happenings:
            TAKES[type(each.what)](self, work, each, each.what)
        for account in work.full:
            self._filled(work, account)
        await self._moved(work)
        store.keep(
            Work(
                work.states,
                work.alerts,
                work.openings,
                work.breakers,
                happenings[-1].id,
                touches=work.touches,
                seen=[*work.seen.values()],
            )
        )
        return len(happenings), work.alerts

    async def ripen(self) -> tuple[int, list[Alerting]]:
        """Hand in some days whose openings have had their 30 days: how many, and what alerted."""
        hub, at_s = self._hub, self._hub.now_ts_us // 1_000_000
        self._forget(at_s)
        due = hub.sensings.due(at_s // DAY_S - DEBT_DAYS, RIPENED_TOGETHER)
        alerts: list[Alerting] = []
        for account, day in due:
            await hub.allowance.look(account)  # what was paid for since yesterday justifies
            work = _Round(hub.sensings)
            if before := work.state(account):  # none where another version's could not be read
                work.states[account], found = ripened(before, at_s, day, tuple(hub.sensings.ripe(account, day)))
                work.alerted(account, at_s, found)
                await self._moved(work)
            hub.sensings.keep(Work(work.states, work.alerts, ripened=(account, day)))
            alerts += work.alerts
        return len(due), alerts

    def _asked(self, work: _Round, happened: Happening, what: Noted) -> None:
        question, account = what.question, happened.account
        before = work.state(account) or self._begun(happened, question.at_s)
        decoy = self._decoy(question)
        work.states[account], alerts, waiting = sense(before, replace(question, decoy=True) if decoy else question)
        if decoy:
            work.touched(account, question.at_s, decoy, alerts, question.network, question.software)
        else:
            work.alerted(account, question.at_s, alerts)
        self._used(work, happened, account, question.at_s)  # also by a session of the portal, which is no token
        if waiting is None:
            return
        work.openings.append(Opening(account, what.person, waiting))
        day = question.at_s // DAY_S
        for name in places(question.insurer, what.practice, question.software, question.network):
            if cap := self._caps.get(name[0]):
                breaker = work.breakers.get(name) or work.store.breaker(name)
                work.breakers[name], reached = opened(breaker, cap, day)
                if reached:
                    work.due(name, reached)

    def _decoy(self, question: Question) -> Found | None:
        """The decoy that was asked about; one that is somebody by now is none any more, and that is told."""
        found = self._known.person(question.insurer, question.asked)
        if found and not question.missed:
            LOG.warning("a decoy is somebody now: plant it no more", extra={"batch": found.batch})
            return None
        return found

    def _came(self, work: _Round, happened: Happening, what: Came) -> None:
        self._used(work, happened, what.account, what.at_us // 1_000_000)

    def _used(self, work: _Round, happened: Happening, account: str, at_s: int) -> None:
        """An account that nobody honest has was used."""
        if found := self._known.account(account):
            before = work.state(account) or self._begun(happened._replace(account=account), at_s)
            work.states[account], alerts = touched(before, at_s)
            work.touched(account, at_s, found, alerts)

    def _showed(self, work: _Round, happened: Happening, what: Showed) -> None:
        """A pass that was somewhere else just now was copied, unless it was shown by its holder, which no copy can do."""
        here = departement(what.practice)
        if here not in WHERE:
            return
        who = self._who(what)
        last = work.seen.get(who) or work.store.seen(who)
        if not what.is_live:
            far = last is not None and too_far(last.department, here, what.at_s - last.at_s)
            before = work.state(happened.account) or self._begun(happened, what.at_s)
            work.states[happened.account], alerts = shown(before, what.at_s, what.person, far=far)
            alerts = _told(alerts, Signalled.FAR_PASSES, shown_by=last.account if last else "")
            work.alerted(happened.account, what.at_s, alerts)
        work.seen[who] = Seen(who, what.at_s, here, happened.account)

    def _who(self, what: Showed) -> int:
        """A person of a day, for the hours in which it matters: keyed, and another one tomorrow."""
        message = b"shown|%d|%d" % (what.at_s // DAY_S, what.person)
        return int.from_bytes(self._hub.keys.digest(HUB, message)[:8], signed=True)

    def _forget(self, at_s: int) -> None:
        if at_s - self._forgot_s >= FORGET_EVERY_S:
            self._forgot_s = at_s
            self._hub.sensings.forget_seen(at_s - REMEMBERED_S)

    def _begun(self, happened: Happening, at_s: int) -> Sensed:
        """An account's first question, or the first since sensed.db was lost: it stood then where it stands, unless it was moved
        since, of which a note will tell."""
        state = self._hub.containments.state(Kind.ACCOUNT, happened.account)
        return begun(happened.profession, at_s, state.step if state.since_us <= at_s * S_US else Step.OPEN)

    def _full(self, work: _Round, happened: Happening, _what: Full) -> None:
        work.full.add(happened.account)

    def _filled(self, work: _Round, account: str) -> None:
        """Whether a cap that refused is full still: settled claims are looked for between refusals."""
        found = self._hub.allowance.store.position(account, day_of(self._hub.now_ts_us))
        if found is None:
            return
        standing, caps = found.standing, found.caps
        debt_cap = min(standing.cap or caps.debt, caps.debt)
        if standing.debt >= debt_cap:
            work.due((Kind.ACCOUNT, account), CapReached("debt", standing.debt, debt_cap))
        if standing.year >= (most := yearly(caps, debt_cap)):
            work.due((Kind.ACCOUNT, account), CapReached("year", standing.year, most))

    def _stepped(self, work: _Round, _happened: Happening, what: Stepped) -> None:
        name = what.move.kind, what.name
        if what.move.kind is not Kind.ACCOUNT:
            if what.move.after < what.move.before:
                work.breakers[name] = lifted(work.breakers.get(name) or work.store.breaker(name))
        elif before := work.state(what.name):
            work.states[what.name], alerts = stepped(before, what.move)
            work.alerted(what.name, what.move.at_us // S_US, alerts)

    def _changed(self, work: _Round, _happened: Happening, what: Changed) -> None:
        """A practice's bank account: each account that opened somebody there has the day tried, and is watched more closely."""
        store = self._hub.allowance.store
        for account, (profession, opened_day) in store.accounts(what.practice).items():
            at_s = what.at_us // 1_000_000
            before = work.state(account) or self._begun(Happening(0, account, profession, what), at_s)
            work.states[account] = changed(before, at_s)
            hits = self._hub.ribs.days(store.practices(account))
            days = every_day(opened_day, at_s // DAY_S, hits)
            self._counted(work, account, Signalled.DETAILS, days, opened_day, what)

    def _denied(self, work: _Round, happened: Happening, what: NotMe) -> None:
        days = self._hub.allowance.store.by_day(happened.account)
        if days:
            account = happened.account
            work.states[account] = work.state(account) or self._begun(happened, what.at_us // 1_000_000)
            self._counted(work, account, Signalled.DENIALS, days, days[0].day, what)

    def _counted(
        self,
        work: _Round,
        account: str,
        name: Signalled,
        days: Iterable[Counted],
        opened_day: int,
        what: Changed | NotMe,
    ) -> None:
        """The alert of a signal of dated counts. Read again out of the journal it moves nothing that was moved since."""
        state, at_s = self._hub.containments.state(Kind.ACCOUNT, account), what.at_us // 1_000_000
        row = row_of(name, days, opened_day, day_of(state.cleared_us))
        if alert := alert_of(name, row, at_s):
            work.alerts.append(Alerting(account, at_s, alert))
            if not (what.again and state.since_us > what.at_us):
                work.due((Kind.ACCOUNT, account), Alerted(alert))

    async def _moved(self, work: _Round) -> None:
        """Move the ladder: each event in its order, of which most change nothing."""
        for name, events in work.events.items() if self._acts else ():
            for event in _gravest_last(events):
                await moved(self._hub, name, event, journal_first=True)


def _told(alerts: tuple[Alert, ...], signal: Signalled, **more: str) -> tuple[Alert, ...]:
    """Alerts of which those of a signal say more, for operators."""
    return tuple(
        replace(alert, evidence=replace(alert.evidence, **more)) if alert.signal is signal else alert
        for alert in alerts
    )


def _gravest(event: Alerted) -> tuple[Step, Step]:
    """Of two alerts to one step, that of the signal which may lead further: in a relapse it does."""
    return event.alert.step, SIGNALS[event.alert.signal].gravest


def _gravest_last(events: list[Event]) -> list[Event]:
    """One of each kind is enough: the alert of the gravest step, and each counter once."""
    alerts = [each for each in events if isinstance(each, Alerted)]
    caps = {each.counter: each for each in events if isinstance(each, CapReached)}
    gravest = max(alerts, key=_gravest, default=None)
    return [*caps.values(), *([gravest] if gravest else [])]


TAKES: dict[type, Callable[..., None]] = {
    Noted: Watcher._asked,
    Full: Watcher._full,
    Stepped: Watcher._stepped,
    Changed: Watcher._changed,
    NotMe: Watcher._denied,
    Came: Watcher._came,
    Showed: Watcher._showed,
}
