"""A PostgreSQL server for the peers of a bench: durable, with memory enough, on a unix socket alone.

It is pinned to the first core, where the peers that use it answer: what serves has one core, what asks has the other.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers import NoPostgresError, started

SETTINGS = {"port": "5432", "shared_buffers": "1GB", "listen_addresses": "''", "max_wal_size": "4GB"}

__all__ = ["NoPostgresError", "server"]


@contextmanager
def server() -> Iterator[Path]:
    """Start a server; the value is its socket directory, database and user `postgres`. Raises `NoPostgresError`."""
    pinned = ("taskset", "-c", "0") if shutil.which("taskset") else ()
    with started(durable=True, settings=SETTINGS, pinned=pinned) as made:
        yield made.home
