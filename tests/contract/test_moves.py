"""Insurers moved between databases of a real server, and what goes wrong meanwhile: other processes, lost turns, lost servers."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from ecluse.app.ports import FeedCounts, FeedRecord, Moved
from ecluse.coverage.product import read_product, version
from ecluse.engines.keys.file import KeyFile
from ecluse.engines.postgres.contents import Side, content, copy_table
from ecluse.engines.postgres.kept import kept_tables
from ecluse.engines.postgres.server import Server as HubServer
from ecluse.engines.roles import LOAD
from ecluse.engines.stores import Stores
from ecluse.kernel.errors import Refused
from tests.contract.store_hub import AMC, OTHER_AMC, PERSONS, PRODUCT, StoreHub
from tests.servers import Server
from tests.stores import now, open_stores

NEWER = PRODUCT.replace(b"label: P", b"label: Q")
DEAD = "postgresql://nobody@127.0.0.1:9/x"
Act = Callable[[Stores], Awaitable[Any]]


class Moving(StoreHub):
    """A hub whose insurers are on `south`; `west` is free, nobody upgraded `north`, and `dead` is down."""

    def __init__(self, postgres: Server, directory: Path) -> None:
        self.postgres = postgres
        self.databases = {name: postgres.fresh() for name in ("home", "south", "west")} | {"north": postgres.empty()}
        self.servers = {name: postgres.url(at) for name, at in self.databases.items() if name != "home"} | {
            "dead": DEAD
        }
        self.home_url = postgres.url(self.databases["home"])
        placed = {AMC: "south", OTHER_AMC: "south"}
        super().__init__(self.home_url, directory, servers=self.servers, insurers=placed)
        self.directory, self.placed = directory, placed

    def sql(self, server: str, statements: str) -> str:
        return self.postgres.sql(statements, self.databases[server])

    def move(self, target: str, told: Callable[[str], object] = lambda step: None) -> Moved:
        return now(self.stores.moves.move(AMC, target, lambda step, *_: told(step)))

    def elsewhere(self, act: Act) -> Any:
        """What another process of the hub gets at this moment; the code of a refusal."""

        async def acted() -> Any:
            keys = KeyFile(self.directory / "hub.keys", "")
            stores = open_stores(self.home_url, self.directory, keys, servers=self.servers, insurers=self.placed)
            try:
                return await act(stores)
            except Refused as refused:
                return refused.code
            finally:
                await stores.close()

        with ThreadPoolExecutor(1) as other:
            return other.submit(asyncio.run, acted()).result()

    async def reads(self, stores: Stores) -> list[str]:
        return await self.read(PERSONS[0], stores=stores)

    async def turns(self, stores: Stores) -> str:
        async with stores.works.turn(AMC):
            return "had"

    def loads(self, feed: str, csr: str, insurer: str = AMC) -> Act:
        """A full file of one person."""

        async def load(stores: Stores) -> str:
            record = FeedRecord(feed, insurer, "full", "loading", 1, "cli:x", False, False, FeedCounts(), feed)
            await stores.feeds.begin(record)
            with stores.works.work(insurer, feed) as work:
                self.stage(work, {PERSONS[0]: [csr]})
                async with stores.works.turn(insurer):
                    counts, _ = await work.build(self.settle, lambda _: None, over=False)
                    await work.answer(counts, 9)
                await work.finish()
            return "loaded"

        return load

    def break_off_between(self) -> None:
        """What a move to `west` leaves that is killed when the old server serves no more, and the new one does not yet."""

        class Killed(BaseException):
            pass

        def killed(step: str) -> None:
            if step == "switching":
                raise Killed

        with pytest.raises(Killed):
            self.move("west", killed)
        feed = self.sql("south", f"DELETE FROM served WHERE insurer = '{AMC}' RETURNING feed")
        self.sql("home", f"UPDATE move SET state = 'switching', feed = '{feed}'")

    def left_on(self, server: str) -> list[str]:
        """How much of the insurer a server holds, and whether it serves it."""
        tables = ("rights", "members", "engagement", "served")
        return [self.sql(server, f"SELECT count(*) FROM {table} WHERE insurer = '{AMC}'") for table in tables]


@pytest.fixture
def hub(postgres: Server, tmp_path: Path) -> Iterator[Moving]:
    made = Moving(postgres, tmp_path)
    made.load("fee_1", {PERSONS[0]: ["1"]})
    yield made
    made.close()
    for database in made.databases.values():
        postgres.drop(database)


def at(step: str, act: Callable[[], object]) -> Callable[[str], None]:
    """Done once, when the move comes to that step."""

    def told(reached: str) -> None:
        if reached == step:
            act()

    return told


def test_a_table_loaded_while_engagements_are_copied_moves_too(hub: Moving) -> None:
    newer = read_product(NEWER)
    hub.move(
        "west", at("copying engagements", lambda: hub.elsewhere(lambda stores: stores.products.add(AMC, newer, 2)))
    )
    assert hub.elsewhere(lambda stores: stores.products.in_force(AMC, "P")) == version(newer)
    assert hub.elsewhere(lambda stores: stores.products.table(AMC, "P", version(newer))) == newer


def test_nothing_is_taken_for_an_insurer_between_two_servers_and_the_old_one_serves_it_again(hub: Moving) -> None:
    """A feed was told loaded and then broke; a table went to the old server, which nobody asked any more."""
    hub.break_off_between()
    newer = read_product(NEWER)
    assert hub.elsewhere(hub.turns) == "insurer_moving"
    assert hub.elsewhere(hub.loads("fee_2", "2")) == "insurer_moving"
    assert hub.elsewhere(lambda stores: stores.products.add(AMC, newer, 2)) == "insurer_moving"
    moved = hub.move("south")
    assert (moved.taken_back, moved.source, moved.target, moved.rights) == (True, "west", "south", 1)
    assert hub.left_on("west") == ["0", "0", "0", "0"]
    assert hub.elsewhere(hub.reads) == ["1"]
    assert hub.elsewhere(hub.loads("fee_3", "3")) == "loaded"
    assert hub.elsewhere(lambda stores: stores.products.add(AMC, newer, 3)) is True
    assert (hub.move("west").rights, hub.elsewhere(hub.reads)) == (1, ["3"])


def test_a_work_that_did_not_take_the_turn_builds_nothing_for_an_insurer_between_two_servers(hub: Moving) -> None:
    hub.break_off_between()
    hub.begin("fee_2")
    with hub.stores.works.work(AMC, "fee_2") as work:
        hub.stage(work, {PERSONS[0]: ["2"]})
        with pytest.raises(Refused, match="insurer_moving"):
            now(work.build(hub.settle, lambda _: None, over=False))


def test_a_move_broken_off_between_two_servers_is_gone_on_with_while_the_old_one_answers(hub: Moving) -> None:
    hub.break_off_between()
    told: list[Any] = []
    moved = hub.move("west", at("copying rights", lambda: told.append(hub.elsewhere(hub.reads))))
    assert told == [["1"]]
    assert (moved.taken_back, moved.target, hub.elsewhere(hub.reads)) == (False, "west", ["1"])
    assert hub.left_on("south") == ["0", "0", "0", "0"]


def test_a_new_server_lost_in_the_switch_leaves_the_old_one_answering(hub: Moving) -> None:
    def lose() -> None:
        backends = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        hub.sql("west", f"SELECT pg_terminate_backend(pid) {backends}")

    with pytest.raises(Refused, match="server west"):
        hub.move("west", at("switching", lose))
    assert hub.elsewhere(hub.reads) == ["1"]
    assert hub.elsewhere(hub.loads("fee_2", "2")) == "loaded"
    hub.servers["west"] = DEAD  # it does not come back
    moved = hub.elsewhere(lambda stores: stores.moves.move(AMC, "south", lambda *_: None))
    assert moved.taken_back
    hub.servers.pop("west")
    assert hub.elsewhere(hub.reads) == ["2"]


def test_a_move_that_was_taken_back_does_not_end(hub: Moving) -> None:
    """Whoever stood still in the switch and comes back is too late: the old server serves, and goes on writing."""

    def takes_back() -> None:
        hub.sql("home", "UPDATE move SET state = 'returning', at_ts_us = at_ts_us + 1")

    with pytest.raises(Refused, match="insurer_moving"):
        hub.move("west", at("switching", takes_back))
    assert hub.elsewhere(lambda stores: stores.moves.where()) == {AMC: "south"}
    assert hub.elsewhere(hub.reads) == ["1"]


def test_a_move_that_lost_its_turn_does_not_give_old_rights_the_name_of_new_ones(hub: Moving) -> None:
    def loses_turn() -> None:
        hub.sql("south", "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
        time.sleep(0.2)
        assert hub.elsewhere(hub.loads("fee_2", "2")) == "loaded"

    with pytest.raises(Refused, match="database_unavailable: server south"):
        hub.move("west", at("copying engagements", loses_turn))
    assert hub.elsewhere(hub.reads) == ["2"]
    assert hub.elsewhere(lambda stores: stores.moves.move(AMC, "west", lambda *_: None)).rights == 1
    assert hub.elsewhere(hub.reads) == ["2"]


def test_rights_that_answer_and_are_not_those_copied_are_not_switched(hub: Moving) -> None:
    with pytest.raises(Refused, match="move_differs"):
        hub.move("west", at("switching", lambda: hub.sql("south", "UPDATE served SET feed = 'fee_9'")))
    assert hub.left_on("south") == ["1", "1", "0", "1"]


@pytest.mark.parametrize(
    ("target", "said"), [("north", "database_outdated: .*nothing"), ("dead", "database_unavailable: server dead")]
)
def test_a_server_that_cannot_take_an_insurer_leaves_no_move_behind(hub: Moving, target: str, said: str) -> None:
    with pytest.raises(Refused, match=said):
        hub.move(target)
    assert hub.sql("home", "SELECT count(*) FROM move") == "0"
    assert hub.move("west").target == "west"


def test_who_comes_during_a_move_is_told_so(hub: Moving) -> None:
    told: list[Any] = []

    def come() -> None:
        told.append(hub.elsewhere(hub.turns))
        told.append(hub.elsewhere(lambda stores: stores.moves.move(AMC, "west", lambda *_: None)))

    hub.move("west", at("copying rights", come))
    assert told == ["insurer_moving"] * 2


def test_a_move_during_a_load_is_told_of_the_load_and_leaves_nothing_behind(hub: Moving) -> None:
    async def loading() -> None:
        async with hub.stores.works.turn(AMC):
            moving = hub.elsewhere(lambda stores: stores.moves.move(AMC, "west", lambda *_: None))
            assert moving == "feed_in_progress"

    now(loading())
    assert hub.sql("home", "SELECT count(*) FROM move") == "0"


GIVEN = """
    INSERT INTO engagement (number, insurer, practice, sealed)
    SELECT 'E26' || lpad(to_hex(n), 13, '0'), '{insurer}', '370000028', sha512(CAST(CAST(n AS text) AS bytea))
    FROM generate_series({first}, {last}) AS n"""


def test_an_engagement_of_an_old_number_written_late_moves_too(hub: Moving) -> None:
    hub.sql("south", GIVEN.format(insurer=AMC, first=1_000, last=25_000))
    late = GIVEN.format(insurer=AMC, first=1, last=1)
    moved = hub.move("west", at("switching", lambda: hub.sql("south", late)))
    assert moved.engagements == 24_002
    assert hub.left_on("west") == ["1", "1", "24002", "1"]


def test_the_switch_takes_no_longer_for_more_engagements(hub: Moving) -> None:
    """It once hashed all of them on both sides while nobody served the insurer: as long as the copy itself."""
    hub.sql("south", GIVEN.format(insurer=AMC, first=1, last=150_000))
    begun: list[float] = []
    moved = hub.move("west", lambda _: begun.append(time.monotonic()))
    copying_ms = (begun[-1] - begun[-2]) * 1000
    assert moved.engagements == 150_000
    assert moved.paused_ms * 3 < copying_ms


@pytest.mark.parametrize("lost", ["south", "west"])
def test_whichever_server_is_lost_in_the_middle_of_a_copy_ends_it_and_is_named(hub: Moving, lost: str) -> None:
    """Who lost the old server was told of the new one."""
    hub.sql("south", GIVEN.format(insurer=AMC, first=1, last=150_000))
    copies = "FROM pg_stat_activity WHERE query LIKE 'COPY%' AND datname = current_database()"

    def lose() -> None:
        until_s = time.monotonic() + 20
        while hub.sql(lost, f"SELECT count(pg_terminate_backend(pid)) {copies}") == "0":
            assert time.monotonic() < until_s, "nothing was copied"

    losing = threading.Thread(target=lose)
    with pytest.raises(Refused, match=f"database_unavailable: server {lost}"):
        hub.move("west", at("copying engagements", losing.start))
    losing.join()
    assert hub.elsewhere(hub.reads) == ["1"]


def test_what_takes_long_locks_no_table_of_all_insurers(hub: Moving) -> None:
    async def locked() -> set[str]:
        south, west = (HubServer(name, hub.servers[name], 2) for name in ("south", "west"))
        source, target = [Side(each, await each.dedicated(LOAD)) for each in (south, west)]
        async with source.connection.transaction():
            for parent in ("rights", "members"):
                await content(source, parent, AMC)
                await copy_table(source, target, parent, AMC, "fee_1")
            await kept_tables(source.connection, AMC, 1)
            query = (
                "SELECT relation::regclass::text FROM pg_locks WHERE pid = pg_backend_pid() AND relation IS NOT NULL"
            )
            found = {name for (name,) in await source.connection.fetch(query)}
        for side in (source, target):
            side.connection.terminate()
            await side.server.close()
        return found

    found = now(locked())
    assert f"rights_{AMC}_fee_1" in found
    assert not found & {"rights", "members"}


READ_S = 2.5  # how long somebody reads the rights of all insurers, as a dump does, while a switch waits
HELD_UP_S = 0.5  # a look-up takes milliseconds, and a tenth of a second more behind one who waits


@pytest.mark.parametrize("what", ["load", "move"])
def test_who_waits_for_a_long_reader_does_not_hold_up_other_insurers(hub: Moving, what: str) -> None:
    hub.elsewhere(lambda stores: stores.products.add(OTHER_AMC, read_product(PRODUCT), 1))
    busy = "south"
    if what == "move":
        busy = "west"
        hub.elsewhere(lambda stores: stores.moves.move(OTHER_AMC, "west", lambda *_: None))
    act = {"load": hub.loads("fee_2", "2"), "move": lambda stores: stores.moves.move(AMC, "west", lambda *_: None)}[
        what
    ]
    waits_s: list[float] = []

    async def asking() -> None:
        reader = await asyncpg.connect(hub.servers[busy])
        async with reader.transaction():
            await reader.execute("LOCK TABLE rights IN ACCESS SHARE MODE")
            acted = asyncio.create_task(asyncio.to_thread(hub.elsewhere, act))
            while not await reader.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                await asyncio.sleep(0.01)
            until_s = time.monotonic() + READ_S
            while time.monotonic() < until_s:
                begun_s = time.monotonic()
                await hub.read(PERSONS[0], insurer=OTHER_AMC)
                waits_s.append(time.monotonic() - begun_s)
                await asyncio.sleep(0.02)
        await reader.close()
        assert (await acted) not in ("database_busy", "database_unavailable")

    now(asking())
    assert sum(each for each in waits_s if each > HELD_UP_S) < READ_S / 3
