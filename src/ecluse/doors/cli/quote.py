"""`ecluse quote`: one line of care and one guarantee in, who pays what out. No database, no person.

Reads one JSON object from standard input and writes one to standard output (docs/coverage.md).
"""

from __future__ import annotations

import json
import re
import sys
from typing import Annotated, Any, NoReturn

import msgspec
import typer

from ecluse.coverage.compute import compute
from ecluse.coverage.explain import because
from ecluse.coverage.line import Used, check_amount, read_line
from ecluse.coverage.notation import parse
from ecluse.coverage.waterfall import Turn
from ecluse.kernel.errors import refusal

BYTES_MAX = 16 * 1024  # a question has seven short fields
ACTS_MAX = 100_000  # more acts in a year than any counter of a contract holds

BAD_QUESTION = refusal(
    "quote_invalid",
    400,
    "This is not a question to quote",
    fix='Send {"expense_cents": 5000, "base_cents": 3150, "amo_rate": "70%", "guarantee": "BR_INCL:200"}.',
)


class UsedBefore(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What each account of the guarantee already used of its period: acts, and cents."""

    acts: int = 0
    cents: int = 0


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The question as it is sent; amounts in whole cents, the rate as "70%" or "7/10"."""

    expense_cents: int
    base_cents: int
    amo_rate: str
    guarantee: str
    participation_cents: int = 0
    used: UsedBefore = UsedBefore()
    quantity: int = 1


class Quote(msgspec.Struct, frozen=True):
    """The answer. `patient_cents` is all that stays with the patient, participation included."""

    amo_cents: int
    amc_cents: int
    patient_cents: int
    participation_cents: int
    because: list[str]


def quote(
    _json: Annotated[bool, typer.Option("--json", help="The answer is always JSON; accepted for uniformity.")] = False,
) -> None:
    """Share out one line of care: a JSON question on standard input, the split as JSON on standard output."""
    typer.echo(msgspec.json.encode(answer(read_question(sys.stdin.buffer.read(BYTES_MAX + 1)))))


def answer(question: Question) -> Quote:
    """Share out the line of `question`. Raises `line_invalid`, `rate_invalid` or `guarantee_invalid`."""
    shared = turn(question)
    split = shared.split
    patient = split.patient_cents + split.participation_cents
    return Quote(split.amo_cents, split.amc_cents, patient, split.participation_cents, because(split, shared.line))


def turn(question: Question) -> Turn:
    """The same, with all it takes to explain it."""
    line = read_line(
        question.expense_cents,
        question.base_cents,
        question.amo_rate,
        question.quantity,
        participation_cents=question.participation_cents,
    )
    check_amount(question.used.cents, "/used", "cents")
    if not 0 <= question.used.acts <= ACTS_MAX:
        raise BAD_QUESTION(f"used.acts is not between 0 and {ACTS_MAX}", pointer="/used/acts")
    guarantee, used = parse(question.guarantee), Used(question.used.acts, question.used.cents)
    return Turn(line, guarantee, compute(line, guarantee, dict.fromkeys(guarantee.accounts, used)))


def read_question(data: bytes) -> Question:
    """Read the JSON of a question, strictly: no key twice, no unknown key, no float. Raises `quote_invalid`."""
    if len(data) > BYTES_MAX:
        raise BAD_QUESTION(f"more than {BYTES_MAX} bytes")
    try:
        values = json.loads(data, object_pairs_hook=_once, parse_constant=_not_a_number)
        return msgspec.convert(values, Question)
    except msgspec.ValidationError as error:
        raise BAD_QUESTION(_UNPRINTABLE.sub("?", str(error))[:200]) from None
    except (ValueError, RecursionError):  # ValueError: not JSON, not UTF-8, or a number of thousands of digits
        raise BAD_QUESTION("standard input is not one JSON object in UTF-8") from None


_UNPRINTABLE = re.compile(r"[^\x20-\x7e]")  # what a key may bring along must not break the line on standard error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise BAD_QUESTION("a key stands twice", fix="Keep one of them.")
    return dict(pairs)


def _not_a_number(_text: str) -> NoReturn:
    raise BAD_QUESTION("NaN and Infinity are not amounts")
