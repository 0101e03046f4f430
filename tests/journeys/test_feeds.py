"""Member files from outside: the command line, HTTP, kills in the middle, and what stays on disk."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from ecluse.app.feeds import Order, load_file
from ecluse.app.products import load_product
from ecluse.doors.http.app import build
from ecluse.doors.worker import work_once
from ecluse.engines.sqlite.database import Database
from ecluse.engines.sqlite.rights_files import RightsFiles
from ecluse.formats.feed.file import Mode
from ecluse.formats.feed.header import COLUMNS
from ecluse.gate.identity import Account
from ecluse.kernel.errors import Refused
from ecluse.kernel.ids import nir_key
from ecluse.rights.model import Right
from ecluse.rights.person import nir_message, right_about
from ecluse.wiring import OpenHub, init_hub, open_hub

AMC = "0075123456"
PRODUCT = b'product: ESS\nlabel: Essentiel\nresponsible: true\nguarantees:\n- {domains: [MED], guarantee: "TM:100", label: TM}\n'


def row(number: int, **other: str) -> dict[str, str]:
    """The row of one invented person."""
    body = f"1{number % 100:02d}0{number % 9 + 1}37{number % 900:03d}{number // 900 % 900 + 1:03d}"
    plain = (
        AMC,
        f"M{number}",
        body + nir_key(body),
        "1979-06-14",
        "1",
        f"C{number}",
        "ESS",
        "MED PHAR",
        "2026-01-01",
        "",
    )
    return dict(zip(COLUMNS, (*plain, "SV", "0001", "true", "1"), strict=True)) | other


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    path.write_text("\n".join([",".join(rows[0]), *(",".join(each.values()) for each in rows)]) + "\n")
    return path


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A hub with one product of one insurer."""
    init_hub(tmp_path / "hub")
    with open_hub(tmp_path / "hub") as hub:
        hub.run(load_product(hub, AMC, PRODUCT))
    return tmp_path / "hub"


@pytest.fixture
def hub(directory: Path) -> Iterator[OpenHub]:
    with open_hub(directory) as opened:
        yield opened


def load(hub: OpenHub, path: Path, mode: Mode = Mode.FULL, **other: Any) -> Any:
    with hub.feeds.files.at(path) as file:
        return hub.run(load_file(hub, file, Order(AMC, mode, **other), untold, lambda *_: None))


async def untold(_: object) -> None:
    """No journal is asked for here."""


def rights_of(hub: OpenHub, number: int) -> list[Right]:
    who = row(number)
    persons = hub.keys.pseudonyms(AMC, [nir_message(who["nir"], who["birth_date"], 1)], 1)
    found, sealed = RightsFiles(hub.dir / "rights", Database(hub.dir / "hub.db")).read(AMC, tuple(persons))
    return [msgspec.msgpack.decode(hub.keys.open(AMC, each, right_about(AMC, found)), type=Right) for each in sealed]


def everything(hub: OpenHub) -> tuple[list[tuple[bytes, list[Right]]], list[tuple[bytes, bytes]]]:
    """The rights that answer, opened, and the members."""
    (file,) = (hub.dir / "rights").glob("*.db")
    with contextlib.closing(sqlite3.connect(file)) as opened:
        rights: dict[bytes, list[Right]] = {}
        for person, sealed in opened.execute("SELECT person, sealed FROM rights"):
            plain = hub.keys.open(AMC, sealed, right_about(AMC, person))
            rights.setdefault(person, []).append(msgspec.msgpack.decode(plain, type=Right))
        return sorted(rights.items()), sorted(opened.execute("SELECT member, person FROM members"))


