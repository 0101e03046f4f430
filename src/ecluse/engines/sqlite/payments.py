"""Payment runs in hub.db. A run is one transaction: all of it is on disk, or nothing of it ever was.

SQL groups and moves the rows; the decisions are those of `payments/settle.py`, taken on one value a practice.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Any

import msgspec

from ecluse.engines.sqlite.database import Database
from ecluse.engines.sqlite.ledger import book
from ecluse.engines.sqlite.named import named
from ecluse.engines.sqlite.statements import read_statement
from ecluse.payments.call import Call, CallLine, CallState
from ecluse.payments.ledger import ordered
from ecluse.payments.reconcile import Judged, Movement
from ecluse.payments.remittance import Line, Remittance, RemittanceHead, RemittanceState
from ecluse.payments.run import LISTED_MAX, Aside, Ordered, Run, RunPlan, RunState, Summary
from ecluse.payments.settle import Balance, Decision, Kind, decide, pack
from ecluse.payments.transfer import bank_reference, made_id, run_id

_SQL = named("payments.sql")
_SCRATCH = ("due", "chosen")


class Payments:
    """The `PaymentStore` port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def order(self, plan: RunPlan) -> Ordered:
        """Order everything that is due. Raises `database_busy`."""
        return self._database.now(lambda connection: _order(connection, plan))

    def written(self, run: str) -> None:
        """Every file of the run is on disk."""
        self._database.now(lambda connection: connection.execute(_SQL["mark_written"], (run,)))

    def runs(self, *, until: date | None = None, unwritten: bool = False, limit: int = 50) -> list[Run]:
        """Runs of a day, or those whose files may be missing, or the newest."""
        if until is not None:
            return [_run(row) for row in self._read("runs_to_show", until.isoformat())]
        rows = self._read("unwritten") if unwritten else self._read("runs", limit)
        return [_run(row) for row in rows]

    def run(self, run: str) -> Run | None:
        """One run."""
        return next((_run(row) for row in self._read("run", run)), None)

    def debtor(self, run: str) -> bytes:
        """The hub's own account as it was, sealed."""
        return bytes(next(iter(self._read("debtor_of_run", run)))[0])

    def transfers(self, run: str) -> list[tuple[str, str, int, bytes]]:
        """Remittance, practice, cents and sealed payee of each transfer."""
        return list(self._read("remittances_of_run", run))

    def remittances(self, run: str) -> Iterator[Remittance]:
        """The remittances of a run, one at a time."""
        return _remittances(self._read("remittance_rows", run))

    def remittance(self, id_: str) -> Remittance | None:
        """One remittance."""
        return next(_remittances(self._read("one_remittance_rows", id_)), None)

    def remittances_of(self, practice: str, after: str, limit: int) -> list[RemittanceHead]:
        """A practice's remittances, oldest first, after the one named."""
        return [RemittanceHead(*_head(row)) for row in self._read("heads", practice, after, limit)]

    def calls(self, run: str) -> list[tuple[Call, bytes | None]]:
        """The calls of a run, with the insurer's sealed settlement."""
        return [(self._call(row), row[6]) for row in self._read("calls_of_run", run)]

    def call(self, id_: str) -> Call | None:
        """One call."""
        return next((self._call(row) for row in self._read("one_call", id_)), None)

    def read_statement(self, digest: str, movements: Sequence[Movement], at_ts_us: int) -> tuple[list[Judged], bool]:
        """Judge a statement's movements and apply them. Raises `database_busy`."""
        return self._database.now(lambda connection: read_statement(connection, digest, movements, at_ts_us))

    def _read(self, name: str, *values: object) -> Iterable[Any]:
        with closing(self._database.reader.execute(_SQL[name], values)) as cursor:
            yield from cursor

    def _call(self, row: tuple[Any, ...]) -> Call:
        id_, run, insurer, state, cents, why, _ = row
        lines = tuple(CallLine(*line) for line in self._read("call_lines", id_))
        return Call(id_, run, insurer, CallState(state), cents, bank_reference(id_), why, lines=lines)


