"""The watcher reads everything once: whatever it is killed at, its states, counts and moves are those of one that never was."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecluse.app.access import Desk
from ecluse.app.allowance import Allowance
from ecluse.app.containment import moved
from ecluse.app.hub import Hub
from ecluse.app.ports.allowances import Ask
from ecluse.app.ports.sensings import Work
from ecluse.app.watching import Watcher
from ecluse.engines.clock import RandomIds
from ecluse.engines.keys.file import KeyFile
from ecluse.engines.sqlite import happenings
from ecluse.engines.sqlite.allowances import LocalAllowances
from ecluse.engines.sqlite.containments import LocalContainments
from ecluse.engines.sqlite.sensings import LocalSensings
from ecluse.gate.allowance import Caps, CapTable
from ecluse.gate.containment import Contained, Kind, Released
from ecluse.gate.features import Course, Features
from ecluse.gate.features import Step as Kin
from ecluse.gate.fleet import FleetCap
from ecluse.gate.presence import Presence
from ecluse.gate.profile import insurer_class
from ecluse.gate.sensing import Question
from ecluse.gate.signals import Name, Step
from ecluse.journal.entry import Operation
from ecluse.kernel.errors import Refused
from tests.journal import entries_in, open_log

START = datetime(2026, 11, 24, 9, tzinfo=UTC)
DEBT = 40
TABLE = CapTable(date(2026, 11, 29), "a test", {"other": Caps(DEBT, 1_000, 1_000, 1_000)})
FLEET = {
    kind: FleetCap(least=60, times=5, new=60) for kind in (Kind.INSURER, Kind.DEPARTMENT, Kind.VENDOR, Kind.NETWORK)
}
PRACTICE, THIEF, OTHER = "750000018", "rpps:1", "rpps:2"


class KilledError(Exception):
    pass


class Clock:
    def __init__(self) -> None:
        self.instant = START

    def now(self) -> datetime:
        return self.instant


class Claims:
    """The practices' claims: who was paid for."""

    def __init__(self) -> None:
        self.paid: set[bytes] = set()

    async def settled(self, practice: str, *, since_ts_us: int) -> set[bytes]:
        return self.paid


class Dying(LocalSensings):
    """Dies before it keeps, or right after."""

    dies = ""

    def keep(self, work: Work) -> None:
        dies, self.dies = self.dies, ""
        if dies == "before":
            raise KilledError
        super().keep(work)
        if dies == "after":
            raise KilledError


