"""Claims: taken in, cancelled and shown; what could tell of a person is sealed under the insurer's key.

Sealed: lines, prices, contracts, member numbers, refusals. Keyed: what was sent, each billed line, each account of a guarantee.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import partial
from typing import Any

import msgspec

from ecluse.app.ports import HUB, Keys
from ecluse.claims.approved import Under
from ecluse.claims.claim import INVOICE_REUSED, MOVES, Billed, Claim, Content, Move, Moved, Priced, State, after
from ecluse.claims.filing import Decide, Decision, Facts, Filing, Quote, Reserving, Search, Summary
from ecluse.claims.price import consumption
from ecluse.engines.clock import first_id
from ecluse.engines.sql import approvals
from ecluse.engines.sql.accounts import Accounts
from ecluse.engines.sql.ledger import book
from ecluse.engines.sql.unit import Database, Tx
from ecluse.gate.admission import Admission
from ecluse.payments.ledger import accepted, cancelled

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Content).decode


class Claims:
    """The `ClaimStore` port."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self._database = database
        self._keys = keys
        self._accounts = Accounts(keys)

    async def take(self, filing: Filing, decide: Decide) -> Claim:
        """Decide on a claim and keep it, in one durable unit of work; what was sent before is given again."""
        return await self._database.write(partial(self._take, filing=filing, decide=decide))

    async def cancel(self, admission: Admission, about: str) -> tuple[Claim, bool] | None:
        """Cancel the claim the admission names if it is the practice's own; whether money is taken back. Durable."""
        return await self._database.write(partial(self._cancel_own, admission=admission, about=about))

    async def claim(self, admission: Admission) -> tuple[Claim, list[Moved]] | None:
        """The claim the admission names and its life, if it is the practice's own."""
        assert isinstance(admission.about, str)
        reads = self._database.reads
        row = await reads.one("own_claim", claim=admission.about, practice=admission.asked.account.practice)
        if row is None:
            return None
        moves = await reads.all("moves", claim=admission.about)
        return self._read(row), [Moved(at, Move(move), State(state), about) for at, move, state, about in moves]

    async def any_claim(self, admission: Admission) -> Claim | None:
        """The claim the admission names, of any practice. Raises `insurer_unknown` once its insurer's key is gone."""
        assert isinstance(admission.about, str)
        row = await self._database.reads.one("any_claim", claim=admission.about)
        return self._read(row) if row is not None else None

    async def page(self, admission: Admission, search: Search) -> list[Summary]:
        """The practice's own claims, newest first; one more than the limit when others follow."""
        rows = await self._database.reads.all(
            "page",
            practice=admission.asked.account.practice,
            **search.texts,
        )
        return [_summary(row) for row in rows]

    async def settled(self, practice: str, since_ts_us: int) -> set[bytes]:
        """For whom an insurer pays a practice, by claims sent since then; identifiers grow with time, and so does the index."""
        rows = await self._database.reads.all("settled_people", practice=practice, since=first_id("clm_", since_ts_us))
        return {bytes(person) for (person,) in rows}

    async def sent_since(self, practice: str, since_ts_us: int) -> int:
        """How many claims a practice sent since then."""
        row = await self._database.reads.one("sent_since", practice=practice, since=first_id("clm_", since_ts_us))
        return int(row[0]) if row else 0

    async def reserve(self, reserving: Reserving, quote: Quote) -> tuple[Priced, ...]:
        """Price, and reserve what the price uses of accounts, in one durable unit of work.

        Most guarantees count nothing: then nothing is written, unless the holder reserves something that must be freed.
        """
        if not reserving.spans and await self._database.reads.one("holds", holder=reserving.holder) is None:
            return quote({})
        return await self._database.write(partial(self._reserve, reserving=reserving, quote=quote))

    async def _take(self, tx: Tx, filing: Filing, decide: Decide) -> Claim:
        await tx.hold("invoice", filing.practice, filing.invoice)  # the same claim sent twice at once is one claim
        if (before := await self._sent_before(tx, filing)) is not None:
            return before
        if filing.person:
            await tx.hold("person", filing.insurer, filing.person)  # two claims at once never spend the same euro
        replaced = await self._replaced(tx, filing)
        if replaced is None or (replaced.state, Move.CANCEL) not in MOVES:
            return await self._decided(tx, filing, decide, replaced)
        async with tx.undoable() as replacing:  # a refused claim leaves the one it would replace as it was
            await self._cancel(tx, replaced, filing.at_ts_us, filing.id)
            claim = await self._decided(tx, filing, decide, replaced)
            if claim.state is State.REFUSED:
                replacing.undo()
        if claim.state is State.REFUSED:
            await self._write(tx, filing, claim)
        return claim

    async def _sent_before(self, tx: Tx, filing: Filing) -> Claim | None:
        """The claim these very bytes made. Raises `invoice_reused` when other bytes hold the invoice number."""
        named_by = {"practice": filing.practice, "invoice": filing.invoice}
        row = await tx.one("refused_body", **named_by, body=filing.body)
        if row is None:
            row = await tx.one("live_invoice", **named_by)
            if row is not None and row[3] != filing.body:
                raise INVOICE_REUSED(pointer="/invoice")
        return self._read(row) if row is not None else None

    async def _replaced(self, tx: Tx, filing: Filing) -> Claim | None:
        if not filing.replaces:
            return None
        row = await tx.one("own_claim_to_change", claim=filing.replaces, practice=filing.practice)
        return self._read(row) if row is not None else None

    async def _decided(self, tx: Tx, filing: Filing, decide: Decide, replaced: Claim | None) -> Claim:
        facts = Facts(
            under=await self._under(tx, filing.approval) if filing.approval else None,
            used=await self._accounts.used(
                tx, filing.insurer, filing.person, filing.spans, filing.received_on, filing.holder
            ),
            duplicates={},
            replaced=replaced.state if replaced else None,
        )
        decision = decide(facts)
        # Looked for only where they are told (`claims/control.py`), or the time of another refusal would tell of them.
        if decision.state is State.ACCEPTED and (duplicates := await self._duplicates(tx, filing)):
            decision = decide(msgspec.structs.replace(facts, duplicates=duplicates))
        claim = _claim(filing, decision)
        await self._write(tx, filing, claim)
        return claim

    async def _under(self, tx: Tx, approval: str) -> Under:
        state = await approvals.state_of(tx, approval)
        claims = [self._read(row) for row in await tx.all("claims_under", approval=approval)]
        return Under(state, tuple(line.billed for claim in claims for line in claim.content.lines))

    async def _duplicates(self, tx: Tx, filing: Filing) -> dict[int, str]:
        found = {}
        for billed in filing.lines:
            row = await tx.one("billed_already", mark=self._mark(filing, billed))
            if row is not None:
                found[billed.line] = str(row[0])
        return found

    async def _write(self, tx: Tx, filing: Filing, claim: Claim) -> None:
        await tx.run("add_claim", **self._row(claim))
        if claim.state is State.REFUSED:
            await _move(tx, claim.id, filing.at_ts_us, Move.REFUSE, claim.state, "")
            return
        await _move(tx, claim.id, filing.at_ts_us, Move.ACCEPT, claim.state, filing.replaces)
        await tx.many("add_mark", [{"mark": self._mark(filing, each), "claim": claim.id} for each in filing.lines])
        await self._accounts.use(tx, claim, consumption(claim.content.lines))
        if claim.content.approval:
            await approvals.use(tx, claim, filing.at_ts_us)
        await book(tx, [accepted(claim.id, claim.insurer, claim.practice, claim.amc_cents)], filing.at_ts_us)

    async def _cancel_own(self, tx: Tx, admission: Admission, about: str) -> tuple[Claim, bool] | None:
        practice = admission.asked.account.practice
        row = await tx.one("own_claim_to_change", claim=admission.about, practice=practice)
        if row is None:
            return None
        claim = self._read(row)
        if claim.state is not State.CANCELLED:
            claim = await self._cancel(tx, claim, admission.at_us, about)
        return claim, await _is_recovered(tx, claim)

    async def _cancel(self, tx: Tx, claim: Claim, at_ts_us: int, about: str) -> Claim:
        """Undo an acceptance: the ledger the other way round, yearly guarantees given back. Raises `move_not_allowed`."""
        state = after(claim.state, Move.CANCEL)
        await tx.run("set_state", state=state, claim=claim.id)
        await _move(tx, claim.id, at_ts_us, Move.CANCEL, state, about)
        await self._accounts.give_back(tx, claim, consumption(claim.content.lines))
        if claim.content.approval:
            await approvals.give_back(tx, self._accounts, claim, at_ts_us)
        await book(tx, [cancelled(claim.id, claim.insurer, claim.practice, claim.amc_cents)], at_ts_us)
        return msgspec.structs.replace(claim, state=state)

    async def _reserve(self, tx: Tx, reserving: Reserving, quote: Quote) -> tuple[Priced, ...]:
        insurer, person, holder = reserving.insurer, reserving.person, reserving.holder
        await tx.hold("person", insurer, person)
        priced = quote(await self._accounts.used(tx, insurer, person, reserving.spans, reserving.today, holder))
        await self._accounts.reserve(tx, reserving, consumption(priced))
        return priced

    def _mark(self, filing: Filing, billed: Billed) -> bytes:
        """What makes two billed lines the same: practice, person, act, day and amount."""
        said = f"line|1|{filing.practice}|{billed.act}|{billed.date}|{billed.expense_cents}|".encode()
        return self._keys.digest(filing.insurer, said + filing.person)

    def _row(self, claim: Claim) -> dict[str, Any]:
        return {
            "claim": claim.id,
            "practice": claim.practice,
            "invoice": claim.invoice,
            "body": claim.body,
            "insurer": claim.insurer or None,
            "person": claim.person or None,
            "engagement": claim.engagement or None,
            "state": claim.state,
            "amc_cents": claim.amc_cents,
            "received_on": claim.received_on.isoformat(),
            "pay_by": claim.pay_by.isoformat() if claim.pay_by else None,
            "replaces": claim.replaces or None,
            "sealed": self._keys.seal(claim.insurer or HUB, _encode(claim.content), _about(claim.id)),
        }

    def _read(self, row: tuple[Any, ...]) -> Claim:
        *kept, sealed = row
        content = _decode(self._keys.open(row[4] or HUB, sealed, _about(row[0])))
        texts = dict(zip(_COLUMNS, kept, strict=True))
        texts["state"] = State(texts["state"])
        texts["received_on"] = date.fromisoformat(texts["received_on"])
        texts["pay_by"] = date.fromisoformat(texts["pay_by"]) if texts["pay_by"] else None
        for name in ("insurer", "engagement", "replaces", "remittance"):
            texts[name] = texts[name] or ""
        return Claim(**texts | {"person": texts["person"] or b"", "content": content})


