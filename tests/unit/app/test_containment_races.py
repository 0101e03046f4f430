"""Two processes move the same account at once: what the journal says in the end is what stands."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ecluse.app.containment import moved, replayed
from ecluse.engines.sqlite.containments import LocalContainments
from ecluse.gate.containment import Contained, Kind, Proved
from ecluse.gate.signals import Step
from ecluse.journal.entry import Operation
from ecluse.kernel.errors import Refused
from tests.journal import entries_in
from tests.watched import THIEF, World, world

NAME = (Kind.ACCOUNT, THIEF)


def told_again(at: World, gate: Path) -> int:
    """The step where the journal puts the account, if all else is lost."""
    found = LocalContainments(gate)
    for entry in sorted(entries_in(at.home / "journal"), key=lambda each: each.ts_us):
        if entry.operation is Operation.CONTAINED:
            replayed(at.keys, found, entry)
    try:
        return found.state(*NAME).step
    finally:
        found.close()


@pytest.mark.parametrize("late_s", [1, 0])
def test_a_lift_that_a_quarantine_prevented_is_not_the_last_word(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, late_s: int
) -> None:
    """The lift is journalled first; before it is made, another process shuts the account, at an instant it took before."""
    with world() as at:
        at.runner.run(moved(at.hub, NAME, Contained("a", Step.SLOWED, "b")))
        at.clock.instant += timedelta(minutes=1)
        record = at.hub.desk.record

        async def meanwhile(entry: Any) -> None:
            monkeypatch.setattr(at.hub.desk, "record", record)
            await record(entry)
            at.clock.instant -= timedelta(seconds=late_s)
            await moved(at.hub, NAME, Contained("c", Step.QUARANTINED, "d"))
            at.clock.instant += timedelta(seconds=late_s)

        monkeypatch.setattr(at.hub.desk, "record", meanwhile)
        with pytest.raises(Refused, match="proof_refused"):
            at.runner.run(moved(at.hub, NAME, Proved(at.now_us - 5_000_000, "")))
        assert at.step(THIEF) == Step.QUARANTINED
        assert told_again(at, tmp_path / "gate.db") == Step.QUARANTINED
        assert told_again(at, tmp_path / "gate.db") == Step.QUARANTINED, "and read once more"
