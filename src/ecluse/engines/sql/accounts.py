"""Accounts of guarantees: what claims used of them by day of care, and what promises reserve.

The name of an account holds a contract number, which only a keyed name keeps from being guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from ecluse.app.ports import Keys
from ecluse.claims.claim import Claim
from ecluse.claims.filing import Reserving
from ecluse.coverage.accounts import Dated, Spans
from ecluse.coverage.line import Used
from ecluse.engines.sql.unit import Tx

Consumption = Mapping[tuple[str, date], Used]  # by account and day of care


class Accounts:
    """Reads and changes them inside a unit of work that holds the person."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    async def used(
        self, tx: Tx, insurer: str, person: bytes, spans: Spans, today: date, holder: str
    ) -> dict[str, list[Dated]]:
        """What was used of each account, and what others than `holder` have reserved and still hold `today`."""
        found = {}
        for name, (first, last) in spans.items():
            rows = await tx.all(
                "used",
                **self._named(insurer, person, name),
                first=first.isoformat(),
                last=last.isoformat(),
                today=today.isoformat(),
                holder=holder,
            )
            found[name] = [(date.fromisoformat(day), Used(acts, cents)) for day, acts, cents in rows]
        return found

    async def use(self, tx: Tx, claim: Claim, consumption: Consumption) -> None:
        """A claim was accepted: what it uses is no longer reserved by the promise it stands under."""
        for (name, day), used in sorted(consumption.items()):  # the same order in every claim
            row = self._named(claim.insurer, claim.person, name)
            await tx.run("use", **row, day=day.isoformat(), acts=used.acts, cents=used.cents)
            if claim.holder:
                await _release(tx, row | {"holder": claim.holder}, day, used)

    async def give_back(self, tx: Tx, claim: Claim, consumption: Consumption) -> None:
        """A claim was cancelled."""
        for (name, day), used in sorted(consumption.items()):
            row = self._named(claim.insurer, claim.person, name)
            await tx.run("use", **row, day=day.isoformat(), acts=-used.acts, cents=-used.cents)

    async def reserve(self, tx: Tx, reserving: Reserving, consumption: Consumption) -> None:
        """Reserve this, in the place of all that the holder had reserved."""
        await self.free(tx, reserving.holder)
        for (name, day), used in sorted(consumption.items()):
            row = self._named(reserving.insurer, reserving.person, name) | {"holder": reserving.holder}
            await _reserve(tx, row, day.isoformat(), used, reserving.until.isoformat())

    async def free(self, tx: Tx, holder: str) -> None:
        """Nothing is reserved by the holder any more."""
        await tx.run("free", holder=holder)

    async def hold_again(self, tx: Tx, claim: Claim, consumption: Consumption, until: date) -> None:
        """What a cancelled claim gave back is reserved once more by the promise it stood under."""
        for (name, day), used in sorted(consumption.items()):
            row = self._named(claim.insurer, claim.person, name) | {"holder": claim.holder}
            values = {"day": day.isoformat(), "acts": used.acts, "cents": used.cents, "until": until.isoformat()}
            await tx.run("reserve_more", **row, **values)

    def _named(self, insurer: str, person: bytes, name: str) -> dict[str, Any]:
        keyed = self._keys.digest(insurer, b"used|1|" + name.encode()).hex()
        return {"insurer": insurer, "person": person, "account": keyed}


async def _release(tx: Tx, row: Mapping[str, Any], day: date, used: Used) -> None:
    """Take `used` from what the holder reserved: of the same day first, then of others, as care is often moved."""
    left = used
    for reserved_for, acts, cents, until in await tx.all("held", **row, day=day.isoformat()):
        taken = Used(min(acts, left.acts), min(cents, left.cents))
        left = Used(left.acts - taken.acts, left.cents - taken.cents)
        await _reserve(tx, row, reserved_for, Used(acts - taken.acts, cents - taken.cents), until)


async def _reserve(tx: Tx, row: Mapping[str, Any], day: str, used: Used, until: str) -> None:
    await tx.run("reserve", **row, day=day, acts=used.acts, cents=used.cents, until=until)
