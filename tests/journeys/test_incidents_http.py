"""Incidents over HTTP: an investigator works on one; each insurer reads its own view once it was told, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from pyrage import decrypt
from pyrage.x25519 import Identity

from ecluse.journal.entry import Entry, Operation
from tests.journal import entries_in
from tests.journeys.site import AMC, HEADER, MEMBER, PRACTICE, PRODUCT, Site, question

OTHER, STRANGER = "0075999999", "0075888888"  # another with people displayed; one with none
THIEF, OFFICER = "rpps:10000000019", "operator:a.martin"
BY = {"by": "Anne Martin, DPO"}
FACTS = {"cause": "external_malicious", "recipient": "criminal", "measures_taken": ["Nous avons fermé le compte."]}
ORGANISATIONS = f"""[hub]
organisation = "Écluse SA"
[insurers.{AMC}]
organisation = "Mutuelle des Bateliers"
siren = "123456789"
sector = "Assurance"
size = "50 à 249 salariés"
"""
SIZE = "50 à 249 salariés"


class House:
    """A served hub: a thief looked at a member of each of two insurers; its investigator made an incident of it over HTTP."""

    def __init__(self, folder: Path, store: dict[str, str]) -> None:
        self.folder = folder
        self.site = Site(folder / "hub", ECLUSE_LAKE_EVERY_S="0", **store)
        self.key = Identity.generate()
        self.clients: dict[str, httpx.Client] = {}

    def open(self) -> None:
        self.site.make()
        (self.folder / "base.yaml").write_text(PRODUCT)
        self.site.run("product", "load", str(self.folder / "base.yaml"), "--insurer", OTHER)
        self.site.load([{}])
        row = ",".join({**MEMBER, "insurer": OTHER}.values())
        (self.folder / "other.csv").write_text(f"{HEADER}\n{row}\n")
        self.site.run("feed", "load", str(self.folder / "other.csv"), "--insurer", OTHER, "--full")
        (self.folder / "key.pub").write_text(f"{self.key.to_public()}\n")
        self.site.run("insurer", "key", AMC, str(self.folder / "key.pub"))
        (self.site.directory / "organismes.toml").write_text(ORGANISATIONS)
        self.site.start()
        whose = {"officer": (OFFICER, "investigate"), "thief": (THIEF, "rights")}
        whose |= {amc: (f"amc:{amc}", "exposure:own") for amc in (AMC, OTHER, STRANGER)}
        whose |= {"both": (f"amc:{OTHER}", "exposure:own investigate")}
        for name, (account, scope) in whose.items():
            self.clients[name] = self.site.client(self.site.token(account, practice=PRACTICE, scope=scope))
        since = datetime.now(UTC).isoformat()
        for amc in (AMC, OTHER):
            assert self.post("thief", "/v1/rights/checks", question(insurer=amc))["outcome"] == "confirmed"
        window = {"from": since, "to": datetime.now(UTC).isoformat()}
        self.asked = {"accounts": [THIEF], **window, "how_found": "Le titulaire a appelé.", **BY}
        self.name = self.post("officer", "/v1/incidents", self.asked, 201)["incident"]
        for name, value in FACTS.items():
            self.act("facts", {"name": name, "value": value, **BY})
        self.site.run("journal", "export")
        self.act("scope")
        self.act("decisions", BY)
        self.act("notifications", {"deadline": "gdpr_controllers", "insurer": AMC, **BY})

    def close(self) -> None:
        for each in self.clients.values():
            each.close()
        if self.site.process:
            self.site.stop()

    def get(self, who: str, path: str = "", status: int = 200) -> Any:
        """What is answered about the incident."""
        answer = self.clients[who].get(f"/v1/incidents/{self.name}{path}")
        assert answer.status_code == status, answer.text
        return answer.json()

    def post(self, who: str, path: str, body: Any, status: int = 200) -> Any:
        answer = self.clients[who].post(path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def act(self, what: str, body: Any = None, status: int = 200) -> Any:
        """An act of the investigator."""
        return self.post("officer", f"/v1/incidents/{self.name}/{what}", body or {}, status)

    def entries(self) -> list[Entry]:
        found = entries_in(self.site.directory / "journal")
        return sorted((each for each in found if each.engagement == self.name), key=lambda each: each.ts_us)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, store: dict[str, str]) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("house"), store)
    try:
        made.open()
        yield made
    finally:
        made.close()


def test_an_insurer_reads_its_own_view_and_nothing_of_another(house: House) -> None:
    own = house.get(AMC)
    assert (own["insurer"], own["counts"]["displayed"]["at_least"], own["counts"]["referenced"]) == (AMC, 1, 1)
    assert (own["decision"]["signed"]["authority"], own["decision"]["by"]) == (True, f"Anne Martin, DPO ({OFFICER})")
    assert own["decision"]["dora"]["major"] is True
    assert own["dora"]["initial"]["fields"]
    assert own["register_entry"]["decision"]["cnil"] is True
    assert OTHER not in json.dumps(own)
    whole = house.get("officer")
    assert {each["party"] for each in whole["decisions"]} == {"hub", AMC, OTHER}
    assert whole["untold"] == [OTHER]
    numbers = [each["number"] for each in own["timeline"]]
    assert numbers == sorted({*numbers})
    assert set(numbers) < {each["number"] for each in whole["timeline"]}


def test_what_forms_ask_each_time_is_filled_from_the_operators_file(house: House) -> None:
    fields = {one["id"]: one for each in house.get(AMC)["cnil_form"]["sections"] for one in each["fields"]}
    assert (fields["size"]["value"], fields["size"]["status"]) == (SIZE, "filled")
    assert (fields["sector"]["value"], fields["siren"]["value"]) == ("Assurance", "123456789")
    assert fields["processors"]["value"] == "Écluse SA"
    cards = [each for each in house.get("officer")["facts"] if each["name"] == "card"]
    assert [each["insurer"] for each in cards] == ["", AMC]


def test_what_was_known_before_is_read_by_version(house: House) -> None:
    whole = house.get("officer")
    scoped = whole["scope"]["number"]
    before, after = house.get(AMC, f"?version={scoped - 1}"), house.get(AMC, f"?version={scoped}")
    assert (before["counts"], before["decision"], before["state"]) == (None, None, "opened")
    assert (after["counts"]["times"], after["decision"], after["version"]) == (1, None, scoped)
    assert house.get(AMC, "?version=900", 404)["code"] == "not_found"
    assert [each["name"] for each in house.get("officer", "?version=2")["facts"]] == ["cause"]


def test_an_incident_of_others_and_one_that_is_not_are_the_same_answer(house: House) -> None:
    paths = ("", "/clocks", "/clocks.ics", "/pack", "/pack/LISEZMOI.txt", "?version=1")
    for who in (OTHER, STRANGER, "both"):  # one that is exposed and was not told yet knows of none either
        for path in paths:
            there = house.clients[who].get(f"/v1/incidents/{house.name}{path}")
            absent = house.clients[who].get(f"/v1/incidents/inc_00000000000000000000{path}")
            assert (there.status_code, there.json()["code"]) == (404, "not_found")
            assert there.content == absent.content
        assert house.clients[who].get("/v1/incidents").json() == {"incidents": [], "next_cursor": None}
        cursor = house.clients[who].get("/v1/incidents", params={"cursor": house.name})
        assert (cursor.status_code, cursor.json()["code"]) == (400, "cursor_invalid")
    assert house.get("thief", "", 403)["code"] == "forbidden"


def test_deadlines_are_json_or_a_calendar(house: House) -> None:
    told = house.get(AMC, "/clocks")
    assert {each["party"] for each in told["clocks"]} == {AMC}
    assert {"gdpr_authority", "dora_initial", "gdpr_persons"} <= {each["id"] for each in told["clocks"]}
    assert {each["party"] for each in house.get("officer", "/clocks")["clocks"]} == {"hub", AMC}
    path = f"/v1/incidents/{house.name}/clocks"
    file = house.clients[AMC].get(f"{path}.ics")
    asked = house.clients[AMC].get(path, headers={"accept": "text/calendar"})
    assert file.headers["content-type"] == asked.headers["content-type"] == "text/calendar; charset=utf-8"
    assert file.text.count("BEGIN:VEVENT") == asked.text.count("BEGIN:VEVENT") == len(told["clocks"])


def test_the_list_goes_page_by_page_and_reads_are_in_the_journal(house: House) -> None:
    again = house.post("officer", "/v1/incidents", house.asked, 201)
    assert again["incident"] == house.name
    second = house.post("officer", "/v1/incidents", {**house.asked, "to": datetime.now(UTC).isoformat()}, 201)
    page = house.clients["officer"].get("/v1/incidents", params={"limit": 1}).json()
    assert [each["incident"] for each in page["incidents"]] == [page["next_cursor"]] == [second["incident"]]
    rest = house.clients["officer"].get("/v1/incidents", params={"cursor": page["next_cursor"]}).json()
    assert ([each["incident"] for each in rest["incidents"]], rest["next_cursor"]) == ([house.name], None)
    (own,) = house.clients[AMC].get("/v1/incidents").json()["incidents"]
    assert (own["incident"], own["told_at"] is not None) == (house.name, True)
    measured = [each for each in entries_in(house.site.directory / "journal") if each.operation == "exposure_asked"]
    assert {each.account for each in measured} == {OFFICER}
    before = len(house.entries())
    house.get(AMC)
    (read,) = house.entries()[before:]
    assert (read.operation, read.account, read.insurer) == (Operation.INCIDENT_READ, f"amc:{AMC}", AMC)


ACTS: dict[str, tuple[str, dict[str, Any], int, str]] = {
    "a fact of no name": ("facts", {"name": "weather", "value": 1}, 400, "facts_invalid"),
    "sent to an insurer that has no part in it": (
        "notifications",
        {"deadline": "gdpr_controllers", "insurer": STRANGER},
        404,
        "incident_unknown",
    ),
    "a fact of no insurer": ("facts", {"name": "phone", "value": "1", "insurer": "x"}, 400, "amc_invalid"),
    "no such deadline": ("notifications", {"deadline": "tax"}, 400, "facts_invalid"),
    "an instant without offset": ("notifications", {"deadline": "gdpr_register", "at": "2026-01-01"}, 400, "malformed"),
    "a key that is none": ("scope", {"anew": True}, 400, "malformed"),
    "a scope that is not the one": ("decisions", {"on_scope": 1}, 409, "incident_scope_outdated"),
    "an insurer not in the scope": ("decisions", {"insurers": [STRANGER]}, 404, "incident_unknown"),
    "closed, and why": ("closure", {"reason": " "}, 400, "incident_words_needed"),
    "not closed": ("reopening", {"reason": "Un fait nouveau."}, 409, "incident_state"),
    "signed at too great a length": ("scope", {"by": "x" * 121}, 400, "malformed"),
}


@pytest.mark.parametrize("case", ACTS.values(), ids=list(ACTS))
def test_an_act_that_may_not_be_is_refused_by_its_code(
    house: House, case: tuple[str, dict[str, Any], int, str]
) -> None:
    what, body, status, code = case
    version = house.get("officer")["version"]
    assert house.act(what, body, status)["code"] == code
    assert house.get("officer")["version"] == version


def test_only_the_hubs_investigators_act(house: House) -> None:
    for who in (AMC, "both", "thief"):
        for what, body in (
            ("facts", {"name": "media", "value": True}),
            ("scope", {}),
            ("closure", {"reason": "Rien."}),
        ):
            path = f"/v1/incidents/{house.name}/{what}"
            assert house.post(who, path, body, 403)["code"] == "forbidden"
        assert house.post(who, "/v1/incidents", house.asked, 403)["code"] == "forbidden"


def test_the_schema_has_every_call(house: House) -> None:
    paths = house.clients[AMC].get("/schema").json()["paths"]
    of = {path.removeprefix("/v1/incidents"): set(calls) for path, calls in paths.items() if "incidents" in path}
    assert of == {
        "": {"get", "post"},
        "/{incident_id}": {"get"},
        "/{incident_id}/clocks": {"get"},
        "/{incident_id}/clocks.ics": {"get"},
        "/{incident_id}/pack": {"get"},
        "/{incident_id}/pack/{name}": {"get"},
        **{f"/{{incident_id}}/{act}": {"post"} for act in ("facts", "scope", "decisions", "notifications")},
        **{f"/{{incident_id}}/{act}": {"post"} for act in ("closure", "reopening")},
    }


def test_an_insurer_fetches_its_sealed_pack(house: House) -> None:
    assert house.get(AMC, "/pack", 404)["code"] == "incident_pack_absent"
    house.site.run("journal", "export")
    house.site.run("incident", "pack", house.name, "--by", "Anne Martin, DPO", "--no-proofs")
    told = house.get(AMC, "/pack")
    assert (told["people"], told["insurer"]) == (1, AMC)
    assert told == house.get("officer", f"/pack?insurer={AMC}")
    files = {}
    for each in told["files"]:
        answer = house.clients[AMC].get(f"/v1/incidents/{house.name}/pack/{each['name']}")
        assert answer.status_code == 200
        files[each["name"]] = decrypt(answer.content, [house.key]) if each["is_sealed"] else answer.content
    assert files["notification-cnil.pdf.age"].startswith(b"%PDF-")
    assert b"M1" in files["personnes.csv.age"]
    assert "notification-cnil.pdf" in files["LISEZMOI.txt"].decode()
    fetched = [each for each in house.entries() if each.outcome.endswith("people fetched")]
    assert {each.account for each in fetched} == {f"amc:{AMC}"}
    assert house.get(AMC, "/pack/..%2Fkeys", 404)["code"] == "not_found"
    sums = next((house.site.directory / "out" / "packs").glob(f"*-{AMC}/SHA256SUMS"))
    sums.write_text(sums.read_text().replace("a", "b"))
    assert house.get(AMC, "/pack", 404)["code"] == "incident_pack_absent", "another list than the journal has"


EDGES = [
    "0001-01-01T00:00:00+14:00",
    "0001-01-01T00:00:00Z",
    "1969-01-01T00:00:00Z",
    "1999-12-31T23:59:59Z",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-14:00",
]


@pytest.mark.parametrize("at", EDGES)
def test_what_nobody_can_have_known_then_is_refused_and_nothing_is_kept(house: House, at: str) -> None:
    """Kept once, such an instant could be shown no more: the incident, and the list of all, were lost for good."""
    before = len(house.entries())
    elsewhere = {**house.asked, "accounts": ["rpps:10000000027"], "found_at": at}
    said = [
        house.post("officer", "/v1/incidents", elsewhere, 400),
        house.act("facts", {"name": "cause", "value": "internal_malicious", "known_at": at, **BY}, 400),
        house.act("notifications", {"deadline": "gdpr_controllers", "insurer": OTHER, "at": at, **BY}, 400),
    ]
    assert [(each["code"], each["pointer"]) for each in said] == [
        ("incident_time_invalid", "/found_at"),
        ("incident_time_invalid", "/known_at"),
        ("incident_time_invalid", "/at"),
    ]
    assert house.clients["officer"].get("/v1/incidents").status_code == 200
    assert [each for each in house.entries()[before:] if each.operation is Operation.INCIDENT] == []
