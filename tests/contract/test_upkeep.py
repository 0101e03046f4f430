"""`ecluse doctor`, readiness and metrics say the same of a hub on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from ecluse.engines.postgres.database import Database
from ecluse.engines.postgres.server import Server as PostgresServer
from tests.journeys.site import AMC, MEMBER, Site
from tests.servers import Server, started


@pytest.fixture(params=["sqlite", "postgresql"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """A hub with one insurer and one member on each engine."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else "sqlite:hub.db"
    site = Site(tmp_path / "hub", ECLUSE_STORE_URL=url)
    site.make()
    site.load([{}])
    yield site
    if site.process:
        site.stop()


def test_a_sound_store_is_sound(kept: Site) -> None:
    done = kept.run("doctor", "--json", check=False)
    checks = {each["check"]: each for each in json.loads(done.stdout)["checks"]}
    assert {name: checks[name]["verdict"] for name in ("opens", "database", "insurers", "feeds", "payment runs")} == {
        "opens": "ok", "database": "ok", "insurers": "ok", "feeds": "ok", "payment runs": "ok"}  # fmt: skip
    assert checks["insurers"]["found"].startswith("1 served")
    assert checks["feeds"]["found"] == "1 loaded"
    assert AMC not in done.stdout


def test_readiness_and_metrics_ask_it(kept: Site) -> None:
    kept.start()
    assert httpx.get(f"{kept.url}/readyz").json() == {"status": "ready", "parts": []}
    assert 'ecluse_feeds{state="loaded"} 1.0' in httpx.get(f"{kept.url}/metrics").text


def scraped(site: Site) -> dict[str, float]:
    lines = httpx.get(f"{site.url}/metrics").text.splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}


def test_the_loader_counts_rows_and_says_what_waits(kept: Site) -> None:
    kept.start()
    assert scraped(kept)["ecluse_feed_waiting_seconds"] == 0
    token = kept.token(scope="feeds operate")
    rows = ({**MEMBER, "member_number": "M2"}, {**MEMBER, "nir": "279067505612358"})
    loaded, refused = ([",".join(each) for each in (row, row.values())] for row in rows)
    for lines in (loaded, refused):
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "text/csv"}
        content = "\n".join([*lines, ""])
        sent = httpx.post(
            f"{kept.url}/v1/feeds", params={"insurer": AMC, "mode": "full"}, headers=headers, content=content
        )
        assert sent.status_code in (200, 201, 202), sent.text
    deadline_s = time.monotonic() + 30
    wanted = ('ecluse_feed_rows_total{state="loaded"}', 'ecluse_feed_rows_total{state="refused"}')
    while [scraped(kept).get(name) for name in wanted] != [1, 1]:
        assert time.monotonic() < deadline_s, scraped(kept)
        time.sleep(0.1)
    assert scraped(kept)["ecluse_workers"] == 1  # the loader answers nobody
    assert scraped(kept)["ecluse_feed_waiting_seconds"] == 0


BREAKS = {  # what is done to a sound server → what is said of it, and whether the hub must stop
    "DROP TABLE rights_{amc}_{feed}": ("rights of {amc} answer from no table", "wrong"),
    "ALTER TABLE members DETACH PARTITION members_{amc}_{feed}": ("members of {amc} answer from no table", "wrong"),
    "CREATE TABLE rights_0075999999_fee_x (insurer text)": ("under way or was killed", "warning"),
    "DELETE FROM served": ("does not serve", "warning"),
    "ALTER TABLE posting DISABLE TRIGGER posting_is_for_ever": ("postings can be changed", "wrong"),
    "INSERT INTO posting VALUES (7, 1, 'bank', 5, 'x', 'y', 0)": ("entry 7 of the ledger do not sum to zero", "wrong"),
    "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'engagement_pkey'::regclass": (
        "cannot be used",
        "wrong",
    ),
}


@pytest.mark.parametrize("done", BREAKS)
def test_what_is_wrong_with_a_server_is_said(done: str, postgres: Server, tmp_path: Path) -> None:
    database = postgres.fresh()
    site = Site(tmp_path / "hub", ECLUSE_STORE_URL=postgres.url(database))
    site.make()
    feed = site.load([{}])["feed_id"].lower()
    postgres.sql(done.format(amc=AMC, feed=feed), database)
    said, verdict = BREAKS[done]
    checks = {each["check"]: each for each in json.loads(site.run("doctor", "--json", check=False).stdout)["checks"]}
    assert said.format(amc=AMC) in checks["database"]["found"]
    assert (checks["database"]["verdict"], checks["database"]["do"] != "") == (verdict, True)
    postgres.drop(database)


def test_a_server_without_checksums_is_warned_of(tmp_path: Path) -> None:
    with started() as server:
        server.stop()
        server.run("pg_checksums", "--disable", "-D", server.data)
        server.start()
        site = Site(tmp_path / "hub", ECLUSE_STORE_URL=server.url(server.fresh()))
        site.make()
        done = site.run("doctor", "--json", check=False)
        (found,) = (each for each in json.loads(done.stdout)["checks"] if each["check"] == "database")
        assert (found["verdict"], "data checksums are off" in found["found"]) == ("warning", True)


def test_units_begun_again_are_counted(postgres_url: str) -> None:
    """Two that hold the same two names in opposite orders: the server ends one, which is run again."""

    async def crossing(database: Database, first: str, second: str) -> None:
        async def work(tx: Any) -> None:
            await tx.hold(first)
            await asyncio.sleep(0.2)
            await tx.hold(second)

        await database.write(work)

    async def both() -> int:
        database = Database(PostgresServer("home", postgres_url, 2))
        await asyncio.gather(crossing(database, "a", "b"), crossing(database, "b", "a"))
        await database.server.close()
        return database.server.retries

    assert asyncio.run(both()) == 1


def test_an_embedded_ledger_that_does_not_add_up_is_said(tmp_path: Path) -> None:
    site = Site(tmp_path / "hub")
    site.make()
    with closing(sqlite3.connect(site.directory / "hub.db")) as books, books:
        books.execute("INSERT INTO posting VALUES (7, 1, 'bank', 5, 'x', 'y', 0)")
    checks = {each["check"]: each for each in json.loads(site.run("doctor", "--json", check=False).stdout)["checks"]}
    assert checks["database"]["found"] == "entry 7 of the ledger does not sum to zero"
