"""To whom a letter goes: an adult in their own name, a minor through the holder of the contract, and nobody by guess."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

import msgspec

from ecluse.breach.letters.pack import Concerned
from ecluse.formats.contacts import Contact, Key
from ecluse.kernel.errors import refusal

MAJORITY = 18  # code civil, article 388

CONTACT_UNKNOWN = refusal(
    "contact_unknown",
    404,
    "A concerned person has no row in the contacts",
    fix="Add the row; for a former member without address, publish a notice (RGPD art. 34(3)(c)).",
)
HOLDER_UNKNOWN = refusal(
    "holder_unknown",
    404,
    "A minor's holder has no row, or is not an adult",
    fix="Add the holder's row, or name another in holder_member_number and holder_birth_date.",
)
HOLDER_UNCLEAR = refusal(
    "holder_unclear", 409, "Several adults have the minor's number", fix="Name one of them in holder_birth_date."
)


class Addressee(msgspec.Struct, frozen=True):
    """Who is written to, and about whom: the same person, or their minor child."""

    to: Contact
    about: Contact
    child: bool


class Contacts:
    """The insurer's contacts, found by person and, for holders, by number."""

    def __init__(self, rows: Iterable[Contact], today: date) -> None:
        self._rows: dict[Key, Contact] = {row.key: row for row in rows}
        self._today = today
        self._adults: dict[str, list[Contact]] = {}
        for row in self._rows.values():
            if not is_minor(row.birth_date, today):
                self._adults.setdefault(row.member_number, []).append(row)

    def __len__(self) -> int:
        return len(self._rows)

    def addressee(self, person: Concerned) -> Addressee:
        """Whom to write to. Raises `contact_unknown`, `holder_unknown`, `holder_unclear`."""
        row = self._rows.get((person.member_number, person.birth_date, person.birth_rank))
        if row is None:
            raise CONTACT_UNKNOWN()
        if not is_minor(row.birth_date, self._today):
            return Addressee(row, row, child=False)
        return Addressee(_holder(row, self._adults), row, child=True)


def is_minor(born: str, today: date) -> bool:
    """Whether somebody born that day is under 18; a month or day that no calendar has counts as the last one: minor in doubt."""
    year, month, day = (int(part) for part in born.split("-"))
    month = month if 1 <= month <= 12 else 12
    return (today.year - year, today.month, today.day) < (MAJORITY, month, day or 31)


def _holder(row: Contact, adults: Mapping[str, list[Contact]]) -> Contact:
    found = adults.get(row.holder_member_number or row.member_number, [])
    if row.holder_birth_date:
        found = [each for each in found if each.birth_date == row.holder_birth_date]
    if not found:
        raise HOLDER_UNKNOWN()
    if len(found) > 1:
        raise HOLDER_UNCLEAR()
    return found[0]
