"""The server's disk fills up: claims are refused, none is half taken, and when there is room again the hub goes on."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.traffic import Told, Traffic, hold_told, people
from tests.journeys.site import Site
from tests.servers import Server, started

DISK_MIB = 192  # an empty server with two log files is 80
LOG = {"max_wal_size": "'48MB'", "min_wal_size": "'32MB'"}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk."""
    mounted = tmp_path / "disk"
    mounted.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m,mode=0777", "tmpfs", str(mounted)],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("a small disk cannot be made here: mounting takes root")
    for folder in (tmp_path, *tmp_path.parents[:3]):  # the server runs as somebody else
        if folder.stat().st_uid == os.geteuid() and folder != Path("/tmp"):
            folder.chmod(0o755)
    yield mounted
    subprocess.run(["umount", "-l", str(mounted)], check=True)


def fill(disk: Path) -> Path:
    """A file that leaves no room."""
    ballast = disk / "ballast"
    with ballast.open("wb") as file:
        try:
            while True:
                file.write(b"\x00" * 65_536)
                file.flush()
        except OSError:
            pass
    return ballast


def has_stopped(server: Server) -> bool:
    """A server that cannot write its log stops itself."""
    return not (server.data / "postmaster.pid").exists()


@pytest.mark.slow
def test_a_full_disk_refuses_and_loses_nothing(tmp_path: Path, disk: Path) -> None:
    told = Told()
    with started(disk=disk, settings=LOG) as server:
        database = server.fresh()
        site = Site(tmp_path / "hub", ECLUSE_STORE_URL=server.url(database))
        site.make()
        site.load(people())
        site.start()
        try:
            with Traffic(site.url, site.own_token, told).running():
                time.sleep(0.5)
                ballast = fill(disk)
                until_s = time.monotonic() + 20
                while not told.refused and time.monotonic() < until_s:
                    time.sleep(0.05)
                ballast.unlink()
                if has_stopped(server):
                    server.start()
                back_s = time.monotonic()
                time.sleep(2)
            assert told.codes() == {"database_unavailable"}
            assert max(told.claim_times_s) > back_s
            hold_told(site, server, database, told)
        finally:
            site.stop()
