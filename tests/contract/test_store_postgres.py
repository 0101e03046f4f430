"""What only PostgreSQL can do wrong: roles of the connections really opened, a switch without its outcome, turns lost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from ecluse.app.ports import FeedCounts, Mark, RightsWork
from ecluse.engines.postgres.lookups import Lookups
from ecluse.engines.postgres.places import Places
from ecluse.engines.postgres.server import Server as HubServer
from ecluse.engines.roles import BOOKS, CHECK, LOAD, ROLES
from ecluse.engines.sql.ledger import book
from ecluse.kernel.errors import Refused
from ecluse.payments.ledger import accepted
from tests.contract.store_hub import AMC, NOWHERE, PERSONS, StoreHub, admission, engagement, entry, recovered
from tests.servers import Server, started
from tests.stores import Books, now


@pytest.fixture
def served(postgres_url: str, tmp_path: Path) -> Iterator[StoreHub]:
    """A hub on PostgreSQL."""
    made = StoreHub(postgres_url, tmp_path)
    yield made
    made.close()


@pytest.fixture
def books(postgres_url: str, tmp_path: Path) -> Iterator[Books]:
    """The same database, looked at by its owner."""
    opened = Books(postgres_url, tmp_path)
    yield opened
    now(opened.close())


def test_the_hub_takes_its_roles_and_no_other(served: StoreHub, books: Books) -> None:
    """Seen from the server while a hub works: who is connected, and as what."""
    served.load("fee_1", {PERSONS[0]: ["1"]})
    assert now(served.read(PERSONS[0])) == ["1"]
    seen = books.all(
        "SELECT DISTINCT application_name FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    assert {name for (name,) in seen} == set(ROLES)


@pytest.mark.parametrize("by_member", [False, True])
def test_of_an_insurer_that_is_not_served_somebody_is_looked_for_too(
    served: StoreHub, by_member: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the time of an answer tells which insurers are served: a question to the server takes longer than all the rest."""
    served.load("fee_1", {PERSONS[0]: ["1"]})
    asked: list[int] = []
    ask = Lookups._ask

    async def counted(self: Lookups, batch: list[Any]) -> None:
        asked.append(len(batch))
        await ask(self, batch)

    monkeypatch.setattr(Lookups, "_ask", counted)
    for insurer in (AMC, NOWHERE):
        assert now(served.read(b"?" * 16, insurer=insurer, by_member=by_member)) == []
    assert asked == [1, 1]


def test_a_switch_and_a_look_up_never_wait_for_each_other(served: StoreHub, postgres_url: str) -> None:
    """A look-up by member number takes `members`, then `rights`. It was a deadlock where the switch took `rights` first."""
    served.load("fee_1", {PERSONS[0]: ["1"]})
    served.begin("fee_2")

    async def both(work: RightsWork) -> None:
        reader = await asyncpg.connect(postgres_url)
        try:
            async with reader.transaction():
                await reader.execute("SELECT * FROM members")
                switching = asyncio.create_task(served.put_in_place(work))
                while not await reader.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                    await asyncio.sleep(0.01)
                await reader.execute("SET LOCAL lock_timeout = 500")
                await reader.execute("SELECT * FROM rights")
            await switching
        finally:
            await reader.close()

    with served.stores.works.work(AMC, "fee_2") as work:
        served.stage(work, {PERSONS[0]: ["2"]})
        now(both(work))
    assert now(served.read(PERSONS[0])) == ["2"]


def test_what_a_database_was_given_as_defaults_changes_nothing(postgres: Server) -> None:
    """Under `repeatable read` a limit was promised ten times; a lock of a whole load ended with its idle session."""
    name = postgres.fresh()
    for default in (
        "default_transaction_isolation = 'repeatable read'",
        "statement_timeout = 1000",
        "idle_session_timeout = 1000",
    ):
        postgres.sql(f"ALTER DATABASE {name} SET {default}")

    async def seen(role: str) -> list[str]:
        server = HubServer("home", postgres.url(name), 2)
        asked = ("default_transaction_isolation", "statement_timeout", "idle_session_timeout")
        async with server.connection(role) as connection:
            found = [await connection.fetchval(f"SHOW {each}") for each in asked]
        await server.close()
        return found

    assert {role: now(seen(role)) for role in ROLES} == {
        CHECK: ["read committed", "3s", "0"],
        BOOKS: ["read committed", "0", "0"],
        LOAD: ["read committed", "0", "0"],
    }


