"""What an insurer is told of an incident: its own, once it was told, as of any version; what its card says of it in forms."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from ecluse.breach.incident.cnil import case_of, form
from ecluse.breach.incident.events import HUB, Decided, Event, Happened, Notified, Packed, Signed
from ecluse.breach.incident.follows import follows, own_of
from ecluse.breach.incident.state import fold
from ecluse.breach.incident.told import concerns, told_to
from tests.unit.breach.test_incident import BY, FOUND_US, MUTUELLE, OTHER, SPARED, TODAY, fact, happened

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
SIGNED = Signed(register=True, authority=True, persons=True)
CARD = {"organisation": "Mutuelle de Touraine", "size": "50 à 249 salariés", "sector": "Assurance"}


def events(*told: str) -> list[Happened]:
    """Everything that happens, to three insurers, of whom these are told."""
    secret = fact("professionals", [{"account": "rpps:10000000002", "fields": ["RIB"]}])
    facts = (fact("phone", "01 23 45 67 89", OTHER), fact("phone", "02 34 56 78 90", MUTUELLE), secret)
    known = fold(happened("opened", "fact", "scoped", more=facts))
    signed: list[Event] = []
    for insurer in (HUB, MUTUELLE, OTHER, SPARED):
        found = follows(known, insurer, TODAY)
        signed.append(
            Decided(by=BY, insurer=insurer, knew=6, signed=found.signed, answer=found.answer, dora=found.dora)
        )
    sent = [Notified(by=BY, deadline="gdpr_controllers", at_us=FOUND_US + 60_000_000, insurer=each) for each in told]
    packs = [Packed(by=BY, insurer=each, version=10, sha256="ab", people=3) for each in (MUTUELLE, OTHER)]
    return happened("opened", "fact", "scoped", more=(*facts, *signed, *sent, *packs))


def view(insurer: str, until: int = 0) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.json.decode(
        msgspec.json.encode(told_to("inc_1", events(MUTUELLE, OTHER), insurer, until, NOW))
    )
    return told


@pytest.mark.parametrize(("own", "another"), [(MUTUELLE, OTHER), (OTHER, MUTUELLE)])
def test_nothing_of_another_insurer_nor_of_the_hubs_own_victims_is_told(own: str, another: str) -> None:
    told = msgspec.json.encode(view(own)).decode()
    assert another not in told
    assert SPARED not in told
    assert "rpps:10000000002" not in told
    assert ("01 23 45 67 89" in told) == (own == OTHER)


def test_an_incident_concerns_an_insurer_once_it_was_told() -> None:
    incident = fold(events(MUTUELLE))
    assert [concerns(incident, each) for each in (HUB, MUTUELLE, OTHER, SPARED, "0099999999")] == [
        *(True, True),
        *(False, False, False),
    ]


def test_a_version_is_what_was_known_then() -> None:
    now, scoped, opened = view(MUTUELLE), view(MUTUELLE, 3), view(MUTUELLE, 1)
    assert (now["counts"]["displayed"], now["counts"]["number"]) == ({"at_least": 1_800, "at_most": 1_800}, 3)
    assert (scoped["decision"], scoped["counts"]["times"], scoped["told_at"]) == (None, 2_104, None)
    assert (opened["counts"], opened["clocks"]["clocks"], opened["state"]) == (None, [], "opened")
    assert (now["version"], now["latest"], opened["version"], opened["latest"]) == (14, 14, 1, 14)
    assert [each["insurer"] for each in now["packs"]] == [MUTUELLE]
    assert "gdpr_authority" in {each["id"] for each in now["clocks"]["clocks"]}


def test_a_card_fills_what_nobody_stated_for_its_own_party_alone() -> None:
    said = (
        fact("card", {"organisation": "Écluse SA"}),
        fact("card", CARD, MUTUELLE),
        fact("sector", "Mutuelle", MUTUELLE),
    )
    incident = fold(happened("opened", "fact", "scoped", more=said))
    own, other = own_of(incident, MUTUELLE), own_of(incident, OTHER)
    assert (own.organisation, own.size, own.sector, own.hub_name) == (*list(CARD.values())[:2], "Mutuelle", "Écluse SA")
    assert (other.organisation, other.size, other.hub_name) == (None, None, "Écluse SA")
    filled = {one.id: one for each in form("inc_1", case_of(incident, MUTUELLE)).sections for one in each.fields}
    assert (filled["size"].status, filled["processors"].value) == ("filled", "Écluse SA")


def test_deciding_the_same_again_begins_no_deadline_anew() -> None:
    known = events(MUTUELLE)
    signed = [each.event for each in known if isinstance(each.event, Decided)]
    hour_us = FOUND_US + 3_600_000_000
    again = [Happened(len(known) + place, hour_us, event) for place, event in enumerate(signed, 1)]
    dues = [
        {each["id"]: each["due"] for each in told_to("inc_1", told, MUTUELLE, 0, NOW).clocks["clocks"]}
        for told in (known, [*known, *again])
    ]
    assert dues[0] == dues[1]
    assert {"dora_initial", "gdpr_persons"} <= {*dues[0]}
    no = Decided(by=BY, insurer=MUTUELLE, knew=6, signed=msgspec.structs.replace(SIGNED, persons=False), answer={})
    other = fold([*known, Happened(len(known) + 1, FOUND_US + 9_000_000_000, no)]).decisions[MUTUELLE]
    assert (other.major_us, other.persons_us) == (0, 0), "taken back, it begins anew when it is said again"


@pytest.mark.parametrize("insurer", [MUTUELLE, OTHER, SPARED, "0099999999"])
def test_every_version_can_be_told_to_anybody(insurer: str) -> None:
    for until in range(15):
        assert view(insurer, until)["cnil_form"]["insurer"] == insurer
