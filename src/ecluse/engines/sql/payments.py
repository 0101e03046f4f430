"""Payment runs. A run is one unit of work: all of it is on disk, or nothing of it ever was.

SQL groups and moves the rows; the decisions are those of `payments/settle.py`, taken on one value a practice.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Any

import msgspec

from ecluse.engines.sql.ledger import book
from ecluse.engines.sql.lost_run import cancel_again, hold_called, hold_told, keep_told, tell
from ecluse.engines.sql.statements import read_statement
from ecluse.engines.sql.unit import Database, Tx
from ecluse.payments.call import Call, CallLine, CallState
from ecluse.payments.ledger import ordered
from ecluse.payments.reconcile import Judged, Movement
from ecluse.payments.remittance import Line, Remittance, RemittanceHead, RemittanceState
from ecluse.payments.run import LISTED_MAX, Aside, Ordered, Run, RunPlan, RunState, Summary
from ecluse.payments.settle import Balance, Decision, Kind, decide, pack
from ecluse.payments.transfer import bank_reference, made_id, run_id
from ecluse.payments.witness import Witness

PAGE = 500  # remittances read at a time: some 400 KB of lines

MONEY = "money"  # held by whatever decides on more than one claim: runs and statements, one at a time


class Payments:
    """The `PaymentStore` port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def order(self, plan: RunPlan) -> Ordered:
        """Order everything that is due. Raises `database_busy`."""
        return await self._database.write(lambda tx: _order(tx, plan))

    async def enter(self, plan: RunPlan, told: Witness) -> Run:
        """Make a lost run again as its files tell of it, or nothing. Raises `run_lines_missing`, `run_differs`."""
        return await self._database.write(lambda tx: _enter(tx, plan, told))

    async def publishing(self, run: str) -> bool:
        """From now on the bank may take files of the run; False when that was said before."""

        async def work(tx: Tx) -> bool:
            await tx.hold(MONEY)
            row = await tx.one("run", run=run)
            if row is None or row[3] != RunState.ORDERED:
                return False
            await tx.run("mark_publishing", run=run)
            return True

        return await self._database.write(work)

    async def written(self, run: str) -> None:
        """Every file of the run is on disk."""
        await self._database.write(lambda tx: tx.run("mark_written", run=run))

    async def runs(self, *, until: date | None = None, unwritten: bool = False, limit: int = 50) -> list[Run]:
        """Runs of a day, or those not known to be written, or the newest."""
        if until is not None:
            return [_run(row) for row in await self._database.reads.all("runs_to_show", until=until.isoformat())]
        if unwritten:
            return [_run(row) for row in await self._database.reads.all("unwritten")]
        return [_run(row) for row in await self._database.reads.all("runs", limit=limit)]

    async def run(self, run: str) -> Run | None:
        """One run."""
        row = await self._database.reads.one("run", run=run)
        return _run(row) if row else None

    async def debtor(self, run: str) -> bytes:
        """The hub's own account as it was, sealed."""
        row = await self._database.reads.one("debtor_of_run", run=run)
        assert row is not None, run
        return bytes(row[0])

    async def transfers(self, run: str) -> list[tuple[str, str, int, bytes]]:
        """Remittance, practice, cents and sealed payee of each transfer."""
        return [tuple(row) for row in await self._database.reads.all("remittances_of_run", run=run)]

    async def remittances(self, run: str) -> AsyncIterator[Remittance]:
        """The remittances of a run, one at a time."""
        after = ""
        while page := list(
            _remittances(await self._database.reads.all("remittance_rows", run=run, after=after, limit=PAGE))
        ):
            for remittance in page:
                yield remittance
            after = page[-1].remittance_id

    async def remittance(self, id_: str) -> Remittance | None:
        """One remittance."""
        return next(_remittances(await self._database.reads.all("one_remittance_rows", remittance=id_)), None)

    async def remittances_of(self, practice: str, after: str, limit: int) -> list[RemittanceHead]:
        """A practice's remittances, oldest first, after the one named."""
        rows = await self._database.reads.all("heads", practice=practice, after=after, limit=limit)
        return [RemittanceHead(*_head(row)) for row in rows]

    async def calls(self, run: str) -> list[tuple[Call, bytes | None]]:
        """The calls of a run, with the insurer's sealed settlement."""
        return [(await self._call(row), row[6]) for row in await self._database.reads.all("calls_of_run", run=run)]

    async def call(self, id_: str) -> Call | None:
        """One call."""
        row = await self._database.reads.one("one_call", call=id_)
        return await self._call(row) if row else None

    async def read_statement(
        self, digest: str, movements: Sequence[Movement], at_ts_us: int
    ) -> tuple[list[Judged], bool]:
        """Judge a statement's movements and apply them. Raises `database_busy`."""

        async def work(tx: Tx) -> tuple[list[Judged], bool]:
            await tx.hold(MONEY)
            return await read_statement(tx, digest, movements, at_ts_us)

        return await self._database.write(work)

    async def _call(self, row: tuple[Any, ...]) -> Call:
        id_, run, insurer, state, cents, why, _ = row
        lines = tuple(CallLine(*line) for line in await self._database.reads.all("call_lines", call=id_))
        return Call(id_, run, insurer, CallState(state), cents, bank_reference(id_), why, lines=lines)


