"""Passes over HTTP: issued for an insurer, scanned by a professional, shown live once, revoked; and what they tell of others."""

from __future__ import annotations

import csv
import io
import json
import warnings
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from ecluse.app import passes
from ecluse.app.passes import PER_PERSON, read_pass
from ecluse.doors.cli.main import typed
from ecluse.engines.keys.file import DevelopmentOnly
from ecluse.engines.sqlite.passes import SqlitePasses
from ecluse.gate.presence import Presence
from ecluse.journal.entry import Entry, Field, Operation
from ecluse.passes.issued import as_text, from_text, key_id
from ecluse.passes.live import show
from ecluse.passes.status import read_list
from ecluse.wiring import OpenHub, open_hub
from ecluse.wiring.copying import backup_hub
from tests.journal import entries_in
from tests.journeys.members import AMC, bearer, load, make, played, practice, question, row, write
from tests.journeys.site import today

HOLDER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
HOLDER_KEY = HOLDER.public_key().public_bytes_raw()
YESTERDAY = (date.fromisoformat(today()) - timedelta(days=1)).isoformat()
UNKNOWN = 77  # nobody has this number in the member file
CHECKED = (
    Field.OUTCOME | Field.THIRD_PARTY_PAYMENT | Field.ENGAGEMENT | Field.COVERED_UNTIL | Field.CONVENTION_TYPE | Field.CSR
)  # fmt: skip


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenHub]:
    warnings.simplefilter("ignore", DevelopmentOnly)
    place = tmp_path_factory.mktemp("passes")
    members = [row(1, domains="MED PHAR OPTI"), row(2), row(3, valid_to=YESTERDAY), row(4), row(5), row(6)]
    members.append(
        row(6, member_number="OTHER", contract="OTHER", domains="MED OPTI", valid_to="2099-12-31", priority="2")
    )
    with open_hub(make(place / "hub")) as opened:
        load(opened, write(place / "members.csv", members))
        yield opened


def call(hub: OpenHub, method: str, path: str, body: Any, headers: dict[str, str]) -> httpx.Response:
    async def sent(client: httpx.AsyncClient) -> httpx.Response:
        return await client.request(method, path, json=body, headers={**headers, "Content-Type": "application/json"})

    return played(hub, sent)


def wanted(number: int, **other: str) -> dict[str, Any]:
    who = row(number)
    named = {name: who[name] for name in ("member_number", "nir", "birth_date")}
    return {**named, "birth_rank": 1, "holder_key": HOLDER_KEY.hex(), **other}


def issued(hub: OpenHub, number: int, days: int = 31, **other: str) -> dict[str, Any]:
    answer = call(hub, "POST", "/v1/passes", {"members": [wanted(number, **other)], "days": days}, bearer(hub))
    assert answer.status_code == 200, answer.text
    return answer.json()["passes"][0]


def checked(hub: OpenHub, number: int, text: str | None, **other: Any) -> httpx.Response:
    return call(hub, "POST", "/v1/rights/checks", {**question(number), "pass": text, **other}, practice(hub))


def live(hub: OpenHub, text: str, nonce: bytes, late_s: int = 0) -> str:
    now_ts = int(hub.clock.now().timestamp()) - late_s
    return as_text(show(from_text(text), now_ts, nonce, HOLDER_KEY, HOLDER.sign))


def entry(hub: OpenHub, id_: str) -> Entry:
    return next(each for each in entries_in(hub.dir / "journal") if each.request == id_)


def refused(answer: httpx.Response) -> tuple[int, str, str]:
    told = answer.json()
    return answer.status_code, told["code"], told["detail"]


def test_the_same_wish_is_the_same_pass_and_its_entry_says_what_it_tells(hub: OpenHub) -> None:
    first, again = issued(hub, 1), issued(hub, 1)
    assert (first, first["outcome"], first["domains"]) == (again, "issued", ["MED", "PHAR", "OPTI"])
    made = [each for each in entries_in(hub.dir / "journal") if each.operation is Operation.PASS_ISSUED]
    assert Field(made[-1].fields) == Field.OUTCOME | Field.COVERED_UNTIL | Field.DOMAINS
    assert len(made[-1].person) == 16
    who = row(1)
    for secret in (who["nir"], who["member_number"].encode().hex(), who["birth_date"]):
        assert secret.encode() not in from_text(first["pass"])


def test_nobody_covered_is_issued_nothing(hub: OpenHub) -> None:
    told = {"line": 1, "outcome": "not_issued"}
    assert [issued(hub, 3), issued(hub, UNKNOWN), issued(hub, 1, member_number="M2")] == [told] * 3


