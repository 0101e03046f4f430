"""The auditor believes an honest journal, and sees each entry that is not what was told, though the journal's own seals all hold.

Each mutant is the journal of a finished hub with one thing in one entry changed, written and signed again with the hub's own
keys, and its lake made anew: `ecluse journal verify` finds nothing wrong with it. Only who knows what was told can tell.
"""

from __future__ import annotations

import operator
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from pathlib import Path

import msgspec
import pytest

from ecluse.journal.entry import Entry, Field, encode
from ecluse.kernel.days import paris_day
from ecluse.wiring import open_hub
from sim import hub
from sim.auditor.exposure import INVARIANT, Examiner
from sim.auditor.lie import Lie
from sim.auditor.questions import complete_questions
from sim.investigator import Investigator
from sim.run import Advance, Run
from tests.journal import entries_in

PEOPLE = 100
SEED = 21
WRITTEN = ("journal", "heads", "lake")


class Silence:
    """Tells nobody."""

    @contextmanager
    def stage(self, _title: str, _total: int) -> Iterator[Advance]:
        """Nothing."""
        yield lambda _: None


def played(seed: int, out: Path, runs: hub.Operator | None = None) -> Run:
    run = Run(seed, PEOPLE, out, paris_day(datetime.now(UTC)), Silence(), runs or hub.Operator())
    run.whole()
    return run


@dataclass
class Finished:
    """A run that is over, its hub, and the entries of its journal."""

    run: Run
    entries: list[Entry]

    @property
    def told(self) -> list[int]:
        """The places of entries that told somebody something about a person."""
        return [place for place, each in enumerate(self.entries) if each.person and each.fields]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    run = played(SEED, tmp_path_factory.mktemp("exposure") / "run")
    assert run.examiner.people > 50
    return Finished(run, entries_in(run.hub / "journal"))


def audited(finished: Finished, entries: list[Entry], folder: Path, kind: str = "everybody") -> Examiner:
    """The auditor's complete questions of a kind, to the hub with this journal in the place of its own. Raises `Lie`."""
    run = finished.run
    for name in WRITTEN:
        shutil.rmtree(run.hub / name, ignore_errors=True)
    for counters in run.hub.glob(
        "gate.db*"
    ):  # they know how far each slot of the other journal went; made again from this one
        counters.unlink()
    with open_hub(run.hub) as opened:
        opened.log.append([encode(each) for each in entries])
    hub.command("journal", "verify", "--dir", str(run.hub))
    examiner = Examiner(run.record, run.examiner.referenced, run.listener.oath)
    investigator = Investigator(run.operator, run.hub, folder, run.listener.oath, run.investigator.identities)
    for question in complete_questions(run.record):
        if question.name.startswith(kind):
            examiner.examine(question, *investigator.ask(question))
    return examiner


def test_an_honest_journal_written_again_is_believed(finished: Finished, tmp_path: Path) -> None:
    assert audited(finished, finished.entries, tmp_path).lines == finished.run.examiner.people


Change = Callable[[Finished, int], list[Entry]]  # the journal with the entry at that place changed


def with_field(name: str, value: Callable[[Entry, Finished], object]) -> Change:
    """The journal in which one value of one entry is another."""

    def change(finished: Finished, place: int) -> list[Entry]:
        entries = list(finished.entries)
        entries[place] = msgspec.structs.replace(entries[place], **{name: value(entries[place], finished)})
        return entries

    return change


def another(name: str) -> Callable[[Entry, Finished], object]:
    """A value that another entry of the same insurer has, or any other where the insurer has none."""

    def value(entry: Entry, finished: Finished) -> object:
        others = [
            each for each in finished.entries if each.person and getattr(each, name) not in ("", getattr(entry, name))
        ]
        same = [each for each in others if each.insurer == entry.insurer]
        return getattr((same or others)[0], name)

    return value


def dropped(finished: Finished, place: int) -> list[Entry]:
    return [each for at, each in enumerate(finished.entries) if at != place]


def duplicated(finished: Finished, place: int) -> list[Entry]:
    return [*finished.entries[: place + 1], *finished.entries[place:]]


def told_by_others(finished: Finished, entry: Entry) -> int:
    """The fields that other entries told of this person."""
    person = (entry.insurer, entry.person)
    others = [each.fields for each in finished.entries if (each.insurer, each.person) == person and each is not entry]
    return reduce(operator.or_, others, 0)


def told_once(finished: Finished, entry: Entry) -> int:
    """One field that only this entry told of this person, as a bit; 0 when others told them all."""
    return lowest(entry.fields & ~told_by_others(finished, entry))