def command(directory: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-c", "from ecluse.doors.cli.main import run; run()", *arguments, "--dir", str(directory)]


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
    assert [each.suffix for each in (hub.dir / "staging").iterdir()] == [".lock"]
    assert len(list((hub.dir / "rights").iterdir())) == 1


def test_a_delta_that_ends_nothing_is_refused(hub: OpenHub, tmp_path: Path) -> None:
    feed = load(hub, write(tmp_path / "d.csv", [row(1, change="end", valid_to="2026-06-30")]), Mode.DELTA)
    assert [(each.line, each.code) for each in hub.run(hub.feeds.store.refusals(feed.id))] == [(2, "nothing_to_end")]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file_empty"),
        (",".join(COLUMNS).encode() + b"\n", "file_empty"),
        (";".join(COLUMNS).encode() + b"\n1\n", "separator_invalid"),
        (",".join(COLUMNS[1:]).encode() + b"\n1\n", "column_missing"),
        (",".join((*COLUMNS, "nom")).encode() + b"\n1\n", "column_unknown"),
        ("\n".join([",".join(COLUMNS), "é"]).encode("utf-16"), "encoding_invalid"),
        (b"PAR1" + bytes(50), "parquet_unreadable"),
        (b"\x1f\x8b" + bytes(50), "file_compressed"),
    ],
)
def test_a_file_refused_as_a_whole_is_said_in_one_line(
    directory: Path, tmp_path: Path, content: bytes, code: str
) -> None:
    (tmp_path / "f").write_bytes(content)
    done = subprocess.run(
        command(directory, "feed", "load", str(tmp_path / "f"), "--insurer", AMC), capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(f"{code}: ")


def test_the_same_file_is_the_same_feed_until_another_overtakes_it(hub: OpenHub, tmp_path: Path) -> None:
    one, two = write(tmp_path / "1.csv", [row(1)]), write(tmp_path / "2.csv", [row(2)])
    first = load(hub, one)
    generation = sorted((hub.dir / "rights").iterdir())
    assert load(hub, one) == first
    assert sorted((hub.dir / "rights").iterdir()) == generation
    load(hub, two)
    assert load(hub, one).id != first.id
    assert rights_of(hub, 2) == []


def test_unknown_columns_are_dropped_when_asked(hub: OpenHub, tmp_path: Path) -> None:
    path = write(tmp_path / "f.csv", [row(1, nom="DURAND")])
    with pytest.raises(Refused, match="column_unknown"):
        load(hub, path)
    assert load(hub, path, drop_unknown=True).state == "loaded"


def test_readers_see_the_whole_old_set_or_the_whole_new_one(hub: OpenHub, tmp_path: Path) -> None:
    people = 3_000
    old, new = (write(tmp_path / f"{csr}.csv", [row(n, csr=csr) for n in range(people)]) for csr in ("OLD", "NEW"))
    load(hub, old)
    seen: list[str] = []
    stop = threading.Event()

    def read() -> None:
        with open_hub(hub.dir) as other:
            files = RightsFiles(other.dir / "rights", Database(other.dir / "hub.db"))
            numbers = random.Random(7)
            while not stop.is_set():
                who = row(numbers.randrange(people))
                persons = other.keys.pseudonyms(AMC, [nir_message(who["nir"], who["birth_date"], 1)], 1)
                found, (sealed,) = files.read(AMC, tuple(persons))
                plain = other.keys.open(AMC, sealed, right_about(AMC, found))
                seen.append(msgspec.msgpack.decode(plain, type=Right).csr)

    reader = threading.Thread(target=read)
    reader.start()
    while not seen:
        time.sleep(0.01)
    load(hub, new)
    swapped = len(seen)
    while len(seen) < swapped + 50:
        time.sleep(0.01)
    stop.set()
    reader.join()
    turns = [first for first, second in itertools.pairwise(seen) if first != second]
    assert (seen[0], seen[-1], turns) == ("OLD", "NEW", ["OLD"])


@pytest.mark.parametrize("mode", ["--full", "--delta"])
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
    done = subprocess.run(
        command(directory, "feed", "load", str(path), "--insurer", AMC, mode, "--json"), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert killed > 2
    assert json.loads(done.stdout)["counts"] == {"rows": 20_000, "refused_rows": 0, "persons": 20_000, "rights": 20_000}
    with open_hub(directory) as hub:
        resumed = everything(hub)
        load(hub, write(tmp_path / "other.csv", [row(1)]))
        load(hub, write(tmp_path / "again.csv", [row(n) for n in range(20_000)]))
        assert everything(hub) == resumed
        assert sorted(each.suffix for each in (hub.dir / "staging").iterdir()) == [".lock"]
        assert len(list((hub.dir / "rights").iterdir())) == 1


# The command itself, with small commits and a pause after each, so that kills fall everywhere in it.
SLOW = f"""
import sys, time
from pathlib import Path
from ecluse.app import feeds
from ecluse.engines.duckdb import member_file
from ecluse.formats.feed.file import Mode
from ecluse.wiring import open_hub
feeds.COMMIT_ROWS, member_file.FETCH = 1, 500
def told(*_): time.sleep(0.05)
path, mode, directory = sys.argv[1:]
with open_hub(Path(directory)) as hub, hub.feeds.files.at(Path(path)) as file:
    hub.run(feeds.load_file(hub, file, feeds.Order("{AMC}", Mode(mode[2:])), feeds.journalled(hub), told))
"""


def test_staged_rows_are_not_read_again(hub: OpenHub, tmp_path: Path) -> None:
    """A load stopped after its first commit goes on after it: the rows of the second run begin where the first ended."""
    path = write(tmp_path / "f.csv", [row(n) for n in range(200_000)])

    def stop(step: str, done: int, _: int) -> None:
        if step == "sealing" and done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), hub.feeds.files.at(path) as file:
        hub.run(load_file(hub, file, Order(AMC, Mode.FULL), untold, stop))
    reached: list[int] = []
    with hub.feeds.files.at(path) as file:
        hub.run(
            load_file(
                hub,
                file,
                Order(AMC, Mode.FULL),
                untold,
                lambda step, done, _: reached.append(done) if step == "sealing" else None,
            )
        )
    assert (reached[0] >= 131_072, reached[-1]) == (True, 200_000)


def played(hub: OpenHub, calls: Any) -> Any:
    async def run() -> Any:
        transport = httpx.ASGITransport(build(hub, hub.issuers, in_flight_max=8))
        async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
            return await calls(client)

    return asyncio.run(run())


def bearer(hub: OpenHub, insurer: str = AMC, scope: str = "feeds") -> dict[str, str]:
    account = Account("insurer:one", insurer=insurer, scopes=frozenset(scope.split()))
    token = hub.development_issuer().token(account, int(hub.clock.now().timestamp()), lifetime_s=300)
    return {"Authorization": f"Bearer {token}", "Content-Type": "text/csv"}


def test_a_file_sent_over_http_is_sealed_until_the_worker_loads_it(hub: OpenHub, tmp_path: Path) -> None:
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


def test_a_file_refused_as_a_whole_over_http_says_so_in_its_state(hub: OpenHub) -> None:
    sent = played(hub, lambda client: client.post("/v1/feeds?mode=full", content=b"a;b\n1;2\n", headers=bearer(hub)))
    work_once(hub)
    state = played(hub, lambda client: client.get(f"/v1/feeds/{sent.json()['feed_id']}", headers=bearer(hub))).json()
    assert (state["state"], state["refusals_total"]) == ("refused", 1)
    assert [(each["line"], each["code"]) for each in state["refusals"]] == [(1, "header_missing")]
    assert list((hub.dir / "spool").iterdir()) == []


def test_no_nir_and_no_birth_date_stays_on_disk(hub: OpenHub, tmp_path: Path) -> None:
    rows = [row(n, birth_date=f"19{n % 90 + 10}-1{n % 3}-2{n % 9}") for n in range(300)]
    load(hub, write(tmp_path / "f.csv", rows))
    load(hub, write(tmp_path / "bad.csv", [*rows, row(1, csr="é")]))
    on_disk = b"".join(path.read_bytes() for path in hub.dir.rglob("*") if path.is_file())
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


def test_show_prints_counts_and_refused_rows(directory: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "f.csv", [row(1), row(2, priority="0")])
    loaded = subprocess.run(
        command(directory, "feed", "load", str(path), "--insurer", AMC, "--json"), capture_output=True, text=True
    )
    assert loaded.returncode == 2
    feed = json.loads(loaded.stdout)
    shown = subprocess.run(command(directory, "feed", "show", feed["feed_id"]), capture_output=True, text=True)
    assert "2 rows, 1 refused" in shown.stdout
    assert "priority_invalid" in shown.stdout
    missing = subprocess.run(command(directory, "feed", "show", "fee_0"), capture_output=True, text=True)
    assert missing.returncode == 2
