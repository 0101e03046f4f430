"""A stolen account asks about people: an incident is opened, scoped, decided, packed; the insurer finds its people."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest
from pyrage import decrypt

from ecluse.journal.entry import Operation
from ecluse.journal.note import typed_key
from ecluse.journal.policy import Policy
from ecluse.journal.together import read_together
from tests.journeys.incident_case import BY, FACTS, PEOPLE, SEEN, THIEF, Case
from tests.journeys.site import AMC, PRACTICE


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    made = Case(tmp_path_factory.mktemp("incident"))
    try:
        made.happen()
        yield made
    finally:
        if made.site.process:
            made.site.stop()


def test_who_was_shown_is_decided_for_the_hub_and_for_its_insurer(case: Case) -> None:
    told = case.run("show", case.name)
    assert (told["state"], told["outdated"], told["untold"]) == ("classified", [], [AMC])
    (part,) = told["scope"]["insurers"]
    assert (part["displayed"]["at_least"], part["referenced"], part["times"]) == (3, 4, 3)
    assert {each["party"]: each["signed"]["authority"] for each in told["decisions"]} == {"hub": True, AMC: True}
    assert told["decisions"][1]["dora"]["major"] is True
    assert told["professionals"][0]["fields"] == ["RIB"]
    before = case.run("show", case.name, "--version", "2")
    assert ([each["name"] for each in before["facts"]], before["decisions"], before["state"]) == (
        ["cause"],
        [],
        "opened",
    )


def test_an_act_again_makes_no_event_and_a_wrong_one_is_refused(case: Case) -> None:
    asked = case.run("open", "--account", THIEF, "--from", case.since, "--to", case.until)  # by who is logged in here
    assert asked["incident"] == case.name
    version = case.run("show", case.name)["version"]
    assert case.open()["incident"] == case.name
    assert case.run("fact", "add", case.name, "cause", "external_malicious", *BY)["version"] == version
    assert case.run("scope", case.name, *BY)["version"] == version
    assert case.run("decide", case.name, *BY)["version"] == version
    assert case.refused("fact", "add", case.name, "cause", "weather", *BY) == "facts_invalid"
    assert case.refused("close", case.name, "--by", "", "--reason", "x") == "incident_signer_needed"
    assert case.refused("reopen", case.name, *BY, "--reason", "x") == "incident_state"
    assert case.refused("show", "inc_0") == "incident_unknown"


def test_every_event_is_an_entry_and_tells_nothing_to_who_has_no_key(case: Case) -> None:
    written = case.entries(Operation.INCIDENT)
    kinds = [each.outcome.split()[0] for each in written if each.engagement == case.name]
    assert kinds[:8] == ["opened", *["fact_added"] * 4, "scoped", "decided", "decided"]
    assert all(THIEF.encode() not in each.sealed and "Martin" not in each.outcome for each in written)
    reads = case.entries(Operation.INCIDENT_READ)
    case.run("show", case.name)
    assert len(case.entries(Operation.INCIDENT_READ)) == len(reads) + 1


def test_a_store_that_was_lost_is_made_anew_from_the_journal(case: Case) -> None:
    before = case.run("show", case.name)
    for file in case.site.directory.glob("gate.db*"):
        file.unlink()
    assert case.run("show", case.name) == before


def test_the_insurer_opens_its_pack_and_finds_its_people(case: Case, tmp_path: Path) -> None:
    (told,) = case.packed(tmp_path)
    assert (told["insurer"], told["members"], told["made"]) == (AMC, 3, True)
    folder = tmp_path / told["pack"]
    clear = "".join(each.read_text() for each in folder.iterdir() if each.suffix != ".age")
    assert not re.search(r"\bM1\b", clear)
    assert THIEF not in clear
    assert "sha256sum -c SHA256SUMS" in clear
    for line in (folder / "SHA256SUMS").read_text().splitlines()[1:]:
        digest, name = line.split("  ")
        assert sha256((folder / name).read_bytes()).hexdigest() == digest
    files = case.opened(folder)
    people = list(csv.DictReader(io.StringIO(files["personnes.csv"].decode())))
    assert {each["member_number"] for each in people} == {PEOPLE[place]["member_number"] for place in SEEN}
    assert parquet.read_table(io.BytesIO(files["personnes.parquet"])).num_rows == 3
    letters_are_as_the_page_says(files)
    form_is_complete(json.loads(files["notification-cnil.json"]), files["notification-cnil.html"].decode())
    assert json.loads(files["registre.json"])["decision"]["cnil"] is True
    assert json.loads(files["dora.json"])["initial"]["fields"]["2.5"]
    assert json.loads(files["comptes.json"])["displayed_by"]["accounts"] == {THIEF: 3}
    assert "Martin" in files["chronologie.json"].decode()
    proofs_hold_and_break(case, case.folder / "anywhere", files)
    (exported,) = [
        each for each in case.entries(Operation.JOURNAL_EXPORTED) if each.outcome.startswith(told["pack"] + " ")
    ]
    assert exported.outcome.split()[1] == sha256((folder / "SHA256SUMS").read_bytes()).hexdigest()
    again_is_the_same(case, tmp_path, files)


def proofs_hold_and_break(case: Case, anywhere: Path, files: dict[str, bytes]) -> None:
    """The script beside the proofs, and `check-proof`, say so; one person's are taken out and stand alone."""
    anywhere.mkdir()
    (anywhere / "preuves.tar").write_bytes(files["preuves.tar"])
    shutil.unpack_archive(anywhere / "preuves.tar", anywhere)
    folder, key = anywhere / "preuves", case.journal_key()
    (file,) = folder.glob("*.proofs")
    assert verified(folder, key) == (0, [f"{file.name}: 3 entries are in the log", "all holds"])
    one = json.loads(files["courriers.jsonl"].splitlines()[0])["reference"]
    assert verified(folder, key, one) == (
        0,
        [f"{file.name}: 3 entries are in the log, 1 of this reference", "all holds"],
    )
    (proof,) = (folder / one).glob("*.tlog-proof")
    checked = case.site.json("journal", "check-proof", str(file), str(proof), "--key", key)
    assert [(each["holds"], len(each["entries"])) for each in checked.values()] == [(True, 3), (True, 1)]
    assert {each["person"] for each in checked[str(proof)]["entries"]} == {one}
    assert verified(folder, other_key(folder, key)) == (2, [f"wrong: {file.name} its head is not signed by this key"])
    flip(file)
    assert verified(folder, key)[0] == 2
    assert case.site.run("journal", "check-proof", str(file), "--key", key, check=False).returncode == 2


