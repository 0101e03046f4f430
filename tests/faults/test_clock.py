"""A clock that is set back or ahead: what was decided last is in force, whatever the hour was said to be."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from ecluse.coverage.product import read_product, version
from ecluse.engines import postgres, sqlite
from ecluse.engines.keys.file import open_keys
from ecluse.engines.keys.keyring import Opening
from ecluse.engines.stores import Stores
from tests.journeys.site import AMC, PRODUCT
from tests.stores import EMBEDDED, books

HOUR_US = 3_600_000_000
NOW_US = 1_800_000_000_000_000


@pytest.fixture(params=["sqlite", "postgresql"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Stores]:
    """What opens the stores of each engine, on an event loop."""
    sealed = open_keys(Opening("hub.keys", tmp_path, "a long passphrase"), new=True)
    engine = sqlite if request.param == "sqlite" else postgres
    url = EMBEDDED if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    books(tmp_path / "hub.db")
    return lambda: engine.open_stores(url, tmp_path, sealed, servers={}, insurers={}, connections_max=2)


@pytest.mark.parametrize("shift_us", [-HOUR_US, 0, HOUR_US])
def test_the_table_loaded_last_is_in_force(opened: Callable[[], Stores], shift_us: int) -> None:
    first = read_product(PRODUCT.encode())
    second = read_product(PRODUCT.replace("200", "150").encode())

    async def load() -> list[str]:
        stores = opened()
        in_force = []
        for at_us, product in ((NOW_US, first), (NOW_US + shift_us, second), (NOW_US + 2 * shift_us, first)):
            assert await stores.products.add(AMC, product, at_us)
            in_force.append(await fresh())
        await stores.close()
        return in_force

    async def fresh() -> str:
        stores = opened()  # another process: the first remembers a version for a second
        found = await stores.products.in_force(AMC, "BASE")
        await stores.close()
        return found

    assert asyncio.run(load()) == [version(first), version(second), version(first)]