class World:
    """A hub's gate without its doors: one that asks, and one that watches."""

    def __init__(self, home: Path) -> None:
        self.home, self.clock, self.claims = home, Clock(), Claims()
        file, keys = home / "gate.db", KeyFile(home / "keys", "")
        keys.create("hub")
        self.log = open_log(home / "journal")
        self.store, self.sensings = LocalAllowances(file, TABLE), Dying(file)
        self.contained = LocalContainments(file)
        allowance = Allowance(self.clock, self.store, self.claims)  # type: ignore[arg-type]
        desk = Desk(self.clock, keys, self.log, Kept(), allowance, self.contained)  # type: ignore[arg-type]
        given: dict[str, Any] = {name: None for name in Hub.__dataclass_fields__ if name != "last"}
        given |= {"clock": self.clock, "ids": RandomIds(), "keys": keys, "desk": desk, "allowance": allowance}
        self.hub = Hub(**{**given, "containments": self.contained, "sensings": self.sensings})
        self.watcher = Watcher(self.hub, FLEET)
        self.runner = asyncio.Runner()

    def ask(self, account: str, number: int, **told: Any) -> str:
        """A typed question about somebody (0: nobody); which cap refused it."""
        self.clock.instant += timedelta(seconds=20)
        at_s = int(self.clock.instant.timestamp())
        plain: dict[str, Any] = {"asked": number or at_s, "insurer": "0075000001", "features": CALM}
        plain |= {"network": "192.0.2.0/24", "software": "logiciel", "session": "s"}
        question = Question(at_s=at_s, missed=not number, known=False, **{**plain, **told})
        person = number.to_bytes(8) * 2 if number else b""
        [refused] = self.store.take(
            [Ask(account, PRACTICE, "", person, Presence.TYPED, at_s * 1_000_000, question=question)]
        )
        return refused

    def watch(self, dies: str = "") -> None:
        """Look until nothing is left; the first look may die of it, and is begun again."""
        self.sensings.dies = dies
        while True:
            try:
                taken, _ = self.runner.run(self.watcher.watch())
                ripened, _ = self.runner.run(self.watcher.ripen())
            except KilledError:
                self.watcher = Watcher(self.hub, FLEET)
                continue
            if not taken and not ripened:
                return

    def operators(self, account: str, step: Step) -> None:
        """One limits it, or two lift it."""
        name = (Kind.ACCOUNT, account)
        if step > self.step(account):
            self.runner.run(moved(self.hub, name, Contained("a", step, "b")))
        elif step < self.step(account):
            for operator in ("a", "c"):
                self.runner.run(moved(self.hub, name, Released(operator, step, "b")))

    def step(self, account: str) -> int:
        return self.contained.state(Kind.ACCOUNT, account).step

    @property
    def moves(self) -> list[str]:
        """What the journal says was moved."""
        entries = entries_in(self.home / "journal")
        return [f"{each.engagement} {each.outcome}" for each in entries if each.operation is Operation.CONTAINED]

    def kept(self) -> dict[str, Any]:
        """All that is kept, whatever the tables."""
        execute = self.sensings._connection.execute
        tables = ("sensed", "waiting", "alert", "breaker", "containment")
        return {table: execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in tables}

    def close(self) -> None:
        self.hub.desk.close()
        self.runner.close()
        for each in (self.store, self.sensings, self.contained, self.log):
            each.close()


class Kept:
    def keep(self, *_: object) -> None:
        pass


CALM = Features(75, Kin.FAR, Course.TURNED, 600)
COUNTING = Features(75, Kin.NEXT, Course.SAME, 1)


@contextmanager
def world() -> Iterator[World]:
    with tempfile.TemporaryDirectory(prefix="ecluse-watch-") as home:
        made = World(Path(home))
        try:
            yield made
        finally:
            made.close()


Acts = st.one_of(
    st.tuples(
        st.just("ask"), st.sampled_from((THIEF, OTHER)), st.lists(st.integers(0, 60), max_size=30), st.booleans()
    ),
    st.tuples(st.just("watch"), st.sampled_from(("", "before", "after"))),
    st.tuples(st.just("operators"), st.sampled_from((THIEF, OTHER)), st.sampled_from(Step)),
    st.tuples(st.just("wait"), st.integers(1, 40)),
)


def play(at: World, acts: list[Any], *, dies: bool) -> None:
    for what, *how in [*acts, ("wait", 40), ("watch", "before")]:
        if what == "ask":
            for number in how[1]:
                at.ask(how[0], number, features=COUNTING if how[2] else CALM)
        elif what == "watch":
            at.watch(how[0] if dies else "")
        elif what == "operators":
            at.operators(*how)
        else:
            at.clock.instant += timedelta(days=how[0])


@settings(max_examples=15, deadline=None)
@given(st.lists(Acts, max_size=8))
def test_a_watcher_that_is_killed_keeps_what_one_that_never_was_keeps(acts: list[Any]) -> None:
    with world() as calm, world() as dying:
        play(calm, acts, dies=False)
        play(dying, acts, dies=True)
        assert dying.sensings.waiting() == 0
        mine, theirs = dying.kept(), calm.kept()
        assert mine == theirs
        assert dying.moves == calm.moves


def test_misses_quarantine_and_the_journal_says_so_once() -> None:
    with world() as at:
        for number in range(40):
            at.ask(THIEF, 0)
            at.ask(OTHER, number % 4 + 1)
        at.watch("before")
        assert (at.step(THIEF), at.step(OTHER)) == (Step.QUARANTINED, Step.OPEN)
        assert at.moves == [f"{THIEF} account_quarantined"]
        found = at.sensings.alerts("", 10)
        assert found
        assert {each.account for each in found} == {THIEF}
        assert {each.alert.signal for each in found} <= {Name.MISSES, Name.MISSES_OF_NEW}
        # Two operators lift it: what was paid in is taken out, so that a single miss does not close it again.
        at.operators(THIEF, Step.OPEN)
        at.ask(THIEF, 0)
        at.watch()
        assert at.step(THIEF) == Step.OPEN


