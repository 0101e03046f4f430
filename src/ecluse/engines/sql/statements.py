"""Bank statements: one unit of work a statement; the verdicts are those of `payments/reconcile.py`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import msgspec

from ecluse.engines.sql.ledger import book
from ecluse.engines.sql.unit import Tx
from ecluse.payments.reconcile import APPLIED, Expected, Judged, Movement, Verdict, entry_of, judge_all, references

_EFFECTS: dict[Verdict, tuple[str, ...]] = {
    Verdict.SETTLED: ("settle_remittances", "settle_moves", "settle_claims"),
    Verdict.RETURNED: ("return_remittances", "return_moves", "return_claims"),
    Verdict.FUNDED: ("fund_calls",),
    Verdict.UNFUNDED: ("return_calls",),
}  # in this order: a transfer that left and came back in one statement ends returned

_MOVES = {"settle_moves", "return_moves"}  # the effects that say when


async def read_statement(
    tx: Tx, digest: str, movements: Sequence[Movement], at_ts_us: int
) -> tuple[list[Judged], bool]:
    """Judge and apply in the caller's unit of work; the verdicts, and True when this very file was read before to no other end.

    Of such a file, what named nothing known is judged again: its run may have been lost then, and be entered now.
    """
    before = await tx.one("read_before", digest=digest)
    if before:
        told = msgspec.json.decode(before[0], type=list[Judged])
        unmatched = {one.n for one in told if one.verdict is Verdict.UNMATCHED}
        again = {one.n: one for one in await _read(tx, [one for one in movements if one.n in unmatched], at_ts_us)}
        return [again.get(one.n, one) for one in told], not any(one.verdict in APPLIED for one in again.values())
    judged = await _read(tx, movements, at_ts_us)
    await tx.run("remember", digest=digest, at_ts_us=at_ts_us, counts=msgspec.json.encode(judged))
    return judged, False


async def _read(tx: Tx, movements: Sequence[Movement], at_ts_us: int) -> list[Judged]:
    await tx.run("drop_matched")
    await tx.run("matched_table")
    known = await _known(tx, references(movements))
    judged = judge_all(movements, known)
    applied = [one for one in judged if one.verdict in APPLIED]
    await book(tx, (entry_of(one, known[one.id]) for one in applied), at_ts_us)
    for verdict, effects in _EFFECTS.items():
        await _apply(tx, effects, [one for one in applied if one.verdict is verdict], at_ts_us)
    await tx.run("drop_matched")
    return judged


async def _known(tx: Tx, ids: Iterable[str]) -> dict[str, Expected]:
    await tx.many("match", [{"id": id_, "booked_on": None, "why": ""} for id_ in ids])
    await tx.run("hold_matched")
    return {row[0]: _expected(row) for row in await tx.all("expected")}


def _expected(row: tuple[Any, ...]) -> Expected:
    id_, about, cents, state, booked_on, returned_on = row
    return Expected(id_, about, cents, state, _day(booked_on), _day(returned_on))


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


async def _apply(tx: Tx, effects: Sequence[str], judged: list[Judged], at_ts_us: int) -> None:
    if not judged:
        return
    await tx.run("empty_matched")
    await tx.many("match", [{"id": one.id, "booked_on": one.booked_on.isoformat(), "why": one.why} for one in judged])
    for effect in effects:
        await tx.run(effect, **({"at_ts_us": at_ts_us} if effect in _MOVES else {}))
