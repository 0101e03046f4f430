"""Member files on either engine: all of the old rights answer or all of the new, whoever reads, whatever is killed."""

from __future__ import annotations

import itertools
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from ecluse.app.feeds import Order, load_file
from ecluse.doors.loader import work_once
from ecluse.formats.feed.file import Mode
from ecluse.kernel.days import FOREVER
from ecluse.kernel.errors import Refused
from ecluse.wiring import OpenHub, open_hub
from sim.auditor import store
from tests.journeys import members
from tests.journeys.members import (
    AMC,
    bearer,
    everything,
    generation,
    load,
    make,
    played,
    rights_of,
    row,
    untold,
    write,
)
from tests.stores import EMBEDDED, chosen


@pytest.fixture
def directory(tmp_path: Path, store_url: str) -> Path:
    """A hub of each engine in turn."""
    return make(tmp_path / "hub")


@pytest.fixture
def hub(directory: Path) -> Iterator[OpenHub]:
    """The same, open."""
    with open_hub(directory) as opened:
        yield opened


def test_a_full_file_then_a_delta(hub: OpenHub, tmp_path: Path) -> None:
    feed = load(hub, write(tmp_path / "full.csv", [row(n) for n in range(50)] + [row(1, contract="D1", priority="2")]))
    assert (feed.state, feed.counts.rows, feed.counts.persons, feed.counts.rights) == ("loaded", 51, 50, 51)
    assert sorted(each.contract for each in rights_of(hub, 1)) == ["C1", "D1"]
    changes = [
        row(1, change="end", valid_to="2026-06-30"),
        row(1, change="set", valid_from="2026-07-01", csr="0002"),
        row(2, change="set", csr="0003"),
        row(99, change="set"),
    ]
    feed = load(hub, write(tmp_path / "delta.csv", changes), Mode.DELTA)
    assert (feed.state, feed.counts.persons, feed.counts.rights) == ("loaded", 51, 53)
    assert [(each.contract, each.csr, str(each.valid.end)) for each in rights_of(hub, 1)] == [
        ("C1", "0001", "2026-07-01"),
        ("C1", "0002", "9999-12-31"),
        ("D1", "0001", "9999-12-31"),
    ]
    assert [each.csr for each in rights_of(hub, 2)] == ["0003"]
    assert len(rights_of(hub, 99)) == 1
    assert rights_of(hub, 3) == rights_of(hub, 3)[:1]


