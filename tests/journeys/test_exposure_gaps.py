"""What an exposure says where the journal lost entries, or keeps them no more: bounds, or nothing, never a number too small."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

from tests.journeys.site import DOCTOR, MEMBER, Site
from tests.journeys.test_retention import asked, with_old_entries


def test_a_loss_in_the_window_makes_bounds_and_one_before_it_does_not(tmp_path: Path) -> None:
    site = Site(tmp_path / "hub", ECLUSE_LAKE_EVERY_S="0")
    site.make()
    site.load([MEMBER])
    since = datetime.now(UTC).isoformat()
    asked(site)
    journal = site.directory / "journal"
    shutil.copytree(journal, tmp_path / "old")
    asked(site)
    shutil.rmtree(journal)
    shutil.copytree(tmp_path / "old", journal)
    (shard,) = [each.name for each in journal.iterdir() if each.is_dir()]
    until = datetime.now(UTC).isoformat()
    words = ("journal", "accept-loss", shard, "--reason", "the disk was lost", "--operator", "a.martin")
    (loss,) = site.json(*words)
    told = site.json("exposure", "--account", DOCTOR, "--from", since, "--to", until)
    assert told["displayed"]["people"] == {"at_least": 1, "at_most": 1 + loss["lost"]}
    assert [(gap["shard"], gap["lost"]) for gap in told["gaps"]] == [(shard, loss["lost"])]
    after = datetime.now(UTC).isoformat()
    later = site.json("exposure", "--account", DOCTOR, "--from", until, "--to", after)
    assert later["displayed"]["people"] == {"at_least": 0, "at_most": loss["lost"]}, "accepted after `until` began"
    begun = datetime.now(UTC).isoformat()
    whole = site.json("exposure", "--account", DOCTOR, "--from", after, "--to", begun)
    assert (whole["gaps"], whole["displayed"]["people"]["at_most"]) == ([], 0)


def test_a_month_no_longer_kept_is_not_answered_about(tmp_path: Path) -> None:
    site = with_old_entries(tmp_path / "hub", 100)
    site.json("journal", "prune", "--operator", "a.martin")
    refused = site.run("exposure", "--account", DOCTOR, "--from", "2024-03-01", "--to", "2024-03-20", check=False)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.splitlines()[-1].startswith("exposure_pruned: ")
