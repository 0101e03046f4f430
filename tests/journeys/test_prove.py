"""Proofs made by a hub and checked without it: one entry, all about a person, nothing about another; and forged ones."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ecluse.journal.entry import Operation, decode
from ecluse.journal.tiles import bundle, entries_of
from tests.journal import entries_in
from tests.journeys.site import AMC, MEMBER, Site, question

OTHER = {**MEMBER, "member_number": "M2", "nir": "184036945112323", "birth_date": "1984-03-02"}
MEMBER_WORDS = ["--insurer", AMC, "--member-number", "M1", "--birth-date", MEMBER["birth_date"]]


class Proved:
    """A hub that answered about one member of two, from two workers' shards, and its key."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.site = Site(place / "hub")
        self.site.make()
        self.site.load([{}])
        self.site.start(workers=2)
        self.checks = []
        for _ in range(12):  # a new connection each time: either worker takes it
            with self.site.client() as client:
                self.checks.append(client.post("/v1/rights/checks", json=question()).json()["check_id"])
        self.site.stop()
        self.key = self.site.run("journal", "key").stdout.strip()
        self.since = (datetime.now(UTC) - timedelta(hours=1)).isoformat()

    def prove(self, name: str, *words: str) -> Path:
        self.site.run("journal", "prove", *words, "--from", self.since, "--out", str(self.place / name))
        return self.place / name

    def check(self, *files: Path, code: int = 0, key: str = "") -> dict[str, Any]:
        words = ["journal", "check-proof", *map(str, files), "--key", key or self.key, "--json"]
        done = self.site.run(*words, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found[str(files[0])]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Proved:
    return Proved(tmp_path_factory.mktemp("proved"))


@pytest.fixture(scope="module")
def complete(hub: Proved) -> Path:
    return hub.prove("complete", *MEMBER_WORDS, "--complete")


def test_one_entry_is_proved_by_the_id_the_asker_was_told(hub: Proved) -> None:
    hub.site.run("journal", "prove", hub.checks[3], "--out", str(hub.place / "one"))
    proof = hub.place / "one.tlog-proof"
    assert proof.read_text().startswith("c2sp.org/tlog-proof@v1\nindex ")
    found = hub.check(proof)
    assert [each["request"] for each in found["entries"]] == [hub.checks[3]]
    assert found["holds"] is True
    assert hub.site.run("journal", "prove", "chk_00000000000000000000", check=False).returncode == 2
    changed = bytearray((hub.place / "one.entry").read_bytes())
    changed[60] ^= 1
    (hub.place / "one.entry").write_bytes(changed)
    assert hub.check(proof, code=2)["holds"] is False


def test_an_entry_by_its_place(hub: Proved) -> None:
    shard = json.loads((hub.site.directory / "journal" / "shards.json").read_text())[0]["name"]
    hub.site.run("journal", "prove", f"{shard}/0", "--out", str(hub.place / "first"))
    assert hub.check(hub.place / "first.tlog-proof")["entries"][0]["operation"] == "shard_opened"
    for wrong in (f"{shard}/999999", f"{shard}/x", "1999-01-w0/0", f"{shard}/-1"):
        assert "entry_unknown" in hub.site.run("journal", "prove", wrong, check=False).stderr


def test_all_about_a_person_and_nothing_else(hub: Proved, complete: Path) -> None:
    found = hub.check(complete)
    assert (found["holds"], found["complete"]) == (True, True)
    assert {each["request"] for each in found["entries"] if each["operation"] == "rights_check"} == set(hub.checks)
    assert len({each["shard"] for each in found["entries"]}) == 2
    assert all(each["witnessed"] == "" for each in found["shards"])


def test_without_completeness_nobody_elses_entries_are_shown(hub: Proved) -> None:
    folder = hub.prove("found", *MEMBER_WORDS)
    found = hub.check(folder)
    assert (found["holds"], found["complete"]) == (True, False)
    persons = {decode(each.read_bytes()).person for each in folder.rglob("*.entry")}
    assert len(persons) == 1
    assert not list(folder.rglob("run"))


def test_nothing_about_a_person_nobody_asked_for(hub: Proved) -> None:
    found = hub.check(hub.prove("nothing", "--reference", "00" * 16, "--complete"))
    assert (found["complete"], found["entries"]) == (True, [])


def test_with_every_entry_of_the_month_no_order_is_believed(hub: Proved) -> None:
    folder = hub.prove("whole", *MEMBER_WORDS, "--whole")
    assert hub.check(folder)["complete"] is True
    run = next(folder.glob("*-w0/run"))
    content = run.read_bytes()
    begins = 9 + 32 * content[8]
    fewer = bundle(list(entries_of(content[begins:]))[1:])
    run.write_bytes((1).to_bytes(8, "big") + content[8:begins] + fewer)
    assert hub.check(folder, code=2)["holds"] is False


def test_the_proving_is_in_the_journal(hub: Proved, complete: Path) -> None:
    proved = [each for each in entries_in(hub.site.directory / "journal") if each.operation is Operation.JOURNAL_PROVED]
    assert complete.exists()
    assert {each.account for each in proved} == {"operator"}
    assert any(each.person and each.outcome == "complete" for each in proved)


def test_evidence_that_was_changed_does_not_hold(hub: Proved, complete: Path, tmp_path: Path) -> None:
    shards = sorted(each for each in complete.iterdir() if each.is_dir())

    def changed(name: str) -> Path:
        return Path(shutil.copytree(complete, tmp_path / name))

    one_left_out = changed("left out")
    shown = next(iter(sorted((one_left_out / shards[0].name).glob("[0-9]*.tlog-proof"))))
    shown.unlink()
    assert "other entries" in hub.check(one_left_out, code=2)["faults"][0]

    also_of_the_run = changed("of the run")
    run = also_of_the_run / shards[0].name / "run"
    content = run.read_bytes()
    begins = 9 + 32 * content[8]
    run.write_bytes(content[:begins] + bundle(list(entries_of(content[begins:]))[:-1]))
    assert "left out" in hub.check(also_of_the_run, code=2)["faults"][0]

    shard_left_out = changed("shard")
    shutil.rmtree(shard_left_out / shards[0].name)  # the other one was begun later, and names it
    assert "no such shard" in hub.check(shard_left_out, code=2)["faults"][0]

    last_left_out = changed("last shard")  # nobody began later; a witness has its head
    shutil.rmtree(last_left_out / shards[1].name)
    words = ["journal", "check-proof", str(last_left_out), "--key", hub.key, "--head", str(shards[1] / "checkpoint")]
    assert hub.site.run(*words[:-2]).returncode == 0
    assert "no such shard" in hub.site.run(*words, check=False).stdout

    wider = changed("wider")
    statement = json.loads((wider / "statement.json").read_text())
    statement["to_ts_us"] += 3_600_000_000
    (wider / "statement.json").write_text(json.dumps(statement))
    assert "other entries" in hub.check(wider, code=2)["faults"][0]  # the proving itself is about the person

    other = hub.key.replace("dev.ecluse.invalid", "other.invalid")
    assert "vkey_invalid" in hub.site.run("journal", "check-proof", str(complete), "--key", other, check=False).stderr


def test_a_policy_that_wants_a_witness_is_not_content_without(hub: Proved, complete: Path, tmp_path: Path) -> None:
    words = ["witness", "init", str(tmp_path / "w"), "--name", "w.example"]
    vkey = hub.site.run(*words).stdout.split()[0]
    for lines, code in ((f"log {hub.key}\nquorum none\n", 0), (f"log {hub.key}\nwitness w {vkey}\nquorum w\n", 2)):
        (tmp_path / "policy").write_text(lines)
        words = ["journal", "check-proof", str(complete), "--policy", str(tmp_path / "policy")]
        assert hub.site.run(*words, check=False).returncode == code
    (tmp_path / "policy").write_text("quorum w\n")
    assert "policy_invalid" in hub.site.run(*words, check=False).stderr


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([], "prove_what"),
        (["--reference", "00"], "prove_what"),
        (["--reference", "00" * 16, "--from", "2999-01-01"], "window_invalid"),
        (["--reference", "00" * 16, "--from", "yesterday"], "instant_invalid"),
        (
            ["--insurer", AMC, "--member-number", "M1", "--birth-date", "1", "--from", "2026-01-01"],
            "birth_date_invalid",
        ),
    ],
)
def test_what_cannot_be_proved_is_refused(hub: Proved, words: list[str], code: str) -> None:
    refused = hub.site.run("journal", "prove", *words, "--out", str(hub.place / "never"), check=False)
    assert (refused.returncode, refused.stderr.split(":")[0].split("\n")[-1]) == (2, code) or code in refused.stderr