def test_passes_are_for_the_insurers_own_account(hub: OpenHub) -> None:
    body = {"members": [wanted(1)], "insurer": AMC}
    assert call(hub, "POST", "/v1/passes", body, practice(hub)).status_code == 403
    assert call(hub, "POST", "/v1/passes", body, bearer(hub, insurer="0075999999")).status_code == 403


def test_a_scanned_pass_lets_more_be_told(hub: OpenHub) -> None:
    text = issued(hub, 1)["pass"]
    told = checked(hub, 1, text).json()
    assert (told["outcome"], told["covered_until"]) == ("confirmed", "9999-12-31")
    assert not {"guarantee", "domains", "reason"} & told.keys()
    written = entry(hub, told["check_id"])
    assert (written.presence, Field(written.fields)) == (Presence.PASS, CHECKED)
    why = checked(hub, 1, text, domain="DENT").json()
    assert why == {"check_id": why["check_id"], "outcome": "not_confirmed", "reason": "domain_not_covered"}
    silent = entry(hub, why["check_id"])
    assert (Field(silent.fields), silent.person) == (Field.OUTCOME | Field.REASON, written.person)


def test_shown_live_it_tells_the_guarantee_and_only_once(hub: OpenHub) -> None:
    shown = live(hub, issued(hub, 1)["pass"], b"nonce--1")
    told = checked(hub, 1, shown).json()
    assert told["domains"] == ["PHAR", "OPTI"]
    assert told["guarantee"] == ["TM : 100\u00a0% du ticket modérateur"]
    written = entry(hub, told["check_id"])
    assert (written.presence, Field(written.fields)) == (Presence.LIVE, CHECKED | Field.GUARANTEE | Field.DOMAINS)
    assert refused(checked(hub, 1, shown)) == REFUSED
    with open_hub(hub.dir) as other:  # another process of the same hub
        assert refused(checked(other, 1, shown)) == REFUSED


def test_a_pass_is_shown_live_a_few_times_and_no_more(hub: OpenHub) -> None:
    text = issued(hub, 1, days=9)["pass"]
    answers = [checked(hub, 1, live(hub, text, b"often%03d" % time)).status_code for time in range(10)]
    assert answers == [200] * 8 + [422] * 2


REFUSED = (422, "pass_invalid", "This pass cannot be verified here")


def test_a_pass_opens_what_its_member_number_has(hub: OpenHub) -> None:
    """Whoever has an insurer's token can give anybody a number of their own, and issue a pass for that one."""
    text = issued(hub, 6, member_number="OTHER")["pass"]
    seen = checked(hub, 6, live(hub, text, b"othernum"), domain="OPTI").json()
    assert (seen["covered_until"], seen["domains"]) == ("2099-12-31", ["MED"])
    assert checked(hub, 6, live(hub, text, b"othern-2"), domain="PHAR").json()["reason"] == "domain_not_covered"
    assert checked(hub, 6, None, domain="PHAR").json()["outcome"] == "confirmed"  # typed, and counted
    own = checked(hub, 6, issued(hub, 6)["pass"], domain="MED").json()
    assert own["covered_until"] == "9999-12-31"
    person = {entry(hub, each["check_id"]).person for each in (seen, own)}
    assert len(person) == 2


def test_whatever_is_wrong_with_a_pass_the_refusal_is_one(hub: OpenHub) -> None:
    own, other = issued(hub, 1)["pass"], issued(hub, 2)["pass"]
    forged = from_text(own)[:-1] + bytes([from_text(own)[-1] ^ 1])
    stranger = Ed25519PrivateKey.generate()
    now_ts = int(hub.clock.now().timestamp())
    wrong = {
        "not a pass": (1, "TP1:ABC"),
        "forged": (1, as_text(forged)),
        "another person's": (1, other),
        "another person's, and nobody": (UNKNOWN, other),
        "another person's, and closed": (3, other),
        "another person's, shown live": (1, live(hub, other, b"nonce--2")),
        "shown too long ago": (1, live(hub, own, b"nonce--3", late_s=120)),
        "shown by a stranger": (1, as_text(show(
            from_text(own), now_ts, b"nonce--4", stranger.public_key().public_bytes_raw(), stranger.sign
        ))),
    }  # fmt: skip
    answers = {name: checked(hub, number, text) for name, (number, text) in wrong.items()}
    assert {name: refused(answer) for name, answer in answers.items()} == dict.fromkeys(wrong, REFUSED)
    assert len({answer.content for answer in answers.values()}) == 1
    elsewhere = checked(hub, 2, other, insurer="0075999999")
    assert elsewhere.content == answers["forged"].content


