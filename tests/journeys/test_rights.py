"""The rights check over HTTP, from outside: what is told, what never is, and that the trace comes first."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from ecluse.journal.entry import Entry, Field, Operation
from tests.journal import entries_in
from tests.journeys.site import AMC, DOCTOR, MEMBER, PRACTICE, Site, question, today

CONFIRMED = {
    "check_id", "outcome", "third_party_payment", "covered_until", "engagement", "convention_type", "csr",
}  # fmt: skip


def entries(site: Site) -> dict[str, Entry]:
    return {entry.request: entry for entry in entries_in(site.directory / "journal")}


def test_a_covered_person_is_confirmed_with_an_engagement(site: Site) -> None:
    with site.client() as client:
        answer = client.post("/v1/rights/checks", json=question())
    told = answer.json()
    assert answer.status_code == 200
    assert set(told) == CONFIRMED
    assert (told["outcome"], told["third_party_payment"]) == ("confirmed", True)
    assert (told["convention_type"], told["csr"]) == ("SV", "0001")
    in_thirty_days = (date.fromisoformat(today()) + timedelta(days=30)).isoformat()
    assert told["engagement"]["valid_until"] == told["covered_until"] == in_thirty_days
    assert told["engagement"]["number"].startswith("E")


def test_the_member_number_serves_as_well_as_the_nir(site: Site) -> None:
    with site.client() as client:
        asked = question(beneficiary={"nir": None, "member_number": MEMBER["member_number"]})
        assert client.post("/v1/rights/checks", json=asked).json()["outcome"] == "confirmed"


def test_whatever_member_number_a_file_holds_can_be_asked_about(site: Site) -> None:
    """Those of more than 32 characters were loaded, and refused at the counter."""
    for number in ("M" * 33, "M ._/-" * 6 + "M" * 4):
        site.load([{"change": "set", "member_number": number, "birth_date": "1981-02-03"}], "--delta")
        with site.client() as client:
            asked = question(beneficiary={"nir": None, "member_number": number, "birth_date": "1981-02-03"})
            assert client.post("/v1/rights/checks", json=asked).json()["outcome"] == "confirmed"


NOT_CONFIRMED: dict[str, dict[str, Any]] = {
    "unknown person": {"beneficiary": {"nir": "279067505612456"}},
    "wrong birth date": {"beneficiary": {"birth_date": "1979-06-15"}},
    "wrong rank": {"beneficiary": {"birth_rank": 2}},
    "unknown member number": {"beneficiary": {"nir": None, "member_number": "M2"}},
    "domain not covered": {"domain": "OPTI"},
    "insurer not served": {"insurer": "0075999999"},
}


@pytest.mark.parametrize("changes", NOT_CONFIRMED.values(), ids=NOT_CONFIRMED.keys())
def test_whatever_the_cause_not_confirmed_is_one_answer(site: Site, changes: dict[str, Any]) -> None:
    with site.client() as client:
        answer = client.post("/v1/rights/checks", json=question(**changes))
    told = answer.json()
    assert answer.status_code == 200
    assert told == {"check_id": told["check_id"], "outcome": "not_confirmed"}
    assert len(answer.content) == len(b'{"check_id":"chk_01234567890123456789","outcome":"not_confirmed"}')


REFUSED: dict[str, tuple[dict[str, Any], int, str, str | None]] = {
    "nir with a wrong key": ({"beneficiary": {"nir": "279067505612358"}}, 400, "nir_invalid", "/beneficiary/nir"),
    "both identifiers": ({"beneficiary": {"member_number": "M1"}}, 422, "beneficiary_invalid", "/beneficiary"),
    "no identifier": ({"beneficiary": {"nir": None}}, 422, "beneficiary_invalid", "/beneficiary"),
    "a member number and a line end": (
        {"beneficiary": {"nir": None, "member_number": "M1\n"}}, 400, "malformed", "/beneficiary/member_number"),
    "a member number that is a blank": (
        {"beneficiary": {"nir": None, "member_number": " "}}, 400, "malformed", "/beneficiary/member_number"),
    "a member number no file may hold": (
        {"beneficiary": {"nir": None, "member_number": "M" * 41}}, 400, "malformed", "/beneficiary/member_number"),
    "birth date in words": ({"beneficiary": {"birth_date": "14 juin"}}, 400, "birth_date_invalid", "/beneficiary/birth_date"),
    "unknown domain": ({"domain": "ZZZ"}, 400, "malformed", "/domain"),
    "insurer in letters": ({"insurer": "MUTUELLE"}, 400, "amc_invalid", "/insurer"),
    "day that is none": ({"care_date": "2026-02-30"}, 400, "day_invalid", "/care_date"),
    "day long past": ({"care_date": "2019-01-01"}, 422, "care_date_out_of_range", "/care_date"),
    "an unknown field": ({"name": "DURAND"}, 400, "malformed", None),
    "a pass": ({"pass": "TP1:ABC"}, 422, "pass_invalid", "/pass"),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "status", "code", "pointer"), REFUSED.values(), ids=REFUSED.keys())
def test_a_malformed_question_is_refused_with_what_to_mend(
    site: Site, changes: dict[str, Any], status: int, code: str, pointer: str | None
) -> None:
    with site.client() as client:
        answer = client.post("/v1/rights/checks", json=question(**changes))
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert problem.get("pointer") == pointer
    assert problem["fix"]
    for secret in (MEMBER["nir"], MEMBER["birth_date"], "DURAND"):
        assert secret not in answer.text


def test_not_json_at_all(site: Site) -> None:
    with site.client() as client:
        assert client.post("/v1/rights/checks", content=b"{").json()["code"] == "malformed"
        for path, depth in (("/v1/rights/checks", 3_000), ("/v1/quotes", 200_000), ("/v1/claims", 200_000)):
            for begin in (b"", b'{"beneficiary":', b'{"lines":', b'{"zzz":'):
                answer = client.post(path, content=begin + b"[" * depth, headers={"Content-Type": "application/json"})
                assert (answer.status_code, answer.json()["code"]) == (400, "malformed"), (path, begin)
        assert client.post("/v1/rights/checks", content=b"x" * 20_000).json()["code"] == "too_large"
        assert client.get("/v1/rights/checks").status_code == 405


def test_without_a_token_or_with_another_scope(site: Site) -> None:
    with site.client("") as client:
        answer = client.post("/v1/rights/checks", json=question())
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
        assert answer.headers["www-authenticate"].startswith(
            ("Bearer, DPoP algs=", 'Bearer error="invalid_token", DPoP ')
        )
    with site.client(site.token(scope="claims")) as client:
        answer = client.post("/v1/rights/checks", json=question())
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_the_journal_says_exactly_what_left(site: Site) -> None:
    with site.client() as client:
        yes = client.post("/v1/rights/checks", json=question()).json()
        no = client.post("/v1/rights/checks", json=question(domain="OPTI")).json()
    written = entries(site)
    entry = written[yes["check_id"]]
    assert (entry.operation, entry.account, entry.practice, entry.insurer) == (
        Operation.RIGHTS_CHECK, DOCTOR, PRACTICE, AMC,
    )  # fmt: skip
    assert (entry.outcome, entry.engagement) == ("confirmed", yes["engagement"]["number"])
    assert Field(entry.fields) == (
        Field.OUTCOME | Field.THIRD_PARTY_PAYMENT | Field.ENGAGEMENT | Field.COVERED_UNTIL | Field.CONVENTION_TYPE | Field.CSR
    )  # fmt: skip
    assert len(entry.person) == 16
    entry = written[no["check_id"]]
    assert (entry.outcome, Field(entry.fields), entry.person) == ("not_confirmed", Field.OUTCOME, b"")


def test_the_same_person_has_the_same_reference_however_they_were_named(site: Site) -> None:
    with site.client() as client:
        by_nir = client.post("/v1/rights/checks", json=question()).json()
        named = question(beneficiary={"nir": None, "member_number": "M1"})
        by_number = client.post("/v1/rights/checks", json=named).json()
    written = entries(site)
    assert written[by_nir["check_id"]].person == written[by_number["check_id"]].person


def test_the_api_describes_itself(site: Site) -> None:
    with site.client("") as client:
        schema = client.get("/schema").json()
        assert schema["openapi"].startswith("3.1")
        assert "/v1/rights/checks" in schema["paths"]
        assert client.get("/healthz").json() == {"status": "ok"}
        assert 'ecluse_answers_total{route="/v1/rights/checks",status="200"}' in client.get("/metrics").text
