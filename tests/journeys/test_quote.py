"""`ecluse quote` from outside: JSON in, JSON out, and one clear line for each way to be wrong."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from ecluse.doors.cli.quote import quote
from ecluse.kernel.errors import Refused
from ecluse.kernel.money import euros

PUBLISHED = Path(__file__).parents[1] / "cases" / "coverage" / "published.csv"
GOOD: dict[str, Any] = {"expense_cents": 5000, "base_cents": 3150, "amo_rate": "70%", "guarantee": "BR_INCL:200"}

app = typer.Typer()
app.command("quote")(quote)


@app.callback()
def _root() -> None:
    """Typer keeps `quote` a command of its own when there is a root."""


def asked(question: object, *options: str) -> Result:
    text = question if isinstance(question, str | bytes) else json.dumps(question)
    return CliRunner().invoke(app, ["quote", *options], input=text)


def answered(question: dict[str, Any]) -> dict[str, Any]:
    result = asked(question)
    assert result.exit_code == 0, result.exception
    return json.loads(result.stdout)  # type: ignore[no-any-return]


def refused(question: object) -> Refused:
    error = asked(question).exception
    assert isinstance(error, Refused), repr(error)
    return error


def test_the_worked_example() -> None:
    answer = answered(GOOD)
    reasons = answer.pop("because")
    assert answer == {"amo_cents": 2205, "amc_cents": 2795, "patient_cents": 0, "participation_cents": 0}
    assert reasons[0].replace("\u00a0", " ") == (
        "L'Assurance maladie rembourse 70 % de 31,50 €, soit 22,05 € "
        "(articles L160-13 et R160-22 du code de la sécurité sociale)."
    )


def test_the_patient_bears_the_participation() -> None:
    answer = answered({**GOOD, "participation_cents": 200})
    assert (answer["amc_cents"], answer["patient_cents"], answer["participation_cents"]) == (2795, 200, 200)


def test_participation_never_exceeds_the_obligatory_part() -> None:
    answer = answered({**GOOD, "base_cents": 100, "participation_cents": 200, "guarantee": "NONE"})
    assert (answer["amo_cents"], answer["participation_cents"], answer["patient_cents"]) == (70, 70, 5000)


def test_what_was_used_this_year_counts() -> None:
    session = {"expense_cents": 6000, "base_cents": 0, "amo_rate": "0%", "guarantee": "EUR_ACT:30/5Y"}
    assert answered({**session, "used": {"acts": 4}})["amc_cents"] == 3000
    assert answered({**session, "used": {"acts": 5}})["amc_cents"] == 0
    assert answered({**session, "guarantee": "EUR_YEAR:250", "used": {"cents": 24000}})["amc_cents"] == 1000


def test_rates_may_be_fractions_and_json_may_be_asked_for() -> None:
    assert answered({**GOOD, "amo_rate": "7/10"}) == answered(GOOD)
    assert asked(GOOD, "--json").stdout == asked(GOOD).stdout


def test_published_cases_come_out_of_the_command() -> None:
    with PUBLISHED.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"].startswith("full")]
    assert rows
    for row in rows:
        answer = answered(
            {
                "expense_cents": euros(row["expense"]),
                "base_cents": euros(row["brss"]),
                "amo_rate": f"{row['amo_rate_pct']}%",
                "guarantee": row["guarantee_code"],
                "participation_cents": euros(row["pf_or_franchise"]),
            }
        )
        assert answer["amc_cents"] == euros(row["amc"]), row["id"]
        assert answer["patient_cents"] == euros(row["remaining"]), row["id"]


@pytest.mark.parametrize(
    ("question", "code"),
    [
        ("", "quote_invalid"),
        ("{", "quote_invalid"),
        ("[]", "quote_invalid"),
        ("null", "quote_invalid"),
        ("NaN", "quote_invalid"),
        (b"\xff\xfe", "quote_invalid"),
        ("[" * 10_000, "quote_invalid"),
        (" " * 20_000, "quote_invalid"),
        ('{"expense_cents": 1' + "0" * 5000 + "}", "quote_invalid"),
        ('{"expense_cents": 1, "expense_cents": 2}', "quote_invalid"),
        ({}, "quote_invalid"),
        ({key: value for key, value in GOOD.items() if key != "guarantee"}, "quote_invalid"),
        ({**GOOD, "colour": 1}, "quote_invalid"),
        ({**GOOD, "a\nb\x1b[31m": 1}, "quote_invalid"),
        ({**GOOD, "expense_cents": 50.0}, "quote_invalid"),
        ({**GOOD, "expense_cents": "5000"}, "quote_invalid"),
        ({**GOOD, "expense_cents": True}, "quote_invalid"),
        ({**GOOD, "expense_cents": None}, "quote_invalid"),
        ({**GOOD, "expense_cents": float("nan")}, "quote_invalid"),
        ({**GOOD, "expense_cents": -1}, "line_invalid"),
        ({**GOOD, "base_cents": 100_000_001}, "line_invalid"),
        ({**GOOD, "expense_cents": 10**40}, "line_invalid"),
        ({**GOOD, "participation_cents": -1}, "line_invalid"),
        ({**GOOD, "amo_rate": 0.7}, "quote_invalid"),
        ({**GOOD, "amo_rate": "0.7"}, "rate_invalid"),
        ({**GOOD, "amo_rate": "170%"}, "line_invalid"),
        ({**GOOD, "guarantee": "BR:200"}, "guarantee_invalid"),
        ({**GOOD, "guarantee": None}, "quote_invalid"),
        ({**GOOD, "used": {"acts": -1}}, "quote_invalid"),
        ({**GOOD, "used": {"cents": -1}}, "line_invalid"),
        ({**GOOD, "used": {"acts": 1, "days": 1}}, "quote_invalid"),
        ({**GOOD, "used": 5}, "quote_invalid"),
    ],
)
def test_a_wrong_question_is_refused_in_one_line(question: object, code: str) -> None:
    error = refused(question)
    assert error.code == code
    assert str(error).startswith(f"{code}: ")
    assert "\n" not in str(error)
    assert str(error).isprintable()
    assert len(str(error)) < 500


def test_the_answer_is_utf_8_wherever_it_runs() -> None:
    """A real process in a C locale, where Python would write ASCII."""
    program = "import typer; from ecluse.doors.cli.quote import quote; typer.run(quote)"
    done = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-c", program],
        input=json.dumps(GOOD).encode(),
        capture_output=True,
        env={"LC_ALL": "C", "PYTHONPATH": ":".join(sys.path), "PYTHONCOERCECLOCALE": "0"},
        check=True,
    )
    assert json.loads(done.stdout.decode("utf-8"))["amc_cents"] == 2795
