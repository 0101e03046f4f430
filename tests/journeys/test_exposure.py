"""A login is stolen and looks at some people: the exposure says exactly whom, to the hub and to their insurer alone."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest
from pyrage import decrypt
from pyrage.x25519 import Identity

from ecluse.journal.entry import Operation
from tests.journal import entries_in
from tests.journeys.site import AMC, DOCTOR, PRACTICE, Site, question, today

THIEF = "rpps:10000000019"
STEM = 2790675056123  # a woman of June 1979, and those who come after her in the register
PEOPLE = [
    {"member_number": f"M{n}", "nir": f"{STEM + n}{97 - (STEM + n) % 97:02}", "contract": f"C{n}"} for n in range(1, 5)
]
SEEN = (0, 1, 2)  # of PEOPLE: those the thief looked at; the last one only the doctor did
LOGIN, NETWORK = "stolen-session", "127.0.0.0/24"


class Case:
    """A hub where a thief looked at three people; one of them was billed by the same place afterwards."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.site = Site(folder / "hub", ECLUSE_LAKE_EVERY_S="0")  # who asks brings the lake up
        self.key = Identity.generate()
        (folder / "key.txt").write_text(f"# created: today\n{self.key}\n")
        (folder / "key.pub").write_text(f"{self.key.to_public()}\n")
        (folder / "insurers.csv").write_text(
            f"insurer,name,iban,mandate,mandate_signed_on\n{AMC},Mutuelle,FR7630006000011234567890189,,\n"
        )

    def happen(self) -> None:
        """The day of the theft."""
        self.site.make()
        self.site.run("insurer", "load", str(self.folder / "insurers.csv"))
        self.site.load(PEOPLE)
        self.site.start()
        self.since = datetime.now(UTC).isoformat()
        with self.site.client(self.site.token(THIEF, practice=PRACTICE)) as thief:
            for place in SEEN:
                checked = self.look(thief, place)
            self.look(thief, 0)
            assert thief.post("/v1/rights/checks", json=question(beneficiary={"birth_date": "1951-01-01"})).is_success
            line = {
                "line": 1,
                "act": "CS",
                "date": today(),
                "expense_cents": 5000,
                "base_cents": 3150,
                "amo_rate": "70%",
            }
            bill = {"invoice": "F1", "engagement": checked["engagement"]["number"], "lines": [line]}
            assert thief.post("/v1/claims", json=bill).json()["status"] == "accepted"
            assert thief.get("/v1/claims").is_success
        with self.site.client() as doctor:
            self.look(doctor, 3)
        self.until = datetime.now(UTC).isoformat()

    def look(self, client: Any, place: int) -> Any:
        """Ask about one of PEOPLE by member number."""
        who = {"nir": None, "member_number": PEOPLE[place]["member_number"]}
        answer = client.post("/v1/rights/checks", json=question(beneficiary=who)).json()
        assert answer["outcome"] == "confirmed"
        return answer

    def words(self, account: str = THIEF) -> list[str]:
        """The command's options for the window."""
        return ["exposure", "--account", account, "--from", self.since, "--to", self.until]

    def asked(self, **more: Any) -> dict[str, Any]:
        """The body of the HTTP question."""
        return {"accounts": [THIEF], "from": self.since, "to": self.until, **more}


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    made = Case(tmp_path_factory.mktemp("exposure"))
    try:
        made.happen()
        yield made
    finally:
        if made.site.process:
            made.site.stop()


def test_the_exposure_is_exactly_what_was_shown(case: Case) -> None:
    told = case.site.json(*case.words())
    shown = told["displayed"]
    assert shown["people"] == {"at_least": 3, "at_most": 3}
    assert shown["categories"] == {"present": 0, "billed": 1, "unexplained": 2}
    assert (told["referenced"], told["reachable"], told["lists_shown"]) == (4, 4, 1)
    assert shown["accounts"] == {THIEF: 3}
    assert shown["departements"] == {"37": 3}
    assert shown["days"] == {today(): 3}
    assert shown["fields"]["covered_until"] == 3
    assert shown["fields"]["claim"] == shown["fields"]["split"] == 1
    assert "guarantee" not in shown["fields"]
    assert shown["disclosures"]["covered_until"] == 4, "the first was looked at twice"
    assert [part["insurer"] for part in told["insurers"]] == [AMC]


