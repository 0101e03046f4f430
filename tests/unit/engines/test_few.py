"""A few at once, in order; some more wait; others are told at once."""

from __future__ import annotations

import asyncio

import pytest

from ecluse.engines.few import Few


def test_some_wait_in_order_and_others_are_told_at_once() -> None:
    async def crowd() -> tuple[list[int], list[object]]:
        few, done = Few(2, 3, wait_s=60), list[int]()

        async def one(number: int) -> None:
            async with few.place():
                await asyncio.sleep(0.01)
                done.append(number)

        return done, await asyncio.gather(*map(one, range(7)), return_exceptions=True)

    done, told = asyncio.run(crowd())
    assert (done, [type(each) for each in told]) == ([0, 1, 2, 3, 4], [type(None)] * 5 + [OSError] * 2)


def test_who_waits_in_vain_or_goes_away_leaves_the_place_to_others() -> None:
    async def crowd() -> None:
        few = Few(1, 2, wait_s=0.01)
        async with few.place():
            with pytest.raises(OSError):  # noqa: PT011 - a timeout is one
                await few.place().__aenter__()
            gone = asyncio.create_task(few.place().__aenter__())
            await asyncio.sleep(0)
            gone.cancel()
        for _ in range(3):
            async with few.place():
                pass

    asyncio.run(crowd())
