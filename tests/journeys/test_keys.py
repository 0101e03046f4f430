"""Keys as operators meet them: rotated while people are looked up, killed, gone on with, destroyed by two, lost, restored."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from ecluse.journal.entry import Operation
from tests.journal import entries_in
from tests.journeys.elsewhere import ENGINES, site_with_keys_elsewhere
from tests.journeys.site import AMC, ECLUSE, MEMBER, Site, question
from tests.stores import LONG

PEOPLE = 3_000


def people(count: int, **changes: str) -> list[dict[str, str]]:
    """`MEMBER`, and others with the same NIR, born on other days."""
    others = [
        {
            "member_number": f"N{n}",
            "birth_date": f"19{n % 80 + 10}-{n // 80 % 12 + 1:02}-{n // 960 % 28 + 1:02}",
            **changes,
        }
        for n in range(count - 1)
    ]
    return [changes, *others]


@pytest.fixture(params=LONG)
def site(tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    """A hub on either store."""
    where = {}
    if request.param == "postgres":
        postgres = request.getfixturevalue("postgres")
        where = {"ECLUSE_STORE_URL": postgres.url(postgres.empty())}
    made = Site(tmp_path / "hub", **where)
    made.make()
    yield made
    if made.process:
        made.stop()


def confirmed(site: Site, client: Any) -> bool:
    """Whether `MEMBER` is found by NIR and by member number, and a stranger is not; asked again when told to (a worker that
    has not yet seen a key drawn two seconds ago says so)."""
    by_number = {"nir": None, "member_number": MEMBER["member_number"]}
    asked = [question(), question(beneficiary=by_number), question(beneficiary={"birth_date": "1979-06-15"})]
    said = [outcome(client, each) for each in asked]
    assert said[2] == "not_confirmed"
    assert len(set(said[:2])) == 1, said
    return said[0] == "confirmed"


def outcome(client: Any, asked: dict[str, Any]) -> str:
    for _ in range(5):
        reply = client.post("/v1/rights/checks", json=asked)
        if "retry-after" not in reply.headers:
            break
        time.sleep(int(reply.headers["retry-after"]))
    assert reply.status_code == 200, reply.text
    return str(reply.json()["outcome"])


def rights(site: Site) -> tuple[int, set[bytes], set[bytes]]:
    """The index key version of what answers, its persons and its members."""
    if url := site.environment.get("ECLUSE_STORE_URL"):
        return asyncio.run(rights_there(url))
    (file,) = (site.directory / "rights").glob("*.db")
    with contextlib.closing(sqlite3.connect(file)) as opened:
        persons = {row[0] for row in opened.execute("SELECT person FROM rights")}
        members = {row[0] for row in opened.execute("SELECT member FROM members")}
        return opened.execute("PRAGMA user_version").fetchone()[0], persons, members


async def rights_there(url: str) -> tuple[int, set[bytes], set[bytes]]:
    """The same, on a server."""
    connection = await asyncpg.connect(url)
    try:
        version = await connection.fetchval("SELECT index_version FROM served WHERE insurer = $1", AMC)
        persons = {row[0] for row in await connection.fetch("SELECT person FROM rights")}
        return version, persons, {row[0] for row in await connection.fetch("SELECT member FROM members")}
    finally:
        await connection.close()


def test_people_are_found_before_during_and_after_a_rotation(site: Site) -> None:
    site.load(people(PEOPLE))
    site.start(workers=2)
    before = rights(site)
    with site.client() as client:
        assert confirmed(site, client)
        answers: list[bool] = []
        stop = threading.Event()
        asker = ThreadPoolExecutor(1).submit(ask_until, site, answers, stop)
        for version in (2, 3):
            (rotated,) = site.json("keys", "rotate", "--insurer", AMC)
            assert (rotated["data_version"], rotated["index_version"]) == (version, version)
            assert (rotated["carried"]["persons"], rotated["carried"]["rights"]) == (PEOPLE, PEOPLE)
        time.sleep(0.5)
        stop.set()
        asker.result()
        told = client.get("/metrics").text
    assert len(answers) > 20
    assert all(answers)
    after = rights(site)
    assert (before[0], after[0]) == (1, 3)
    assert not before[1] & after[1]
    assert not before[2] & after[2]
    found = site.json("keys", "check")
    assert found["totals"]["asked"] == found["totals"]["computed"] > 0
    assert (found["alarm"], found["unanswered"]) == ("", 0)
    assert f"ecluse_lookups_total {found['totals']['asked']}.0" in told
    assert f'ecluse_pseudonyms_total{{use="lookup"}} {found["totals"]["asked"]}.0' in told
    assert "ecluse_pseudonyms_unasked 0.0" in told


def ask_until(site: Site, answers: list[bool], stop: threading.Event) -> None:
    """Ask again and again."""
    with site.client() as client:
        while not stop.is_set():
            answers.append(confirmed(site, client))


def test_a_killed_rotation_goes_on_and_draws_no_second_key(site: Site) -> None:
    site.load(people(PEOPLE))
    ring = site.directory / "keys" / "hub.keys"
    drawn = ring.stat().st_ino
    command = [ECLUSE, "keys", "rotate", "--insurer", AMC, "--index"]
    for after_s in (0.0, 1.0, 1.9):  # rows are carried two seconds after the key was drawn
        process = subprocess.Popen(command, env=site.environment)
        while ring.stat().st_ino == drawn:
            time.sleep(0.005)
        time.sleep(after_s)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert rights(site)[0] == 1
    site.start()
    with site.client() as client:
        assert confirmed(site, client)
    (rotated,) = site.json("keys", "rotate", "--insurer", AMC, "--index")
    assert (rotated["index_version"], rotated["carried"]["persons"]) == (2, PEOPLE)
    version, persons, _ = rights(site)
    assert (version, len(persons)) == (2, PEOPLE)
    with site.client() as client:
        assert confirmed(site, client)


def test_a_delta_and_a_full_file_after_a_rotation(site: Site) -> None:
    site.load(people(50))
    site.json("keys", "rotate", "--insurer", AMC)
    site.load([{"change": "set", "csr": "0002"}], "--delta")
    assert (rights(site)[0], len(rights(site)[1])) == (2, 50)
    site.load(people(60, csr="0003"))
    assert (rights(site)[0], len(rights(site)[1])) == (2, 60)
    site.start()
    with site.client() as client:
        assert confirmed(site, client)


def test_keys_are_destroyed_by_two_operators_for_ever(site: Site) -> None:
    site.load([{}])
    site.start()

    def destroy(operator: str, *words: str) -> subprocess.CompletedProcess[str]:
        return site.run("keys", "destroy", "--insurer", AMC, "--operator", operator, *words, check=False)

    phrase = ("--confirm", f"destroy {AMC} for ever")
    assert "Asked." in destroy("a. martin", *phrase).stdout
    assert "destruction_refused: the operator who asked" in destroy("A.  Martin ", *phrase).stderr
    assert "destruction_refused: give the phrase" in destroy("b.durand").stderr
    with site.client() as client:
        assert confirmed(site, client)
        assert "are destroyed" in destroy("b.durand", *phrase).stdout
        time.sleep(1.1)  # as long as a process may go on with keys another one destroyed
        assert not confirmed(site, client)
    assert {key["scope"] for key in site.json("keys", "show")["keys"]} == {"hub"}
    entries = entries_in(site.directory / "journal")
    assert [(entry.operation, entry.outcome) for entry in entries if entry.operation.startswith("keys_")] == [
        (Operation.KEYS_DESTRUCTION_ASKED, "asked by a. martin"),
        (Operation.KEYS_DESTROYED, "asked by a. martin, done by b.durand"),
    ]
    assert "insurer_unknown" in destroy("a.martin").stderr
    site.load(
        [{}]
    )  # the same file as before: under new keys it is another feed, and was once told to be loaded already
    with site.client() as client:
        assert confirmed(site, client)


def test_lost_keys_are_restored_from_their_copy(tmp_path: Path) -> None:
    sealed = {"ECLUSE_KEYS_PASSPHRASE": "écluse du Sanitas"}
    site = Site(tmp_path / "hub", **sealed)
    site.make()
    site.load([{}])
    copy = tmp_path / "keys.copy"
    site.run("keys", "backup", str(copy))
    assert "copy_there" in site.run("keys", "backup", str(copy), check=False).stderr
    assert "keys_there" in site.run("keys", "restore", str(copy), check=False).stderr
    for each in (site.directory / "keys").glob("hub.*"):
        each.unlink()
    shutil.rmtree(site.directory / "keys" / "counts", ignore_errors=True)
    assert "keys_missing" in site.run("feed", "show", "fee_x", check=False).stderr
    site.run("keys", "restore", str(copy))
    site.start()
    with site.client() as client:
        assert confirmed(site, client)
    assert site.stop() == 0


def test_whose_keys_to_rotate_is_said(site: Site) -> None:
    for words in ([], ["--insurer", AMC, "--all"]):
        assert "rotate_what" in site.run("keys", "rotate", *words, check=False).stderr
    assert [each["scope"] for each in site.json("keys", "rotate", "--all")] == ["hub", AMC]
    assert "index key 3" in site.run("keys", "rotate", "--insurer", AMC, "--index").stdout


def test_a_pseudonym_nobody_asked_for_raises_the_alarm(site: Site) -> None:
    """Code that goes round the desk, in a process of its own."""
    script = (
        "import asyncio, sys; from pathlib import Path; from ecluse.wiring import open_hub\n"
        "with open_hub(Path(sys.argv[1])) as hub: hub.run(hub.keys.pseudonym(sys.argv[2], b'nir'))"
    )
    words = [str(Path(ECLUSE).with_name("python")), "-c", script, str(site.directory), AMC]
    subprocess.run(words, env=site.environment, check=True)
    done = site.run("keys", "check", check=False)
    assert (done.returncode, "ALARM: 1 pseudonyms were computed" in done.stderr) == (2, True)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_hub_keeps_its_keys_elsewhere_and_only_a_copy_of_the_file_here(tmp_path: Path, engine: str) -> None:
    with site_with_keys_elsewhere(tmp_path, engine) as (site, audit):
        site.load(people(30))
        copy = tmp_path / "copy"
        site.run("keys", "backup", str(copy))
        (site.directory / "keys" / "hub.keys").unlink()
        site.run("keys", "restore", str(copy))
        site.start(workers=2)
        with site.client() as client:
            assert confirmed(site, client)
            (rotated,) = site.json("keys", "rotate", "--insurer", AMC)
            assert (rotated["index_version"], rotated["carried"]["persons"]) == (2, 30)
            assert confirmed(site, client)
        words = ["--audit", str(audit)] if audit else []
        found = site.json("keys", "check", *words)
        assert (found["totals"]["asked"], found["alarm"]) == (6, "")
        assert found["totals"]["keyed"] == found["totals"]["filed"] + 9  # three look-ups under one key, three under two
        assert found["audited"] == (found["totals"]["keyed"] if words else None)
