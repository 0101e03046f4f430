"""Tables at a terminal: every reason, every deadline, what is late and what it owes; nothing of a value is read as markup."""

from __future__ import annotations

import io
import json
from datetime import date, datetime
from typing import Any

import msgspec
import pytest
from rich.console import Console, RenderableType

from ecluse.breach.assess import assess
from ecluse.breach.dora.answer import answer as dora
from ecluse.breach.dora.incident import Dora
from ecluse.breach.facts import Facts, convert
from ecluse.breach.incident.view import shown
from ecluse.breach.times import Times, running
from ecluse.breach.times import shown as clocks_shown
from ecluse.doors.cli.breach_tables import answered, clocks, left_words
from ecluse.doors.cli.incident_tables import incident, incidents
from tests.unit.breach.test_incident import fact, happened

TODAY = date(2026, 11, 30)
NOW = datetime.fromisoformat("2026-11-30T09:00:00+01:00")


def printed(*parts: RenderableType) -> str:
    out = io.StringIO()
    Console(file=out, width=400).print(*parts, sep="\n")
    return out.getvalue()


def plain(value: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(value))


def test_decisions_come_first_then_every_reason() -> None:
    told = plain(
        assess(convert({"cause": "external_malicious", "data": ["national_number"], "role": "processor"}, Facts), TODAY)
    )
    lines = printed(*answered(told)).splitlines()
    assert lines[0].split() == ["Inscrire", "au", "registre", "oui"]
    assert all(any(reason in line for line in lines) for reason in [*told["why"], *told["undecided"]])


def test_a_report_says_what_is_left_field_by_field() -> None:
    sent = {
        "covered_beneficiaries": 1,
        "report": {"stage": "initial", "entities": [{"name": "X", "lei": "969500ABCDEFGHIJKL00"}]},
    }
    told = plain(dora(convert(sent, Dora), TODAY))
    text = printed(*answered(told))
    assert "Rapport X" in text
    assert all(f"{each['code']} à remplir : {each['name']}" in text for each in told["reports"][0]["missing"])
    assert "1.6 à corriger" in text


def test_deadlines_keep_their_order_and_a_late_one_asks_for_its_reasons() -> None:
    times = convert({"aware": "2026-11-26T08:00:00+01:00", "regimes": ["gdpr", "lopmi"], "role": "controller"}, Times)
    found = running(times, NOW)
    text = printed(*clocks(plain(clocks_shown(found, NOW))["clocks"]))
    places = [text.index(each.deadline.id) for each in found]
    assert places == sorted(places)
    assert "29/11/2026 08:00" in text
    assert text.count("DÉPASSÉ") == 2
    assert "gdpr_authority : motifs du retard (RGPD art. 33(1))" in text
    assert printed(*clocks([])) == "Aucune échéance ne court.\n"


@pytest.mark.parametrize(
    ("left_min", "words"), [(0, "0 h 00"), (61, "1 h 01"), (1_440, "1 j 00 h"), (-90, "−1 h 30"), (-3_000, "−2 j 02 h")]
)
def test_what_is_left_is_read_at_a_glance(left_min: int, words: str) -> None:
    assert left_words(left_min) == words


def test_an_incident_is_shown_whole_and_its_values_are_no_markup() -> None:
    odd = fact("description", "[red]Fuite[/red] [bold]")
    told = shown("inc_1", happened("opened", "fact", "scoped", "decided", "notified", more=(odd,)), TODAY)
    text = printed(*incident(told))
    assert odd.value in text
    assert "1\N{NARROW NO-BREAK SPACE}800" in text
    assert "À décider, ou à décider de nouveau" in text
    assert json.dumps(told["timeline"][-1]["number"]) in text
    assert printed(incidents([])) == "Aucun incident.\n"
    assert "inc_1" in printed(incidents([told]))
