"""A whole run: found the world, make the hub, play its days, pay, read the bank's statement, let the auditor check all.

directory/  hub/ (the hub, as `ecluse serve` takes it)  truth/*.parquet  input/ (files handed in)  bank/ (statements)
            log/serve.log  report.html  summary.json
"""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Protocol

import uvloop

from ecluse.kernel.errors import refusal
from ecluse.wiring import DIRECTORY_UNWRITABLE
from sim import bank, cards, feeds, hub, parquet, workload, world
from sim.attacks.over_http import Honest, Robber, tries
from sim.attacks.scenarios import scenario_of
from sim.attacks.thief import Loot
from sim.auditor import ledger, privacy, store
from sim.auditor.answers import Listener
from sim.auditor.exposure import Examiner
from sim.auditor.papers import Cashier, Papers, read_papers
from sim.auditor.questions import questions
from sim.auditor.readings import read_remittances
from sim.auditor.told import Record
from sim.bank import PaymentFile
from sim.clock import MODULE, Ahead
from sim.exchange import Visit
from sim.hub import Address
from sim.investigator import Investigator
from sim.logins import Logins
from sim.player import Played, Player

MARK = ".ecluse-sim"  # left in a directory that a run made, so that the next one may clear it

DIRECTORY_TAKEN = refusal(
    "demo_directory_taken",
    409,
    "This directory is not an earlier demo",
    fix="Name a new directory with --out, or empty this one yourself.",
)

STORE_TAKEN = refusal(
    "demo_store_taken",
    409,
    "The store of this demo holds claims or products already",
    fix="Name a fresh database in ECLUSE_STORE_URL.",
)
DETECTORS = "ECLUSE_GATE_DETECTORS"  # off while every answer is provoked on purpose; on when the hub is robbed
QUESTIONS = 6  # at random, beside the complete ones
USED = "SELECT (SELECT count(*) FROM claim) + (SELECT count(*) FROM product)"

Advance = Callable[[int], None]


class Show(Protocol):
    """Tells a person how far the run is."""

    def stage(self, title: str, total: int) -> AbstractContextManager[Advance]:
        """A stage of `total` units; the function it gives says how many more are done."""
        ...


@dataclass
class Paid:
    """A payment run and what the bank said of it."""

    day: date
    files: list[PaymentFile]
    papers: Papers
    returned: set[str]


