"""A journal for tests: signed by a key of its own, its entries told apart from those that begin shards."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ecluse.engines.local import LocalLog, read_all
from ecluse.engines.local.disk import Disk
from ecluse.engines.local.registry import Signer
from ecluse.journal.entry import Entry, Operation, decode

ORIGIN = "hub.test/journal"
_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SIGNER = Signer(ORIGIN, lambda: _KEY.public_key().public_bytes_raw(), _KEY.sign)


def now() -> datetime:
    """This instant, UTC."""
    return datetime.now(UTC)


def open_log(
    directory: Path, at: Callable[[], datetime] = now, heads: Path | None = None, disk: Disk | None = None
) -> LocalLog:
    """The journal in `directory`."""
    return LocalLog(directory, SIGNER, at, heads, disk)


def told(directory: Path) -> list[Entry]:
    """The entries of a hub's journal, without those that begin shards."""
    return [each for each in map(decode, read_all(directory)) if each.operation is not Operation.SHARD_OPENED]
