"""A freeze that is told holds: whatever the clock did since, however the number is written; and nobody freezes without end."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ecluse.app import freezes
from ecluse.app.insurer_size import rounded_up
from ecluse.engines.keys.file import DevelopmentOnly
from ecluse.engines.sqlite import freezes as sqlite
from ecluse.journal.entry import Entry, Operation
from ecluse.rights.person import person_message
from ecluse.wiring import OpenHub, open_hub
from ecluse.wiring.gate import open_freezes
from sim.clock import Ahead
from tests.journal import entries_in
from tests.journeys.members import AMC, bearer, load, make, played, practice, question, row, write

BORN = row(1)["birth_date"]
NUMBERS = {1: "AB12", 2: "ab12x", 3: "Mm-3 z"}


class Desk:
    """A hub with three members, in the process of the test, under a clock that is moved."""

    def __init__(self, folder: Path, clock: Ahead) -> None:
        self.folder, self.clock = folder, clock
        make(folder / "hub")
        with self.hub() as hub:
            rows = [row(number, member_number=name) for number, name in NUMBERS.items()]
            load(hub, write(folder / "members.csv", rows))

    def hub(self) -> Any:
        return open_hub(self.folder / "hub")

    def entries(self) -> list[Entry]:
        found = entries_in(self.folder / "hub" / "journal")
        return [each for each in found if each.operation is Operation.LOOKUPS_FROZEN]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    warnings.simplefilter("ignore", DevelopmentOnly)
    clock = Ahead(tmp_path / "ahead")
    with clock.ruling():
        yield Desk(tmp_path, clock)


def call(hub: OpenHub, path: str, body: Any, headers: dict[str, str]) -> httpx.Response:
    async def sent(client: httpx.AsyncClient) -> httpx.Response:
        return await client.post(path, json=body, headers={**headers, "Content-Type": "application/json"})

    answer: httpx.Response = played(hub, sent)
    return answer


def say(hub: OpenHub, what: str, number: str, **member: Any) -> httpx.Response:
    body = {"member": {"member_number": number, "birth_date": BORN, **member}}
    return call(hub, f"/v1/{what}", body, bearer(hub, scope="feeds exposure:own"))


def is_open(hub: OpenHub, number: int) -> bool:
    told = call(hub, "/v1/rights/checks", question(number), practice(hub)).json()
    return bool(told["outcome"] == "confirmed")


def test_what_was_said_last_holds_though_the_clock_went_back(desk: Desk) -> None:
    with desk.hub() as hub:
        desk.clock.set(400 * 86_400.0)  # a year ahead
        for what, holds in (("freezes", True), ("freezes/liftings", False)):
            assert say(hub, what, "AB12").json() == {"frozen": holds}
        desk.clock.set(0.0)
        for what, holds in (("freezes", True), ("freezes/liftings", False), ("freezes", True)):
            assert say(hub, what, "AB12").json() == {"frozen": holds}
            assert is_open(hub, 1) is not holds
    for file in (desk.folder / "hub").glob("gate.db*"):
        file.unlink()
    with desk.hub() as hub:  # made again from the journal, in whatever order of the entries' own times
        hub.run(hub.recover())
        assert not is_open(hub, 1)
        assert say(hub, "freezes/liftings", "AB12").json() == {"frozen": False}
        assert is_open(hub, 1)


@pytest.mark.parametrize("wrong", [" AB12", "AB12 ", "AB12\0", "AB12\n", "", "AB|12", "A" * 41, "ÀB12"])
@pytest.mark.parametrize("path", ["freezes", "freezes/liftings", "passes/revocations"])
def test_a_number_that_no_member_file_holds_is_refused(desk: Desk, path: str, wrong: str) -> None:
    with desk.hub() as hub:
        answer = say(hub, path, wrong)
        assert (answer.status_code, answer.json()["code"]) == (400, "member_number_invalid")
        assert answer.json()["pointer"] == "/member/member_number"
        assert say(hub, path, "AB12", birth_date="14/06/1979").json()["code"] == "birth_date_invalid"
    assert desk.entries() == []


@pytest.mark.parametrize(
    ("which", "said"), [(1, "ab12"), (1, "Ab12"), (2, "AB12X"), (2, "Ab12x"), (3, "MM-3 Z"), (3, "mm-3 z")]
)
def test_capitals_and_small_letters_are_the_same(desk: Desk, which: int, said: str) -> None:
    with desk.hub() as hub:
        assert is_open(hub, which)
        assert say(hub, "freezes", said).json() == {"frozen": True}
        assert [is_open(hub, each) for each in NUMBERS] == [each != which for each in NUMBERS]
        assert say(hub, "freezes/liftings", said.swapcase()).json() == {"frozen": False}
        assert is_open(hub, which)
        for other in (said.lower(), said.upper(), NUMBERS[which]):
            assert say(hub, "freezes", NUMBERS[which]).json() == {"frozen": True}
            assert say(hub, "freezes/liftings", other).json() == {"frozen": False}
            assert is_open(hub, which)


def test_a_freeze_is_told_once_it_holds_in_every_process(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "LOOK_S", 0.5)  # longer than the call itself, however busy the machine
    monkeypatch.setattr(sqlite.LocalFreezes, "seen_after_s", 0.5)
    with desk.hub() as hub:
        other, person = open_freezes(desk.folder / "hub"), hub.keys.digest(AMC, person_message(NUMBERS[1], BORN, 1))
        say(hub, "freezes", NUMBERS[3])  # whatever is made once is made
        assert not other.is_frozen(AMC, person)
        assert say(hub, "freezes", NUMBERS[1]).json() == {"frozen": True}
        assert other.is_frozen(AMC, person)
        other.close()


def test_a_freeze_of_before_goes_by_the_number_as_it_was_named(desk: Desk) -> None:
    with desk.hub() as hub:
        hub.freezes.freeze(AMC, hub.keys.digest(AMC, person_message(NUMBERS[2], BORN, 1)), 1)
        assert not is_open(hub, 2)
        assert say(hub, "freezes/liftings", NUMBERS[2]).json() == {"frozen": False}
        assert is_open(hub, 2)


def test_a_lifting_of_nobody_leaves_nothing(desk: Desk) -> None:
    with desk.hub() as hub:
        assert say(hub, "freezes/liftings", "NOBODY1").json() == {"frozen": False}
    assert desk.entries() == []


def test_an_insurer_has_room_for_its_members_and_some(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freezes, "ROOM", 2)
    with desk.hub() as hub:
        for number in range(2 + 2 * rounded_up(len(NUMBERS))):
            assert say(hub, "freezes", f"MADE-UP{number}").status_code == 200
        kept = len(desk.entries())
        refused = say(hub, "freezes", "AB12")
        assert (refused.status_code, refused.json()["code"]) == (429, "freezes_many")
        assert (is_open(hub, 1), len(desk.entries())) == (True, kept)
        assert say(hub, "freezes", "MADE-UP1").json() == {"frozen": True}  # again is no more
        assert say(hub, "freezes/liftings", "MADE-UP1").json() == {"frozen": False}
        assert say(hub, "freezes", "AB12").json() == {"frozen": True}
        assert not is_open(hub, 1)
