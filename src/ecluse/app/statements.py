"""Bank statements read back: transfers settled or returned, calls funded, and every other line listed for a person."""

from __future__ import annotations

import hashlib

import msgspec

from ecluse.app.payments import Till
from ecluse.formats.camt import read_statement
from ecluse.kernel.days import ts_us
from ecluse.kernel.errors import refusal
from ecluse.payments.reconcile import APPLIED, Judged, Verdict
from ecluse.payments.transfer import checked

STATEMENT_OF_ANOTHER = refusal(
    "statement_of_another_account",
    422,
    "This statement is of another account",
    fix="Send the statement of the account that ecluse.toml names under [bank].",
)


class Reading(msgspec.Struct, frozen=True):
    """What a statement did. `counts` by verdict; `listed` holds every line that changed nothing, with why.

    `read_before`: this very file was read already; nothing changed, and this is what was found then.
    """

    read_before: bool
    counts: dict[str, int]
    returned: tuple[Judged, ...]
    listed: tuple[Judged, ...]


async def load_statement(till: Till, data: bytes) -> Reading:
    """Read a camt.053 or camt.054 into the hub, once. Raises `statement_invalid`, `statement_of_another_account`…"""
    statement = read_statement(data)
    own = checked(till.debtor).iban
    if statement.ibans - {own}:
        raise STATEMENT_OF_ANOTHER()
    digest = hashlib.sha256(data).hexdigest()
    at_ts_us = ts_us(till.clock.now())
    judged, read_before = await till.payments.read_statement(digest, statement.movements, at_ts_us)
    counts = {verdict.value: sum(one.verdict is verdict for one in judged) for verdict in Verdict}
    came_back = {Verdict.RETURNED, Verdict.UNFUNDED}
    return Reading(
        read_before,
        {verdict: count for verdict, count in counts.items() if count},
        returned=tuple(one for one in judged if one.verdict in came_back),
        listed=tuple(one for one in judged if one.verdict not in APPLIED),
    )
