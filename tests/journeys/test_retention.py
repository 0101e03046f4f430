"""Entries no longer kept, entries lost, keys destroyed: each told in the journal, and the journal still verifies."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import msgspec
import pytest

from ecluse.journal.entry import Operation, decode
from ecluse.kernel.errors import Refused
from ecluse.wiring import open_hub
from tests.journal import told
from tests.journeys.site import AMC, MEMBER, Site, question


def made(directory: Path) -> Site:
    """A hub that told something."""
    site = Site(directory)
    site.make()
    site.load([MEMBER])
    asked(site)
    return site


def asked(site: Site) -> str:
    """Ask once more; the id of the answer."""
    site.start()
    with site.client() as client:
        reply = client.post("/v1/rights/checks", json=question())
    assert reply.status_code == 200, reply.text
    site.stop()
    return str(reply.json()["check_id"])


def verified(site: Site) -> dict[str, object]:
    """What `journal verify` finds."""
    done = site.run("journal", "verify", "--json", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("second_home", [True, False], ids=["second home", "databases only"])
def test_an_old_copy_is_refused_and_goes_on_beside_once_its_loss_is_accepted(tmp_path: Path, second_home: bool) -> None:
    site = made(tmp_path / "hub")
    journal = site.directory / "journal"
    shutil.copytree(journal, tmp_path / "old")
    lost = asked(site)
    shutil.rmtree(journal)
    shutil.copytree(tmp_path / "old", journal)
    if not second_home:
        shutil.rmtree(site.directory / "heads")
    refused = site.run("serve", "--port", "0", check=False)
    assert refused.returncode == 2
    assert ("journal_forked" if second_home else "journal_behind") in refused.stderr
    (shard,) = [each.name for each in journal.iterdir() if each.is_dir()]
    before = {file: file.read_bytes() for file in (journal / shard).rglob("*") if file.is_file()}
    words = ("journal", "accept-loss", shard, "--reason", "the disk was lost", "--operator", "a.martin", "--json")
    (loss,) = site.json(*words)
    assert (loss["shard"], loss["lost"] > 0) == (shard, True)
    kept = asked(site)
    entries = told(journal)
    assert {each.request for each in entries} & {kept, lost} == {kept}
    (said,) = [each for each in entries if each.operation is Operation.LOSS_ACCEPTED]
    assert (said.account, said.outcome) == ("a.martin", f"{shard} {loss['kept']} {loss['lost']} {loss['last_ts_us']}")
    assert {file: file.read_bytes() for file in before} == before
    assert shard in json.dumps(verified(site))


def test_a_loss_is_not_accepted_where_there_is_none(tmp_path: Path) -> None:
    site = made(tmp_path / "hub")
    (shard,) = [each.name for each in (site.directory / "journal").iterdir() if each.is_dir()]
    for words, code in (
        ([shard, "--reason", "none", "--operator", "a.martin"], "loss_refused"),
        (["../x", "--reason", "none", "--operator", "a.martin"], "loss_refused"),
        ([shard, "--reason", " ", "--operator", "a.martin"], "reason_required"),
    ):
        refused = site.run("journal", "accept-loss", *words, check=False)
        assert (refused.returncode, code in refused.stderr) == (2, True), refused.stderr


def test_a_shard_that_is_wholly_missing_is_accepted_as_lost(tmp_path: Path) -> None:
    site = made(tmp_path / "hub")
    journal = site.directory / "journal"
    (shard,) = [each.name for each in journal.iterdir() if each.is_dir()]
    shutil.rmtree(journal)
    (loss,) = site.json("journal", "accept-loss", shard, "--reason", "stolen", "--operator", "a.martin", "--json")
    assert (loss["kept"], loss["lost"] > 1, loss["last_ts_us"]) == (0, True, 0)
    asked(site)
