"""What insurers send: letters merged from their pack with contacts of the simulated world, each read again by the linter.

Names are the world's own, which no hub ever had; streets, telephones and addresses are made up (numbers of the range that ARCEP
keeps for works of fiction). Nothing is sent.
"""

from __future__ import annotations

import contextlib
import csv
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecluse.breach.letters.words import denied
from ecluse.kernel.errors import Refused
from sim.auditor.lie import Oath
from sim.communes import HERE, places, rows
from sim.contracts import Contract
from sim.hub import Operator
from sim.people import Person
from sim.professionals import Professional
from sim.seeds import stream
from sim.story.packs import Opened
from sim.world import World

PHONE = "01 99 00 37 00"  # ARCEP, decision 2018-0881: 01 99 00 is for works of fiction
CONTACTS = "contacts.csv"
POSTCODE = "37000"  # of Tours: real postcodes are not in the world
STREETS = ("rue des Saules Imaginaires", "allée de la Brume", "place du Vieux Pont", "chemin des Éclusiers")
MADE_UP = "invalid"  # RFC 2606
HEADER = ("member_number", "birth_date", "birth_rank", "civility", "last_name", "first_name", "address_1", "postcode",
          "city", "holder_member_number", "holder_birth_date")  # fmt: skip
PROFESSIONAL_HEADER = ("reference", "fields", "first_at", "last_at", "times", "last_name", "first_name", "address_1",
                       "postcode", "city")  # fmt: skip
FORMATS = ("--format", "text", "--format", "html", "--format", "pdf")


@dataclass(frozen=True)
class Sent:
    """The letters of one insurer: how many, through the holder, read by the linter, and the first files."""

    insurer: str
    letters: int
    via_holder: int
    without: int
    linted: int
    folder: Path
    first: str


def write_sender(file: Path, name: str, place: str) -> None:
    """What only the sender knows: its name, its address, its telephone; `place`: of its e-mail."""
    said = {
        "name": name,
        "address": ["1 place Inventée", f"{POSTCODE} Tours"],
        "phone": PHONE,
        "hours": "du lundi au vendredi, de 9 h à 18 h",
        "dpo_contact": f"dpo@{place}.{MADE_UP}",
        "signed_by": "La direction",
    }
    file.write_text("".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in said.items()))


def write_contacts(world: World, files: Mapping[str, Path]) -> None:
    """All members of each insurer, as its own files have them; `files`: where, by insurer."""
    heads = {person.nir: person for person in world.people if not person.dependant}
    towns = {place.code: place.name for place in places(HERE)}
    with contextlib.ExitStack() as opened:
        lines = {}
        for insurer, file in files.items():
            lines[insurer] = csv.writer(opened.enter_context(file.open("w", encoding="utf-8", newline="")))
            lines[insurer].writerow(HEADER)
        for person in world.people:
            mine = {row.insurer: row for row in world.rights(person)}
            for insurer in mine.keys() & lines.keys():
                lines[insurer].writerow(
                    _contact(world, person, heads[person.nir], mine[insurer], towns[person.commune])
                )


def _contact(world: World, person: Person, head: Person, row: Contract, town: str) -> Iterable[object]:
    draw = stream(world.seed, "address", person.family)
    street = f"{draw.randrange(1, 90)} {draw.choice(STREETS)}"
    holder = (row.member_number, head.birth_date) if person.dependant else ("", "")
    civility = "" if person.dependant else ("M.", "Mme")[person.sex - 1]
    who = (row.member_number, person.birth_date, person.birth_rank, civility, person.last_name, person.first_name)
    return (*who, street, POSTCODE, town, *holder)


def send(operator: Operator, pack: Opened, name: str, world: World, folder: Path, oath: Oath) -> Sent:
    """Merge one insurer's letters with its contacts into `folder`, and lint each. Raises `Lie` for one that may not be sent."""
    contacts, sender = pack.folder / CONTACTS, pack.folder / "expediteur.toml"
    write_sender(sender, name, f"amc-{pack.insurer}")
    files = ("--pack", str(pack.folder), "--contacts", str(contacts), "--sender", str(sender), "--out", str(folder))
    made = operator.command("letters", "render", *files, "--date", world.day.isoformat(), *FORMATS)
    with (folder / "envoi.csv").open(encoding="utf-8", newline="") as file:
        listed = list(csv.DictReader(file))
    for each in listed:
        row = pack.letters[int(each["file"].rpartition("/")[2]) - 1]
        lint(operator, folder / f"{each['file']}.txt", row, each["via_holder"] == "yes", oath)
    first = listed[0]["file"] if listed else ""
    return Sent(
        pack.insurer, made["letters"], made["via_holder"], len(made["without_letter"]), len(listed), folder, first
    )


def lint(operator: Operator, letter: Path, row: dict[str, Any], via_holder: bool, oath: Oath) -> None:
    """Have the linter read one letter, against what the journal proves of its person: of what was not seen, what letters say."""
    unseen = denied(row["not_shown"])
    sent = {"text": letter.read_text(encoding="utf-8"), "shown": row["shown"], "not_shown": unseen}
    told = operator.command("letters", "lint", sent=json.dumps({**sent, "minor": via_holder, "via_holder": via_holder}))
    oath.true("letters may be sent", letter.name, told["ok"], "no finding", told["findings"])


def check(operator: Operator, letter: Path, key: Path, name: str, oath: Oath) -> None:
    """Whoever holds the key is asked whether a letter is real: its code is, and a code with one character changed is not."""
    found = re.search(r"Code : (\S+)", letter.read_text(encoding="utf-8"))
    assert found, "every letter has a code"
    code = found[1]
    said = operator.command("letters", "check", code, "--key", str(key), "--name", name)
    oath.same("a code tells a letter", "the code of a letter", said, {"real": True, "name": "matches"})
    forged = ("1" if code[0] == "0" else "0") + code[1:]
    try:
        told = operator.command("letters", "check", forged, "--key", str(key), "--name", name)
    except Refused as refused:
        told = refused.code
    oath.same("a code tells a letter", "a forged code", told, "letter_code_refused")


def send_to_professionals(
    operator: Operator, pack: Opened, robbed: Sequence[tuple[Professional, str, str, int]], folder: Path, seed: int
) -> dict[str, Any]:
    """A letter to each professional whose login was used: by whom they are, first and last instant, how many people."""
    folder.mkdir(parents=True)
    listed, sender = folder / "professionnels.csv", folder / "expediteur.toml"
    write_sender(sender, "Écluse, gestionnaire de tiers payant", "ecluse")
    lasts, firsts = (
        [row[place] for row in rows(file)] for file, place in (("last_names.csv", 0), ("first_names.csv", 1))
    )
    with listed.open("w", encoding="utf-8", newline="") as out:
        lines = csv.writer(out)
        lines.writerow(PROFESSIONAL_HEADER)
        for who, first_at, last_at, times in robbed:
            draw = stream(seed, "professional's name", who.account)
            to = (draw.choice(lasts), draw.choice(firsts), who.practice.name, POSTCODE, "Tours")
            lines.writerow((who.account, "login", first_at, last_at, times, *to))
    files = (
        "--pack",
        str(pack.folder),
        "--list",
        str(listed),
        "--sender",
        str(sender),
        "--out",
        str(folder / "lettres"),
    )
    made: dict[str, Any] = operator.command("letters", "professionals", *files, *FORMATS)
    return made
