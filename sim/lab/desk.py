"""The hub of one account, in memory: the ladder, then the allowance, then what is told, then what detectors make of it.

The order is that of `Desk.admit` and `Desk.release` (app/access.py). Nothing is drawn here, and no clock is read.
"""

from __future__ import annotations

from collections import defaultdict


from ecluse.gate.allowance import DAY_US, DEBT_DAYS, Caps, Opened, Standing, counted, opened, spent
from ecluse.gate.containment import Alerted, CapReached, Containment, Denied, Event, Kind, Proved, allows, move
from ecluse.gate.detectors import Asked, DayClosed, Entered, Matured, Watch, observe, proved, watch
from ecluse.gate.disclosure import allowed
from ecluse.gate.features import Features
from ecluse.gate.presence import Presence
from ecluse.gate.profile import Usual
from ecluse.gate.signals import Step
from ecluse.journal.entry import Operation
from sim.attacks.thief import Answer

S_US, DAY_S = 1_000_000, 86_400
TYPED_FIELDS = allowed(Operation.RIGHTS_CHECK, Presence.TYPED).bit_count()
MISSED = Answer(fields=0)
KNOWN = Answer(confirmed=True, fields=TYPED_FIELDS)
NEW = Answer(confirmed=True, fields=TYPED_FIELDS, is_new=True)
ACR = "a level the settings accept"


class Desk:
    """What the hub keeps of one account. Times in seconds since 1970, days numbered from then. `usual`: None without detectors."""

    def __init__(self, caps: Caps, usual: Usual | None, opened_s: int) -> None:
        self.caps, self.usual = caps, usual
        self.standing = Standing()
        self.state = Containment(Kind.ACCOUNT)
        self.watched: Watch = watch(opened_s)
        self.openings: dict[int, Opened] = {}
        self.shown: set[int] = set()
        self.by_day: dict[int, list[int]] = defaultdict(list)
        self.asked_today: set[int] = set()
        self.denials: list[int] = []  # the days of "not me"
        self.alarms: dict[str, int] = defaultdict(int)

    def fork(self) -> Desk:
        """A copy that goes its own way: what it holds is frozen, so containers are enough."""
        other = Desk.__new__(Desk)
        other.__dict__.update(self.__dict__)
        other.openings, other.shown = dict(self.openings), set(self.shown)
        other.by_day = defaultdict(list, {day: list(people) for day, people in self.by_day.items()})
        other.asked_today, other.denials = set(self.asked_today), list(self.denials)
        other.alarms = defaultdict(int, self.alarms)
        return other

    def ask(
        self, who: int, exists: bool, at_s: float, features: Features, insurer: int, presence: Presence = Presence.TYPED
    ) -> Answer:
        """A rights check about somebody (a number); `exists`: their rights are open with the insurer that was named."""
        verdict = allows(self.state, presence)
        if verdict.refusal:
            return Answer(code=verdict.refusal.code)
        day, known = int(at_s // DAY_S), who in self.openings or who in self.shown
        if presence is not Presence.TYPED:
            self._shown(who, day)
            return KNOWN if known else NEW
        if not known:
            refused = self._counted(who if exists else None, at_s, day, slowed=verdict.slowed)
            if refused:
                return Answer(code="allowance_spent")
        if self.usual:
            again = who in self.asked_today
            self.asked_today.add(who)
            self._sense(Asked(int(at_s), not exists, known, again, insurer, features), at_s)
        return MISSED if not exists else KNOWN if known else NEW

    def settle(self, who: int, day: int) -> None:
        """A claim of the practice for this person is settled."""
        row = self.openings.get(who)
        if row and row.justified is None and not row.denied:
            self.openings[who] = Opened(row.day, day)

    def deny(self, who: int, day: int) -> None:
        """The person says "not me"."""
        row = self.openings.get(who)
        if row is None or row.denied:
            return
        self.openings[who] = Opened(row.day, None, denied=True)
        self.denials.append(day)
        since = day - 2 * DEBT_DAYS
        people = sum(len(self.by_day[each]) for each in range(since + 1, day + 1))
        self._moved(Denied(sum(each > day - DEBT_DAYS for each in self.denials), people), day * DAY_S)

    def enter(self, at_s: float, hour: int, *, new: bool) -> None:
        """A login's first question."""
        if self.usual:
            self._sense(Entered(int(at_s), new, hour), at_s)

    def prove(self, at_s: float) -> None:
        """Somebody logs in anew; nothing is lifted from a quarantine, nor from nothing."""
        step = Step(self.state.step)
        if step in (Step.OPEN, Step.QUARANTINED):
            return
        at_us = max(int(at_s * S_US), self.state.since_us + 1)
        self.state, _ = move(self.state, Proved(at_us, ACR), at_us)
        self.watched = proved(self.watched, step)

    def close(self, day: int) -> None:
        """The day is over: its people are counted, look-ups of thirty days ago have matured."""
        at_s = (day + 1) * DAY_S
        if self.usual:
            if self.asked_today:
                self._sense(DayClosed(at_s, len(self.by_day[day])), at_s)
            for who in self.by_day[day - DEBT_DAYS]:
                self._sense(Matured(at_s, self.openings[who].justified is not None), at_s)
        self.asked_today = set()

    @property
    def room(self) -> int:
        """People the debt still lets be opened."""
        return min(self.standing.cap or self.caps.debt, self.caps.debt) - self.standing.debt

    @property
    def loudest(self) -> float:
        """The highest E of a signal now."""
        return max(row.e_value for row in self.watched.rows)

    def _counted(self, who: int | None, at_s: float, day: int, *, slowed: bool) -> str:
        """Count an opening (nobody: None), after the settled claims of the day were looked for. Which cap refused it."""
        if self.standing.day != day:
            self.standing = counted(self.standing, self.openings.values(), self.caps, day)
        caps, at_us = self.caps.slowed() if slowed else self.caps, int(at_s * S_US)
        refused = spent(self.standing, caps, at_us)
        if refused == "debt":  # the hub looks at the practice's claims once more
            self.standing = counted(self.standing, self.openings.values(), self.caps, day)
            refused = spent(self.standing, caps, at_us)
        if refused in ("debt", "year"):
            self._moved(CapReached(refused, self.standing.debt, self.caps.debt), at_s)  # type: ignore[arg-type]
        if not refused and who is not None:
            self.standing = opened(self.standing, caps, at_us)
            self.openings[who] = Opened(day)
            self.by_day[day].append(who)
        return refused

    def _shown(self, who: int, day: int) -> None:
        self.shown.add(who)
        if who in self.openings:
            self.settle(who, day)

    def _sense(self, event: Asked | Entered | DayClosed | Matured, at_s: float) -> None:
        assert self.usual
        self.watched, alerts = observe(self.watched, self.usual, event)
        for alert in alerts:
            self.alarms[alert.signal.name] += 1
            self._moved(Alerted(alert), at_s)

    def _moved(self, event: Event, at_s: float) -> None:
        self.state, _ = move(self.state, event, int(at_s * S_US))


assert DAY_US == DAY_S * S_US
