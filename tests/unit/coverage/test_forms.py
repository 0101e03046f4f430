"""Every form of guarantee at its edges, from tests/cases/coverage/forms.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ecluse.coverage.compute import StepName, compute
from ecluse.coverage.explain import because
from ecluse.coverage.guarantee import YEAR
from ecluse.coverage.line import Used, read_line
from ecluse.coverage.notation import parse

FORMS = Path(__file__).parents[2] / "cases" / "coverage" / "forms.yaml"
CASES = yaml.load(FORMS.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_case(case: dict[str, Any]) -> None:
    given = dict(case["given"])
    guarantee, used = parse(given.pop("guarantee")), Used(**given.pop("used", {}))
    line = read_line(**given)
    split = compute(line, guarantee, dict.fromkeys(guarantee.accounts, used))
    expected = case["expected"]
    assert (split.amo_cents, split.amc_cents, split.patient_cents) == (
        expected["amo"],
        expected["amc"],
        expected["patient"],
    )
    assert split.participation_cents == expected.get("participation", 0)
    assert split.consumed.get(YEAR, Used()) == Used(**expected["consumed"])
    assert case["source"]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_steps_are_numbered_in_order_cited_and_said(case: dict[str, Any]) -> None:
    given = dict(case["given"])
    guarantee, used = parse(given.pop("guarantee")), Used(**given.pop("used", {}))
    line = read_line(**given)
    split = compute(line, guarantee, dict.fromkeys(guarantee.accounts, used))
    numbers = [int(step.name) for step in split.steps]
    assert numbers == sorted(numbers)
    assert set(numbers) == {1, 2, 5, 7, 8, 9}
    assert all(step.reference for step in split.steps)
    by_name = {step.name: step.cents for step in split.steps}
    assert by_name[StepName.AMO] == split.amo_cents
    assert by_name[StepName.AMC] == split.amc_cents
    assert by_name[StepName.PATIENT] == split.patient_cents
    said = because(split, line)
    assert len(said) >= 3 + len(guarantee.parts)
    assert all(sentence.endswith(".") for sentence in said)
