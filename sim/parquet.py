"""The truth left beside a demo, as Parquet: people, professionals, exchanges and money (columns: docs/simulator.md)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from sim.auditor.book import Book
from sim.auditor.told import Record, instant
from sim.player import Played
from sim.world import World

Columns = dict[str, str]

PEOPLE: Columns = {
    "insurer": "VARCHAR", "member_number": "VARCHAR", "nir": "VARCHAR", "birth_date": "VARCHAR", "birth_rank": "INTEGER",
    "domains": "VARCHAR", "valid_from": "DATE", "valid_to": "DATE",
}  # fmt: skip
PROFESSIONALS: Columns = {"account": "VARCHAR", "practice": "VARCHAR", "profession": "VARCHAR", "place": "VARCHAR"}
EXCHANGES: Columns = {
    "ts": "TIMESTAMPTZ", "account": "VARCHAR", "method": "VARCHAR", "path": "VARCHAR", "request": "VARCHAR",
    "status": "INTEGER", "response": "VARCHAR",
}  # fmt: skip
TOLD: Columns = {
    "sent": "TIMESTAMPTZ", "received": "TIMESTAMPTZ", "attempts": "INTEGER", "account": "VARCHAR", "practice": "VARCHAR",
    "network": "VARCHAR", "software": "VARCHAR", "session": "VARCHAR", "insurer": "VARCHAR", "member_number": "VARCHAR",
    "birth_date": "VARCHAR", "birth_rank": "INTEGER", "fields": "VARCHAR",
}  # fmt: skip
MONEY: Columns = {
    "practice": "VARCHAR", "insurer": "VARCHAR", "claim": "VARCHAR", "cents": "BIGINT", "state": "VARCHAR",
}  # fmt: skip


def write_truth(world: World, played: list[Played], record: Record, book: Book, folder: Path) -> None:
    """Write the five tables in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    write_table(folder / "people.parquet", PEOPLE, people_rows(world))
    write_table(folder / "professionals.parquet", PROFESSIONALS, professional_rows(world))
    write_table(folder / "exchanges.parquet", EXCHANGES, exchange_rows(played))
    write_table(folder / "told.parquet", TOLD, told_rows(record))
    write_table(folder / "money.parquet", MONEY, money_rows(book))


def people_rows(world: World) -> Iterator[list[Any]]:
    """One row a person and contract; people without complementary insurance have one row without insurer."""
    for person in world.people:
        card = [person.nir, person.birth_date, person.birth_rank]
        rights = world.rights(person)
        for row in rights:
            until = row.valid_to.isoformat() if row.valid_to else None
            domains = " ".join(row.domains)
            yield [row.insurer, row.member_number, *card, domains, row.valid_from.isoformat(), until]
        if not rights:
            yield [None, None, *card, None, None, None]


def professional_rows(world: World) -> Iterator[list[Any]]:
    """One row an account; `place` is the INSEE code of the commune."""
    for who in world.professionals:
        yield [who.account, who.practice.number, who.trade.profession, who.practice.commune]


def exchange_rows(played: Iterable[Played]) -> Iterator[list[Any]]:
    """One row an exchange, exactly as it was sent and received."""
    for each in played:
        at = datetime.fromtimestamp(each.sent_at, UTC).isoformat()
        yield [at, each.planned.account, each.planned.method, each.path, each.sent, each.status, each.answer.decode()]


def told_rows(record: Record) -> Iterator[list[Any]]:
    """One row an answer about one person; `fields` are those of docs/journal.md."""
    for told in record.tellings:
        asker = (told.attempts, told.account, told.practice, told.network, told.software, told.session)
        about = (told.member.insurer, told.member.number, told.member.birth_date, told.member.birth_rank)
        yield [instant(told.sent_us), instant(told.received_us), *asker, *about, " ".join(sorted(told.fields))]


def money_rows(book: Book) -> Iterator[list[Any]]:
    """One row a claim, as the auditor's book has it."""
    for claim in book.claims.values():
        yield [claim.practice, claim.insurer, claim.claim_id, claim.cents, claim.state]


def write_table(path: Path, columns: Columns, rows: Iterable[list[Any]]) -> None:
    """Write `rows` as one Parquet file, through DuckDB."""
    lines = path.with_suffix(".jsonl")
    with lines.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False) + "\n")
    spec = ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items())
    # The rows of one JSON file, typed, as Parquet.
    copy = f"COPY (SELECT * FROM read_json(?, format = 'newline_delimited', columns = {{{spec}}})) TO '{path}' (FORMAT parquet)"
    with duckdb.connect() as lake:
        lake.execute(copy, [str(lines)])
    lines.unlink()