def letters_are_as_the_page_says(files: dict[str, bytes]) -> None:
    rows = [json.loads(line) for line in files["courriers.jsonl"].splitlines()]
    assert rows == parquet.read_table(io.BytesIO(files["courriers.parquet"])).to_pylist()
    (first,) = [each for each in rows if each["member_number"] == "M1"]
    assert first["by"] == ["un compte de professionnel de santé, dans le département 37"]
    assert (first["normal_care"], first["category"], first["birth_date"]) == (False, "unexplained", "1979-06-14")
    assert "covered_until" in first["shown"]
    assert {"address", "bank", "identity"} <= {*first["not_shown"]}
    assert not {*first["shown"]} & {*first["not_shown"]}
    shared = json.loads(files["courriers.json"])
    assert shared["measures_taken"] == FACTS["measures_taken"]
    assert {"dpo_contact", "phone"} <= {*shared["to_fill"]}


def form_is_complete(form: dict[str, Any], page: str) -> None:
    fields = {each["id"]: each for section in form["sections"] for each in section["fields"]}
    assert fields["cause"]["value"] == "Acte externe malveillant"
    assert (fields["persons"]["value"], fields["status"]["value"]) == (3, "Établie")
    assert fields["informed"]["status"] == "to_confirm"
    assert form["to_fill"] == [each for each, told in fields.items() if told["status"] == "to_fill"]
    assert {"siren", "dpo_contact", "discovered"} <= {*form["to_fill"]}
    assert page.count("À REMPLIR") == len(form["to_fill"]) + 1
    assert [page.index(f'id="{name}"') for name in fields] == sorted(page.index(f'id="{name}"') for name in fields)


