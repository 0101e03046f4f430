"""`ecluse letters` from a pack to paper: everybody has a letter or a reason, a stopped run goes on, a code is known."""

from __future__ import annotations

import json
import re
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ecluse.doors.cli.main import typed
from ecluse.kernel.errors import Refused
from tests import packs


def ran(*words: object) -> Result:
    return CliRunner().invoke(typed(["letters"]), ["letters", *(str(word) for word in words)])


def rendered(folder: Path, *more: object) -> tuple[int, dict[str, Any]]:
    done = ran("render", "--pack", folder / "pack", "--contacts", folder / "contacts.csv", "--sender", folder / "sender.toml",
               "--out", folder / "out", "--date", "2026-11-29", "--json", *more)  # fmt: skip
    if isinstance(done.exception, Refused):
        raise done.exception
    return done.exit_code, json.loads(done.stdout)


def test_from_the_pack_to_paper_and_back_to_the_code(tmp_path: Path) -> None:
    pack = packs.write(tmp_path, packs.PEOPLE)
    exit_code, told = rendered(tmp_path)
    assert (exit_code, told["letters"], told["via_holder"], told["forgotten"], told["kept"]) == (0, 3, 1, 1, 0)
    assert (tmp_path / "out" / "envoi.csv").read_text().splitlines() == [
        "file,channel,email,via_holder,language",
        "00000/00000001,email,jeanne@exemple.fr,no,",
        "00000/00000002,email,jeanne@exemple.fr,yes,",
        "00000/00000004,post,,no,tr",
    ]
    out = tmp_path / "out" / "00000"
    assert len([*out.iterdir()]) == 9
    assert (out / "00000001.pdf").read_bytes().startswith(b"%PDF-1.7")
    child = (out / "00000002.txt").read_text()
    assert "Madame Lefèvre-Diaz," in child
    assert "Les données de votre enfant ont été vues" in (out / "00000002.html").read_text()
    assert "La fiche de votre enfant Alix a été lue 3 fois, le 30 janvier 2024." in child
    assert "Un soin a été enregistré" in (out / "00000004.txt").read_text()

    (out / "00000002.pdf").unlink()  # what a kill leaves: this one was not finished
    before = {each.name: each.read_bytes() for each in out.iterdir()}
    assert rendered(tmp_path)[1] == {**told, "kept": 2}
    assert {name: (out / name).read_bytes() for name in before} == before
    assert (out / "00000002.pdf").exists()

    found = re.search(r"Code : (\S+)", child)
    assert found
    key = ("--key", pack / "letters.key")
    assert stat.S_IMODE((pack / "letters.key").stat().st_mode) == 0o600
    assert json.loads(ran("check", found[1].lower(), *key, "--json").stdout) == {"real": True, "name": "not_given"}
    assert "bien à ce nom" in ran("check", found[1], *key, "--name", "lefevre diaz").stdout
    assert ran("check", found[1], *key, "--name", "Martin").exit_code == 2
    forged = ran("check", "0000" + found[1][4:], *key)
    assert isinstance(forged.exception, Refused)
    assert forged.exception.code == "letter_code_refused"


def test_a_pack_that_cannot_be_read_says_which_line(tmp_path: Path) -> None:
    packs.write(tmp_path, [packs.PEOPLE[0], packs.row("1002", "1950-13-00", shown=["colour"])])
    with pytest.raises(Refused, match="pack_invalid: line 2: a field has no words: colour"):
        rendered(tmp_path)


def test_another_run_does_not_mix_in(tmp_path: Path) -> None:
    packs.write(tmp_path, packs.PEOPLE)
    rendered(tmp_path, "--format", "text")
    with pytest.raises(Refused, match="letters_there"):
        rendered(tmp_path)


def test_whoever_has_no_letter_is_told_with_the_reason_and_the_others_have_theirs(tmp_path: Path) -> None:
    spoilt = packs.row("1002", "1950-13-00", by=["seulement vos données"])
    packs.write(tmp_path, [*packs.PEOPLE, packs.row("9", "1980-01-01"), spoilt])
    with (tmp_path / "contacts.csv").open("a") as file:
        file.write("8,1971-03-04,1,Dr,Martin,Jo,1 rue,37000,TOURS,,,,\n")
    exit_code, told = rendered(tmp_path, "--format", "text")
    assert (exit_code, told["letters"]) == (2, 3)
    assert [each["code"] for each in told["without_letter"]] == ["contact_unknown", "letter_refused"]
    assert [(each["line"], each["column"], each["code"]) for each in told["refused_rows"]] == [
        (6, "civility", "civility_invalid")
    ]