def told_again(finished: Finished, entry: Entry) -> int:
    """One field of this entry that another told, too: without it the person was shown the same fields still."""
    again = lowest(entry.fields & told_by_others(finished, entry))
    return again if again != entry.fields else 0  # without its only field, the entry shows nothing


def told_elsewhere(finished: Finished, entry: Entry) -> int:
    """One field that others told of this person and this entry did not: with it the person was shown no field more."""
    return lowest(~entry.fields & told_by_others(finished, entry))


def lowest(bits: int) -> int:
    return bits & -bits


HOUR_US = 3_600_000_000
MUTANTS: dict[str, Change] = {
    "an entry dropped": dropped,
    "an entry twice": duplicated,
    "a field less": with_field("fields", lambda entry, finished: entry.fields & ~told_once(finished, entry)),
    "a field less that another told": with_field(
        "fields", lambda entry, finished: entry.fields & ~told_again(finished, entry)
    ),
    "a field more that another told": with_field(
        "fields", lambda entry, finished: entry.fields | told_elsewhere(finished, entry)
    ),
    "a field more": with_field("fields", lambda entry, _: entry.fields | Field.MEMBER),
    "a field of somebody shown nothing": with_field("fields", lambda *_: 0),
    "another person": with_field("person", another("person")),
    "another insurer": with_field("insurer", another("insurer")),
    "nobody": with_field("person", lambda *_: b""),
    "another account": with_field("account", another("account")),
    "another network": with_field("network", another("network")),
    "another login": with_field("session", another("session")),
    "an hour earlier": with_field("ts_us", lambda entry, _: entry.ts_us - HOUR_US),
}

NEEDS = {
    "a field less": told_once,
    "a field less that another told": told_again,
    "a field more that another told": told_elsewhere,
}  # of the entry: without it the change changes nothing
SEEN_IN = {"another account": "accounts", "another network": "networks", "another login": "sessions"}
SEEN_AS = dict.fromkeys(("a field less that another told", "a field more that another told"), "disclosures of")
WHOSE = {
    "another person",
    "another insurer",
    "nobody",
}  # of entries without `who`, which opens for the right person only


@pytest.mark.parametrize("name", MUTANTS)
def test_one_wrong_entry_is_seen(finished: Finished, tmp_path: Path, name: str) -> None:
    seen(finished, tmp_path, name, 0)


@pytest.mark.slow
@pytest.mark.parametrize("drawn", range(1, 6))
@pytest.mark.parametrize("name", MUTANTS)
def test_one_wrong_entry_is_seen_wherever_it_is(finished: Finished, tmp_path: Path, name: str, drawn: int) -> None:
    seen(finished, tmp_path, name, drawn)


def is_hard(finished: Finished, name: str, place: int) -> bool:
    """Whether this mutant of the entry there is one, and is not seen for another reason than its own."""
    entry = finished.entries[place]
    return (name not in WHOSE or not entry.who) and (name not in NEEDS or bool(NEEDS[name](finished, entry)))


def seen(finished: Finished, folder: Path, name: str, drawn: int) -> None:
    """One mutant of an entry that is drawn by name and number."""
    place = random.Random(f"{name} {drawn}").choice([at for at in finished.told if is_hard(finished, name, at)])
    with pytest.raises(Lie, match=f"{SEEN_AS.get(name, '')}.*{INVARIANT}"):
        audited(finished, MUTANTS[name](finished, place), folder, SEEN_IN.get(name, "everybody"))


class Mutant(hub.Operator):
    """Serves a hub whose code was changed as `changes` says, before it starts."""

    def __init__(self, changes: str) -> None:
        self.program = f"import asyncio\nfrom ecluse.app import access\n{changes}\n{hub.PROGRAM}"


FORGETS_A_FIELD = "del access._BITS['csr']"
RECORDS_LATER = """
recorded = access.Desk.release
async def release(desk, admission, disclosure):
    if admission.operation != "claim_read":
        return await recorded(desk, admission, disclosure)
    async def later():
        await asyncio.sleep(60)
        await recorded(desk, admission, disclosure)
    desk.later = [*getattr(desk, "later", []), asyncio.create_task(later())]
    return access.Released(disclosure._answer)
access.Desk.release = release
"""


@pytest.mark.slow
@pytest.mark.parametrize("changes", [FORGETS_A_FIELD, RECORDS_LATER], ids=["forgets a field", "records later"])
def test_a_hub_whose_code_forgets_is_seen(tmp_path: Path, changes: str) -> None:
    """The second answers first and records a minute later: the server is stopped before that."""
    with pytest.raises(Lie, match=INVARIANT):
        played(SEED, tmp_path / "run", Mutant(changes))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 120))
def test_more_seeds_hold(tmp_path: Path, seed: int) -> None:
    run = played(seed, tmp_path / "run")
    assert run.examiner.lines > run.examiner.people > 30
