"""The patient as a sensor: who looked is told through the insurer, over HTTP and by commands, for that insurer alone."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pyrage.x25519 import Identity
from typer.testing import CliRunner

from ecluse.doors.cli.main import complete
from ecluse.engines.age import Age
from ecluse.journal.entry import Entry, Operation
from tests.journal import entries_in
from tests.journeys.site import AMC, DOCTOR, MEMBER, PRACTICE, Site, question, todays_line

OTHER_AMC = "0075999999"
CAPS = """as_of = 2026-11-29
source = "a test"
[professions]
other = { debt = 20, burst = 1000, refill_per_day = 1000, yearly = 1000 }
"""
PEOPLE = [{"member_number": f"N{n}", "birth_date": f"19{n + 10}-01-11"} for n in range(40)]


class Desk:
    """A served hub with forty members, an insurer that has its key, and one that has none."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.site = Site(folder / "hub")
        self.environment = {"ECLUSE_DIR": str(folder / "hub"), "ECLUSE_GATE_CAPS": "caps.toml"}
        self.key = Identity.generate()

    def open(self) -> None:
        self.site.make()
        for name, key in (("key.txt", self.key), ("key.pub", self.key.to_public())):
            (self.folder / name).write_text(f"{key}\n")
        other = f"insurer,name,iban,mandate,mandate_signed_on\n{OTHER_AMC},Autre,FR7630006000011234567890189,,\n"
        (self.folder / "insurers.csv").write_text(other)
        (self.site.directory / "caps.toml").write_text(CAPS)
        self.site.environment |= self.environment
        self.run("insurer", "load", str(self.folder / "insurers.csv"))
        self.run("insurer", "key", AMC, str(self.folder / "key.pub"))
        self.site.load(PEOPLE)
        self.site.start()
        self.tokens = {
            "doctor": self.token(DOCTOR, PRACTICE, "rights claims"),
            "other doctor": self.token("rpps:10000000027", PRACTICE, "rights claims"),
            "insurer": self.token(f"amc:{AMC}", "", "exposure:own feeds"),
            "other": self.token(f"amc:{OTHER_AMC}", "", "exposure:own feeds"),
        }

    def run(self, *words: str) -> str:
        """What a command prints; run in this process, while the server answers: a process of its own costs most of a second."""
        done = CliRunner().invoke(complete(), list(words), env=self.environment)
        assert done.exception is None, (done.exception, done.output)
        return done.stdout

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--json"))

    def token(self, account: str, practice: str, scope: str) -> str:
        words = ("dev", "token", "--account", account, "--practice", practice, "--scope", scope)
        return self.run(*words).strip()

    def ask(self, who: str, method: str, path: str, **given: Any) -> httpx.Response:
        with self.site.client(self.tokens[who]) as client:
            return client.request(method, path, **given)

    def look(self, number: int, **changes: Any) -> httpx.Response:
        asked = question(beneficiary={"birth_date": PEOPLE[number]["birth_date"]}, **changes)
        return self.ask("doctor", "POST", "/v1/rights/checks", json=asked)

    def deny(self, opening: str, who: str = "insurer") -> httpx.Response:
        return self.ask(who, "POST", f"/v1/openings/{opening}/denials")

    def standing(self) -> tuple[str, int]:
        """The doctor's step, and the debt."""
        shown = self.json("gate", "show", DOCTOR)
        return shown["step"], shown["position"]["standing"]["debt"]

    def openings(self, after: str = "", limit: int = 500) -> tuple[list[dict[str, str]], dict[str, Any]]:
        """The rows of a page, and the page."""
        page = self.ask("insurer", "GET", "/v1/openings", params={"after": after, "limit": limit}).json()
        return self.rows(base64.b64decode(page["sealed"])) if "sealed" in page else [], page

    def rows(self, sealed: bytes) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(Age().open(str(self.key), sealed).decode())))

    def entries(self, operation: Operation) -> list[Entry]:
        return [each for each in entries_in(self.site.directory / "journal") if each.operation is operation]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    made = Desk(tmp_path_factory.mktemp("patient"))
    made.open()
    yield made
    if made.site.process:
        made.site.stop()