def test_a_server_whose_places_are_all_taken_lives() -> None:
    """Whoever works there and doubts is not cut off: the look for a lost server found no place, and took it for lost."""
    with started(settings={"max_connections": "8", "superuser_reserved_connections": "0"}) as full:
        url = full.url(full.fresh())

        async def story() -> None:
            server = HubServer("home", url, 2)
            others: list[Any] = []
            async with server.connection(BOOKS) as connection:
                with suppress(asyncpg.TooManyConnectionsError):
                    while True:
                        others.append(await asyncpg.connect(url))
                assert await server._finds()  # what a doubt does after five seconds
                assert await connection.fetchval("SELECT 1") == 1
            for each in others:
                await each.close()
            await server.close()

        now(story())


POSTING = "posting SET amount_cents = 1"
REFUSED = {
    CHECK: (
        "UPDATE rights SET sealed = ''",
        f"DELETE FROM rights WHERE insurer = '{AMC}'",
        f"UPDATE rights_{AMC}_fee_1 SET sealed = ''",
        "UPDATE members SET person = ''",
        "SELECT * FROM claim",
        "SELECT * FROM posting",
        "SELECT * FROM practice",
        f"UPDATE {POSTING}",
        "DELETE FROM posting",
    ),
    BOOKS: (
        f"UPDATE {POSTING}",
        "DELETE FROM posting",
        "TRUNCATE posting",
        "SELECT * FROM rights",
        "DELETE FROM claim",
    ),
    LOAD: (f"UPDATE {POSTING}", "DELETE FROM posting", "SELECT * FROM claim", "SELECT * FROM practice"),
}


@pytest.mark.parametrize("role", ROLES)
def test_what_a_connection_of_the_hub_may_not_do_it_cannot(
    served: StoreHub, books: Books, postgres_url: str, role: str
) -> None:
    served.load("fee_1", {PERSONS[0]: ["1"]})
    now(books.database.write(lambda tx: book(tx, [accepted("clm_1", AMC, "750000018", 100)], 1)))

    async def tries() -> None:
        server = HubServer("home", postgres_url, 2)
        async with server.connection(role) as connection:  # what every look-up, unit of work and load stands on
            assert await connection.fetchval("SELECT current_user") == role
            for statement in REFUSED[role]:
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(statement)
        await server.close()

    now(tries())
    assert books.all("SELECT sum(amount_cents), count(*) FROM posting") == [(0, 2)]


@pytest.mark.parametrize("over", [False, True], ids=["full", "delta"])
def test_killed_between_the_switch_and_its_telling(served: StoreHub, books: Books, over: bool) -> None:
    """The rights answer; the work is gone over again, and ends as if nothing had been: nothing is added twice."""
    served.load("fee_1", {PERSONS[0]: ["1"]})
    served.begin("fee_2")
    with served.stores.works.work(AMC, "fee_2") as work:
        served.stage(work, {PERSONS[0]: ["2"], PERSONS[1]: ["2"]})

        async def switch() -> FeedCounts:
            async with served.stores.works.turn(AMC):
                counts, _ = await work.build(served.settle, lambda _: None, over=over)
                await work.answer(counts, 7)
            return counts

        first = now(switch())
    books.change("UPDATE feed SET state = 'loading', counts = NULL WHERE id = 'fee_2'")
    served.stores = served.again()
    with served.stores.works.work(AMC, "fee_2") as work:
        again = now(served.put_in_place(work, over=over))
    assert (again.persons, again.rights) == (first.persons, first.rights)
    assert now(served.read(PERSONS[0])) == (["1", "2"] if over else ["2"])
    feed = now(served.stores.feeds.feed("fee_2"))
    assert (feed.state, feed.counts.persons, feed.counts.rights) == ("loaded", first.persons, first.rights)  # type: ignore[union-attr]