async def _order(tx: Tx, plan: RunPlan) -> Ordered:
    await tx.hold(MONEY)
    await _collect(tx, plan.until)
    (made,) = await _row(tx, "runs_of_day", until=plan.until.isoformat())
    return await _make(tx, run_id(plan.until, made + 1), plan)


async def _enter(tx: Tx, plan: RunPlan, told: Witness) -> Run:
    """The run its files tell of: over the claims they name, whenever those were received, and with nothing else in it."""
    await tx.hold(MONEY)
    cancelled = await tell(tx, told)
    await _collect(tx, date.max)
    await keep_told(tx)
    made = (await _make(tx, told.run, plan, told)).run
    await hold_told(tx, told)
    await cancel_again(tx, cancelled, plan.at_ts_us)
    assert made is not None, "what came out as it was told was made"
    await tx.run("mark_written", run=told.run)
    return msgspec.structs.replace(made, state=RunState.WRITTEN)


async def _make(tx: Tx, run: str, plan: RunPlan, told: Witness | None = None) -> Ordered:
    """A run over what was collected; of one that was lost, with the lines of its calls."""
    balances = [Balance(*row) for row in await tx.all("practice_balances")]
    paid = await _choose(tx, run, plan.at_ts_us, balances)
    summary = await _summary(tx, plan, balances, paid)
    if not paid:
        await _drop_scratch(tx)
        return Ordered(None, summary)
    await _pay(tx, run, plan)
    calls, called_cents = await _call_insurers(tx, run, plan.at_ts_us, told)
    summary = msgspec.structs.replace(summary, calls=calls, called_cents=called_cents)
    await tx.run(
        "add_run",
        run=run,
        until=plan.until.isoformat(),
        execute_on=plan.execute_on.isoformat(),
        at_ts_us=plan.at_ts_us,
        debtor=plan.debtor,
        summary=msgspec.json.encode(summary),
    )
    await _drop_scratch(tx)
    return Ordered(Run(run, plan.until, plan.execute_on, RunState.ORDERED, plan.at_ts_us, summary), summary)


async def _collect(tx: Tx, until: date) -> None:
    await _drop_scratch(tx)
    await tx.run("due_table")
    await tx.run("chosen_table")
    await tx.run("hold_claims_to_mend")
    await tx.run("due_first", until=until.isoformat())
    await tx.run("due_again")
    await tx.run("due_known")


async def _drop_scratch(tx: Tx) -> None:
    for scratch in ("drop_due", "drop_chosen", "drop_owing"):
        await tx.run(scratch)


async def _choose(tx: Tx, run: str, at_ts_us: int, balances: list[Balance]) -> list[Balance]:
    """Decide on every practice and give each transfer its remittance; those that are paid."""
    chosen, paid = list[dict[str, object]](), list[Balance]()
    for balance in balances:
        decision = decide(balance)
        if decision in {Decision.WAIT, Decision.HOLD}:
            continue
        parts = await _split(tx, balance.practice) if decision is Decision.SPLIT else 1
        for part in range(parts):
            remittance = made_id("rem", run, at_ts_us, f"{balance.practice}|{part}")
            chosen.append({"practice": balance.practice, "part": part, "remittance": remittance})
        paid.append(balance)
    await tx.many("choose", chosen)
    await tx.run("chosen_known")
    await tx.run("assign")
    return paid