def test_first_looks_are_told_to_the_insurer_once_page_by_page(desk: Desk) -> None:
    assert desk.look(0).json()["outcome"] == "confirmed"
    for number in (1, 2, 0, 1):  # twice is no first look
        desk.look(number)
    first, page = desk.openings(limit=2)
    assert (len(first), page["openings"], page["has_more"], page["insurer"]) == (2, 2, True, AMC)
    assert page["recipient"] == str(desk.key.to_public())
    rest, page = desk.openings(page["cursor"])
    assert (len(rest), page["has_more"]) == (1, False)
    again, page = desk.openings(page["cursor"])
    assert (again, page["openings"]) == ([], 0)
    rows = first + rest
    assert {row["member_number"] for row in rows} == {"N0", "N1", "N2"}
    told = {name: rows[0][name] for name in ("practice", "operation", "presence")}
    assert told == {"practice": PRACTICE, "operation": "rights_check", "presence": "typed"}
    assert "outcome" in rows[0]["fields"].split()
    assert len({row["opening"] for row in rows}) == 3
    desk.look(3)
    (new,), _ = desk.openings(page["cursor"])
    assert new["member_number"] == "N3"
    told_to = [(each.account, each.insurer) for each in desk.entries(Operation.OPENINGS_TOLD)]
    assert told_to == [(f"amc:{AMC}", AMC)] * 4


def test_an_operator_writes_the_same_page(desk: Desk) -> None:
    rows, _ = desk.openings()
    out = desk.folder / "page.csv.age"
    told = desk.json("gate", "openings", "--insurer", AMC, "--limit", "3", "--out", str(out))
    assert (told["openings"], told["has_more"]) == (3, True)
    opened = desk.run("exposure", "open", str(out), "--identity", str(desk.folder / "key.txt"))
    assert list(csv.DictReader(io.StringIO(opened))) == rows[:3] == desk.rows(out.read_bytes())


@pytest.mark.parametrize(
    ("who", "params", "status", "code"),
    [
        ("doctor", {}, 403, "forbidden"),
        ("other", {"insurer": AMC}, 403, "forbidden"),
        ("other", {}, 409, "recipient_unset"),
        ("insurer", {"after": "nothing"}, 400, "cursor_invalid"),
        ("insurer", {"insurer": "x"}, 400, "amc_invalid"),
    ],
)
def test_nobody_else_is_told(desk: Desk, who: str, params: dict[str, str], status: int, code: str) -> None:
    refused = desk.ask(who, "GET", "/v1/openings", params=params)
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert DOCTOR not in refused.text


def test_a_look_with_the_pass_is_noted(desk: Desk) -> None:
    member = {name: PEOPLE[12][name] for name in ("member_number", "birth_date")} | {"nir": MEMBER["nir"]}
    (issued,) = desk.ask("insurer", "POST", "/v1/passes", json={"members": [member]}).json()["passes"]
    assert desk.look(12, **{"pass": issued["pass"]}).json()["outcome"] == "confirmed"
    row = next(row for row in desk.openings()[0] if row["member_number"] == "N12")
    assert row["presence"] == "pass"
    assert desk.deny(row["opening"]).json()["outcome"] == "noted"


def test_not_me_weighs_on_the_account_and_no_insurer_closes_it_alone(desk: Desk) -> None:
    for number in range(4, 10):
        desk.look(number)
    rows = {row["member_number"]: row["opening"] for row in desk.openings()[0]}
    first = desk.deny(rows["N4"])
    assert (first.status_code, first.json()["outcome"]) == (200, "counted")
    assert desk.deny(rows["N4"]).json() == first.json()
    weights = [each.outcome for each in desk.entries(Operation.OPENING_DENIED)]
    assert weights == ["noted", "counted"]  # said twice, written once
    assert desk.standing() == ("open", 10)
    # Four of ten would be too many by chance; five would close the account, were they not all one insurer's word.
    for number in range(5, 9):
        assert desk.deny(rows[f"N{number}"]).json()["outcome"] == "counted"
    assert desk.standing() == ("presence_only", 10)
    assert desk.look(11).json()["code"] == "presence_required"
    # A quarter of the account's cap is full of this insurer's word: the next waits for an operator, who counts it or does not.
    assert desk.deny(rows["N9"]).json()["outcome"] == "held"
    seen = desk.json("gate", "denials", "--account", DOCTOR)
    assert [(each["outcome"], each["said_by"]) for each in seen] == [
        ("held", f"amc:{AMC}"), *[("counted", f"amc:{AMC}")] * 5, ("noted", f"amc:{AMC}"),
    ]  # fmt: skip
    who = ("--operator", "a.martin", "--reason", "rappelée, jamais venue")
    desk.run("gate", "release", DOCTOR, "open", *who)
    desk.run("gate", "release", DOCTOR, "open", "--operator", "b.durand", "--reason", "vérifié")
    told = desk.json("gate", "deny", rows["N9"], "--insurer", AMC, *who)
    assert (told["opening"], told["outcome"]) == (rows["N9"], "counted")
    assert desk.deny(rows["N9"]).json()["outcome"] == "counted"
    assert desk.standing()[0] == "open"  # what was said before the limit was lifted does not set it again


