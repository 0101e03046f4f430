"""Rights, members and engagements, on every engine: built, put in place in one instant, found by either key, kept from others."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from ecluse.app.ports import FeedCounts, Mark
from ecluse.kernel.errors import Refused
from tests.contract.store_hub import (
    AMC,
    NOWHERE,
    OTHER_AMC,
    OTHER_PRACTICE,
    PERSONS,
    StoreHub,
    admission,
    engagement,
    entry,
    recovered,
)
from tests.stores import now


def test_found_by_either_key_and_nothing_for_strangers(hub: StoreHub) -> None:
    counts = hub.load("fee_1", {person: ["1"] for person in PERSONS})
    assert counts == FeedCounts(rows=4, persons=4, rights=4)
    for person in PERSONS:
        assert now(hub.read(person)) == now(hub.read(b"m" + person[1:], by_member=True)) == ["1"]
        assert now(hub.read(person, by_member=True)) == now(hub.read(b"m" + person[1:])) == []
        assert now(hub.read(person, insurer=OTHER_AMC)) == now(hub.read(person, insurer=NOWHERE)) == []
    assert now(hub.read(b"?" * 16)) == []


def test_before_its_first_file_an_insurer_covers_nobody(hub: StoreHub) -> None:
    assert now(hub.read(PERSONS[0])) == []


def test_many_at_once_each_get_their_own(hub: StoreHub) -> None:
    people = [number.to_bytes(16, "big") for number in range(300)]
    hub.load("fee_1", {person: [f"{number}", "x"][: 1 + number % 2] for number, person in enumerate(people)})

    async def all_at_once() -> list[list[str]]:
        strangers = [hub.read(b"?" * 16), hub.read(people[0], insurer=NOWHERE), hub.read(people[0], insurer=OTHER_AMC)]
        *found, first, second, third = await asyncio.gather(*map(hub.read, people), *strangers)
        assert first == second == third == []
        return found

    assert now(all_at_once()) == [[f"{number}", "x"][: 1 + number % 2] for number in range(300)]


def test_a_full_file_takes_the_place_of_all_at_once_for_every_process(hub: StoreHub) -> None:
    hub.load("fee_1", {person: ["old"] for person in PERSONS})
    other = hub.again()
    assert now(hub.read(PERSONS[1], stores=other)) == ["old"]
    counts = hub.load("fee_2", {person: ["new"] for person in PERSONS[1:]})
    assert (counts.persons, counts.rights) == (3, 3)
    for stores in (hub.stores, other):
        assert now(hub.read(PERSONS[1], stores=stores)) == ["new"]
        assert now(hub.read(PERSONS[0], stores=stores)) == []
        assert now(hub.read(b"m" + PERSONS[0][1:], by_member=True, stores=stores)) == []


def test_several_rows_of_one_person_are_settled(hub: StoreHub) -> None:
    counts = hub.load("fee_1", {PERSONS[0]: ["1"], PERSONS[1]: ["1", "2", "3"]})
    assert (counts.rows, counts.persons, counts.rights) == (4, 2, 4)
    assert now(hub.read(PERSONS[1])) == ["1", "2", "3"]


def test_a_delta_over_something_changes_those_it_names(hub: StoreHub) -> None:
    hub.load("fee_1", {person: ["1"] for person in PERSONS[:3]})
    counts = hub.load("fee_2", {PERSONS[1]: ["2"], PERSONS[3]: ["3"]}, over=True)
    assert (counts.rows, counts.persons, counts.rights) == (2, 4, 5)
    assert [now(hub.read(person)) for person in PERSONS] == [["1"], ["1", "2"], ["1"], ["3"]]
    assert now(hub.read(b"m" + PERSONS[3][1:], by_member=True)) == ["3"]
    full = hub.load("fee_3", {PERSONS[0]: ["4"]})
    assert (full.persons, [now(hub.read(person)) for person in PERSONS]) == (1, [["4"], [], [], []])


def test_a_delta_over_nothing_is_all_there_is(hub: StoreHub) -> None:
    counts = hub.load("fee_1", {PERSONS[0]: ["1"], PERSONS[1]: ["1", "2"]}, over=True)
    assert (counts.persons, counts.rights) == (2, 3)
    assert now(hub.read(PERSONS[1])) == ["1", "2"]
    counts = hub.load("fee_2", {PERSONS[1]: ["3"]}, over=True)
    assert (counts.persons, counts.rights) == (2, 4)


def test_a_delta_can_leave_a_person_nothing(hub: StoreHub) -> None:
    hub.load("fee_1", {person: ["1"] for person in PERSONS[:2]})
    hub.load("fee_2", {PERSONS[1]: ["END"]}, over=True)
    assert [now(hub.read(person)) for person in PERSONS[:2]] == [["1"], []]
    assert now(hub.read(b"m" + PERSONS[1][1:], by_member=True)) == []


def test_a_member_who_changes_persons_is_the_new_one(hub: StoreHub) -> None:
    hub.load("fee_1", {PERSONS[0]: ["1"]})
    hub.begin("fee_2")
    with hub.stores.works.work(AMC, "fee_2") as work:
        work.plan(1, 1)
        work.add([(PERSONS[1], 2, False, hub.sealed(PERSONS[1], "2"))], [(b"m" + PERSONS[0][1:], PERSONS[1], 2)])
        now(hub.put_in_place(work, over=True))
    assert now(hub.read(b"m" + PERSONS[0][1:], by_member=True)) == ["2"]


@pytest.mark.parametrize("over", [False, True], ids=["full", "delta"])
def test_a_member_of_two_persons_is_refused_and_the_old_rights_answer(hub: StoreHub, over: bool) -> None:
    hub.load("fee_1", {PERSONS[0]: ["old"]})
    with hub.stores.works.work(AMC, "fee_2") as work:
        hub.stage(work, {PERSONS[0]: ["new"], PERSONS[1]: ["new"]}, members=False)
        work.add([], [(b"m" * 16, PERSONS[0], 2), (b"m" * 16, PERSONS[1], 102)])
        _, refused = now(work.build(hub.settle, lambda _: None, over=over))
        now(work.finish())
    assert refused == [(102, "member_ambiguous")]
    assert [now(hub.read(person)) for person in PERSONS[:2]] == [["old"], []]


def test_what_was_refused_by_the_settling_is_told(hub: StoreHub) -> None:
    def refusing(_: bytes, kept: Sequence[bytes], rows: Any, __: Any) -> tuple[list[bytes], list[tuple[int, str]]]:
        return list(kept), [(rows[-1][1], "row_twice")]

    with hub.stores.works.work(AMC, "fee_1") as work:
        hub.stage(work, {PERSONS[0]: ["1", "1"], PERSONS[1]: ["1"]})
        _, refused = now(work.build(refusing, lambda _: None, over=False))
        now(work.finish())
    assert refused == [(3, "row_twice")]
    assert now(hub.read(PERSONS[1])) == []


def test_a_work_goes_on_where_it_was_and_one_built_but_not_put_in_place_answers_nobody(hub: StoreHub) -> None:
    hub.load("fee_1", {PERSONS[0]: ["old"]})
    hub.begin("fee_2")
    with hub.stores.works.work(AMC, "fee_2") as work:
        hub.stage(work, {PERSONS[0]: ["new"]})
        now(work.build(hub.settle, lambda _: None, over=False))
    assert now(hub.read(PERSONS[0])) == ["old"]
    hub.stores = hub.again()
    with hub.stores.works.work(AMC, "fee_2") as work:
        assert work.done == 1
        counts = now(hub.put_in_place(work))
    assert (counts.persons, now(hub.read(PERSONS[0]))) == (1, ["new"])


def test_one_turn_an_insurer_over_all_processes(hub: StoreHub) -> None:
    async def contend() -> None:
        other = hub.again()
        async with hub.stores.works.turn(AMC):
            with pytest.raises(Refused, match="feed_in_progress"):
                async with other.works.turn(AMC):
                    pass
            async with other.works.turn(OTHER_AMC):
                pass
        async with other.works.turn(AMC):
            pass

    now(contend())


def test_an_engagement_is_found_by_the_practice_it_was_given_to(hub: StoreHub) -> None:
    async def story() -> None:
        hub.stores.rights.keep([entry(hub, "E1")], Mark("w0", 10))
        for stores in (hub.stores, hub.again()):  # at once, and by another process after the lag
            assert await stores.rights.engagement(admission("E1")) == engagement("E1")
            assert await stores.rights.engagement(admission("E1", OTHER_PRACTICE)) is None
            assert await stores.rights.engagement(admission("E2")) is None

    now(story())


def test_marks_say_how_far_the_journal_was_copied_and_never_go_back(hub: StoreHub) -> None:
    async def story() -> None:
        other = hub.again()
        assert await other.rights.marks() == {}
        await recovered(hub.stores)
        hub.stores.rights.keep([entry(hub, "E1")], Mark("w0", 10))
        hub.stores.rights.keep([entry(hub, "E2"), entry(hub, "E1")], Mark("w1", 5))
        await hub.stores.rights.flush()
        assert await other.rights.marks() == {"w0": 10, "w1": 5}
        hub.stores.rights.keep([], Mark("w0", 20))
        await hub.stores.rights.flush()
        await hub.stores.rights.flush()
        assert await other.rights.marks() == {"w0": 20, "w1": 5}

    now(story())


def test_what_is_held_is_written_when_the_store_closes(hub: StoreHub) -> None:
    async def story() -> None:
        leaving = hub.again()
        await recovered(leaving)
        leaving.rights.keep([entry(hub, "E1")], Mark("w0", 10))
        await leaving.close()
        assert await hub.stores.rights.engagement(admission("E1")) == engagement("E1")
        assert await hub.stores.rights.marks() == {"w0": 10}
        hub._open.remove(leaving)

    now(story())