def again_is_the_same(case: Case, out: Path, files: dict[str, bytes]) -> None:
    """Asked again nothing is made; lost, the same is made; with --zip as one file."""
    (kept,) = case.packed(out)
    assert kept["made"] is False
    assert sorted(each.name for each in out.iterdir()) == [kept["pack"]], "nothing is left beside it"
    shutil.rmtree(out / kept["pack"])
    (made,) = case.packed(out)
    assert made["made"] is True
    anew = case.opened(out / made["pack"])
    assert proved(case, anew.pop("preuves.tar")) == proved(case, files["preuves.tar"]), (
        "the same entries, under a newer head"
    )
    assert anew == {name: content for name, content in files.items() if name != "preuves.tar"}
    (told,) = case.packed(out / "zip", "--zip", "--no-proofs")
    archive = decrypt((out / "zip" / told["pack"] / "dossier.zip.age").read_bytes(), [case.key])
    (told,) = case.packed(out / "zip", "--zip")
    assert (told["made"], (out / "zip" / told["pack"] / "preuves.tar.age").exists()) == (False, True)
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert {name: opened.read(name) for name in opened.namelist()} == {
            name: content for name, content in files.items() if name != "preuves.tar"
        }


def proved(case: Case, content: bytes) -> list[bytes]:
    """The entries of a pack's proofs, in order."""
    believed = Policy((typed_key(case.journal_key()),))
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        files = [tar.extractfile(each) for each in tar if each.name.endswith(".proofs")]
        return [entry for each in files for _, entry in read_together(each, believed)[1]]  # type: ignore[arg-type]


def test_told_insurers_stop_the_hubs_clock_and_start_their_own(case: Case, tmp_path: Path) -> None:
    agenda = tmp_path / "delais.ics"
    case.run("notified", case.name, "gdpr_controllers", "--insurer", AMC, *BY)
    told = {
        (each["party"], each["id"]): each["state"]
        for each in case.run("clock", case.name, "--ics", str(agenda))["clocks"]
    }
    assert told["hub", "gdpr_controllers"] == "done"
    assert told[AMC, "gdpr_authority"] == told[AMC, "dora_initial"] == "running"
    events = agenda.read_text()
    assert events.count("BEGIN:VEVENT") == sum(each == "running" for each in told.values())
    assert len({line for line in events.splitlines() if line.startswith("UID:")}) == events.count("UID:")
    assert case.run("show", case.name)["untold"] == []


def test_a_stranger_verifies_the_evidence_and_is_told_what_is_broken(case: Case, tmp_path: Path) -> None:
    case.export()
    folder = tmp_path / "preuves"
    told = case.run("evidence", case.name, *BY, "--for", "Juge d'instruction", "--out", str(folder))
    assert case.refused("evidence", case.name, *BY, "--for", "x", "--out", str(folder)) == "proof_there"
    assert len((folder / "verifier.py").read_text().splitlines()) <= 100
    assert verified(folder, told["key"]) == (0, ["all holds"])
    assert THIEF in (folder / "professionnels.csv").read_text()
    kinds = [
        json.loads(each.read_bytes())["happened"]["event"]["type"] for each in sorted(folder.glob("evenements/*.json"))
    ]
    assert kinds[0] == "opened"
    assert len(kinds) == told["events"] == len([*folder.glob("evenements/*.sel")])
    (custody,) = [each for each in case.entries(Operation.JOURNAL_PROVED) if "Juge" in each.outcome]
    assert custody.engagement == case.name
    assert case.run("show", case.name)["timeline"][-1]["what"].startswith("Preuves remises à Juge d'instruction")
    for name, break_it in BREAKS.items():
        broken = tmp_path / name
        shutil.copytree(folder, broken)
        said = break_it(broken, told["key"])
        code, lines = verified(broken, said if isinstance(said, str) and "+" in said else told["key"])
        assert code == 2, name
        assert any(SAID[name] in line for line in lines), (name, lines)


def test_professionals_whose_own_data_were_exposed_are_a_list(case: Case, tmp_path: Path) -> None:
    told = case.run("professionals", case.name, *BY, "--out", str(tmp_path / "pro"))
    content = (tmp_path / "pro" / "professionnels.csv").read_bytes()
    (row,) = csv.DictReader(io.StringIO(content.decode()))
    assert (told["professionals"], row["practice"], row["account"]) == (1, PRACTICE, THIEF)
    assert [row[name] for name in ("rib", "siret", "contact", "fields", "stated")] == ["yes", "no", "no", "bank", "RIB"]
    (same,) = parquet.read_table(tmp_path / "pro" / "professionnels.parquet").to_pylist()
    assert (same["rib"], same["fields"], same["account"]) == (True, ["bank"], THIEF)
    (exported,) = [
        each for each in case.entries(Operation.JOURNAL_EXPORTED) if each.outcome.startswith("professionals ")
    ]
    assert exported.outcome.split()[1] == sha256(content).hexdigest()
    assert (
        case.refused("professionals", case.name, "--by", " ", "--out", str(tmp_path / "x")) == "incident_signer_needed"
    )


