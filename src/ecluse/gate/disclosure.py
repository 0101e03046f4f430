"""The disclosure table: what each operation may tell at each level of presence, in one place, as data (docs/gate.md).

`cut` takes from an answer what its level may not be told; `overtold` finds what an answer tells beyond it, and the desk then
releases nothing. Bits are read from the answer itself, so the journal has exactly what left.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, TypeVar

import msgspec

from ecluse.gate.presence import Presence
from ecluse.journal.entry import Field, Operation
from ecluse.rights.check import HORIZON_DAYS

Answer = TypeVar("Answer", bound=msgspec.Struct)
Row = tuple[Field, Field, Field]  # what may be told typed, with a pass, with a pass shown live

NOTHING: tuple[object, ...] = (None, ())
NONE = Field(0)

# Member of an answer → the fields it tells.
BITS: dict[str, Field] = {
    "outcome": Field.OUTCOME,
    "third_party_payment": Field.THIRD_PARTY_PAYMENT,
    "engagement": Field.ENGAGEMENT,
    "covered_until": Field.COVERED_UNTIL,
    "convention_type": Field.CONVENTION_TYPE,
    "csr": Field.CSR,
    "total": Field.SPLIT,
    "amc_cents": Field.SPLIT,
    "reason": Field.REASON,
    "refusals": Field.REASON,
    "guarantee": Field.GUARANTEE,
    "domains": Field.DOMAINS,
    "claim_id": Field.CLAIM,
    "claims": Field.CLAIM,
    "explained": Field.SPLIT | Field.GUARANTEE,
    "approval_id": Field.APPROVAL,
    "approvals": Field.APPROVAL,
    "members": Field.MEMBER,
    "sealed": Field.MEMBER,
    "valid_until": Field.VALID_UNTIL,
}
# Code of a refusal that tells more than a reason → the fields its words tell: the right amount is in them, for whoever mends it.
REFUSAL_BITS: dict[str, Field] = {"amount_mismatch": Field.SPLIT}

_CHECKED = (
    Field.OUTCOME
    | Field.THIRD_PARTY_PAYMENT
    | Field.ENGAGEMENT
    | Field.COVERED_UNTIL
    | Field.CONVENTION_TYPE
    | Field.CSR
)
# A priced line says why it is shared out so: that is the guarantee of this act, under an engagement that was given. What the
# contract holds besides is told live only.
_PRICED = Field.SPLIT | Field.GUARANTEE
_DECIDED = Field.APPROVAL | Field.VALID_UNTIL | Field.REASON | _PRICED


def _whatever(told: Field) -> Row:
    """The same at every level: what is asked under a promise that was made, by staff, or by the person's own insurer."""
    return told, told, told


# Operation → what may be told. An operation that is not here tells nothing of a person.
TABLE: dict[Operation, Row] = {
    Operation.RIGHTS_CHECK: (
        _CHECKED,
        _CHECKED | Field.REASON,
        _CHECKED | Field.REASON | Field.GUARANTEE | Field.DOMAINS,
    ),
    Operation.QUOTE: _whatever(Field.ENGAGEMENT | _PRICED),
    # A refusal that can be mended is a reason, and what was sent was a claim: docs/claims.md says which reasons there are.
    Operation.CLAIM: _whatever(Field.CLAIM | Field.SPLIT | Field.REASON),
    Operation.CLAIM_CANCELLED: _whatever(Field.CLAIM | Field.SPLIT),
    Operation.CLAIM_READ: _whatever(Field.CLAIM | Field.ENGAGEMENT | Field.REASON | _PRICED),
    Operation.APPROVAL: _whatever(_DECIDED),
    Operation.APPROVAL_CANCELLED: _whatever(_DECIDED),
    Operation.APPROVAL_READ: _whatever(Field.ENGAGEMENT | _DECIDED),
    # Staff, with the scopes of the hub; nobody is there.
    Operation.EXPLAINED: _whatever(_PRICED),
    Operation.EXPOSURE_ASKED: _whatever(NONE),
    Operation.JOURNAL_PROVED: _whatever(NONE),
    # An insurer, about its own members.
    Operation.JOURNAL_EXPORTED: _whatever(Field.MEMBER),
    Operation.OPENINGS_TOLD: _whatever(Field.MEMBER),
    Operation.PASS_ISSUED: _whatever(Field.OUTCOME | Field.COVERED_UNTIL | Field.DOMAINS),
}
_NO_ROW = _whatever(NONE)
# The same as plain numbers, for every answer is held to it: a Flag's operators cost 1 µs each.
_MAY = {operation: tuple(field.value for field in TABLE.get(operation, _NO_ROW)) for operation in Operation}
_MEMBERS: dict[type[Any], tuple[tuple[str, int], ...]] = {}

# How many days ahead `covered_until` may lie; where there is no line, as far as the rights go.
UNTIL_DAYS_MAX: dict[tuple[Operation, Presence], int] = {(Operation.RIGHTS_CHECK, Presence.TYPED): HORIZON_DAYS}


class Overtold(Exception):  # noqa: N818 - past participles for what happened
    """A bug: an answer tells what its admission does not allow. It is not released."""


def allowed(operation: Operation, presence: Presence) -> int:
    """The fields this operation may tell at this level, as `Field` bits."""
    return _MAY[operation][presence]


def fields_of(answer: Any) -> int:
    """Exactly the fields `answer` will send, as `Field` bits, read from the answer itself (absent ones are `None` or empty).

    Lines that say why are shared out so speak of the guarantee, and words of a refusal of more than that there is one.
    """
    bits = 0
    for name, told in _telling(type(answer)):
        if getattr(answer, name) not in NOTHING:
            bits |= told
    if any(getattr(line, "because", None) for line in getattr(answer, "lines", None) or ()):
        bits |= Field.GUARANTEE.value
    for refusal in getattr(answer, "refusals", None) or ():
        bits |= REFUSAL_BITS.get(refusal.code, NONE).value
    return bits


def cut(answer: Answer, operation: Operation, presence: Presence, today: date) -> Answer:
    """The answer without what this level may not be told; its horizon no further than this level may see."""
    may = allowed(operation, presence)
    changes: dict[str, Any] = {
        name: None for name, told in _telling(type(answer)) if told & ~may and getattr(answer, name) not in NOTHING
    }
    furthest, until = _furthest(operation, presence, today), getattr(answer, "covered_until", None)
    if "covered_until" not in changes and until and until > furthest:
        changes["covered_until"] = furthest
    return msgspec.structs.replace(answer, **changes) if changes else answer


def overtold(answer: object, fields: int, operation: Operation, presence: Presence, today: date) -> str:
    """What `answer`, which tells `fields`, may not tell; empty when it may be released."""
    if beyond := fields & ~allowed(operation, presence):
        return f"{operation} {presence.name}: {Field(beyond)!r}"
    until = getattr(answer, "covered_until", None)
    if until and until > _furthest(operation, presence, today):
        return f"{operation} {presence.name}: covered_until is too far ahead"
    return ""


def _telling(kind: type[Any]) -> tuple[tuple[str, int], ...]:
    """The members of a kind of answer that tell a field, and its bits: worked out once."""
    if kind not in _MEMBERS:
        _MEMBERS[kind] = tuple((name, BITS[name].value) for name in kind.__struct_fields__ if name in BITS)
    return _MEMBERS[kind]


def _furthest(operation: Operation, presence: Presence, today: date) -> date:
    days = UNTIL_DAYS_MAX.get((operation, presence))
    return date.max if days is None else today + timedelta(days=days)
