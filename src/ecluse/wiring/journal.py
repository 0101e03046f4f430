"""What looks at a journal from outside: inspections need no database, witnesses no hub."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from ecluse.app.cosigning import Cosigning
from ecluse.engines.journal_files import LocalFiles
from ecluse.engines.local.archive import LocalArchive
from ecluse.engines.provable import LocalProvable
from ecluse.engines.published import LocalPublished
from ecluse.engines.witness import LocalWitness, create
from ecluse.journal.note import typed_key
from ecluse.settings import read_settings
from ecluse.wiring import OpenHub, signer

WITNESS_CLIENT = "ecluse.engines.witness_client"  # imports httpx: a moment that only a hub with witnesses pays


def journal_files(directory: Path) -> LocalFiles:
    """The journal of the hub in `directory`, with the second home of its heads. Raises `not_a_hub`, `settings_invalid`."""
    journal = read_settings(directory).journal
    heads = directory / journal.heads if journal.heads else None
    return LocalFiles(directory / journal.place, heads)


def copied_files(directory: Path) -> LocalFiles:
    """A copy of a journal, wherever it is."""
    return LocalFiles(directory)


def create_witness(directory: Path, name: str) -> LocalWitness:
    """Draw the keys of a new witness in `directory`. Raises `witness_there`, `witness_name_invalid`."""
    return create(directory, name)


def open_witness(directory: Path) -> LocalWitness:
    """The witness in `directory`. Raises `witness_absent`."""
    return LocalWitness(directory)


def published_logs(hub: OpenHub) -> LocalPublished:
    """What the hub's journal publishes of itself."""
    return LocalPublished(hub.dir / hub.settings.journal.place)


def archive(hub: OpenHub) -> LocalArchive:
    """The hub's journal, as shards that are over."""
    journal = hub.settings.journal
    heads = hub.dir / journal.heads if journal.heads else None
    return LocalArchive(hub.dir / journal.place, signer(hub.settings, hub.keys), heads)


def provable(hub: OpenHub) -> LocalProvable:
    """The hub's journal, to prove things of."""
    return LocalProvable(hub.dir / hub.settings.journal.place)


async def ask_witnesses(hub: OpenHub, heard: Callable[[str, str], None]) -> None:
    """Ask the witnesses of the settings for as long as the hub answers; at once done when there are none.

    `heard` is told each witness's name and what it answered. Raises `vkey_invalid`.
    """
    journal = hub.settings.journal
    if not journal.witnesses:
        return
    client = import_module(WITNESS_CLIENT)
    witnesses = [client.HttpWitness(each.url, typed_key(each.vkey)) for each in journal.witnesses]
    logs = published_logs(hub)
    try:
        await Cosigning(logs, witnesses, hub.clock, heard).run(journal.witness_s)
    finally:
        logs.close()
        for each in witnesses:
            await each.close()
