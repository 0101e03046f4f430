"""Money that leaves or comes by the bank, and the references that tie a bank's line to a remittance or a call.

Ids made here are drawn from the run and nothing else: the same run gives the same ids, so its files can be made again.
"""

from __future__ import annotations

import hashlib
import re
from datetime import date

import msgspec

from ecluse.kernel.errors import refusal
from ecluse.kernel.ids import iban

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
TIME_CHARACTERS, DIGEST_CHARACTERS = 10, 10  # of 5 bits each, after the prefix of an id
_REFERENCE = re.compile(rf"(?i)\b(rem|cff)[-_ ]?([{CROCKFORD}]{{{TIME_CHARACTERS + DIGEST_CHARACTERS}}})\b")
_CREDITOR_ID = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{3}[A-Z0-9]{1,28}")
_BIC = re.compile(r"[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?")

BANK_SETTINGS_INVALID = refusal(
    "bank_settings_invalid",
    500,
    "The hub's own bank account is not usable",
    fix="Write bank.name, bank.iban and, for direct debits, bank.creditor_id in ecluse.toml.",
)
BIC_INVALID = refusal("bic_invalid", 400, "This is not a BIC", fix="Write the 8 or 11 characters, or leave it empty.")


class Debtor(msgspec.Struct, frozen=True):
    """The hub's own account: pays the transfers, collects the direct debits. `creditor_id` empty = no direct debits."""

    name: str
    iban: str
    bic: str = ""
    creditor_id: str = ""


class Payee(msgspec.Struct, frozen=True, array_like=True):
    """Whose account money goes to; `bic` may be empty."""

    name: str
    iban: str
    bic: str


class Settlement(msgspec.Struct, frozen=True, array_like=True):
    """An insurer's account; `mandate` is empty when it pays its calls by transfer."""

    name: str
    iban: str
    mandate: str
    mandate_signed_on: date | None


class Transfer(msgspec.Struct, frozen=True):
    """One transfer of a run: the remittance it pays, and to whom."""

    remittance: str
    amount_cents: int
    payee: Payee


class Collection(msgspec.Struct, frozen=True):
    """One direct debit: the call it collects, from whom."""

    call: str
    amount_cents: int
    settlement: Settlement


class Instruction(msgspec.Struct, frozen=True):
    """What a file for the bank has in common: its id (unique for ever), when its run was made (UTC seconds), the day."""

    id: str
    made_at_ts: int
    day: date
    own: Debtor


def checked(debtor: Debtor) -> Debtor:
    """`debtor` with a canonical IBAN. Raises `iban_invalid`, `bic_invalid` or `bank_settings_invalid`."""
    if not debtor.name.strip():
        raise BANK_SETTINGS_INVALID("bank.name is empty")
    creditor_id = debtor.creditor_id.replace(" ", "").upper()
    if creditor_id and not _CREDITOR_ID.fullmatch(creditor_id):
        raise BANK_SETTINGS_INVALID("bank.creditor_id is not a SEPA creditor identifier")
    return Debtor(debtor.name.strip(), iban(debtor.iban), bic(debtor.bic), creditor_id)


def bic(text: str) -> str:
    """The BIC in canonical form, or empty. Raises `bic_invalid`."""
    compact = text.replace(" ", "").upper()
    if compact and not _BIC.fullmatch(compact):
        raise BIC_INVALID("expected 8 or 11 characters")
    return compact


def run_id(until: date, n: int) -> str:
    """The `n`-th run (from 1) that paid what was received until that day."""
    return f"run_{until.isoformat()}_{n}"


def made_id(prefix: str, run: str, at_ts_us: int, about: str) -> str:
    """`rem_…` or `cff_…`: 10 characters of the run's time in ms, 10 of a digest of run and `about` (50 bits)."""
    digest = hashlib.sha256(f"{run}|{about}".encode()).digest()
    drawn = int.from_bytes(digest[:8], "big") >> 64 - 5 * DIGEST_CHARACTERS
    return f"{prefix}_{_crockford(at_ts_us // 1000, TIME_CHARACTERS)}{_crockford(drawn, DIGEST_CHARACTERS)}"


def instant_ms(id_: str) -> int:
    """When the run was made that `rem_…` or `cff_…` is of: ms since 1970. Raises `ValueError` on another id."""
    ms = 0
    for character in id_[4:][:TIME_CHARACTERS]:
        ms = ms << 5 | CROCKFORD.index(character)
    return ms


def _crockford(number: int, characters: int) -> str:
    return "".join(CROCKFORD[number >> 5 * place & 31] for place in reversed(range(characters)))


def bank_reference(id_: str) -> str:
    """The id as bank files carry it: SEPA's characters have no underscore."""
    return id_.replace("_", "-")


def reference_in(text: str) -> str | None:
    """The one id of a remittance or call that a bank's text holds, however it was typed; none when there are several."""
    found = {f"{prefix.lower()}_{rest.upper()}" for prefix, rest in _REFERENCE.findall(text)}
    return found.pop() if len(found) == 1 else None
