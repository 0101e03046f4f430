"""Merging an insurer's pack with its contacts into letters, resumable, and nobody without a letter goes unsaid."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from functools import lru_cache

import msgspec

from ecluse.app.ports import Post
from ecluse.breach.letters.address import Addressee, Contacts
from ecluse.breach.letters.code import LetterKey, code_of
from ecluse.breach.letters.compose import ACCESS, Body, Shape, Sheet, body, days, often
from ecluse.breach.letters.pack import UNKNOWN, About, Concerned
from ecluse.formats.contacts import Contact
from ecluse.formats.professionals import Professional
from ecluse.kernel.days import PARIS
from ecluse.kernel.errors import Refused, refusal

RUN, LIST = "run.json", "envoi.csv"
SENDING = ("file", "channel", "email", "via_holder", "language")
A_FOLDER = 1_000  # letters; a folder of a million files is slow everywhere
SHAPES_MAX = 4_096  # bodies kept; a pack has tens
PASSWORD = frozenset({"password"})  # who used an account may have it from its holder: nobody can say that they have not
NOT_TOLD = frozenset({"national_number", "health", "password"})  # no hub has these of a professional
TITLE = "Vos données ont été vues par quelqu'un qui n'en avait pas le droit"
TITLE_CHILD = "Les données de votre enfant ont été vues par quelqu'un qui n'en avait pas le droit"

LETTERS_THERE = refusal(
    "letters_there",
    409,
    "This folder has the letters of another run",
    fix="Name an empty folder; a run goes on only with the same pack, contacts, sender, day and formats.",
)


class Ready(msgspec.Struct, frozen=True):
    """A letter to be made: where it lies in the run, whom it goes to, its words and what stands in their places."""

    number: int
    reference: str
    to: Contact
    via_holder: bool
    sheet: Sheet
    body: Body
    values: dict[str, str]

    @property
    def name(self) -> str:
        """Its files' name, without the ending."""
        return f"{self.number // A_FOLDER:05d}/{self.number:08d}"


class Unwritten(msgspec.Struct, frozen=True):
    """A concerned person without a letter: by the reference of the journal, and why."""

    number: int
    reference: str
    code: str
    detail: str
    fix: str


class Made(msgspec.Struct, frozen=True):
    """What a run did. `without_letter` are people, `forgotten` those among the rows that asked the hub to be forgotten."""

    letters: int
    via_holder: int
    kept: int
    forgotten: int
    without_letter: tuple[Unwritten, ...]


Render = Callable[[Ready], bytes]


def letters(
    people: Iterable[Concerned], contacts: Contacts, about: About, key: LetterKey, today: date
) -> Iterator[Ready | Unwritten | None]:
    """For each row, in order: a letter, or why there is none, or nothing for a person who was forgotten."""

    @lru_cache(SHAPES_MAX)
    def words(shape: Shape) -> Body:
        return body(shape, about)

    for number, person in enumerate(people, 1):
        if person.member_number == UNKNOWN:
            yield None
            continue
        try:
            found = contacts.addressee(person)
            shape = Shape("person", person.shown, person.not_shown, person.by, person.normal_care, found.child)
            written = words(shape)
        except Refused as refused:
            yield Unwritten(number, person.reference, refused.code, refused.detail, refused.fix)
            continue
        seen = (person.first_at, person.last_at, person.times)
        yield _ready(number, person.reference, found, about, written, seen, key, today)


def letters_to_professionals(
    rows: Iterable[Professional], about: About, key: LetterKey, today: date
) -> Iterator[Ready | Unwritten | None]:
    """One letter a professional, about their own data."""

    @lru_cache(SHAPES_MAX)
    def words(shape: Shape) -> Body:
        return body(shape, about)

    for number, row in enumerate(rows, 1):
        unseen = NOT_TOLD - row.fields - (PASSWORD if row.fields <= ACCESS else frozenset())
        shape = Shape("professional", row.fields, unseen, (), False, False)
        try:
            written = words(shape)
        except Refused as refused:
            yield Unwritten(number, row.reference, refused.code, refused.detail, refused.fix)
            continue
        seen = (row.first_at, row.last_at, row.times)
        yield _ready(number, row.reference, Addressee(row.to, row.to, child=False), about, written, seen, key, today)


def make(
    found: Iterable[Ready | Unwritten | None], post: Post, renders: Mapping[str, Render], told: Callable[[int], None]
) -> Made:
    """Write every letter that is not there yet, one file a format; a letter is there when its last format is.

    Last of all the list of what goes where, `envoi.csv`: by e-mail where there is an address, else by post.
    """
    sending = io.StringIO(newline="")
    listed = csv.writer(sending)
    listed.writerow(SENDING)
    made = {"letters": 0, "via_holder": 0, "kept": 0, "forgotten": 0}
    without: list[Unwritten] = []
    last = [*renders][-1]

    def files() -> Iterator[tuple[str, bytes]]:
        for at, each in enumerate(found, 1):
            told(at)
            if each is None:
                made["forgotten"] += 1
            elif isinstance(each, Unwritten):
                without.append(each)
            else:
                kept = post.has(f"{each.name}.{last}")
                try:
                    rendered = (
                        [] if kept else [(f"{each.name}.{kind}", render(each)) for kind, render in renders.items()]
                    )
                except Refused as refused:
                    without.append(Unwritten(each.number, each.reference, refused.code, refused.detail, refused.fix))
                    continue
                listed.writerow(_sent(each))
                made["letters"] += 1
                made["via_holder"] += each.via_holder
                made["kept"] += kept
                yield from rendered

    post.put_all(files())
    post.put(LIST, sending.getvalue().encode())
    return Made(**made, without_letter=tuple(without))


def _sent(ready: Ready) -> tuple[str, ...]:
    email = ready.to.email
    return (ready.name, "email" if email else "post", email, "yes" if ready.via_holder else "no", ready.to.language)


def begin(post: Post, run: Mapping[str, str]) -> bool:
    """Take the folder for this run; whether it goes on with one that was begun. Raises `letters_there` for another's."""
    asked = msgspec.json.encode(dict(run), order="sorted")
    if not post.has(RUN):
        post.put(RUN, asked)
        return False
    if post.read(RUN) != asked:
        raise LETTERS_THERE()
    return True


def _ready(
    number: int,
    reference: str,
    found: Addressee,
    about: About,
    written: Body,
    seen: tuple[datetime, datetime, int],
    key: LetterKey,
    today: date,
) -> Ready:
    to, (first_at, last_at, times) = found.to, seen
    sender = tuple(each for each in (about.sender.name, *about.sender.address) if each)
    values = {
        "greeting": greeting(to),
        "child": found.about.first_name,
        "when": _when(_paris(first_at), _paris(last_at)),
        "times": often(times),
        "code": code_of(key, reference, to.last_name),
    }
    sheet = Sheet(TITLE_CHILD if found.child else TITLE, sender, (full_name(to), *to.address), today)
    return Ready(number, reference, to, found.child, sheet, written, values)


def greeting(to: Contact) -> str:
    """How a letter opens."""
    return f"{to.civility} {to.last_name}" if to.civility else f"Bonjour {to.first_name} {to.last_name}"


def full_name(to: Contact) -> str:
    """The first line of the address."""
    return " ".join(each for each in (to.civility, to.first_name, to.last_name.upper()) if each)


@lru_cache(65_536)  # seconds of a day, more or less: what lists are full of
def _paris(at: datetime) -> date:
    return at.astimezone(PARIS).date()


@lru_cache(65_536)  # a window of a month has some 500 pairs of days
def _when(first: date, last: date) -> str:
    return days(first, last)
