"""Hubs for journeys: one served for a whole module, with one member in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.journeys.site import Site
from tests.servers import Server
from tests.stores import EMBEDDED, ENGINES, VARIABLE


@pytest.fixture(scope="module", params=ENGINES)
def store(request: pytest.FixtureRequest) -> dict[str, str]:
    """What a hub of each engine in turn has in its environment; one fresh store a module."""
    if request.param == "sqlite":
        return {VARIABLE: EMBEDDED}
    server: Server = request.getfixturevalue("postgres")
    return {VARIABLE: server.url(server.fresh())}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, store: dict[str, str]) -> Iterator[Site]:
    """A hub that serves one insurer, one product and the member of `site.MEMBER`."""
    made = Site(tmp_path_factory.mktemp("site") / "hub", **store)
    made.make()
    made.load([{}])
    made.start()
    yield made
    made.stop()
