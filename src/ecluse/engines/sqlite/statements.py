"""Bank statements in hub.db: one transaction a statement; the verdicts are those of `payments/reconcile.py`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import msgspec

from ecluse.engines.sqlite.ledger import book
from ecluse.engines.sqlite.named import named
from ecluse.payments.reconcile import APPLIED, Expected, Judged, Movement, Verdict, entry_of, judge_all, references

_SQL = named("statements.sql")

_EFFECTS: dict[Verdict, tuple[str, ...]] = {
    Verdict.SETTLED: ("settle_remittances", "settle_moves", "settle_claims"),
    Verdict.RETURNED: ("return_remittances", "return_moves", "return_claims"),
    Verdict.FUNDED: ("fund_calls",),
    Verdict.UNFUNDED: ("return_calls",),
}  # in this order: a transfer that left and came back in one statement ends returned


def read_statement(
    connection: sqlite3.Connection, digest: str, movements: Sequence[Movement], at_ts_us: int
) -> tuple[list[Judged], bool]:
    """Judge and apply in the caller's transaction; the verdicts, and True when this very file was read before."""
    before = connection.execute(_SQL["read_before"], (digest,)).fetchone()
    if before:
        return msgspec.json.decode(before[0], type=list[Judged]), True
    connection.execute("DROP TABLE IF EXISTS temp.matched")
    connection.execute(_SQL["matched_table"])
    known = _known(connection, references(movements))
    judged = judge_all(movements, known)
    applied = [one for one in judged if one.verdict in APPLIED]
    book(connection, (entry_of(one, known[one.id]) for one in applied), at_ts_us)
    for verdict, effects in _EFFECTS.items():
        _apply(connection, effects, [one for one in applied if one.verdict is verdict], at_ts_us)
    connection.execute(_SQL["remember"], (digest, at_ts_us, msgspec.json.encode(judged)))
    connection.execute("DROP TABLE temp.matched")
    return judged, False


def _known(connection: sqlite3.Connection, ids: Iterable[str]) -> dict[str, Expected]:
    connection.executemany(_SQL["match"], [(id_, None, "") for id_ in ids])
    return {row[0]: _expected(row) for row in connection.execute(_SQL["expected"])}


def _expected(row: tuple[Any, ...]) -> Expected:
    id_, about, cents, state, booked_on, returned_on = row
    return Expected(id_, about, cents, state, _day(booked_on), _day(returned_on))


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _apply(connection: sqlite3.Connection, effects: Sequence[str], judged: list[Judged], at_ts_us: int) -> None:
    if not judged:
        return
    connection.execute("DELETE FROM temp.matched")
    connection.executemany(_SQL["match"], [(one.id, one.booked_on.isoformat(), one.why) for one in judged])
    for effect in effects:
        connection.execute(_SQL[effect], {"at_ts_us": at_ts_us})
