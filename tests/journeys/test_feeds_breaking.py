"""Member files that break whoever loads them: refused in the end, one insurer's alone, and nothing of them answers."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest

from ecluse.app.feeds import LOADS_MAX
from ecluse.app.products import load_product
from ecluse.doors.loader import work_once
from ecluse.engines import room, spool
from ecluse.engines.duckdb import member_file
from ecluse.engines.sql import feeds as feed_store
from ecluse.wiring import OpenHub, open_hub
from tests.journeys import members
from tests.journeys.members import AMC, PRODUCT, bearer, load, make, played, rights_of, row, write
from tests.journeys.site import Site
from tests.journeys.test_kill import reached
from tests.journeys.test_sensing import opened_by

OTHER_AMC = "0075999999"
PARQUET = {"Content-Type": "application/vnd.apache.parquet"}
SAID_S = 30  # a start and a load take two seconds; more on a machine that is busy
MANY_ROWS = 60_000


@pytest.fixture
def hub(tmp_path: Path, store_url: str) -> Iterator[OpenHub]:
    """A hub of each engine in turn, whose two insurers have a product; the first one's right of before answers."""
    with open_hub(make(tmp_path / "hub")) as opened:
        opened.run(load_product(opened, OTHER_AMC, PRODUCT))
        load(opened, write(tmp_path / "before.csv", [row(1, csr="OLD")]))
        yield opened


def csv(number: int, insurer: str = AMC, **other: str) -> bytes:
    wanted = row(number, insurer=insurer, **other)
    return f"{','.join(wanted)}\n{','.join(wanted.values())}\n".encode()


WRONG = csv(9, OTHER_AMC, priority="0")  # read to its end and refused: the other insurer's turn came


def sent(hub: OpenHub, content: bytes, insurer: str = AMC, **headers: str) -> Any:
    """What the hub says to a file."""
    every = bearer(hub, insurer) | headers
    return played(hub, lambda client: client.post("/v1/feeds?mode=full", content=content, headers=every)).json()


def state(hub: OpenHub, feed: str, insurer: str = AMC) -> tuple[str, list[str]]:
    told = played(hub, lambda client: client.get(f"/v1/feeds/{feed}", headers=bearer(hub, insurer))).json()
    return told["state"], [each["code"] for each in told["refusals"]]


def nothing_is_left(hub: OpenHub) -> None:
    """The right of before answers, nothing is staged, no file waits."""
    assert [each.csr for each in rights_of(hub, 1)] == ["OLD"]
    assert (members.staged(hub), list((hub.dir / "spool").iterdir())) == ([], [])
    assert len(members.generation(hub)) == members.parts()


