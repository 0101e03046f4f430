"""What every test may ask for: a PostgreSQL server, started once, fresh migrated databases on it, a store of each engine."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from hypothesis import settings

from tests.servers import Server, started
from tests.stores import EMBEDDED, ENGINES, VARIABLE

# A machine that is busy is not a bug: no deadline. `make test` plays every law in full: a hundred examples, or as many as the law
# says (tests/laws.py). Pytest called by hand plays a quarter of them.
settings.register_profile("house", deadline=None)
settings.register_profile("quick", settings.get_profile("house"), max_examples=25)
settings.load_profile("quick")


def pytest_collection_finish() -> None:
    """Thousands of tests stay until the end: the garbage collector no longer looks through them, a tenth of the time."""
    gc.freeze()


Fresh = Callable[[], AbstractContextManager[str]]


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


@pytest.fixture(params=ENGINES)
def fresh_store(request: pytest.FixtureRequest) -> Fresh:
    """Makes the URL of a fresh store, of each engine in turn; for tests that need several."""

    @contextmanager
    def embedded() -> Iterator[str]:
        yield EMBEDDED

    @contextmanager
    def served() -> Iterator[str]:
        server: Server = request.getfixturevalue("postgres")
        database = server.fresh()
        yield server.url(database)
        server.drop(database)

    return embedded if request.param == "sqlite" else served


@pytest.fixture
def store_url(fresh_store: Fresh, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of a fresh store, of each engine in turn; every hub of the test takes it, for it is in the environment."""
    with fresh_store() as url:
        monkeypatch.setenv(VARIABLE, url)
        yield url


@pytest.fixture
def examples(request: pytest.FixtureRequest, fresh_store: Fresh) -> int:
    """How many histories to play: a history says as much on either engine, and a server adds a database to each."""
    return 12 if request.node.callspec.params["fresh_store"] == "sqlite" else 5
