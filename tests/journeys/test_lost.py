"""A file of the hub is lost: nobody makes an empty one in its place, and no backup takes the last good one away."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.journeys.site import Site, question

POSTING = "INSERT INTO posting VALUES (1, 1, 'a', 1, '', '', 1)"


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A hub that answered once, so that each of its files is there."""
    site = Site(tmp_path_factory.mktemp("answered") / "hub")
    site.make()
    site.load([{}])
    site.start()
    try:
        with site.client() as client:
            assert client.post("/v1/rights/checks", json=question()).status_code == 200
    finally:
        site.stop()
    site.run("backup", str(site.directory.parent / "copy"))
    return site


@pytest.fixture
def hub(answered: Site, tmp_path: Path) -> Iterator[Site]:
    """That hub and its backup, in places where they may be broken."""
    shutil.copytree(answered.directory.parent, tmp_path / "of")
    return Site(tmp_path / "of" / "hub")


def copy_of(hub: Site) -> Path:
    return hub.directory.parent / "copy"


def lose(hub: Site, name: str) -> None:
    for each in hub.directory.glob(f"{name}*"):
        each.unlink()


def content(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def execute(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def refused(hub: Site, *words: str) -> str:
    done = hub.run(*words, check=False)
    assert done.returncode == 2, done.stdout + done.stderr
    return done.stderr


COMMANDS = [("pay", "list"), ("db", "upgrade"), ("db", "check"), ("doctor",), ("serve", "--port", "0")]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_command_makes_an_empty_database_where_the_hubs_is_lost(hub: Site, words: tuple[str, ...]) -> None:
    lose(hub, "hub.db")
    done = hub.run(*words, check=False)
    told = " ".join((done.stdout + done.stderr).split())
    assert (done.returncode, "part_missing" in told, "hub.db is not there" in told) == (2, True, True), told
    assert not [*hub.directory.glob("hub.db*")]


def test_an_empty_database_is_a_lost_one(hub: Site) -> None:
    lose(hub, "hub.db")
    (hub.directory / "hub.db").touch()
    assert "part_missing" in refused(hub, "db", "upgrade")
    assert "part_missing" in refused(hub, "pay", "list")


@pytest.mark.parametrize("also", ["", "keys/hub.keys", "hub.db"])
def test_a_hub_whose_settings_are_lost_is_not_made_anew(hub: Site, also: str) -> None:
    for name in filter(None, ("ecluse.toml", also)):
        lose(hub, name)
    before = content(hub.directory)
    for words, code in ((("init", str(hub.directory)), "already_a_hub"), (("pay", "list"), "not_a_hub")):
        told = refused(hub, *words)
        assert told.startswith(code)
        assert "journal" in told
        assert "Restore ecluse.toml from the backup" in told
        assert "ecluse init" not in told
    assert content(hub.directory) == before


def test_a_new_hub_may_have_a_folder_that_waits_for_it(tmp_path: Path) -> None:
    (tmp_path / "hub" / "journal" / "lost+found").mkdir(parents=True)  # another disk
    (tmp_path / "hub" / "keys").mkdir()
    (tmp_path / "hub" / "keys" / "passphrase").write_text("x")
    Site(tmp_path / "hub").run("init", str(tmp_path / "hub"))


DAMAGED = {  # a file, and a word of what is to be done
    "gate.db": "with no copy left, the next start fills it from the journal, openings of pruned months aside",
    "sensed.db": "learnt anew",
    "engagements.db": "fills it again from the journal",
    "hub.db": "from the backup",
}


@pytest.mark.parametrize(
    ("name", "words"), [*((name, "pay list") for name in DAMAGED), ("hub.db", "db check"), ("hub.db", "db upgrade")]
)
def test_a_damaged_file_is_named_with_what_is_to_be_done(hub: Site, name: str, words: str) -> None:
    lose(hub, name)
    (hub.directory / name).write_bytes(b"noise" * 2000)
    done = hub.run(*words.split(), check=False)
    told = f"part_damaged: {name}: file is not a database"
    assert (done.returncode, told in done.stderr, DAMAGED[name] in done.stderr) == (2, True, True), done.stderr


LOSSES: dict[str, tuple[Callable[[Site], object], str, str]] = {
    # What happened: how, the refusal's code, what it names.
    "the database is lost": (lambda hub: lose(hub, "hub.db"), "part_missing", "hub.db"),
    "the database is noise": (lambda hub: (hub.directory / "hub.db").write_bytes(b"x" * 8192), "part_damaged", "hub.db"),
    "the database is another": (lambda hub: execute(copy_of(hub) / "hub.db", POSTING), "backup_holds_more", "hub.db"),
    "the gate's file is lost": (lambda hub: lose(hub, "gate.db"), "backup_holds_more", "gate.db"),
    "the gate's file lacks openings, as of pruned months": (
        lambda hub: execute(hub.directory / "gate.db", "DELETE FROM opening"), "backup_holds_more", "gate.db has 0 rows"),
    "passes are lost": (
        lambda hub: shutil.copy(copy_of(hub) / "gate.db", copy_of(hub) / "passes.db"), "backup_holds_more", "passes.db"),
    "the journal is lost": (
        lambda hub: shutil.rmtree(hub.directory / "journal"), "backup_holds_more", "-w0"),
    "the journal is a new one": (
        lambda hub: (hub.directory / "journal" / "shards.json").write_text("[]"), "backup_holds_more", "-w0"),
    "the journal's list is noise": (
        lambda hub: (hub.directory / "journal" / "shards.json").write_text("x"), "part_damaged", "shards.json"),
    "rights are lost": (lambda hub: lose(hub, "rights/"), "backup_disturbed", "rights/"),
}  # fmt: skip


@pytest.mark.parametrize("way", LOSSES)
def test_a_backup_that_is_refused_leaves_the_copy_as_it_was(hub: Site, way: str) -> None:
    happened, code, named = LOSSES[way]
    happened(hub)
    before = content(copy_of(hub))
    told = refused(hub, "backup", str(copy_of(hub)))
    assert (told.startswith(code), named in told) == (True, True), told
    assert content(copy_of(hub)) == before
    assert way != "the database is lost" or not (hub.directory / "hub.db").exists()


def test_the_refused_backup_goes_on_once_the_file_is_put_back(hub: Site) -> None:
    lose(hub, "hub.db")
    refused(hub, "backup", str(copy_of(hub)))
    shutil.copy(copy_of(hub) / "hub.db", hub.directory / "hub.db")
    hub.run("backup", str(copy_of(hub)))
    assert hub.run("pay", "list").returncode == 0


@pytest.mark.parametrize("name", ["engagements.db", "sensed.db"])
def test_a_file_that_may_be_deleted_stays_in_the_copy_until_there_is_another(hub: Site, name: str) -> None:
    lose(hub, name)
    before = content(copy_of(hub))
    hub.run("backup", str(copy_of(hub)))
    assert content(copy_of(hub))[name] == before[name]
    hub.run("pay", "list")
    hub.run("backup", str(copy_of(hub)))
    assert (copy_of(hub) / name).exists()


def test_a_gate_that_was_filled_from_the_journal_is_backed_up_again(hub: Site) -> None:
    lose(hub, "gate.db")
    hub.start()
    hub.stop()
    hub.run("backup", str(copy_of(hub)))


def test_a_hub_that_never_answered_is_backed_up_and_restored(tmp_path: Path) -> None:
    hub = Site(tmp_path / "hub")
    hub.run("init", str(hub.directory))
    shutil.rmtree(hub.directory / "journal", ignore_errors=True)
    hub.run("backup", str(tmp_path / "copy"))
    hub.run("backup", str(tmp_path / "copy"))
    shutil.copytree(hub.directory / "keys", tmp_path / "copy" / "keys")
    assert Site(tmp_path / "copy").run("pay", "list").returncode == 0


def test_a_hub_on_postgresql_is_backed_up_without_a_file_of_claims_and_never_over_one(
    postgres_url: str, hub: Site
) -> None:
    served = Site(hub.directory.with_name("served"), ECLUSE_STORE_URL=postgres_url)
    served.make()
    copy = hub.directory.with_name("copy of served")
    served.run("backup", str(copy))
    served.run("backup", str(copy))
    assert not [*copy.glob("hub.db*")]
    before = content(copy_of(hub))
    assert "backup_holds_more" in refused(served, "backup", str(copy_of(hub)))
    assert content(copy_of(hub)) == before
