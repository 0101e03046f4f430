"""Bring a database to the newest revision, by Alembic, in one transaction: all of it or nothing, on SQLite and PostgreSQL.

Done twice it changes nothing the second time; done by two programs at once, the second waits for the first. A SQLite file
with data in it is first copied beside itself. There is no way back but that copy (or a PostgreSQL backup). In one process,
one at a time: Alembic's context is a global.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool, StaticPool

from ecluse.engines import granting
from ecluse.engines.durable import sync
from ecluse.engines.postgres.hosts import primary_of
from ecluse.engines.schema import DATABASE_NEWER, FIRST, HEAD, Schema, Upgraded, named, revision_of
from ecluse.engines.sql.unit import DATABASE_BUSY
from ecluse.engines.sqlite.connection import connect
from ecluse.kernel.errors import refusal

MIGRATIONS = Path(__file__).with_name("migrations")
BUSY_MS = 30_000  # another program's upgrade of a large file copies it first: half a minute is some 10 GB
LOCK = 0x65636C75  # "eclu": the advisory lock two upgrades of one PostgreSQL database queue for
CONNECT_S = 10  # a server that does not answer in that time is down

# Whatever a hub does first leaves a row in one of these.
OF_A_HUB = {"served", "product", "feed", "practice", "insurer", "claim", "mark", "engagement"}

Outcome = TypeVar("Outcome")

DATABASE_UNREACHABLE = refusal(
    "database_unreachable",
    503,
    "The database cannot be reached",
    fix="Check store.url, the server and its certificate.",
)

DATABASE_IN_USE = refusal(
    "database_in_use",
    409,
    "Another hub's data are in this database",
    fix="Name an empty database; or, if it is this hub's, restore its settings and keys instead of making new ones.",
)


def upgrade(url: str, *, new: bool = False) -> Upgraded:
    """Bring the database at `url` (`sqlite:/path`, `postgresql://…`) to `HEAD`; that of a `new` hub must be nobody's yet.

    Raises `database_newer`, `database_busy`, `database_unreachable`, `database_in_use`.
    """
    if url.startswith("sqlite:"):
        return _upgrade_file(Path(url.removeprefix("sqlite:")))
    return _ask(url, lambda connection: _upgrade_server(connection, named(url), new=new))


def check(url: str) -> Schema:
    """What the database at `url` has, without changing it. Raises `database_unreachable`."""
    if not url.startswith("sqlite:"):
        return _ask(url, lambda connection: _schema(connection, named(url)))
    path = Path(url.removeprefix("sqlite:"))
    if not path.exists():
        return Schema(database=url, revision="")
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        return Schema(database=url, revision=revision_of(connection))


# ---------------------------------------------------------------------------------------------------------------- SQLite


def _upgrade_file(path: Path) -> Upgraded:
    with closing(connect(path)) as file, _engine(file).begin() as connection:
        before = revision_of(file)
        if before == HEAD:
            return Upgraded(database=f"sqlite:{path}", before=before)
        _refuse_newer(str(path), before)
        kept = _keep(path, before) if before else ""
        climb(connection)
        return Upgraded(database=f"sqlite:{path}", before=before, kept=kept)


def _engine(file: sqlite3.Connection) -> sa.Engine:
    """SQLAlchemy around one open file; its transactions hold the only right to write, tables included."""
    file.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    engine = sa.create_engine("sqlite://", creator=lambda: file, poolclass=StaticPool)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: sa.Connection) -> None:
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    except sa.exc.OperationalError as busy:
        if getattr(busy.orig, "sqlite_errorcode", None) != sqlite3.SQLITE_BUSY:
            raise
        raise DATABASE_BUSY("another program writes to it: stop the hub first") from None


def _keep(path: Path, revision: str) -> str:
    """Copy the file beside itself, as it was last committed: whole and on disk, or not at all."""
    kept = path.with_name(f"{path.name}.{revision}")
    half = kept.with_name(f"{kept.name}.part")
    half.unlink(missing_ok=True)
    half.touch(mode=0o600)
    with closing(connect(path)) as source, closing(sqlite3.connect(half)) as copy:
        source.backup(copy)
    shutil.copymode(path, half)
    half.replace(kept)
    sync(kept.parent)
    return str(kept)


# ------------------------------------------------------------------------------------------------------------ PostgreSQL


def _ask(url: str, question: Callable[[sa.Connection], Outcome]) -> Outcome:
    """Ask in one transaction of one connection."""

    async def asked() -> Outcome:
        async with server(url).begin() as connection:
            return await connection.run_sync(question)

    return asyncio.run(asked())


def server(url: str) -> AsyncEngine:
    """SQLAlchemy over asyncpg, which reads the URL itself: sslmode, sslrootcert, role; of several hosts, the one that writes.

    To connect raises `database_unreachable`.
    """

    async def opened() -> Any:
        try:
            return await asyncpg.connect((await primary_of(url)).url, timeout=CONNECT_S)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as broken:
            raise DATABASE_UNREACHABLE(f"{named(url)}: {type(broken).__name__}: {broken}") from None

    return create_async_engine("postgresql+asyncpg://", async_creator=opened, poolclass=NullPool)


def _upgrade_server(connection: sa.Connection, database: str, *, new: bool) -> Upgraded:
    connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    before = _revision(connection)
    _refuse_newer(database, before)
    if new:
        _refuse_used(connection, database)
    if before != HEAD:
        climb(connection)
    return Upgraded(database=database, before=before, notes=granting.grant(connection))


def _schema(connection: sa.Connection, database: str) -> Schema:
    return Schema(database=database, revision=_revision(connection), notes=granting.missing(connection))


# ------------------------------------------------------------------------------------------------------------------ both


def _revision(connection: sa.Connection) -> str:
    found = MigrationContext.configure(connection).get_current_revision()
    return found or (FIRST if sa.inspect(connection).has_table("posting") else "")


def _refuse_newer(database: str, revision: str) -> None:
    if revision > HEAD:
        raise DATABASE_NEWER(f"{database} is at {revision}, this program knows {HEAD}")


def _refuse_used(connection: sa.Connection, database: str) -> None:
    """Keys drawn anew would open nothing that is there, and what they wrote would open for nobody else."""
    known = set(sa.inspect(connection).get_table_names())
    for table in sorted(known.intersection(OF_A_HUB)):
        if connection.execute(sa.text(f"SELECT EXISTS (SELECT FROM {table})")).scalar():  # noqa: S608 - a name of ours
            raise DATABASE_IN_USE(f"{database} has rows in {table}")


def climb(connection: sa.Connection, to: str = HEAD) -> None:
    """Run what is missing up to a revision; tables made before revisions were counted are those of the first one."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    inspected = sa.inspect(connection)
    if inspected.has_table("posting") and not inspected.has_table("alembic_version"):
        command.stamp(config, FIRST)
    command.upgrade(config, to)
