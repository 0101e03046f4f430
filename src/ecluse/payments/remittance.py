"""A remittance: what one transfer pays, claim by claim. Its lines add up to the transfer, to the cent."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

import msgspec

from ecluse.kernel.money import en_euros
from ecluse.payments.settle import Kind


class RemittanceState(StrEnum):
    """Ordered from the bank; seen in a statement; sent back by the payee's bank."""

    ORDERED = "ordered"
    SETTLED = "settled"
    RETURNED = "returned"


class Line(msgspec.Struct, frozen=True):
    """One claim of a remittance; a recovery is negative."""

    claim_id: str
    invoice: str
    kind: Kind
    amount_cents: int


class RemittanceHead(msgspec.Struct, frozen=True, omit_defaults=True):
    """A remittance without its lines. `why` is the bank's reason code when it came back."""

    remittance_id: str
    practice: str
    state: RemittanceState
    executed_on: date
    total_cents: int
    reference: str
    why: str = ""


class Remittance(RemittanceHead, frozen=True, kw_only=True, omit_defaults=True):
    """A remittance and its lines."""

    lines: tuple[Line, ...]

    def __post_init__(self) -> None:
        assert sum(line.amount_cents for line in self.lines) == self.total_cents, "lines must add up to the transfer"


_KINDS = {Kind.PAYMENT: "règlement", Kind.RECOVERY: "reprise"}


def as_text(remittance: Remittance) -> str:
    """The remittance as a practice reads it, in French."""
    head = [
        f"Avis de règlement {remittance.remittance_id}",
        f"Établissement : {remittance.practice}",
        f"Virement du {remittance.executed_on:%d/%m/%Y}, libellé {remittance.reference}",
        "",
    ]
    rows = [
        f"{line.invoice:<24} {line.claim_id:<24} {_KINDS[line.kind]:<10} {en_euros(line.amount_cents):>16}"
        for line in remittance.lines
    ]
    return "\n".join([*head, *rows, "", f"{'Total du virement':<60} {en_euros(remittance.total_cents):>16}", ""])
