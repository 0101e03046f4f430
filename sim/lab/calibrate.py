"""Honest accounts by the hundred, counters alone: the debt of each day, and how many of their questions the caps refuse.

Debts are those of accounts without any cap. Caps are p99.9 of them × 1.25, and no less than the largest accounts of the
profession need, too few to be met among some hundred: ten refusals in a million of their own questions. Refusals are those of the
hub's own functions (`gate.allowance`) under a table of caps. People have no identity here: an opening is a day, and the day its
claim is settled.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from math import ceil
from random import Random

from msgspec.structs import replace

from ecluse.gate.allowance import (
    DEBT_DAYS,
    FIRST_ORDINAL,
    OTHER,
    YEAR_DAYS,
    Beginning,
    Caps,
    CapTable,
    Opened,
    Standing,
    counted,
    opened,
    spent,
)
from ecluse.gate.fleet import FleetCap
from ecluse.gate.signals import SIGNALS, Name, usual_rate
from ecluse.kernel.days import DAY_US
from sim.lab.rates import RATES, SIZES, Habit, habit, questions, settles_on
from sim.seeds import stream

HEADROOM = 1.25  # of a profession's cap, above the debts that were played
LARGEST = 100  # account-years of the largest size, for each profession
REFUSED_PER_MILLION = 10
BURSTS = 2  # busiest days at once: the Monday after a holiday, a colleague's patients
BURST_LEAST, REFILL_LEAST = (
    61,
    45,
)  # the design's: in a hub's first days everybody is new to every account, and none is known
SHARE = 0.999  # of honest account-days that a cap must let through
START_DAY = 20_454  # 2026-01-01
HOSPITAL = 10
# An account-year under caps costs 0.2 to 30 s of the processor, for all its openings are counted each day: one for so many
# of debts, and fewer where they are many.
COUNTED, HEAVY = 16, {"hospital": 25, "pharmacy": 6, "laboratory": 6, "radiologist": 2}
BEGINNING_DAYS, BEGINNING_NEW = 60, 0.9  # everybody is new to every account: nine questions of ten (assumed)
WARM_DAYS = 40  # before an account's debt is what it usually is
OPENS_US, DAY_LONG_US = 8 * 3_600_000_000, 10 * 3_600_000_000


@dataclass(frozen=True, slots=True)
class Debts:
    """Honest debts of a profession: what `SHARE` of days did not exceed, the highest; also unclaimed a year, opened a day.

    `needed`: the smallest debt cap that refuses the largest accounts at most `REFUSED_PER_MILLION` of their questions.
    """

    profession: str
    with_pass: float
    account_years: int
    p999: int
    highest: int
    unclaimed_a_year: int
    a_day: int
    needed: int

    def caps(self) -> Caps:
        """The caps that follow: the bucket holds `BURSTS` busiest days, and fills by one and a quarter."""
        return Caps(
            max(ceil(HEADROOM * self.p999), self.needed),
            max(BURSTS * self.a_day, BURST_LEAST),
            max(ceil(HEADROOM * self.a_day), REFILL_LEAST),
            ceil(HEADROOM * self.unclaimed_a_year),
            round(100 * usual_rate(self.profession, SIGNALS[Name.UNCLAIMED])),
        )


def opened_on(draw: Random, who: Habit, day: int) -> Iterator[int]:
    """For each person opened without a pass on a day: when their claim is settled, 0 for never."""
    for _ in range(questions(draw, who, day)):
        if draw.random() < who.missed or draw.random() >= who.new or draw.random() < who.with_pass:
            continue
        yield settles_on(draw, who, day)


def debts(
    profession: str, accounts: int, with_pass: float, seed: int, told: Callable[[int], None] = lambda _: None
) -> Debts:
    """Play each account for a year, under no cap."""
    days: Counter[int] = Counter()
    busiest, unclaimed = Counter[int](), list[int]()
    for number in range(accounts):
        draw = stream(seed, "debts", profession, with_pass, number)
        who = habit(draw, profession, with_pass)
        leaves: Counter[int] = Counter()
        debt = never = 0
        for day in range(START_DAY - WARM_DAYS, START_DAY + YEAR_DAYS):
            debt -= leaves.pop(day, 0)
            people = 0
            for settled in opened_on(draw, who, day):
                people += 1
                never += not settled and day >= START_DAY
                leaves[min(settled or day + DEBT_DAYS, day + DEBT_DAYS)] += 1
            debt += people
            if day >= START_DAY:
                days[debt] += 1
                busiest[people] += 1
        unclaimed.append(never)
        told(1)
    return Debts(
        profession, with_pass, accounts, quantile(days, SHARE), max(days),
        quantile(Counter(unclaimed), SHARE), quantile(busiest, SHARE),
        needed(profession, min(accounts, LARGEST), seed),
    )  # fmt: skip


def needed(profession: str, accounts: int, seed: int) -> int:
    """The smallest debt cap under which accounts of the largest size have ten questions in a million refused, or fewer."""
    found, asked = met(profession, accounts, seed, largest=True)
    left = asked * REFUSED_PER_MILLION / 1e6
    for cap in sorted(found, reverse=True):
        if (left := left - found[cap]) < 0:
            return cap + 1
    return 1


def met(profession: str, accounts: int, seed: int, *, largest: bool) -> tuple[Counter[int], int]:
    """A year of accounts of every size, or of the largest, under no cap: the debt each opening met; questions asked in all."""
    found, asked = Counter[int](), 0.0
    for number in range(accounts):
        draw = stream(seed, *(("largest", profession) if largest else ("debts", profession, 0.0)), number)
        who = habit(draw, profession)
        if largest:
            who = who._replace(asks=RATES[profession].asks * SIZES[1])
        leaves: Counter[int] = Counter()
        debt = 0
        for day in range(START_DAY - WARM_DAYS, START_DAY + YEAR_DAYS):
            debt -= leaves.pop(day, 0)
            for settled in opened_on(draw, who, day):
                leaves[min(settled or day + DEBT_DAYS, day + DEBT_DAYS)] += 1
                found[debt] += day >= START_DAY
                debt += 1
                asked += (day >= START_DAY) / (who.new * (1 - who.missed))
    return found, round(asked)


def over(profession: str, cap: int, accounts: int, seed: int, *, largest: bool) -> tuple[int, int]:
    """How many questions a debt cap refuses such accounts at most, of how many."""
    found, asked = met(profession, accounts, seed, largest=largest)
    return sum(count for debt, count in found.items() if debt >= cap), asked


def quantile(counts: Counter[int], share: float) -> int:
    """The smallest value that `share` of the counts do not exceed."""
    total, seen = counts.total(), 0
    for value in sorted(counts):
        seen += counts[value]
        if seen >= share * total:
            return value
    raise ValueError("nothing was counted")


@dataclass(slots=True)
class Refusals:
    """Honest questions of a profession under a table of caps: asked at all, and refused, by counter."""

    account_years: int = 0
    asked: int = 0
    refused: Counter[str] = field(default_factory=Counter)


def refusals(
    profession: str, accounts: int, years: int, caps: Caps, with_pass: float, seed: int,
    told: Callable[[int], None] = lambda _: None,
) -> Refusals:  # fmt: skip
    """Play accounts from their first day for some years under caps: their own follow from what they do."""
    found = Refusals(accounts * years)
    for number in range(accounts):
        draw = stream(seed, "refusals", profession, with_pass, number)
        who = habit(draw, profession, with_pass)
        account = _Account(lambda _: caps)
        start = START_DAY + draw.randrange(YEAR_DAYS)
        for day in range(start, start + years * YEAR_DAYS):
            found.asked += account.day(draw, who, day, found.refused)
        told(1)
    return found


class _Account:
    """The counters of one account, and whom it opened: those of a year. `caps`: of a day."""

    def __init__(self, caps: Callable[[int], Caps]) -> None:
        self.caps_on, self.standing = caps, Standing()
        self.rows: deque[tuple[int, int]] = deque()  # day, settled on

    def day(self, draw: Random, who: Habit, day: int, refused: Counter[str]) -> int:
        """Play a day; how many questions it had."""
        while self.rows and self.rows[0][0] <= day - YEAR_DAYS:
            self.rows.popleft()
        asked = questions(draw, who, day)
        if not asked:
            return 0
        caps = self.caps_on(day)
        self.standing = counted(self.standing, self._openings(day), caps, day)
        for place in range(asked):
            if draw.random() < who.missed or draw.random() >= who.new or draw.random() < who.with_pass:
                continue
            at_us = day * DAY_US + OPENS_US + place * DAY_LONG_US // asked
            if no := spent(self.standing, caps, at_us):
                refused[no] += 1
                continue
            self.standing = opened(self.standing, caps, at_us)
            self.rows.append((day, settles_on(draw, who, day)))
        return asked

    def _openings(self, today: int) -> Iterator[Opened]:
        return (Opened(day, settled if 0 < settled <= today else None) for day, settled in self.rows)


def begun(profession: str, accounts: int, caps: CapTable, seed: int, *, widened: bool) -> Refusals:
    """Play accounts through a hub's first `BEGINNING_DAYS`, in which nine of ten people are new, and as many days after them;
    under caps that are widened for it, or are not."""
    found = Refusals(round(accounts * 2 * BEGINNING_DAYS / YEAR_DAYS))
    for number in range(accounts):
        draw = stream(seed, "beginning", profession, number)
        usual = habit(draw, profession)
        start = START_DAY + draw.randrange(YEAR_DAYS)
        last = date.fromordinal(FIRST_ORDINAL + start + BEGINNING_DAYS - 1)
        table = replace(caps, beginning=Beginning(last) if widened else None)
        account = _Account(partial(table.of, profession))
        for day in range(start, start + 2 * BEGINNING_DAYS):
            new = max(BEGINNING_NEW, usual.new) if day < start + BEGINNING_DAYS else usual.new
            found.asked += account.day(draw, usual._replace(new=new), day, found.refused)
    return found


def beginnings(
    profession: str, caps: CapTable, years: int, seed: int, told: Callable[[int], None]
) -> dict[str, object]:
    """What is refused while a hub begins: with the usual caps, and with those of a beginning."""
    accounts = max(2, years // 4 // HEAVY.get(profession, 1))
    plain, wide = (begun(profession, accounts, caps, seed, widened=each) for each in (False, True))
    told(1)
    return {
        "profession": profession,
        "asked": wide.asked,
        "refused": wide.refused.total(),
        "by": dict(wide.refused),
        "without": plain.refused.total(),
    }


def table(found: list[Debts], kept: CapTable, as_of: date, seed: int) -> str:
    """The table of caps that follows, as TOML; it names its run. Other words and breakers are those of the table `kept`."""
    years = {each.profession: each.account_years for each in found}
    run = f"ecluse sim calibrate --seed {seed}"
    lines = [
        f"as_of = {as_of}",
        f'source = "{run}, {as_of}, {sum(years.values())} account-years; assumed rates (sim/lab/rates.py)"',
        "",
        "[names]",
        *(f"{said} = {meant!r}".replace("'", '"') for said, meant in kept.names.items()),
        "",
        "[professions]",
    ]
    rows = [(each.profession, each.caps(), f"{each.account_years} account-years") for each in found]
    least = min(rows, key=lambda row: row[1].debt)
    rows.append((OTHER, least[1], "a profession this table does not name: the smallest of all"))
    lines += [f"{profession} = {_inline(caps)}  # {why}" for profession, caps, why in rows]
    lines += ["", "[fleet]", *(f"{kind} = {_inline(cap)}" for kind, cap in kept.fleet.items())]
    return "\n".join(lines) + "\n"


def _inline(row: Caps | FleetCap) -> str:
    return "{ " + ", ".join(f"{name} = {getattr(row, name)}" for name in row.__struct_fields__) + " }"


def accounts_of(years: int) -> int:
    """How many accounts `calibrated` plays."""
    return sum(_years(each, years) for each in RATES)


def _years(profession: str, years: int) -> int:
    return max(1, years // HOSPITAL) if profession == "hospital" else years


def refused(profession: str, caps: Caps, years: int, seed: int, told: Callable[[int], None]) -> dict[str, object]:
    """What caps refuse accounts of a profession in their first two years, typing everything or showing passes for 80 %.

    `every_…`, `largest_…`: accounts of every size, and of the largest, by the profession's debt cap alone.
    """
    asked, no = 0, Counter[str]()
    for share in (0.0, 0.8):
        found = refusals(profession, max(1, years // COUNTED // HEAVY.get(profession, 1)), 2, caps, share, seed)
        asked, no = asked + found.asked, no + found.refused
    told(1)
    figures: dict[str, object] = {"asked": asked, "refused": no.total(), "by": dict(no)}
    for size in ("every", "largest"):
        accounts = min(_years(profession, years), LARGEST)
        no_more, of = over(profession, caps.debt, accounts, seed, largest=size == "largest")
        figures |= {f"{size}_refused": no_more, f"{size}_asked": of}
    return {"profession": profession, **figures}


def calibrated(years: int, seed: int, told: Callable[[int], None]) -> list[Debts]:
    """The debts of every profession, from so many account-years each; of a hospital, whose days are long, a tenth."""
    return [debts(each, _years(each, years), 0.0, seed, told) for each in RATES]
