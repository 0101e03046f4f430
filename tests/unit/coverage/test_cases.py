"""Every case written for jurists, priced as a claim is."""

from __future__ import annotations

from fractions import Fraction

import pytest

from ecluse.claims.claim import Priced
from ecluse.claims.price import reasons
from ecluse.coverage.guarantee import months_of
from ecluse.coverage.notation import parse
from ecluse.kernel.money import as_euros, euros
from tests.unit.coverage.cases import BOOK, Case, Consumed, Expected, cases
from tests.unit.coverage.report import PAGE, rules_named, section, unread, untouched

ALL = [pytest.param(case, id=f"{subject}: {case.written.name}") for subject, case in cases()]


def split(priced: Priced) -> tuple[str, str, str]:
    return as_euros(priced.amo_cents), as_euros(priced.amc_cents), as_euros(priced.patient_cents)


def stated(expected: Expected) -> tuple[str, str, str]:
    return tuple(as_euros(euros(each)) for each in (expected.amo, expected.amc, expected.patient))  # type: ignore[return-value]


def consumed(priced: Priced) -> dict[str, tuple[int, int]]:
    uses = [use for paid in priced.paid for use in paid.spent if use.acts or use.cents]
    return {use.account: (use.acts, use.cents) for use in uses}


def told(account: Consumed) -> tuple[int, int]:
    return account.acts, euros(account.euros)


@pytest.mark.parametrize("case", ALL)
def test_case(case: Case) -> None:
    priced = case.priced()
    assert [split(each) for each in priced] == [stated(each) for each in case.expected], case.written.because
    for each, expected in zip(priced, case.expected, strict=True):
        assert each.amo_cents + each.amc_cents + each.patient_cents == each.billed.expense_cents
        assert reasons(each), "every split can be told"
        if expected.pays is not None:
            assert [paid.amc_cents for paid in each.paid] == [euros(cents) for cents in expected.pays]
        if expected.consumed is not None:
            assert consumed(each) == {name: told(account) for name, account in expected.consumed.items()}


def test_every_form_limit_condition_and_fact_has_a_case() -> None:
    assert [each for each in untouched() if each[0] != "rule"] == []


def test_every_rule_that_code_reads_has_a_case() -> None:
    assert [name for group, name in untouched() if group == "rule"] == list(unread())


@pytest.mark.parametrize("case", [each for each in ALL if rules_named(each.values[0])])  # type: ignore[arg-type]
def test_the_rules_a_case_names_are_those_it_turns_on(case: Case) -> None:
    for name in rules_named(case):
        rules = [BOOK.find(billed.date, name) for billed, _ in case.lines]
        assert any(rule and rule.value in numbers(case) for rule in rules), name


def numbers(case: Case) -> set[int | Fraction]:
    """The rates of a case, and its amounts by article; the months of its limits."""
    found: set[int | Fraction] = set()
    for (_, line), priced in zip(case.lines, case.priced(), strict=True):
        found |= {line.amo_rate, line.flat_share_cents, priced.amo_cents + priced.amc_cents}
        found |= {line.expense_cents // line.quantity, line.base_cents // line.quantity}
        found |= {months_of(account) for paid in priced.paid for account in parse(paid.guarantee).accounts}
    return found


def test_the_page_says_what_is_touched() -> None:
    assert section() in PAGE.read_text(encoding="utf-8"), "run: python -m tests.unit.coverage.report"


def test_names_are_told_apart() -> None:
    names = [each.id for each in ALL]
    assert len(set(names)) == len(names)
