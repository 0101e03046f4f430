"""Double entry in whole cents: every entry's postings sum to zero, and none is ever changed.

Accounts, by what they say (a positive amount is a debit: what is owed to the hub or held by it):

- `insurer:<amc>`   what an insurer owes the hub (+), until it has paid its call for funds
- `practice:<id>`   what the hub owes a practice (−), until a transfer is ordered; a positive balance is money to
recover
- `transit`         transfers ordered and not yet seen in a bank statement (−)
- `bank`            the hub's bank account (− when money left, + when it came)
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

TRANSIT = "transit"
BANK = "bank"


class Posting(msgspec.Struct, frozen=True, array_like=True):
    """`amount_cents` on `account`: positive debits, negative credits."""

    account: str
    amount_cents: int


class Because(StrEnum):
    """Why an entry was written."""

    ACCEPTED = "claim_accepted"
    CANCELLED = "claim_cancelled"
    ORDERED = "transfer_ordered"
    SETTLED = "transfer_settled"
    RETURNED = "transfer_returned"
    FUNDED = "insurer_paid"


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """One movement: why, about which claim, remittance or call (`about`), and its postings, which sum to zero."""

    because: Because
    about: str
    postings: tuple[Posting, ...]

    def __post_init__(self) -> None:
        assert sum(posting.amount_cents for posting in self.postings) == 0, "postings must sum to zero"


def move(because: Because, about: str, debit: str, credit: str, amount_cents: int) -> Entry:
    """The entry that moves `amount_cents` (≥ 0) from account `credit` to account `debit`."""
    assert amount_cents >= 0
    return Entry(because, about, (Posting(debit, amount_cents), Posting(credit, -amount_cents)))


def insurer_account(amc: str) -> str:
    """The account of an insurer."""
    return f"insurer:{amc}"


def practice_account(practice: str) -> str:
    """The account of a practice."""
    return f"practice:{practice}"


def accepted(claim_id: str, insurer: str, practice: str, amc_cents: int) -> Entry:
    """A claim is accepted: the insurer owes it, the hub owes it to the practice."""
    return move(Because.ACCEPTED, claim_id, insurer_account(insurer), practice_account(practice), amc_cents)


def cancelled(claim_id: str, insurer: str, practice: str, amc_cents: int) -> Entry:
    """A claim is cancelled: the acceptance the other way round. If it was paid, the practice now owes it."""
    return move(Because.CANCELLED, claim_id, practice_account(practice), insurer_account(insurer), amc_cents)


def ordered(remittance: str, practice: str, cents: int) -> Entry:
    """A transfer is ordered: the practice is owed that much less, and it is on its way."""
    return move(Because.ORDERED, remittance, practice_account(practice), TRANSIT, cents)


def settled(remittance: str, cents: int) -> Entry:
    """The transfer left the hub's bank account."""
    return move(Because.SETTLED, remittance, TRANSIT, BANK, cents)


def returned(remittance: str, practice: str, cents: int) -> Entry:
    """The payee's bank sent the transfer back: the money is in the bank account and owed to the practice again."""
    return move(Because.RETURNED, remittance, BANK, practice_account(practice), cents)


def funded(call: str, insurer: str, cents: int) -> Entry:
    """An insurer paid its call for funds."""
    return move(Because.FUNDED, call, BANK, insurer_account(insurer), cents)


def uncollected(call: str, insurer: str, cents: int) -> Entry:
    """The insurer's bank took a direct debit back: the insurer owes it again."""
    return move(Because.RETURNED, call, insurer_account(insurer), BANK, cents)