def test_a_value_larger_than_the_memory_refuses_the_file(
    hub: OpenHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some kilobytes of Parquet unfold to a value that no memory holds: the file's fault, said at once and for good."""
    monkeypatch.setattr(member_file, "MEMORY", "30MB")
    path = tmp_path / "bomb.parquet"
    columns = ", ".join(f"'{value}' AS {name}" for name, value in row(1).items() if name != "contract")
    with duckdb.connect() as duck:
        duck.execute(
            f"COPY (SELECT {columns}, repeat('K', 40000000) AS contract) TO '{path}' (FORMAT parquet, COMPRESSION zstd)"
        )
    assert path.stat().st_size < 10_000
    feed = sent(hub, path.read_bytes(), **PARQUET)["feed_id"]
    after = sent(hub, WRONG, OTHER_AMC)["feed_id"]
    work_once(hub)
    assert state(hub, feed) == ("refused", ["file_memory"])
    assert state(hub, after, OTHER_AMC) == ("refused", ["priority_invalid"])
    nothing_is_left(hub)
    assert sent(hub, path.read_bytes(), **PARQUET) == {"feed_id": feed, "state": "refused"}


@pytest.mark.parametrize("announced", ["19 fc 80 92 f4 01", "19 1c 48 01 61 15 00 00 16 02 19 fc 80 92 f4 01"])
def test_twenty_bytes_that_announce_eight_million_things_are_refused(hub: OpenHub, announced: str) -> None:
    """Columns, row groups: DuckDB makes room for all of them first, gigabytes, outside the memory it is given."""
    footer = bytes.fromhex("15 02" + announced)
    content = b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1"
    feed = sent(hub, content, **PARQUET)["feed_id"]
    work_once(hub)
    assert state(hub, feed) == ("refused", ["parquet_unreadable"])
    nothing_is_left(hub)


def parquet(path: Path, rows: int, **other: str) -> bytes:
    """The same row again and again."""
    columns = ", ".join(f"'{value}' AS {name}" for name, value in (row(1) | other).items())
    with duckdb.connect() as duck:
        duck.execute(f"COPY (SELECT {columns} FROM range({rows})) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
    return path.read_bytes()


def test_rows_that_take_no_bytes_are_refused_before_they_are_read(hub: OpenHub, tmp_path: Path) -> None:
    """Ninety kilobytes of one row held the loader for a minute."""
    feed = sent(hub, parquet(tmp_path / "dense.parquet", 100_000), **PARQUET)["feed_id"]
    work_once(hub)
    assert state(hub, feed) == ("refused", ["file_too_dense"])
    nothing_is_left(hub)


def test_a_value_as_long_as_a_book_is_looked_at_for_as_long_as_a_valid_one(hub: OpenHub, tmp_path: Path) -> None:
    """Kept once in the file and named by each row: a third of a megabyte of it took minutes."""
    content = parquet(tmp_path / "long.parquet", 10_000, domains=" ".join(["MED"] * 8_000))
    assert len(content) < 10_000
    feed = sent(hub, content, **PARQUET)["feed_id"]
    work_once(hub)
    told, codes = state(hub, feed)
    assert (told, set(codes), len(codes)) == ("refused", {"domains_invalid"}, 10_000)
    nothing_is_left(hub)


@pytest.mark.parametrize(
    ("said", "ended"),
    [
        ("failed to allocate data of size 2.0 GiB (74.0 KiB/381.4 MiB used)", ("refused", ["file_memory"])),
        ("Failed to allocate block of 1048576 bytes (bad allocation)", ("loading", [])),
        ("Allocation failure", ("loading", [])),
    ],
)
def test_a_machine_without_memory_is_not_the_files_fault(
    hub: OpenHub, monkeypatch: pytest.MonkeyPatch, said: str, ended: tuple[str, list[str]]
) -> None:
    def fail(*_: object) -> None:
        raise duckdb.OutOfMemoryException(said)

    feed = sent(hub, csv(1))["feed_id"]
    monkeypatch.setattr(member_file.MemberFile, "_one", fail)
    work_once(hub)
    assert state(hub, feed) == ended


def test_a_file_that_breaks_here_holds_up_its_own_insurer_only_and_is_refused_in_the_end(
    hub: OpenHub, capfd: pytest.CaptureFixture[str]
) -> None:
    """Broken from outside: the disk lost the file."""
    content = csv(1, csr="NEW")
    feed = sent(hub, content)["feed_id"]
    (hub.dir / "spool" / f"{feed}.sealed").unlink()
    later, others = sent(hub, csv(2))["feed_id"], sent(hub, WRONG, OTHER_AMC)["feed_id"]
    resting: dict[str, float] = {}
    assert work_once(hub, resting) == 1
    assert state(hub, feed) == ("loading", [])
    assert (state(hub, later)[0], state(hub, others, OTHER_AMC)[0]) == ("received", "refused")
    said = capfd.readouterr()
    assert "FileNotFoundError" in said.out + said.err
    assert work_once(hub, resting) == 0, "it rests, and what was sent after it does not overtake it"
    for _ in range(LOADS_MAX - 1):
        work_once(hub, {AMC: 0.0})
    assert (state(hub, feed)[0], [each.csr for each in rights_of(hub, 1)]) == ("loading", ["OLD"])
    resting.clear()
    work_once(hub, resting)
    assert state(hub, feed) == ("refused", ["feed_not_loaded"])
    again = sent(hub, content)
    assert (again["feed_id"] != feed, again["state"]) == (True, "received"), "it was not the file: it is tried again"


def test_a_file_whose_loads_are_killed_is_not_loaded_for_ever(hub: OpenHub) -> None:
    """A kill leaves what the load noted when it began, whoever is started next; an end of any kind takes it away."""
    feed = sent(hub, csv(1, csr="NEW"))["feed_id"]
    for _ in range(LOADS_MAX - 1):
        hub.feeds.spool.begin(feed)
    hub.feeds.spool.end(feed)
    for _ in range(LOADS_MAX):
        hub.feeds.spool.begin(feed)
    work_once(hub)
    assert state(hub, feed) == ("refused", ["feed_not_loaded"])
    nothing_is_left(hub)


def test_a_feed_whose_spool_was_lost_ends(hub: OpenHub) -> None:
    feed = sent(hub, csv(1, csr="NEW"))["feed_id"]
    shutil.rmtree(hub.dir / "spool")
    for _ in range(LOADS_MAX + 1):
        work_once(hub)
    assert state(hub, feed) == ("refused", ["feed_not_loaded"])
    nothing_is_left(hub)


@pytest.mark.parametrize("records", [0, 1, 1.5])
def test_a_file_that_lost_its_end_on_our_disk_is_refused_and_taken_again(
    hub: OpenHub, monkeypatch: pytest.MonkeyPatch, records: float
) -> None:
    """Also where it ends with a whole record and a whole row: as a shorter file it would end the rights of whoever is missing."""
    beginning = csv(1, csr="NEW")
    content = beginning + csv(2).splitlines(keepends=True)[1]
    monkeypatch.setattr(spool, "CHUNK", len(beginning))
    feed = sent(hub, content)["feed_id"]
    os.truncate(hub.dir / "spool" / f"{feed}.sealed", int(records * (spool.CHUNK + spool.OVERHEAD)))
    work_once(hub)
    assert state(hub, feed) == ("refused", ["spool_broken"])
    nothing_is_left(hub)
    again = sent(hub, content)
    assert (again["feed_id"] != feed, again["state"]) == (True, "received")


def test_a_disk_that_is_nearly_full_takes_no_file(hub: OpenHub, monkeypatch: pytest.MonkeyPatch) -> None:
    left = shutil.disk_usage(hub.dir).free
    monkeypatch.setattr(room, "ROOM_BYTES", 2 * left)
    refused = sent(hub, csv(1))
    assert (refused["status"], refused["code"]) == (507, "spool_full")
    nothing_is_left(hub)
    monkeypatch.setattr(room, "ROOM_BYTES", left // 2)
    assert sent(hub, csv(1))["state"] == "received"


def test_a_disk_that_fills_while_a_file_is_loaded_refuses_it_once(
    hub: OpenHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it took is given back; it is not tried again each second, but when it is sent again."""
    feed = sent(hub, csv(1, csr="NEW"))["feed_id"]
    left = shutil.disk_usage(hub.dir).free
    monkeypatch.setattr(room, "ROOM_BYTES", 2 * left)
    work_once(hub)
    assert state(hub, feed) == ("refused", ["feed_no_room"])
    nothing_is_left(hub)
    monkeypatch.setattr(room, "ROOM_BYTES", left // 2)
    again = sent(hub, csv(1, csr="NEW"))
    assert again["feed_id"] != feed
    work_once(hub)
    assert state(hub, again["feed_id"])[0] == "loaded"


def test_insurers_take_turns(hub: OpenHub) -> None:
    """One that sent much makes another wait for one of its files, not for all of them."""
    mine = [sent(hub, csv(number))["feed_id"] for number in (2, 3, 4)]
    others = sent(hub, WRONG, OTHER_AMC)["feed_id"]

    def waiting() -> list[str]:
        return [each for each in mine if state(hub, each)[0] == "received"]

    assert [each[0] for each in hub.run(hub.feeds.store.in_turn())] == [others, mine[0]]
    assert work_once(hub) == 2
    assert (state(hub, others, OTHER_AMC)[0], waiting()) == ("refused", mine[1:])
    late = sent(hub, csv(8, OTHER_AMC, priority="0"), OTHER_AMC)["feed_id"]
    assert [each[0] for each in hub.run(hub.feeds.store.in_turn())] == [late, mine[1]]
    assert work_once(hub) == 2
    assert (state(hub, late, OTHER_AMC)[0], waiting()) == ("refused", mine[2:])


def test_files_of_one_insurer_do_not_fill_the_disk(hub: OpenHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_store, "WAITING_MAX", 2)
    first, second, third = (sent(hub, csv(number)) for number in (1, 2, 3))
    assert (first["state"], second["state"]) == ("received", "received")
    assert (third["status"], third["code"]) == (429, "feeds_waiting")
    assert sent(hub, WRONG, OTHER_AMC)["state"] == "received"
    assert len(list((hub.dir / "spool").iterdir())) == 3
    work_once(hub)
    assert sent(hub, csv(3))["state"] == "received"


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_loader_is_started_again_while_the_hub_answers(tmp_path: Path, workers: int) -> None:
    site = Site(tmp_path / "hub", ECLUSE_LAKE_EVERY_S="0")
    site.make()
    body = write(tmp_path / "members.csv", [row(n, product="BASE") for n in range(MANY_ROWS)]).read_bytes()
    token = site.token(f"amc:{AMC}", practice="", scope="feeds")
    site.start(workers=workers)
    with site.client(token) as client:
        feed = client.post("/v1/feeds?mode=full", content=body, headers={"Content-Type": "text/csv"}).json()["feed_id"]
        reached(client, feed, "loading")
        os.kill(loader_of(site), signal.SIGKILL)
        assert client.get(f"/v1/feeds/{feed}").json()["state"] == "loading"
        assert reached(client, feed, "loaded") == MANY_ROWS
    assert httpx.get(f"{site.url}/readyz").status_code == 200
    assert "the loader died (-9)" in site.log.read_text()
    assert site.stop() == 0


def loader_of(site: Site) -> int:
    """The process that is in the middle of a file: it holds its insurer's turn."""
    deadline_s = time.monotonic() + SAID_S
    while True:
        locks = set((site.directory / "staging").glob("*.lock"))
        holding = [int(each.name) for each in Path("/proc").glob("[0-9]*") if locks & opened_by(each)]
        if holding:
            return holding[0]
        assert time.monotonic() < deadline_s, "nobody loads"
        time.sleep(0.01)
