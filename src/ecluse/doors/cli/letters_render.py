"""`ecluse letters render`, `professionals`, `check`: run by the insurer, without a hub, from its pack and its contacts."""

from __future__ import annotations

import io
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from ecluse import __version__
from ecluse.app.letters import Made, Ready, Render, Unwritten, begin, letters, letters_to_professionals, make
from ecluse.app.ports import Post
from ecluse.app.ports.letters import Press
from ecluse.breach.letter import rules
from ecluse.breach.letters.address import Contacts
from ecluse.breach.letters.code import check as checked
from ecluse.breach.letters.compose import Body, filled, plain_text
from ecluse.breach.letters.pack import About, Sender, about, read_rows, read_sender, read_shared
from ecluse.breach.tables import version
from ecluse.doors.cli.given import read_whole
from ecluse.doors.cli.screen import ERRORS, Json, bar, print_json
from ecluse.doors.letters.page import fill, page
from ecluse.formats.contacts import FILE_BYTES_MAX as CONTACTS_BYTES_MAX
from ecluse.formats.contacts import Contact, read_contacts
from ecluse.formats.feed.file import RowRefusal
from ecluse.formats.professionals import FILE_BYTES_MAX, read_professionals
from ecluse.kernel.days import paris_day, parse_day
from ecluse.kernel.errors import refusal

ROWS, SHARED, KEY = "courriers.jsonl", "courriers.json", "letters.key"
SHARED_BYTES_MAX = 1 << 20
SHOWN_MAX = 20  # refused rows printed; all of them are in the JSON
FORMATS = ("text", "html", "pdf")
ENDINGS = {"text": "txt", "html": "html", "pdf": "pdf"}

LETTER_FILE = refusal("letter_file_unreadable", 400, "A file cannot be read", fix="Check its name and its size.")
LETTER_FORMAT = refusal("letter_format_invalid", 400, "No such format", fix="Name text, html or pdf.")

Pack = Annotated[
    Path, typer.Option(metavar="DIR", help="The insurer's pack, unpacked: courriers.jsonl and courriers.json.")
]
SenderFile = Annotated[
    Path | None, typer.Option("--sender", metavar="FILE", help="TOML: the insurer's name, address, hours, signature.")
]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        "--key", metavar="FILE", help="The key of the codes; drawn where there is none.", show_default="DIR/letters.key"
    ),
]
Out = Annotated[Path, typer.Option(metavar="DIR", help="Where the letters go; empty, or of the same run.")]
Day = Annotated[str, typer.Option("--date", metavar="DAY", help="The day on the letters.", show_default="today")]
Formats = Annotated[
    list[str] | None, typer.Option("--format", help="text, html or pdf; may be repeated.", show_default="all three")
]


def render(
    pack: Pack,
    contacts: Annotated[Path, typer.Option(metavar="CSV", help="The insurer's contacts (docs/letters.md).")],
    out: Out,
    sender: SenderFile = None,
    key: KeyFile = None,
    day: Day = "",
    formats: Formats = None,
    json: Json = False,
) -> None:
    """Write a letter to everybody the pack names: their own fields, what follows, what to do, and a code to check.

    Killed, it goes on where it stopped. Exit code 2 when somebody has no letter or a row of the contacts is refused; the others
    have theirs.

    Example:

      ecluse letters render --pack pack/ --contacts contacts.csv --sender mutuelle.toml --out courriers/
    """
    from ecluse.wiring.letters import folder, key_of  # half a second, that `letters lint` does not pay

    told, said = about_pack(pack, sender)
    today, kinds = day_on(day), _kinds(formats)
    with opened(pack / ROWS) as lines:
        numbers = [each.member_number for each in read_rows(lines)]
    known, wrong = known_contacts(contacts, frozenset(numbers), today)
    post = folder(out)
    begin(post, run_of(pack / ROWS, contacts, said, today, kinds))
    made_with = key_of(key or pack / KEY, told.incident, told.insurer)
    with opened(pack / ROWS) as lines:
        made = _make(letters(read_rows(lines), known, told, made_with, today), len(numbers), post, kinds, json)
    _tell(made, wrong, json=json)


