"""The server's disk fills up: claims are refused, none is half taken, and when there is room again the hub goes on."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.faults.disk import LOG, fill
from tests.faults.traffic import Told, Traffic, hold_told, people
from tests.journeys.site import Site
from tests.servers import started


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
                if server.has_stopped():
                    server.start()
                back_s = time.monotonic()
                time.sleep(2)
            assert told.codes() == {"database_unavailable"}
            assert max(told.claim_times_s) > back_s
            hold_told(site, server, database, told)
        finally:
            site.stop()
