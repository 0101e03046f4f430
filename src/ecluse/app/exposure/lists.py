"""The list of each insurer's displayed members, encrypted so that nobody but that insurer opens it.

References lead back to members here, one by one, under each person's own key; the plain list exists in memory only. An insurer
without a public key gets no file, and that is told; its counts stand. Who was forgotten since is there by their reference alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256

import msgspec

from ecluse.app.access import open_who
from ecluse.app.hub import Hub
from ecluse.app.ports import Keys
from ecluse.exposure.answer import Exposure, ListWritten
from ecluse.exposure.categories import category
from ecluse.exposure.shown import Shown, disclosures, field_names
from ecluse.formats.exposure_list import UNKNOWN, CsvList, ParquetList, Row, instant
from ecluse.journal.member import Member
from ecluse.kernel.errors import Refused

Told = Callable[[str, int, int], None]  # step, done, of how many

FORMATS: dict[str, Callable[[], CsvList | ParquetList]] = {"csv": CsvList, "parquet": ParquetList}
BLOCK_ROWS = 1 << 14  # as objects a person takes 1 kB, in the files 200 bytes: so many are objects at a time
NO_LONGER_OPENS = frozenset(
    {"person_forgotten", "insurer_unknown"}
)  # a person's key, or the whole insurer's, was destroyed
FORGOTTEN = Member(UNKNOWN, UNKNOWN, 0)


class SealedList(msgspec.Struct, frozen=True):
    """One insurer's list: what may be told of it, and its encrypted files by name."""

    told: ListWritten
    files: dict[str, bytes]


def sealed_lists(
    hub: Hub, exposure: Exposure, shown: Sequence[Shown], recipients: Mapping[str, str], told: Told
) -> list[SealedList]:
    """A list for every insurer with people displayed, without files where it has no public key. Blocks."""
    by_insurer: dict[str, list[Shown]] = {}
    for each in shown:
        by_insurer.setdefault(each.insurer, []).append(each)
    lists = []
    for place, (insurer, people) in enumerate(sorted(by_insurer.items())):
        told("lists", place, len(by_insurer))
        lists.append(_sealed(hub, exposure.exposure_id, insurer, people, recipients.get(insurer, "")))
    return lists


def _sealed(hub: Hub, id_: str, insurer: str, people: Sequence[Shown], recipient: str) -> SealedList:
    if not recipient:
        return SealedList(ListWritten(insurer, len(people), 0, "", {}), {})
    written, unknown = {ending: begun() for ending, begun in FORMATS.items()}, 0
    for start in range(0, len(people), BLOCK_ROWS):
        rows = [row_of(hub.keys, each) for each in people[start : start + BLOCK_ROWS]]
        unknown += sum(row.member_number == UNKNOWN for row in rows)
        for each in written.values():
            each.add(rows)
    files = {
        f"{id_}-{insurer}.{ending}.age": hub.exposure.envelopes.seal(recipient, each.content())
        for ending, each in written.items()
    }
    digests = {name: sha256(content).hexdigest() for name, content in files.items()}
    return SealedList(ListWritten(insurer, len(people), unknown, recipient, digests), files)


def row_of(keys: Keys, shown: Shown) -> Row:
    """One displayed person as their insurer is told of them."""
    member = member_behind(keys, shown.insurer, shown.person, shown.who)
    fields, times = field_names(shown.fields), disclosures(shown.told)
    return Row(
        member.number,
        member.birth_date,
        member.rank,
        shown.person.hex(),
        " ".join(fields),
        instant(shown.first_ts_us),
        instant(shown.last_ts_us),
        shown.times,
        shown.typed,
        category(shown),
        " ".join(str(times[name]) for name in fields),
    )


def member_behind(keys: Keys, insurer: str, person: bytes, who: bytes) -> Member:
    """Who the reference is; nobody's name when their key was destroyed, or when the entry is older than this seal."""
    if not who:
        return FORGOTTEN
    try:
        return open_who(keys, insurer, person, who)
    except Refused as refused:
        if refused.code in NO_LONGER_OPENS:
            return FORGOTTEN
        raise