def professionals(
    pack: Pack,
    listed: Annotated[
        Path, typer.Option("--list", metavar="CSV", help="The professionals and what was seen of theirs.")
    ],
    out: Out,
    sender: SenderFile = None,
    key: KeyFile = None,
    day: Day = "",
    formats: Formats = None,
    json: Json = False,
) -> None:
    """Write a letter to each professional whose own data were seen: RIB, SIRET, contact.

    Example:

      ecluse letters professionals --pack pack/ --list professionnels.csv --out courriers-pro/
    """
    from ecluse.wiring.letters import folder, key_of

    rows = read_whole(listed, FILE_BYTES_MAX, LETTER_FILE)
    told, said = about_pack(pack, sender)
    today, kinds, post = day_on(day), _kinds(formats), folder(out)
    wrong: list[RowRefusal] = []
    known = _good(read_professionals(rows, frozenset(rules().fields)), wrong)
    begin(post, run_of(listed, listed, said, today, kinds))
    made_with = key_of(key or pack / KEY, told.incident, told.insurer)
    made = _make(letters_to_professionals(known, told, made_with, today), rows.count(b"\n"), post, kinds, json)
    _tell(made, wrong, json=json)


def check(
    code: Annotated[
        str, typer.Argument(help="The code on the letter, 20 characters; spaces and hyphens do not matter.")
    ],
    key: Annotated[
        Path,
        typer.Option("--key", envvar="ECLUSE_LETTERS_KEY", metavar="FILE", help="The key the letters were made with."),
    ] = Path(KEY),
    name: Annotated[
        str, typer.Option(help="The last name on the letter: a true code may be copied into a false one.")
    ] = "",
    json: Json = False,
) -> None:
    """Say whether a letter is real, and nothing else: not whose it is, not what it says. Exit code 2 when it is not.

    Ask for the last name too: a thief who has one true letter can copy its code into others.

    Example:

      ecluse letters check 7Q2M-9XKD-04TB-WJ5H-1NCE --key pack/letters.key --name Martin
    """
    from ecluse.wiring.letters import key_in

    found = checked(key_in(key), code, name)
    if json:
        print_json(found)
    else:
        typer.echo({
            "matches": "Cette lettre est vraie, et elle est bien à ce nom.",
            "not_given": "Ce code est vrai. Demandez le nom écrit sur la lettre (--name) avant de dire qu'elle l'est.",
            "does_not_match": "Ce code est vrai, mais pas à ce nom : il a pu être copié dans une fausse lettre.",
        }[found.name])  # fmt: skip
    raise typer.Exit(2 if found.name == "does_not_match" else 0)


def about_pack(pack: Path, sender: Path | None) -> tuple[About, bytes]:
    """What all letters share, and the bytes it was read from."""
    shared = read_whole(pack / SHARED, SHARED_BYTES_MAX, LETTER_FILE)
    own = read_whole(sender, SHARED_BYTES_MAX, LETTER_FILE) if sender else b""
    return about(read_shared(shared), read_sender(own) if sender else Sender()), shared + b"\0" + own


def known_contacts(file: Path, wanted: frozenset[str], today: date) -> tuple[Contacts, list[RowRefusal]]:
    """The rows of these member numbers, and of the holders that they name; every row of the file that cannot be read."""
    wrong: list[RowRefusal] = []
    rows: list[Contact] = [*_good(_contacts(file, wanted), wrong)]
    if holders := {row.holder_member_number for row in rows} - wanted - {""}:
        rows += _good(_contacts(file, holders), [])
    return Contacts(rows, today), wrong


def _contacts(file: Path, wanted: Container[str]) -> Iterator[Contact | RowRefusal]:
    with opened(file) as lines:
        yield from read_contacts(io.TextIOWrapper(lines, "utf-8-sig", newline=""), wanted)


def run_of(people: Path, contacts: Path, said: bytes, today: date, kinds: tuple[str, ...]) -> dict[str, str]:
    """What makes two runs the same: the same letters come out."""
    return {
        "people": _digest(people),
        "contacts": _digest(contacts),
        "said": sha256(said).hexdigest(),
        "day": today.isoformat(),
        "formats": " ".join(kinds),
        "rules": version(),
        "version": __version__,
    }