def verified(folder: Path, *words: str) -> tuple[int, list[str]]:
    command = [sys.executable, "-I", str(folder / "verifier.py"), *words]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode, done.stdout.splitlines()


def displayed(folder: Path) -> Path:
    """An entry that displayed somebody."""
    return next(each for each in sorted(folder.glob("entrees/*.entry")) if b"rights_check" in each.read_bytes())


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


def resum(folder: Path) -> None:
    """Whoever breaks something may write its digests anew: the signatures do not follow."""
    files = [each for each in folder.rglob("*") if each.is_file() and each.name != "SHA256SUMS"]
    lines = [f"{sha256(each.read_bytes()).hexdigest()}  {each.relative_to(folder).as_posix()}\n" for each in files]
    (folder / "SHA256SUMS").write_text("".join(lines))


def hidden(folder: Path, _key: str) -> None:
    for each in (displayed(folder), displayed(folder).with_suffix(".tlog-proof")):
        each.unlink()
    resum(folder)


def rewritten(folder: Path, _key: str) -> None:
    event = sorted(folder.glob("evenements/*.json"))[0]
    event.write_bytes(event.read_bytes().replace(b"Martin", b"Durand"))
    resum(folder)


def other_key(_folder: Path, key: str) -> str:
    name, _, _ = key.split("+", 2)
    return f"{name}+00000000+{base64.b64encode(bytes([1]) + bytes(range(32))).decode()}"


def edited(folder: Path, _key: str) -> None:
    flip(displayed(folder))
    resum(folder)


def other_rules(folder: Path, _key: str) -> None:
    file = folder / "regles" / "risk.toml"
    file.write_bytes(file.read_bytes() + b"#")
    resum(folder)


BREAKS: dict[str, Callable[[Path, str], str | None]] = {
    "flipped": lambda folder, _: flip(folder / "rapport.json"),
    "edited": edited,
    "hidden": hidden,
    "rewritten": rewritten,
    "other_key": other_key,
    "other_rules": other_rules,
    "lost": lambda folder, _: (folder / "chronologie.json").unlink(),
}
SAID = {
    "flipped": "rapport.json: changed",
    "edited": "is not in the log",
    "hidden": "2 people in the entries, 3 in the report",
    "rewritten": "is not the event the journal has",
    "other_key": "is not signed by this key",
    "other_rules": "not the rules the report names",
    "lost": "chronologie.json: missing",
}


def test_letters_are_read_before_anybody_prints_one(case: Case, tmp_path: Path) -> None:
    case.export()
    (early,) = case.run("letters", case.name)["insurers"]
    assert (early["people"], early["letters"], early["missing"]) == (3, [], "nobody stated dpo_contact, phone")
    for name, value in {"dpo_contact": "Jean Petit, dpo@bateliers.example", "phone": "01 23 45 67 89"}.items():
        case.run("fact", "add", case.name, name, json.dumps(value), *BY, "--insurer", AMC)
    case.export()
    told = case.run("letters", case.name, "--insurer", AMC, "--out", str(tmp_path))
    (drafts,) = told["insurers"]
    (letter,) = drafts["letters"]
    assert (letter["people"], letter["findings"], letter["normal_care"]) == (3, [], False)
    assert letter["shown"] == ["covered_until", "insurer", "third_party_payment"]
    assert "Nous avons fermé le compte." in letter["text"]
    assert "votre enfant Alix" in letter["text_child"]
    assert (tmp_path / f"{AMC}-1.txt").read_text() == letter["text"]
    case.export()  # the read was an entry too
    assert "yes" in case.site.run("incident", "letters", case.name).stdout
    assert case.entries(Operation.INCIDENT_READ)[-1].outcome == "letters"
    assert not any(each["member_number"] in letter["text"] for each in PEOPLE)
