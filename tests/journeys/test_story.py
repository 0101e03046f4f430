"""January 2024, replayed for 150 people: every question is answered, every link leads somewhere, every figure is the run's."""

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

from sim.story.facts import facts

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


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("story") / "demo"
    words = ("demo", "--story", "2024", "--people", "150", "--seed", "3", "--out", str(out), "--json")
    ran = subprocess.run(
        [ECLUSE, *words], capture_output=True, text=True, check=False, env=dict(os.environ), timeout=240
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == json.loads((out / "summary.json").read_bytes())
    return out


@pytest.fixture(scope="module")
def page(out: Path) -> str:
    return (out / "story" / "index.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def told(out: Path) -> dict[str, Any]:
    story: dict[str, Any] = json.loads((out / "summary.json").read_bytes())["story"]
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


def test_every_link_leads_to_a_file_of_the_run_a_place_of_the_page_or_a_source(out: Path, page: str) -> None:
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


def test_the_hub_names_exactly_those_of_whom_something_was_told(out: Path, told: dict[str, Any]) -> None:
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
    assert f"{present['confirmed']} patients sur {present['asked']} venus avec leur pass" in said
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
    ran = subprocess.run([ECLUSE, "demo", "--story", "2031"], capture_output=True, text=True, check=False)
    assert (ran.returncode, "2024" in ran.stderr) == (2, True)