def test_another_insurers_opening_is_as_unknown_as_none(desk: Desk) -> None:
    theirs = desk.openings()[0][0]["opening"]
    answers = [desk.deny(theirs, "other"), desk.deny("opn_" + "0" * 32, "other"), desk.deny("x", "insurer")]
    assert {each.status_code for each in answers} == {404}
    assert len({str({**each.json(), "instance": ""}) for each in answers}) == 1
    assert desk.deny(theirs, "doctor").status_code == 403


class Frozen:
    """Somebody who froze typed look-ups, somebody unknown, and another doctor who asks about both."""

    def __init__(self, desk: Desk, number: int) -> None:
        self.desk, self.number = desk, number
        self.who = {name: PEOPLE[number][name] for name in ("member_number", "birth_date")}
        self.born = {"frozen": PEOPLE[number]["birth_date"], "unknown": "1931-03-03"}

    def say(self, what: str) -> dict[str, Any]:
        answer = self.desk.ask("insurer", "POST", f"/v1/{what}", json={"member": self.who})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def check(self, which: str = "frozen", **changes: Any) -> httpx.Response:
        asked = question(beneficiary={"birth_date": self.born[which]}, **changes)
        return self.desk.ask("other doctor", "POST", "/v1/rights/checks", json=asked)

    def claim(self, invoice: str, which: str = "", engagement: str = "") -> httpx.Response:
        card = {
            "insurer": AMC,
            "domain": "MED",
            "beneficiary": {"nir": MEMBER["nir"], "birth_date": self.born.get(which)},
        }
        about = {"engagement": engagement} if engagement else card
        return self.desk.ask(
            "other doctor", "POST", "/v1/claims", json={"invoice": invoice, "lines": [todays_line()], **about}
        )


def shape(answer: httpx.Response, *ids: str) -> tuple[Any, ...]:
    """What can be seen of an answer, but for ids and instants."""
    headers = {name: len(value) for name, value in answer.headers.items() if name != "date"}
    body = {name: "" if name in ids else value for name, value in answer.json().items()}
    return answer.status_code, headers, len(answer.content), list(body.items())


def test_a_frozen_person_is_answered_as_nobody_and_opens_with_the_pass(desk: Desk) -> None:
    frozen = Frozen(desk, 20)
    before = frozen.check().json()["engagement"]["number"]
    assert frozen.say("freezes") == {"frozen": True} == frozen.say("freezes")
    assert shape(frozen.check(), "check_id") == shape(frozen.check("unknown"), "check_id")
    assert frozen.check().json()["outcome"] == "not_confirmed"
    # A claim by the card alone tells as much as a look-up: it is refused as one about nobody.
    claims = [shape(frozen.claim(f"Z{which}", which), "claim_id") for which in ("frozen", "unknown")]
    assert (claims[0][0], claims[0][2:]) == (claims[1][0], claims[1][2:])
    # What runs goes on; and the pass opens.
    assert frozen.claim("Z1", engagement=before).json()["status"] == "accepted"
    member = {**frozen.who, "nir": MEMBER["nir"]}
    (issued,) = desk.ask("insurer", "POST", "/v1/passes", json={"members": [member]}).json()["passes"]
    with_pass = frozen.check(**{"pass": issued["pass"]}).json()
    assert with_pass["outcome"] == "confirmed"
    priced = {"engagement": with_pass["engagement"]["number"], "lines": [todays_line()]}
    assert desk.ask("other doctor", "POST", "/v1/quotes", json=priced).is_success
    assert frozen.say("freezes/liftings") == {"frozen": False}
    assert frozen.check().json()["outcome"] == "confirmed"


def test_an_operator_freezes_for_an_insurer(desk: Desk) -> None:
    frozen = Frozen(desk, 21)
    who = ("--insurer", AMC, "--member", "N21", "--birth-date", frozen.born["frozen"], "--operator", "a.martin")
    for command, is_frozen, outcome in (("freeze", True, "not_confirmed"), ("unfreeze", False, "confirmed")):
        assert desk.json("gate", command, *who) == {"frozen": is_frozen}
        assert frozen.check().json()["outcome"] == outcome
    acts = [(each.account, each.engagement, each.outcome) for each in desk.entries(Operation.LOOKUPS_FROZEN)]
    assert acts[-2:] == [("operator", "a.martin", "frozen"), ("operator", "a.martin", "lifted")]


