"""A member file is loaded beside the event loop of its process, which goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bench.members import AMC, PRODUCT_YAML, write_feed
from ecluse.app.feeds import Order, journalled, load_file
from ecluse.app.products import load_product
from ecluse.formats.feed.file import Mode
from ecluse.wiring import OpenHub, init_hub, open_hub


def test_the_loop_goes_on_while_a_file_is_sealed(tmp_path: Path) -> None:
    """Connections being made, and time limits, do not wait for the end of the sealing: they would be told out of time."""
    path = tmp_path / "members.csv"
    write_feed(path, 60_000)
    init_hub(tmp_path / "hub")
    turns, steps = 0, list[tuple[str, int]]()

    async def turning() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.001)
            turns += 1

    async def loaded(hub: OpenHub) -> None:
        await load_product(hub, AMC, PRODUCT_YAML.encode())
        beside = asyncio.create_task(turning())
        with hub.feeds.files.at(path) as file:
            await load_file(
                hub, file, Order(AMC, Mode.FULL), journalled(hub), lambda step, *_: steps.append((step, turns))
            )
        beside.cancel()

    with open_hub(tmp_path / "hub") as hub:
        hub.run(loaded(hub))
    for step in ("checking", "sealing"):
        first = next(seen for name, seen in steps if name == step)
        after = next(seen for name, seen in steps if seen > first and name != step)
        assert after - first >= 10, (step, steps)
