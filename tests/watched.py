"""A hub's gate without its doors, for tests of the watcher: one that asks, one that watches and may be killed, two operators."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from ecluse.app.access import Desk
from ecluse.app.allowance import Allowance
from ecluse.app.containment import moved
from ecluse.app.hub import Hub
from ecluse.app.ports.allowances import Ask
from ecluse.app.ports.sensings import Work
from ecluse.app.watching import Watcher
from ecluse.engines.clock import RandomIds
from ecluse.engines.keys.file import KeyFile
from ecluse.engines.sqlite.allowances import LocalAllowances
from ecluse.engines.sqlite.containments import LocalContainments
from ecluse.engines.sqlite.decoys import LocalDecoys
from ecluse.engines.sqlite.passkeys import LocalPasskeys
from ecluse.engines.sqlite.ribs import LocalRibs
from ecluse.engines.sqlite.sensings import LocalSensings
from ecluse.engines.sqlite.sessions import LocalSessions
from ecluse.gate.allowance import Caps, CapTable
from ecluse.gate.containment import Contained, Kind, Released
from ecluse.gate.decoys import Batch
from ecluse.gate.features import Course, Features
from ecluse.gate.features import Step as Kin
from ecluse.gate.fleet import FleetCap
from ecluse.gate.presence import Presence
from ecluse.gate.sensing import Question, Sensed
from ecluse.gate.signals import Step
from ecluse.journal.entry import Operation
from tests.journal import entries_in, open_log

START = datetime(2026, 11, 24, 9, tzinfo=UTC)
DEBT = 40
TABLE = CapTable(date(2026, 11, 29), "a test", {"other": Caps(DEBT, 1_000, 1_000, 1_000)})
FLEET = {
    kind: FleetCap(least=60, times=5, new=60) for kind in (Kind.INSURER, Kind.DEPARTMENT, Kind.VENDOR, Kind.NETWORK)
}
PRACTICE, THIEF, OTHER, DECOY_ACCOUNT = "750000018", "rpps:1", "rpps:2", "rpps:3"


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


class DyingLimits(LocalContainments):
    """Dies before something is moved, or right after."""

    dies = ""

    def swap(self, *given: Any) -> bool:
        dies, self.dies = self.dies, ""
        if dies == "unmoved":
            raise KilledError
        done = super().swap(*given)
        if dies == "moved":
            raise KilledError
        return done


class World:
    """A hub's gate without its doors: one that asks, and one that watches."""

    def __init__(self, home: Path) -> None:
        self.home, self.clock, self.claims = home, Clock(), Claims()
        self.keys = KeyFile(home / "keys", "")
        self.keys.create("hub")
        self.log = open_log(home / "journal")
        self.runner = asyncio.Runner()
        self.open_gate()

    def open_gate(self) -> None:
        keys, file = self.keys, self.home / "gate.db"
        self.store, self.sensings = LocalAllowances(file, TABLE), Dying(file, self.home / "sensed.db")
        self.contained, self.ribs, self.decoys = DyingLimits(file), LocalRibs(file), LocalDecoys(file)
        allowance = Allowance(self.clock, self.store, self.claims)  # type: ignore[arg-type]
        desk = Desk(self.clock, keys, self.log, Kept(), allowance, self.contained)  # type: ignore[arg-type]
        given: dict[str, Any] = {name: None for name in Hub.__dataclass_fields__ if name != "last"}
        given["passkeys"] = LocalPasskeys(self.home / "portal.db")
        given["sessions"] = LocalSessions(self.home / "portal.db")
        given |= {"clock": self.clock, "ids": RandomIds(), "keys": keys, "desk": desk, "allowance": allowance}
        ports = {"containments": self.contained, "sensings": self.sensings, "ribs": self.ribs, "decoys": self.decoys}
        self.hub = Hub(**{**given, **ports})
        self.watcher = Watcher(self.hub, FLEET)

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

    def deny(self, account: str, number: int) -> bool:
        """Somebody the account opened says "not me"."""
        return self.store.deny(account, number.to_bytes(8) * 2, self.now_us)

    def change_bank(self) -> None:
        """Another account is asked for, for the practice."""
        self.ribs.ask(PRACTICE, self.now_us, b"sealed")

    def show(self, account: str, number: int, practice: str = PRACTICE, *, live: bool = False) -> None:
        """Somebody's pass is shown."""
        self.clock.instant += timedelta(seconds=20)
        presence = Presence.LIVE if live else Presence.PASS
        self.store.take([Ask(account, practice, "", number.to_bytes(8) * 2, presence, self.now_us)])

    def plant(self, *asked: int) -> None:
        """A decoy for each, of the insurer that is asked about."""
        keys = tuple((each,) for each in asked)
        batch = Batch("dcy_1", "a copy", "0075000001", keys, (DECOY_ACCOUNT,), 1e-15, "a", "b", self.now_us)
        self.decoys.put(batch.id, self.keys.seal("hub", msgspec.msgpack.encode(batch), b"decoys|1|dcy_1"), 1)

    @property
    def now_us(self) -> int:
        return int(self.clock.instant.timestamp()) * 1_000_000

    def watch(self, dies: str = "") -> None:
        """Look until nothing is left; the first look may die of it, and is begun again."""
        self.sensings.dies = self.contained.dies = dies
        while True:
            try:
                taken, _ = self.runner.run(self.watcher.watch())
                ripened, _ = self.runner.run(self.watcher.ripen())
            except KilledError:
                self.watcher = Watcher(self.hub, FLEET)
                continue
            if not taken and not ripened:
                self.sensings.dies = self.contained.dies = ""
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
        execute = self.sensings._own.execute
        tables = ("account", "waiting", "alert", "breaker", "touch", "seen")
        found = {table: execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in tables}
        # As values: the bytes of a set follow the order in which it was filled.
        states = [(id_, name, msgspec.msgpack.decode(state, type=Sensed)) for id_, name, state in found["account"]]
        return {**found, "account": states, "limits": self.contained.all()}

    def close(self) -> None:
        self.hub.desk.close()
        self.runner.close()
        self.ribs.end()
        self.decoys.close()
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
