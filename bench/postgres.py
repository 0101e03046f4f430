"""A PostgreSQL server of one's own for a while: Debian's binaries, a temporary directory, a unix socket, no network.

It is pinned to the first core, where the peers that use it answer: what serves has one core, what asks has the other.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VERSIONS = Path("/usr/lib/postgresql")
SETTINGS = {"shared_buffers": "1GB", "max_connections": "100", "listen_addresses": "''", "max_wal_size": "4GB"}


class NoPostgresError(RuntimeError):
    """PostgreSQL is not installed."""


@contextmanager
def server() -> Iterator[Path]:
    """Start a server; the value is its socket directory, database and user `postgres`."""
    found = sorted(VERSIONS.glob("*/bin/initdb"))
    if not found:
        raise NoPostgresError("install PostgreSQL first: apt-get install postgresql")
    binaries = found[-1].parent
    home = Path(tempfile.mkdtemp(prefix="ecluse-pg-"))
    if os.geteuid() == 0:
        shutil.chown(home, "postgres", "postgres")
    try:
        _run(binaries / "initdb", "-D", home / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8")
        options = " ".join(f"-c {name}={value}" for name, value in SETTINGS.items())
        control = (binaries / "pg_ctl", "-D", home / "data", "-w")
        _run(*control, "-o", f"-k {home} {options}", "-l", home / "log", "start")
        try:
            yield home
        finally:
            _run(*control, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _run(*command: str | Path) -> None:
    """Run one of PostgreSQL's own commands; it refuses to be root, so root becomes its usual user."""
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    pinned = ["taskset", "-c", "0"] if shutil.which("taskset") else []
    subprocess.run([*pinned, *as_user, *map(str, command)], check=True, stdout=subprocess.DEVNULL, cwd="/")
