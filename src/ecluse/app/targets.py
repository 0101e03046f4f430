"""Whom a claim, a quote or an approval is about, and which contracts pay for each of its days."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from ecluse.app.even import found_or_decoy
from ecluse.app.freezes import unless_frozen
from ecluse.app.hub import Hub
from ecluse.app.rights import Beneficiary, in_range, named, reference_of, who, with_tables
from ecluse.claims.approval import Approval
from ecluse.claims.price import Payer, Payers
from ecluse.gate.admission import Admission, Request
from ecluse.journal.entry import Operation
from ecluse.journal.member import Member
from ecluse.kernel.days import paris_day
from ecluse.rights.check import HORIZON_DAYS, open_rights
from ecluse.rights.model import Covered, Domain, Engagement, Right


@dataclass(frozen=True, slots=True)
class Target:
    """Insurer and person (empty when nobody was found), and the contracts open on each day of care.

    `member`: who the person is, where the question said so itself.
    """

    admission: Admission
    insurer: str
    person: bytes
    engagement: Engagement | None
    domain: Domain | None
    care_date: date
    contracts: Mapping[date, tuple[Covered, ...]]
    approval: Approval | None = None
    member: Member | None = None

    @property
    def covered(self) -> bool:
        """Whether somebody was found, covered on the day of care and on the days that follow it."""
        return bool(self.person)

    @property
    def promised_under(self) -> str:
        """The number of the engagement that first promised, itself or by an approval; empty when there is none."""
        return self.approval.engagement if self.approval else self.engagement.number if self.engagement else ""

    async def payers(self, hub: Hub) -> Payers | None:
        """Who pays on each day, with the guarantee tables; None when a table is not there, or nobody is covered."""
        if not self.covered:
            return None
        by_day: dict[date, list[Payer]] = {}
        for day, contracts in self.contracts.items():
            by_day[day] = []
            for covered in await with_tables(hub, self.insurer, contracts):
                product = await hub.products.table(self.insurer, covered.product, covered.product_version)
                if product is None:
                    return None
                by_day[day].append(Payer(covered, product))
        return by_day.__getitem__


async def under_engagement(hub: Hub, admission: Admission, days: Sequence[date]) -> Target:
    """What an engagement promised, if it was given to the admitted practice: its contracts, even if they ended since."""
    engagement = await hub.rights.engagement(admission)
    if engagement is None:
        return Target(admission, "", b"", None, None, min(days), {})
    contracts = {day: tuple(each for each in engagement.covered if day <= each.until) for day in days}
    return Target(
        admission,
        engagement.insurer,
        engagement.person,
        engagement,
        engagement.domain,
        engagement.care_date,
        contracts,
    )


async def under_approval(hub: Hub, admission: Admission, days: Iterable[date]) -> Target:
    """What a prior approval promised, if it was given to the admitted practice: its contracts and tables, whatever came since."""
    found = await hub.approvals.approval(admission)
    if found is None:
        return Target(admission, "", b"", None, None, min(days), {})
    approval, promised = found[0], found[0].promised
    contracts = {day: tuple(each for each in promised.covered if day <= each.until) for day in days}
    return Target(
        admission, approval.insurer, approval.person, None, promised.domain, promised.care_from, contracts, approval
    )


async def unengaged(
    hub: Hub,
    asked: Request,
    scope: str,
    insurer: str,
    beneficiary: Beneficiary,
    domain: Domain,
    care_date: date,
    days: Sequence[date],
) -> Target:
    """What a rights check would find on the day of care, and on each line's day within the thirty that follow.

    Counted before anything is worked out about a person found: the time of a refusal tells of nobody. Raises `allowance_spent`,
    `care_date_out_of_range`, refusals of form.
    """
    today = paris_day(hub.clock.now())
    in_range(care_date, today, pointer="/care_date")
    for index, day in enumerate(days):
        in_range(day, today, pointer=f"/lines/{index}/date")
    meant = await who(hub, asked, insurer, beneficiary)
    admission = hub.desk.admit(asked, scope, Operation.CLAIM, meant, domain=domain)
    rights = found_or_decoy(hub.keys, await hub.rights.rights(admission))
    rights = unless_frozen(hub, meant, beneficiary.birth_date, beneficiary.birth_rank, admission.presence, rights)
    last = care_date + timedelta(days=HORIZON_DAYS)
    opened = _open_through(rights, domain, care_date, [day for day in days if care_date <= day <= last])
    person = reference_of(hub, meant, beneficiary, opened)
    await hub.desk.count(admission, person)  # also before the claim is kept: it tells of the person
    known = meant.insurer if hub.keys.has(meant.insurer) else ""
    if not opened:
        return Target(admission, known, b"", None, domain, care_date, {})
    contracts = {day: open_rights(rights, domain, day) for day in {care_date, *days}}
    member = named(beneficiary, opened)
    return Target(admission, known, person, None, domain, care_date, contracts, member=member)


def _open_through(
    rights: Sequence[Right], domain: Domain, care_date: date, days: Sequence[date]
) -> tuple[Covered, ...]:
    """The contracts open on the day of care, if some are on each of these days that follow it: one look, for nearly everybody."""
    opened = open_rights(rights, domain, care_date)
    if any(each.until >= max(days, default=care_date) for each in opened):
        return opened
    return opened if all(open_rights(rights, domain, day) for day in days) else ()
