"""The journal's disk is full: nothing more is answered, nothing that was is lost, and with room again the next start goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecluse.engines.local import LocalLog
from ecluse.kernel.errors import Refused
from tests.faults.disk import fill
from tests.faults.promises import Promises
from tests.faults.verifier import faults
from tests.journal import open_log

BATCH = [b"%d" % number * 1000 for number in range(10, 60)]


def until_refused(log: LocalLog, promises: Promises) -> None:
    """Append more than can fit."""
    for _ in range(100):
        promises.acknowledged(log.append(BATCH), BATCH)


def test_a_full_disk_stops_answers_and_loses_none(tmp_path: Path, disk: Path) -> None:
    journal, heads, promises = disk / "journal", tmp_path / "heads", Promises()
    log = open_log(journal, heads=heads)
    promises.acknowledged(log.append(BATCH), BATCH)
    ballast = fill(disk)
    with pytest.raises(Refused, match="journal_poisoned"):
        log.ready()
    with pytest.raises(Refused, match="journal_poisoned"):
        until_refused(log, promises)
    log.close()
    ballast.unlink()
    again = open_log(journal, heads=heads)
    promises.acknowledged(again.append(BATCH), BATCH)
    again.close()
    promises.look(journal, heads)
    promises.hold(journal)
    assert faults(journal) == []