@dataclass
class Run:
    """A run in progress; everything it measured is in here for the report."""

    seed: int
    people: int
    out: Path
    today: date
    show: Show
    operator: hub.Operator = field(default_factory=hub.Operator)
    scenarios: tuple[str, ...] = ()  # of attacks, played last
    world: world.World = field(init=False)
    listener: Listener = field(init=False)
    record: Record = field(init=False)
    examiner: Examiner = field(init=False)
    investigator: Investigator = field(init=False)
    logins: Logins = field(init=False)
    cashier: Cashier = field(init=False)
    played: list[Played] = field(default_factory=list)
    runs: list[Paid] = field(default_factory=list)
    cards: list[cards.Shown] = field(default_factory=list)
    seen_files: set[str] = field(default_factory=set)
    took_s: dict[str, float] = field(default_factory=dict)
    put_off: Counter[str] = field(default_factory=Counter)
    loaded_rows: int = 0
    loot: list[Loot] = field(default_factory=list)
    honest: dict[str, Honest] = field(default_factory=dict)  # how others fared during each attack
    robbery: Record = field(init=False)  # what everybody was told while thieves were at work

    @property
    def hub(self) -> Path:
        """The hub's directory."""
        return self.out / "hub"

    def whole(self, days: int = 1) -> None:
        """The whole run, `days` days of care up to today. Raises `Lie` at the first thing that is not true."""
        clear(self.out)
        self._timed("world", self._found_world)
        self._timed("load", self._load)
        log = self.out / "log" / "serve.log"
        log.parent.mkdir()
        with self.operator.serving(self.hub, log) as address:
            self.tokens = hub.Tokens(self.hub, self.listener.staff, self.logins)
            for back in reversed(range(days)):
                self._day(address, self.today - timedelta(days=back))
        self._timed("explain", self._explain)
        if self.operator.is_on_time:
            self._timed("exposure", self._expose)
        self._timed("privacy", self.search)
        if self.scenarios:
            self._timed("attacks", lambda: self._attack(log))
        parquet.write_truth(self.world, self.played, self.record, self.listener.book, self.out / "truth")

    def _day(self, address: Address, day: date) -> None:
        visits = workload.second_thoughts(self.seed, day, self.listener.book.claims.values())
        visits += workload.day_of_care(self.world, day)
        count = sum(len(visit.exchanges) for visit in visits)
        began_s = time.perf_counter()
        with self.show.stage(f"Journée du {day:%d/%m/%Y} : {count} échanges", count) as advance:
            played = uvloop.run(self._play(address, visits, advance))
        self.took_s["play"] = self.took_s.get("play", 0.0) + time.perf_counter() - began_s
        self.played += played
        with self.show.stage("L'auditeur écoute chaque réponse", len(played)) as advance:
            for each in played:
                self.listener.hear(each)
                self.record.hear(each)
                advance(1)
        self._timed("payments", lambda: self._pay(address, day))
        ledger.check(hub.stores(self.hub)[0], self.listener.book, self.cashier, self.listener.oath)

    async def _play(self, address: Address, visits: list[Visit], advance: Advance) -> list[Played]:
        player = Player(*address, self.tokens, self.logins, lambda _: advance(1), self.operator.patience_s)
        with self.operator.playing():
            played = await player.play(visits)
        self.put_off += player.put_off
        return played

    def _found_world(self) -> None:
        with self.show.stage(f"Un département de {self.people} personnes", 2) as advance:
            self.world = world.build(self.seed, self.people, self.today)
            self.listener = Listener(self.world, self.today)
            self.record = Record(self.world, self.listener.staff)
            self.logins = Logins(self.seed, self.listener.staff)
            self.cashier = Cashier(self.listener.oath, self.listener.book)
            advance(1)
            feeds.write_files(self.world, self.out / "input")
            advance(1)

    def _load(self) -> None:
        given, place = self.out / "input", ("--dir", str(self.hub))
        tables = sum(len(insurer.products) for insurer in self.world.insurers)
        with self.show.stage(
            "La plateforme charge grilles et adhérents", tables + len(self.world.insurers) + 3
        ) as advance:
            hub.make(self.hub)
            unused(hub.stores(self.hub)[0])
            hub.introduce(self.hub, self.world.professionals)
            advance(1)
            self.operator.command("practice", "load", str(given / "practices.csv"), *place)
            advance(1)
            self.operator.command("insurer", "load", str(given / "insurers.csv"), *place)
            advance(1)
            for insurer in self.world.insurers:
                mine = ("--insurer", insurer.number, *place)
                for table in sorted((given / "products" / insurer.number).iterdir()):
                    self.operator.command("product", "load", str(table), *mine)
                    advance(1)
                members = given / "feeds" / f"{insurer.number}.csv"
                if members.exists():  # in a hamlet, a small insurer may have nobody
                    self.operator.command("feed", "load", str(members), "--full", *mine)
                advance(1)

    def _pay(self, address: Address, day: date) -> None:
        with self.show.stage("Paiements, relevé de la banque, contrôle", 4) as advance:
            self.operator.command("pay", "run", "--date", self.today.isoformat(), "--dir", str(self.hub))
            advance(1)
            files = [bank.read_payment_file(path) for path in self._new("payments", "*.xml")]
            papers = self._papers(files)
            self.cashier.run(papers)
            advance(1)
            self._remittances_over_http(address, papers)
            advance(1)
            statement, returned = bank.statement(files, self.seed, day)
            path = self.out / "bank" / f"camt053-{day}.xml"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(statement)
            reading = self.operator.command("pay", "statement", str(path), "--dir", str(self.hub))
            self.cashier.read_statement(files, returned, reading)
            self.runs.append(Paid(day, files, papers, returned))
            advance(1)

    def _papers(self, files: list[PaymentFile]) -> Papers:
        """The papers that were not there after the run before."""
        known_remittances = {each["remittance_id"] for run in self.runs for each in run.papers.remittances}
        known_calls = {each["call_id"] for run in self.runs for each in run.papers.calls}
        remittances, calls = read_papers(self.hub / "out")
        return Papers(
            files,
            [each for each in remittances if each["remittance_id"] not in known_remittances],
            [each for each in calls if each["call_id"] not in known_calls],
        )

    def _new(self, kind: str, pattern: str) -> list[Path]:
        """The files of a kind that were not there before, in order of name."""
        fresh = [each for each in sorted((self.hub / "out" / kind).rglob(pattern)) if str(each) not in self.seen_files]
        self.seen_files.update(map(str, fresh))
        return fresh

    def _remittances_over_http(self, address: Address, papers: Papers) -> None:
        """Each practice reads its remittances; what it is told is what was written."""
        uvloop.run(read_remittances(address, self.tokens, self.listener, papers))

    def _explain(self) -> None:
        with self.show.stage("La plateforme explique quelques lignes", 1) as advance:
            self.cards = cards.explained(self.hub, self.listener, self.record, self.played)
            advance(1)

    def _expose(self) -> None:
        """Ask who was shown what, after everything that told somebody something."""
        held = Counter(insurer for insurer, _ in {(row.insurer, row.person) for row in self.world.contracts})
        self.examiner = Examiner(self.record, held, self.listener.oath)
        asked = questions(self.record, self.seed, QUESTIONS)
        with self.show.stage(f"Qui a vu quoi : {len(asked)} questions", len(asked)) as advance:
            self.investigator = Investigator(self.operator, self.hub, self.out / "lists", self.listener.oath)
            self.investigator.register(sorted(held), self.out / "input" / "keys")
            for question in asked:
                self.examiner.examine(question, *self.investigator.ask(question))
                advance(1)

    def _attack(self, log: Path) -> None:
        """After everything else: what thieves are told is in nobody's truth, and is asked of the hub."""
        scenarios = [scenario_of(name) for name in self.scenarios]
        clock = Ahead(self.out / "log" / "clock")
        self.robbery = Record(self.world, self.listener.staff)
        robber = Robber(
            self.world, self.played, self.tokens, self.operator, self.hub, self.listener.oath, clock, self.robbery,
            self.honest,
        )  # fmt: skip
        self.operator.module = MODULE
        self.operator.settings = hub.SERVED | {DETECTORS: os.environ.get(DETECTORS, "act")}
        with clock.ruling(), self.operator.serving(self.hub, log) as address:
            for scenario in scenarios:
                questions = min(tries(self.world, scenario), scenario.plan.a_day * scenario.plan.days)
                with self.show.stage(f"Attaque : {scenario.title}", questions) as advance:
                    self.loot.append(robber.play(address, scenario, advance))

    def search(self) -> None:
        """Nothing of anybody is in the hub's files, logs and tables. Raises `Lie`."""
        with self.show.stage("Aucune donnée d'identité dans la plateforme", 1) as advance:
            tables = (table for each in hub.stores(self.hub) for table in store.contents(each))
            privacy.search(self.world, [self.hub, self.out / "log", self.out / "lists"], self.listener.oath, tables)
            advance(1)

    def _timed(self, name: str, do: Callable[[], None]) -> None:
        began_s = time.perf_counter()
        do()
        self.took_s[name] = self.took_s.get(name, 0.0) + time.perf_counter() - began_s


def unused(home: str) -> None:
    """Nothing was ever kept in the store: another hub's claims would be lost among ours. Raises `demo_store_taken`."""
    if store.rows(home, USED) != [(0,)]:
        raise STORE_TAKEN("a run does not empty a database")


def clear(out: Path) -> None:
    """Make `out` empty if a run made it, or leave it if it is; refuse any other. Raises `demo_directory_taken`,
    `directory_unwritable`."""
    try:
        if out.exists() and any(out.iterdir()):
            if not (out / MARK).exists():
                raise DIRECTORY_TAKEN(f"{out} is not empty, and no demo made it")
            shutil.rmtree(out)
        out.mkdir(parents=True, exist_ok=True)
        (out / MARK).touch()
    except OSError as broken:
        raise DIRECTORY_UNWRITABLE(f"{out}: {broken.strerror}") from None
