"""One person forgotten, as operators and professionals meet it: what was sealed is closed, care goes on, the journal stays."""

from __future__ import annotations

import subprocess
import time
from typing import Any

import httpx
import pytest

from ecluse.app.access import open_engagement, open_who
from ecluse.engines.keys.file import KeyFile
from ecluse.engines.local import read_all
from ecluse.journal.entry import Entry, Operation, decode
from ecluse.journal.member import Member
from ecluse.kernel.errors import Refused
from tests.journeys.site import AMC, MEMBER, Site, question, todays_line

ANNE = Member(MEMBER["member_number"], MEMBER["birth_date"], 1)
PAUL = Member("M2", "1981-02-03", 1)


HEARD_S = 1.1  # as long as a process may go on with a key another one destroyed


def asked(member: Member) -> dict[str, Any]:
    return question(beneficiary={"nir": None, "member_number": member.number, "birth_date": member.birth_date})


def quoted(client: httpx.Client, member: Member) -> tuple[str, str]:
    """A person's engagement and a quote under it."""
    engagement = client.post("/v1/rights/checks", json=asked(member)).json()["engagement"]["number"]
    return engagement, client.post("/v1/quotes", json={"engagement": engagement, "lines": [todays_line()]}).json()[
        "quote_id"
    ]


def forget(site: Site, member: Member, operator: str, *words: str) -> subprocess.CompletedProcess[str]:
    who = ("--insurer", AMC, "--member-number", member.number, "--birth-date", member.birth_date)
    return site.run("keys", "forget", *who, "--operator", operator, *words, check=False)


def entries(site: Site) -> list[Entry]:
    return [decode(each) for each in read_all(site.directory / "journal")]


def code(site: Site, quote: str) -> str:
    """The code `ecluse explain` refuses with; empty when it explains."""
    done = site.run("explain", quote, check=False)
    return done.stderr.splitlines()[-1].partition(":")[0] if done.returncode else ""


def test_a_person_is_forgotten_by_two_operators_and_care_goes_on(site: Site) -> None:
    site.load([{}, {"member_number": PAUL.number, "birth_date": PAUL.birth_date}])
    with site.client() as client:
        anne, paul = quoted(client, ANNE), quoted(client, PAUL)
        assert [code(site, each) for each in (anne[1], paul[1])] == ["", ""]
        reference = next(each.person for each in entries(site) if each.engagement == anne[0])
        phrase = ("--confirm", f"forget {reference.hex()} for ever")

        assert f"reference, as in the journal: {reference.hex()}" in forget(site, ANNE, "a.martin", *phrase).stdout
        assert "destruction_refused: the operator who asked" in forget(site, ANNE, "A.Martin ", *phrase).stderr
        assert "destruction_refused: give the phrase" in forget(site, ANNE, "b.durand").stderr
        assert "Asked." in forget(site, PAUL, "b.durand", *phrase).stdout  # a request is about one person
        assert code(site, anne[1]) == ""
        before = set(read_all(site.directory / "journal"))
        assert "is forgotten" in forget(site, ANNE, "b.durand", *phrase).stdout

        time.sleep(HEARD_S)
        assert [code(site, each) for each in (anne[1], paul[1])] == ["person_forgotten", ""]
        for path, body in (("quotes", {}), ("claims", {"invoice": "F1"})):
            answer = client.post(f"/v1/{path}", json={**body, "engagement": anne[0], "lines": [todays_line()]})
            assert (answer.status_code, answer.json()["code"]) == (410, "person_forgotten")
        assert client.post("/v1/quotes", json={"engagement": paul[0], "lines": [todays_line()]}).status_code == 200

        again = quoted(client, ANNE)
        assert [code(site, each) for each in (anne[1], again[1])] == ["person_forgotten", ""]
    assert before <= set(read_all(site.directory / "journal"))  # not a byte of an entry is touched
    about_her = [each for each in entries(site) if each.person == reference and each.account == "operator"]
    operations = [(each.operation, each.outcome) for each in about_her if each.operation is not Operation.EXPLAINED]
    assert operations == [
        (Operation.PERSON_FORGETTING_ASKED, "asked by a.martin"),
        (Operation.PERSON_FORGOTTEN, "asked by a.martin, done by b.durand"),
    ]


def test_the_journal_says_who_a_reference_is_until_they_are_forgotten(site: Site) -> None:
    with site.client() as client:
        engagement, _ = quoted(client, PAUL)
        claim = {**asked(PAUL), "invoice": "F2", "lines": [todays_line()]}
        del claim["pass"]
        assert client.post("/v1/claims", json=claim).json()["status"] == "accepted"
    keys = KeyFile(site.directory / "keys" / "hub.keys", "")
    (given,) = [each for each in entries(site) if each.engagement == engagement and each.gives_engagement]
    named = [each for each in entries(site) if each.person == given.person and each.who]
    assert {each.operation for each in named} == {Operation.RIGHTS_CHECK, Operation.CLAIM}
    assert {open_who(keys, AMC, each.person, each.who) for each in named} == {PAUL}
    assert open_engagement(keys, AMC, engagement, given.sealed).person == given.person
    for operator in ("a.martin", "b.durand"):
        done = forget(site, PAUL, operator, "--confirm", f"forget {given.person.hex()} for ever")
        if "is forgotten" in done.stdout:
            break
    keys = KeyFile(site.directory / "keys" / "hub.keys", "")
    for each in named:
        with pytest.raises(Refused, match="person_forgotten"):
            open_who(keys, AMC, each.person, each.who)
    with pytest.raises(Refused, match="person_forgotten"):
        open_engagement(keys, AMC, engagement, given.sealed)


@pytest.mark.parametrize(
    ("member", "refused"),
    [
        (Member("M1", "14/06/1979", 1), "birth_date_invalid"),
        (Member("M1", "1979-06-14", 1), "insurer_unknown"),
    ],
)
def test_who_is_not_said_right_is_not_forgotten(site: Site, member: Member, refused: str) -> None:
    insurer = "0075000000" if refused == "insurer_unknown" else AMC
    who = ("--insurer", insurer, "--member-number", member.number, "--birth-date", member.birth_date)
    assert refused in site.run("keys", "forget", *who, "--operator", "a.martin", check=False).stderr