async def _split(tx: Tx, practice: str) -> int:
    """Put a practice's lines into as many transfers as they need; how many."""
    lines = await tx.all("lines_of_practice", practice=practice)
    parts = pack([cents for _, cents in lines])
    await tx.many("put_part", [{"part": part, "claim": claim} for part, (claim, _) in zip(parts, lines, strict=True)])
    return max(parts) + 1


async def _pay(tx: Tx, run: str, plan: RunPlan) -> None:
    await tx.run("add_remittances", run=run, execute_on=plan.execute_on.isoformat())
    await tx.run("add_lines")
    await tx.run("move_ordered", at_ts_us=plan.at_ts_us)
    await tx.run("set_ordered")
    rows = await tx.all("remittances_of_run", run=run)
    await book(tx, (ordered(remittance, practice, cents) for remittance, practice, cents, _ in rows), plan.at_ts_us)


async def _call_insurers(tx: Tx, run: str, at_ts_us: int, told: Witness | None) -> tuple[int, int]:
    """One call an insurer that owes something; how many, and their sum in cents."""
    await tx.run("owing_table")
    await tx.run("owing_then" if told else "owing_now")
    await tx.run("add_call_lines", run=run)
    if told:
        await hold_called(tx)
    owing = [row for row in await tx.all("insurer_balances") if row[2] > 0]
    for insurer, _, cents in owing:
        call = made_id("cff", run, at_ts_us, insurer)
        await tx.run("add_call", call=call, run=run, insurer=insurer, amount_cents=cents)
        await tx.run("take_call_lines", call=call, insurer=insurer)
    return len(owing), sum(cents for _, _, cents in owing)


async def _summary(tx: Tx, plan: RunPlan, balances: list[Balance], paid: list[Balance]) -> Summary:
    held = [one for one in balances if decide(one) is Decision.HOLD]
    waiting = [one for one in balances if decide(one) is Decision.WAIT]
    late, since = await _row(tx, "late", execute_on=plan.execute_on.isoformat())
    (transfers,) = await _row(tx, "transfers_chosen")
    return Summary(
        transfers=transfers,
        claims=sum(one.lines for one in paid),
        ordered_cents=sum(one.net_cents for one in paid),
        held_practices=len(held),
        held_cents=sum(one.net_cents for one in held),
        held=_asides(held),
        waiting_practices=len(waiting),
        waiting=_asides(waiting),
        late=late,
        late_since=date.fromisoformat(since) if since else None,
    )


async def _row(tx: Tx, name: str, **values: Any) -> Any:
    """The one row of a statement that always has one."""
    row = await tx.one(name, **values)
    assert row is not None, name
    return row


def _asides(balances: list[Balance]) -> tuple[Aside, ...]:
    return tuple(Aside(one.practice, one.lines, one.net_cents) for one in balances[:LISTED_MAX])


def _run(row: tuple[Any, ...]) -> Run:
    id_, until, execute_on, state, at_ts_us, summary = row
    days = date.fromisoformat(until), date.fromisoformat(execute_on)
    return Run(id_, *days, RunState(state), at_ts_us, msgspec.json.decode(summary, type=Summary))


def _remittances(rows: Iterable[Any]) -> Iterator[Remittance]:
    for _, same in groupby(rows, key=itemgetter(0)):
        first, *rest = same
        lines = tuple(Line(claim, invoice, Kind(kind), cents) for *_, claim, invoice, kind, cents in [first, *rest])
        yield Remittance(*_head(first), lines=lines)


def _head(row: tuple[Any, ...]) -> tuple[str, str, RemittanceState, date, int, str, str]:
    id_, practice, state, executed_on, cents, why = row[:6]
    return id_, practice, RemittanceState(state), date.fromisoformat(executed_on), cents, bank_reference(id_), why