def test_asking_is_in_the_journal_before_it_is_told(case: Case) -> None:
    told = case.site.json(*case.words())
    (asked,) = [each for each in entries_in(case.site.directory / "journal") if each.request == told["exposure_id"]]
    assert (asked.operation, asked.account) == (Operation.EXPOSURE_ASKED, "operator")
    assert asked.outcome == "3 to 3 people displayed by 1 accounts"


def test_where_and_by_which_login_a_look_was_made_is_in_the_journal(case: Case) -> None:
    looked = [each for each in entries_in(case.site.directory / "journal") if each.account == THIEF]
    assert {each.network for each in looked} == {NETWORK}
    assert {each.software for each in looked} == {"ecluse-dev"}
    (session,) = {each.session for each in looked}
    narrowed = case.site.json(*case.words(), "--session", session, "--network", "127.0.0.9")
    assert narrowed["displayed"]["people"]["at_least"] == 3
    other = case.site.json(*case.words(), "--session", "another")
    assert other["displayed"]["people"]["at_least"] == 0


def test_a_lake_that_is_behind_and_stays_so_answers_nothing(case: Case) -> None:
    case.site.json(*case.words())  # which brings the lake up, then writes an entry
    lock, kept = case.site.directory / "lake" / "lock", case.folder / "lock"
    lock.rename(kept)
    lock.mkdir()  # it can be written no more, not even by root
    try:
        told = case.site.json(*case.words())
        assert told["displayed"]["people"]["at_least"] == 3, "what the lake lacks is not of this window"
        refused = case.site.run(*case.words()[:-1], datetime.now(UTC).isoformat(), check=False)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert refused.stderr.splitlines()[-1].startswith("lake_behind: ")
        own = case.site.token(f"amc:{AMC}", practice="", scope="exposure:own")
        with case.site.client(own) as insurer:
            later = insurer.post("/v1/exposures", json=case.asked(to=datetime.now(UTC).isoformat()))
        assert (later.json()["code"], later.headers["retry-after"]) == ("lake_behind", "60")
        assert "Ask the same again in a minute" in later.json()["fix"]
    finally:
        lock.rmdir()
        kept.rename(lock)


def test_without_a_key_no_list_and_with_one_only_its_holder_reads_it(case: Case, tmp_path: Path) -> None:
    told = case.site.json(*case.words(), "--lists", str(tmp_path / "none"))
    assert told["lists"] == [{"insurer": AMC, "members": 3, "unknown": 0, "recipient": "", "files": {}}]
    key = case.site.json("insurer", "key", AMC, str(case.folder / "key.pub"))
    assert key == {"insurer": AMC, "recipient": str(case.key.to_public()), "changed": True}
    (tmp_path / "other.pub").write_text(str(Identity.generate().to_public()))
    changed = case.site.run("insurer", "key", AMC, str(tmp_path / "other.pub"), check=False)
    assert changed.stderr.splitlines()[-1].startswith("recipient_changed: ")
    told = case.site.json(*case.words(), "--lists", str(tmp_path / "lists"))
    names = sorted(told["lists"][0]["files"])
    assert sorted(each.name for each in (tmp_path / "lists").iterdir()) == names
    sealed = tmp_path / "lists" / names[0]
    assert b"1979-06-14" not in sealed.read_bytes()
    opened = case.site.run("exposure", "open", str(sealed), "--identity", str(case.folder / "key.txt")).stdout
    rows = list(csv.DictReader(io.StringIO(opened)))
    assert {(row["member_number"], row["birth_date"], row["birth_rank"]) for row in rows} == {
        (PEOPLE[place]["member_number"], "1979-06-14", "1") for place in SEEN
    }
    assert sorted((row["member_number"], row["times"], row["category"]) for row in rows) == [
        ("M1", "2", "unexplained"), ("M2", "1", "unexplained"), ("M3", "2", "billed"),
    ]  # fmt: skip
    often = {
        row["member_number"]: dict(zip(row["fields"].split(), row["times_by_field"].split(), strict=True))
        for row in rows
    }
    assert [often[f"M{n}"]["covered_until"] for n in (1, 2, 3)] == ["2", "1", "1"]
    assert (often["M3"]["engagement"], often["M3"]["claim"]) == ("1", "1")
    (tmp_path / "stranger.txt").write_text(str(Identity.generate()))
    shut = case.site.run("exposure", "open", str(sealed), "--identity", str(tmp_path / "stranger.txt"), check=False)
    assert shut.stderr.splitlines()[-1].startswith("envelope_shut: ")
    same_in_parquet(case, tmp_path / "lists" / names[1], rows)
    same_with_age(case, sealed, opened)
    exported = [each for each in entries_in(case.site.directory / "journal") if each.engagement == told["exposure_id"]]
    written = {each.outcome for each in exported if each.operation is Operation.JOURNAL_EXPORTED}
    assert written == {f"{name} {digest} 3 people" for name, digest in told["lists"][0]["files"].items()}


