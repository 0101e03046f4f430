"""The people of an incident, insurer by insurer, as known at its scope: their lists, and what their letters are merged from.

Asked of the lake again, at the scope's own instant: a claim sent since explains nothing, so that a version gives the same rows.
Seals are opened here, a block of people at a time; whoever was forgotten since is there by their reference alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

import msgspec

from ecluse.app.exposure.evidence import Inquiry, Told, check_kept
from ecluse.app.exposure.lists import BLOCK_ROWS, row_of
from ecluse.app.hub import Hub
from ecluse.app.ports.lake import Lake
from ecluse.breach.incident.events import Scoped
from ecluse.breach.shown import letter_fields, whose_account
from ecluse.exposure.categories import BILLED_WITHIN, Category
from ecluse.exposure.places import departement
from ecluse.exposure.shown import Shown
from ecluse.formats.exposure_list import UNKNOWN, CsvList, ParquetList, Row
from ecluse.formats.letter_rows import LetterLines, LetterRow, LetterTable
from ecluse.gate.admission import Admission
from ecluse.kernel.days import DAY_US, instant, months_after, paris_day

ADULT_MONTHS = 18 * 12
STEPS = 5

By = Mapping[tuple[str, bytes], tuple[str, ...]]  # insurer, reference → by whose accounts and where, in words


class People(msgspec.Struct, frozen=True):
    """Everybody displayed, by insurer, in the order of their references, and by whom."""

    shown: Mapping[str, Sequence[Shown]]
    by: By


class Files(msgspec.Struct, frozen=True):
    """An insurer's files about people, by name; how many people, how many forgotten since, how many minors."""

    files: dict[str, bytes]
    people: int
    unknown: int
    minors: int


def people_of(hub: Hub, lake: Lake, admission: Admission, scoped: Scoped, told: Told) -> People:
    """Who was displayed, of every insurer. Blocks. Raises `exposure_pruned`, `lake_behind`, `lake_differs`."""
    question = scoped.question
    check_kept(hub.exposure.shards, question)
    inquiry = Inquiry(lake, admission, question, told, STEPS)
    days = hub.book.on(paris_day(instant(question.end_ts_us)), BILLED_WITHIN).count
    until_us = max(question.end_ts_us, min(question.end_ts_us + days * DAY_US, scoped.as_of_us))
    shown: dict[str, list[Shown]] = {}
    for each in inquiry.shown(until_us, days, one_by_one=True):
        shown.setdefault(each.insurer, []).append(each)
    return People(shown, _by(hub, scoped, inquiry))


def files_of(hub: Hub, insurer: str, people: People, today: date) -> Files:
    """The list and the letters' rows of one insurer, each in its two forms, in memory. Blocks."""
    shown = people.shown.get(insurer, ())
    lists: dict[str, CsvList | ParquetList] = {"personnes.csv": CsvList(), "personnes.parquet": ParquetList()}
    letters: dict[str, LetterLines | LetterTable] = {
        "courriers.jsonl": LetterLines(),
        "courriers.parquet": LetterTable(),
    }
    unknown = minors = 0
    eighteen = months_after(today, -ADULT_MONTHS).isoformat()
    for start in range(0, len(shown), BLOCK_ROWS):
        some = shown[start : start + BLOCK_ROWS]
        rows = [row_of(hub.keys, each) for each in some]
        unknown += sum(row.member_number == UNKNOWN for row in rows)
        minors += sum(_is_minor(row.birth_date, eighteen) for row in rows)
        for file in lists.values():
            file.add(rows)
        merged = [*_merged(insurer, rows, some, people.by)]
        for written in letters.values():
            written.add(merged)
    files = {name: file.content() for name, file in lists.items()}
    files |= {name: written.content() for name, written in letters.items()}
    return Files(files, len(shown), unknown, minors)


def _merged(insurer: str, rows: Sequence[Row], some: Sequence[Shown], by: By) -> Iterator[LetterRow]:
    for row, each in zip(rows, some, strict=True):
        seen, unseen = letter_fields(each.fields)
        yield LetterRow(
            member_number=row.member_number,
            birth_date=row.birth_date,
            birth_rank=row.birth_rank,
            reference=row.reference,
            fields=tuple(row.fields.split()),
            shown=seen,
            not_shown=unseen,
            first_at=row.first_at,
            last_at=row.last_at,
            times=row.times,
            without_presence=row.without_presence,
            by=by.get((insurer, each.person), ()),
            category=row.category,
            normal_care=row.category != Category.UNEXPLAINED,
        )


def _by(hub: Hub, scoped: Scoped, inquiry: Inquiry) -> By:
    question = scoped.question
    doings = hub.exposure.lookback.doings(question.accounts, question.start_ts_us, question.end_ts_us)
    profession = {each.account: each.profession for each in doings}
    found: dict[tuple[str, bytes], tuple[str, ...]] = {}
    same: dict[tuple[str, ...], tuple[str, ...]] = {}  # most people were displayed by the same: they share a tuple
    for row in inquiry.ask("displayed_by"):
        person = row["insurer"], row["reference"]
        words = whose_account(profession.get(row["account"], ""), departement(row["practice"]))
        told = tuple(dict.fromkeys((*found.get(person, ()), words)))
        found[person] = same.setdefault(told, told)
    return found


def _is_minor(birth_date: str, eighteen: str) -> bool:
    """Whether somebody was born after that day; unknown months and days, as some cards have, count as the first."""
    year, _, rest = birth_date.partition("-")
    if not year.isdigit():
        return False
    month, _, day = rest.partition("-")
    return f"{year}-{month if month != '00' else '01'}-{day if day != '00' else '01'}" > eighteen
