"""What holds for every line and every guarantee."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ecluse.coverage.compute import Split, Uses, compute, others_cents
from ecluse.coverage.explain import because
from ecluse.coverage.guarantee import NONE, Bound, Guarantee, Kind, Limit, Part, ledger_of
from ecluse.coverage.line import Line, Used
from ecluse.coverage.notation import parse, write
from ecluse.kernel.errors import Refused
from ecluse.kernel.money import AMOUNT_CENTS_MAX, en_euros, share_cents

CENTS = st.one_of(st.integers(0, 20_000), st.integers(0, AMOUNT_CENTS_MAX))
RATES = st.one_of(
    st.sampled_from([Fraction(n, 100) for n in (0, 15, 30, 60, 65, 70, 90, 100)]),
    st.fractions(0, 1, max_denominator=999),
)
PERCENTS = st.integers(0, 999_999).map(lambda hundredths: Fraction(hundredths, 10_000))
EUROS = st.one_of(st.integers(0, 60_000), st.integers(0, 99_999_999))
PERIODS = st.sampled_from(["Y", "12M", "24M", "48M"])

LIMITS = st.one_of(
    st.builds(Limit, st.sampled_from([Bound.EUR, Bound.EUR_INCL]), amount_cents=EUROS, period=st.just("") | PERIODS),
    st.builds(Limit, st.just(Bound.BR_INCL), rate=PERCENTS),
    st.builds(Limit, st.just(Bound.ACTS), number=st.integers(1, 999), period=PERIODS),
)
PLAIN = st.one_of(
    st.builds(Part, st.sampled_from([Kind.TM, Kind.BR_INCL, Kind.BR_EXCL, Kind.FR, Kind.REST]), rate=PERCENTS),
    st.builds(Part, st.sampled_from([Kind.EUR, Kind.EUR_YEAR]), amount_cents=EUROS),
    st.builds(Part, st.just(Kind.EUR_ACT), amount_cents=EUROS, acts_a_year=st.integers(1, 999)),
    st.just(Part(Kind.BASKET)),
)
BOUNDS = st.lists(LIMITS, max_size=2).map(tuple)
PARTS = st.builds(lambda part, limits: replace(part, limits=limits), PLAIN, BOUNDS)
MANY = st.lists(PARTS, max_size=4, unique_by=lambda part: part.kind).map(tuple)


def is_countable(guarantee: Guarantee) -> bool:
    counts = [(ledger_of(account), acts) for account, acts in guarantee.counts()]
    return len(counts) == len(set(counts)) and (bool(guarantee.parts) or not guarantee.limits)


GUARANTEES = st.builds(Guarantee, MANY, BOUNDS).filter(is_countable)
LINES = st.builds(
    Line,
    CENTS,
    CENTS,
    RATES,
    st.integers(1, 12),
    st.integers(0, 5000),
    st.none() | st.integers(0, 200_000),
    st.just(0) | st.integers(0, 5000),
    st.just(0) | st.integers(0, 5000),
    st.just(0) | CENTS,
)
USED = st.dictionaries(
    st.sampled_from(["Y", "Y+AMO", "12M", "24M", "48M", "48M+AMO"]),
    st.builds(Used, st.integers(0, 30), st.integers(0, 100_000)),
)


@given(LINES, GUARANTEES, USED)
def test_parts_add_up_to_the_expense_and_none_is_below_zero(line: Line, guarantee: Guarantee, used: Uses) -> None:
    split = compute(line, guarantee, used)
    others = others_cents(line, split.amo_cents)
    assert split.amo_cents + others + split.amc_cents + split.patient_cents == line.expense_cents
    assert min(split.amo_cents, split.amc_cents, split.patient_cents, split.participation_cents) >= 0
    assert split.participation_cents <= split.amo_cents


def costing(line: Line, expense_cents: int) -> Line:
    return replace(line, expense_cents=expense_cents)


@given(LINES, GUARANTEES, USED)
def test_what_is_paid_lies_within_its_ceilings_and_the_expense(line: Line, guarantee: Guarantee, used: Uses) -> None:
    split = compute(line, guarantee, used)
    assert split.amc_cents <= line.expense_cents - split.amo_cents - min(line.majoration_cents, split.patient_cents)
    ceilings: list[int] = []
    for step in split.steps:
        if step.part is not None and step.limit is None:
            ceilings.append(step.cents)
        elif step.part is not None:
            ceilings[-1] = min(ceilings[-1], step.cents)
        elif step.limit is not None:
            assert split.amc_cents <= step.cents
    assert split.amc_cents <= sum(ceilings)


def raised(guarantee: Guarantee, place: int, more: int) -> Guarantee:
    """The same with one of its numbers higher: of a part, of a part's limit, or of a limit of the whole."""
    parts, limits = list(guarantee.parts), list(guarantee.limits)
    terms = [(n, None) for n in range(len(parts))] + [
        (n, m) for n, part in enumerate(parts) for m in range(len(part.limits))
    ]
    place %= len(terms) + len(limits)
    if place >= len(terms):
        limits[place - len(terms)] = more_of(limits[place - len(terms)], more)
        return Guarantee(tuple(parts), tuple(limits))
    n, m = terms[place]
    if m is None:
        parts[n] = more_of(parts[n], more)
    else:
        inner = list(parts[n].limits)
        inner[m] = more_of(inner[m], more)
        parts[n] = replace(parts[n], limits=tuple(inner))
    return Guarantee(tuple(parts), tuple(limits))


