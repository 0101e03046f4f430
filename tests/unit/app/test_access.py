"""The gate around data: an answer without a trace cannot be sent, and a journal that fails gives no answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ecluse.app.access import REFUSED_MAX, Desk, Disclosure
from ecluse.app.allowance import Allowance
from ecluse.app.ports import Mark
from ecluse.app.rights import Promise, RightsAnswer
from ecluse.doors.http.answers import send
from ecluse.engines.keys.file import KeyFile
from ecluse.engines.local.refusals import JOURNAL_POISONED
from ecluse.gate.admission import Person, Request
from ecluse.gate.disclosure import Overtold, fields_of
from ecluse.gate.identity import Account
from ecluse.gate.presence import Presence
from ecluse.journal.entry import Entry, Field, Operation, act
from ecluse.kernel.errors import Refused
from ecluse.wiring.gate import built_in_caps, open_allowances, open_containments
from tests.journal import entries_in, open_log

DOCTOR = Account("rpps:10000000001", "370000028", scopes=frozenset({"rights"}))
NO = RightsAnswer(check_id="chk_1", outcome="not_confirmed")


class Stopped:
    def now(self) -> datetime:
        return datetime(2026, 11, 24, 9, tzinfo=UTC)


class Kept:
    """A rights store that only remembers what it was given to keep."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def keep(self, entries: Sequence[Entry], mark: Mark) -> None:
        self.entries += entries


class Poisoned:
    def append(self, entries: Sequence[bytes]) -> Mark:
        raise JOURNAL_POISONED()

    def unkept(self, marks: dict[str, int]) -> Iterator[tuple[bytes, Mark]]:
        return iter(())


def desk(log: Any, tmp_path: Path, kept: Kept | None = None) -> Desk:
    allowance = Allowance(Stopped(), open_allowances(tmp_path, built_in_caps()), None)  # type: ignore[arg-type]
    return Desk(Stopped(), KeyFile(tmp_path / "keys", ""), log, kept or Kept(), allowance, open_containments(tmp_path))  # type: ignore[arg-type]


class Spent:
    """An allowance of which nothing is left."""

    def take(self, asks: Sequence[Any]) -> list[str]:
        return ["bucket" for _ in asks]

    async def look_again(self, account: str) -> bool:
        return False


def ask(at: Desk, answers: int) -> list[Any]:
    async def all_at_once() -> list[Any]:
        released = []
        for number in range(answers):
            admission = at.admit(
                Request(DOCTOR, f"chk_{number}"), "rights", Operation.RIGHTS_CHECK, Person("0075123456", (b"k",), False)
            )
            released.append(at.release(admission, Disclosure(NO, "not_confirmed", insurer="0075123456")))
        return await asyncio.gather(*released, return_exceptions=True)

    return asyncio.run(all_at_once())


def test_every_released_answer_has_its_entry(tmp_path: Path) -> None:
    released = ask(desk(open_log(tmp_path / "journal"), tmp_path), 700)
    assert [each.answer for each in released] == [NO] * 700
    written = entries_in(tmp_path / "journal")
    assert [entry.request for entry in written] == [f"chk_{number}" for number in range(700)]


def test_a_poisoned_journal_gives_no_answer_to_anybody(tmp_path: Path) -> None:
    kept = Kept()
    outcomes = ask(desk(Poisoned(), tmp_path, kept), 3)
    assert [outcome.code for outcome in outcomes if isinstance(outcome, Refused)] == ["journal_poisoned"] * 3
    assert kept.entries == []


def test_a_scope_not_granted_admits_nobody(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="forbidden"):
        desk(Poisoned(), tmp_path).admit(Request(DOCTOR, "x"), "claims", Operation.CLAIM, "E26")


def test_a_disclosure_cannot_be_sent(tmp_path: Path) -> None:
    disclosure = Disclosure(NO, "not_confirmed")
    with pytest.raises(TypeError):
        msgspec.json.encode(disclosure)
    with pytest.raises(AttributeError):
        send(disclosure)  # type: ignore[arg-type]


def test_the_fields_are_read_from_the_answer_itself() -> None:
    assert fields_of(NO) == Field.OUTCOME
    day = Stopped().now().date()
    yes = RightsAnswer("chk_1", "confirmed", True, day, Promise("E26", day), "SV", "0001")
    sent = set(msgspec.json.decode(msgspec.json.encode(yes))) - {"check_id"}
    assert {str(bit.name).lower() for bit in Field(fields_of(yes))} == sent


def test_an_answer_that_tells_too_much_is_neither_released_nor_journalled(tmp_path: Path) -> None:
    at = desk(open_log(tmp_path / "journal"), tmp_path)
    admission = at.admit(
        Request(DOCTOR, "chk_1"), "rights", Operation.RIGHTS_CHECK, Person("0075123456", (b"k",), False)
    )
    reason = RightsAnswer("chk_1", "not_confirmed", reason="ended")
    with pytest.raises(Overtold, match="rights_check TYPED"):
        asyncio.run(at.release(admission, Disclosure(reason, "not_confirmed", insurer="0075123456")))
    assert entries_in(tmp_path / "journal") == []


def test_who_was_refused_is_counted_first_and_past_many_nobody_is_looked_for(tmp_path: Path) -> None:
    log, limits = open_log(tmp_path / "journal"), open_containments(tmp_path)
    at = Desk(Stopped(), KeyFile(tmp_path / "keys", ""), log, Kept(), Spent(), limits)  # type: ignore[arg-type]

    def admitted(account: Account = DOCTOR, presence: Presence = Presence.TYPED) -> Any:
        meant = Person("0075123456", (b"k",), False)
        return at.admit(Request(account, "chk_1"), "rights", Operation.RIGHTS_CHECK, meant, presence)

    admission = admitted()
    assert not at.is_pressed(admission)
    for _ in range(REFUSED_MAX):
        with pytest.raises(Refused, match="allowance_spent"):
            asyncio.run(at.count(admission, b""))
        assert at.is_pressed(admission)
    with pytest.raises(Refused, match="allowance_spent"):
        admitted()
    assert not at.is_pressed(admitted(presence=Presence.PASS)), "a pass is never refused for it"
    assert not at.is_pressed(admitted(Account("rpps:10000000002", "370000028", scopes=DOCTOR.scopes)))


def test_an_entry_that_cannot_be_written_fails_alone(tmp_path: Path) -> None:
    at = desk(open_log(tmp_path / "journal"), tmp_path)

    def entry(request: str, account: Any) -> Entry:
        return act(Operation.LOOKUPS_FROZEN, 1, request, "frozen", account=account)

    async def together() -> list[Any]:
        entries = [entry("a", "one"), entry("b", object()), entry("c", "three")]
        return await asyncio.gather(*(at.record(each) for each in entries), return_exceptions=True)

    outcomes = asyncio.run(together())
    assert [type(each) for each in outcomes] == [type(None), TypeError, type(None)]
    assert [each.request for each in entries_in(tmp_path / "journal")] == ["a", "c"]
