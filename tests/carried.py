"""Two processes of a hub over years: what the gate holds people and accounts to, the journal pruned, gate.db lost, kills."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ecluse.app.access import Desk
from ecluse.app.allowance import Allowance
from ecluse.app.carrying import Carried
from ecluse.app.containment import moved
from ecluse.app.decoys import Planting, drop_decoys, list_decoys, plant_account
from ecluse.app.denials import deny
from ecluse.app.following import follow
from ecluse.app.freezes import freeze, lift, still_frozen
from ecluse.app.hub import Hub
from ecluse.app.incidents.acts import add_fact, open_incident
from ecluse.app.incidents.events import events_of, whole
from ecluse.app.ports.allowances import Ask
from ecluse.app.retention import Pruned, going, prune
from ecluse.engines.clock import RandomIds
from ecluse.engines.keys.file import KeyFile
from ecluse.engines.local import LocalLog, LocalShards
from ecluse.engines.local.archive import LocalArchive
from ecluse.engines.sqlite.connection import connect
from ecluse.exposure.question import read_question
from ecluse.gate.admission import Request
from ecluse.gate.allowance import YEAR_DAYS, day_of
from ecluse.gate.containment import Contained, Event, Kind, Lost, Proved, Released
from ecluse.gate.identity import Account
from ecluse.gate.openings import id_text, opening_message
from ecluse.gate.presence import Presence
from ecluse.journal.entry import FORMAT, Entry, Field, Operation
from ecluse.journal.member import Member
from ecluse.kernel.errors import Refused
from ecluse.rights.person import person_message
from ecluse.settings import GateSettings
from ecluse.wiring.gate import Gate, open_gate, open_lookback, recover_gate
from tests.journal import SIGNER, entries_in, open_log

START = datetime(2026, 1, 9, 9, tzinfo=UTC)
AMC, PRACTICE, BORN = "0075123456", "370000028", "1979-06-14"
INSURER = Account(f"amc:{AMC}", "", "", AMC, frozenset({"exposure:own"}))
WHO = {"operator": "a", "reason": "b"}
GOOD = ("rpps:10000000009", "rpps:10000000017", "rpps:10000000025")  # numbers with their key


class KilledError(Exception):
    pass


class Clock:
    """`meanwhile`: what somebody else does before it is next looked at."""

    def __init__(self) -> None:
        self.instant = START
        self.meanwhile: Callable[[], None] | None = None

    def now(self) -> datetime:
        if done := self.meanwhile:
            self.meanwhile = None
            done()
            self.instant += timedelta(minutes=1)
        return self.instant


class Mortal:
    """What a process does to the disk, one thing after the other: `dies_in` of them it is killed, before or after it is done."""

    def __init__(self, done: Any, name: str) -> None:
        self._done, self._name = done, name
        self.dies_in, self.dies_after = -1, False

    def __getattr__(self, name: str) -> Any:
        return self._act if name == self._name else getattr(self._done, name)

    def _act(self, *given: Any) -> Any:
        self.dies_in -= 1
        if self.dies_in == 0 and not self.dies_after:
            raise KilledError
        done = getattr(self._done, self._name)(*given)
        if self.dies_in == 0:
            raise KilledError
        return done


class Process:
    """One process of the hub, with a slot of the journal of its own."""

    def __init__(self, home: Path, clock: Clock, keys: KeyFile) -> None:
        self.log: LocalLog = open_log(home / "journal", clock.now, home / "heads")
        self.gate: Gate = open_gate(home, GateSettings())
        self.appending = Mortal(self.log, "append")
        allowance = Allowance(clock, self.gate.allowances, None)  # type: ignore[arg-type]
        desk = Desk(clock, keys, self.appending, Forgetful(), allowance, self.gate.containments)  # type: ignore[arg-type]
        given: dict[str, Any] = {name: None for name in Hub.__dataclass_fields__ if name != "last"}
        exposure = SimpleNamespace(shards=LocalShards(home / "journal"), lookback=open_lookback(home))
        given |= {"clock": clock, "ids": RandomIds(), "keys": keys, "desk": desk, "allowance": allowance}
        self.hub = Hub(**{**given, **self.gate.ports(), "exposure": exposure})
        recover_gate(self.hub, self.log)
        self.log.ready()  # it has its slot

    def close(self) -> None:
        self.hub.desk.close()
        self.gate.close()
        self.log.close()


class Years:
    """A hub of two processes. Each act takes a minute; `by` says which process does it."""

    def __init__(self, home: Path) -> None:
        self.home, self.clock = home, Clock()
        self.keys = KeyFile(home / "keys", "")
        self.keys.create("hub")
        self.keys.create(AMC)
        self.runner = asyncio.Runner()
        self.processes: list[Process] = []
        self.start()

    def start(self) -> None:
        self.processes = [Process(self.home, self.clock, self.keys) for _ in range(2)]

    def stop(self) -> None:
        for each in self.processes:
            each.close()

    def lose(self, *others: str) -> None:
        """gate.db is lost, and others, and the hub started again."""
        self.stop()
        for name in ("gate.db", *others):
            for file in self.home.glob(f"{name}*"):
                file.unlink()
        self.start()

    def run(self, work: Any) -> Any:
        self.clock.instant += timedelta(minutes=1)
        return self.runner.run(work)

    def hub(self, by: int = 0) -> Hub:
        return self.processes[by].hub

    def wait(self, days: int) -> None:
        """Days go by in which the hub is asked, and it is started again: months that are over are frozen then."""
        self.stop()
        after = self.clock.instant + timedelta(days=days)
        before = after.replace(day=1) - timedelta(
            days=1
        )  # months are counted from the clock's where that one has an entry
        if self.clock.instant < before:
            self.clock.instant = before
            self.start()
            self.processes[0].log.append([])  # begins its shard, with an entry
            self.stop()
        self.clock.instant = after
        self.start()

    def freeze(self, number: int, by: int = 0) -> None:
        asked = Request(INSURER, "frz_")
        self.run(freeze(self.hub(by), asked, AMC, Member(f"MEMBRE-N{number}", BORN, 1)))

    def lift(self, number: int, by: int = 0) -> None:
        asked = Request(INSURER, "frz_")
        self.run(lift(self.hub(by), asked, AMC, Member(f"MEMBRE-N{number}", BORN, 1)))

    def move(self, name: tuple[Kind, str], event: Event, by: int = 0) -> None:
        """Something happens to a ladder, as far as it may."""
        with suppress(Refused):
            self.run(moved(self.hub(by), name, event))

    def contain(self, account: str, step: int, by: int = 0) -> None:
        self.move((Kind.ACCOUNT, account), Contained("a", step, "b"), by)

    def release(self, account: str, step: int, by: int = 0) -> None:
        """One asks, the other confirms, in whichever process."""
        for operator, where in (("a", by), ("c", 1 - by)):
            self.move((Kind.ACCOUNT, account), Released(operator, step, "b"), where)

    def ask_release(self, account: str, step: int, by: int = 0) -> None:
        self.move((Kind.ACCOUNT, account), Released("a", step, "b"), by)

    def lose_device(self, account: str, by: int = 0) -> None:
        self.move((Kind.ACCOUNT, account), Lost("a", "b"), by)

    def log_in(self, account: str, by: int = 0) -> None:
        at_us = self.hub().now_ts_us + 30_000_000
        self.move((Kind.ACCOUNT, account), Proved(at_us, "eidas2"), by)

    def close_insurer(self, step: int, by: int = 0) -> None:
        self.move((Kind.INSURER, AMC), Contained("a", step, "b"), by)

    def plant(self, account: str, by: int = 0) -> None:
        self.run(plant_account(self.hub(by), Planting("a copy", "a", "b"), account))

    def drop(self, by: int = 0) -> None:
        """The oldest batch that stands."""
        for each in list_decoys(self.hub(by))[:1]:
            self.run(drop_decoys(self.hub(by), each.batch, "a", "b"))

    def open_person(self, account: str, number: int, by: int = 0) -> bytes:
        """An account is told of a person; the reference."""
        hub = self.hub(by)
        person = self.keys.digest(AMC, person_message(f"MEMBRE-N{number}", BORN, 1))
        at_us = hub.now_ts_us
        hub.allowance.store.take([Ask(account, PRACTICE, "", person, Presence.TYPED, at_us)])
        entry = Entry(
            FORMAT, at_us, Operation.RIGHTS_CHECK, account, PRACTICE, AMC, person, 0, Field.OUTCOME, "confirmed", "",
            hub.ids.new("chk_"), b"",
        )  # fmt: skip
        self.run(hub.desk.record(entry))
        return person

    def deny(self, account: str, number: int, by: int = 0) -> None:
        """An operator says that it was not for the person."""
        person = self.open_person(account, number, by)
        opening = id_text(self.keys.digest(AMC, opening_message(account, person)))
        self.run(deny(self.hub(by), Request(INSURER, "den_"), AMC, opening, **WHO))

    def incident(self, account: str, by: int = 0) -> str:
        """An incident about an account is opened, or told one more fact."""
        asked = read_question([account], "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")
        found_us = int(START.timestamp()) * 1_000_000
        name, _ = self.run(open_incident(self.hub(by), "Anne Martin, DPO", asked, found_us, "Un appel."))
        self.run(add_fact(self.hub(by), name, "Anne Martin, DPO", "description", f"le {self.clock.instant}"))
        return str(name)

    def archive(self) -> Mortal:
        return Mortal(LocalArchive(self.home / "journal", SIGNER, self.home / "heads"), "prune")

    def prune(
        self, keep_months: int = 12, by: int = 0, *, dry_run: bool = False, dies: Sequence[int] = (-1, -1, 0)
    ) -> Pruned | None:
        """Prune; None where the process was killed at its so manieth write to the journal, or shard removed (after it: 1)."""
        archive, process = self.archive(), self.processes[by]
        process.appending.dies_in, archive.dies_in, after = dies
        process.appending.dies_after = archive.dies_after = bool(after)
        told = prune(process.hub, archive, keep_months, "", "a", quiet, dry_run=dry_run)  # type: ignore[arg-type]
        try:
            done: Pruned = self.run(told)
        except KilledError:
            return None
        finally:
            process.appending.dies_in = -1
        return done

    def standing(self) -> dict[str, Any]:
        """All that anybody is held to."""
        self.stop()
        self.start()  # what one process did, the other has seen
        hub, today = self.hub(), day_of(self.hub().now_ts_us)
        people = [self.keys.digest(AMC, person_message(f"MEMBRE-N{number}", BORN, 1)) for number in range(8)]
        return {
            "frozen": [hub.freezes.is_frozen(AMC, each) for each in people],
            "limits": hub.containments.all(),
            "decoys": [(each.batch, each.label, each.accounts, each.planted_at) for each in list_decoys(hub)],
            "denied": self.denied(today - YEAR_DAYS),
            "incidents": {name: events_of(hub, name) for name in whole(hub)},
        }

    def denied(self, since_day: int) -> list[Any]:
        sql = (
            "SELECT a.name, o.person, o.day FROM opening o JOIN account a ON a.id = o.account"
            " WHERE denied AND o.day > ? ORDER BY 1, 2"
        )
        rows: list[Any] = self.processes[0].gate.allowances._connection.execute(sql, (since_day,)).fetchall()
        return rows

    def give_up(self, shard: str) -> None:
        """A shard lost its end, and is evidence from then on: its entries stay for ever."""
        self.stop()
        LocalArchive(self.home / "journal", SIGNER, self.home / "heads").abandon(shard, "lost", 1_000)
        self.start()

    def everything(self) -> list[Entry]:
        """The entries that are kept."""
        return entries_in(self.home / "journal")

    def openings(self) -> list[Any]:
        """What the insurer is told, from the beginning."""
        hub = self.hub()
        while follow(hub):
            pass
        return hub.openings.page(AMC, dict.fromkeys(hub.openings.marks(), 0), 100)[0]

    def lifts_meanwhile(self, number: int) -> None:
        """A freeze is told again by one process; between its reading and its entry, another lifts it."""
        hub = self.hub(0)
        goes = going(self.archive().shards(), self.clock.now(), 6)
        self.clock.meanwhile = lambda: self.lift(number, 1)
        (again,) = still_frozen(hub, goes)
        for entry in again.entries:
            self.run(hub.desk.record(entry))
        again.remember()

    def forget_when_it_was_told(self) -> None:
        """gate.db as a version of before left it."""
        self.stop()
        with closing(connect(self.home / "gate.db")) as connection:
            for table in ("freeze", "containment", "decoys", "incident"):
                connection.execute(f"ALTER TABLE {table} DROP COLUMN told_us")
            connection.execute("ALTER TABLE containment DROP COLUMN at_us")
        self.start()

    @property
    def today(self) -> int:
        return day_of(self.hub().now_ts_us)

    def close(self) -> None:
        self.stop()
        self.runner.close()


class Forgetful:
    def keep(self, *_: object) -> None:
        pass


def quiet(_what: str, _done: int) -> None:
    pass


NOTHING = Carried()


@contextmanager
def years() -> Iterator[Years]:
    with tempfile.TemporaryDirectory(prefix="ecluse-years-") as home:
        made = Years(Path(home))
        try:
            yield made
        finally:
            made.close()
