"""What the hub says it displayed, held against the record of what everybody was told: person by person, field by field.

Each question is asked with the hub's real command. Its counts are compared by insurer, field, day, account and category, and each
insurer's list, decrypted with that insurer's own key, line by line. Where a desk had to ask again because its line was cut, the
hub may have told it each time: then times are held between the two.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sim.auditor.lie import Oath
from sim.auditor.questions import Question
from sim.auditor.told import Member, Record, Telling, instant

Json = dict[str, Any]
Lists = Mapping[str, str]  # insurer → its list as CSV, in clear

PARIS = ZoneInfo("Europe/Paris")
SECOND_US = 1_000_000
SAID_MAX = 3  # people named in a lie; the first is enough to look for it
INVARIANT = "displayed is what was told"


@dataclass(frozen=True, slots=True)
class Shown:
    """One person as the record has them in a question: instants and times are bounds, both inside."""

    fields: frozenset[str]
    first_us: tuple[int, int]
    last_us: tuple[int, int]
    times: tuple[int, int]
    is_billed: bool
    times_by_field: Mapping[str, tuple[int, int]]

    @property
    def category(self) -> str:
        """Why they were displayed; in a run nobody shows a pass."""
        return "billed" if self.is_billed else "unexplained"


class Examiner:
    """Holds answers against the record, once it is complete. `referenced`: members handed in, by insurer."""

    def __init__(self, record: Record, referenced: Mapping[str, int], oath: Oath) -> None:
        self.record, self.referenced, self.oath = record, referenced, oath
        self.bills = bills_of(record)
        self.questions = self.people = self.lines = 0  # asked; displayed in the largest answer; lines of lists compared

    def examine(self, question: Question, said: Json, lists: Lists) -> None:
        """Compare one answer, and the lists in clear. Raises `Lie` at the first difference."""
        about = f"exposure of {question.name}"
        tellings = [told for told in self.record.tellings if question.holds(told)]
        truth = {member: together(mine, self.bills.get(member, [])) for member, mine in by_member(tellings).items()}
        _compare_counts(truth, tellings, said, self.oath, about)
        _compare_pages(self.record, question, said, self.oath, about)
        _compare_referenced(question, self.referenced, said, self.oath, about)
        if question.is_listed:
            self.lines += _compare_lists(truth, lists, self.oath, about)
        self.questions += 1
        self.people = max(self.people, len(truth))


# the truth of a question


def by_member(tellings: Iterable[Telling]) -> dict[Member, list[Telling]]:
    """What was told, by whom it was about."""
    found: dict[Member, list[Telling]] = {}
    for told in tellings:
        found.setdefault(told.member, []).append(told)
    return found


def bills_of(record: Record) -> dict[Member, list[Telling]]:
    """The claims of each person that were accepted and not cancelled since."""
    return by_member(told for told in record.tellings if told.bills and told.bills not in record.cancelled)


def together(tellings: Sequence[Telling], bills: Iterable[Telling]) -> Shown:
    """All that was told about one person."""
    return Shown(
        frozenset[str]().union(*(told.fields for told in tellings)),
        (min(told.sent_us for told in tellings), min(told.received_us for told in tellings)),
        (max(told.sent_us for told in tellings), max(told.received_us for told in tellings)),
        (len(tellings), sum(told.attempts for told in tellings)),
        all(any(explains(bill, told) for bill in bills) for told in tellings),
        times_by_field(tellings),
    )


def times_by_field(tellings: Iterable[Telling]) -> dict[str, tuple[int, int]]:
    """How often each field was told: as often as it was answered at least, as often as it was asked at most."""
    least, most = Counter[str](), Counter[str]()
    for told in tellings:
        least.update(told.fields)
        most.update(dict.fromkeys(told.fields, told.attempts))
    return {name: (least[name], most[name]) for name in least}


def explains(bill: Telling, told: Telling) -> bool:
    """Whether this claim follows what was told, at the same place. A run is over long before such a claim would come too late."""
    return bill.practice == told.practice and bill.received_us >= told.received_us


# the hub against it


def _compare_counts(
    truth: Mapping[Member, Shown], tellings: Sequence[Telling], said: Json, oath: Oath, about: str
) -> None:
    """The counts of each insurer, then their sum."""
    parts = {part["insurer"]: part["displayed"] for part in said["insurers"]}
    for insurer in sorted({*parts, *(member.insurer for member in truth)}):
        people = [each for member, each in truth.items() if member.insurer == insurer]
        mine = [told for told in tellings if told.member.insurer == insurer]
        _compare_displayed(people, mine, parts.get(insurer, NOBODY), oath, f"{about}, insurer {insurer}")
    oath.same(INVARIANT, f"{about}, people", said["displayed"]["people"], exactly(len(truth)))


def exactly(count: int) -> Json:
    """A count without a gap."""
    return {"at_least": count, "at_most": count}


COUNTS = ("categories", "fields", "days", "accounts")
NOBODY: Json = {"people": exactly(0), "times": 0, "disclosures": {}, **{name: {} for name in COUNTS}}


def _compare_displayed(
    people: Sequence[Shown], tellings: Sequence[Telling], said: Json, oath: Oath, about: str
) -> None:
    """The counts of one insurer's people: all of them, by category, field, day and account; and how often."""
    least, most = (sum(each.times[bound] for each in people) for bound in (0, 1))
    oath.true(INVARIANT, f"{about}, times", least <= said["times"] <= most, f"{least} to {most}", said["times"])
    oath.same(INVARIANT, f"{about}, people", said["people"], exactly(len(people)))
    counts = (
        Counter(each.category for each in people),
        Counter(name for each in people for name in each.fields),
        people_by(tellings, lambda told: day_of(told.sent_us)),
        people_by(tellings, lambda told: told.account),
    )
    for name, expected in zip(COUNTS, counts, strict=True):
        found = {key: value for key, value in said[name].items() if value}
        oath.same(INVARIANT, f"{about}, {name}", found, dict(expected))
    _compare_times(times_by_field(tellings), said["disclosures"], oath, f"{about}, disclosures")


