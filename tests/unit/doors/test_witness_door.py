"""A witness keeps nobody waiting for who does not send: the door alone, without a server."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from litestar.types import Scope

from ecluse.app.ports.witness import WitnessBook
from ecluse.doors.http import slow_bodies
from ecluse.doors.witness import WitnessDoor

ASKED = cast("Scope", {"type": "http", "method": "POST", "path": "/add-checkpoint"})


def test_a_submission_that_does_not_come_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_bodies, "BODY_S", 0.05)
    said: list[Any] = []

    async def receive() -> Any:
        await asyncio.sleep(60)

    async def send(message: Any) -> None:
        said.append(message)

    async def once() -> None:
        async with asyncio.timeout(10):
            await WitnessDoor(cast("WitnessBook", None))(ASKED, receive, send)

    asyncio.run(once())
    assert said[0]["status"] == 408
    assert said[1]["body"].startswith(b"body_late")
