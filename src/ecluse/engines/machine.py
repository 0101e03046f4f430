"""The machine under a hub, as facts: its disk, its limits, its port, its libraries. Nothing is changed but one probe file."""

from __future__ import annotations

import fcntl
import http.client
import os
import platform
import re
import resource
import socket
import time
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path

from ecluse.app.ports.upkeep import Facts, Place
from ecluse.engines.journal_look import look
from ecluse.engines.published import LocalPublished

PLACES = (".", "ecluse.toml", "keys", "keys/hub.keys", "hub.db", "engagements.db", "journal", "rights", "spool", "out")
PROBES = 15  # syncs; their median is told
PROBE_BYTES = 512  # about one entry of the journal
ANSWER_S = 2.0
LEFT_BEHIND = ("staging/*.db", "rights/*.building", "out/**/*.part", "keys/*.new", "journal/*/*.torn")


def machine_facts(directory: Path) -> Facts:
    """What can be told of the hub in `directory` without opening it."""
    found = tuple(_place(directory, name) for name in PLACES if (directory / name).exists())
    journal = directory / "journal"
    sync_us, failed = _probed(journal if journal.is_dir() else directory) if found else ((), "")
    return Facts(
        places=found,
        largest_rights_bytes=largest_bytes(directory / "rights"),
        sync_us=sync_us,
        sync_failed=failed,
        open_files_max=resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        now_ts_us=time.time_ns() // 1000,
        left_behind=() if being_loaded(directory / "staging") else left_behind(directory),
        python=platform.python_version(),
        libraries=differing_libraries(),
        journal=look(journal) if journal.is_dir() else None,
        witnesses=tuple(LocalPublished(journal).said()),
    )


def sync_times_us(folder: Path) -> tuple[int, ...]:
    """How long each of some small durable writes in `folder` took, in microseconds. Raises `OSError`."""
    probe = folder / f".probe-{os.getpid()}"
    handle = os.open(probe, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    try:
        return tuple(_sync_us(handle) for _ in range(PROBES))
    finally:
        os.close(handle)
        probe.unlink()


def shares_disk(one: Path, other: Path) -> bool:
    """Whether both are there, on one file system."""
    return one.exists() and other.exists() and one.stat().st_dev == other.stat().st_dev


def port_state(host: str, port: int) -> str:
    """`free`, `hub` when a hub answers there, `taken` when something else does."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as trying:
        trying.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trying.bind((host, port))
        except OSError:
            return "hub" if _answers(host, port) else "taken"
    return "free"


def being_loaded(staging: Path) -> bool:
    """Whether some process is loading a member file now."""
    for lock in staging.glob("*.lock"):
        with lock.open("rb") as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
    return False


def left_behind(directory: Path) -> tuple[str, ...]:
    """Files that a killed process left, relative to `directory`."""
    return tuple(
        str(path.relative_to(directory)) for pattern in LEFT_BEHIND for path in sorted(directory.glob(pattern))
    )


def largest_bytes(folder: Path) -> int:
    """The size of the largest file of a folder; 0 when there is none."""
    return max((each.stat().st_size for each in folder.glob("*") if each.is_file()), default=0)


def differing_libraries() -> tuple[tuple[str, str, str], ...]:
    """Libraries that are not those of the lock file: name, version locked, version found (empty: none)."""
    found = ((name, locked, _installed(name)) for name, locked in _locked())
    return tuple(each for each in found if each[1] != each[2])


def _locked() -> Iterator[tuple[str, str]]:
    """The lock file is beside the package when it is installed, and in `requirements/` of a working copy."""
    for lock in (files("ecluse") / "run.txt", files("ecluse") / ".." / ".." / "requirements" / "run.txt"):
        if lock.is_file():
            yield from re.findall(r"^([\w.-]+)==([\w.+!-]+)", lock.read_text(), re.MULTILINE)
            return


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _probed(folder: Path) -> tuple[tuple[int, ...], str]:
    try:
        return sync_times_us(folder), ""
    except OSError as broken:
        return (), broken.strerror or "it cannot be written"


def _place(directory: Path, name: str) -> Place:
    path = directory / name
    told, disk = path.stat(), os.statvfs(path)
    used = told.st_size if path.is_file() else sum(each.stat().st_size for each in path.rglob("*") if each.is_file())
    owned = told.st_uid == os.geteuid()
    return Place(name, told.st_mode & 0o777, owned, used, disk.f_bavail * disk.f_frsize, told.st_dev)


def _sync_us(handle: int) -> int:
    started_s = time.perf_counter()
    os.write(handle, bytes(PROBE_BYTES))
    os.fdatasync(handle)
    return round((time.perf_counter() - started_s) * 1e6)


def _answers(host: str, port: int) -> bool:
    try:
        connection = http.client.HTTPConnection(host, port, timeout=ANSWER_S)
        connection.request("GET", "/healthz")
        return connection.getresponse().read(64) == b'{"status":"ok"}'
    except (OSError, http.client.HTTPException):
        return False
