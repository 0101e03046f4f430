"""A whole hub in the process of its test, under a clock that is moved: questions, commands, the watcher, its files lost."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from pyrage.x25519 import Identity
from typer.testing import CliRunner

from ecluse.app.containment import step_name
from ecluse.app.denials import deny
from ecluse.app.openings import read_openings
from ecluse.app.rights import Beneficiary, RightsQuestion, check_rights
from ecluse.doors.cli.main import complete
from ecluse.engines.age import Age
from ecluse.gate.admission import Request
from ecluse.gate.containment import Kind
from ecluse.gate.identity import Account
from ecluse.kernel.days import paris_day
from ecluse.kernel.errors import Refused
from ecluse.rights.model import Domain
from ecluse.wiring import OpenHub, init_hub, open_hub
from sim.clock import Ahead
from tests.journeys.site import AMC, HEADER, MEMBER, PRACTICE, PRODUCT

DAY_S = 86_400
OLD, NEW = "FR7630006000011234567890189", "FR1420041010050500013M02606"
MARTIN = ("--operator", "a. martin", "--reason", "appel du cabinet")
DURAND = ("--operator", "b. durand", "--reason", "ancien contact joint")
CAPS = """as_of = 2026-11-29
source = "a test"
[professions]
other = { debt = 4000, burst = 4000, refill_per_day = 4000, yearly = 9000 }
"""


def nir(number: int) -> str:
    """People of one commune and month, in no order."""
    body = 2_790_675_056_000 + number * 389 % 997
    return f"{body}{97 - body % 97:02}"


class Inside:
    """One hub with `people` members. Detectors act; nobody is refused by the caps."""

    def __init__(self, folder: Path, people: int = 100) -> None:
        self.folder, self.directory = folder, folder / "hub"
        self.clock = Ahead(folder / "ahead")
        self.environment = {
            "ECLUSE_DIR": str(self.directory),
            "ECLUSE_GATE_CAPS": "caps.toml",
            "ECLUSE_GATE_DETECTORS": "act",
        }
        init_hub(self.directory)
        (self.directory / "caps.toml").write_text(CAPS)
        settings = self.directory / "ecluse.toml"
        settings.write_text(settings.read_text().replace('caps = ""', 'caps = "caps.toml"'))
        self._open = ExitStack()
        self._hub: OpenHub | None = None
        self.key = Identity.generate()
        (folder / "key.pub").write_text(f"{self.key.to_public()}\n")
        (folder / "base.yaml").write_text(PRODUCT)
        rows = [{**MEMBER, "member_number": f"N{each}", "nir": nir(each)} for each in range(people)]
        (folder / "members.csv").write_text("\n".join([HEADER, *(",".join(row.values()) for row in rows)]) + "\n")
        self.run("product", "load", str(folder / "base.yaml"), "--insurer", AMC)
        self.run("feed", "load", str(folder / "members.csv"), "--insurer", AMC, "--full")
        self.run("insurer", "key", AMC, str(folder / "key.pub"))
        self.run("practice", "load", str(self.rib(OLD)))

    @property
    def hub(self) -> OpenHub:
        """The hub, open from one question to the next, but not while a command runs."""
        if self._hub is None:
            self._hub = self._open.enter_context(open_hub(self.directory))
        return self._hub

    def close(self) -> None:
        self._open.close()
        self._hub = None

    def said(self, *words: str) -> Any:
        self.close()
        return CliRunner().invoke(complete(), list(words), env=self.environment)

    def run(self, *words: str) -> str:
        done = self.said(*words)
        assert done.exception is None, done.exception
        return str(done.stdout)

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--json"))

    def wait(self, days: float) -> None:
        self.clock.set(self.clock.seconds + days * DAY_S)

    def wait_at_work(self, days: float) -> None:
        """Days go by, and the hub writes something in the month before the last of them: the clock may be believed."""
        self.close()
        after = datetime.now(UTC) + timedelta(seconds=self.clock.seconds + days * DAY_S)
        before = after.replace(day=1) - timedelta(days=1)
        self.clock.set((before - datetime.now(UTC)).total_seconds())
        self.hub.log.append([])  # begins a shard, with an entry
        self.close()
        self.clock.set((after - datetime.now(UTC)).total_seconds())

    def rib(self, iban: str, practice: str = PRACTICE) -> Path:
        """A file of one practice's account."""
        file = self.folder / f"{practice}-{iban[-4:]}.csv"
        file.write_text(f"practice,name,iban,bic\n{practice},Cabinet Zébulon,{iban},\n")
        return file

    def ask(self, who: str, people: Sequence[Any], practice: str = PRACTICE, **told: Any) -> list[str]:
        """Questions typed by an account, about members by number, or about others by what the card says; what was answered.

        By number: nothing is known of the pace and order of NIRs, which are a machine's here.
        """
        answers = []
        hub = self.hub
        account = Account(who, practice, "", scopes=frozenset({"rights"}), software="logiciel", session=who)
        account = msgspec.structs.replace(account, **told)
        for each in people:
            by_number = {"member_number": f"N{each}", "birth_date": MEMBER["birth_date"]}
            meant = dict(each) if isinstance(each, dict) else by_number
            presented, today = meant.pop("pass", None), paris_day(hub.clock.now()).isoformat()
            asked = RightsQuestion(AMC, Beneficiary(**meant), today, Domain.MED, presented)
            request = Request(account, hub.ids.new("chk_"), "192.0.2.0/24")
            try:
                answers.append(hub.run(check_rights(hub, request, asked)).answer.outcome)
            except Refused as refused:
                answers.append(refused.code)
        return answers

    def passes(self, people: Sequence[int]) -> list[dict[str, Any]]:
        """What the cards of these members say, each with the member's pass."""
        rows = [f"N{each},{nir(each)},{MEMBER['birth_date']},1" for each in people]
        (self.folder / "wanted.csv").write_text("\n".join(["member_number,nir,birth_date,birth_rank", *rows]) + "\n")
        out = self.folder / "passes.csv"
        self.run("pass", "issue", str(self.folder / "wanted.csv"), "--insurer", AMC, "--out", str(out))
        texts = [row["pass"] for row in csv.DictReader(out.open(encoding="utf-8"))]
        cards = [{"nir": nir(each), "birth_date": MEMBER["birth_date"]} for each in people]
        return [{**card, "pass": text} for card, text in zip(cards, texts, strict=True)]

    def watch(self) -> None:
        """The watcher, in a process of its own as it were, until nothing is left."""
        watcher = self.hub.watcher
        while self.hub.run(watcher.watch())[0]:
            pass

    def openings(self) -> dict[str, str]:
        """What the insurer is told: opening by member number."""
        hub, found, cursor, more = self.hub, {}, "", True
        while more:
            page = hub.run(read_openings(hub, self.insurer(hub), AMC, cursor, 1_000)).answer
            cursor, more = page.cursor, page.has_more
            rows = Age().open(str(self.key), page.sealed).decode() if page.sealed else ""
            found |= {row["member_number"]: row["opening"] for row in csv.DictReader(io.StringIO(rows))}
        return found

    def not_me(self, openings: Sequence[str]) -> list[str]:
        """The insurer passes on that these were not for the person."""
        hub = self.hub
        return [str(hub.run(deny(hub, self.insurer(hub), AMC, each)).outcome) for each in openings]

    def insurer(self, hub: OpenHub) -> Request:
        own = Account(f"amc:{AMC}", "", "", AMC, frozenset({"exposure:own"}))
        return Request(own, hub.ids.new("opn_"))

    def lose(self, *names: str) -> None:
        """Lose files and start again: what follows from the journal is made from it."""
        self.close()
        for name in names:
            for file in self.directory.glob(f"{name}*"):
                file.unlink()
        self.hub.run(self.hub.recover())

    def alerts(self, account: str) -> dict[str, Any]:
        """What detectors found of an account, by signal."""
        return {each["signal"]: each for each in self.json("gate", "show", account).get("alerts", ())}

    def step(self, account: str) -> str:
        return step_name(self.hub.containments.state(Kind.ACCOUNT, account))


@contextmanager
def inside(folder: Path, people: int = 100) -> Iterator[Inside]:
    """A hub under its own clock, which begins now."""
    with Ahead(folder / "ahead").ruling():
        made = Inside(folder, people)
        try:
            yield made
        finally:
            made.close()


def spent_s(work: Any) -> float:
    """How long it takes, in seconds."""
    began_s = time.perf_counter()
    work()
    return time.perf_counter() - began_s
