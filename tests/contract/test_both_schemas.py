"""One schema, two engines: the same columns and indexes but for those listed; the first version's data goes up on both."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ecluse.engines.schema import FIRST, HEAD
from ecluse.engines.upgrade import check, climb, server, upgrade
from ecluse.kernel.errors import Refused
from tests.first import rows, write_first
from tests.servers import Server, started

# What SQLite has not: the embedded engine keeps rights and engagements in files of their own, and has one home.
TABLES_OF_POSTGRESQL_ALONE = {"engagement", "mark", "members", "move", "rights", "served"}
COLUMNS_OF_POSTGRESQL_ALONE = {("insurer", "server")}
KINDS = {"TEXT": "text", "INTEGER": "whole", "BIGINT": "whole", "BLOB": "bytes", "BYTEA": "bytes"}


def within(url: str, work: Callable[[sa.Connection], Any]) -> Any:
    async def run() -> Any:
        async with server(url).begin() as connection:
            return await connection.run_sync(work)

    return asyncio.run(run())


def shape(connection: sa.Connection) -> dict[str, Any]:
    inspected = sa.inspect(connection)
    return {name: (columns(inspected, name), indexes(inspected, name)) for name in inspected.get_table_names()}


def columns(inspected: sa.Inspector, table: str) -> list[tuple[Any, ...]]:
    key = inspected.get_pk_constraint(table)["constrained_columns"]
    return [
        (
            each["name"],
            kind(str(each["type"])),
            each["nullable"],
            each["name"] in key,
        )
        for each in inspected.get_columns(table)
        if (table, each["name"]) not in COLUMNS_OF_POSTGRESQL_ALONE
    ]


def kind(written: str) -> str:
    return KINDS.get(written.partition(" ")[0], written)


def indexes(inspected: sa.Inspector, table: str) -> list[tuple[Any, ...]]:
    return sorted(
        (
            each["name"],
            each["column_names"],
            bool(each["unique"]),
            any("where" in name for name in each["dialect_options"]),
        )
        for each in inspected.get_indexes(table)
    )


def test_both_engines_have_the_same_tables(tmp_path: Path, postgres_url: str) -> None:
    upgrade(f"sqlite:{tmp_path}/hub.db")
    with sa.create_engine(f"sqlite:///{tmp_path}/hub.db").connect() as connection:
        embedded = shape(connection)
    served = within(postgres_url, shape)
    assert served.keys() - embedded.keys() == TABLES_OF_POSTGRESQL_ALONE
    assert {name: served[name] for name in embedded} == embedded


def test_text_is_ordered_by_bytes_whatever_the_language_of_the_server(postgres_url: str) -> None:
    query = sa.text(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
        " AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'"
    )
    assert within(postgres_url, lambda connection: connection.execute(query).fetchall()) == []


def test_every_table_says_what_it_is(postgres_url: str) -> None:
    def unsaid(connection: sa.Connection) -> list[str]:
        inspected = sa.inspect(connection)
        return [name for name in inspected.get_table_names() if not inspected.get_table_comment(name)["text"]]

    assert within(postgres_url, unsaid) == ["alembic_version"]


def filled(url: str, data: dict[str, list[Any]]) -> None:
    """The first revision on PostgreSQL, with these rows."""

    def fill(connection: sa.Connection) -> None:
        climb(connection, FIRST)
        for name, found in data.items():
            table = sa.Table(name, sa.MetaData(), autoload_with=connection)
            connection.execute(table.insert(), [dict(zip(table.columns.keys(), row, strict=True)) for row in found])

    within(url, fill)


def kept(url: str, names: list[str]) -> dict[str, list[Any]]:
    def read(connection: sa.Connection) -> dict[str, list[Any]]:
        found = {name: connection.execute(sa.text(f"SELECT * FROM {name}")).fetchall() for name in names}
        return {name: sorted((tuple(row) for row in each), key=repr) for name, each in found.items()}

    return within(url, read)


def first_data(tmp_path: Path) -> dict[str, list[Any]]:
    return rows(sqlite3.connect(write_first(tmp_path / "first.db")))


def test_the_first_versions_data_goes_up_on_postgresql(tmp_path: Path, postgres: Server) -> None:
    data, url = first_data(tmp_path), postgres.url(postgres.empty())
    filled(url, data)
    with pytest.raises(Refused, match="database_outdated"):
        check(url).hold()
    done = upgrade(url)
    assert (done.before, done.after, done.notes) == (FIRST, HEAD, ())
    check(url).hold()
    used = data.pop("used")
    now = kept(url, [*data, "consumed"])
    assert now.pop("consumed") == [(*who, f"{year}-01-01", acts, cents) for *who, year, acts, cents in used]
    assert now.pop("insurer") == [(*row, None, None) for row in data.pop("insurer")]  # no home yet, no public key
    assert now == data
    last = max(row[0] for row in data["posting"])
    assert within(url, lambda one: one.scalar(sa.text("SELECT nextval('posting_entry')"))) == last + 1


def test_tables_made_before_revisions_were_counted_are_recognised(postgres: Server) -> None:
    url = postgres.url(postgres.empty())

    def old(connection: sa.Connection) -> None:
        climb(connection, FIRST)
        connection.execute(sa.text("DROP TABLE alembic_version"))

    within(url, old)
    assert check(url).revision == FIRST
    assert upgrade(url).before == FIRST


def test_an_upgrade_that_fails_changes_nothing(postgres: Server) -> None:
    url = postgres.url(postgres.empty())
    within(url, lambda connection: climb(connection, FIRST))
    within(url, lambda connection: connection.execute(sa.text("CREATE TABLE served (mine text)")))
    with pytest.raises(sa.exc.ProgrammingError, match="already exists"):
        upgrade(url)
    assert check(url).revision == FIRST
    assert "rights" not in within(url, lambda connection: sa.inspect(connection).get_table_names())


def test_two_programs_may_upgrade_at_once_and_a_second_time_changes_nothing(postgres: Server) -> None:
    url = postgres.url(postgres.empty())
    with ThreadPoolExecutor(2) as two:
        done = list(two.map(upgrade, [url] * 2))
    assert sorted(each.before for each in done) == ["", HEAD]
    before = within(url, shape)
    assert upgrade(url).before == HEAD
    assert within(url, shape) == before


def test_two_new_databases_of_one_new_server_may_be_made_at_once() -> None:
    """Roles are the server's: whoever came second was once told of a bug."""
    with started() as fresh, ProcessPoolExecutor(2, get_context("spawn")) as two:
        done = list(two.map(upgrade, [fresh.url(fresh.empty()) for _ in range(2)]))
    assert [(each.before, each.notes) for each in done] == [("", ())] * 2


def test_a_new_hub_takes_no_database_of_another(postgres_url: str) -> None:
    upgrade(postgres_url, new=True)  # made for it beforehand, and empty
    within(postgres_url, lambda one: one.execute(sa.text("INSERT INTO mark VALUES ('w0', 1)")))
    with pytest.raises(Refused, match="database_in_use"):
        upgrade(postgres_url, new=True)
    upgrade(postgres_url)


def test_a_newer_database_is_refused(postgres_url: str) -> None:
    within(postgres_url, lambda one: one.execute(sa.text("UPDATE alembic_version SET version_num = '9999'")))
    for refused in (lambda: upgrade(postgres_url), check(postgres_url).hold):
        with pytest.raises(Refused, match="database_newer"):
            refused()