def test_a_full_debt_slows_and_says_how_full() -> None:
    with world() as at:
        assert {at.ask(THIEF, number) for number in range(1, DEBT + 1)} == {""}
        at.watch()
        before = at.step(THIEF)
        assert at.ask(THIEF, DEBT + 1) == "debt"
        at.watch()
        assert max(before, Step.SLOWED) == at.step(THIEF)


def test_a_refusal_that_settled_claims_have_answered_moves_nothing() -> None:
    with world() as at:
        for number in range(1, DEBT + 2):
            at.ask(THIEF, number, asked=0)  # as one question: the detectors try it once
        at.claims.paid = {number.to_bytes(8) * 2 for number in range(1, 20)}
        at.runner.run(at.hub.allowance.look(THIEF))
        at.watch()
        assert at.step(THIEF) == Step.OPEN


def test_openings_mature_once_after_thirty_days_and_only_claimed_ones_teach() -> None:
    with world() as at:
        for number in range(1, 11):
            at.ask(THIEF, number, asked=0)
        at.watch()
        at.claims.paid = {number.to_bytes(8) * 2 for number in range(1, 10)}
        at.clock.instant += timedelta(days=30)
        at.watch()
        state = at.sensings.state(THIEF)
        assert state
        assert (state.profile.day, state.tally.people) == (0, 10)
        at.clock.instant += timedelta(days=1)
        at.watch("before")
        state = at.sensings.state(THIEF)
        assert state
        row = state.watch.rows[Name.UNCLAIMED]
        assert state.profile.insurers == ((insurer_class("0075000001"), 9),)
        assert row.paid > 0
        assert state.profile.rates[Name.UNCLAIMED].hits == pytest.approx(60 * 0.3 + 1)
        assert at.kept()["waiting"] == []


def test_many_accounts_together_trip_the_breakers_of_what_they_share() -> None:
    with world() as at:
        for number in range(1, 61):
            at.ask(f"rpps:{number}", 1)
        at.watch()
        assert at.contained.limits() == {}
        at.ask("rpps:61", 1)
        at.watch("before")
        tripped = {name: state.step for name, state in at.contained.limits().items()}
        assert tripped == {
            (Kind.INSURER, "0075000001"): 1,
            (Kind.DEPARTMENT, "75"): 1,
            (Kind.VENDOR, "logiciel"): 1,
            (Kind.NETWORK, "192.0.2.0/24"): 1,
        }
        for operator in ("a", "c"):
            at.runner.run(moved(at.hub, (Kind.DEPARTMENT, "75"), Released(operator, 0, "b")))
        at.ask("rpps:62", 1)  # it counts that day anew
        at.watch()
        assert (Kind.DEPARTMENT, "75") not in at.contained.limits()


def test_one_that_only_tells_moves_nothing() -> None:
    with world() as at:
        at.watcher = Watcher(at.hub, FLEET, acts=False)
        for _ in range(40):
            at.ask(THIEF, 0)
        at.watch()
        assert at.sensings.alerts(THIEF, 1)
        assert (at.contained.limits(), at.moves) == ({}, [])


def test_two_never_watch_at_once(tmp_path: Path) -> None:
    first, second = LocalSensings(tmp_path / "gate.db"), LocalSensings(tmp_path / "gate.db")
    with first.alone(), pytest.raises(Refused, match="watched_elsewhere"), second.alone():
        pass
    with second.alone():
        pass
    first.close()
    second.close()


def test_far_behind_nothing_more_is_written_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(happenings, "WAITING_MAX", 5)
    with world() as at:
        for _ in range(9):
            assert at.ask(THIEF, 0) == ""
        assert at.sensings.waiting() == 5
        at.watch()
        at.ask(THIEF, 0)
        assert at.sensings.waiting() == 1