def test_who_lost_the_turn_does_not_switch(served: StoreHub, books: Books) -> None:
    """The connection that holds the turn is cut while the work goes on: somebody else may have the turn by now."""
    served.load("fee_1", {PERSONS[0]: ["old"]})
    served.begin("fee_2")
    other = served.again()

    async def cut() -> None:
        with served.stores.works.work(AMC, "fee_2") as work:
            served.stage(work, {PERSONS[0]: ["new"]})
            async with served.stores.works.turn(AMC):
                counts, _ = await work.build(served.settle, lambda _: None, over=False)
                books.all("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
                await asyncio.sleep(0.05)
                async with other.works.turn(AMC):
                    with pytest.raises(Refused, match="database_unavailable"):
                        await work.answer(counts, 7)

    now(cut())
    assert now(served.read(PERSONS[0])) == ["old"]


def test_engagements_outlive_the_lag_and_a_server_that_was_away(served: StoreHub, postgres: Server) -> None:
    """A writer that meets any error goes on with the next engagement."""

    async def story() -> None:
        await recovered(served.stores)
        served.stores.rights.keep([entry(served, "E1")], Mark("w0", 10))
        await asyncio.sleep(0.2)
        served.stores.rights.keep([entry(served, "E2")], Mark("w0", 20))
        await asyncio.sleep(0.2)
        other = served.again()
        for number in ("E1", "E2"):
            assert await other.rights.engagement(admission(number)) == engagement(number)
        assert await other.rights.marks() == {"w0": 20}

    now(story())


def test_what_a_server_loses_before_its_first_mark_is_copied_again(served: StoreHub, books: Books) -> None:
    """The mark that follows a copy once hid that the copy was lost meanwhile: nobody copied again."""

    async def story() -> None:
        rights = served.stores.rights
        assert await rights.marks() == {}
        rights.keep([entry(served, "E1")], Mark("w0", 10))
        await rights.flush()
        books.change("DELETE FROM engagement")
        rights.caught_up()
        await rights.flush()
        assert await rights.lags()
        assert await rights.marks() == {}
        rights.keep([entry(served, "E1")], Mark("w0", 10))
        rights.caught_up()
        await rights.flush()
        assert not await rights.lags()
        assert await served.again().rights.engagement(admission("E1")) == engagement("E1")
        assert await rights.marks() == {"w0": 10}

    now(story())


def test_an_asker_who_leaves_takes_nobody_along(postgres_url: str) -> None:
    """Whoever waits for the map of insurers with others may be cancelled: the others get it all the same."""

    async def story() -> None:
        places = Places({"home": HubServer("home", postgres_url, 2)}, {})
        first, second, third = (asyncio.create_task(places.server_of(AMC)) for _ in range(3))
        await asyncio.sleep(0)
        second.cancel()
        assert await first is None
        assert await third is None
        assert await asyncio.wait_for(places.server_of(AMC), 1) is None
        leader = asyncio.create_task(places.refresh())
        await asyncio.sleep(0)
        leader.cancel()
        await asyncio.gather(leader, return_exceptions=True)
        await places.place(AMC)
        assert await places.server_of(AMC) == "home"
        await places.close()

    now(story())


def test_an_insurer_is_placed_by_who_has_one_connection(postgres_url: str) -> None:
    """It once took a second one while it held the first: as many who placed at once as the pool has waited for each other."""

    async def story() -> None:
        places = Places({"home": HubServer("home", postgres_url, 1)}, {})
        await asyncio.gather(places.place(AMC), places.place("0075999999"))
        assert await places.server_of(AMC) == "home"
        await places.close()

    now(story())


def test_a_map_that_could_not_be_read_is_not_taken_for_an_empty_one() -> None:
    """While home does not answer and nothing is known, everybody is told so: nobody is told that the insurer is unknown."""

    async def story() -> None:
        places = Places({"home": HubServer("home", "postgresql://x@127.0.0.1:9/x", 2)}, {})
        for _ in range(3):
            with pytest.raises(Refused, match="database_unavailable"):
                await places.server_of(AMC)

    now(story())


def test_the_journals_engagements_are_copied_to_the_server_of_their_insurer_at_start(
    postgres: Server, tmp_path: Path
) -> None:
    """A new process knows no place yet when it copies what a killed one left."""
    home, south = (postgres.url(postgres.fresh()) for _ in range(2))
    hub = StoreHub(home, tmp_path, servers={"south": south}, insurers={AMC: "south"})

    async def story() -> None:
        started = hub.again()
        started.rights.keep([entry(hub, "E1")], Mark("w0", 10))
        await started.rights.flush()
        assert await hub.again().rights.engagement(admission("E1")) == engagement("E1")

    now(story())
    hub.close()
