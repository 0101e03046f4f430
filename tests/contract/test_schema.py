"""The schema of a SQLite file: made, recognised, upgraded with data in it, refused when it is not this program's."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from ecluse.engines.schema import FIRST, HEAD, named
from ecluse.engines.sqlite.database import Database
from ecluse.engines.upgrade import MIGRATIONS, check, upgrade
from ecluse.kernel.errors import Refused
from tests.first import rows, shape, write_first


def test_the_constant_is_the_newest_revision() -> None:
    numbers = sorted(path.name[:4] for path in (MIGRATIONS / "versions").glob("*.py"))
    assert numbers == [f"{number:04d}" for number in range(1, len(numbers) + 1)]
    assert (numbers[0], numbers[-1]) == (FIRST, HEAD)


def test_a_new_file_has_the_tables_of_an_upgraded_one_and_is_at_the_head(tmp_path: Path) -> None:
    upgrade(f"sqlite:{tmp_path}/hub.db")
    upgrade(f"sqlite:{write_first(tmp_path / 'old.db')}")
    with closing(sqlite3.connect(tmp_path / "hub.db")) as new, closing(sqlite3.connect(tmp_path / "old.db")) as old:
        assert shape(new) == shape(old)
    assert check(f"sqlite:{tmp_path}/hub.db").current


def test_the_first_version_is_recognised_upgraded_and_kept(tmp_path: Path) -> None:
    path = write_first(tmp_path / "hub.db")
    with closing(sqlite3.connect(path)) as connection:
        before = rows(connection)
    assert all(before.values()), "a row in every table"
    with pytest.raises(Refused, match="database_outdated"):
        Database(path)
    done = upgrade(f"sqlite:{path}")
    assert (done.before, done.after, done.kept) == (FIRST, HEAD, f"{path}.0001")
    Database(path).close()
    with closing(sqlite3.connect(done.kept)) as connection:
        assert rows(connection) == before
    with closing(sqlite3.connect(path)) as connection:
        after = rows(connection)
    used = [(*who, f"{year}-01-01", acts, cents) for *who, year, acts, cents in before.pop("used")]
    assert after.pop("consumed") == used
    assert after.pop("insurer") == [
        (*insurer, None) for insurer in before.pop("insurer")
    ]  # no key to encrypt its lists to
    assert [after.pop(new) for new in ("reserved", "approval", "approval_move")] == [[], [], []]
    assert after == before
    assert check(f"sqlite:{done.kept}").revision == FIRST


def test_a_second_upgrade_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    assert upgrade(f"sqlite:{path}").before == ""
    image = path.read_bytes()
    again = upgrade(f"sqlite:{path}")
    assert (again.before, again.after, again.kept) == (HEAD, HEAD, "")
    assert path.read_bytes() == image


def test_two_programs_may_make_the_same_file_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as two:
        done = list(two.map(upgrade, [f"sqlite:{tmp_path}/hub.db"] * 2))
    assert sorted(each.before for each in done) == ["", HEAD]


def test_a_newer_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    upgrade(f"sqlite:{path}")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    for refused in (lambda: Database(path), lambda: upgrade(f"sqlite:{path}"), check(f"sqlite:{path}").hold):
        with pytest.raises(Refused, match="database_newer"):
            refused()


def test_an_upgrade_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "hub.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE statement (mine TEXT)")  # the last table that 0001 makes
    with pytest.raises(sa.exc.OperationalError, match="already exists"):
        upgrade(f"sqlite:{path}")
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("statement",)]


def test_a_program_that_keeps_writing_is_waited_for_then_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_first(tmp_path / "hub.db")
    monkeypatch.setattr("ecluse.engines.upgrade.BUSY_MS", 50)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Refused, match="database_busy"):
            upgrade(f"sqlite:{path}")
    assert upgrade(f"sqlite:{path}").before == FIRST


def test_looking_and_opening_make_nothing(tmp_path: Path) -> None:
    found = check(f"sqlite:{tmp_path}/hub.db")
    assert found.revision == ""
    for refused in (found.hold, lambda: Database(tmp_path / "hub.db")):
        with pytest.raises(Refused, match=r"part_missing: .*hub\.db is not there.*backup"):
            refused()
    assert list(tmp_path.iterdir()) == []


def test_an_empty_file_is_as_bad_as_none(tmp_path: Path) -> None:
    (tmp_path / "hub.db").touch()
    with pytest.raises(Refused, match="part_missing"):
        Database(tmp_path / "hub.db")
    assert (tmp_path / "hub.db").stat().st_size in (0, 4096)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:/srv/hub.db", "sqlite:/srv/hub.db"),
        ("postgresql://hub:secret@db.example:5433/hub?sslmode=verify-full", "postgresql://db.example:5433/hub"),
        ("postgresql:///hub?host=/run/postgresql", "postgresql:///hub"),
    ],
)
def test_a_url_is_shown_without_what_is_secret(url: str, shown: str) -> None:
    assert named(url) == shown