def more_of(term: Any, more: int) -> Any:
    numbers = {"rate": Fraction(more, 10_000), "amount_cents": more, "acts_a_year": more, "number": more}
    return replace(
        term, **{name: getattr(term, name) + by for name, by in numbers.items() if getattr(term, name, None)}
    )


@given(LINES, GUARANTEES.filter(lambda guarantee: guarantee.parts), USED, st.integers(0, 9), st.integers(1, 50_000))
def test_a_higher_guarantee_never_pays_less(
    line: Line, guarantee: Guarantee, used: Uses, place: int, more: int
) -> None:
    better = raised(guarantee, place, more)
    assert compute(line, better, used).amc_cents >= compute(line, guarantee, used).amc_cents


@given(LINES, GUARANTEES, USED)
def test_what_was_used_before_never_raises_what_is_paid(line: Line, guarantee: Guarantee, used: Uses) -> None:
    assert compute(line, guarantee, used).amc_cents <= compute(line, guarantee).amc_cents


@given(LINES, GUARANTEES, USED)
def test_no_account_is_used_beyond_its_limit(line: Line, guarantee: Guarantee, used: Uses) -> None:
    consumed = compute(line, guarantee, used).consumed
    assert set(consumed) <= guarantee.accounts
    for limit in (*guarantee.limits, *(each for part in guarantee.parts for each in part.limits)):
        if limit.period and limit.account in consumed:
            before, added = used.get(limit.account, Used()), consumed[limit.account]
            if limit.bound is Bound.ACTS:
                assert not added.acts or before.acts + added.acts <= limit.number
            else:
                assert not added.cents or before.cents + added.cents <= limit.amount_cents


@given(LINES, st.integers(0, 60_000), st.integers(1, 9), st.integers(0, 12))
def test_the_short_forms_are_what_they_stand_for(line: Line, cents: int, acts: int, before: int) -> None:
    line = replace(line, other_amc_cents=0)
    used = {"Y": Used(before, before * 1000)}
    euros = f"{cents // 100}.{cents % 100:02d}"
    for short, long in (
        (f"EUR_ACT:{euros}/{acts}Y", f"EUR:{euros}[ACTS:{acts}/Y]"),
        (f"EUR_YEAR:{euros}", f"REST:100[EUR:{euros}/Y]"),
    ):
        one, two = compute(line, parse(short), used), compute(line, parse(long), used)
        assert (one.amc_cents, one.consumed) == (two.amc_cents, two.consumed)


@given(LINES, GUARANTEES, GUARANTEES, USED)
def test_two_insurers_never_pay_more_than_the_expense(
    line: Line, first: Guarantee, second: Guarantee, used: Uses
) -> None:
    """The second is told what the first pays, and pays on what it leaves: as the second contract of one insurer would."""
    alone = compute(line, first, used)
    others = others_cents(line, alone.amo_cents) + alone.amc_cents
    after = compute(replace(line, other_amc_cents=others), second, used)
    assert alone.amo_cents + others + after.amc_cents + after.patient_cents == line.expense_cents
    if not line.other_amc_cents:
        assert compute(line, second, used, paid_before_cents=alone.amc_cents).amc_cents == after.amc_cents


@given(LINES, GUARANTEES, USED, st.integers(0, 5000))
def test_participation_changes_no_other_amount(line: Line, guarantee: Guarantee, used: Uses, more_cents: int) -> None:
    one, two = compute(line, guarantee, used), compute(replace(line, participation_cents=more_cents), guarantee, used)
    assert (one.amo_cents, one.amc_cents, one.patient_cents) == (two.amo_cents, two.amc_cents, two.patient_cents)


