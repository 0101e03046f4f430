"""`ecluse breach complaint` and `cross` from outside: the examples of their help run, and pages and PDF are written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ecluse.doors.cli.main import typed
from ecluse.kernel.errors import Refused


def ran(*words: object, sent: str) -> Result:
    return CliRunner().invoke(typed(["breach", str(words[0])]), ["breach", *(str(word) for word in words)], input=sent)


@pytest.mark.parametrize("command", ["complaint", "cross"])
def test_its_help_teaches_with_an_example_that_runs(command: str, tmp_path: Path) -> None:
    told = CliRunner().invoke(typed(["breach"]), ["breach", command, "--help"], env={"COLUMNS": "400", "TERM": "dumb"})
    start = told.stdout.index("echo '") + len("echo '")
    sent = " ".join(part.strip("│ \n") for part in told.stdout[start : told.stdout.index("'", start)].splitlines())
    html = tmp_path / "page.html"
    answer = ran(command, "--json", "--html", html, sent=sent)
    assert answer.exit_code == 0
    assert json.loads(answer.stdout)["rules_version"]
    assert html.read_text().startswith("<!doctype html>")


def test_a_complaint_is_printed_to_be_signed_and_a_crossing_shown_as_a_table(tmp_path: Path) -> None:
    pdf = tmp_path / "plainte.pdf"
    assert json.loads(ran("complaint", "--pdf", pdf, sent="{}").stdout)["sent"] is False
    assert pdf.read_bytes().startswith(b"%PDF-1.7")
    shown = ran("cross", sent='{"leak": "free-2024", "runs": 10, "people": 50}').stdout
    assert "Peut être prélevé" in shown
    assert "Ces seules données suffisent pour appeler ou écrire." in shown


@pytest.mark.parametrize(("command", "option"), [("complaint", "--html"), ("cross", "--html"), ("complaint", "--pdf")])
def test_a_file_that_cannot_be_written_is_said(command: str, option: str, tmp_path: Path) -> None:
    sent = '{"leak": "free-2024", "runs": 10, "people": 50}' if command == "cross" else "{}"
    refused = ran(command, option, tmp_path / "no" / "page", sent=sent).exception
    assert isinstance(refused, Refused)
    assert refused.code.endswith("_not_written")