def _order(connection: sqlite3.Connection, plan: RunPlan) -> Ordered:
    _collect(connection, plan.until)
    (made,) = connection.execute(_SQL["runs_of_day"], (plan.until.isoformat(),)).fetchone()
    run = run_id(plan.until, made + 1)
    balances = [Balance(*row) for row in connection.execute(_SQL["balances"])]
    paid = _choose(connection, run, plan.at_ts_us, balances)
    summary = _summary(connection, plan, balances, paid)
    if not paid:
        _drop_scratch(connection)
        return Ordered(None, summary)
    named_run = {"run": run, "at_ts_us": plan.at_ts_us, "execute_on": plan.execute_on.isoformat()}
    _pay(connection, named_run)
    calls, called_cents = _call_insurers(connection, run, plan.at_ts_us)
    summary = msgspec.structs.replace(summary, calls=calls, called_cents=called_cents)
    encoded = msgspec.json.encode(summary)
    connection.execute(
        _SQL["add_run"], named_run | {"until": plan.until.isoformat(), "debtor": plan.debtor, "summary": encoded}
    )
    _drop_scratch(connection)
    return Ordered(Run(run, plan.until, plan.execute_on, RunState.ORDERED, plan.at_ts_us, summary), summary)


def _collect(connection: sqlite3.Connection, until: date) -> None:
    _drop_scratch(connection)
    connection.execute(_SQL["due_table"])
    connection.execute(_SQL["chosen_table"])
    connection.execute(_SQL["due_first"], {"until": until.isoformat()})
    connection.execute(_SQL["due_again"])


def _drop_scratch(connection: sqlite3.Connection) -> None:
    for table in _SCRATCH:
        connection.execute(f"DROP TABLE IF EXISTS temp.{table}")


def _choose(connection: sqlite3.Connection, run: str, at_ts_us: int, balances: list[Balance]) -> list[Balance]:
    """Decide on every practice and give each transfer its remittance; those that are paid."""
    chosen, paid = list[tuple[str, int, str]](), list[Balance]()
    for balance in balances:
        decision = decide(balance)
        if decision in {Decision.WAIT, Decision.HOLD}:
            continue
        parts = _split(connection, balance.practice) if decision is Decision.SPLIT else 1
        for part in range(parts):
            remittance = made_id("rem", run, at_ts_us, f"{balance.practice}|{part}")
            chosen.append((balance.practice, part, remittance))
        paid.append(balance)
    connection.executemany(_SQL["choose"], chosen)
    connection.execute(_SQL["assign"])
    return paid


def _split(connection: sqlite3.Connection, practice: str) -> int:
    """Put a practice's lines into as many transfers as they need; how many."""
    lines = connection.execute(_SQL["lines_of_practice"], (practice,)).fetchall()
    parts = pack([cents for _, cents in lines])
    connection.executemany(_SQL["put_part"], [(part, claim) for part, (claim, _) in zip(parts, lines, strict=True)])
    return max(parts) + 1


def _pay(connection: sqlite3.Connection, named_run: dict[str, object]) -> None:
    connection.execute(_SQL["add_remittances"], named_run)
    connection.execute(_SQL["add_lines"])
    connection.execute(_SQL["move_ordered"], named_run)
    connection.execute(_SQL["set_ordered"])
    rows = connection.execute(_SQL["remittances_of_run"], (named_run["run"],)).fetchall()
    at_ts_us = named_run["at_ts_us"]
    assert isinstance(at_ts_us, int)
    book(connection, (ordered(remittance, practice, cents) for remittance, practice, cents, _ in rows), at_ts_us)


def _call_insurers(connection: sqlite3.Connection, run: str, at_ts_us: int) -> tuple[int, int]:
    """One call an insurer that owes something; how many, and their sum in cents."""
    connection.execute(_SQL["add_call_lines"], {"run": run})
    owing = [row for row in connection.execute(_SQL["insurer_balances"]).fetchall() if row[2] > 0]
    for insurer, _, cents in owing:
        call = {"call": made_id("cff", run, at_ts_us, insurer), "run": run, "insurer": insurer, "amount_cents": cents}
        connection.execute(_SQL["add_call"], call)
        connection.execute(_SQL["take_call_lines"], {"call": call["call"], "insurer": insurer})
    return len(owing), sum(cents for _, _, cents in owing)


def _summary(connection: sqlite3.Connection, plan: RunPlan, balances: list[Balance], paid: list[Balance]) -> Summary:
    held = [one for one in balances if decide(one) is Decision.HOLD]
    waiting = [one for one in balances if decide(one) is Decision.WAIT]
    late, since = connection.execute(_SQL["late"], {"execute_on": plan.execute_on.isoformat()}).fetchone()
    (transfers,) = connection.execute("SELECT count(*) FROM temp.chosen").fetchone()
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
