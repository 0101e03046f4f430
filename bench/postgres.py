"""A PostgreSQL server for a bench: durable, with memory enough, on a unix socket alone.

It is pinned to the first core, where those that use it answer: what serves has one core, what asks has the other. What loads
may have both (`pinned=False`).
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers import NoPostgresError, started

SETTINGS = {"port": "5432", "shared_buffers": "1GB", "listen_addresses": "''", "max_wal_size": "4GB"}

__all__ = ["NoPostgresError", "server", "url"]


@contextmanager
def server(*, pinned: bool = True) -> Iterator[Path]:
    """Start a server; the value is its socket directory, database and user `postgres`. Raises `NoPostgresError`."""
    words = ("taskset", "-c", "0") if pinned and shutil.which("taskset") else ()
    with started(durable=True, settings=SETTINGS, pinned=words) as made:
        yield made.home


def url(socket: Path, database: str) -> str:
    """The URL of a new, empty database of that name on it, over the socket."""
    create = ["psql", "-X", "-q", "-h", str(socket), "-U", "postgres", "-c", f"CREATE DATABASE {database}"]
    subprocess.run(create, check=True)
    return f"postgresql://postgres@/{database}?host={socket}&port=5432"