def same_in_parquet(case: Case, sealed: Path, rows: list[dict[str, str]]) -> None:
    out = sealed.with_suffix("")
    case.site.run("exposure", "open", str(sealed), "--identity", str(case.folder / "key.txt"), "--out", str(out))
    read = parquet.read_table(out).to_pylist()
    assert [{name: str(value) for name, value in row.items()} for row in read] == rows


def same_with_age(case: Case, sealed: Path, opened: str) -> None:
    age = shutil.which("age")
    if age is None:
        pytest.skip("no `age` here: apt-get install age")
    done = subprocess.run([age, "-d", "-i", str(case.folder / "key.txt"), str(sealed)], capture_output=True, check=True)
    assert done.stdout.decode().splitlines() == opened.splitlines()


def test_each_display_is_proved_to_its_insurer_too_and_a_work_that_was_stopped_goes_on(
    case: Case, tmp_path: Path
) -> None:
    case.site.run("insurer", "key", AMC, str(case.folder / "key.pub"))
    folder, lists = tmp_path / "proofs", tmp_path / "lists"
    told = case.site.json(*case.words(), "--lists", str(lists), "--proofs", str(folder))
    name = f"{told['exposure_id']}-{AMC}.proofs.tar.age"
    assert told["proofs"] == [{"insurer": AMC, "entries": 5, "file": name}]
    assert {each.name for each in lists.iterdir()} == {*told["lists"][0]["files"], name}
    made = [each for each in entries_in(case.site.directory / "journal") if each.engagement == told["exposure_id"]]
    outcomes = {(each.operation, each.insurer, each.outcome) for each in made}
    digest = sha256((lists / name).read_bytes()).hexdigest()
    assert outcomes >= {
        (Operation.JOURNAL_PROVED, AMC, "5 entries"),
        (Operation.JOURNAL_EXPORTED, AMC, f"{name} {digest} 5 entries"),
    }
    (tmp_path / "opened.tar").write_bytes(decrypt((lists / name).read_bytes(), [case.key]))
    shutil.unpack_archive(tmp_path / "opened.tar", tmp_path / "insurer")
    here, there = (sorted(each.rglob("*.tlog-proof")) for each in (folder, tmp_path / "insurer"))
    assert [each.name for each in here] == [each.name for each in there]
    hold(case, here, there)
    lost, kept = here[0], {each: each.stat().st_mtime_ns for each in here[1:]}
    lost.unlink()
    case.site.json(*case.words(), "--proofs", str(folder))
    assert lost.exists()
    assert {each: each.stat().st_mtime_ns for each in kept} == kept


def hold(case: Case, here: list[Path], there: list[Path]) -> None:
    """`check-proof` finds all true, believing the hub's own keys: five displays of three people by the thief."""
    keys = [word for line in case.site.run("journal", "key").stdout.splitlines() for word in ("--key", line)]
    checked = case.site.json("journal", "check-proof", *map(str, [*here, *there]), *keys)
    assert all(each["holds"] for each in checked.values())
    shown = {proof: checked[str(proof)]["entries"][0] for proof in here}
    assert len(shown) == 5
    assert {(entry["account"], entry["insurer"]) for entry in shown.values()} == {(THIEF, AMC)}
    assert len({entry["person"] for entry in shown.values()}) == 3
    assert all(proof.name.startswith(entry["person"]) for proof, entry in shown.items())


