"""Whom money goes to and comes from: bank details come in by file, are sealed, and are never shown again.

A file is taken whole or not at all. A changed account is the most common fraud in payments, so it never slips in with a routine
file: a practice's changes by two operators (`app/ribs.py`), an insurer's when the operator says so (`replace`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec

from ecluse.app.ports import HUB, DirectoryStore, Keys
from ecluse.formats.directory import BadRow, Sheet, read_insurers, read_practices
from ecluse.payments.transfer import Payee, Settlement

_ASK = "Ask for it, for another operator to confirm: ecluse practice rib ask."
_REPLACE = "Check it by telephone with a number you already had, then load again with --replace."


class _Account(Protocol):
    @property
    def iban(self) -> str: ...


class Loaded(msgspec.Struct, frozen=True):
    """What became of a file: counts, or the refused rows, in which case nothing was kept."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: tuple[BadRow, ...] = ()


async def load_practices(keys: Keys, store: DirectoryStore, data: bytes) -> Loaded:
    """Keep the practices of a CSV. Raises `directory_unreadable`."""
    sheet = read_practices(data)
    kept = await store.payees(sheet.rows)
    known = {practice: open_payee(keys, practice, sealed) for practice, sealed in kept.items()}
    loaded = _compared(sheet, known, "practice", _ASK)
    if not loaded.refused:
        await store.put_payees(
            (practice, _seal(keys, practice_about(practice), payee))
            for practice, (_, payee) in sheet.rows.items()
            if known.get(practice) != payee
        )
    return loaded


async def load_insurers(keys: Keys, store: DirectoryStore, data: bytes, *, replace: bool = False) -> Loaded:
    """Keep the insurers of a CSV and draw the keys of new ones. Raises `directory_unreadable`."""
    sheet = read_insurers(data)
    kept = await store.settlements(sheet.rows)
    known = {amc: open_settlement(keys, amc, sealed) for amc, sealed in kept.items()}
    loaded = _compared(sheet, known, "insurer", "" if replace else _REPLACE)
    if not loaded.refused:
        for amc in sheet.rows:
            keys.create(amc)
        await store.put_settlements(
            (amc, _seal(keys, insurer_about(amc), settlement))
            for amc, (_, settlement) in sheet.rows.items()
            if known.get(amc) != settlement
        )
    return loaded


async def put_payee(keys: Keys, store: DirectoryStore, practice: str, payee: Payee) -> None:
    """Keep the details of one practice."""
    await store.put_payees([(practice, _seal(keys, practice_about(practice), payee))])


def open_payee(keys: Keys, practice: str, sealed: bytes) -> Payee:
    """The bank details of a practice. Raises `seal_broken`."""
    return msgspec.msgpack.decode(keys.open(HUB, sealed, practice_about(practice)), type=Payee)


def open_settlement(keys: Keys, amc: str, sealed: bytes) -> Settlement:
    """The bank details of an insurer. Raises `seal_broken`."""
    return msgspec.msgpack.decode(keys.open(HUB, sealed, insurer_about(amc)), type=Settlement)


def practice_about(practice: str) -> bytes:
    """What the seal of a practice's details is bound to."""
    return b"practice|" + practice.encode()


def insurer_about(amc: str) -> bytes:
    """What the seal of an insurer's details is bound to."""
    return b"insurer|" + amc.encode()


def _seal(keys: Keys, about: bytes, details: Payee | Settlement) -> bytes:
    return keys.seal(HUB, msgspec.msgpack.encode(details), about)


def _compared(sheet: Sheet[Payee] | Sheet[Settlement], known: Mapping[str, _Account], column: str, fix: str) -> Loaded:
    moved = () if not fix else tuple(
        BadRow(line, "iban", "iban_changed", f"the account of this {column} is another than the one known", fix)
        for key, (line, row) in sheet.rows.items()
        if key in known and known[key].iban != row.iban
    )  # fmt: skip
    if sheet.bad or moved:
        return Loaded(refused=tuple(sorted(sheet.bad + moved, key=lambda row: row.line)))
    added = sum(key not in known for key in sheet.rows)
    unchanged = sum(known.get(key) == row for key, (_, row) in sheet.rows.items())
    return Loaded(added, len(sheet.rows) - added - unchanged, unchanged)
