"""Which parts of a hub a backup has, and in which order they are read."""

from __future__ import annotations

from pathlib import Path

from ecluse.engines.backup import Backup, Copied
from ecluse.engines.sqlite.passes import PASSES
from ecluse.payments.run import BANK_FOLDER, CALLS, REMITTANCES
from ecluse.settings import FILE, read_settings
from ecluse.wiring.gate import FILE as GATE
from ecluse.wiring.gate import SENSED


def backup_hub(directory: Path, to: Path) -> Copied:
    """Copy the hub to a folder while it answers; of one on PostgreSQL, what is not on the servers.

    What the folder has is touched only once every part was read. Raises `backup_place_invalid`, `backup_disturbed`,
    `backup_holds_more`, `part_missing`, `part_damaged`.
    """
    settings = read_settings(directory)
    with Backup(directory, to) as backup:
        if settings.store.url.startswith("sqlite:"):
            backup.store(directory / settings.store.url.removeprefix("sqlite:"))
        else:
            backup.files(["spool"])
        for each in (PASSES, SENSED):
            backup.snapshot(each)
        backup.gate(GATE)
        backup.journal(settings.journal.place)
        backup.files(
            f"out/{each}" for each in (BANK_FOLDER, CALLS, REMITTANCES)
        )  # as they came, last first: a run's are all there
        backup.file(FILE)
        return backup.done()
