"""What a refusal says beside its body."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ecluse.app.at_once import TOO_MANY_AT_ONCE
from ecluse.app.feeds import DELTAS_UNFIT
from ecluse.app.freezes import FREEZES_MANY
from ecluse.doors.http.problems import OVERLOADED, answer, send_problem
from ecluse.engines.sql.feeds import FEEDS_WAITING
from ecluse.gate.allowance import ALLOWANCE_SPENT
from ecluse.kernel.errors import NOT_FOUND, Refusal


@pytest.mark.parametrize(
    ("kind", "after"),
    [
        (TOO_MANY_AT_ONCE, "10"),
        (FEEDS_WAITING, "60"),
        (DELTAS_UNFIT, "86400"),
        (OVERLOADED, "1"),
        (ALLOWANCE_SPENT, None),  # what gives room is a pass or a settled claim
        (FREEZES_MANY, None),
        (NOT_FOUND, None),
    ],
)
def test_who_is_to_wait_is_told_how_long(kind: Refusal, after: str | None) -> None:
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope: Any = {}
    asyncio.run(send_problem(kind(), scope, send))
    bare = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    assert (bare.get("retry-after"), answer(kind(), scope).headers.get("retry-after")) == (after, after)
