"""The form of a file of law: what is well formed is read, whatever is not is refused with its file and line."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest

from ecluse.kernel.errors import Refused
from ecluse.rules.parameter import read_parameter

GOOD = """\
description: Part d'un acte d'exemple
unit: rate
values:
  2020-01-01: {value: 3/10, reference: "article fictif A"}
  2024-07-01: {value: 35%, reference: "article fictif B"}
  2026-01-01: {value: null, reference: "abrogé par l'article fictif C"}
checked_on: 2026-08-01
"""


def test_a_good_file() -> None:
    read = read_parameter("exemple/part", GOOD)
    assert (read.name, read.unit, read.checked_on) == ("exemple/part", "rate", date(2026, 8, 1))
    assert [each.value for each in read.values] == [Fraction(3, 10), Fraction(7, 20), None]
    assert read.values[2].reference == "abrogé par l'article fictif C"


@pytest.mark.parametrize(
    ("unit", "written", "value"),
    [
        ("cents", "3150", 3150),
        ("cents", "0", 0),
        ("rate", '"70%"', Fraction(7, 10)),
        ("rate", "7/10", Fraction(7, 10)),
        ("working_days", "7", 7),
        ("months", "48", 48),
        ("count", "12", 12),
        ("method", "half_up", "half_up"),
    ],
)
def test_units(unit: str, written: str, value: object) -> None:
    text = GOOD.replace("unit: rate", f"unit: {unit}").replace("3/10", written).replace("35%", written)
    assert read_parameter("exemple/part", text).values[0].value == value


# What is changed in the good file, into what, and the words of the refusal.
WRONG = [
    (', reference: "article fictif A"', "", "line 4: reference is missing"),
    ('"article fictif A"', '""', "line 4: expected a value"),
    ('"article fictif A"', '"  "', "line 4: expected a value"),
    ("value: 3/10", "valeur: 3/10", "line 4: the key valeur is unknown"),
    ("value: 3/10", "value: 3/10, value: 4/10", "line 4: the key value stands twice"),
    ("2024-07-01:", "2020-01-01:", "line 5: the key 2020-01-01 stands twice"),
    ("2024-07-01:", "2019-07-01:", "line 5: days must go up"),
    ("2024-07-01:", "2024-02-30:", "line 5: expected a day"),
    ("2024-07-01:", "latest:", "line 5: expected a day"),
    ("35%", "0.35", "line 5: not a value in rate"),
    ("35%", "35", "line 5: not a value in rate"),
    ("35%", "[35%]", "line 5: not a value in rate|line 5: expected a value"),
    ("unit: rate", "unit: euros", "line 2: unknown unit"),
    ("unit: rate", "unit: cents", "line 4: not a value in cents"),
    ("checked_on: 2026-08-01", "", "line 1: checked_on is missing"),
    ("checked_on: 2026-08-01", "checked_on: soon", "line 7: expected a day"),
    ("checked_on", "note: ''\nchecked_on", "line 7: the key note is unknown"),
    ("unit: rate", "unit: rate\nunit: rate", "line 3: the key unit stands twice"),
    ("unit: rate", "unit: !!python/name:os.system rate", "line 2: .*"),
    ("unit: rate", "unit: [rate", "line .: not YAML"),
]


@pytest.mark.parametrize(("good", "wrong", "words"), WRONG)
def test_wrong_files_are_refused_with_their_line(good: str, wrong: str, words: str) -> None:
    assert good in GOOD
    with pytest.raises(Refused, match=f"rule_invalid: exemple/part.yaml {words}"):
        read_parameter("exemple/part", GOOD.replace(good, wrong))


@pytest.mark.parametrize(
    "text", ["", "- a list", "description", "values: {}", "\x00", "a: 1\n---\nb: 2", "x" * 200_000]
)
def test_what_is_not_such_a_file_at_all(text: str) -> None:
    with pytest.raises(Refused, match="rule_invalid"):
        read_parameter("exemple/part", text)


@pytest.mark.parametrize("written", ["-1", "1.5", "007", "1_000", "0x10", "31.50", "100000001", "true", "٣"])
def test_cents_are_whole_and_written_plainly(written: str) -> None:
    text = GOOD.replace("unit: rate", "unit: cents").replace("35%", "1").replace("3/10", written)
    with pytest.raises(Refused, match="line 4: not a value in cents"):
        read_parameter("exemple/part", text)