def _digest(file: Path) -> str:
    with opened(file) as content:
        return file_digest(content, "sha256").hexdigest()


def _make(found: Iterable[Ready | Unwritten | None], of: int, post: Post, kinds: tuple[str, ...], quiet: bool) -> Made:
    from ecluse.wiring.letters import press

    made_by = renders(kinds, press() if "pdf" in kinds else None)
    with bar("Courriers", quiet=quiet) as told:
        return make(found, post, made_by, lambda done: told(done, of) if done % 64 == 0 or done == of else None)


def renders(kinds: Iterable[str], with_press: Press | None) -> dict[str, Render]:
    """How each kind of file is made, by its ending."""
    return {ENDINGS[kind]: _RENDERS[kind](with_press) for kind in kinds}


def _text(_: Press | None) -> Render:
    bodies = lru_cache(4096)(lambda body: plain_text(body.blocks))
    return lambda ready: filled(bodies(ready.body), ready.values).encode()


def _html(_: Press | None) -> Render:
    @lru_cache(4096)
    def template(body: Body, title: str, sender: tuple[str, ...]) -> str:
        return page(title, sender, body.blocks)

    return lambda ready: fill(template(ready.body, ready.sheet.title, ready.sheet.sender), ready.values).encode()


def _pdf(with_press: Press | None) -> Render:
    assert with_press is not None
    return lambda ready: with_press.pdf(ready.sheet, ready.body.blocks, ready.values)


_RENDERS: dict[str, Callable[[Press | None], Render]] = {"text": _text, "html": _html, "pdf": _pdf}


def _good(rows: Iterable[Any], wrong: list[RowRefusal]) -> Iterator[Any]:
    for row in rows:
        if isinstance(row, RowRefusal):
            wrong.append(row)
        else:
            yield row


def _tell(made: Made, wrong: list[RowRefusal], *, json: bool) -> None:
    if json:
        print_json({**msgspec.structs.asdict(made), "refused_rows": [msgspec.structs.asdict(each) for each in wrong]})
    else:
        typer.echo(
            f"{made.letters} letters, {made.via_holder} of them through the holder; {made.kept} were there already."
        )
        if made.forgotten:
            typer.echo(f"{made.forgotten} asked to be forgotten: no letter.")
        say_refused(wrong, made.without_letter)
    raise typer.Exit(2 if wrong or made.without_letter else 0)


def say_refused(wrong: Sequence[RowRefusal], without: Sequence[Unwritten]) -> None:
    """Rows of the contacts that cannot be read, people without a letter: the first of them."""
    for row in wrong[:SHOWN_MAX]:
        ERRORS.print(f"line {row.line}, {row.column or 'row'}: {row.code}: {row.detail} ({row.fix})", markup=False)
    for each in without[:SHOWN_MAX]:
        ERRORS.print(f"no letter, row {each.number} of the pack: {each.code}: {each.detail} ({each.fix})", markup=False)
    if more := max(0, len(wrong) - SHOWN_MAX) + max(0, len(without) - SHOWN_MAX):
        ERRORS.print(f"and {more} more: see --json")


def _kinds(formats: list[str] | None) -> tuple[str, ...]:
    if formats and not set(formats) <= set(FORMATS):
        raise LETTER_FORMAT()
    return tuple(each for each in FORMATS if not formats or each in formats)


def day_on(day: str) -> date:
    """The day on the letters; today in Paris where none is named."""
    return parse_day(day) if day else paris_day(datetime.now(UTC))


def opened(file: Path) -> io.BufferedReader:
    """The file, to be read; not one larger than contacts can be."""
    try:
        if file.stat().st_size > CONTACTS_BYTES_MAX:
            raise LETTER_FILE(f"{file} is larger than {CONTACTS_BYTES_MAX} bytes")
        return file.open("rb")
    except OSError as broken:
        raise LETTER_FILE(f"{file}: {broken.strerror}") from None
