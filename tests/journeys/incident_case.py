"""A stolen account, the people it looked at, and the incident about it: what the journeys of incidents begin with."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pyrage import decrypt
from pyrage.x25519 import Identity

from ecluse.journal.entry import Entry, Operation
from tests.journal import entries_in
from tests.journeys.site import AMC, PRACTICE, Site, question

THIEF = "rpps:10000000019"
BY = ("--by", "Anne Martin, DPO")
STEM = 2790675056123  # a woman of June 1979, and those who come after her in the register
PEOPLE = [
    {"member_number": f"M{n}", "nir": f"{STEM + n}{97 - (STEM + n) % 97:02}", "contract": f"C{n}"} for n in range(1, 5)
]
SEEN = (0, 1, 2)  # of PEOPLE: those the thief looked at
FACTS: dict[str, Any] = {
    "cause": "external_malicious",
    "recipient": "criminal",
    "measures_taken": ["Nous avons fermé le compte."],
    "professionals": [{"account": THIEF, "practice": PRACTICE, "fields": ["RIB"]}],
}


class Case:
    """A hub where a thief looked at three people, and an incident about it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.site = Site(folder / "hub", ECLUSE_LAKE_EVERY_S="0")
        self.key = Identity.generate()
        (folder / "key.pub").write_text(f"{self.key.to_public()}\n")

    def happen(self) -> None:
        """The theft, and the incident: opened, told facts, scoped, decided."""
        self.site.make()
        self.site.load(PEOPLE)
        self.site.run("insurer", "key", AMC, str(self.folder / "key.pub"))
        self.site.start()
        self.since = datetime.now(UTC).isoformat()
        with self.site.client(self.site.token(THIEF, practice=PRACTICE)) as thief:
            for place in SEEN:
                who = {"nir": None, "member_number": PEOPLE[place]["member_number"]}
                assert thief.post("/v1/rights/checks", json=question(beneficiary=who)).json()["outcome"] == "confirmed"
        self.until = datetime.now(UTC).isoformat()
        self.site.stop()
        self.open()
        for name, value in FACTS.items():
            self.run("fact", "add", self.name, name, json.dumps(value), *BY)
        self.export()
        self.run("scope", self.name, *BY)
        self.run("decide", self.name, *BY)

    def open(self) -> Any:
        """The incident."""
        window = ("--from", self.since, "--to", self.until)
        told = self.run("open", "--account", THIEF, *window, *BY, "--how", "Le titulaire a appelé.")
        self.name = told["incident"]
        return told

    def run(self, *words: str) -> Any:
        """What `ecluse incident` says."""
        return self.site.json("incident", *words)

    def refused(self, *words: str) -> str:
        """The code it refuses with."""
        done = self.site.run("incident", *words, check=False)
        assert done.returncode == 2, done.stderr
        return done.stderr.splitlines()[-1].partition(":")[0]

    def export(self) -> None:
        """The lake, brought up."""
        self.site.run("journal", "export")

    def packed(self, out: Path, *words: str) -> Any:
        """The insurer's pack."""
        self.export()
        return self.run("pack", self.name, *BY, "--out", str(out), *words)

    def opened(self, folder: Path) -> dict[str, bytes]:
        """A pack as its insurer opens it, with its key alone."""
        return {each.stem: decrypt(each.read_bytes(), [self.key]) for each in folder.glob("*.age")}

    def journal_key(self) -> str:
        """What `ecluse journal key` says."""
        return self.site.run("journal", "key").stdout.strip()

    def entries(self, *operations: Operation) -> list[Entry]:
        """Entries of the journal, in the order of their times."""
        found = [each for each in entries_in(self.site.directory / "journal") if each.operation in operations]
        return sorted(found, key=lambda each: each.ts_us)
