"""Which rights are open on the day of care, and what of them this asker may be told. Pure.

Steps: 1. keep the rights of the domain; 2. merge what touches, contract by contract; 3. keep what holds the day of care;
4. order by priority. Nothing open and nobody known are the same answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from itertools import groupby
from typing import Literal

from ecluse.kernel.days import Period, merge
from ecluse.rights.model import Covered, Domain, Right

HORIZON_DAYS = 30  # how long an engagement holds, and how far ahead a typed question may see (docs/gate.md)

Reason = Literal["no_rights", "domain_not_covered", "not_begun", "ended"]


def horizon(asked_on: date) -> date:
    """The last day an engagement given on `asked_on` holds, even if the rights end sooner: care of the day is promised."""
    return asked_on + timedelta(days=HORIZON_DAYS)


def open_rights(rights: Iterable[Right], domain: Domain, day: date) -> tuple[Covered, ...]:
    """The contracts open on `day` for `domain`, first payer first; which guarantee table is theirs is not known here."""
    wanted = sorted((right for right in rights if domain in right.domains), key=_contract)
    opened = [_covered(list(same), day) for _, same in groupby(wanted, key=_contract)]
    return tuple(sorted((each for each in opened if each), key=lambda each: (each.priority, each.contract)))


def why_not(rights: Iterable[Right], domain: Domain, day: date) -> Reason:
    """Why nothing is open on `day` for `domain`; only for askers who may be told."""
    known = list(rights)
    asked = [right for right in known if domain in right.domains]
    if not asked:
        return "domain_not_covered" if known else "no_rights"
    return "ended" if any(right.valid.start <= day for right in asked) else "not_begun"


def domains_on(rights: Iterable[Right], day: date) -> tuple[Domain, ...]:
    """Every kind of care that is open on `day`, in the order of `Domain`."""
    opened = {domain for right in rights if day in right.valid for domain in right.domains}
    return tuple(domain for domain in Domain if domain in opened)


def _contract(right: Right) -> tuple[str, str]:
    return right.contract, right.member_number


def _covered(same: list[Right], day: date) -> Covered | None:
    now = next((right for right in same if day in right.valid), None)
    if now is None:
        return None
    periods = [now.valid] if len(same) == 1 else merge(right.valid for right in same)
    whole: Period = next(each for each in periods if day in each)
    return Covered(
        contract=now.contract,
        member_number=now.member_number,
        product=now.product,
        product_version="",
        until=whole.last_day,
        convention_type=now.convention_type,
        csr=now.csr,
        responsible=now.responsible,
        priority=now.priority,
        since=whole.start,
    )
