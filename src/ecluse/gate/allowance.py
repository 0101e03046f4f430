"""How many people an account may open without their presence: three caps that hold whatever the asker does.

An *opening* is the first disclosure of a person to an account without a presence proof, by a rights check or by a claim
without engagement. It is *justified* by a settled claim of that practice for that person, of which an insurer pays something,
or by their pass. Let D be the debt cap, W 30 days, J(T) the people justified by T, C and ρ the bucket, Y the yearly cap. For
every T, and whatever is asked:

    N(T) ≤ min(C + ρT, D·(1 + ⌊T/W⌋) + J(T), Y·(1 + ⌊T/365⌋) + J(T))

People the account has opened before are free: nothing new is told. So is whoever shows a pass. Days are numbered from
1970-01-01, UTC. Nothing in here reads a clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from itertools import accumulate
from math import ceil
from typing import Literal

import msgspec
from msgspec.structs import astuple

from ecluse.gate.containment import Kind
from ecluse.gate.fleet import FleetCap
from ecluse.gate.signals import SIGNALS, Name, usual_rate
from ecluse.journal.entry import Entry, Operation
from ecluse.kernel.days import DAY_US
from ecluse.kernel.errors import refusal

FIRST_ORDINAL = 719_163  # of 1970-01-01, from which days are numbered
DEBT_DAYS = 30  # W: a claim sent and paid later than that is rare; what stays unjustified weighs on the year
YEAR_DAYS = 365
SETTLED_WITHIN_DAYS = 90  # a claim that came later than that justifies nothing: the opening weighs on the year
KEPT_DAYS = YEAR_DAYS + SETTLED_WITHIN_DAYS  # a claim sent earlier than that justified no opening that still weighs
LEARNT_DAYS = 120  # an account's own cap needs more than a quiet season; until then its profession's stands
HABIT_DAYS = 365  # how far back an own cap looks: to the flu of last winter
HEADROOM = (
    1.5  # above the highest honest debt: with 1.25, 56 honest questions of a million were refused (docs/attacks.md)
)
RISE_PER_DAY = 2  # an own cap rises no faster, whatever was settled
UNCLAIMED_PERCENT_MAX = 75  # a settled claim vouches for four and a half people at most
YEARLY_SPREAD = 2  # accounts whose debts are alike bill with different zeal (with 1, honest nurses were refused)
FLOOR = 32  # an own cap is never below: small debts leap (with 24, 30 in a million refused at hearing-aid makers')
SLOWED = 4  # what a slowed account's bucket is divided by
BUCKET_TIMES = 1.5  # with 1, 670 of a million of general practitioners' first questions were refused; with 1.5 none
ROWS_MAX = 300  # of a table, which is one entry of the journal: professions and their other words, some 80 bytes each
OTHER = "other"  # the row of a profession that the table does not name

ALLOWANCE_SPENT = refusal(
    "allowance_spent",
    429,
    "Too many people were looked up without their pass",
    fix="Scan the patient's pass; or bill the people already looked up: a settled claim gives room again, if the insurer pays.",
)


class Caps(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The caps of a profession: people, people a day, people. `unclaimed_percent`: look-ups that usually no claim follows."""

    debt: int
    burst: int
    refill_per_day: int
    yearly: int
    unclaimed_percent: int = 0

    def __post_init__(self) -> None:
        if min(self.debt, self.burst, self.refill_per_day, self.yearly) < 1:
            raise ValueError("a cap is 1 at least")
        if not 0 <= self.unclaimed_percent <= UNCLAIMED_PERCENT_MAX:
            raise ValueError(f"unclaimed_percent is 0 to {UNCLAIMED_PERCENT_MAX}")

    @property
    def believed(self) -> float:
        """Unclaimed people that each settled claim vouches for: the usual odds, and a half."""
        return HEADROOM * self.unclaimed_percent / (100 - self.unclaimed_percent)

    @property
    def fills_us(self) -> int:
        """The time in which an empty bucket is full again."""
        return self.burst * (DAY_US // self.refill_per_day)

    def slowed(self) -> Caps:
        """The caps with a quarter of the bucket, for an account held to `slowed`: it limits a bad day, not a year."""
        smaller = {"burst": -(-self.burst // SLOWED), "refill_per_day": -(-self.refill_per_day // SLOWED)}
        return msgspec.structs.replace(self, **smaller)


class Beginning(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A hub's first weeks, in which everybody is new to every account: `new_percent` of questions, up to the day `until`.

    Debt and year are as many times as wide as that is more than the profession's usual share, and `DEBT_DAYS` longer, for what
    was opened on the last day weighs as long. The bucket, which is what holds a fast thief, is `BUCKET_TIMES` as wide at most,
    until that day. It ends by itself.
    """

    until: date
    new_percent: int = 90

    def __post_init__(self) -> None:
        if not 1 <= self.new_percent <= 100:
            raise ValueError("new_percent is 1 to 100")

    @property
    def last_day(self) -> int:
        """The number of its last day."""
        return self.until.toordinal() - FIRST_ORDINAL

    def times(self, profession: str) -> float:
        """How many times as wide the caps of a profession are; never narrower."""
        return max(1.0, self.new_percent / 100 / usual_rate(profession, SIGNALS[Name.STRANGERS]))

    def widened(self, caps: Caps, profession: str, day: int) -> Caps:
        """The caps of a profession on a day."""
        if day > self.last_day + DEBT_DAYS:
            return caps
        times = self.times(profession)
        debt, yearly_ = ceil(times * caps.debt), ceil(times * caps.yearly)
        if day > self.last_day:
            return msgspec.structs.replace(caps, debt=debt, yearly=yearly_)
        times = min(times, BUCKET_TIMES)
        burst, refill = ceil(times * caps.burst), ceil(times * caps.refill_per_day)
        return msgspec.structs.replace(caps, debt=debt, burst=burst, refill_per_day=refill, yearly=yearly_)


class CapTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Caps by profession, since when, and the run or the text they come from. `names`: other words of tokens for a row.

    `fleet`: the breakers' caps, by kind; a kind without a row has no breaker. `beginning`: of a hub that begins.
    """

    as_of: date
    source: str
    professions: dict[str, Caps]
    names: dict[str, str] = {}
    fleet: dict[Kind, FleetCap] = {}
    beginning: Beginning | None = None

    def __post_init__(self) -> None:
        if len(self.professions) + len(self.names) > ROWS_MAX:
            raise ValueError(f"more than {ROWS_MAX} rows")
        if missing := {OTHER, *self.names.values()} - self.professions.keys():
            raise ValueError(f"no row {', '.join(sorted(missing))}")

    def of(self, profession: str, day: int | None = None) -> Caps:
        """The caps of a profession on a day, those of `other` when it has no row; without a day: those after the beginning."""
        name = self.names.get(profession, profession)
        caps = self.professions.get(name) or self.professions[OTHER]
        return caps if day is None or not self.beginning else self.beginning.widened(caps, name, day)

    @property
    def longest_us(self) -> int:
        """The longest time any bucket takes to fill, whatever the profession (some have two), slowed or not, at any time."""
        several = [self.of(each, day) for each in self.professions for day in (None, 0)]
        return max(each.fills_us for caps in several for each in (caps, caps.slowed()))

    def widest(self, day: int | None = None) -> Caps:
        """The highest of each cap over all professions, from that day on."""
        return widest(self.of(each, day) for each in self.professions)


def widest(several: Iterable[Caps]) -> Caps:
    """The highest of each cap."""
    return Caps(*map(max, zip(*map(astuple, several), strict=True)))


class Standing(msgspec.Struct, frozen=True):
    """Where an account stands. `full_us`: when its bucket will be full again (GCRA's theoretical arrival time).

    `debt` and `year` as they were counted last, and grown since; `cap`: its own debt cap (0: none yet). `day`: the latest on
    which they were counted (0: never), at most a day after the last.
    """

    full_us: int = 0
    debt: int = 0
    year: int = 0
    cap: int = 0
    day: int = 0


class Opened(msgspec.Struct, frozen=True):
    """One opening of an account: its day, and the day it was justified, if it was. `denied`: the person said "not me".

    `shown`: by their pass alone, which costs who issues passes nothing: no settled claim for them stands.
    """

    day: int
    justified: int | None = None
    denied: bool = False
    shown: bool = False

    @property
    def is_settled(self) -> bool:
        """Whether a settled claim justified it."""
        return self.justified is not None and not self.shown

    @property
    def until(self) -> int:
        """The day before which it was in the debt: a claim ends that on the next day at the earliest, a pass at once."""
        if self.justified is None:
            return self.day + DEBT_DAYS
        return min(max(self.justified, self.day + (not self.shown)), self.day + DEBT_DAYS)


def justified_on(each: Opened, *, lately: bool, stands: bool, today: int) -> int | None:
    """On which day the opening was justified, as claims are today; None when it is not, or is not any more.

    `stands`: a settled claim sent within `KEPT_DAYS` is about the person; `lately`: one sent within `SETTLED_WITHIN_DAYS`, which
    justifies openings as young. A claim that comes back takes its justification along, as long as the opening weighs.
    """
    if not stands or each.justified is not None:
        return each.justified if stands else None
    return today if lately and each.day >= today - SETTLED_WITHIN_DAYS else None


BY_CARD = {Operation.RIGHTS_CHECK, Operation.CLAIM}  # operations that may name somebody by what the card says


def opens(entry: Entry) -> bool:
    """Whether an entry told an account of a person by what the card says: a rights check, or a claim that uses no engagement."""
    by_card = entry.operation is Operation.RIGHTS_CHECK or (entry.operation is Operation.CLAIM and not entry.engagement)
    return by_card and bool(entry.person)


def day_of(at_us: int) -> int:
    """The number of the day of an instant in microseconds."""
    return at_us // DAY_US


def in_time(standing: Standing, longest_us: int, at_us: int) -> Standing:
    """The standing with its bucket no emptier than openings up to now can have made it: undoes what a clock that was ahead left.

    Else whoever was told of somebody meanwhile would be refused until that day. The bucket is empty then, and fills from now on.
    Of a clock that only went forward it changes nothing, whatever an account asks as: `longest_us` is `CapTable.longest_us`.
    """
    if standing.full_us <= at_us + longest_us:
        return standing
    return msgspec.structs.replace(standing, full_us=at_us + longest_us)


def spent(standing: Standing, caps: Caps, at_us: int) -> Literal["", "bucket", "debt", "year"]:
    """Which cap refuses one more opening now: "bucket", "debt", "year"; empty when none does.

    The bucket is GCRA (ITU-T I.371, virtual scheduling): an arrival conforms when it is at most the burst's time early.
    """
    step_us = DAY_US // caps.refill_per_day
    if standing.full_us - at_us > (caps.burst - 1) * step_us:
        return "bucket"
    cap = min(standing.cap or caps.debt, caps.debt)
    if standing.debt >= cap:
        return "debt"
    return "year" if standing.year >= yearly(caps, cap) else ""


def yearly(caps: Caps, cap: int) -> int:
    """The yearly budget of an account whose own debt cap is `cap`: smaller where that cap is far below its profession's."""
    return max(cap, min(caps.yearly, YEARLY_SPREAD * caps.yearly * cap // caps.debt))


def opened(standing: Standing, caps: Caps, at_us: int) -> Standing:
    """The standing after one opening that no cap refused."""
    full_us = max(standing.full_us, at_us) + DAY_US // caps.refill_per_day
    return msgspec.structs.replace(standing, full_us=full_us, debt=standing.debt + 1, year=standing.year + 1)


def opened_at_most(caps: Caps, days: float, justified: int) -> int:
    """Most people one account can open in `days` days when `justified` openings were justified: N(T) of the promise above."""
    years, months = 1 + int(days // YEAR_DAYS), 1 + int(days // DEBT_DAYS)
    return min(
        caps.burst + ceil(caps.refill_per_day * days),
        caps.debt * months + justified,
        max(caps.yearly, caps.debt) * years + justified,
    )


def counted(standing: Standing, openings: Iterable[Opened], caps: Caps, today: int) -> Standing:
    """The standing with its debt, year and own cap counted anew from all the account's openings."""
    rows = [each for each in openings if each.day > today - YEAR_DAYS]
    unjustified = [each for each in rows if each.justified is None]
    debt = sum(each.denied or each.day > today - DEBT_DAYS for each in unjustified)
    cap = _own_cap(standing, rows, caps, today)
    # Two processes count by turns at midnight, one a moment behind the other: on a day that went back, a cap would rise twice. A
    # day further ahead was a wrong clock's.
    latest = max(today, min(standing.day, today + 1))
    return Standing(standing.full_us, debt, len(unjustified), cap, latest)


def _own_cap(standing: Standing, rows: list[Opened], caps: Caps, today: int) -> int:
    """`HEADROOM` × the highest honest debt of the last year, once there are 120 days to look back on.

    Of at most 365 days the 99.9th percentile is the highest. Each person a thief adds to the cap costs 1 / (1.5 · (1 + b))
    settled claims more than ever stood open at once (b = `Caps.believed`), each paid by an insurer and told to the person, and
    half a day; passes add nobody. Who was away for a year has few days to look back on, and keeps at least the cap of before
    until there are more.
    """
    first = min((each.day for each in rows), default=today)
    is_learnt = today - first >= LEARNT_DAYS
    if not is_learnt and not standing.cap:
        return 0
    wanted = min(max(FLOOR, ceil(HEADROOM * _highest(rows, caps.believed, today))), caps.debt)
    if not standing.cap:
        return wanted
    if not is_learnt:
        wanted = max(wanted, min(standing.cap, caps.debt))
    return min(wanted, standing.cap + RISE_PER_DAY * max(0, today - standing.day))


def _highest(rows: Iterable[Opened], believed: float, today: int) -> float:
    """The highest honest debt of a day, of the last 365.

    Honest are openings settled later, and as many of the others as those of the same thirty days vouch for: most accounts look
    people up whom they never bill. Who was shown by pass from the first was never in the debt, and vouches for nobody.
    """
    first = today - HABIT_DAYS
    settled, unsettled, vouching = ([0] * (HABIT_DAYS + 2) for _ in range(3))  # changes by day, from `first` on
    for each in rows:
        gone = each.day + DEBT_DAYS
        if each.denied or gone <= first:
            continue
        since, weighing = max(each.day - first, 0), unsettled
        if each.is_settled:
            vouching[since] += 1
            vouching[min(gone - first, HABIT_DAYS + 1)] -= 1
            weighing = settled
        if (until := each.until) > first:
            weighing[since] += 1
            weighing[min(until - first, HABIT_DAYS + 1)] -= 1
    days = zip(accumulate(settled), accumulate(unsettled), accumulate(vouching), strict=True)
    return max(open_ + min(others, believed * vouched) for open_, others, vouched in days)