@given(LINES, GUARANTEES, USED, st.integers(0, 100_000))
def test_a_higher_expense_never_lowers_what_is_paid(line: Line, guarantee: Guarantee, used: Uses, more: int) -> None:
    """But for heavy acts below their base: there the AMO takes over from a contract that paid the flat share."""
    line = replace(line, flat_share_cents=0)
    one, two = compute(line, guarantee, used), compute(costing(line, line.expense_cents + more), guarantee, used)
    assert two.amo_cents >= one.amo_cents
    assert two.amo_cents + two.amc_cents >= one.amo_cents + one.amc_cents
    if (
        not line.flat_share_cents
    ):  # with one, the AMO may pay more of a small expense, and a ceiling with the AMO in it less
        assert two.amc_cents >= one.amc_cents


@given(LINES)
def test_tm_100_covers_exactly_the_ticket_moderateur(line: Line) -> None:
    at_least_base = costing(
        replace(line, majoration_cents=0, other_amc_cents=0), max(line.expense_cents, line.base_cents)
    )
    split = compute(at_least_base, parse("TM:100"))
    assert split.amo_cents + split.amc_cents == line.base_cents
    assert split.patient_cents == at_least_base.expense_cents - line.base_cents


@given(LINES)
def test_tm_100_is_100_percent_of_the_base_amo_included(line: Line) -> None:
    assert compute(line, parse("TM:100")).amc_cents == compute(line, parse("BR_INCL:100")).amc_cents


@given(LINES)
def test_no_guarantee_pays_nothing(line: Line) -> None:
    assert compute(line, NONE).amc_cents == 0


@given(CENTS, RATES)
def test_rounding_is_half_up_as_decimal_knows_it(cents: int, rate: Fraction) -> None:
    """Decimal divides in 28 digits; the exact half is told from its neighbours as denominators are small."""
    exact = Decimal(cents * rate.numerator) / Decimal(rate.denominator)
    assert share_cents(cents, rate) == int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))


@given(st.lists(st.integers(0, 30_000), min_size=1, max_size=8), st.integers(1, 9), st.integers(0, 10_000))
def test_a_year_of_acts_never_pays_beyond_its_number(expenses: list[int], acts: int, cents: int) -> None:
    guarantee = Guarantee((Part(Kind.EUR_ACT, amount_cents=cents, acts_a_year=acts),))
    used, paid = Used(), 0
    for expense in expenses:
        split = compute(Line(expense, 0, Fraction(0)), guarantee, {"Y": used})
        used, paid = used + split.consumed.get("Y", Used()), paid + split.amc_cents
    assert used.acts <= acts
    assert paid <= acts * cents


@given(st.lists(st.integers(0, 30_000), min_size=1, max_size=8), st.integers(0, 100_000))
def test_a_yearly_sum_is_spent_to_the_cent(expenses: list[int], sum_cents: int) -> None:
    guarantee = Guarantee((Part(Kind.EUR_YEAR, amount_cents=sum_cents),))
    used = Used()
    for expense in expenses:
        used += compute(Line(expense, 0, Fraction(0)), guarantee, {"Y": used}).consumed.get("Y", Used())
    assert used.cents == min(sum(expenses), sum_cents)


CITED = re.compile(r".*[0-9],[0-9]{2}\u00a0€.* \([^()]+\)\.")


@given(LINES, GUARANTEES, USED)
def test_the_sentences_say_the_amounts(line: Line, guarantee: Guarantee, used: Uses) -> None:
    split: Split = compute(line, guarantee, used)
    sentences = because(split, line)
    assert all(CITED.fullmatch(each) for each in sentences), "an amount, then in brackets an article or the contract"
    said = " ".join(sentences)
    assert en_euros(split.patient_cents) in said
    if guarantee.parts:
        assert en_euros(split.amc_cents) in said
    if split.participation_cents:
        assert en_euros(split.participation_cents) in said


@given(GUARANTEES)
def test_the_notation_reads_back_what_it_wrote(guarantee: Guarantee) -> None:
    assert parse(write(guarantee)) == guarantee


@given(st.text(alphabet="TMBREXCLINUAYSFO_:+0123456789./ []<=", max_size=40))
def test_any_text_is_read_back_or_refused(text: str) -> None:
    try:
        guarantee = parse(text)
    except Refused:
        return  # any other exception fails the test
    assert parse(write(guarantee)) == guarantee
