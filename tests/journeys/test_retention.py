"""Entries no longer kept, entries lost, keys destroyed: each told in the journal, and the journal still verifies."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ecluse.engines.local import LocalLog, LocalShards
from ecluse.journal.entry import Operation, encode
from ecluse.kernel.errors import Refused
from ecluse.wiring import open_hub, signer
from tests.journal import entries_in
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


@pytest.mark.parametrize(
    "second_home",
    [pytest.param(True, id="second home"), pytest.param(False, id="databases only", marks=pytest.mark.slow)],
)
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
    words = ("journal", "accept-loss", shard, "--reason", "the disk was lost", "--operator", "a.martin")
    (loss,) = site.json(*words)
    assert (loss["shard"], loss["lost"] > 0) == (shard, True)
    kept = asked(site)
    entries = entries_in(journal)
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
    (loss,) = site.json("journal", "accept-loss", shard, "--reason", "stolen", "--operator", "a.martin")
    assert (loss["kept"], loss["lost"] > 1, loss["last_ts_us"]) == (0, True, 0)
    asked(site)


OLD = datetime(2024, 3, 9, tzinfo=UTC)


def with_old_entries(directory: Path, count: int) -> Site:
    """A hub whose journal has a month of long ago."""
    site = made(directory)
    with open_hub(directory) as hub:
        now = [OLD]
        log = LocalLog(directory / "journal", signer(hub.settings, hub.keys), lambda: now[0], directory / "heads")
        said = encode(entries_in(directory / "journal")[0])
        for _ in range(count // 50):
            log.append([said] * 50)
        now[0] = datetime.now(UTC).replace(day=1) - timedelta(days=1)  # a hub at work: the clock may be believed
        log.append([said])
        log.close()
    asked(site)  # a start freezes what is over
    return site


@pytest.mark.parametrize(
    "killed", ["no", "after the entry", pytest.param("before the entries were removed", marks=pytest.mark.slow)]
)
def test_entries_no_longer_kept_are_removed_and_the_journal_still_verifies(tmp_path: Path, killed: str) -> None:
    site = with_old_entries(tmp_path / "hub", 700)
    journal, shard = site.directory / "journal", "2024-03-w0"
    foreseen = site.json("journal", "prune", "--dry-run")
    assert (foreseen["shards"], foreseen["entries"]) == ([shard], 701)
    assert list((journal / shard / "tile" / "entries").iterdir())
    if killed == "before the entries were removed":  # the list says so already
        entries = journal / shard / "tile" / "entries"
        shutil.copytree(entries, tmp_path / "entries")
        site.json("journal", "prune", "--operator", "a.martin")
        shutil.copytree(tmp_path / "entries", entries)
    elif killed == "after the entry":
        listed = (journal / "shards.json").read_bytes()
        shutil.copytree(journal / shard, tmp_path / "shard")
        site.json("journal", "prune", "--operator", "a.martin")
        (journal / "shards.json").write_bytes(listed)
        shutil.rmtree(journal / shard)
        shutil.copytree(tmp_path / "shard", journal / shard)
    done = site.json("journal", "prune", "--operator", "a.martin")
    assert done["shards"] == [shard]
    assert not (journal / shard / "tile" / "entries").exists()
    said = [each for each in entries_in(journal) if each.operation is Operation.SHARD_PRUNED]
    assert len(said) == (2 if killed == "after the entry" else 1)
    assert all((each.account, each.outcome[:14]) == ("a.martin", f"{shard} 701") for each in said)
    assert site.json("journal", "prune")["shards"] == []
    with pytest.raises(Refused, match="journal_pruned"):
        list(LocalShards(journal).entries(shard, 0, 1))
    asked(site)
    verified(site)
    assert site.run("journal", "missing", check=False).returncode == 0
    tile = journal / shard / "tile" / "0" / "000"
    tile.write_bytes(bytes(len(tile.read_bytes())))
    assert site.run("journal", "verify", check=False).returncode == 2


@pytest.mark.parametrize(
    ("environment", "words", "code"),
    [
        ({"ECLUSE_JOURNAL_KEEP_MONTHS": "24"}, [], "settings_invalid"),
        ({"ECLUSE_JOURNAL_KEEP_MONTHS": "37", "ECLUSE_JOURNAL_KEEP_REASON": "fraud"}, [], "settings_invalid"),
        ({"ECLUSE_JOURNAL_KEEP_MONTHS": "5"}, [], "settings_invalid"),
        ({}, ["--keep-months", "5"], "retention_refused"),
        ({}, ["--keep-months", "24"], "retention_refused"),
        ({"ECLUSE_JOURNAL_KEEP_MONTHS": "36", "ECLUSE_JOURNAL_KEEP_REASON": "fraud shown in 2025"}, [], ""),
    ],
)
def test_how_long_entries_are_kept_has_bounds(
    tmp_path: Path, environment: dict[str, str], words: list[str], code: str
) -> None:
    Site(tmp_path / "hub").make()
    done = Site(tmp_path / "hub", **environment).run("journal", "prune", "--dry-run", *words, check=False)
    assert (done.returncode, code in done.stderr) == (2 if code else 0, True), done.stderr


def test_an_insurer_whose_keys_are_destroyed_leaves_a_journal_that_verifies_and_tells_nothing(tmp_path: Path) -> None:
    site = made(tmp_path / "hub")
    sealed = [each for each in entries_in(site.directory / "journal") if each.sealed and each.insurer == AMC]
    assert sealed
    phrase = site.json("keys", "destroy", "--insurer", AMC, "--operator", "a.martin")["phrase"]
    site.json("keys", "destroy", "--insurer", AMC, "--operator", "b.durand", "--confirm", phrase)
    with open_hub(site.directory) as hub:
        for each in sealed:
            for content in (each.sealed, each.who):
                with pytest.raises(Refused):
                    hub.keys.open(AMC, content, b"")
        assert not hub.keys.has(AMC)
    verified(site)
