"""The demo, as its users run it: 300 people, a real server, every file it promises, and no overwriting of others' work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

ECLUSE = Path(sys.executable).with_name("ecluse")
TRUTH = {
    "people": "insurer, member_number, nir, birth_date, birth_rank, domains, valid_from, valid_to",
    "professionals": "account, practice, profession, place",
    "exchanges": "ts, account, method, path, request, status, response",
    "told": "sent, received, attempts, account, practice, network, software, session, "
    "insurer, member_number, birth_date, birth_rank, fields",
    "money": "practice, insurer, claim, cents, state",
}


def ecluse(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ECLUSE, *words], capture_output=True, text=True, check=False, env=dict(os.environ), timeout=120
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object]]:
    out = tmp_path_factory.mktemp("demo") / "demo"
    ran = ecluse("demo", "--people", "300", "--seed", "3", "--out", str(out), "--json")
    assert ran.returncode == 0, ran.stderr
    return out, json.loads(ran.stdout)


def test_it_is_audited_and_says_so(demo: tuple[Path, dict[str, object]]) -> None:
    out, said = demo
    assert said == json.loads((out / "summary.json").read_bytes())
    assert said["checks_held"] == sum(said["invariants"].values())  # type: ignore[attr-defined]
    assert said["money_cents"]["called"] == said["money_cents"]["transfers"] > 0  # type: ignore[index]


def test_every_answer_of_exposure_was_the_truth(demo: tuple[Path, dict[str, object]]) -> None:
    said = demo[1]["exposure"]
    assert said["differences"] == 0  # type: ignore[index]
    assert said["questions"] > 20  # type: ignore[index]
    told = duckdb.sql(
        f"SELECT DISTINCT insurer, member_number, birth_date, birth_rank FROM '{demo[0]}/truth/told.parquet'"
    )
    assert said["people"] == len(told) > 100  # type: ignore[index]


def test_it_ends_with_thefts_of_which_everything_is_known(demo: tuple[Path, dict[str, object]]) -> None:
    attacks: dict[str, dict[str, int]] = {each["name"]: each for each in demo[1]["attacks"]}  # type: ignore[attr-defined]
    assert [*attacks] == ["bad-token", "blind", "leaked", "hundred"]
    assert all(each["people_told"] == each["people_displayed"] for each in attacks.values())
    assert attacks["bad-token"]["refused"] == {"unauthenticated": attacks["bad-token"]["asked"]}
    assert attacks["blind"]["people_newly_told"] <= 5
    leaked = attacks["leaked"]
    assert 0 < leaked["people_newly_told"] <= 61 < leaked["portal_people"]  # the bucket of a general practitioner
    assert leaked["refused"]["allowance_spent"] > 0  # type: ignore[index]


@pytest.mark.parametrize("table", TRUTH)
def test_the_truth_has_its_columns_and_rows(demo: tuple[Path, dict[str, object]], table: str) -> None:
    found = duckdb.sql(f"SELECT * FROM '{demo[0] / 'truth' / table}.parquet'")
    assert ", ".join(found.columns) == TRUTH[table]
    assert len(found) > 10


def test_the_truth_of_money_is_that_of_the_remittances(demo: tuple[Path, dict[str, object]]) -> None:
    out, _ = demo
    money = f"'{out / 'truth' / 'money.parquet'}'"
    owed = dict(
        duckdb.sql(
            f"SELECT practice, sum(cents)::BIGINT FROM {money} WHERE state IN ('settled', 'returned') GROUP BY 1"
        ).fetchall()
    )
    papers = [json.loads(path.read_bytes()) for path in (out / "hub/out/remittances").rglob("*.json")]
    assert {paper["practice"]: paper["total_cents"] for paper in papers} == owed


def test_the_report_loads_nothing_and_its_links_lead_somewhere(demo: tuple[Path, dict[str, object]]) -> None:
    out, _ = demo
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "http://" not in page
    assert "https://" not in page
    assert "<script" not in page
    links = [part.split('"')[0] for part in page.split('href="')[1:]]
    assert len(links) > 10
    assert [link for link in links if not (out / link).is_file()] == []
    cards = page.count('<article class="wf"')
    assert cards >= 1
    assert page.count("<svg") == page.count("<desc") == 8 + cards


def test_the_world_can_be_brought_back(demo: tuple[Path, dict[str, object]]) -> None:
    token = ecluse("dev", "token", "--account", "rpps:10000000009", "--dir", str(demo[0] / "hub"))
    assert token.returncode == 0
    assert token.stdout.count(".") == 2


def test_an_earlier_demo_is_made_anew_and_anything_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    refused = ecluse("demo", "--people", "300", "--out", str(tmp_path))
    assert refused.returncode == 2
    assert refused.stderr.startswith("demo_directory_taken: ")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.slow
def test_days_in_a_row_hold_too(tmp_path: Path) -> None:
    for _ in range(2):
        ran = ecluse(
            "sim", "run", "--people", "200", "--seed", "4", "--days", "2", "--out", str(tmp_path / "run"), "--json"
        )
        assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout)
    assert said["claims"].keys() >= {"settled", "refused", "cancelled", "returned"}
