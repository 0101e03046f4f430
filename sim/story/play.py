"""The story from the first alert to the last letter: an incident of the hub that was just robbed, run with its own commands.

1. The alert: an incident about the one account that a detector named, its first exact number, the account cut.
2. The second wave: the other accounts, a fact that widens the question; cut, and counted again.
3. Care goes on, over HTTP, while the accounts are cut.
4. Decisions, a pack an insurer, opened by its key: whom the hub names is held against what was told over HTTP.
5. Who is told, clocks, letters, complaint, evidence, crossings.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from ecluse.app.alerted import ALERTS_MAX
from ecluse.app.letters import A_FOLDER
from sim.attacks.thief import Loot
from sim.auditor.exposure import Examiner
from sim.auditor.questions import Question
from sim.auditor.told import instant
from sim.clock import MODULE, Ahead
from sim.hub import Address
from sim.parquet import TOLD, told_rows, write_table
from sim.people import Person
from sim.professionals import Professional
from sim.run import Run
from sim.seeds import stream
from sim.story import mail
from sim.story.care import Care, Desks
from sim.story.packs import Opened, lists_of, open_pack
from sim.story.room import BY, Room

ONE, MANY = (
    "leaked",
    "hundred",
)  # the thefts of the story: one account, as told of Viamedis; several, as told of Almerys
OPERATOR = "astreinte"  # who cuts an account
INQUIRY = "tiers-payant-2024"
TOLD_FILE = "dit-aux-voleurs.parquet"
SECOND_US = 1_000_000
MEASURES = (
    "Nous avons coupé les comptes volés : sans le laissez-passer du patient, ils ne peuvent plus chercher personne.",
    "Nous avons gardé la preuve de chaque affichage.",
)
CONSEQUENCES = (
    "Quelqu'un peut se faire passer pour la mutuelle.",
    "Un faux soignant peut facturer des soins.",
)
FOR_PERSON = (
    "Ne donnez aucun code au téléphone.",
    "Vérifiez vos relevés de remboursement.",
)


@dataclass
class Story:
    """A story in progress; everything that it found is in here for its page."""

    run: Run
    room: Room = field(init=False)
    clock: Ahead = field(init=False)  # the hub's, as the thefts left it
    alert: dict[str, Any] = field(default_factory=dict)
    alerted: set[str] = field(default_factory=set)
    steps: dict[str, str] = field(default_factory=dict)  # where each cut account stands
    first: dict[str, Any] = field(default_factory=dict)  # the incident after its first scope
    exposures: list[dict[str, Any]] = field(default_factory=list)
    care: Care = field(default_factory=Care)
    packs: dict[str, Opened] = field(default_factory=dict)
    made: list[dict[str, Any]] = field(default_factory=list)
    shown: dict[str, Any] = field(default_factory=dict)
    clocks: list[dict[str, Any]] = field(default_factory=list)
    letters: list[mail.Sent] = field(default_factory=list)
    professionals: dict[str, Any] = field(default_factory=dict)
    complaint: dict[str, Any] = field(default_factory=dict)
    evidence: dict[str, Any] = field(default_factory=dict)
    verified: str = ""
    crossings: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.room = Room(self.run.operator, self.run.hub)
        self.clock = Ahead(self.run.out / "log" / "clock")

    @property
    def folder(self) -> Path:
        """Where the story's files and its page go."""
        return self.run.out / "story"

    @cached_property
    def loot(self) -> dict[str, Loot]:
        """The thefts of the story, by name."""
        return {each.scenario.name: each for each in self.run.loot if each.scenario.name in (ONE, MANY)}

    @property
    def accounts(self) -> list[str]:
        """Every account that was stolen, the first one first."""
        return [*self.loot[ONE].stolen, *self.loot[MANY].stolen]

    @property
    def began_us(self) -> int:
        """The first question of the first theft."""
        return int(self.loot[ONE].began_ts * SECOND_US)

    def play(self) -> None:
        """The whole story. Raises `Lie` where the hub names anybody else than was told of."""
        self.folder.mkdir()
        clock = self.clock
        show = self.run.show.stage
        self.run.operator.module = MODULE
        with clock.ruling():
            with self.run.operator.serving(self.run.hub, self.run.out / "log" / "serve.log") as address:
                with show("L'alerte, un incident, le premier nombre exact", 3) as advance:
                    self._alert(advance)
                with show("La seconde vague : tous les comptes, coupés", len(self.accounts) + 1) as advance:
                    self._second_wave(advance)
                with show("Les soins continuent, comptes coupés", 1) as advance:
                    self._care(address)
                    advance(1)
            with show("Décisions, un dossier par organisme, preuves", 4) as advance:
                self._packs(advance)
            with show("Qui est prévenu : délais, courriers, plainte", len(self.packs) + 3) as advance:
                self._tell(advance)
            with show("Preuves vérifiées par un tiers, fuites croisées", 3) as advance:
                self._prove(advance)
        self.run.search()
        write_table(self.folder / TOLD_FILE, TOLD, told_rows(self.run.robbery))

    # 1 and 2: the incident

    def _alert(self, advance: Callable[[int], None]) -> None:
        """What detectors found of the stolen accounts; the incident about the first one, scoped, then cut."""
        began_s = self.began_us // SECOND_US
        found = [
            each
            for each in self.room.command("gate", "alerts", "--limit", str(ALERTS_MAX))
            if seconds(each["at"]) >= began_s and each["account"] in self.accounts
        ]
        self.alerted = {each["account"] for each in found}
        mine = [each for each in found if each["account"] in self.loot[ONE].stolen]
        self.alert = min(mine, key=lambda each: seconds(each["at"])) if mine else {}
        advance(1)
        self.room.begin()
        self.room.incident = self._open()
        self.room.act("scope")
        self.room.reached("first_number")
        self.first = self.room.shown()
        self._hold(self.first, self.loot[ONE].stolen, {})
        advance(1)
        self._cut(self.loot[ONE].stolen[0])
        for name, value, source in self._facts():
            self.room.fact(name, value, source)
        advance(1)

    def _open(self) -> str:
        words: list[str] = []
        for account in self.loot[ONE].stolen:
            words += ["--account", account]
        found = ["--found", self.alert["at"]] if self.alert else []
        how = self.alert.get("sentence_fr") or "Refus en série : ce compte a atteint son plafond de personnes ouvertes."
        opened = self.room.command(
            "incident", "open", *words, "--from", instant(self.began_us), "--to", self.clock.now().isoformat(), *found,
            "--how", how, "--by", BY,
        )  # fmt: skip
        return str(opened["incident"])

    def _facts(self) -> list[tuple[str, str, str]]:
        """What is known by now, or decided: each is an event of its own."""
        said: dict[str, object] = {
            "cause": "external_malicious",
            "recipient": "criminal",
            "hub_name": "Écluse (simulation)",
            "description": "Un accès de professionnel volé par hameçonnage a servi à chercher une liste de personnes.",
        }
        lists: dict[str, object] = {
            "measures_taken": MEASURES,
            "likely_consequences": CONSEQUENCES,
            "measures_for_person": FOR_PERSON,
        }
        source = "note de l'astreinte"
        return [(name, json.dumps(value, ensure_ascii=False), source) for name, value in (said | lists).items()]

    def _second_wave(self, advance: Callable[[int], None]) -> None:
        """The other accounts: cut, then named in the incident, which is counted again up to that instant."""
        for account in self.accounts[1:]:
            self._cut(account)
            advance(1)
        self.room.reached("cut")
        source = "les titulaires, appelés un par un"
        self.room.fact("accounts", json.dumps(self.accounts), source)
        self.room.fact("to", json.dumps(self.clock.now().isoformat()), "tous les comptes sont coupés")
        stolen = [{"account": account, "fields": ["login"]} for account in self.accounts]
        self.room.fact("professionals", json.dumps(stolen), source)
        advance(1)
        self.room.act("scope")
        self.room.reached("whole_number")
        advance(1)

    def _cut(self, account: str) -> None:
        told = self.room.command(
            "gate", "contain", account, "presence_only", "--operator", OPERATOR, "--reason", "accès volé"
        )
        self.steps[account] = told["step"]

    # 3: care

    def _care(self, address: Address) -> None:
        desks = Desks(
            self.run.world, self.run.tokens, self.clock, self.room, self.run.out / "input" / "passes",
            login_ts=int(self.loot[MANY].began_ts), stolen={name for each in self.run.loot for name in each.stolen},
        )  # fmt: skip
        robbed = [self.run.listener.staff[account] for account in self.accounts]
        self.care = desks.go_on(address, robbed, stream(self.run.seed, "care after the cut"))
        oath = self.run.listener.oath
        oath.same("a cut account is told nothing", "the thief, again", self.care.thief.confirmed, 0)

    # 4: packs

    def _packs(self, advance: Callable[[int], None]) -> None:
        self.room.act("decide")
        advance(1)
        dossiers = self.folder / "dossiers"
        with self.room.timed("packs"):
            self.made = self.room.act("pack", "--out", str(dossiers))
        self.room.reached("packs")
        advance(1)
        keys, oath = self.run.investigator.identities, self.run.listener.oath
        journal_key = self.room.command("journal", "key")["key"]
        for each in self.made:
            insurer = each["insurer"]
            opened = self.folder / "organismes" / insurer
            self.packs[insurer] = open_pack(dossiers / each["pack"], insurer, keys[insurer], journal_key, opened, oath)
        advance(1)
        self.shown = self.room.shown()
        self._hold(self.shown, self.accounts, lists_of(self.packs))
        advance(1)

    def _hold(self, shown: dict[str, Any], accounts: Sequence[str], lists: dict[str, str]) -> None:
        """What the hub answered for its scope, and the lists of packs, are what was told over HTTP: everybody, every field."""
        answer = self.run.hub / "out" / "exposures" / shown["scope"]["exposure_id"] / "exposure.json"
        said = json.loads(answer.read_bytes())
        start, end = (microseconds(shown[name]) for name in ("from", "to"))
        question = Question("the story", frozenset(accounts), start, end, is_listed=bool(lists))
        examiner = Examiner(self.run.robbery, self.run.examiner.referenced, self.run.listener.oath)
        examiner.examine(question, said, lists)
        said["truth_people"] = examiner.people
        self.exposures.append(said)

    # 5: who is told

    def _tell(self, advance: Callable[[int], None]) -> None:
        for each in self.made:
            if self.displayed(each["insurer"]):
                self.room.act("notified", "gdpr_controllers", "--insurer", each["insurer"])
        self.room.act("notified", "gdpr_register")
        calendar = self.folder / "delais.ics"
        self.clocks = self.room.command("incident", "clock", self.room.incident, "--ics", str(calendar))["clocks"]
        advance(1)
        names = {insurer.number: insurer.name for insurer in self.run.world.insurers}
        written = {name: pack.folder / mail.CONTACTS for name, pack in self.packs.items() if pack.letters}
        mail.write_contacts(self.run.world, written)
        for insurer, pack in self.packs.items():
            if pack.letters:
                where = self.folder / "courriers" / insurer
                with self.room.timed("letters"):
                    self.letters.append(
                        mail.send(
                            self.run.operator, pack, names[insurer], self.run.world, where, self.run.listener.oath
                        )
                    )
            advance(1)
        self.room.reached("letters")
        some = next(pack for pack in self.packs.values() if pack.letters)
        self.professionals = mail.send_to_professionals(
            self.run.operator, some, self._robbed(), self.folder / "courriers-professionnels", self.run.seed
        )
        advance(1)
        self._complain()
        advance(1)

    def displayed(self, insurer: str) -> int:
        """How many people of an insurer were displayed, as the incident has it."""
        parts = {each["insurer"]: each["displayed"]["at_most"] for each in self.shown["scope"]["insurers"]}
        return int(parts.get(insurer, 0))

    def _robbed(self) -> list[tuple[Professional, str, str, int]]:
        """Each robbed professional, with the first and last display by their account, and how many."""
        start, end = (microseconds(self.shown[name]) for name in ("from", "to"))
        found = []
        for account in self.accounts:
            at = [
                told.sent_us
                for told in self.run.robbery.tellings
                if told.account == account and start <= told.sent_us <= end
            ]
            if at:
                found.append((self.run.listener.staff[account], instant(min(at)), instant(max(at)), len(at)))
        return found

    def _complain(self) -> None:
        """One victim's complaint, ready to sign; and the blank one of 2024, to the investigators named then."""
        insurer, number, row = next(
            (insurer, number, row)
            for insurer, pack in self.packs.items()
            for number, row in enumerate(pack.letters, 1)
            if not is_child(row, self.run)
        )
        person = person_of(self.run, insurer, row)
        letter = self.folder / "courriers" / insurer / f"{number // A_FOLDER:05d}" / f"{number:08d}.txt"
        key = self.packs[insurer].folder / "letters.key"
        mail.check(self.run.operator, letter, key, person.last_name, self.run.listener.oath)
        facts = {
            "person": {
                "last_name": person.last_name,
                "first_name": person.first_name,
                "birth_date": person.birth_date,
                "address": ["1 rue Inventée", f"{mail.POSTCODE} Tours"],
            },
            "insurer": self.run.world.insurer(insurer).name,
            "incident": self.room.incident,
            "from": row["first_at"][:10],
            "to": row["last_at"][:10],
            "told_on": self.run.today.isoformat(),
            "fields": row["shown"],
        }
        self.complaint = self._complaint(facts, "plainte")
        leaked = self._cross({"leak": INQUIRY})["fields"]
        self._complaint({"inquiry": INQUIRY, "fields": leaked}, "plainte-2024")

    def _complaint(self, facts: dict[str, Any], name: str) -> dict[str, Any]:
        files = ("--html", str(self.folder / f"{name}.html"), "--pdf", str(self.folder / f"{name}.pdf"))
        prepared: dict[str, Any] = self.run.operator.command("breach", "complaint", *files, sent=json.dumps(facts))
        return prepared

    def _prove(self, advance: Callable[[int], None]) -> None:
        folder = self.folder / "preuves"
        with self.room.timed("evidence"):
            self.evidence = self.room.act("evidence", "--for", "Juge d'instruction", "--out", str(folder))
        self.room.reached("evidence")
        advance(1)
        with self.room.timed("verify"):
            words = [sys.executable, str(folder / "verifier.py"), self.evidence["key"]]
            said = subprocess.run(words, capture_output=True, text=True, check=False)
        self.run.listener.oath.same("evidence verifies itself", said.stdout[-500:], said.returncode, 0)
        self.verified = said.stdout.strip().splitlines()[-1]
        advance(1)
        page = self.folder / "croisement-2024.html"
        self.crossings["2024"] = self._cross({"leak": INQUIRY}, "--html", str(page))
        on = self.crossings["2024"]["on"]
        typed = ["national_number", "birth_date"]
        self.crossings["typed"] = self._cross({"fields": typed, "on": on})
        self.crossings["ours"] = self._cross({"fields": sorted({*typed, *self._told_fields()}), "on": on})
        advance(1)

    def _told_fields(self) -> set[str]:
        """What answers told, in the words that crossings know; the rest opens no harm."""
        from ecluse.breach.crossing.catalogue import known_fields

        return {name for pack in self.packs.values() for row in pack.letters for name in row["shown"]} & known_fields()

    def _cross(self, facts: dict[str, Any], *words: str) -> dict[str, Any]:
        found: dict[str, Any] = self.run.operator.command("breach", "cross", *words, sent=json.dumps(facts))
        return found


def person_of(run: Run, insurer: str, row: dict[str, Any]) -> Person:
    """The person of the world that a row of letters is about."""
    return run.record.by_number[insurer, row["member_number"], row["birth_date"], row["birth_rank"]]


def is_child(row: dict[str, Any], run: Run) -> bool:
    """Whether a row is about somebody born less than eighteen years before the run's day."""
    return str(row["birth_date"]) > run.today.replace(year=run.today.year - 18, day=1).isoformat()


def seconds(text: str) -> float:
    """An instant as an answer has it, in seconds since 1970."""
    return datetime.fromisoformat(text).timestamp()


def microseconds(text: str) -> int:
    """An instant as an answer has it, in µs since 1970."""
    at = datetime.fromisoformat(text) - datetime.fromtimestamp(0, UTC)
    return (at.days * 86_400 + at.seconds) * SECOND_US + at.microseconds
