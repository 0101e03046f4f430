"""Why a claim or a quote is shared out as it is, shown to the operator: line by line, as bars, and traced like any reading.

A claim is read from its store, whoever sent it; a quote from the journal, where its lines are sealed. Nothing that is given
names a person.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import date

import msgspec

from ecluse.app.access import Disclosure, Released
from ecluse.app.hub import Hub
from ecluse.app.quoted import open_quote
from ecluse.claims.claim import Priced, State
from ecluse.claims.price import turns
from ecluse.coverage.waterfall import Waterfall, waterfall
from ecluse.gate.admission import Admission, Request
from ecluse.gate.identity import Account
from ecluse.journal.entry import Operation
from ecluse.kernel.errors import Refused, refusal

SCOPE = "explain"
OPERATOR = Account("operator", scopes=frozenset({SCOPE}))
_ID = re.compile(r"(clm_|quo_)[0-9A-HJKMNP-TV-Z]{20}")

EXPLAIN_ID_INVALID = refusal(
    "explain_id_invalid",
    400,
    "This is not the id of a claim or a quote",
    fix="Copy clm_… or quo_… and its 20 characters from the answer; `-` explains a question from standard input.",
)
CLAIM_UNKNOWN = refusal(
    "claim_unknown", 404, "This hub has no such claim", fix="Check the id, and that --dir names the hub it was sent to."
)
QUOTE_UNKNOWN = refusal(
    "quote_unknown",
    404,
    "The journal has no such quote",
    fix="Check the id and --dir; a journal restored from a copy lacks what came later: see docs/availability.md.",
)
QUOTE_NOT_KEPT = refusal(
    "quote_not_kept",
    409,
    "The journal did not keep the lines of quotes when this one was given",
    fix="Explain its claim, or the same line as a question with `ecluse explain -`.",
)
CLAIM_NOT_SHARED = refusal(
    "claim_not_shared",
    409,
    "A refused claim was not shared out",
    fix="Read what it was refused for with GET /v1/claims/{id}.",
)
KEYS_DESTROYED = refusal(
    "explanation_destroyed",
    410,
    "The insurer's keys were destroyed: this opens for nobody",
    fix="Nothing brings it back but a copy of the keys made before, if one was kept.",
)


class ExplainedLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line as bars. A question from standard input has no act and no day."""

    line: int
    waterfall: Waterfall
    act: str = ""
    date: date | None = None
    quantity: int = 1


class Explanation(msgspec.Struct, frozen=True, omit_defaults=True):
    """The lines of a claim or a quote; `left_out` counts those that the journal had no room for."""

    id: str
    explained: tuple[ExplainedLine, ...]
    left_out: int = 0


async def explain(hub: Hub, id_: str) -> Released[Explanation]:
    """Explain a claim (`clm_…`) or a quote (`quo_…`); the trace of it is durable when this returns.

    Raises `explain_id_invalid`, `claim_unknown`, `claim_not_shared`, `quote_unknown`, `quote_not_kept`,
    `explanation_destroyed`, `person_forgotten`.
    """
    found = _ID.fullmatch(id_)
    if found is None:
        raise EXPLAIN_ID_INVALID()
    admission = hub.desk.admit(Request(OPERATOR, hub.ids.new("exp_")), SCOPE, Operation.EXPLAINED, id_)
    try:
        return await hub.desk.release(admission, await _READ[found[1]](hub, admission, id_))
    except Refused as refused:
        if refused.code == "insurer_unknown":  # the insurer was served, or there would be nothing to open
            raise KEYS_DESTROYED() from None
        raise


async def _claim(hub: Hub, admission: Admission, id_: str) -> Disclosure[Explanation]:
    claim = await hub.claims.any_claim(admission)
    if claim is None:
        raise CLAIM_UNKNOWN()
    if claim.state is State.REFUSED:
        raise CLAIM_NOT_SHARED()
    return Disclosure(_explained(id_, claim.content.lines), claim.state, insurer=claim.insurer, person=claim.person)


async def _quote(hub: Hub, admission: Admission, id_: str) -> Disclosure[Explanation]:
    entry = hub.recall.entry(admission)
    if entry is None or entry.operation is not Operation.QUOTE:
        raise QUOTE_UNKNOWN()
    if not entry.sealed:
        raise QUOTE_NOT_KEPT()
    quoted = open_quote(hub.keys, entry.insurer, id_, entry.sealed)
    answer = _explained(id_, quoted.lines, quoted.count)
    return Disclosure(answer, entry.outcome, insurer=entry.insurer, person=entry.person)


_READ: dict[str, Callable[[Hub, Admission, str], Awaitable[Disclosure[Explanation]]]] = {"clm_": _claim, "quo_": _quote}


def _explained(id_: str, lines: Sequence[Priced], count: int = 0) -> Explanation:
    explained = tuple(
        ExplainedLine(each.billed.line, waterfall(turns(each)), each.billed.act, each.billed.date, each.billed.quantity)
        for each in lines
    )
    return Explanation(id_, explained, max(0, count - len(lines)))
