"""Every case written for jurists, priced as a claim is."""

from __future__ import annotations

import pytest

from ecluse.claims.claim import Priced
from ecluse.claims.price import reasons
from ecluse.kernel.money import as_euros, euros
from tests.unit.coverage.cases import Case, Consumed, Expected, cases

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
