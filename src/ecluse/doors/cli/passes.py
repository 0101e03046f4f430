"""`ecluse pass`: presence passes of insurers' members."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.table import Column, Table

from ecluse.app.pass_keys import keys_told, status_list
from ecluse.app.passes import (
    OPERATOR,
    TOGETHER,
    IssuedRow,
    check_pass,
    issue_some,
    order,
    read_pass,
    revoke_member,
    revoke_person,
)
from ecluse.app.passes import revoke_pass as revoke_one
from ecluse.doors.cli.given import read_file
from ecluse.doors.cli.screen import ERRORS, HERE, OUT, Dir, Json, bar, print_json
from ecluse.formats.feed.file import RowRefusal
from ecluse.formats.pass_members import FILE_BYTES_MAX, Wanted, read_members
from ecluse.formats.qr import FORMATS
from ecluse.gate.admission import Request
from ecluse.journal.member import Member
from ecluse.kernel.days import parse_day
from ecluse.kernel.errors import refusal
from ecluse.passes.issued import CHARS_MAX, VALID_DAYS_MAX
from ecluse.passes.keys import PassKey
from ecluse.passes.refusals import PASS_KEY_UNKNOWN
from ecluse.passes.verify import Verified
from ecluse.wiring import OpenHub, open_hub

app = typer.Typer(help="Presence passes of insurers' members.", no_args_is_help=True)

SHOWN_MAX = 20  # refused rows printed; all of them are in the JSON
NOT_ISSUED = (
    "pass_member_unknown",
    "nobody so named is covered on the first day",
    "Load the member file first; compare number, NIR and birth date.",
)

CODE_KIND = refusal("code_kind_invalid", 400, "No such kind of picture", fix="Name svg or png.")

Scanned = Annotated[str, typer.Argument(metavar="FILE|-", help="A file that holds the pass's text; - reads it.")]
Insurer = Annotated[str, typer.Option(help="The insurer's AMC number.")]


@app.command("issue")
def issue(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The members, CSV: docs/passes.md.")],
    insurer: Insurer,
    out: Annotated[Path, typer.Option(help="The CSV to write: line, member number, pass. Passes open doors: keep it.")],
    codes: Annotated[Path | None, typer.Option(help="A folder for pictures, one a pass, named by its line.")] = None,
    kind: Annotated[str, typer.Option(help="What pictures are: svg or png.")] = "svg",
    first: Annotated[str, typer.Option("--from", help="The first day, YYYY-MM-DD; today without it.")] = "",
    days: Annotated[int, typer.Option(help="How many days they hold, 7 to 31.")] = VALID_DAYS_MAX,
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Issue passes. The same list for the same days gives the same passes: killed, it is simply run again."""
    if kind not in FORMATS:
        raise CODE_KIND()
    content = read_file(file, FILE_BYTES_MAX)
    with open_hub(directory) as hub, bar("issuing", quiet=json) as told:
        asked = Request(OPERATOR, "")
        given = order(hub, asked, insurer, parse_day(first) if first else None, days, content)
        rows, refused = _read(content)
        issued: list[IssuedRow] = []
        for some in _together(rows):
            issued += [each.answer for each in hub.run(issue_some(hub, asked, given, some))]
            told(len(issued), len(rows))
    refused += [RowRefusal(row.line, "", *NOT_ISSUED) for row in issued if row.text is None]
    _write(out, {row.line: row.member_number for row in rows}, issued)
    if codes:
        _draw(codes, kind, issued)
    _tell(issued, sorted(refused, key=lambda each: each.line), json)


