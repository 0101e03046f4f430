"""Who looked at an insurer's members for the first time, told to that insurer so that it can tell them: page by page.

1. The index of openings follows the journal up to its signed heads, as far as one call may read.
2. The page is read: places out of the index, entries out of the journal, members out of their seals; it exists in memory only.
3. It is encrypted to the insurer's public key, journalled (`openings_told`), and released.
An opening is told at least once; told again, it has the same id.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256

import msgspec

from ecluse.app.access import Disclosure, Released
from ecluse.app.aside import aside
from ecluse.app.exposure.ask import scope_of
from ecluse.app.exposure.lists import member_behind
from ecluse.app.following import entries_at, follow, heads_by_name
from ecluse.app.hub import Hub
from ecluse.app.ports.journal import Head
from ecluse.app.ports.openings import Opening
from ecluse.app.recipients import recipients
from ecluse.exposure.shown import field_names
from ecluse.formats.exposure_list import instant
from ecluse.formats.opening_list import OpeningRow, openings_as_csv
from ecluse.gate.admission import Request
from ecluse.gate.identity import FORBIDDEN, Account, permit
from ecluse.gate.openings import Cursor, Reached, advanced, id_text, read_cursor, write_cursor
from ecluse.gate.presence import Presence
from ecluse.journal.entry import Entry, Operation
from ecluse.kernel.errors import refusal
from ecluse.kernel.ids import amc

LIMIT_MAX = 1_000  # a page of 150 kB, whose seals take a twentieth of a second to open

RECIPIENT_UNSET = refusal(
    "recipient_unset",
    409,
    "No public key is registered for this insurer",
    fix="Send the hub's operators an age public key: ecluse insurer key AMC FILE. Nothing is told unencrypted.",
)


class OpeningPage(msgspec.Struct, frozen=True, omit_defaults=True):
    """How many openings, encrypted to `recipient` (age, base64 in JSON; none on an empty page); where to go on.

    `has_more`: ask again at once; else again later, from the same `cursor`.
    """

    insurer: str
    openings: int
    cursor: str
    has_more: bool
    recipient: str
    sealed: bytes | None = None

    @property
    def outcome(self) -> str:
        """What the journal keeps of it."""
        return f"{self.openings} {sha256(self.sealed).hexdigest()}" if self.sealed else "0"


async def read_openings(hub: Hub, asked: Request, insurer: str, after: str, limit: int) -> Released[OpeningPage]:
    """A page of an insurer's openings after a cursor (empty: from the beginning of what the journal keeps).

    Raises `forbidden`, `cursor_invalid`, `recipient_unset`, `amc_invalid`.
    """
    number, cursor = own_members(asked.account, insurer), read_cursor(after)
    admission = hub.desk.admit(asked, scope_of(asked.account), Operation.OPENINGS_TOLD, asked.id)
    recipient = (await recipients(hub, [number])).get(number)
    if recipient is None:
        raise RECIPIENT_UNSET()
    page = await aside(page_of, hub, number, cursor, min(limit, LIMIT_MAX), recipient)
    return await hub.desk.release(admission, Disclosure(page, page.outcome, insurer=number))


def own_members(account: Account, insurer: str) -> str:
    """The insurer whose members are meant: its own account's, or any for the hub's investigators. Raises `forbidden`."""
    permit(account, scope_of(account))
    number = amc(insurer or account.insurer)
    if account.insurer not in ("", number):
        raise FORBIDDEN("this account belongs to another insurer")
    return number


def page_of(hub: Hub, insurer: str, cursor: Cursor, limit: int, recipient: str) -> OpeningPage:
    """The page, not told to anybody yet. Blocks."""
    follow(hub)
    heads = heads_by_name(hub)  # after: whatever is followed from now on, the page may lack and the next one has
    starts = {shard: start for shard in heads if (start := cursor.start(shard)) is not None}
    found, marks = hub.openings.page(insurer, starts, limit)
    reached = _reached(starts, found, marks, heads, is_full=len(found) == limit)
    rows = list(_rows(hub, entries_at(hub, found, heads)))
    behind = any(max(marks.get(each.shard, 0), each.pruned) < each.size for each in heads.values())
    return OpeningPage(
        insurer,
        len(rows),
        write_cursor(advanced(cursor, reached)),
        behind or len(found) == limit,
        recipient,
        hub.exposure.envelopes.seal(recipient, openings_as_csv(rows)) if rows else None,
    )


def _reached(
    starts: Mapping[str, int],
    found: Sequence[Opening],
    marks: Mapping[str, int],
    heads: Mapping[str, Head],
    *,
    is_full: bool,
) -> dict[str, Reached]:
    """How far each shard was told: as far as it was followed; of a full page, the shard it ends in up to its last opening, and
    shards after that one not at all."""
    last = found[-1] if is_full else None
    reached = {}
    for shard, start in starts.items():
        at = max(start, marks.get(shard, 0), heads[shard].pruned)
        if last and shard >= last.shard:
            at = last.place + 1 if shard == last.shard else start
        reached[shard] = Reached(at, heads[shard].is_frozen and at >= heads[shard].size)
    return reached


def _rows(hub: Hub, entries: Iterable[tuple[Opening, Entry]]) -> Iterator[OpeningRow]:
    pairs = list(entries)
    professions = hub.allowance.store.professions({entry.account for _, entry in pairs})
    for opening, entry in pairs:
        member = member_behind(hub.keys, entry.insurer, entry.person, entry.who)
        yield OpeningRow(
            id_text(opening.id),
            member.number,
            member.birth_date,
            member.rank,
            entry.person.hex(),
            instant(entry.ts_us),
            professions.get(entry.account, ""),
            entry.practice,
            entry.operation,
            " ".join(field_names(entry.fields)),
            Presence(entry.presence).name.lower(),
        )
