"""A pack as an insurer unpacks it, and its contacts: what letters are tried with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

CASES = Path(__file__).parent / "cases" / "letters"
HEADER = (
    "member_number,birth_date,birth_rank,civility,last_name,first_name,address_1,postcode,city,"
    "holder_member_number,holder_birth_date,email,language"
)
CONTACTS = [
    "1001,1971-03-04,1,Mme,Lefèvre-Diaz,Jeanne,12 rue des Lilas,37000,TOURS,,,jeanne@exemple.fr,",
    "1001,2015-09-30,1,,Lefèvre-Diaz,Alix,12 rue des Lilas,37000,TOURS,,,,",
    "1002,1950-13-00,1,M.,Ozturk,Kemal,3 place du Marché,76600,LE HAVRE,,,,tr",
    "1003,2012-01-01,2,,Roux,Noé,1 quai Sud,69002,LYON,1002,1950-13-00,,",
]
SENDER = """\
name = "la Mutuelle des Bateliers"
address = ["4 quai de l'Écluse", "69002 LYON"]
hours = "du lundi au samedi"
signed_by = "Jeanne Roux, directrice"
"""
SHARED: dict[str, Any] = {
    "incident": "INC-2026-1",
    "version": 3,
    "insurer": "0075123456",
    "from": "2024-01-28T00:00:00+01:00",
    "to": "2024-02-01T08:00:00+01:00",
    "sent_by": "Écluse",
    "known_before": None,
    "measures_taken": ["Nous avons fermé le compte le 1er février.", "Nous avons prévenu la CNIL."],
    "dpo_contact": "Anne Petit",
    "phone": "01 23 45 67 89",
}


def row(number: str, born: str, rank: int = 1, **change: Any) -> dict[str, Any]:
    """One row of courriers.jsonl."""
    return {
        "member_number": number,
        "birth_date": born,
        "birth_rank": rank,
        "reference": f"{number}{born}{rank}",
        "fields": ["outcome"],
        "shown": ["insurer", "third_party_payment"],
        "not_shown": ["bank", "address", "health"],
        "first_at": "2024-01-30T10:00:00Z",
        "last_at": "2024-01-30T10:00:00Z",
        "times": 1,
        "without_presence": 1,
        "by": ["un compte d'opticien, dans le département 37"],
        "category": "unexplained",
        "normal_care": False,
        **change,
    }


PEOPLE = [row("1001", "1971-03-04"), row("1001", "2015-09-30", times=3), row("unknown", "unknown", 0),
          row("1002", "1950-13-00", normal_care=True)]  # fmt: skip


def write(folder: Path, people: list[dict[str, Any]], shared: dict[str, Any] = SHARED) -> Path:
    """The pack, its contacts and the sender's file, in a folder."""
    pack = folder / "pack"
    pack.mkdir()
    (pack / "courriers.jsonl").write_text("".join(json.dumps(each) + "\n" for each in people))
    (pack / "courriers.json").write_text(json.dumps(shared))
    (folder / "contacts.csv").write_text("\n".join([HEADER, *CONTACTS]) + "\n")
    (folder / "sender.toml").write_text(SENDER)
    return pack