ASKED = 30  # people of a file whom a test asks about, all over it: fewer than an account may open
REFUSED = {
    "twice": ([row(1), row(1)], [(3, "row_twice")]),
    "overlap": ([row(1), row(1, valid_from="2026-05-01")], [(3, "period_overlaps")]),
    "adjacent": ([row(1, valid_to="2026-04-30"), row(1, valid_from="2026-05-01")], []),
    "one member, two people": ([row(1), row(2, member_number="M1")], [(3, "member_ambiguous")]),
    "bad value": ([row(1), row(2, priority="0")], [(3, "priority_invalid")]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_one_refused_row_refuses_the_file_and_the_old_rights_answer(hub: OpenHub, tmp_path: Path, name: str) -> None:
    rows, refused = REFUSED[name]
    load(hub, write(tmp_path / "old.csv", [row(1, csr="OLD")]))
    feed = load(hub, write(tmp_path / "new.csv", rows))
    assert [(each.line, each.code) for each in hub.run(hub.feeds.store.refusals(feed.id))] == refused
    assert feed.state == ("refused" if refused else "loaded")
    assert [each.csr for each in rights_of(hub, 1)][:1] == (["OLD"] if refused else ["0001"])
    assert members.staged(hub) == []
    assert len(generation(hub)) == members.parts()


def test_a_delta_that_ends_nothing_is_refused(hub: OpenHub, tmp_path: Path) -> None:
    feed = load(hub, write(tmp_path / "d.csv", [row(1, change="end", valid_to="2026-06-30")]), Mode.DELTA)
    assert [(each.line, each.code) for each in hub.run(hub.feeds.store.refusals(feed.id))] == [(2, "nothing_to_end")]


def test_the_same_file_is_the_same_feed_until_another_overtakes_it(hub: OpenHub, tmp_path: Path) -> None:
    one, two = write(tmp_path / "1.csv", [row(1)]), write(tmp_path / "2.csv", [row(2)])
    first = load(hub, one)
    answering = generation(hub)
    assert load(hub, one) == first
    assert generation(hub) == answering
    load(hub, two)
    assert load(hub, one).id != first.id
    assert rights_of(hub, 2) == []


def test_the_file_sent_last_is_what_holds_though_another_still_waits(hub: OpenHub) -> None:
    """The same full file, then a delta, then the full file again before the delta was loaded: it is not taken for the first."""
    files = {
        "full": ",".join(row(1)) + "\n" + ",".join(row(1).values()),
        "delta": ",".join(ending := row(1, change="end", valid_to="2026-06-30")) + "\n" + ",".join(ending.values()),
    }

    def send(mode: str) -> str:
        headers = bearer(hub)
        sent = played(hub, lambda client: client.post(f"/v1/feeds?mode={mode}", content=files[mode], headers=headers))
        return str(sent.json()["feed_id"])

    first = send("full")
    assert send("full") == first
    work_once(hub)
    assert send("full") == first
    send("delta")
    again = send("full")
    assert again != first
    assert send("full") == again
    while work_once(hub):
        pass
    (right,) = rights_of(hub, 1)
    assert right.valid.last_day == FOREVER


def test_readers_see_the_whole_old_set_or_the_whole_new_one(hub: OpenHub, tmp_path: Path) -> None:
    people = 3_000
    old, new = (write(tmp_path / f"{csr}.csv", [row(n, csr=csr) for n in range(people)]) for csr in ("OLD", "NEW"))
    load(hub, old)
    seen: list[str] = []
    stop = threading.Event()

    async def ask(client: httpx.AsyncClient) -> None:
        numbers = random.Random(7)
        while not stop.is_set():
            answer = await client.post(
                "/v1/rights/checks", json=members.question(numbers.randrange(ASKED) * people // ASKED), headers=headers
            )
            seen.append(answer.json()["csr"])

    def read() -> None:
        with open_hub(hub.dir) as other:
            played(other, ask)

    headers = members.practice(hub)
    with ThreadPoolExecutor(1) as threads:
        reader = threads.submit(read)
        while not seen and not reader.done():
            time.sleep(0.01)
        load(hub, new)
        swapped = len(seen)
        while len(seen) < swapped + 50 and not reader.done():
            time.sleep(0.01)
        stop.set()
        reader.result()
    turns = [first for first, second in itertools.pairwise(seen) if first != second]
    assert (seen[0], seen[-1], turns) == ("OLD", "NEW", ["OLD"])


# A full file under kills on a server: tests/faults/test_sim.py.
@pytest.mark.parametrize(
    ("fresh_store", "mode"),
    [("sqlite", "--full"), ("sqlite", "--delta"), ("postgres", "--delta")],
    indirect=["fresh_store"],
)
def test_a_killed_load_goes_on_and_ends_as_if_it_had_not_been(directory: Path, tmp_path: Path, mode: str) -> None:
    """Kills a real process at moments drawn from a seed, until one run is left in peace."""
    rows = [row(n, **({"change": "set"} if mode == "--delta" else {})) for n in range(20_000)]
    path = write(tmp_path / "f.csv", rows)
    moments = random.Random(20261124)
    killed = 0
    for _ in range(6):
        process = subprocess.Popen(
            [sys.executable, "-c", SLOW, str(path), mode, str(directory)], stderr=subprocess.DEVNULL
        )
        time.sleep(0.4 + moments.random())
        process.kill()
        killed += process.wait() == -signal.SIGKILL
    assert killed > 2
    with open_hub(directory) as hub:
        feed = load(hub, path, Mode(mode[2:]))
        assert (feed.state, feed.counts.rows, feed.counts.persons, feed.counts.rights) == ("loaded", *[20_000] * 3)
        resumed = everything(hub)
        load(hub, write(tmp_path / "other.csv", [row(1)]), shrink=True)
        load(hub, write(tmp_path / "again.csv", [row(n) for n in range(20_000)]))
        assert everything(hub) == resumed
        assert members.staged(hub) == []
        assert len(generation(hub)) == members.parts()


# The command itself, with small commits and a pause after each, so that kills fall everywhere in it.
SLOW = f"""
import sys, time
from pathlib import Path
from ecluse.app import feeds
from ecluse.engines.duckdb import member_file
from ecluse.formats.feed.file import Mode
from ecluse.kernel.days import FOREVER
from ecluse.wiring import open_hub
feeds.COMMIT_ROWS, member_file.FETCH = 1, 500
def told(*_): time.sleep(0.05)
path, mode, directory = sys.argv[1:]
with open_hub(Path(directory)) as hub, hub.feeds.files.at(Path(path)) as file:
    hub.run(feeds.load_file(hub, file, feeds.Order("{AMC}", Mode(mode[2:])), feeds.journalled(hub), told))
"""


def test_a_file_sent_over_http_is_sealed_until_the_loader_loads_it(hub: OpenHub, tmp_path: Path) -> None:
    content = write(tmp_path / "f.csv", [row(n) for n in range(20_000)]).read_bytes()

    async def send(client: httpx.AsyncClient) -> tuple[httpx.Response, ...]:
        first = await client.post(
            "/v1/feeds?mode=full", content=content, headers=bearer(hub) | {"Idempotency-Key": "k"}
        )
        again = await client.post(
            "/v1/feeds?mode=full", content=content, headers=bearer(hub) | {"Idempotency-Key": "k"}
        )
        other = await client.post("/v1/feeds?mode=full", content=b"x", headers=bearer(hub) | {"Idempotency-Key": "k"})
        foreign = await client.post(
            f"/v1/feeds?mode=full&insurer={AMC}", content=b"x", headers=bearer(hub, "0075999999")
        )
        return first, again, other, foreign

    first, again, other, foreign = played(hub, send)
    assert (first.status_code, first.json()["state"]) == (202, "received")
    assert again.json() == first.json()
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    assert foreign.status_code == 403
    (spooled,) = (hub.dir / "spool").iterdir()
    assert row(7)["nir"].encode() not in spooled.read_bytes()
    assert work_once(hub) == 1
    assert list((hub.dir / "spool").iterdir()) == []
    state = played(hub, lambda client: client.get(f"/v1/feeds/{first.json()['feed_id']}", headers=bearer(hub)))
    assert state.json() == {
        "feed_id": first.json()["feed_id"],
        "insurer": AMC,
        "mode": "full",
        "state": "loaded",
        "counts": {"rows": 20_000, "refused_rows": 0, "persons": 20_000, "rights": 20_000},
        "refusals": [],
        "refusals_total": 0,
    }
    hidden = played(
        hub, lambda client: client.get(f"/v1/feeds/{state.json()['feed_id']}", headers=bearer(hub, "0075999999"))
    )
    assert hidden.status_code == 404


def test_no_nir_and_no_birth_date_stays_on_disk(hub: OpenHub, tmp_path: Path) -> None:
    rows = [row(n, birth_date=f"19{n % 90 + 10}-1{n % 3}-2{n % 9}") for n in range(300)]
    load(hub, write(tmp_path / "f.csv", rows))
    load(hub, write(tmp_path / "bad.csv", [*rows, row(1, csr="é")]))
    on_disk = b"".join(path.read_bytes() for path in hub.dir.rglob("*") if path.is_file())
    if chosen() != EMBEDDED:
        on_disk += b"".join(values for _, values in store.contents(chosen()))
    assert [each["nir"] for each in rows if each["nir"].encode() in on_disk] == []
    assert [each["birth_date"] for each in rows if each["birth_date"].encode() in on_disk] == []


def test_two_loads_of_one_insurer_take_turns(hub: OpenHub, tmp_path: Path) -> None:
    path = write(tmp_path / "f.csv", [row(1)])

    async def meanwhile() -> None:
        async with hub.feeds.works.turn(AMC):
            with hub.feeds.files.at(path) as file:
                await load_file(hub, file, Order(AMC, Mode.FULL), untold, lambda *_: None)

    with pytest.raises(Refused, match="feed_in_progress"):
        hub.run(meanwhile())