def _compare_times(truth: Mapping[str, tuple[int, int]], said: Mapping[str, int], oath: Oath, about: str) -> None:
    """How often each field was told, which others told the same or not."""
    oath.same(INVARIANT, about, sorted(said), sorted(truth))
    for name, (least, most) in truth.items():
        oath.true(INVARIANT, f"{about} of {name}", least <= said[name] <= most, f"{least} to {most}", said[name])


def people_by(tellings: Iterable[Telling], value: Callable[[Telling], str]) -> Counter[str]:
    """How many people there are of each value."""
    return Counter(each for each, _ in {(value(told), told.member) for told in tellings})


def day_of(ts_us: int) -> str:
    """The day in Paris."""
    return datetime.fromtimestamp(ts_us / 1_000_000, PARIS).date().isoformat()


def _compare_pages(record: Record, question: Question, said: Json, oath: Oath, about: str) -> None:
    """Pages of a practice's own claims and approvals name nobody; that they were shown is counted."""
    if not question.is_narrowed:
        pages = [page for page in record.pages if question.asks(page)]
        least, most, found = len(pages), sum(page.attempts for page in pages), said["lists_shown"]
        oath.true("pages shown", about, least <= found <= most, f"{least} to {most}", found)


def _compare_referenced(question: Question, referenced: Mapping[str, int], said: Json, oath: Oath, about: str) -> None:
    """How many people each insurer's member file had: the hub held them all before the first exchange."""
    expected = {name: held for name, held in referenced.items() if not question.insurers or name in question.insurers}
    found = {part["insurer"]: part["referenced"] for part in said["insurers"] if part["referenced"] is not None}
    oath.same("referenced is who was handed in", about, found, expected)
    for part in said["insurers"]:
        shown, could, held = part["displayed"]["people"]["at_least"], part["reachable"], part["referenced"]
        oath.true("reachable is a bound", about, shown <= could <= held, f"{shown} to {held}", could)


def _compare_lists(truth: Mapping[Member, Shown], lists: Lists, oath: Oath, about: str) -> int:
    """Every line of every insurer's list; gives how many there were."""
    lines = [
        (member_of(insurer, row), row) for insurer, rows in lists.items() for row in csv.DictReader(io.StringIO(rows))
    ]
    found = dict(lines)
    oath.same(INVARIANT, f"{about}, people listed twice", len(lines) - len(found), 0)
    for what, surplus in (("missing", truth.keys() - found.keys()), ("too many", found.keys() - truth.keys())):
        oath.same(INVARIANT, f"{about}, people {what} in the lists", sorted(surplus)[:SAID_MAX], [])
    for member, row in found.items():
        _compare_line(truth[member], row, oath, f"{about}, {member}")
    return len(lines)


def member_of(insurer: str, row: Mapping[str, str]) -> Member:
    """Whom a line of a list names."""
    return Member(insurer, row["member_number"], row["birth_date"], int(row["birth_rank"]))


def _compare_line(truth: Shown, row: Mapping[str, str], oath: Oath, about: str) -> None:
    """One person's line: fields, how often each, times, first and last instant (to the second), category."""
    oath.same(INVARIANT, f"{about}, fields", sorted(row["fields"].split()), sorted(truth.fields))
    times = dict(zip(row["fields"].split(), map(int, row["times_by_field"].split()), strict=True))
    _compare_times(truth.times_by_field, times, oath, f"{about}, times by field")
    oath.same(INVARIANT, f"{about}, category", row["category"], truth.category)
    least, most = truth.times
    for name in ("times", "without_presence"):  # nobody showed a pass
        oath.true(INVARIANT, f"{about}, {name}", least <= int(row[name]) <= most, f"{least} to {most}", row[name])
    for name, (earliest, latest) in (("first_at", truth.first_us), ("last_at", truth.last_us)):
        at_us = int(datetime.fromisoformat(row[name]).timestamp()) * 1_000_000
        between = f"{instant(earliest)} to {instant(latest)}"
        oath.true(INVARIANT, f"{about}, {name}", earliest - SECOND_US < at_us <= latest, between, row[name])
