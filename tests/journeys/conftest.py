"""Hubs for journeys: one served for a whole module, with one member in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.journeys.site import Site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A hub that serves one insurer, one product and the member of `site.MEMBER`."""
    made = Site(tmp_path_factory.mktemp("site") / "hub")
    made.make()
    made.load([{}])
    made.start()
    yield made
    made.stop()
