"""Prior approvals: asked for, cancelled and shown; and their side of a claim that uses one or gives it back.

Sealed under the insurer's key: lines, prices, contracts, member numbers, refusals. Keyed: what was sent.
"""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Any

import msgspec

from ecluse.app.ports import Keys
from ecluse.claims.approval import REFERENCE_REUSED, Approval, Move, Moved, Promised, State, after
from ecluse.claims.approving import Asking, Decide, Summary
from ecluse.claims.claim import Claim
from ecluse.claims.filing import Reserving, Search
from ecluse.claims.price import consumption
from ecluse.engines.clock import first_id
from ecluse.engines.sql.accounts import Accounts
from ecluse.engines.sql.unit import Database, Tx
from ecluse.gate.admission import Admission
from ecluse.kernel.days import instant, paris_day

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Promised).decode


class Approvals:
    """The `ApprovalStore` port."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self._database = database
        self._keys = keys
        self._accounts = Accounts(keys)

    async def ask(self, asking: Asking, decide: Decide) -> Approval:
        """Decide on an approval, keep it and reserve what it promises, in one durable unit of work."""
        return await self._database.write(partial(self._ask, asking=asking, decide=decide))

    async def cancel(self, admission: Admission) -> Approval | None:
        """Cancel the approval the admission names if it is the practice's own, and free what it reserved. Durable."""
        return await self._database.write(partial(self._cancel, admission=admission))

    async def approval(self, admission: Admission) -> tuple[Approval, list[Moved]] | None:
        """The approval the admission names and its life, if it is the practice's own."""
        reads = self._database.reads
        row = await reads.one("own_approval", approval=admission.about, practice=admission.asked.account.practice)
        if row is None:
            return None
        moves = await reads.all("approval_moves", approval=admission.about)
        return self._read(row), [Moved(at, Move(move), State(state), about) for at, move, state, about in moves]

    async def page(self, admission: Admission, search: Search) -> list[Summary]:
        """The practice's own approvals, newest first; one more than the limit when others follow."""
        rows = await self._database.reads.all(
            "approval_page",
            practice=admission.asked.account.practice,
            today=admission.day.isoformat(),
            **search.texts,
        )
        return [_summary(row) for row in rows]

    async def asked_since(self, practice: str, since_ts_us: int) -> int:
        """How many approvals a practice asked for since then."""
        row = await self._database.reads.one("asked_since", practice=practice, since=first_id("pec_", since_ts_us))
        return int(row[0]) if row else 0

    async def _ask(self, tx: Tx, asking: Asking, decide: Decide) -> Approval:
        await tx.hold(
            "reference", asking.practice, asking.reference
        )  # the same devis sent twice at once is one approval
        if (before := await self._asked_before(tx, asking)) is not None:
            return before
        await tx.hold("person", asking.insurer, asking.person)  # two approvals at once never promise the same euro
        # A quote under the same engagement is of the same care: the approval takes the place of what it reserved.
        used = await self._accounts.used(
            tx, asking.insurer, asking.person, asking.spans, asking.asked_on, asking.engagement
        )
        decided = decide(used)
        approval = _approval(asking, decided.state, decided.promised, decided.amc_cents)
        await tx.run("add_approval", **self._row(approval))
        move = Move.GRANT if approval.state is State.GRANTED else Move.REFUSE
        await _moved(tx, approval.id, asking.at_ts_us, move, State.ASKED, "")
        if approval.state is State.GRANTED:
            await self._accounts.free(tx, asking.engagement)
            await self._accounts.reserve(tx, _reserving(asking), consumption(approval.promised.lines))
        return approval

    async def _asked_before(self, tx: Tx, asking: Asking) -> Approval | None:
        """The approval these very bytes made. Raises `reference_reused` when other bytes hold the reference."""
        named_by = {"practice": asking.practice, "reference": asking.reference}
        row = await tx.one("refused_approval", **named_by, body=asking.body)
        if row is None:
            row = await tx.one("live_reference", **named_by)
            if row is not None and row[3] != asking.body:
                raise REFERENCE_REUSED(pointer="/reference")
        return self._read(row) if row is not None else None

    async def _cancel(self, tx: Tx, admission: Admission) -> Approval | None:
        row = await tx.one("own_approval", approval=admission.about, practice=admission.asked.account.practice)
        if row is None:
            return None
        approval = self._read(row)
        state, _ = await _held(tx, approval.id)
        if state is State.CANCELLED:
            return msgspec.structs.replace(approval, state=state)
        standing = msgspec.structs.replace(approval, state=state).on(admission.day)
        state = await _moved(tx, approval.id, admission.at_us, Move.CANCEL, standing, "")
        await self._accounts.free(tx, approval.id)
        return msgspec.structs.replace(approval, state=state)

    def _row(self, approval: Approval) -> dict[str, Any]:
        days = {name: getattr(approval, name).isoformat() for name in _DAYS}
        kept = {name: getattr(approval, name) for name in _COLUMNS[1:]}
        sealed = self._keys.seal(approval.insurer, _encode(approval.promised), _about(approval.id))
        return kept | days | {"approval": approval.id, "sealed": sealed}

    def _read(self, row: Any) -> Approval:
        *kept, sealed = row
        values = dict(zip(_COLUMNS, kept, strict=True))
        opened = promised(self._keys, values["insurer"], values["id"], sealed)
        days = {name: date.fromisoformat(values[name]) for name in _DAYS}
        return Approval(**values | days | {"state": State(values["state"]), "promised": opened})