@app.command("revoke")
def revoke(
    insurer: Insurer,
    scanned: Annotated[str, typer.Argument(metavar="[FILE|-]", help="The pass; - reads it.")] = "",
    member: Annotated[str, typer.Option(help="All passes of a member instead: their number.")] = "",
    person: Annotated[str, typer.Option(help="All passes of a person, by the reference an entry has.")] = "",
    birth_date: Annotated[str, typer.Option(help="With --member: their birth date, as in the member file.")] = "",
    birth_rank: Annotated[int, typer.Option(help="With --member: their birth rank.")] = 1,
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Revoke a pass, or every pass of a member: at once on line, off line with the next status list."""
    asked = Request(OPERATOR, "")
    with open_hub(directory) as hub:
        if person:
            count = hub.run(revoke_person(hub, asked, insurer, person))
        elif member:
            count = hub.run(revoke_member(hub, asked, insurer, Member(member, birth_date, birth_rank)))
        else:
            count = hub.run(revoke_one(hub, asked, insurer, _text(scanned)))
    if json:
        print_json({"revoked": count})
    else:
        typer.echo(f"{count} revoked")


@app.command("show")
def show(
    scanned: Scanned,
    svg: Annotated[Path | None, typer.Option(help="Write the code as SVG.")] = None,
    png: Annotated[Path | None, typer.Option(help="Write the code as PNG.")] = None,
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """Print what stands in a pass of this hub, valid or not; nothing in it names anybody."""
    text = _text(scanned)
    with open_hub(directory) as hub:
        found = read_pass(hub, text)
    for path, kind in ((svg, "svg"), (png, "png")):
        if path:
            path.write_bytes(FORMATS[kind](text))
    _print(_claims(found), json)


@app.command("verify")
def verify(scanned: Scanned, directory: Dir = HERE, json: Json = False) -> None:
    """Say whether a pass holds now, and if not why. A live one is not spent by it."""
    with open_hub(directory) as hub:
        found = hub.run(check_pass(hub, _text(scanned)))
    _print({"presence": "live" if found.shown else "pass", **_claims(found)}, json)


@app.command("keys")
def keys(directory: Dir = HERE, json: Json = False) -> None:
    """Every key that signs passes or did, and how many it signed that are neither expired nor revoked; reads the whole book.

    Those of a retired key are refused. Which insurers they are of: --json.
    """
    with open_hub(directory) as hub:
        told = hub.run(keys_told(hub))
    if json:
        print_json({"keys": told})
        return
    table = Table("version", "key id", Column("public key", overflow="fold"), "", "passes", "until")
    for key in told:
        until = _at(key.until) if key.until else ""
        table.add_row(f"{key.version}", key.key_id, key.public_key, key.state, f"{key.passes:,}", until)
    OUT.print(table)


@app.command("status")
def status(
    key: Annotated[str, typer.Option(help="The id of another key than the newest.")] = "",
    out: Annotated[Path | None, typer.Option(help="Write the signed list, for verifiers off line.")] = None,
    directory: Dir = HERE,
    json: Json = False,
) -> None:
    """The key passes are signed under, and the list of those revoked. Each key that is not retired has a list of its own."""
    with open_hub(directory) as hub:
        made = hub.run(status_list(hub, _key(hub, key)))
    if out:
        out.write_bytes(made.content)
    plain = {name: getattr(made, name) for name in ("key_id", "public_key", "size", "revoked")}
    _print({**plain, "made": _at(made.made), "until": _at(made.until), "bytes": len(made.content)}, json)


def _key(hub: OpenHub, id_: str) -> PassKey:
    """The key of this id that is not retired, the newest without one. Raises `pass_key_unknown`."""
    known = hub.keys.pass_keys()
    key = known.named(id_.lower()) if id_ else known.newest
    if key is None:
        raise PASS_KEY_UNKNOWN()
    return key


def _read(content: bytes) -> tuple[list[Wanted], list[RowRefusal]]:
    rows = list(read_members(content))
    return [each for each in rows if isinstance(each, Wanted)], [each for each in rows if isinstance(each, RowRefusal)]


def _together(rows: Sequence[Wanted]) -> Iterator[list[Wanted]]:
    left = iter(rows)
    while some := list(islice(left, TOGETHER)):
        yield some


def _write(out: Path, numbers: dict[int, str], issued: Sequence[IssuedRow]) -> None:
    """All of it or nothing, for its owner alone."""
    part = out.with_name(out.name + ".part")
    with os.fdopen(os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("line", "member_number", "valid_from", "expires", "covered_until", "pass"))
        for row in issued:
            if row.text and row.valid_from and row.expires:
                begins, ends = _at(row.valid_from), _at(row.expires)
                rows.writerow((row.line, numbers[row.line], begins, ends, row.covered_until, row.text))
    part.replace(out)


def _draw(folder: Path, kind: str, issued: Sequence[IssuedRow]) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for row in issued:
        if row.text:
            (folder / f"{row.line}.{kind}").write_bytes(FORMATS[kind](row.text))


def _tell(issued: Sequence[IssuedRow], refused: Sequence[RowRefusal], json: bool) -> None:
    count = sum(row.text is not None for row in issued)
    if json:
        print_json({"issued": count, "refused": [msgspec.structs.asdict(each) for each in refused]})
    else:
        OUT.print(f"{count:,} issued, {len(refused):,} refused")
        _table(refused[:SHOWN_MAX])
    if refused:
        ERRORS.print(f"passes_refused: {len(refused):,} rows refused, the others have their passes", soft_wrap=True)
        raise typer.Exit(2)


def _table(refused: Sequence[RowRefusal]) -> None:
    if refused:
        table = Table("line", "column", "code", "detail", "fix")
        for each in refused:
            table.add_row(f"{each.line}", each.column, each.code, each.detail, each.fix)
        OUT.print(table)


def _text(scanned: str) -> str:
    """The pass, of a file or of standard input; a line end is not part of it."""
    if scanned == "-":
        return sys.stdin.read(CHARS_MAX + 2).strip("\r\n")
    return read_file(Path(scanned), CHARS_MAX + 2).decode("ascii", "replace").strip("\r\n")


def _claims(found: Verified) -> dict[str, Any]:
    held = found.held
    return {
        "insurer": held.insurer,
        "key_id": found.key_id.hex(),
        "index": held.index,
        "valid_from": _at(datetime.fromtimestamp(held.not_before_ts, UTC)),
        "expires": _at(datetime.fromtimestamp(held.expires_ts, UTC)),
        "domains": list(held.domains),
        "covered_until": held.covered_until.isoformat(),
        "can_be_shown_live": bool(held.holder),
    }


def _at(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"


def _print(plain: dict[str, Any], json: bool) -> None:
    if json:
        print_json(plain)
    else:
        for name, value in plain.items():
            typer.echo(f"{name:18} {' '.join(value) if isinstance(value, list) else value}")
