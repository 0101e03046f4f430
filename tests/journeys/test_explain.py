"""`ecluse explain` as an operator meets it: a claim, a quote or a question, in the terminal, as JSON and as a page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from lxml import html

from ecluse.journal.entry import Field, Operation
from tests.journal import told
from tests.journeys.site import AMC, MEMBER, PRACTICE, Site, question, today

QUESTION = {"expense_cents": 5000, "base_cents": 3150, "amo_rate": "70%", "guarantee": "BR_INCL:150"}
NEVER = "01ARZ3NDEKTSV4RRFFQ9"  # the 20 characters of an id of 2016


@pytest.fixture(scope="module")
def ids(site: Site) -> dict[str, str]:
    """A quote, the claim that followed, and a refused one, under one engagement."""
    line = {"line": 1, "act": "CS", "date": today(), "expense_cents": 7000, "base_cents": 3150, "amo_rate": "70%"}
    with site.client() as client:
        engagement = client.post("/v1/rights/checks", json=question()).json()["engagement"]["number"]
        quote = client.post("/v1/quotes", json={"engagement": engagement, "lines": [line]}).json()["quote_id"]
        claims = [
            client.post("/v1/claims", json={"invoice": invoice, "engagement": engagement, "lines": [each]}).json()
            for invoice, each in (("F1", line), ("F2", line | {"amo_rate": "71%"}))
        ]
    assert [each["status"] for each in claims] == ["accepted", "refused"]
    return {"quote": quote, "claim": claims[0]["claim_id"], "refused": claims[1]["claim_id"]}


@pytest.mark.parametrize("what", ["quote", "claim"])
def test_a_quote_and_its_claim_are_explained_alike_and_traced(site: Site, ids: dict[str, str], what: str) -> None:
    shown = site.json("explain", ids[what])
    (line,) = shown["explained"]
    bars = line["waterfall"]["bars"]
    assert [(bar["kind"], bar["cents"]) for bar in bars] == [
        ("expense", 7000), ("amo", -2205), ("contract", -4095), ("left", 700),
    ]  # fmt: skip
    assert bars[2]["rule"].replace("\u00a0", " ") == "jusqu'à 200 % de la base, Assurance maladie comprise"
    entry = told(site.directory / "journal")
    (traced,) = [each for each in entry if each.operation is Operation.EXPLAINED and each.engagement == ids[what]]
    assert (traced.account, traced.insurer, traced.practice) == ("operator", AMC, "")
    assert traced.person
    assert Field(traced.fields) == Field.SPLIT | Field.GUARANTEE


def test_nothing_that_is_shown_names_a_person(site: Site, ids: dict[str, str], tmp_path: Path) -> None:
    page = tmp_path / "card.html"
    said = site.run("explain", ids["claim"], "--html", str(page), "--json").stdout + page.read_text(encoding="utf-8")
    said += site.run("explain", ids["quote"]).stdout
    secrets = (MEMBER["nir"], MEMBER["birth_date"], PRACTICE, '"contract": "C1"', "member")
    assert [each for each in secrets if each in said] == []


def test_the_terminal_shows_a_chart_of_eighty_columns(site: Site, ids: dict[str, str]) -> None:
    lines = site.run("explain", ids["quote"]).stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert any(each.startswith("Votre contrat") and "▒" in each and "−40,95" in each for each in lines)
    assert any(each.startswith("- Il vous reste 7,00") for each in lines)


def test_a_question_needs_no_hub(tmp_path: Path) -> None:
    nowhere = Site(tmp_path / "none")
    for words in (["explain"], ["explain", "-"]):
        assert "−25,20" in nowhere.run(*words, stdin=json.dumps(QUESTION)).stdout
    shown = json.loads(nowhere.run("explain", "--json", stdin=json.dumps(QUESTION)).stdout)
    assert shown["explained"][0]["waterfall"]["bars"][-1]["cents"] == 275
    assert nowhere.run("explain", stdin="{", check=False).stderr.startswith("quote_invalid: ")


def test_the_page_is_a_document_that_loads_nothing(tmp_path: Path) -> None:
    page = tmp_path / "card.html"
    said = Site(tmp_path).run(
        "explain", "--html", str(page), stdin=json.dumps({**QUESTION, "participation_cents": 200})
    )
    assert said.stdout == ""
    text = page.read_text(encoding="utf-8")
    assert not any(each in text for each in ("http:", "https:", "<script", "<link", "url("))
    document: Any = html.document_fromstring(text)
    (chart,) = document.iter("svg")
    assert [each.tag for each in chart][:2] == ["title", "desc"]
    assert chart.get("aria-labelledby").split() == [each.get("id") for each in chart][:2]
    rows = [[cell.text_content() for cell in row] for row in document.iter("tr")]
    assert [row[:2] for row in rows[1:]] == [
        ["Dépense", "50,00\u00a0€"],
        ["Assurance maladie", "−22,05\u00a0€"],
        ["Votre contrat", "−25,20\u00a0€"],
        ["Il vous reste", "2,75\u00a0€"],
        ["Retenu plus tard", "2,00\u00a0€"],
    ]
    assert all(len(row) == 4 and all(row) for row in rows)


@pytest.mark.parametrize(
    ("id_", "code"),
    [
        ("clm_1", "explain_id_invalid"),
        ("chk_" + NEVER, "explain_id_invalid"),
        ("clm_" + NEVER, "claim_unknown"),
        ("quo_" + NEVER, "quote_unknown"),
    ],
)
def test_what_is_not_there_is_refused_with_a_code(site: Site, id_: str, code: str) -> None:
    done = site.run("explain", id_, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1].startswith(f"{code}: ")


def test_what_was_refused_was_not_shared_out(site: Site, ids: dict[str, str]) -> None:
    assert site.run("explain", ids["refused"], check=False).stderr.splitlines()[-1].startswith("claim_not_shared: ")


def test_what_destroyed_keys_sealed_opens_no_more(site: Site, ids: dict[str, str]) -> None:
    for operator in ("a.martin", "b.durand"):
        confirm = ("--confirm", f"destroy {AMC} for ever")
        site.run("keys", "destroy", "--insurer", AMC, "--operator", operator, *confirm)
    for what in ("quote", "claim"):
        said = site.run("explain", ids[what], check=False).stderr
        assert said.splitlines()[-1].startswith("explanation_destroyed: ")