_COLUMNS = Approval.__struct_fields__[:-1]  # those of the queries, in the same order
_DAYS = ("asked_on", "valid_until", "bill_by")


async def state_of(tx: Tx, approval: str) -> State:
    """Where an approval is, held until the end of the unit of work."""
    state, _ = await _held(tx, approval)
    return state


async def use(tx: Tx, claim: Claim, at_ts_us: int) -> None:
    """A claim under an approval was accepted."""
    approval = claim.content.approval
    await _moved(tx, approval, at_ts_us, Move.USE, await state_of(tx, approval), claim.id)


async def give_back(tx: Tx, accounts: Accounts, claim: Claim, at_ts_us: int) -> None:
    """A claim under an approval was cancelled: what it used is reserved again, for as long as the approval holds."""
    approval = claim.content.approval
    state, bill_by = await _held(tx, approval)
    others = await tx.all("claims_under", approval=approval)
    await _moved(tx, approval, at_ts_us, Move.GIVE_BACK if others else Move.REOPEN, state, claim.id)
    if paris_day(instant(at_ts_us)) <= bill_by:
        await accounts.hold_again(tx, claim, consumption(claim.content.lines), bill_by)


async def withdraw(tx: Tx, approval: str, state: State, at_ts_us: int, about: str) -> None:
    """The hub withdraws, in its act `about`, what is not billed of an approval in that state."""
    await _moved(tx, approval, at_ts_us, Move.WITHDRAW, state, about)


def promised(keys: Keys, insurer: str, approval: str, sealed: bytes) -> Promised:
    """What an approval promises. Raises `insurer_unknown` once its insurer's key is gone."""
    return _decode(keys.open(insurer, sealed, _about(approval)))


async def _held(tx: Tx, approval: str) -> tuple[State, date]:
    row = await tx.one("approval_to_change", approval=approval)
    assert row is not None, "whoever names an approval has seen it, and none is ever removed"
    return State(row[0]), date.fromisoformat(row[1])


async def _moved(tx: Tx, approval: str, at_ts_us: int, move: Move, before: State, about: str) -> State:
    """Where `move` leads. Raises `approval_closed`."""
    state = after(before, move)
    await tx.run("set_approval_state", approval=approval, state=state)
    await tx.run("add_approval_move", approval=approval, at_ts_us=at_ts_us, move=move, state=state, about=about)
    return state


def _approval(asking: Asking, state: State, promised: Promised, amc_cents: int) -> Approval:
    kept = {name: getattr(asking, name) for name in _COLUMNS if name not in ("state", "amc_cents")}
    return Approval(**kept, state=state, amc_cents=amc_cents, promised=promised)


def _reserving(asking: Asking) -> Reserving:
    return Reserving(asking.id, asking.insurer, asking.person, asking.spans, asking.asked_on, asking.bill_by)


def _summary(row: Any) -> Summary:
    approval, reference, state, asked_on, amc_cents, valid_until, bill_by = row
    summary = Summary(approval, reference, State(state), date.fromisoformat(asked_on))
    if summary.status is State.REFUSED:
        return summary
    promised = {"valid_until": date.fromisoformat(valid_until), "bill_by": date.fromisoformat(bill_by)}
    return msgspec.structs.replace(summary, amc_cents=amc_cents, **promised)


def _about(approval: str) -> bytes:
    """What the seal of an approval is bound to."""
    return b"approval|1|" + approval.encode()
