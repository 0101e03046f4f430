"""What a bank statement tells of our transfers and calls, decided line by line; nothing is ever dropped.

A line is either applied (and booked once), already known, not booked by the bank yet, different from what was
ordered, or unmatched. Only the first kind changes anything; the others are listed for a person. The order of the
lines does not matter: a return may be read before the transfer it returns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum

import msgspec

from ecluse.payments.call import CallState
from ecluse.payments.ledger import Entry
from ecluse.payments.ledger import funded as funded_entry
from ecluse.payments.ledger import returned as returned_entry
from ecluse.payments.ledger import settled as settled_entry
from ecluse.payments.ledger import uncollected as uncollected_entry
from ecluse.payments.remittance import RemittanceState
from ecluse.payments.transfer import reference_in


class Movement(msgspec.Struct, frozen=True):
    """One line of a statement. `text` is what the payer wrote; it is searched for a reference and then forgotten."""

    n: int
    booked_on: date
    amount_cents: int
    currency: str
    credit: bool
    booked: bool
    end_to_end: str
    text: str
    returned: bool
    reason: str


class Expected(msgspec.Struct, frozen=True):
    """A remittance (`about` is its practice) or a call (its insurer), as the hub knows it."""

    id: str
    about: str
    amount_cents: int
    state: str
    booked_on: date | None
    returned_on: date | None


class Verdict(StrEnum):
    """What became of one line."""

    SETTLED = "settled"
    RETURNED = "returned"
    FUNDED = "funded"
    UNFUNDED = "unfunded"
    KNOWN = "known"
    PENDING = "pending"
    DIFFERENT = "different"
    UNMATCHED = "unmatched"


TWICE = "the same movement a second time, in the same statement"
APPLIED = frozenset({Verdict.SETTLED, Verdict.RETURNED, Verdict.FUNDED, Verdict.UNFUNDED})


class Judged(msgspec.Struct, frozen=True):
    """A line and its verdict. `why` is a reason code of the bank, or our words for a person."""

    n: int
    verdict: Verdict
    id: str
    booked_on: date
    amount_cents: int
    credit: bool
    why: str = ""


def references(movements: Iterable[Movement]) -> set[str]:
    """Every id the lines name: what must be looked up before judging them."""
    return {found for movement in movements if (found := _reference(movement))}


def judge_all(movements: Iterable[Movement], known: Mapping[str, Expected]) -> list[Judged]:
    """A verdict for every line, in order; each sees what the lines before it changed.

    A file tells a movement once: what it tells a second time, on the same day too, the bank did a second time.
    """
    now, told = dict(known), set[tuple[str, Verdict | None]]()
    judged = []
    for movement in movements:
        expected = now.get(_reference(movement) or "")
        verdict = judge(movement, expected)
        if expected and verdict.verdict in APPLIED | {Verdict.KNOWN}:
            what = (expected.id, _meaning(movement, expected))
            if verdict.verdict is Verdict.KNOWN and what in told:
                verdict = msgspec.structs.replace(verdict, verdict=Verdict.DIFFERENT, why=TWICE)
            told.add(what)
        if verdict.verdict in APPLIED:
            now[verdict.id] = _after(now[verdict.id], verdict)
        judged.append(verdict)
    return judged


def judge(movement: Movement, expected: Expected | None) -> Judged:
    """The verdict on one line, given what it refers to (if the hub knows it)."""
    verdict, why = _verdict(movement, expected)
    return Judged(
        movement.n, verdict, expected.id if expected else "", movement.booked_on, movement.amount_cents, movement.credit, why
    )  # fmt: skip


def _verdict(movement: Movement, expected: Expected | None) -> tuple[Verdict, str]:
    if expected is None:
        return Verdict.UNMATCHED, "no reference of a remittance or a call in it"
    if not movement.booked:
        return Verdict.PENDING, "not booked by the bank yet"
    if movement.currency != "EUR":
        return Verdict.UNMATCHED, "not in euros"
    meaning = _meaning(movement, expected)
    if meaning is None:
        return Verdict.UNMATCHED, "wrong direction for what it refers to"
    return _check(meaning, movement, expected)


def _meaning(movement: Movement, expected: Expected) -> Verdict | None:
    """What the line would be, by what it refers to and which way the money went."""
    if expected.id.startswith("rem_"):
        if not movement.credit:
            return None if movement.returned else Verdict.SETTLED
        ours = movement.returned or reference_in(movement.end_to_end) == expected.id
        return (
            Verdict.RETURNED if ours else None
        )  # a practice that quotes a remittance in its own transfer returns nothing
    if movement.credit:
        return None if movement.returned else Verdict.FUNDED
    return Verdict.UNFUNDED if movement.returned else None


def _check(meaning: Verdict, movement: Movement, expected: Expected) -> tuple[Verdict, str]:
    if movement.amount_cents != expected.amount_cents:
        return Verdict.DIFFERENT, "another amount than the one expected"
    done_on = _done_on(meaning, expected)
    if done_on == movement.booked_on:
        return Verdict.KNOWN, "read before, in another statement or notice"
    if done_on is not None:
        return Verdict.DIFFERENT, "the same movement a second time, on another day"
    if meaning is Verdict.UNFUNDED and expected.state != CallState.FUNDED:
        return Verdict.DIFFERENT, "a direct debit sent back that was never seen to arrive"
    return meaning, movement.reason


def _done_on(meaning: Verdict, expected: Expected) -> date | None:
    if meaning in {Verdict.RETURNED, Verdict.UNFUNDED}:
        return expected.returned_on
    if meaning is Verdict.FUNDED and expected.state == CallState.RETURNED:
        return None  # sent back once; its money may come again
    return expected.booked_on


def _after(expected: Expected, judged: Judged) -> Expected:
    day = judged.booked_on
    if judged.verdict is Verdict.SETTLED:
        state = expected.state if expected.returned_on else RemittanceState.SETTLED
        return msgspec.structs.replace(expected, booked_on=day, state=state)
    if judged.verdict is Verdict.FUNDED:
        return msgspec.structs.replace(expected, booked_on=day, returned_on=None, state=CallState.FUNDED)
    state = RemittanceState.RETURNED if judged.verdict is Verdict.RETURNED else CallState.RETURNED
    return msgspec.structs.replace(expected, returned_on=day, state=state)


def entry_of(judged: Judged, expected: Expected) -> Entry:
    """The ledger entry of an applied line."""
    cents = judged.amount_cents
    if judged.verdict is Verdict.SETTLED:
        return settled_entry(expected.id, cents)
    if judged.verdict is Verdict.RETURNED:
        return returned_entry(expected.id, expected.about, cents)
    if judged.verdict is Verdict.FUNDED:
        return funded_entry(expected.id, expected.about, cents)
    assert judged.verdict is Verdict.UNFUNDED
    return uncollected_entry(expected.id, expected.about, cents)


def _reference(movement: Movement) -> str | None:
    return reference_in(movement.end_to_end) or reference_in(movement.text)
