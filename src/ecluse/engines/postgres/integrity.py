"""What can be wrong inside one PostgreSQL server, as questions whose every row is something wrong; none means that all is well.

The server's own catalogue says most of it; the ledger is added up. Pages are read by whatever reads them: their checksums, when
the server keeps some, have then counted what did not match.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import asyncpg

from ecluse.app.ports.upkeep import Fault
from ecluse.engines.postgres.server import Server
from ecluse.engines.roles import BOOKS
from ecluse.kernel.errors import Refused

NAMED_MAX = 3  # of what is wrong in the same way
_RESTORE = "Promote a replica, or restore: docs/availability.md."


class Question(NamedTuple):
    """A question, what its rows are, what to do, whether the hub must not go on so. `home`: of the home server alone."""

    query: str
    wrong: str
    do: str
    grave: bool = True
    home: bool = False


QUESTIONS = (
    Question(
        """SELECT checksum_failures || ' pages' FROM pg_stat_database
        WHERE datname = current_database() AND checksum_failures > 0""",
        "do not match their checksums",
        f"{_RESTORE} Look at the disk first.",
    ),
    Question(
        # An insurer that has rights here, and no table of them attached where look-ups go.
        r"""SELECT parent || ' of ' || insurer FROM served CROSS JOIN (VALUES ('rights'), ('members')) AS parents (parent)
        WHERE feed <> '' AND NOT EXISTS (
            SELECT 1 FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
            WHERE inhparent = parent::regclass AND relname LIKE parent || '\_' || insurer || '\_%')""",
        "answer from no table",
        "Load the last full member file of that insurer again.",
    ),
    Question(
        r"""SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
        WHERE inhparent IN ('rights'::regclass, 'members'::regclass)
            AND NOT EXISTS (SELECT 1 FROM served WHERE relname LIKE '%\_' || insurer || '\_%')""",
        "answer for an insurer this server does not serve",
        "ecluse insurer move goes on with a move that was broken off.",
        grave=False,
    ),
    Question(
        r"""SELECT relname FROM pg_class WHERE relkind = 'r' AND NOT relispartition
            AND (relname LIKE 'rights\_%' OR relname LIKE 'members\_%') ORDER BY relname""",
        "are tables of a load that is under way or was killed",
        "Once no load is under way: load a member file of that insurer, which removes them.",
        grave=False,
    ),
    Question(
        "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid OR NOT indisready",
        "are indexes that cannot be used",
        "REINDEX each of them.",
    ),
    Question(
        "SELECT conrelid::regclass || ' ' || conname FROM pg_constraint WHERE NOT convalidated AND conrelid <> 0",
        "are constraints that were never checked",
        "ALTER TABLE … VALIDATE CONSTRAINT each of them.",
    ),
    Question(
        """SELECT 'posting_is_for_ever' WHERE NOT EXISTS (
            SELECT 1 FROM pg_trigger
            WHERE tgrelid = 'posting'::regclass AND tgname = 'posting_is_for_ever' AND tgenabled = 'A')""",
        "is not in force: postings can be changed",
        "ALTER TABLE posting ENABLE ALWAYS TRIGGER posting_is_for_ever; find out who turned it off.",
        home=True,
    ),
    Question(
        "SELECT 'entry ' || entry FROM posting GROUP BY entry HAVING sum(amount_cents) <> 0 ORDER BY entry",
        "of the ledger do not sum to zero",
        f"Pay nothing. {_RESTORE}",
        home=True,
    ),
    Question(
        "SELECT 'data checksums' WHERE current_setting('data_checksums') = 'off'",
        "are off: damage on the disk is not noticed",
        "Stop the server, `pg_checksums --enable`, start it.",
        grave=False,
    ),
)

_AMCHECK = """
    SELECT has_function_privilege(p.oid, 'EXECUTE') FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE proname = 'bt_index_check' AND pronargs = 1 AND n.nspname = ANY (current_schemas(false))"""
_INDEXES = """
    SELECT c.oid, c.relname FROM pg_class c JOIN pg_am ON pg_am.oid = c.relam
    WHERE c.relkind = 'i' AND amname = 'btree' AND relnamespace = 'public'::regnamespace ORDER BY relname"""


async def faults(server: Server, *, home: bool) -> list[Fault]:
    """Everything wrong on one server, in the order of `QUESTIONS`; one that does not answer is a fault itself."""
    try:
        async with server.connection(BOOKS) as connection:
            found = [await _asked(connection, each, server.name) for each in QUESTIONS if home or not each.home]
            return [*(each for each in found if each), *await _damaged(connection, server.name)]
    except Refused as refused:
        return [Fault(f"server {server.name}: {refused.code}", refused.refusal.fix)]


async def _asked(connection: asyncpg.Connection[Any], question: Question, server: str) -> Fault | None:
    rows = [row[0] for row in await connection.fetch(question.query)]
    if not rows:
        return None
    more = f" and {len(rows) - NAMED_MAX} more" if len(rows) > NAMED_MAX else ""
    return Fault(f"server {server}: {', '.join(rows[:NAMED_MAX])}{more} {question.wrong}", question.do, question.grave)


async def _damaged(connection: asyncpg.Connection[Any], server: str) -> list[Fault]:
    """B-tree indexes that amcheck finds damaged, where the extension is there and this role may use it."""
    if not await connection.fetchval(_AMCHECK):
        return []
    found = []
    for oid, name in await connection.fetch(_INDEXES):
        try:
            await connection.execute("SELECT bt_index_check($1::oid::regclass)", oid)
        except (asyncpg.IndexCorruptedError, asyncpg.DataCorruptedError):
            found.append(Fault(f"server {server}: index {name} is damaged", f"REINDEX INDEX {name}; look at the disk."))
    return found