def test_a_revoked_pass_is_refused_at_once_and_in_the_list(hub: OpenHub) -> None:
    text = issued(hub, 4)["pass"]
    assert checked(hub, 4, text).status_code == 200
    assert call(hub, "POST", "/v1/passes/revocations", {"pass": text}, bearer(hub)).json() == {"revoked": 1}
    assert refused(checked(hub, 4, text)) == REFUSED
    entries = [each for each in entries_in(hub.dir / "journal") if each.operation is Operation.PASS_REVOKED]
    assert len(entries) == 1
    (issuer,) = call(hub, "GET", "/passes/issuers.json", None, {}).json()["issuers"]
    public = bytes.fromhex(issuer["public_key"])
    listed = read_list(call(hub, "GET", issuer["status"], None, {}).content, public)
    assert issuer["key_id"] == key_id(public).hex()
    assert sum(each.bit_count() for each in listed.bits) == 1
    assert call(hub, "GET", "/passes/0011223344556677/status", None, {}).status_code == 404


def test_every_pass_of_a_member_is_revoked_together(hub: OpenHub) -> None:
    texts = [issued(hub, 2, days=days)["pass"] for days in (10, 20)]
    member = {name: wanted(2)[name] for name in ("member_number", "birth_date", "birth_rank")}
    told = call(hub, "POST", "/v1/passes/revocations", {"member": member}, bearer(hub)).json()
    assert told["revoked"] >= 2
    assert [refused(checked(hub, 2, text)) for text in texts] == [REFUSED] * 2
    assert call(hub, "POST", "/v1/passes/revocations", {"member": member}, bearer(hub)).json() == {"revoked": 0}


def test_who_lost_a_pass_is_given_another_the_same_day(hub: OpenHub) -> None:
    lost = issued(hub, 4, days=20)["pass"]
    assert call(hub, "POST", "/v1/passes/revocations", {"pass": lost}, bearer(hub)).json() == {"revoked": 1}
    anew = issued(hub, 4, days=20)
    assert (anew["outcome"], anew["pass"] == lost) == ("issued", False)
    assert checked(hub, 4, anew["pass"]).status_code == 200
    assert refused(checked(hub, 4, lost)) == REFUSED
    assert issued(hub, 4, days=20) == anew


def test_a_member_has_so_many_passes_and_one_in_a_request(hub: OpenHub) -> None:
    twice = call(hub, "POST", "/v1/passes", {"members": [wanted(5), wanted(6), wanted(5)]}, bearer(hub))
    assert refused(twice)[:2] == (422, "pass_member_repeated")
    assert twice.json()["pointer"] == "/members/2"
    made = [issued(hub, 5, days=7 + number) for number in range(PER_PERSON)]
    assert len({each["pass"] for each in made}) == PER_PERSON
    body = {"members": [wanted(5)], "days": 31}
    assert refused(call(hub, "POST", "/v1/passes", body, bearer(hub)))[:2] == (429, "passes_many")
    assert issued(hub, 5, days=7) == made[0]
    member = {name: wanted(5)[name] for name in ("member_number", "birth_date", "birth_rank")}
    assert call(hub, "POST", "/v1/passes/revocations", {"member": member}, bearer(hub)).json()["revoked"] == PER_PERSON
    assert (
        call(hub, "POST", "/v1/passes", body, bearer(hub)).status_code == 429
    )  # a place is taken until no list has it
    assert issued(hub, 6)["outcome"] == "issued"


def test_an_insurer_has_passes_for_its_members_and_some(hub: OpenHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passes, "SPARE", 0)
    monkeypatch.setattr(passes, "PER_MEMBER", 0)
    body = {"members": [wanted(6)], "days": 30}
    assert refused(call(hub, "POST", "/v1/passes", body, bearer(hub)))[:2] == (429, "passes_many")
    monkeypatch.setattr(passes, "PER_MEMBER", 100)
    assert issued(hub, 6, days=30)["outcome"] == "issued"


def test_without_a_pass_the_answer_is_what_it_was(hub: OpenHub) -> None:
    told = checked(hub, 1, None).json()
    written = entry(hub, told["check_id"])
    assert (written.presence, Field(written.fields)) == (Presence.TYPED, CHECKED)
    assert told["covered_until"] == (date.fromisoformat(today()) + timedelta(days=30)).isoformat()


