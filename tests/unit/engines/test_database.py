"""Group commit: each unit of work alone in its result, together on the disk."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from ecluse.engines.sql.unit import Tx, Work
from ecluse.engines.sqlite.connection import connect
from ecluse.engines.sqlite.database import Database
from ecluse.kernel.errors import Refused
from tests.stores import books


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(books(tmp_path / "hub.db"))
    yield opened
    opened.close()


def serve(amc: str) -> Work[str]:
    async def work(tx: Tx) -> str:
        await tx.run("serve_insurer", insurer=amc)
        return amc

    return work


def served(database: Database) -> list[str]:
    return [amc for (amc,) in database.reader.execute("SELECT amc FROM insurer ORDER BY amc")]


def test_units_that_wait_together_each_get_their_own_result(database: Database) -> None:
    async def all_at_once() -> list[str]:
        return await asyncio.gather(*(database.write(serve(f"{number:08d}")) for number in range(600)))

    assert asyncio.run(all_at_once()) == served(database) == [f"{number:08d}" for number in range(600)]


def test_a_unit_that_fails_undoes_itself_alone(database: Database) -> None:
    async def fails(tx: Tx) -> None:
        await tx.run("serve_insurer", insurer="half done")
        raise ValueError("no")

    async def three() -> list[object]:
        works = (database.write(serve("1")), database.write(fails), database.write(serve("2")))
        return await asyncio.gather(*works, return_exceptions=True)

    first, failed, second = asyncio.run(three())
    assert (first, second) == ("1", "2")
    assert isinstance(failed, ValueError)
    assert served(database) == ["1", "2"]


def test_what_is_written_is_durable_when_the_caller_goes_on(database: Database, tmp_path: Path) -> None:
    asyncio.run(database.write(serve("1")))
    other = sqlite3.connect(tmp_path / "hub.db")
    assert other.execute("SELECT amc FROM insurer").fetchall() == [("1",)]


def test_another_process_writing_is_waited_for(database: Database, tmp_path: Path) -> None:
    async def wait() -> str:
        other = sqlite3.connect(tmp_path / "hub.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.create_task(database.write(serve("1")))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        other.execute("COMMIT")
        return await waiting

    assert asyncio.run(wait()) == "1"


def test_another_process_stuck_is_refused_in_the_end(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ecluse.engines.sqlite.database.BUSY_S", 0.05)
    other = sqlite3.connect(tmp_path / "hub.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Refused, match="database_busy"):
        asyncio.run(database.write(serve("1")))


def test_nobody_changes_or_removes_a_posting(database: Database, tmp_path: Path) -> None:
    other = connect(tmp_path / "hub.db")
    other.execute("INSERT INTO posting VALUES (1, 1, 'bank', 0, 'x', 'y', 0)")
    for forbidden in ("UPDATE posting SET amount_cents = 1", "DELETE FROM posting"):
        with pytest.raises(sqlite3.IntegrityError, match="a posting"):
            other.execute(forbidden)


def test_a_part_of_a_unit_may_be_undone_alone(database: Database) -> None:
    async def work(tx: Tx) -> None:
        await tx.run("serve_insurer", insurer="1")
        async with tx.undoable() as part:
            await tx.run("serve_insurer", insurer="2")
            part.undo()
        await tx.run("serve_insurer", insurer="3")

    asyncio.run(database.write(work))
    assert served(database) == ["1", "3"]


def test_a_unit_of_work_may_wait_for_nothing_else(database: Database) -> None:
    """It holds the file: whatever else it waited for, everybody would wait for."""
    with pytest.raises(AssertionError, match="waited"):
        asyncio.run(database.write(lambda _: asyncio.sleep(0)))
