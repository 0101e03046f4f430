"""Promises, whoever was given them: what an approval, or the last quote under an engagement, reserves still."""

from __future__ import annotations

from datetime import date
from functools import partial

from ecluse.app.ports import Keys
from ecluse.claims.approval import MOVES, Move, State
from ecluse.claims.promise import Promise
from ecluse.engines.sql import approvals
from ecluse.engines.sql.accounts import Accounts
from ecluse.engines.sql.unit import Database, Reads, Row, Tx
from ecluse.gate.admission import Admission


class Promises:
    """The `PromiseStore` port."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self._database = database
        self._keys = keys
        self._accounts = Accounts(keys)

    async def promise(self, admission: Admission, holder: str) -> Promise | None:
        """The promise as it stands on the admission's day."""
        return await self._standing(self._database.reads, admission, holder)

    async def withdraw(self, admission: Admission, promise: Promise) -> Promise | None:
        """Let go of what is not billed of a promise, in one durable unit of work."""
        return await self._database.write(partial(self._withdraw, admission=admission, promise=promise))

    async def _withdraw(self, tx: Tx, admission: Admission, promise: Promise) -> Promise | None:
        await tx.hold("person", promise.insurer, promise.person)  # a claim under it is billed before this, or after
        if promise.state:
            await approvals.state_of(tx, promise.holder)  # its practice, which may cancel it now, holds no person
        standing = await self._standing(tx, admission, promise.holder)
        if standing is None:
            return None
        if standing.state:
            await approvals.withdraw(tx, standing.holder, standing.state, admission.at_us, admission.asked.id)
        await self._accounts.free(tx, standing.holder)
        return standing

    async def _standing(self, reads: Reads, admission: Admission, holder: str) -> Promise | None:
        today = admission.day.isoformat()
        held = await reads.one("promised", holder=holder, today=today)
        row = await reads.one("any_approval", approval=holder)
        if row is not None:
            return self._approval(holder, row, held, admission.day)
        return Promise(holder, *held) if held is not None else None

    def _approval(self, holder: str, row: Row, held: Row | None, today: date) -> Promise | None:
        kept, bill_by, insurer, person, sealed, asked_us = row
        state = State(kept)
        is_over = today > date.fromisoformat(bill_by) or (state, Move.WITHDRAW) not in MOVES
        if is_over or (state is State.USED and held is None):
            return None
        acts, cents = held[2:] if held is not None else (0, 0)
        account = approvals.promised(self._keys, insurer, holder, sealed).account
        return Promise(holder, insurer, person, acts, cents, state, account, asked_us)
