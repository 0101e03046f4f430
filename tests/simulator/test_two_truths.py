"""The auditor's slow truth and the hub's computation, which share no code, agree on any guarantee, line, history and day.

A run of the simulator has one today; this has every end of a year, of a month and of a February.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal
from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st

from ecluse.coverage.accounts import Book, span_of, year_of
from ecluse.coverage.compute import compute
from ecluse.coverage.line import Line, Used
from ecluse.coverage.notation import parse
from ecluse.coverage.product import Product, Row, Year
from ecluse.kernel.errors import Refused
from ecluse.rights.model import Covered, Domain
from sim import accounts, promises
from sim.accounts import Use
from sim.promises import Bill

NOW = st.dates(date(2026, 1, 1), date(2028, 12, 31))
DAYS = st.dates(date(2024, 1, 1), date(2030, 12, 31))
USES = st.lists(st.tuples(DAYS, st.integers(0, 3), st.integers(0, 90_000)), max_size=8)
PERIODS = st.sampled_from(["Y", "1M", "6M", "12M", "24M", "48M"])
PERCENTS = st.sampled_from(["100", "33.33", "85", "150", "300"])
AMOUNTS = st.sampled_from(["5", "30", "99.99", "450", "1700"])
BOUNDS = st.one_of(
    st.builds("EUR:{}/{}".format, AMOUNTS, PERIODS),
    st.builds("EUR_INCL:{}/{}".format, AMOUNTS, PERIODS),
    st.builds("EUR:{}".format, AMOUNTS),
    st.builds("EUR_INCL:{}".format, AMOUNTS),
    st.builds("BR_INCL:{}".format, PERCENTS),
    st.builds("ACTS:{}/{}".format, st.integers(1, 4), PERIODS),
)
FORMS = st.one_of(
    *(st.builds(f"{kind}:{{}}".format, PERCENTS) for kind in ("TM", "BR_INCL", "BR_EXCL", "FR", "REST")),
    st.builds("EUR:{}".format, AMOUNTS),
    st.builds("EUR_YEAR:{}".format, AMOUNTS),
    st.builds("EUR_ACT:{}/{}Y".format, AMOUNTS, st.integers(1, 5)),
    st.just("BASKET:100S"),
)
PARTS = st.tuples(FORMS, st.lists(BOUNDS, max_size=2)).map(
    lambda part: part[0] + "".join(f"[{each}]" for each in part[1])
)
GUARANTEES = st.tuples(st.lists(PARTS, min_size=1, max_size=3), st.lists(BOUNDS, max_size=2)).map(
    lambda found: "<=".join(["+".join(found[0]), *found[1]])
)
LINES = st.builds(
    Line,
    expense_cents=st.integers(0, 300_000),
    base_cents=st.integers(0, 60_000),
    amo_rate=st.sampled_from([Fraction(0), Fraction(6, 10), Fraction(65, 100), Fraction(1)]),
    quantity=st.integers(1, 4),
    price_limit_cents=st.none() | st.integers(0, 200_000),
    majoration_cents=st.integers(0, 2_000),
)


def euros(cents: int) -> Decimal:
    return Decimal(cents) / 100


@given(GUARANTEES, LINES, st.data())
def test_what_a_guarantee_pays_and_counts(text: str, line: Line, data: st.DataObject) -> None:
    try:
        guarantee = parse(text)
    except Refused:
        assume(False)
    spent = st.builds(Used, st.integers(0, 5), st.integers(0, 200_000))
    used = {account: data.draw(spent) for account in sorted(guarantee.accounts)}
    split = compute(line, guarantee, used)

    lost = min(line.majoration_cents, line.expense_cents - split.amo_cents)
    price = None if line.price_limit_cents is None else euros(line.price_limit_cents)
    amo = euros(split.amo_cents + lost)
    bill = Bill(euros(line.expense_cents), euros(line.base_cents), amo, line.quantity, price)
    paid = promises.paid_by(
        text, bill, bill.expense - amo, lambda period: (used[period].acts, euros(used[period].cents))
    )
    assert paid.euros == euros(split.amc_cents)
    acts, amounts = Counter[str](), Counter[str]()
    for period, count, amount in paid.counts:
        acts[period] += count
        amounts[period] += int(amount * 100)
    assert {name: Used(acts[name], amounts[name]) for name in acts} == dict(split.consumed)


@given(PERIODS, st.booleans(), USES, DAYS, NOW)
def test_what_counts_on_a_day(
    period: str, membership: bool, history: list[tuple[date, int, int]], since: date, day: date
) -> None:
    assume(since <= day)
    year = Year.MEMBERSHIP if membership else Year.CALENDAR
    row = Row(domains=(Domain.OPTI,), guarantee="TM:100", label="x")
    product = Product(product="P", label="P", responsible=False, guarantees=(row,), year=year)
    covered = Covered("C", "M", "P", "v", date.max, "SV", "1", True, 1, since)
    book = Book({"name": [(each, Used(acts, cents)) for each, acts, cents in history]})
    found = book.used("name", period, span_of(period, product, covered, day), day)

    mine = accounts.year_of(year, since, day)
    assert mine == year_of(product, covered, day)
    uses = [Use(("name",), each, acts, euros(cents)) for each, acts, cents in history]
    assert accounts.spent(uses, period, mine, day) == (found.acts, euros(found.cents))