def test_a_page_and_a_table_of_counts_are_written(case: Case, tmp_path: Path) -> None:
    page, counts = tmp_path / "exposition.html", tmp_path / "counts.parquet"
    said = case.site.run(*case.words(), "--html", str(page), "--parquet", str(counts))
    assert said.stdout == ""
    assert "Qui a été affiché" in page.read_text(encoding="utf-8")
    read = parquet.read_table(counts).to_pylist()
    rows = {(row["counted"], row["value"]): row["people"] for row in read}
    times = {row["value"]: row["times"] for row in read if row["counted"] == "fields"}
    assert (rows["fields", "covered_until"], times["covered_until"]) == (3, 4)
    assert rows["displayed_at_least", ""] == rows["displayed_at_most", ""] == rows["accounts", THIEF] == 3
    printed = case.site.run(*case.words()).stdout
    assert "unexplained" in printed
    assert ["covered_until", "3", "4"] in [line.split() for line in printed.splitlines()]


def test_over_http_each_sees_what_is_theirs(case: Case) -> None:
    investigator = case.site.token("operator", practice="", scope="investigate")
    insurer = case.site.token(f"amc:{AMC}", practice="", scope="exposure:own")
    stranger = case.site.token("amc:0075123457", practice="", scope="exposure:own")
    with case.site.client(investigator) as hub:
        made = hub.post("/v1/exposures", json=case.asked())
        assert made.status_code == 201
        place = f"/v1/exposures/{made.json()['exposure_id']}"
        assert hub.get(place).json() == made.json()
        assert hub.get("/v1/exposures/exp_none").status_code == 404
        early = hub.post("/v1/exposures", json=case.asked() | {"to": "2028-01-01T00:00:00Z"})
        assert (early.status_code, early.json()["code"], early.json()["pointer"]) == (400, "exposure_invalid", "/to")
        assert f"it is {today()}" in early.json()["detail"]
    with case.site.client(insurer) as own:
        part = own.get(place).json()
        assert part["displayed"]["people"]["at_least"] == 3
        assert part["narrowed_to_insurers"] == [AMC]
        assert own.post("/v1/exposures", json=case.asked(insurers=["0075123457"])).status_code == 403
        assert own.post("/v1/exposures", json=case.asked()).json()["displayed"]["people"]["at_least"] == 3
    with case.site.client(stranger) as other:
        nothing = other.get(place).json()
        assert (nothing["insurers"], nothing["displayed"]["people"]["at_most"]) == ([], 0)
    with case.site.client() as doctor:
        posted = [doctor.post("/v1/exposures", json=case.asked(accounts=[each])) for each in (THIEF, "no name")]
        for call in (doctor.get(place), *posted):  # who may not ask does not hear either whether a name is one here
            assert (call.status_code, call.json()["code"]) == (403, "forbidden")


def test_an_insurer_fetches_its_list_over_http_and_the_fetch_is_journalled(case: Case, tmp_path: Path) -> None:
    case.site.run("insurer", "key", AMC, str(case.folder / "key.pub"))
    with case.site.client(case.site.token(f"amc:{AMC}", practice="", scope="exposure:own")) as own:
        made = own.post("/v1/exposures", json=case.asked(lists=True)).json()
        name = next(each for each in made["lists"][0]["files"] if each.endswith(".csv.age"))
        fetched = own.get(f"/v1/exposures/{made['exposure_id']}/lists/{name}")
        assert own.get(f"/v1/exposures/{made['exposure_id']}/lists/exposure.json").status_code == 404
    (tmp_path / name).write_bytes(fetched.content)
    opened = case.site.run("exposure", "open", str(tmp_path / name), "--identity", str(case.folder / "key.txt")).stdout
    assert len(opened.splitlines()) == 4
    words = ("exposure", "open", str(tmp_path / name), "--identity", str(case.folder / "key.txt"))
    assert case.site.json(*words) == [*csv.DictReader(io.StringIO(opened))]
    written = case.site.json(*words, "--out", str(tmp_path / "people.csv"))
    assert written == {"file": str(tmp_path / "people.csv"), "bytes": (tmp_path / "people.csv").stat().st_size}
    fetches = [each for each in entries_in(case.site.directory / "journal") if each.account == f"amc:{AMC}"]
    assert fetches[-1].operation is Operation.JOURNAL_EXPORTED
    assert name in fetches[-1].outcome


