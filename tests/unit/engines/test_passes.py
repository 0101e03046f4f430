"""The book of passes: an index for one pass only, a presentation accepted once whoever asks, revocations that hold."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ecluse.app.ports.passes import PassRecord, Room, Signed
from ecluse.engines.sqlite.connection import connect
from ecluse.engines.sqlite.passes import KEPT_S, LIVE_PER_PASS_MAX, PASSES, SqlitePasses
from ecluse.kernel.days import parse_day
from ecluse.kernel.errors import Refused
from ecluse.passes.issued import DAY_S, Pass
from ecluse.passes.status import BITS_MAX, BITS_MIN
from ecluse.rights.model import Domain
from tests.laws import examples

AMC, OTHER = "0075123456", "0075999999"
FIRST, SECOND, THIRD = b"", b"second--", b"third---"  # what the book writes of keys
NOW = 1_795_906_800


def now(work: Any) -> Any:
    return asyncio.run(work)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[SqlitePasses]:
    made = SqlitePasses(tmp_path)
    yield made
    now(made.close())


def making(person: bytes = b"p" * 16, insurer: str = AMC, begins_ts: int = NOW) -> Any:
    def make(index: int) -> PassRecord:
        day = parse_day("2026-12-29")
        return PassRecord(
            Pass(insurer, index, bytes(16), begins_ts, begins_ts + 31 * DAY_S, (Domain.MED,), day), person
        )

    return make


def issue(
    book: SqlitePasses,
    batch: bytes,
    wanted: Any,
    now_ts: int = NOW,
    marks: Any = (FIRST,),
    room: Room = Room(9_000, 9_000),
) -> Any:
    return now(book.issue(batch, wanted, now_ts, lambda: marks, room))


def test_lines_of_a_batch_are_issued_once(book: SqlitePasses, tmp_path: Path) -> None:
    first = issue(book, b"batch", {1: making(), 2: making()}, NOW)
    other = SqlitePasses(tmp_path)  # another process
    again = issue(other, b"batch", {2: making(b"q" * 16), 3: making()}, NOW)
    assert again[2] == first[2]
    assert len({each.made.index for each in (*first.values(), *again.values())}) == 3
    assert issue(book, b"other", {1: making()}, NOW)[1] != first[1]
    now(other.close())


def test_a_line_whose_pass_was_revoked_is_issued_anew(book: SqlitePasses) -> None:
    wanted = {1: making(), 2: making()}
    first = issue(book, b"batch", wanted)
    for _ in range(3):
        assert now(book.revoke(AMC, first[1].made.index, NOW))
        again = issue(book, b"batch", wanted)
        assert (again[1].made.index == first[1].made.index, again[2]) == (False, first[2])
        assert [now(book.stands(each.made, FIRST)) for each in (first[1], again[1])] == [None, b"p" * 16]
        assert issue(book, b"batch", wanted) == again
        first = again
    assert len(now(book.revoked())[0]) == 3


def test_there_is_room_for_so_many_of_a_person_and_of_an_insurer_until_they_are_forgotten(book: SqlitePasses) -> None:
    p, q, others = making(), making(b"q" * 16), making(insurer=OTHER)
    issue(book, b"a", {1: p, 2: p, 3: q}, room=Room(4, 2))
    assert len(issue(book, b"a", {1: p, 2: p, 3: q}, room=Room(4, 2))) == 3  # the same are no more
    for wanted in ({1: p}, {1: q, 2: q}, {1: q, 2: making(b"r" * 16)}):
        with pytest.raises(Refused, match="passes_many"):
            issue(book, b"b", wanted, room=Room(4, 2))
    issue(book, b"b", {1: q, 2: others, 3: others}, room=Room(4, 2))
    issue(book, b"c", {1: others}, room=Room(4, 3))
    now(book.revoke_person(AMC, b"p" * 16, NOW))
    with pytest.raises(Refused, match="passes_many"):
        issue(book, b"d", {1: making(b"r" * 16)}, room=Room(4, 2))
    later_ts = NOW + 31 * DAY_S + KEPT_S + 1
    for batch in range(4):
        issue(book, b"e%d" % batch, {1: making(bytes([batch]) * 16, begins_ts=later_ts)}, later_ts, room=Room(4, 2))


def test_rows_that_named_nobody_are_counted_by_insurer_and_day_of_every_process(
    book: SqlitePasses, tmp_path: Path
) -> None:
    other = SqlitePasses(tmp_path)
    assert [now(each.miss(AMC, 7, rows)) for each, rows in ((book, 0), (book, 3), (other, 0), (other, 2), (book, 1))] == [
        0, 0, 3, 3, 5,
    ]  # fmt: skip
    assert now(book.miss(OTHER, 7, 1)) == 0
    assert [now(book.miss(AMC, 8, rows)) for rows in (0, 1, 1)] == [0, 0, 1]
    now(other.close())


def test_indexes_are_drawn_all_over_the_list(book: SqlitePasses) -> None:
    made = issue(book, b"batch", {line: making() for line in range(2000)}, NOW)
    places = sorted(each.made.index for each in made.values())
    assert len(set(places)) == 2000
    assert places[-1] < BITS_MIN
    quarters = [sum(at * BITS_MIN // 4 <= place < (at + 1) * BITS_MIN // 4 for place in places) for at in range(4)]
    assert min(quarters) > 350  # 500 each, 7 standard deviations away


def test_a_pass_stands_for_its_insurer_until_it_is_revoked(book: SqlitePasses) -> None:
    made = issue(book, b"b", {1: making()}, NOW)[1].made
    index = made.index
    assert now(book.stands(made, FIRST)) == b"p" * 16
    changes = ({"insurer": OTHER}, {"index": index ^ 1}, {"expires_ts": made.expires_ts + 1}, {"holder": b"h" * 16})
    assert [now(book.stands(replace(made, **change), FIRST)) for change in changes] == [None] * 4
    assert now(book.revoke(OTHER, index, NOW)) is None
    assert [now(book.revoke(AMC, index, at)) for at in (NOW, NOW + 1)] == [b"p" * 16] * 2
    assert now(book.stands(made, FIRST)) is None
    assert now(book.revoked()) == ([index], BITS_MIN)


def test_all_of_a_person_are_revoked(book: SqlitePasses) -> None:
    issue(book, b"b", {1: making(), 2: making(), 3: making(b"q" * 16), 4: making(insurer=OTHER)}, NOW)
    assert [now(book.revoke_person(AMC, b"p" * 16, NOW)) for _ in range(2)] == [2, 0]
    assert len(now(book.revoked())[0]) == 2


def test_a_pass_stands_under_the_key_that_signed_it_and_is_signed_anew_when_that_is_gone(book: SqlitePasses) -> None:
    first = issue(book, b"b", {1: making()})[1]
    assert issue(book, b"b", {1: making()}, marks=(FIRST, SECOND)) == {1: first}
    second = issue(book, b"b", {2: making()}, marks=(FIRST, SECOND))[2]
    assert (first.mark, second.mark) == (FIRST, SECOND)
    assert [now(book.stands(first.made, mark)) for mark in (FIRST, SECOND)] == [b"p" * 16, None]
    again = issue(book, b"b", {1: making(), 2: making()}, marks=(SECOND, THIRD))
    assert again == {1: replace(first, mark=THIRD), 2: second}
    assert [now(book.stands(first.made, mark)) for mark in (FIRST, SECOND, THIRD)] == [None, None, b"p" * 16]


def test_what_each_key_signed_is_counted_while_it_stands(book: SqlitePasses) -> None:
    later_ts = NOW + 3 * DAY_S
    issue(book, b"b", {1: making(), 2: making(b"q" * 16), 3: making(begins_ts=later_ts), 4: making(insurer=OTHER)})
    issue(book, b"c", {1: making()}, marks=(FIRST, SECOND))
    now(book.revoke_person(AMC, b"q" * 16, NOW))
    ends_ts = NOW + 31 * DAY_S
    third = Signed(SECOND, AMC, 1, ends_ts)
    assert now(book.signed(NOW)) == [
        Signed(FIRST, AMC, 2, later_ts + 31 * DAY_S),
        Signed(FIRST, OTHER, 1, ends_ts),
        third,
    ]
    assert now(book.signed(ends_ts)) == [Signed(FIRST, AMC, 1, later_ts + 31 * DAY_S)]


BEFORE = """
CREATE TABLE pass (
    place INTEGER PRIMARY KEY, insurer TEXT NOT NULL, person BLOB NOT NULL, made BLOB NOT NULL, expires_ts INTEGER NOT NULL,
    batch BLOB NOT NULL, line INTEGER NOT NULL, revoked_ts INTEGER, UNIQUE (batch, line)
) STRICT"""


def test_a_book_of_before_says_that_the_first_key_signed(tmp_path: Path) -> None:
    made = making()(7).made
    with closing(connect(tmp_path / PASSES)) as kept:
        kept.execute(BEFORE)
        row = (7, AMC, b"p" * 16, msgspec.msgpack.encode(made), made.expires_ts, b"b", 1)
        kept.execute("INSERT INTO pass VALUES (?, ?, ?, ?, ?, ?, ?, NULL)", row)
    books = [SqlitePasses(tmp_path) for _ in range(2)]
    for book in books:
        assert [now(book.stands(made, mark)) for mark in (FIRST, SECOND)] == [b"p" * 16, None]
        assert now(book.signed(NOW)) == [Signed(FIRST, AMC, 1, made.expires_ts)]
    with pytest.raises(Refused, match="passes_many"):  # it counts those it had
        issue(books[1], b"c", {1: making()}, room=Room(1, 2))
    again = issue(books[0], b"b", {1: making()}, marks=(SECOND,))
    assert (again[1].made, again[1].mark) == (made, SECOND)
    for book in books:
        now(book.close())


def test_what_expired_is_forgotten_once_no_list_can_have_it(book: SqlitePasses) -> None:
    index = issue(book, b"b", {1: making()}, NOW)[1].made.index
    now(book.revoke(AMC, index, NOW))
    expired_ts = NOW + 31 * DAY_S
    issue(book, b"later", {1: making(begins_ts=expired_ts)}, expired_ts + KEPT_S - 1)
    assert now(book.revoked())[0] == [index]
    issue(book, b"last", {1: making(begins_ts=expired_ts)}, expired_ts + KEPT_S + 1)
    assert now(book.revoked())[0] == []


def test_a_list_that_is_half_full_is_made_longer_and_a_full_one_refuses(
    book: SqlitePasses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ecluse.engines.sqlite.passes.BITS_MIN", 8)
    issue(book, b"b", {line: making() for line in range(5)}, NOW)
    assert now(book.revoked())[1] == 16
    monkeypatch.setattr("ecluse.engines.sqlite.passes.BITS_MAX", 16)
    with pytest.raises(Refused, match="passes_spent"):
        issue(book, b"c", {line: making() for line in range(5)}, NOW)
    assert BITS_MAX == 2**27
    with closing(connect(tmp_path / PASSES)) as kept:
        assert kept.execute("SELECT count(*) FROM pass").fetchone() == (5,)


SHOWN = st.tuples(st.integers(0, 2), st.integers(100, 103), st.sampled_from([b"nonce--1", b"nonce--2", b"nonce--3"]))


@examples(25)
@given(st.lists(st.tuples(st.integers(0, 1), SHOWN), max_size=40))
def test_no_presentation_is_accepted_twice_by_whichever_process(asked: list[tuple[int, Any]]) -> None:
    with TemporaryDirectory() as place:
        books = [SqlitePasses(Path(place)) for _ in range(2)]
        accepted: set[Any] = set()
        for which, shown in asked:
            was = now(books[which].take(*shown, 100))
            often = sum(other[0] == shown[0] for other in accepted) >= LIVE_PER_PASS_MAX
            assert was is (shown not in accepted and not often)
            accepted |= {shown} if was else set()
        for each in books:
            now(each.close())


def test_old_presentations_leave_the_file(book: SqlitePasses) -> None:
    assert [now(book.take(1, 100, b"%08d" % number, 98)) for number in range(9)] == [True] * 8 + [False]
    assert now(book.take(1, 103, b"nonce--1", 101))
    assert now(book.take(1, 103, b"nonce--1", 101)) is False