def test_a_name_that_cannot_be_printed_stops_nobody_elses_letter(tmp_path: Path) -> None:
    packs.write(tmp_path, [packs.row("7", "1980-01-01"), *packs.PEOPLE])
    with (tmp_path / "contacts.csv").open("a") as file:
        file.write("7,1980-01-01,1,M.,王,小明,1 rue,37000,TOURS,,,,\n")
    exit_code, told = rendered(tmp_path)
    assert (exit_code, told["letters"]) == (2, 3)
    assert [(each["number"], each["code"]) for each in told["without_letter"]] == [(1, "letter_not_printed")]


def test_professionals_have_a_letter_about_their_own_data(tmp_path: Path) -> None:
    packs.write(tmp_path, packs.PEOPLE)
    (tmp_path / "pro.csv").write_text(
        "reference,fields,first_at,last_at,times,civility,last_name,first_name,address_1,postcode,city\n"
        "370000028,bank siret email,2024-01-30T10:00:00Z,2024-01-31T10:00:00Z,2,M.,Petit,Paul,1 rue,37000,TOURS\n"
        "rpps:10000000001,colour,2024-01-30T10:00:00Z,2024-01-30T10:00:00Z,1,,Roux,Ana,1 rue,37000,TOURS\n"
    )
    where = ("--pack", tmp_path / "pack", "--list", tmp_path / "pro.csv", "--out", tmp_path / "pro")
    done = ran("professionals", *where, "--format", "text", "--json")
    told = json.loads(done.stdout)
    assert (told["letters"], [each["column"] for each in told["refused_rows"]]) == (1, ["fields"])
    text = (tmp_path / "pro" / "00000" / "00000001.txt").read_text()
    assert "- vos coordonnées bancaires\n- votre numéro SIRET ou FINESS" in text
    assert "1. Prévenez votre banque dès aujourd'hui que votre RIB" in text


def test_a_run_that_is_killed_goes_on_and_ends_as_one_that_was_not(tmp_path: Path) -> None:
    people = [packs.row("1001", "1971-03-04", reference=f"{number:032x}") for number in range(4_000)]
    packs.write(tmp_path, people)
    script = "from ecluse.doors.cli.main import run; run()"
    words = ["letters", "render", "--pack", "pack", "--contacts", "contacts.csv", "--sender", "sender.toml", "--out", "out",
             "--date", "2026-11-29", "--format", "text", "--format", "html", "--json"]  # fmt: skip
    started = subprocess.Popen([sys.executable, "-c", script, *words], cwd=tmp_path, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not [*(tmp_path / "out").rglob("00001000.html*")] and time.monotonic() < deadline:
        time.sleep(0.02)
    started.kill()
    started.wait()
    exit_code, told = rendered(tmp_path, "--format", "text", "--format", "html")
    assert (exit_code, told["letters"]) == (0, 4_000)
    assert not [*(tmp_path / "out").rglob("*.part")]
    texts = [*(tmp_path / "out").rglob("*.txt")]
    assert len(texts) == len([*(tmp_path / "out").rglob("*.html")]) == 4_000
    assert len({each.read_bytes() for each in texts}) == 4_000  # a code each
    assert rendered(tmp_path, "--format", "text", "--format", "html")[1]["kept"] == 4_000


def test_a_professional_whose_login_alone_was_taken_is_not_told_that_a_record_was_read(tmp_path: Path) -> None:
    packs.write(tmp_path, packs.PEOPLE)
    (tmp_path / "pro.csv").write_text(
        "reference,fields,first_at,last_at,times,civility,last_name,first_name,address_1,postcode,city\n"
        "rpps:10000000001,login,2024-01-30T10:00:00Z,2024-01-30T10:00:00Z,43,,Roux,Ana,1 rue,37000,TOURS\n"
    )
    where = ("--pack", tmp_path / "pack", "--list", tmp_path / "pro.csv", "--out", tmp_path / "pro")
    assert json.loads(ran("professionals", *where, "--format", "text", "--json").stdout)["letters"] == 1
    text = (tmp_path / "pro" / "00000" / "00000001.txt").read_text()
    assert "Ce compte est le vôtre. Il a servi 43 fois, le 30 janvier 2024." in text
    assert "Demandez-nous un nouvel accès." in text
    assert "Votre fiche" not in text
    assert "votre mot de passe" not in text
