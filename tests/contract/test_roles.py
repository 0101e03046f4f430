"""Least privilege, by trying: what each role may not do, PostgreSQL refuses; nobody changes or removes a posting."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from ecluse.engines.roles import BOOKS, CHECK, LOAD, ROLES
from ecluse.engines.upgrade import upgrade
from tests.servers import Server, started

POSTING = "INSERT INTO posting VALUES (nextval('posting_entry'), 1, 'bank', 0, 'x', 'y', 0)"


def ask(url: str, *statements: str) -> Any:
    """Run statements in one transaction; the rows of the last one."""

    async def asked() -> Any:
        connection = await asyncpg.connect(url)
        try:
            async with connection.transaction():
                for statement in statements[:-1]:
                    await connection.execute(statement)
                return [tuple(row) for row in await connection.fetch(statements[-1])]
        finally:
            await connection.close()

    return asyncio.run(asked())


@pytest.fixture
def hub(postgres_url: str) -> str:
    """A database with one insurer's rights, made and put in place by the loader; one posting, by the till."""
    ask(f"{postgres_url}?role={BOOKS}", POSTING)
    ask(
        f"{postgres_url}?role={LOAD}",
        "CREATE TABLE rights_0075123456 (insurer text COLLATE \"C\" NOT NULL DEFAULT '0075123456' CHECK (insurer = '0075123456'),"
        " person bytea NOT NULL, n int NOT NULL, sealed bytea NOT NULL, PRIMARY KEY (person, n))",
        "INSERT INTO rights_0075123456 (person, n, sealed) VALUES ('\\x01', 0, '\\x02')",
        "ALTER TABLE rights ATTACH PARTITION rights_0075123456 FOR VALUES IN ('0075123456')",
    )
    return postgres_url


MAY = [
    (CHECK, "SELECT sealed FROM rights WHERE insurer = '0075123456' AND person = '\\x01'"),
    (CHECK, "SELECT sealed FROM rights_0075123456"),  # made later by the loader: readable without a word more
    (CHECK, "INSERT INTO engagement VALUES ('E1', 'a', 'p', '\\x00') ON CONFLICT DO NOTHING"),
    (CHECK, "INSERT INTO mark VALUES ('s', 1) ON CONFLICT (slot) DO UPDATE SET position = excluded.position"),
    (CHECK, "SELECT version_num FROM alembic_version"),
    (BOOKS, POSTING),
    (BOOKS, "UPDATE claim SET state = 'paid'"),
    (BOOKS, "UPDATE approval SET state = 'used'"),
    (BOOKS, "UPDATE product SET loaded_ts_us = 1"),
    (BOOKS, "SELECT sealed FROM engagement"),
    (LOAD, "ALTER TABLE rights DETACH PARTITION rights_0075123456"),
    (LOAD, "UPDATE served SET feed = 'fee_1'"),
]
MAY_NOT = [
    *((CHECK, f"{verb} rights{table}") for table in ("", "_0075123456") for verb in ("DELETE FROM", "TRUNCATE")),
    (CHECK, "UPDATE rights SET sealed = ''"),
    (CHECK, "UPDATE rights_0075123456 SET sealed = ''"),
    (CHECK, "INSERT INTO rights VALUES ('0075123456', '\\x03', 0, '')"),
    (CHECK, "UPDATE members SET person = ''"),
    (CHECK, "UPDATE engagement SET sealed = ''"),
    (CHECK, "DELETE FROM engagement"),
    (CHECK, "UPDATE served SET feed = ''"),
    (CHECK, "CREATE TABLE mine (a int)"),
    *(
        (CHECK, f"SELECT * FROM {table}")
        for table in ("claim", "posting", "practice", "insurer", "remittance", "consumed", "reserved", "approval")
    ),
    *(
        (BOOKS, f"DELETE FROM {table}")
        for table in (
            "claim",
            "claim_move",
            "approval",
            "approval_move",
            "posting",
            "feed",
            "practice",
            "move",
            "served",
        )
    ),
    *((BOOKS, f"UPDATE {table} SET state = 'paid'") for table in ("claim_move", "approval_move")),
    (BOOKS, "UPDATE product SET body = ''"),
    (BOOKS, "SELECT * FROM rights"),
    (BOOKS, "CREATE TABLE mine (a int)"),
    (LOAD, "SELECT * FROM claim"),
    (LOAD, "INSERT INTO posting VALUES (2, 1, 'bank', 0, 'x', 'y', 0)"),
    *((role, "UPDATE posting SET amount_cents = 1") for role in ROLES),
    *((role, "ALTER TABLE posting DISABLE TRIGGER ALL") for role in ROLES),
]


@pytest.mark.parametrize(("role", "statement"), MAY)
def test_a_role_may_do_its_work(hub: str, role: str, statement: str) -> None:
    ask(f"{hub}?role={role}", statement)


def test_a_role_may_do_nothing_else(hub: str) -> None:
    for role, statement in MAY_NOT:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            ask(f"{hub}?role={role}", statement)


def test_nobody_changes_or_removes_a_posting_not_even_the_owner(hub: str) -> None:
    for statement, word in (
        ("UPDATE posting SET amount_cents = 1", "changed"),
        ("DELETE FROM posting", "removed"),
        ("TRUNCATE posting", "removed"),
        (
            "INSERT INTO posting VALUES (1, 1, '', 0, '', '', 0) ON CONFLICT (entry, n) DO UPDATE SET about = ''",
            "changed",
        ),
    ):
        for first in ("SELECT 1", "SET LOCAL session_replication_role = replica"):
            with pytest.raises(asyncpg.IntegrityConstraintViolationError, match=f"a posting is never {word}"):
                ask(hub, first, statement)
    assert ask(hub, "SELECT count(*), sum(amount_cents) FROM posting") == [(1, 0)]


def owned(server: Server, user: str, options: str) -> str:
    """The URL of an empty database that `user`, an ordinary one, owns."""
    server.sql(f"CREATE ROLE {user} LOGIN {options}")
    database = server.empty()
    server.sql(f"ALTER DATABASE {database} OWNER TO {user}")
    return server.url(database, user=user)


def test_an_owner_who_is_no_superuser_is_told_what_it_may_not_do() -> None:
    with started() as server:
        poor = owned(server, "poor", "")
        notes = upgrade(poor).notes
        assert [note for note in notes if "does not exist" in note] == [
            note for note in notes if note.startswith("role ")
        ]
        assert len(notes) == len(ROLES) + 1
        rich = owned(server, "rich", "CREATEROLE")
        assert upgrade(rich).notes == ()
        ask(f"{rich}?role={CHECK}", "SELECT * FROM rights")
        assert any("may not take" in note for note in upgrade(poor).notes)
        server.sql(f"GRANT {', '.join(ROLES)} TO poor")
        assert upgrade(poor).notes == ()
        ask(f"{poor}?role={CHECK}", "SELECT * FROM rights")
