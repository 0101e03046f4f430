"""`ecluse letters batch`: everybody's letter is in one file and on sheets of its own, as the lists say; stopped, it goes on."""

from __future__ import annotations

import csv
import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ecluse.doors.cli.main import typed
from ecluse.kernel.errors import Refused
from tests import packs


def printed(folder: Path, *more: object, command: str = "batch") -> tuple[int, dict[str, Any]]:
    words = [command, "--pack", folder / "pack", "--contacts", folder / "contacts.csv", "--sender", folder / "sender.toml",
             "--out", folder / command, "--date", "2026-11-29", "--json", *more]  # fmt: skip
    done = CliRunner().invoke(typed(["letters"]), ["letters", *map(str, words)])
    if isinstance(done.exception, Refused):
        raise done.exception
    return done.exit_code, json.loads(done.stdout)


def texts(pdf: bytes) -> list[str]:
    """What each page has of its own, in signs of ASCII: the font keeps those as they are. Shared bodies are forms, left out."""
    objects = dict(re.findall(rb"\n(\d+) 0 obj\n(.*?)\nendobj", pdf, re.DOTALL))
    pages = [each for each in objects.values() if b"/Type /Page\n" in each]
    contents = [re.findall(rb"/Contents (\d+) 0 R", each) for each in pages]
    said = [b" ".join(re.findall(rb"\((.*?)\) Tj", objects[each[0]])) if each else b"" for each in contents]
    return [each.decode("latin-1") for each in said]


def test_each_letter_is_where_the_list_says_and_says_what_its_own_pdf_says(tmp_path: Path) -> None:
    people = [packs.row("1001", "1971-03-04", reference=f"{number:032x}", times=number + 1) for number in range(7)]
    packs.write(tmp_path, [*people, *packs.PEOPLE])
    exit_code, told = printed(tmp_path, "--everybody", "--letters-per-file", "4")
    assert (exit_code, told["letters"], told["via_holder"], told["by_email"], told["kept"]) == (0, 10, 1, 0, 0)
    lots = json.loads((tmp_path / "batch" / "lots.json").read_text())
    assert lots["lots"] == told["lots"]
    assert [each["letters"] for each in lots["lots"]] == [4, 4, 2]
    assert printed(tmp_path, "--format", "text", command="render")[1]["letters"] == 10
    seen = []
    for lot in lots["lots"]:
        pdf = (tmp_path / "batch" / lot["file"]).read_bytes()
        assert sha256(pdf).hexdigest() == lot["sha256"]
        pages = texts(pdf)
        assert len(pages) == 2 * lot["sheets"]
        for row in csv.DictReader((tmp_path / "batch" / lot["listed"]).open()):
            first, count = int(row["first_page"]) - 1, int(row["pages"])
            assert first % 2 == 0, "a front side"
            mine = " ".join(pages[first : first + count])
            assert re.findall(r"Code : (\S+)", mine) == [row["code"]]
            text = (tmp_path / "render" / "00000" / f"{int(row['letter']):08d}.txt").read_text()
            assert row["code"] in text
            (times,) = re.findall(r"(une fois|\d+ fois)", text)[:1]
            assert times in mine
            seen.append(int(row["letter"]))
    assert seen == [1, 2, 3, 4, 5, 6, 7, 8, 9, 11], "10 asked to be forgotten"


def test_what_was_made_is_kept_and_what_was_not_is_made_the_same(tmp_path: Path) -> None:
    packs.write(tmp_path, [packs.row("1002", "1950-13-00", reference=f"{number:032x}") for number in range(5)])
    _, told = printed(tmp_path, "--letters-per-file", "2")
    before = {each.name: each.read_bytes() for each in (tmp_path / "batch").iterdir()}
    (tmp_path / "batch" / "lot-00002.csv").unlink()  # what a kill leaves: this file was not finished
    (tmp_path / "batch" / "lots.json").unlink()
    assert printed(tmp_path, "--letters-per-file", "2")[1] == {**told, "kept": 2}
    assert {each.name: each.read_bytes() for each in (tmp_path / "batch").iterdir()} == before
    with pytest.raises(Refused, match="letters_there"):
        printed(tmp_path, "--letters-per-file", "3")


def test_who_has_an_e_mail_address_is_not_printed_and_a_name_without_signs_is_told(tmp_path: Path) -> None:
    packs.write(tmp_path, [packs.row("7", "1980-01-01"), *packs.PEOPLE])
    with (tmp_path / "contacts.csv").open("a") as file:
        file.write("7,1980-01-01,1,M.,王,小明,1 rue,37000,TOURS,,,,\n")
    exit_code, told = printed(tmp_path)
    assert (exit_code, told["letters"], told["by_email"]) == (2, 1, 2)
    assert [(each["number"], each["code"]) for each in told["without_letter"]] == [(1, "letter_not_printed")]


def test_a_long_name_takes_more_lines_and_nothing_is_cut(tmp_path: Path) -> None:
    packs.write(tmp_path, [packs.row("8", "2016-01-01")])
    child = "Marie-Antoinette Wilhelmine " * 3
    with (tmp_path / "contacts.csv").open("a") as file:
        file.write(
            f"8,2016-01-01,1,,Long,{child.strip()},1 rue,37000,TOURS,,,,\n8,1980-01-01,1,,Long,Ada,1 rue,37000,TOURS,,,,\n"
        )
    _, told = printed(tmp_path)
    pages = texts((tmp_path / "batch" / told["lots"][0]["file"]).read_bytes())
    assert " ".join(pages).count("Wilhelmine") == 6
