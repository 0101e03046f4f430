"""Files of the hub that are damaged are named; what cannot be looked at is not said to be."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ecluse.engines.parts import damage_named, damaged, remedy
from ecluse.kernel.errors import Refused


def test_what_is_sound_locked_or_no_file_is_not_damaged(tmp_path: Path) -> None:
    (tmp_path / "folder.db").mkdir()
    with closing(sqlite3.connect(tmp_path / "locked.db", isolation_level=None)) as locked:
        locked.execute("CREATE TABLE t (a)")
        locked.execute("PRAGMA locking_mode=EXCLUSIVE")
        locked.execute("BEGIN EXCLUSIVE")
        locked.execute("INSERT INTO t VALUES (1)")
        with closing(sqlite3.connect(tmp_path / "sound.db")) as sound:
            sound.execute("CREATE TABLE t (a)")
        (tmp_path / "gate.db").write_bytes(b"noise" * 2000)
        assert damaged(tmp_path) == [("gate.db", "file is not a database")]


def test_only_damage_is_told_as_damage(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table"), damage_named(tmp_path):
        sqlite3.connect(":memory:").execute("SELECT 1 FROM absent")
    (tmp_path / "gate.db").write_bytes(b"noise" * 2000)
    with pytest.raises(Refused, match="part_damaged: gate"), damage_named(tmp_path):
        sqlite3.connect(tmp_path / "gate.db").execute("SELECT 1 FROM absent")


def test_a_file_nobody_foresaw_is_restored() -> None:
    assert "from the backup" in remedy("books.db")