_COLUMNS = Claim.__struct_fields__[:-1]  # those of the queries, in the same order


def _claim(filing: Filing, decision: Decision) -> Claim:
    is_accepted = decision.state is State.ACCEPTED
    return Claim(
        id=filing.id,
        practice=filing.practice,
        invoice=filing.invoice,
        body=filing.body,
        insurer=filing.insurer,
        person=filing.person,
        engagement=filing.engagement,
        state=decision.state,
        amc_cents=decision.amc_cents,
        received_on=filing.received_on,
        pay_by=filing.pay_by if is_accepted else None,
        replaces=filing.replaces,
        remittance="",
        content=decision.content,
    )


async def _is_recovered(tx: Tx, claim: Claim) -> bool:
    """Whether a cancelled claim was ordered, and the bank did not send its transfer back."""
    row = await tx.one("sent_back", remittance=claim.remittance)
    return bool(claim.remittance) and not (row and row[0])


async def _move(tx: Tx, claim: str, at_ts_us: int, move: Move, state: State, about: str) -> None:
    await tx.run("add_move", claim=claim, at_ts_us=at_ts_us, move=move, state=state, about=about)


def _summary(row: Iterable[Any]) -> Summary:
    claim, invoice, state, received_on, amc_cents, pay_by, remittance, replaces = row
    return Summary(
        claim_id=claim,
        invoice=invoice,
        status=State(state),
        received_on=date.fromisoformat(received_on),
        amc_cents=amc_cents,
        pay_by=date.fromisoformat(pay_by) if pay_by else None,
        remittance_id=remittance,
        replaces=replaces,
    )


def _about(claim: str) -> bytes:
    """What the seal of a claim is bound to."""
    return b"claim|1|" + claim.encode()
