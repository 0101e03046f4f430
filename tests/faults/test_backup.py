"""Backups taken while people ask and bill, restored elsewhere: what was told before is there, and money goes out once."""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from ecluse.journal.entry import Operation
from tests.faults.conftest import IBAN
from tests.faults.traffic import LAWS, Told, Traffic, bill, hold_laws, people
from tests.journal import entries_in
from tests.journeys.site import PRACTICE, Site, today
from tests.servers import Server, started


def payable(site: Site) -> None:
    """People in it, and a practice that can be paid."""
    site.make()
    site.load(people())
    (site.directory.parent / "practices.csv").write_text(f"practice,name,iban,bic\n{PRACTICE},Cabinet,{IBAN},\n")
    site.run("practice", "load", str(site.directory.parent / "practices.csv"))


def restored(backup: Path, keys: Path, directory: Path, **environment: str) -> Site:
    """A hub from a copy and the keys that were kept apart."""
    shutil.copytree(backup, directory)
    shutil.copytree(keys, directory / "keys")
    return Site(directory, **environment)


def test_a_copy_of_the_embedded_hub_taken_under_load_goes_on(tmp_path: Path) -> None:
    site, told, copy = Site(tmp_path / "hub"), Told(), tmp_path / "copy"
    payable(site)
    site.start()
    with Traffic(site.url, site.own_token, told).running():
        time.sleep(0.4)
        first = site.json("backup", str(copy))
        before = replace(told, checks=list(told.checks), claims=dict(told.claims))
        second = site.json("backup", str(copy))
    assert second["files"] > first["files"] - 5  # segments give way to bundles
    assert second["copied"] < first["copied"] + 50
    site.stop()
    other = restored(copy, site.directory / "keys", tmp_path / "other")
    with closing(sqlite3.connect(other.directory / "hub.db")) as books:
        kept = {row[0] for row in books.execute("SELECT id FROM claim")}
        assert {answer["claim_id"] for answer in before.claims.values()} <= kept
        for law, query in LAWS.items():
            assert books.execute(query).fetchall() == [], law
    journalled = {entry.request for entry in entries_in(other.directory / "journal")}
    assert {answer["check_id"] for answer in before.checks} <= journalled
    other.start()
    bill(other, before.checks[-50:])
    assert other.json("pay", "run", "--date", today())["made"]
    other.stop()


def test_a_journal_that_was_restored_from_an_older_copy_is_refused(tmp_path: Path) -> None:
    site, copy = Site(tmp_path / "hub"), tmp_path / "copy"
    payable(site)
    site.run("backup", str(copy))
    site.start()
    with Traffic(site.url, site.own_token, Told()).running(billers=0):
        time.sleep(0.3)
    site.stop()
    shutil.rmtree(site.directory / "journal")
    shutil.copytree(copy / "journal", site.directory / "journal")
    refused = site.run("serve", "--port", "0", check=False)
    assert (refused.returncode, "journal_forked" in refused.stderr) == (2, True)


def test_a_run_made_during_a_backup_is_entered_from_its_copy(tmp_path: Path) -> None:
    """The copy's database is older than its files: the run is known to be lost, and all that tells of it is there."""
    site, copy = Site(tmp_path / "hub"), tmp_path / "copy"
    payable(site)
    site.start()
    with Traffic(site.url, site.own_token, Told()).running():
        time.sleep(0.3)
    site.stop()
    with (
        closing(sqlite3.connect(site.directory / "hub.db")) as books,
        closing(sqlite3.connect(tmp_path / "then")) as then,
    ):
        books.backup(then)
    run = site.json("pay", "run", "--date", today())["made"]
    site.run("backup", str(copy))
    shutil.copy(tmp_path / "then", copy / "hub.db")
    other = restored(copy, site.directory / "keys", tmp_path / "other")
    lost = other.run("pay", "run", "--date", today(), check=False)
    assert (lost.returncode, "run_lost" in lost.stderr) == (2, True)
    assert other.json("pay", "enter", run)["entered"]
    assert other.json("pay", "run", "--date", today())["made"] is None


def test_a_backup_goes_elsewhere(tmp_path: Path) -> None:
    site = Site(tmp_path / "hub")
    site.run("init", str(site.directory))
    refused = site.run("backup", str(site.directory / "copy"), check=False)
    assert (refused.returncode, "backup_place_invalid" in refused.stderr) == (2, True)


@pytest.mark.slow
def test_a_server_restored_to_an_earlier_time_is_not_paid_from_twice(tmp_path: Path) -> None:
    """Base backup, archived log, claims, an instant, more claims and a payment run; then everything back to that instant."""
    archive = Path(tmp_path / "archive")
    archive.mkdir(mode=0o777)
    for folder in (archive, *archive.parents[:4]):
        if folder != Path("/tmp"):
            folder.chmod(0o777)
    archiving = {"archive_mode": "on", "archive_command": f"'cp %p {archive}/%f'"}
    with started(durable=True, settings=archiving) as server:
        database = server.fresh()
        site = Site(tmp_path / "hub", ECLUSE_STORE_URL=server.url(database))
        payable(site)
        restoring = Server(durable=True)
        try:
            restoring.follow(server)  # the base backup
            before, after, instant = worked(site, server, database)
            run = site.json("pay", "run", "--date", today())["made"]
            assert run
            server.stop()  # its last log file is archived
            restoring.restore(archive, instant)
            site.environment["ECLUSE_STORE_URL"] = restoring.url(database)
            goes_on(site, restoring, database, before, after)
            lost = site.run("pay", "run", "--date", today(), check=False)
            assert (lost.returncode, "run_lost" in lost.stderr, run in lost.stderr) == (2, True, True)
            found = json.loads(site.run("journal", "missing", "--json", check=False).stdout)
            named = {one["id"] for one in found["kinds"]["claims"]["listed"]}
            assert (named, found["runs"]) == ({answer["claim_id"] for answer in after.claims.values()}, [run])
            assert found["kinds"]["engagements"]["lacking"] == 0  # copied when the hub started
        finally:
            restoring.remove()
        server.start()


def worked(site: Site, server: Server, database: str) -> tuple[Told, Told, str]:
    """What was told before an instant, what after, and the instant."""
    before, after = Told(), Told()
    site.start()
    with Traffic(site.url, site.own_token, before).running():
        time.sleep(0.5)
    time.sleep(0.2)
    instant = server.sql("SELECT clock_timestamp()", database)
    time.sleep(0.2)
    with Traffic(site.url, site.own_token, after).running():
        time.sleep(0.5)
    site.stop()
    return before, after, instant


def goes_on(site: Site, server: Server, database: str, before: Told, after: Told) -> None:
    """Claims of before are kept; those of after are lost, but the journal names each; every engagement is found."""
    hold_laws(server, database)
    kept = set(server.sql("SELECT id FROM claim", database).splitlines())
    entries = entries_in(site.directory / "journal")
    journalled = {each.request for each in entries if each.operation is Operation.CLAIM}
    assert {answer["claim_id"] for answer in before.claims.values()} == kept
    assert {answer["claim_id"] for answer in after.claims.values()} == journalled - kept
    site.start()
    bill(site, before.checks[-20:] + after.checks[-20:])
    site.stop()
