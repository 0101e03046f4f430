"""A member number that a delta gives to another person, on every engine: never two people under one number."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import combinations
from typing import NamedTuple

import msgspec
import pytest

from ecluse.app.ports import FeedCounts, RightsWork
from ecluse.app.settling import Settling
from ecluse.engines import staging
from ecluse.gate.admission import Person
from ecluse.kernel.days import FOREVER, period
from ecluse.rights.model import Domain, Right
from ecluse.rights.person import right_about
from tests.contract.store_hub import AMC, StoreHub, admission
from tests.stores import now

DAY = date(2026, 1, 1)
PEOPLE = [
    bytes([number]) * 16 for number in (0, 1, 127, 128, 255)
]  # of one birth date and rank, and of several buckets


class Said(NamedTuple):
    """A row: whose right (a place in `PEOPLE`), its member number, contract, first and last day."""

    who: int
    number: str
    contract: str = "C"
    start: int = 0
    end: int | None = None
    ends: bool = False


class RefusedError(Exception):
    """The slow model refuses the file."""


Name = tuple[int, str, int]  # who, contract, first day
Held = dict[Name, tuple[str, int | None]]  # member number, last day


def applied(held: Held, rows: Sequence[Said]) -> Held:
    """The slow model: every row, then every number looked for among all who have it, then every pair of periods."""
    after = dict(held)
    names = [(row.who, row.contract, row.start) for row in rows]
    taken = {(row.who, row.number) for row in rows if not row.ends}
    if len(set(names)) < len(names) or len({number for _, number in taken}) < len(taken):
        raise RefusedError
    for name, row in zip(names, rows, strict=True):
        if row.ends and name not in held:
            raise RefusedError
        after[name] = (held[name][0], row.end) if row.ends else (row.number, row.end)
    set_here = {name for name, row in zip(names, rows, strict=True) if not row.ends}
    for name, (number, _) in list(after.items()):
        if name not in set_here and any(number == given and name[0] != who for who, given in taken):
            del after[name]
    for (one, (_, one_end)), (two, (_, two_end)) in combinations(sorted(after.items()), 2):
        if one[:2] == two[:2] and _last(one_end) >= two[2] and _last(two_end) >= one[2]:
            raise RefusedError
    return after


def _last(end: int | None) -> int:
    return 10_000 if end is None else end


def member(number: str) -> bytes:
    """A number, with the one birth date and rank there is."""
    return number.encode().ljust(16, b"\xfe")


class Deltas:
    """The rights of one insurer, changed by deltas, with the settling that hubs have."""

    def __init__(self, hub: StoreHub) -> None:
        self.hub, self.feeds = hub, 0

    def load(self, *rows: Said) -> tuple[FeedCounts, list[tuple[int, str]]]:
        """A delta of these rows, in this order; it answers unless a row is refused."""
        self.feeds += 1
        feed = f"fee_{self.feeds}"
        self.hub.begin(feed)
        with self.hub.stores.works.work(AMC, feed) as work:
            self.stage(work, *rows)
            counts, refused = now(self.built(work))
        return counts, refused

    def stage(self, work: RightsWork, *rows: Said) -> None:
        work.plan(len(rows), 1)
        staged = [(PEOPLE[row.who], line, row.ends, self._sealed(row)) for line, row in enumerate(rows, 2)]
        members = [(member(row.number), PEOPLE[row.who], line) for line, row in enumerate(rows, 2) if not row.ends]
        work.add(staged, members)

    async def built(self, work: RightsWork) -> tuple[FeedCounts, list[tuple[int, str]]]:
        async with self.hub.stores.works.turn(AMC):
            counts, refused = await work.build(Settling(self.hub.keys, AMC), lambda _: None, over=True)
            if not refused:
                await work.answer(counts, self.feeds)
        await work.finish()
        return counts, refused

    def _sealed(self, row: Said) -> bytes:
        last = None if row.end is None else DAY + timedelta(days=row.end)
        days = period(DAY + timedelta(days=row.start), last)
        right = Right(row.contract, row.number, "P", (Domain.MED,), days, "SV", "1", True, 1)
        return self.hub.keys.seal(AMC, msgspec.msgpack.encode(right), right_about(AMC, PEOPLE[row.who]))

    def held(self) -> Held:
        """What answers, read by NIR; by each number it answers for the same person."""
        found: Held = {}
        for who, person in enumerate(PEOPLE):
            for right in self._read(person, by_member=False):
                last = None if right.valid.end == FOREVER else (right.valid.last_day - DAY).days
                found[who, right.contract, (right.valid.start - DAY).days] = right.member_number, last
                assert right in self._read(member(right.member_number), by_member=True), "by its number it is not found"
        return found

    def _read(self, key: bytes, *, by_member: bool) -> list[Right]:
        return now(self.hub.stores.rights.rights(admission(Person(AMC, (key,), by_member))))


@pytest.fixture
def deltas(hub: StoreHub, monkeypatch: pytest.MonkeyPatch) -> Deltas:
    """A hub of each engine in turn; two rows make a bucket, so that numbers pass from one bucket to another."""
    monkeypatch.setattr(staging, "ROWS_PER_BUCKET", 1)
    return Deltas(hub)


CASES: dict[str, tuple[list[list[Said]], Held]] = {
    "the number goes on, the rights under it do not": (
        [[Said(0, "X")], [Said(1, "X")], [Said(2, "X")]],
        {(2, "C", 0): ("X", None)},
    ),
    "rights under another number stay": (
        [[Said(0, "X"), Said(0, "Y", "D")], [Said(1, "X")]],
        {(0, "D", 0): ("Y", None), (1, "C", 0): ("X", None)},
    ),
    "the old NIR gets another number in the same file": (
        [[Said(0, "X")], [Said(1, "X"), Said(0, "Y")]],
        {(0, "C", 0): ("Y", None), (1, "C", 0): ("X", None)},
    ),
    "beside what it had": (
        [[Said(0, "X", "C")], [Said(0, "Y", "C", 5), Said(1, "X")]],
        {(0, "C", 5): ("Y", None), (1, "C", 0): ("X", None)},
    ),
    "the old NIR ends in the same file": (
        [[Said(0, "X"), Said(3, "Z")], [Said(0, "X", end=9, ends=True), Said(1, "X", "C", 10)]],
        {(1, "C", 10): ("X", None), (3, "C", 0): ("Z", None)},
    ),
    "two swap": (
        [[Said(0, "X"), Said(4, "Y")], [Said(0, "Y"), Said(4, "X")]],
        {(0, "C", 0): ("Y", None), (4, "C", 0): ("X", None)},
    ),
    "and back again": (
        [[Said(0, "X", "C"), Said(0, "X", "D")], [Said(4, "X")], [Said(0, "X")]],
        {(0, "C", 0): ("X", None)},
    ),
    "a number of before is nobody's loss": (
        [[Said(0, "X")], [Said(0, "Y")], [Said(1, "X")]],
        {(0, "C", 0): ("Y", None), (1, "C", 0): ("X", None)},
    ),
}


@pytest.mark.parametrize("is_reversed", [False, True], ids=["as written", "reversed"])
@pytest.mark.parametrize("name", CASES)
def test_a_number_given_to_another_person(deltas: Deltas, name: str, is_reversed: bool) -> None:
    files, held = CASES[name]
    for rows in files:
        counts, refused = deltas.load(*(reversed(rows) if is_reversed else rows))
        assert refused == []
    assert deltas.held() == held
    assert (counts.persons, counts.rights) == (len({who for who, *_ in held}), len(held))


def test_both_of_one_file_under_one_number_are_refused_still(deltas: Deltas) -> None:
    deltas.load(Said(0, "X"))
    for rows in ((Said(0, "X"), Said(1, "X")), (Said(1, "X"), Said(0, "X"))):
        assert deltas.load(*rows)[1] == [(3, "member_ambiguous")]
    assert deltas.held() == {(0, "C", 0): ("X", None)}


def test_a_building_that_was_killed_is_begun_anew(deltas: Deltas) -> None:
    deltas.load(Said(0, "X"), Said(0, "Y", "D"))
    settle = Settling(deltas.hub.keys, AMC)
    with deltas.hub.stores.works.work(AMC, "fee_2") as work:
        deltas.stage(work, Said(1, "X"))
        now(work.build(settle, lambda _: None, over=True))
    assert len(deltas.held()) == 2
    deltas.hub.begin("fee_2")
    with deltas.hub.stores.works.work(AMC, "fee_2") as work:
        counts, _ = now(deltas.built(work))
    assert (counts.persons, counts.rights) == (2, 2)
    assert deltas.held() == {(0, "D", 0): ("Y", None), (1, "C", 0): ("X", None)}


def test_whatever_deltas_come_they_do_what_the_slow_model_does(deltas: Deltas) -> None:
    """Forty files of one seed: of people who exchange four numbers, end, begin again; most of them fit."""
    draw, held, fitted = random.Random(20261201), {}, 0
    for _ in range(40):
        rows = [_drawn(draw, held) for _ in range(draw.randint(1, 4))]
        counts, refused = deltas.load(*rows)
        try:
            held = applied(held, rows)
        except RefusedError:
            assert refused, rows
        else:
            assert refused == [], rows
            assert (counts.persons, counts.rights) == (len({who for who, *_ in held}), len(held)), rows
            fitted += 1
        assert deltas.held() == held, rows
    assert 10 < fitted < 40


def _drawn(draw: random.Random, held: Held) -> Said:
    if held and draw.random() < 0.3:
        who, contract, start = draw.choice(sorted(held))
        return Said(who, draw.choice("WXYZ"), contract, start, start + draw.randint(0, 9), ends=draw.random() < 0.5)
    start = draw.choice((0, 10, 20))
    end = draw.choice((None, start + 9, start + 9, start + 12))
    return Said(draw.randrange(len(PEOPLE)), draw.choice("WXYZ"), draw.choice("CD"), start, end)