def test_the_calls_are_described(case: Case) -> None:
    with case.site.client() as client:
        described = json.loads(client.get("/schema").text)["paths"]
    assert {each for each in described if "exposures" in each} == {
        "/v1/exposures", "/v1/exposures/{exposure_id}", "/v1/exposures/{exposure_id}/lists/{name}",
    }  # fmt: skip


def test_another_login_of_the_same_hub_has_its_own_exposure(case: Case) -> None:
    assert case.site.json(*case.words(DOCTOR))["displayed"]["people"]["at_least"] == 1


# An account as somebody types it, and how the journal has it; empty where it is no account's name.
TYPED = [
    ("RPPS:10000000019", THIEF),
    (" rpps: 1000 0000 019", THIEF),
    (f"account:{THIEF}", THIEF),
    ("rpps:10000000099", "rpps:10000000099"),
    ("account:f:1:alice", "f:1:alice"),
    ("10000000019", ""),
    ("rpps:1000000001", ""),
    ("rpps:1000000001l", ""),
    ("domain:MED", ""),
    ("\x00", ""),
    ("account:\x00", ""),
]


def test_what_is_no_accounts_name_is_refused_and_whom_the_hub_never_met_is_said_to_be_so(case: Case) -> None:
    """A name nobody has showed nobody: an investigator who mistypes would believe that of the thief."""
    investigator = case.site.client(case.site.token("operator", practice="", scope="investigate"))
    for typed, meant in TYPED:
        told = investigator.post("/v1/exposures", json=case.asked(accounts=[DOCTOR, typed]))
        opened = investigator.post(
            "/v1/incidents", json=case.asked(accounts=[typed], how_found="Un appel.", by="A. B.")
        )
        if not meant:
            for each, place in ((told, "/accounts/1"), (opened, "/accounts/0")):
                assert (each.status_code, each.json()["code"]) == (422, "contained_unknown"), typed
                assert each.json()["pointer"] == place
            continue
        strangers = [] if meant == THIEF else [meant]
        assert (told.json()["accounts"], told.json()["never_met"]) == (sorted([DOCTOR, meant]), strangers), typed
        shown = investigator.get(f"/v1/incidents/{opened.json()['incident']}").json()
        assert (shown["accounts"], shown["never_met"]) == ([meant], strangers), typed


def test_the_commands_read_an_account_alike(case: Case) -> None:
    assert case.site.json(*case.words("RPPS:10000000019"))["displayed"]["people"]["at_least"] == 3
    asked = case.site.run(*case.words("rpps:10000000099"), "--json")
    assert (json.loads(asked.stdout)["never_met"], asked.stderr.count("never met")) == (["rpps:10000000099"], 1)
    window = case.words("RPPS:10000000019")[1:]
    opened = case.site.json("incident", "open", *window)["incident"]
    assert case.site.json("incident", "show", opened)["accounts"] == [THIEF]
    more = ("incident", "fact", "add", opened, "accounts")
    said = case.site.run(*more, json.dumps([" RPPS:10000000019", "rpps:10000000098"]), "--json")
    assert json.loads(said.stdout)["accounts"] == [THIEF, "rpps:10000000098"]
    assert "never met rpps:10000000098" in said.stderr
    for words in (case.words("10000000019"), ["incident", "open", *case.words("10000000019")[1:]], [*more, '["x"]']):
        refused = case.site.run(*words, check=False)
        assert (refused.returncode, "contained_unknown: " in refused.stderr) == (2, True), words
