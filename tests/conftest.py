"""What every test may ask for: a PostgreSQL server, started once, and a fresh migrated database on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers import Server, started


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """One server for the whole run, not durable."""
    with started() as server:
        yield server


@pytest.fixture
def postgres_url(postgres: Server) -> Iterator[str]:
    """The URL of a fresh, migrated database, for its owner; `server.url(name, role=…)` for others."""
    database = postgres.fresh()
    yield postgres.url(database)
    postgres.drop(database)
