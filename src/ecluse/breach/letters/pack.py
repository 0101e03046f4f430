"""What letters are merged from: the rows of `courriers.jsonl` and what they share, `courriers.json` (docs/breach.md)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from ecluse.breach.letter import rules
from ecluse.kernel.days import PARIS
from ecluse.kernel.errors import Refused, refusal

ROW_BYTES_MAX = 16_384  # a row has some 600 bytes
T = TypeVar("T")
UNKNOWN = "unknown"  # the number of whoever was forgotten since: nobody to write to

PACK_INVALID = refusal(
    "pack_invalid", 422, "This is not what an insurer's letters are merged from", fix="Unpack the pack again."
)
PACK_INCOMPLETE = refusal(
    "pack_incomplete",
    422,
    "A letter cannot be written yet",
    fix="State what is missing in the incident and take its new pack, or write it in the file given to --sender.",
)

Sentence = Annotated[str, Meta(min_length=1, max_length=400)]
Text = Annotated[str, Meta(max_length=400)]


class Concerned(msgspec.Struct, frozen=True, kw_only=True):
    """One displayed person: who, what was shown and what was not, in the words of `ecluse letters lint`; when, by whom."""

    member_number: Annotated[str, Meta(min_length=1, max_length=64)]
    birth_date: Annotated[str, Meta(max_length=10)]
    birth_rank: int
    reference: Annotated[str, Meta(min_length=1, max_length=64)]
    shown: frozenset[str]
    not_shown: frozenset[str]
    first_at: datetime
    last_at: datetime
    times: Annotated[int, Meta(ge=1)]
    by: tuple[Text, ...]
    normal_care: bool


class Shared(msgspec.Struct, frozen=True, kw_only=True, rename={"since": "from", "until": "to"}):
    """What all letters of a pack say."""

    incident: Annotated[str, Meta(min_length=1, max_length=100)]
    insurer: Annotated[str, Meta(min_length=1, max_length=20)]
    since: datetime
    until: datetime
    sent_by: str | None = None
    known_before: str | None = None
    measures_taken: tuple[Sentence, ...] | None = None
    dpo_contact: str | None = None
    phone: str | None = None


class Sender(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What only the insurer knows (`--sender`): its name and address, where to ask; it holds over the pack."""

    name: Text = ""
    address: tuple[Text, ...] = ()
    phone: Text = ""
    hours: Text = ""
    dpo_contact: Text = ""
    measures_taken: tuple[Sentence, ...] = ()
    check_at: Text = ""  # an address to type, where a code can be checked; the telephone always can
    signed_by: Text = ""


class About(msgspec.Struct, frozen=True, kw_only=True):
    """The two together: nothing that a letter must say is missing."""

    incident: str
    insurer: str
    since: date
    until: date
    operator: str
    known_before: str
    measures: tuple[str, ...]
    dpo: str
    phone: str
    sender: Sender


def read_rows(lines: Iterable[bytes]) -> Iterator[Concerned]:
    """The lines of `courriers.jsonl`. Raises `pack_invalid` with the first line that cannot be read."""
    for number, line in enumerate(lines, 1):
        try:
            yield read_row(line)
        except Refused as refused:
            raise PACK_INVALID(f"line {number}: {refused.detail}") from None


def read_row(line: bytes) -> Concerned:
    """One line. Raises `pack_invalid`; its detail quotes no value."""
    if len(line) > ROW_BYTES_MAX:
        raise PACK_INVALID("a row is too long")
    row = _decoded(line, Concerned)
    unknown = (row.shown | row.not_shown) - rules().fields.keys()
    if unknown or not row.shown:
        raise PACK_INVALID(f"a field has no words: {sorted(unknown)[0][:40]}" if unknown else "nothing was shown")
    return row


def read_shared(content: bytes) -> Shared:
    """`courriers.json`. Raises `pack_invalid`."""
    return _decoded(content, Shared)


def read_sender(content: bytes) -> Sender:
    """The insurer's own file, TOML. Raises `pack_invalid`."""
    try:
        return msgspec.toml.decode(content, type=Sender)
    except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
        raise PACK_INVALID(f"the sender: {wrong}", fix=f"It may hold {', '.join(Sender.__struct_fields__)}.") from None


def about(shared: Shared, sender: Sender) -> About:
    """Both together. Raises `pack_incomplete` with what a letter must say and neither states."""
    measures = sender.measures_taken or shared.measures_taken or ()
    dpo, phone = sender.dpo_contact or shared.dpo_contact or "", sender.phone or shared.phone or ""
    stated = {"measures_taken": measures, "dpo_contact": dpo, "phone": phone}
    if missing := [name for name, value in stated.items() if not value]:
        raise PACK_INCOMPLETE(f"nobody stated {', '.join(missing)}")
    return About(
        incident=shared.incident,
        insurer=shared.insurer,
        since=shared.since.astimezone(PARIS).date(),
        until=shared.until.astimezone(PARIS).date(),
        operator=shared.sent_by or "",
        known_before=shared.known_before or "",
        measures=measures,
        dpo=dpo,
        phone=phone,
        sender=sender,
    )


def _decoded(content: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
        raise PACK_INVALID(str(wrong)[:200]) from None
