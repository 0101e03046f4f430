"""A disk fills up: what is asked is refused in words, nothing is half taken, and when there is room again the hub goes on."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.faults.conftest import IBAN
from tests.faults.disk import LOG, PAGE_BYTES, fill
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


def test_a_disk_that_fills_while_keys_are_written_leaves_those_that_were(tmp_path: Path, disk: Path) -> None:
    """Half a ring was taken for a whole one, and put in the place of every key there was, without a word."""
    site = Site(tmp_path / "hub", ECLUSE_KEYS_URL=f"file:{disk}/hub.keys")
    site.make()
    table = tmp_path / "insurers.csv"
    table.write_text(insurers(range(40)))
    site.run("insurer", "load", str(table))
    ring = disk / "hub.keys"
    before = ring.read_bytes()
    assert len(before) > PAGE_BYTES
    ballast = fill(disk)
    os.truncate(ballast, ballast.stat().st_size - PAGE_BYTES)  # room for some of a ring
    table.write_text(insurers([40]))
    done = site.run("insurer", "load", str(table), check=False)
    assert (done.returncode, done.stdout, done.stderr.split(":")[0]) == (2, "", "disk_full"), done.stderr
    assert (ring.read_bytes(), [*disk.glob("*.part")]) == (before, [])
    ballast.unlink()
    site.run("insurer", "load", str(table))
    assert (len(ring.read_bytes()) > len(before), ring.stat().st_mode & 0o777) == (True, 0o600)


def insurers(numbers: Iterable[int]) -> str:
    """A table of insurers that have an account at a bank."""
    rows = (f"00751{number:05d},Mutuelle {number},{IBAN},,\n" for number in numbers)
    return "insurer,name,iban,mandate,mandate_signed_on\n" + "".join(rows)


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
