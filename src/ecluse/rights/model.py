"""Rights as the hub knows them: contracts of a person, without the person.

No name, NIR or birth date is in here: a person is a keyed pseudonym outside (`Keys`), a member number inside.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum

import msgspec

from ecluse.kernel.days import Period

SCHEMA = 1  # version of the sealed bytes below; part of what the seal authenticates


class Domain(StrEnum):
    """Kinds of care, as cards and conventions name them (docs/glossary.md)."""

    MED = "MED"
    PHAR = "PHAR"
    LABO = "LABO"
    OPTI = "OPTI"
    DENT = "DENT"
    AUDI = "AUDI"
    RADI = "RADI"
    AUXM = "AUXM"
    HOSP = "HOSP"
    TRAN = "TRAN"


class Right(msgspec.Struct, frozen=True, array_like=True):
    """One row of a member feed: one contract of a person over one period, as it is sealed (`msgspec.msgpack`)."""

    contract: str
    member_number: str
    product: str
    domains: tuple[Domain, ...]
    valid: Period
    convention_type: str
    csr: str
    responsible: bool
    priority: int


class Covered(msgspec.Struct, frozen=True, array_like=True):
    """A contract that is open on a day for a domain, with its merged period: what an engagement remembers.

    `since` is the first day of the member's unbroken rights; engagements given before it was kept have none.
    """

    contract: str
    member_number: str
    product: str
    product_version: str
    until: date
    convention_type: str
    csr: str
    responsible: bool
    priority: int
    since: date | None = None


class Engagement(msgspec.Struct, frozen=True, array_like=True):
    """A guarantee of payment once given: what was open, for whom, to whom. Never changed afterwards.

    `person` is the insurer's random-looking reference; `covered` is in order of priority, never empty.
    """

    number: str
    insurer: str
    person: bytes
    practice: str
    account: str
    domain: Domain
    care_date: date
    valid_until: date
    covered: tuple[Covered, ...]
