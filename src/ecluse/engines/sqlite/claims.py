"""Claims in hub.db: taken in, cancelled and shown; what could tell of a person is sealed under the insurer's key.

Sealed: lines, prices, contracts, member numbers, refusals. Keyed: what was sent, each billed line, each yearly counter.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import date
from functools import partial
from typing import Any

import msgspec

from ecluse.app.ports import HUB, Keys
from ecluse.claims.claim import INVOICE_REUSED, MOVES, Billed, Claim, Content, Move, Moved, State, after
from ecluse.claims.filing import Decide, Decision, Facts, Filing, Search, Summary
from ecluse.claims.price import Counter, consumption
from ecluse.coverage.line import NOTHING_USED, Used
from ecluse.engines.sqlite.database import Database
from ecluse.engines.sqlite.ledger import book
from ecluse.engines.sqlite.named import named
from ecluse.gate.admission import Admission
from ecluse.payments.ledger import accepted, cancelled
from ecluse.rights.model import Engagement

_SQL = named("claims.sql")
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Content).decode


class Claims:
    """The `ClaimStore` port on hub.db."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self._database = database
        self._keys = keys

    async def take(self, filing: Filing, decide: Decide) -> Claim:
        """Decide on a claim and keep it, in one durable unit of work; what was sent before is given again."""
        return await self._database.write(partial(self._take, filing=filing, decide=decide))

    async def cancel(self, admission: Admission, about: str) -> tuple[Claim, bool] | None:
        """Cancel the claim the admission names if it is the practice's own; whether money is taken back. Durable."""
        return await self._database.write(partial(self._cancel_own, admission=admission, about=about))

    def claim(self, admission: Admission) -> tuple[Claim, list[Moved]] | None:
        """The claim the admission names and its life, if it is the practice's own."""
        assert isinstance(admission.about, str)
        reader = self._database.reader
        row = reader.execute(_SQL["own_claim"], (admission.about, admission.asked.account.practice)).fetchone()
        if row is None:
            return None
        moves = reader.execute(_SQL["moves"], (admission.about,))
        return self._read(row), [Moved(at, Move(move), State(state), about) for at, move, state, about in moves]

    def page(self, admission: Admission, search: Search) -> list[Summary]:
        """The practice's own claims, newest first; one more than the limit when others follow."""
        rows = self._database.reader.execute(
            _SQL["page"],
            {
                "practice": admission.asked.account.practice,
                "cursor": search.cursor,
                "state": search.state or "",
                "first": search.first.isoformat() if search.first else "",
                "last": search.last.isoformat() if search.last else "",
                "limit": search.limit + 1,
            },
        )
        return [_summary(row) for row in rows]

    def used(self, admission: Admission, engagement: Engagement, counters: Iterable[Counter]) -> dict[Counter, Used]:
        """What the person of the admitted engagement has used of yearly guarantees."""
        assert admission.about == engagement.number
        reader, insurer, person = self._database.reader, engagement.insurer, engagement.person
        return {counter: self._used(reader, insurer, person, counter) for counter in counters}

    def _take(self, connection: sqlite3.Connection, filing: Filing, decide: Decide) -> Claim:
        if (before := self._sent_before(connection, filing)) is not None:
            return before
        replaced = self._replaced(connection, filing)
        if replaced is None or (replaced.state, Move.CANCEL) not in MOVES:
            return self._decided(connection, filing, decide, replaced)
        connection.execute("SAVEPOINT replacing")  # a refused claim leaves the one it would replace as it was
        self._cancel(connection, replaced, filing.at_ts_us, filing.id)
        claim = self._decided(connection, filing, decide, replaced)
        if claim.state is State.REFUSED:
            connection.execute("ROLLBACK TO replacing")
            self._write(connection, filing, claim)
        connection.execute("RELEASE replacing")
        return claim

    def _sent_before(self, connection: sqlite3.Connection, filing: Filing) -> Claim | None:
        """The claim these very bytes made. Raises `invoice_reused` when other bytes hold the invoice number."""
        named_by = (filing.practice, filing.invoice)
        row = connection.execute(_SQL["refused_body"], (*named_by, filing.body)).fetchone()
        if row is None:
            row = connection.execute(_SQL["live_invoice"], named_by).fetchone()
            if row is not None and row[3] != filing.body:
                raise INVOICE_REUSED(pointer="/invoice")
        return self._read(row) if row is not None else None

    def _replaced(self, connection: sqlite3.Connection, filing: Filing) -> Claim | None:
        if not filing.replaces:
            return None
        row = connection.execute(_SQL["own_claim"], (filing.replaces, filing.practice)).fetchone()
        return self._read(row) if row is not None else None

    def _decided(self, connection: sqlite3.Connection, filing: Filing, decide: Decide, replaced: Claim | None) -> Claim:
        facts = Facts(
            used={each: self._used(connection, filing.insurer, filing.person, each) for each in filing.counters},
            duplicates=self._duplicates(connection, filing) if filing.person else {},
            replaced=replaced.state if replaced else None,
        )
        claim = _claim(filing, decide(facts))
        self._write(connection, filing, claim)
        return claim

    def _used(self, connection: sqlite3.Connection, insurer: str, person: bytes, counter: Counter) -> Used:
        row = connection.execute(_SQL["used"], self._counter(insurer, person, counter)).fetchone()
        return Used(*row) if row else NOTHING_USED

    def _duplicates(self, connection: sqlite3.Connection, filing: Filing) -> dict[int, str]:
        found = {}
        for billed in filing.lines:
            row = connection.execute(_SQL["billed_already"], (self._mark(filing, billed),)).fetchone()
            if row is not None:
                found[billed.line] = str(row[0])
        return found

    def _write(self, connection: sqlite3.Connection, filing: Filing, claim: Claim) -> None:
        connection.execute(_SQL["add_claim"], self._row(claim))
        if claim.state is State.REFUSED:
            _move(connection, claim.id, filing.at_ts_us, Move.REFUSE, claim.state, "")
            return
        _move(connection, claim.id, filing.at_ts_us, Move.ACCEPT, claim.state, filing.replaces)
        connection.executemany(_SQL["add_mark"], [(self._mark(filing, billed), claim.id) for billed in filing.lines])
        self._use(connection, claim, 1)
        entry = accepted(claim.id, claim.insurer, claim.practice, claim.amc_cents)
        book(connection, [entry], filing.at_ts_us)

    def _cancel_own(
        self, connection: sqlite3.Connection, admission: Admission, about: str
    ) -> tuple[Claim, bool] | None:
        practice = admission.asked.account.practice
        row = connection.execute(_SQL["own_claim"], (admission.about, practice)).fetchone()
        if row is None:
            return None
        claim = self._read(row)
        if claim.state is not State.CANCELLED:
            claim = self._cancel(connection, claim, int(admission.at.timestamp() * 1_000_000), about)
        return claim, _is_recovered(connection, claim)

    def _cancel(self, connection: sqlite3.Connection, claim: Claim, at_ts_us: int, about: str) -> Claim:
        """Undo an acceptance: the ledger the other way round, yearly guarantees given back. Raises `move_not_allowed`."""
        state = after(claim.state, Move.CANCEL)
        connection.execute(_SQL["set_state"], (state, claim.id))
        _move(connection, claim.id, at_ts_us, Move.CANCEL, state, about)
        self._use(connection, claim, -1)
        book(connection, [cancelled(claim.id, claim.insurer, claim.practice, claim.amc_cents)], at_ts_us)
        return msgspec.structs.replace(claim, state=state)

    def _use(self, connection: sqlite3.Connection, claim: Claim, sign: int) -> None:
        for counter, used in consumption(claim.content.lines).items():
            row = (*self._counter(claim.insurer, claim.person, counter), sign * used.acts, sign * used.cents)
            connection.execute(_SQL["use"], row)

    def _counter(self, insurer: str, person: bytes, counter: Counter) -> tuple[str, bytes, str, int]:
        """A counter's row: its name holds a contract number, which only a keyed name keeps from being guessed."""
        name, year = counter
        return insurer, person, self._keys.pseudonym(insurer, b"used|1|" + name.encode()).hex(), year

    def _mark(self, filing: Filing, billed: Billed) -> bytes:
        """What makes two billed lines the same: practice, person, act, day and amount."""
        said = f"line|1|{filing.practice}|{billed.act}|{billed.date}|{billed.expense_cents}|".encode()
        return self._keys.pseudonym(filing.insurer, said + filing.person)

    def _row(self, claim: Claim) -> tuple[Any, ...]:
        sealed = self._keys.seal(claim.insurer or HUB, _encode(claim.content), _about(claim.id))
        return (
            *(claim.id, claim.practice, claim.invoice, claim.body, claim.insurer or None, claim.person or None),
            *(claim.engagement or None, claim.state, claim.amc_cents, claim.received_on.isoformat()),
            *(claim.pay_by.isoformat() if claim.pay_by else None, claim.replaces or None, sealed),
        )

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


def _is_recovered(connection: sqlite3.Connection, claim: Claim) -> bool:
    """Whether a cancelled claim was ordered, and the bank did not send its transfer back."""
    row = connection.execute(_SQL["sent_back"], (claim.remittance,)).fetchone()
    return bool(claim.remittance) and not (row and row[0])


def _move(connection: sqlite3.Connection, claim: str, at_ts_us: int, move: Move, state: State, about: str) -> None:
    values = {"claim": claim, "at_ts_us": at_ts_us, "move": move, "state": state, "about": about}
    connection.execute(_SQL["add_move"], values)


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
