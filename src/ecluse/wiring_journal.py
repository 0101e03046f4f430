"""Like `wiring.py`, for what looks at a journal from outside: inspections need no database, witnesses no hub."""

from __future__ import annotations

from pathlib import Path

from ecluse.engines.journal_files import LocalFiles
from ecluse.engines.witness import LocalWitness, create
from ecluse.settings import read_settings


def journal_files(directory: Path) -> LocalFiles:
    """The journal of the hub in `directory`, with the second home of its heads. Raises `not_a_hub`, `settings_invalid`."""
    journal = read_settings(directory).journal
    heads = directory / journal.heads if journal.heads else None
    return LocalFiles(directory / journal.url.partition(":")[2], heads)


def copied_files(directory: Path) -> LocalFiles:
    """A copy of a journal, wherever it is."""
    return LocalFiles(directory)


def create_witness(directory: Path, name: str) -> LocalWitness:
    """Draw the keys of a new witness in `directory`. Raises `witness_there`, `witness_name_invalid`."""
    return create(directory, name)


def open_witness(directory: Path) -> LocalWitness:
    """The witness in `directory`. Raises `witness_absent`."""
    return LocalWitness(directory)
