"""A disk fills up: what is asked is refused in words, nothing is half taken, and when there is room again the hub goes on."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.faults.disk import LOG, fill
from tests.faults.traffic import Told, Traffic, hold_told, people
from tests.journeys.site import AMC, PRODUCT, Site
from tests.servers import started


def test_a_command_says_that_the_disk_is_full(tmp_path: Path, disk: Path) -> None:
    """It was a bug of SQLite's, or of the file system's, with the places in our code."""
    product = tmp_path / "base.yaml"
    product.write_text(PRODUCT)
    site = Site(disk / "hub")
    site.make()
    ballast = fill(disk)
    for words in (
        ("product", "load", str(product), "--insurer", AMC),
        ("pay", "run"),
        ("journal", "export"),
        ("backup", str(disk / "copy")),
    ):
        done = site.run(*words, check=False)
        assert (done.returncode, done.stdout, done.stderr.split(":")[0]) == (2, "", "disk_full"), (words, done.stderr)
    ballast.unlink()
    site.run("product", "load", str(product), "--insurer", AMC)
    site.run("backup", str(disk / "copy"))


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
