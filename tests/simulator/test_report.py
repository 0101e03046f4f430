"""What the demo's report and its terminal say: every series has its colour, every amount its unit, and all of it is French."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lxml import html

from ecluse.claims.claim import State
from ecluse.gate.signals import Step
from sim import charts, figures, report
from sim.charts import Bar
from sim.report import TEMPLATES
from sim.story.page import lasted

ROOT = Path(__file__).parents[2]
REPORT, STORY = ((TEMPLATES / name).read_text(encoding="utf-8") for name in ("report.html", "story.html"))
MONEY = {"amo": 17_817_135, "amc": 35_220_453, "patient": 5}


def test_every_series_has_its_colour_by_day_and_by_night() -> None:
    bars = [Bar("8 h", tuple(range(1, len(figures.CALLS) + 1)))]
    drawn = html.fragment_fromstring(charts.columns("h", "Heures", tuple(figures.CALLS.values()), bars))
    kinds = [each.get("class") for each in drawn.iter("rect")]
    assert kinds == ["k1", "k2", "k3", "k4", "k5", "k6"]
    for kind in kinds:
        assert f".{kind}{{fill:var(--{kind})}}" in REPORT
        assert f".legend .{kind}{{background:var(--{kind})}}" in REPORT
        assert len({*re.findall(rf"--{kind}:(#\w{{6}})", REPORT)}) == 2


def test_amounts_are_said_in_euros_and_what_is_nothing_is_not_said() -> None:
    rows = report.shares_of(MONEY)
    drawn = html.fragment_fromstring(charts.bars("p", "Parts", report.PAYERS, rows, said=report.euros))
    assert [each.text for each in drawn.xpath("//rect/title")] == [
        "Assurance maladie (AMO) : 178\u202f171,35\u00a0€",
        "Complémentaires (AMC) : 352\u202f204,53\u00a0€",
        "Patients : 0,05\u00a0€",
    ]
    assert [each.get("class") for each in drawn.iter("rect")] == ["k1", "k2", "k3"]
    assert [each.text for each in drawn.xpath("//text[@class='value']")][2] == "0,05\u00a0€"


def test_times_are_said_in_seconds() -> None:
    drawn = charts.bars("t", "Temps", ("Temps",), [Bar("Premier nombre", (1_234,))], said=lasted)
    assert "Premier nombre : Temps, 1,2\u00a0s</title>" in drawn


def test_every_state_of_a_claim_and_step_of_an_account_has_french_words() -> None:
    assert figures.STATES.keys() == {*State} - {State.RECEIVED}
    assert figures.STEPS.keys() == {each.name.lower() for each in Step}


FRENCH = [
    *(ROOT / "src/ecluse/doors/portal" / name for name in ("page.html", "portal.js")),
    ROOT / "src/ecluse/gate/alerts.py",
    TEMPLATES / "story.html",
]


@pytest.mark.parametrize("file", FRENCH, ids=lambda each: each.name)
def test_a_pass_has_one_french_name(file: Path) -> None:
    text = re.sub(
        r"mots? de passe|laissez-passer|(id|name|for)=\"pass\"|shown too far", "", file.read_text(encoding="utf-8")
    )
    assert not re.findall(
        r"\b(?:[LlCc]e|[Uu]n|[Ss]on|leur|sans|[Dd]u) passe?\b|\b[Pp]asse du\b|\"passes venaient", text
    )