def command(hub: OpenHub, *words: str, stdin: str = "") -> Any:
    done = CliRunner().invoke(typed(["pass"]), ["pass", *words, "--dir", str(hub.dir), "--json"], input=stdin)
    return done if done.exit_code else json.loads(done.output)


def test_a_list_of_members_becomes_passes_and_again_the_same(hub: OpenHub, tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    rows = [row(1), row(UNKNOWN), row(2) | {"nir": "123"}, row(4)]
    lines = [f"{who['member_number']},{who['nir']},{who['birth_date']},1" for who in rows]
    people.write_text("\n".join(["member_number,nir,birth_date,birth_rank", *lines]) + "\n")
    out, codes = tmp_path / "passes.csv", tmp_path / "codes"
    words = ["issue", str(people), "--insurer", AMC, "--out", str(out), "--codes", str(codes), "--kind", "png"]
    done = command(hub, *words)
    assert (done.exit_code, out.stat().st_mode & 0o777) == (2, 0o600)
    told = json.loads(done.stdout)
    assert [(each["line"], each["code"]) for each in told["refused"]] == [
        (3, "pass_member_unknown"),
        (4, "nir_invalid"),
    ]
    first = out.read_text()
    command(hub, *words)
    assert out.read_text() == first
    made = list(csv.DictReader(io.StringIO(first)))
    assert [each["member_number"] for each in made] == ["M1", "M4"]
    assert {each.name for each in codes.iterdir()} == {"2.png", "5.png"}
    text = made[1]["pass"]
    assert checked(hub, 4, text).status_code == 200
    assert command(hub, "show", "-", stdin=text + "\n")["insurer"] == AMC
    assert command(hub, "verify", "-", stdin=text)["presence"] == "pass"
    assert command(hub, "revoke", "-", "--insurer", AMC, stdin=text) == {"revoked": 1}
    assert "revoked" in str(command(hub, "verify", "-", stdin=text).exception)
    listed = command(hub, "status", "--out", str(tmp_path / "status.cwt"))
    assert (tmp_path / "status.cwt").stat().st_size == listed["bytes"]


NO = {
    "unknown": (UNKNOWN, {}),
    "closed": (3, {}),
    "another kind of care": (1, {"domain": "HOSP"}),
    "another insurer": (1, {"insurer": "0075999999"}),
    "another birth date": (1, {"beneficiary": question(1)["beneficiary"] | {"birth_date": "1979-06-15"}}),
    "the NIR of one, the rank of another": (1, {"beneficiary": question(2)["beneficiary"] | {"birth_rank": 2}}),
}


def test_without_a_pass_every_no_is_the_same_answer_of_the_same_size(hub: OpenHub) -> None:
    answers = [checked(hub, number, None, **changes) for number, changes in NO.values()]
    assert {each.status_code for each in answers} == {200}
    assert [each.json() | {"check_id": ""} for each in answers] == [{"check_id": "", "outcome": "not_confirmed"}] * len(
        NO
    )
    assert len({len(each.content) for each in answers}) == 1
    assert len({tuple(sorted(each.headers)) for each in answers}) == 1
    written = [entry(hub, each.json()["check_id"]) for each in answers]
    assert {(each.fields, each.person, each.who) for each in written} == {(Field.OUTCOME.value, b"", b"")}


def test_a_backup_knows_the_passes_and_a_revocation_is_done_again_from_the_journal(
    hub: OpenHub, tmp_path: Path
) -> None:
    text = issued(hub, 4, days=12)["pass"]
    backup_hub(hub.dir, tmp_path)
    assert call(hub, "POST", "/v1/passes/revocations", {"pass": text}, bearer(hub)).json() == {"revoked": 1}
    revoked = [each for each in entries_in(hub.dir / "journal") if each.operation is Operation.PASS_REVOKED]
    copy, held = SqlitePasses(tmp_path), read_pass(hub, text).held
    assert hub.run(copy.stands(held, b"")) == revoked[-1].person
    assert hub.run(copy.revoke_person(AMC, revoked[-1].person, 1)) >= 1
    assert hub.run(copy.stands(held, b"")) is None
    hub.run(copy.close())
    told = command(hub, "revoke", "--insurer", AMC, "--person", revoked[-1].person.hex())
    assert told["revoked"] >= 0


def test_a_token_without_the_scope_spends_nothing(hub: OpenHub) -> None:
    shown = live(hub, issued(hub, 1, days=8)["pass"], b"nonce--9")
    asked = {**question(1), "pass": shown}
    assert call(hub, "POST", "/v1/rights/checks", asked, bearer(hub, scope="claims")).json()["code"] == "forbidden"
    assert checked(hub, 1, shown).status_code == 200