@pytest.mark.parametrize("path", ["/v1/freezes", "/v1/freezes/liftings"])
@pytest.mark.parametrize(("who", "insurer"), [("doctor", ""), ("other", AMC)])
def test_nobody_freezes_anothers_member(desk: Desk, path: str, who: str, insurer: str) -> None:
    body = {"member": {"member_number": "N22", "birth_date": "1932-01-11"}, "insurer": insurer}
    assert desk.ask(who, "POST", path, json=body).status_code == 403


def test_all_of_it_is_made_again_when_the_files_are_lost(desk: Desk) -> None:
    frozen, lifted = Frozen(desk, 23), Frozen(desk, 20)
    frozen.say("freezes")
    rows, page = desk.openings()
    before, said = desk.standing(), desk.json("gate", "denials")
    assert (len(said), lifted.check().json()["outcome"]) == (7, "confirmed")
    desk.site.stop()
    for file in [*desk.site.directory.glob("openings.db*"), *desk.site.directory.glob("gate.db*")]:
        file.unlink()
    desk.site.start()
    professions = [{**row, "profession": ""} for row in rows]  # not in the journal: the next token says it
    assert [{**row, "profession": ""} for row in desk.openings()[0]] == professions
    assert desk.openings(page["cursor"])[0] == []
    assert (desk.standing(), desk.json("gate", "denials")) == (before, said)
    assert desk.deny(said[0]["opening"]).json()["outcome"] == said[0]["outcome"]
    assert desk.json("gate", "denials") == said
    assert frozen.check().json()["outcome"] == "not_confirmed"
    assert lifted.check().json()["outcome"] == "confirmed"


class Members:
    """The insurer's own side: the feed it opened, evidence it asked for, pages for its members."""

    def __init__(self, desk: Desk, rows: list[dict[str, str]], reference: str) -> None:
        self.desk, self.feed, self.reference = desk, desk.folder / "feed.csv", reference
        self.base = desk.folder / "acces" / reference[:2] / reference
        self.evidence = desk.folder / "evidence" / reference
        self.sender = desk.folder / "mutuelle.toml"
        self.sender.write_text('name = "la Mutuelle"\nphone = "01 23 45 67 89"\ndpo_contact = "Anne Petit"\n')
        self.told(rows)

    def told(self, rows: list[dict[str, str]]) -> None:
        with self.feed.open("w", newline="") as file:
            written = csv.DictWriter(file, rows[0])
            written.writeheader()
            written.writerows(rows)

    def pages(self) -> tuple[int, Any]:
        words = ("letters", "who-looked", "--feed", str(self.feed), "--sender", str(self.sender), "--reference", self.reference,
                 "--out", str(self.desk.folder / "acces"), "--evidence", str(self.evidence.parent), "--key",
                 self.desk.run("journal", "key").strip(), "--json")  # fmt: skip
        done = CliRunner().invoke(complete(), words, env=self.desk.environment)
        return done.exit_code, json.loads(done.stdout)

    def page(self, ending: str) -> str:
        return self.base.with_suffix(ending).read_text()


def test_a_member_is_given_the_page_of_who_looked_and_the_journal_says_it_is_whole(desk: Desk) -> None:
    desk.look(30)
    rows, _ = desk.openings(limit=1000)
    (mine,) = [row for row in rows if row["member_number"] == "N30"]
    members = Members(desk, [*rows, mine], mine["reference"])  # told twice is one opening
    window = ("--from", "2020-01-01", "--complete")
    desk.run("journal", "prove", "--reference", mine["reference"], *window, "--out", str(members.evidence))
    assert members.pages() == (0, {"people": 1, "looks": 1, "proved": 1, "differ": []})
    data = json.loads(members.page(".json"))
    assert (data["whole"], data["looks"][0]["opening"], data["looks"][0]["paid"]) == (
        "proved",
        mine["opening"],
        "unknown",
    )
    text, html = members.page(".txt"), members.page(".html")
    for said in (
        "dans le département 37",
        "ce n'est pas moi",
        "01 23 45 67 89",
        "pas eu d'autre accès",
        "RGPD, article 15",
    ):
        assert said in text
        assert said.replace("'", "&#39;") in html
    assert '<html lang="fr">' in html
    members.told([{**row, "opened_at": "2026-01-01T00:00:00Z"} if row == mine else row for row in rows])
    exit_code, told = members.pages()  # a feed that lacks a look does not pass for whole
    assert (exit_code, told["differ"]) == (2, [mine["reference"]])
    assert "ne dit pas la même chose" in members.page(".txt")
