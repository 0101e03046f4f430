"""Real PostgreSQL servers for tests and benches: Debian's binaries, a temporary directory, a unix socket and a loopback port.

Root starts them as the user `postgres` (PostgreSQL refuses to be root), anybody else as oneself. Each test takes a database of
its own, copied from a template that was migrated once.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from urllib.parse import urlencode

from tests.certificates import Certificate

VERSIONS = Path("/usr/lib/postgresql")
TEMPLATE = "hub_template"
UPGRADE = "ecluse.engines.upgrade"  # imports Alembic: a third of a second that only those who ask for a server pay
START_S = 30  # a killed server first replays its log, and waits for its own orphans to leave
# A test's data may go with the machine, not with a killed server. With log files neither zeroed nor kept, a database is copied
# in 40 ms, not 200.
RECKLESS = {
    "fsync": "off",
    "full_page_writes": "off",
    "wal_init_zero": "off",
    "wal_recycle": "off",
}
MEMORY, MEMORY_FREE_BYTES = Path("/dev/shm"), 2 << 30  # a run of the tests fills less than half of that


class NoPostgresError(RuntimeError):
    """PostgreSQL is not installed."""


class Server:
    """One server. `durable` keeps every promise of the disk; else it trades them for speed. `tls` is what it shows to clients.

    `disk`: the folder its data goes to.
    """

    def __init__(
        self,
        *,
        durable: bool = False,
        tls: Certificate | None = None,
        settings: Mapping[str, str] | None = None,
        pinned: Sequence[str] = (),
        disk: Path | None = None,
    ) -> None:
        # A short name: a socket's path has 107 characters at most.
        self.home = Path(tempfile.mkdtemp(prefix="ecluse-pg-", dir=disk or (None if durable else _memory())))
        self.port = int((settings or {}).get("port", _free_port()))
        self._pinned = pinned
        self._settings = {} if durable else dict(RECKLESS)
        self._settings |= {"port": str(self.port), "unix_socket_directories": str(self.home), "max_connections": "100"}
        if os.geteuid() == 0:
            shutil.chown(self.home, "postgres", "postgres")
        if tls is not None:
            self._settings |= self._shown(tls)
        self._settings |= settings or {}
        self._databases = itertools.count(1)
        self._template = False

    @property
    def data(self) -> Path:
        """Its data directory."""
        return self.home / "data"

    def make(self) -> None:
        """An empty server; user and database `postgres`. Whoever can reach it on this machine is let in."""
        self.run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "-k", "--no-sync")

    def follow(self, primary: Server) -> None:
        """A streaming replica of `primary`, in place of `make`."""
        slot = f"replica_{self.port}"
        source = ("-h", primary.home, "-p", str(primary.port), "-U", "postgres")
        self.run("pg_basebackup", "-D", self.data, *source, "-R", "-C", "-S", slot, "-c", "fast", "--no-sync")

    def restore(self, archive: Path, instant: str) -> None:
        """From the base backup that `follow` took, go on through the archived log up to an instant, and be a primary."""
        (self.data / "standby.signal").rename(self.data / "recovery.signal")
        with (self.data / "postgresql.auto.conf").open("a") as settings:
            settings.write(f"restore_command = 'cp {archive}/%f %p'\nrecovery_target_time = '{instant}'\n")
            settings.write("recovery_target_action = 'promote'\nprimary_conninfo = ''\nprimary_slot_name = ''\n")
        self.start()
        deadline_s = time.monotonic() + START_S
        while self.sql("SELECT pg_is_in_recovery()") == "t":
            assert time.monotonic() < deadline_s, "the log does not reach that instant"
            time.sleep(0.02)

    def sync_with_replica(self) -> None:
        """From now on a commit returns once a replica has it on its disk too."""
        self.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.sql("SELECT pg_reload_conf()")
        deadline_s = time.monotonic() + START_S
        while self.sql("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == "0":
            assert time.monotonic() < deadline_s, "no replica follows"
            time.sleep(0.02)

    def promote(self) -> None:
        """A replica becomes the primary; returns once it is."""
        assert self.sql("SELECT pg_promote()") == "t"

    def start(self) -> None:
        """Start; returns when it answers."""
        options = " ".join(f"-c {name}={value}" for name, value in self._settings.items())
        log = ("-l", self.home / "log")
        self.run("pg_ctl", "-D", self.data, "-w", "-t", str(START_S), "-o", options, *log, "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop: `smart` waits for clients, `fast` sends them away, `immediate` is a crash without a signal 9."""
        self.run("pg_ctl", "-D", self.data, "-w", "-m", mode, "stop")

    def kill(self) -> None:
        """`kill -9` of every process, as a lost machine: nothing is said to clients or to the disk. `start` brings it back."""
        pid = int((self.data / "postmaster.pid").read_text().split()[0])
        listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
        family = [pid, *map(int, listed.stdout.split())]
        for each in family:
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
        deadline_s = time.monotonic() + START_S
        while any(map(runs, family)) and time.monotonic() < deadline_s:
            time.sleep(0.002)
        (self.data / "postmaster.pid").unlink()
        (self.home / f".s.PGSQL.{self.port}.lock").unlink(
            missing_ok=True
        )  # it names a process that may still be listed

    def has_stopped(self) -> bool:
        """Whether it stopped by itself, as a server does that cannot write its log."""
        return not (self.data / "postmaster.pid").exists()

    def remove(self) -> None:
        """Stop, if it runs, and leave nothing behind."""
        if (self.data / "postmaster.pid").exists():
            self.stop("immediate")
        shutil.rmtree(self.home, ignore_errors=True)

    def url(self, database: str = "postgres", user: str = "postgres", **options: str) -> str:
        """Its URL over TCP; `options` as `role` or `sslmode`."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}" + (f"?{urlencode(options)}" if options else "")

    def sql(self, statements: str, database: str = "postgres", user: str = "postgres") -> str:
        """Run statements with psql; what they print, bare. Raises `CalledProcessError` with the server's words."""
        where = ["-h", str(self.home), "-p", str(self.port), "-U", user, "-d", database]
        bare = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
        command = [str(binaries() / "psql"), *where, *bare, "-c", statements]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def empty(self) -> str:
        """The name of a new database without tables."""
        name = f"hub_{next(self._databases)}"
        self.sql(f"CREATE DATABASE {name}")
        return name

    def fresh(self) -> str:
        """The name of a new database, migrated: a copy of the template, made on the first call."""
        if not self._template:
            self.sql(f"CREATE DATABASE {TEMPLATE}")
            import_module(UPGRADE).upgrade(self.url(TEMPLATE))
            self._template = True
        name = f"hub_{next(self._databases)}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        return name

    def drop(self, database: str) -> None:
        """Remove a database, whoever is still connected."""
        self.sql(f"DROP DATABASE {database} WITH (FORCE)")

    def _shown(self, tls: Certificate) -> dict[str, str]:
        """Settings for TLS; the key must be its user's own."""
        for file, text in (("server.crt", tls.certificate), ("server.key", tls.key)):
            (self.home / file).write_bytes(text)
            (self.home / file).chmod(0o600)
            if os.geteuid() == 0:
                shutil.chown(self.home / file, "postgres", "postgres")
        return {"ssl": "on", "ssl_cert_file": f"{self.home}/server.crt", "ssl_key_file": f"{self.home}/server.key"}

    def run(self, program: str, *words: str | Path) -> None:
        """Run one of PostgreSQL's own commands as a user it accepts; its words are in the error."""
        as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        command = [*self._pinned, *as_user, str(binaries() / program), *map(str, words)]
        # Its output goes to a file: a pipe would be kept open by the server itself.
        with (self.home / "said").open("w+") as said:
            done = subprocess.run(command, stdout=said, stderr=said, cwd="/", check=False)
            said.seek(0)
            assert done.returncode == 0, f"{program}: {said.read()[-2000:]}"


@contextmanager
def started(
    *,
    durable: bool = False,
    tls: Certificate | None = None,
    settings: Mapping[str, str] | None = None,
    pinned: Sequence[str] = (),
    disk: Path | None = None,
) -> Iterator[Server]:
    """A new server until the end of the block. Raises `NoPostgresError`."""
    binaries()
    server = Server(durable=durable, tls=tls, settings=settings, pinned=pinned, disk=disk)
    try:
        server.make()
        server.start()
        yield server
    finally:
        server.remove()


def binaries() -> Path:
    """The newest PostgreSQL of Debian. Raises `NoPostgresError`."""
    found = sorted(VERSIONS.glob("*/bin/initdb"), key=lambda each: int(each.parts[-3]))
    if not found:
        raise NoPostgresError("PostgreSQL is not installed: apt-get install postgresql")
    return found[-1].parent


def _memory() -> Path | None:
    """A directory in memory with room enough, if there is one."""
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > MEMORY_FREE_BYTES
    return MEMORY if roomy else None


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def runs(pid: int) -> bool:
    """Whether the process runs; one that ended and is still listed does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
