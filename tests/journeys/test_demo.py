"""The demo, as its users run it, with January 2024 replayed: 150 people, a real server, every file it promises, every question
of that month answered, every link leading somewhere, every figure the run's; and no overwriting of others' work."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sim.cli import _say
from sim.story.facts import facts
from tests.chromium import CHROMIUM, Page

ECLUSE = Path(sys.executable).with_name("ecluse")
QUESTIONS = (
    "Quelles données ?",
    "Les miennes ?",
    "Lesquelles non ?",
    "Quels risques ?",
    "Que faire ?",
    "Qui est prévenu, et quand ?",
    "Les soins ont-ils continué ?",
    "Combien de temps pour le savoir ?",
    "Qu’est-ce qui reste inconnu ?",
)
TRUTH = {
    "people": "insurer, member_number, nir, birth_date, birth_rank, domains, valid_from, valid_to",
    "professionals": "account, practice, profession, place",
    "exchanges": "ts, account, method, path, request, status, response",
    "told": "sent, received, attempts, account, practice, network, software, session, "
    "insurer, member_number, birth_date, birth_rank, fields",
    "money": "practice, insurer, claim, cents, state",
}

CUT = """[...document.querySelectorAll('.chart')].filter(each => each.scrollWidth > each.clientWidth
    && getComputedStyle(each, '::after').content === 'none').map(each => each.textContent.slice(0, 60))"""

Demo = tuple[Path, dict[str, Any]]


def ecluse(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ECLUSE, *words], capture_output=True, text=True, check=False, env=dict(os.environ), timeout=240
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    out = tmp_path_factory.mktemp("demo") / "demo"
    ran = ecluse("demo", "--story", "2024", "--people", "150", "--seed", "3", "--out", str(out), "--json")
    assert ran.returncode == 0, ran.stderr
    return out, json.loads(ran.stdout)


def test_it_is_audited_and_says_so(demo: Demo) -> None:
    out, said = demo
    assert said == json.loads((out / "summary.json").read_bytes())
    assert said["checks_held"] == sum(said["invariants"].values())
    assert said["money_cents"]["called"] == said["money_cents"]["transfers"] > 0


def test_every_answer_of_exposure_was_the_truth(demo: Demo) -> None:
    said = demo[1]["exposure"]
    assert said["differences"] == 0
    assert said["questions"] > 20
    told = duckdb.sql(
        f"SELECT DISTINCT insurer, member_number, birth_date, birth_rank FROM '{demo[0]}/truth/told.parquet'"
    )
    assert said["people"] == len(told) > 100


def test_it_ends_with_thefts_of_which_everything_is_known(demo: Demo) -> None:
    attacks: dict[str, dict[str, int]] = {each["name"]: each for each in demo[1]["attacks"]}
    assert [*attacks] == ["bad-token", "blind", "leaked", "hundred"]
    assert all(each["people_told"] == each["people_displayed"] for each in attacks.values())
    assert attacks["bad-token"]["refused"] == {"unauthenticated": attacks["bad-token"]["asked"]}
    assert attacks["blind"]["people_newly_told"] <= 5
    leaked = attacks["leaked"]
    assert 0 < leaked["people_newly_told"] <= 61 < leaked["portal_people"]  # the bucket of a general practitioner
    assert leaked["refused"]["allowance_spent"] > 0


@pytest.mark.parametrize("table", TRUTH)
def test_the_truth_has_its_columns_and_rows(demo: Demo, table: str) -> None:
    found = duckdb.sql(f"SELECT * FROM '{demo[0] / 'truth' / table}.parquet'")
    assert ", ".join(found.columns) == TRUTH[table]
    assert len(found) > 10


def test_the_truth_of_money_is_that_of_the_remittances(demo: Demo) -> None:
    out, _ = demo
    money = f"'{out / 'truth' / 'money.parquet'}'"
    owed = dict(
        duckdb.sql(
            f"SELECT practice, sum(cents)::BIGINT FROM {money} WHERE state IN ('settled', 'returned') GROUP BY 1"
        ).fetchall()
    )
    papers = [json.loads(path.read_bytes()) for path in (out / "hub/out/remittances").rglob("*.json")]
    assert {paper["practice"]: paper["total_cents"] for paper in papers} == owed


def test_the_report_loads_nothing_and_its_links_lead_somewhere(demo: Demo) -> None:
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


def test_the_terminal_speaks_french(demo: Demo, capsys: pytest.CaptureFixture[str]) -> None:
    out, said = demo
    _say(said, out)
    told = capsys.readouterr().out
    assert not re.findall(r"settled|cancelled|refused|returned|accepted|quarantined|slowed|\bopen\b", told)
    assert not re.findall(r"\d\.\d", told)
    assert re.search(r"médiane \d+,\d\sms", told)
    assert re.search(r"\d+ payées", told)


@pytest.mark.skipif(CHROMIUM is None, reason="no browser here")
@pytest.mark.parametrize("page", ["report.html", "story/index.html"])
def test_a_chart_that_is_cut_says_so_and_none_is_wider_than_the_page(demo: Demo, tmp_path: Path, page: str) -> None:
    browser = Page(tmp_path)
    try:
        for width in (360, 480, 560, 690, 830, 1000, 1200):
            browser.told(
                "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False
            )
            browser.go((demo[0] / page).as_uri())
            browser.until(f"innerWidth === {width} && document.readyState === 'complete'")
            assert browser.run("document.documentElement.scrollWidth") <= width
            assert browser.run(CUT) == [], width
    finally:
        browser.close()


def test_the_world_can_be_brought_back(demo: Demo) -> None:
    token = ecluse("dev", "token", "--account", "rpps:10000000009", "--dir", str(demo[0] / "hub"))
    assert token.returncode == 0
    assert token.stdout.count(".") == 2


def test_an_earlier_demo_is_made_anew_and_anything_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    refused = ecluse("demo", "--people", "300", "--out", str(tmp_path))
    assert refused.returncode == 2
    assert refused.stderr.startswith("demo_directory_taken: ")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.fixture(scope="module")
def page(demo: Demo) -> str:
    return (demo[0] / "story" / "index.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def told(demo: Demo) -> dict[str, Any]:
    story: dict[str, Any] = demo[1]["story"]
    return story


def test_every_question_of_the_month_is_a_heading_and_has_an_answer(page: str) -> None:
    headings = [re.sub(r"[\u202f\u00a0]", " ", each) for each in re.findall(r"<h2 [^>]*>([^<]+)</h2>", page)]
    assert headings == [*QUESTIONS, "Vérifier soi-même"]
    assert page.count('class="answer"') == len(headings)


def test_it_is_one_file_that_anybody_can_read(page: str) -> None:
    assert "<script" not in page
    assert not re.search(r'(?:src|srcset)="|url\(|@import', page)
    assert page.count("<svg") == page.count('role="img"') == page.count("<desc") == page.count("<figcaption")
    assert page.count("<table") == page.count("<caption")
    assert 'lang="fr"' in page
    assert all(mode in page for mode in ("prefers-color-scheme:dark", "@media print"))


def test_every_link_leads_to_a_file_of_the_run_a_place_of_the_page_or_a_source(demo: Demo, page: str) -> None:
    out = demo[0]
    links = re.findall(r'href="([^"]+)"', page)
    files = [each for each in links if not each.startswith(("http", "#"))]
    assert len(files) > 50
    assert [each for each in files if not (out / "story" / each).is_file()] == []
    assert [each for each in links if each.startswith("#") and f'id="{each[1:]}"' not in page] == []
    named = {each.url.replace("&", "&amp;") for each in facts().sources.values()}
    assert {each for each in links if each.startswith("http")} <= named


def test_each_fact_of_2024_stands_with_its_source(page: str) -> None:
    said = re.sub(r"[\u202f\u00a0]", " ", page)
    for name, fact in facts().facts.items():
        assert fact.says in said, name
        assert all(facts().sources[each].url.replace("&", "&amp;") in page for each in fact.sources), name


def test_the_hub_names_exactly_those_of_whom_something_was_told(demo: Demo, told: dict[str, Any]) -> None:
    out = demo[0]
    exact = told["exact"]
    assert (exact["missing"], exact["too_many"], exact["told"]) == (0, 0, exact["named"])
    assert exact["to_thief"] + exact["by_practices"] == exact["named"]
    named = {
        (folder.name, row["member_number"], row["birth_date"], int(row["birth_rank"]))
        for folder in (out / "story" / "organismes").iterdir()
        if (folder / "personnes.csv").exists()
        for row in csv.DictReader((folder / "personnes.csv").open(encoding="utf-8"))
    }
    heard = duckdb.execute(
        "SELECT DISTINCT insurer, member_number, birth_date, birth_rank "
        f"FROM '{out}/story/dit-aux-voleurs.parquet' WHERE sent >= ? AND received <= ? AND account IN (SELECT unnest(?))",
        [told["from"], told["to"], told["accounts"]["stolen"]],
    ).fetchall()
    assert len(named) == exact["named"] == told["whole"]["displayed"] > told["first"]["displayed"] > 0
    assert named == set(heard)


def test_the_figures_of_the_page_are_those_of_the_run(page: str, told: dict[str, Any]) -> None:
    said = re.sub(r"[\u202f\u00a0]", " ", re.sub(r"<[^>]+>", "", page))
    assert f"{told['exact']['named']} personnes nommées par Écluse" in said
    assert "aucune oubliée, aucune de trop" in said
    present = told["care"]["present"]
    assert f"{present['confirmed']} patients sur {present['asked']} venus avec leur laissez-passer" in said
    assert f"{told['letters']['people']} lettres sont écrites" in said
    assert f"« {told['evidence']['said']} »" in said
    for each in told["insurers"]:
        assert f"{each['name']}{each['referenced']}{each['reachable']}{each['displayed']}{each['letters']}" in said


def test_everybody_displayed_has_a_letter_that_may_be_sent_and_every_display_its_proof(told: dict[str, Any]) -> None:
    letters = told["letters"]
    assert letters["people"] == letters["linted"] == told["whole"]["displayed"]
    assert letters["without"] == 0
    assert told["proofs"] == told["whole"]["times"]
    assert told["evidence"]["said"] == "all holds"


def test_care_goes_on_at_the_accounts_that_were_cut(told: dict[str, Any]) -> None:
    care = told["care"]
    assert care["present"]["confirmed"] == care["present"]["asked"] > 0
    assert care["thief"]["confirmed"] == 0 < care["thief"]["asked"]
    assert set(told["accounts"]["steps"]) == {"presence_only"}


def test_another_story_is_refused() -> None:
    ran = ecluse("demo", "--story", "2031")
    assert (ran.returncode, "2024" in ran.stderr) == (2, True)


@pytest.mark.slow
def test_days_in_a_row_hold_too(tmp_path: Path) -> None:
    for _ in range(2):
        ran = ecluse(
            "sim", "run", "--people", "200", "--seed", "4", "--days", "2", "--out", str(tmp_path / "run"), "--json"
        )
        assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout)
    assert said["claims"].keys() >= {"settled", "refused", "cancelled", "returned"}
