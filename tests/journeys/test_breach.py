"""`ecluse breach` from outside: the published cases through the command itself, one clear line for what is wrong, an agenda."""

from __future__ import annotations

import csv
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ecluse.doors.cli.breach import app
from ecluse.doors.cli.letters import app as letters
from ecluse.doors.cli.main import complete
from ecluse.kernel.errors import Refused

PUBLISHED = Path(__file__).parents[1] / "cases" / "breach" / "published.csv"


def asked(command: str, sent: object, *options: str) -> Result:
    text = sent if isinstance(sent, str) else json.dumps(sent)
    return CliRunner().invoke(app, [command, *options], input=text)


def answered(command: str, sent: object, *options: str) -> dict[str, Any]:
    result = asked(command, sent, *options)
    assert result.exit_code == 0, result.exception
    return json.loads(result.stdout)  # type: ignore[no-any-return]


def test_every_published_case_through_the_command() -> None:
    rows = list(csv.DictReader(PUBLISHED.read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 85
    for row in rows:
        found = answered(row["command"], row["inputs_json"], "--json")
        expected = json.loads(row["expected_json"])
        assert {key: found.get(key) for key in expected} == expected, row["case_id"]


def test_it_needs_no_hub_and_says_what_is_wrong_on_one_line(tmp_path: Path) -> None:
    script = "from ecluse.doors.cli.main import run; run()"
    command = [sys.executable, "-c", script, "breach", "assess"]
    done = subprocess.run(command, input=b'{"causes": 1}', cwd=tmp_path, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"facts_invalid: Object contains unknown field `causes` (Accepted here: cause, ")
    assert done.stderr.count(b"\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", ["assess", "clocks", "dora"])
def test_its_help_teaches_with_an_example_that_runs(command: str) -> None:
    told = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "400", "TERM": "dumb"})
    start = told.stdout.index("echo '") + len("echo '")
    text = told.stdout[start : told.stdout.index("'", start)]
    sent = " ".join(part.strip("│ \n") for part in text.splitlines())
    assert answered(command, sent)


@pytest.mark.parametrize(
    ("page", "commands"), [("breach.md", ["assess", "dora", "clocks"]), ("letters.md", ["complaint", "cross"])]
)
def test_each_line_of_the_documents_runs_on_the_facts_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: str, commands: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    text = (Path(__file__).parents[2] / "docs" / page).read_text(encoding="utf-8")
    facts = dict(re.findall(r"^\| `(\w+\.json)` \| `(\{.*\})` \|$", text, re.M))
    lines = re.findall(r"^(?:anyone)?\$ +ecluse breach (\w+)(.*?) < (\w+\.json)", text, re.M)
    assert [command for command, _, _ in lines] == commands
    for command, options, file in lines:
        result = CliRunner().invoke(complete(), ["breach", command, *options.split()], input=facts[file])
        assert result.exit_code == 0, result.exception
        assert all((tmp_path / each).exists() for each in options.split() if not each.startswith("--"))


@pytest.mark.parametrize(("name", "code"), [("good", 0), ("vague", 2)])
def test_a_letter_that_may_not_go_ends_with_exit_code_2(name: str, code: int) -> None:
    text = (PUBLISHED.parents[1] / "letters" / f"{name}.txt").read_text(encoding="utf-8")
    shown = ["identity", "birth_date", "national_number", "insurer"]
    sent = {"text": text, "shown": shown, "not_shown": ["bank", "address", "reimbursement"]}
    result = CliRunner().invoke(letters, ["lint"], input=json.dumps(sent))
    assert result.exit_code == code
    assert json.loads(result.stdout)["ok"] is (code == 0)


def test_the_agenda_is_written_beside_the_answer(tmp_path: Path) -> None:
    sent = {"aware": "2026-03-06T17:00:00+01:00", "now": "2026-03-06T18:00:00Z"}
    found = answered("clocks", sent, "--ics", str(tmp_path / "delais.ics"))
    assert [each["id"] for each in found["clocks"]] == ["gdpr_register", "gdpr_authority"]
    assert (tmp_path / "delais.ics").read_bytes().count(b"BEGIN:VEVENT") == 2


def test_an_agenda_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    result = asked("clocks", {"aware": "2026-03-06T17:00:00+01:00"}, "--ics", str(tmp_path / "no" / "x.ics"))
    assert isinstance(result.exception, Refused)
    assert result.exception.code == "agenda_not_written"


def test_a_terminal_is_shown_a_table_and_a_pipe_is_given_json() -> None:
    command = [str(Path(sys.executable).with_name("ecluse")), "breach", "clocks"]
    facts = json.dumps({"aware": "2026-03-06T17:00:00+01:00", "regimes": ["gdpr"]})
    ours, theirs = pty.openpty()
    subprocess.run(command, input=facts.encode(), stdout=theirs, env={**os.environ, "COLUMNS": "200"}, check=True)
    os.close(theirs)
    shown = os.read(ours, 20_000).decode()
    os.close(ours)
    assert "échéance (Paris)" in shown
    assert "09/03/2026 17:00" in shown
    piped = subprocess.run(command, input=facts, capture_output=True, text=True, check=True)
    assert json.loads(piped.stdout)["clocks"]
