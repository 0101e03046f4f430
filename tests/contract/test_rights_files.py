"""Reading rights by generation: found by either key, nothing for strangers, a swap seen at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from ecluse.app.ports import FeedCounts
from ecluse.engines.sqlite.database import Database
from ecluse.engines.sqlite.rights_files import NOBODY, RightsFiles
from ecluse.engines.sqlite.rights_work import RightsWorks
from tests.stores import books

AMC = "0075123456"
PERSONS = [bytes([number]) * 16 for number in (0, 1, 128, 255)]  # the byte 00 at the end has fooled engines before


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(books(tmp_path / "hub.db"))
    yield opened
    opened.close()


def publish(folder: Path, database: Database, feed: str, sealed: bytes) -> None:
    """A generation in which everybody has `sealed`."""
    with RightsWorks(folder, database).work(AMC, feed) as work:
        work.plan(len(PERSONS), 1)
        rows = [(person, line, False, sealed) for line, person in enumerate(PERSONS, 2)]
        work.add(rows, [(b"m" + person[1:], person, line) for person, line, _, _ in rows[:1]])
        built = work.build(lambda *_: pytest.fail("nobody has several rows"), lambda _: None, over=False)
        counts, refused = asyncio.run(built)
        assert (counts, refused) == (FeedCounts(rows=4, persons=4, rights=4), [])
        asyncio.run(work.answer(counts, 0))
        asyncio.run(work.finish())


def test_found_by_person_and_by_member(tmp_path: Path, database: Database) -> None:
    publish(tmp_path, database, "fee_1", b"sealed")
    files = RightsFiles(tmp_path / "rights", database)
    assert [files.read(AMC, (person,)) for person in PERSONS] == [(person, [b"sealed"]) for person in PERSONS]
    assert files.read(AMC, (b"m" + PERSONS[0][1:],), by_member=True) == (PERSONS[0], [b"sealed"])


def test_nothing_for_strangers(tmp_path: Path, database: Database) -> None:
    files = RightsFiles(tmp_path / "rights", database)
    assert files.read(AMC, (PERSONS[0],)) == NOBODY
    publish(tmp_path, database, "fee_1", b"sealed")
    assert files.read(AMC, (b"?" * 16,)) == NOBODY
    assert files.read(AMC, (PERSONS[0],), by_member=True) == NOBODY
    assert files.read("0075999999", (PERSONS[0],)) == NOBODY


@pytest.mark.parametrize("by_member", [False, True])
@pytest.mark.parametrize("keys", [(PERSONS[0],), ()], ids=["no file", "no key"])
def test_of_an_insurer_that_is_not_served_somebody_is_looked_for_too(
    tmp_path: Path, database: Database, keys: tuple[bytes, ...], by_member: bool
) -> None:
    """Else the time of an answer tells which insurers are served."""
    files = RightsFiles(tmp_path / "rights", database)
    asked: list[str] = []
    files._empty.set_trace_callback(asked.append)
    assert files.read("0075999999", keys, by_member=by_member) == NOBODY
    assert len(asked) == 1


def test_a_swap_is_seen_at_once_and_leaves_one_file(tmp_path: Path, database: Database) -> None:
    files = RightsFiles(tmp_path / "rights", database)
    for number in range(3):
        publish(tmp_path, database, f"fee_{number}", b"%d" % number)
        assert files.read(AMC, (PERSONS[2],)) == (PERSONS[2], [b"%d" % number])
    assert [each.name for each in (tmp_path / "rights").iterdir()] == [f"{AMC}-fee_2.db"]


def test_a_build_without_a_name_answers_nobody(tmp_path: Path, database: Database) -> None:
    publish(tmp_path, database, "fee_1", b"old")
    with RightsWorks(tmp_path, database).work(AMC, "fee_2") as work:
        work.plan(1, 1)
        work.add([(PERSONS[0], 2, False, b"new")], [])
        asyncio.run(work.build(lambda *_: ([], []), lambda _: None, over=False))
    assert RightsFiles(tmp_path / "rights", database).read(AMC, (PERSONS[0],)) == (PERSONS[0], [b"old"])
