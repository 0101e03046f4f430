"""Decoys: planted by an operator in a copy that may leak, kept sealed, met by whoever read the copy.

1. Who is asked about is told by the watcher alone, from what every question leaves: those who answer know of no decoy, so nothing
   in an answer, its size or its time depends on one.
2. Planting is an entry of the journal (`decoys`), sealed under the hub's key; gate.db follows from it.
3. Identifiers are shown once, to be planted; what is kept of them are the beginnings of their keyed pseudonyms.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial

import msgspec

from ecluse.app.again import BY_ITSELF, TOGETHER, Again
from ecluse.app.hub import Hub
from ecluse.app.ports import HUB, Keys
from ecluse.app.ports.carried import Going
from ecluse.app.ports.decoys import Decoys, Kept
from ecluse.app.ports.sensings import Touch
from ecluse.app.rights import ALIKE_BYTES, SCOPE
from ecluse.gate.admission import Person, Request
from ecluse.gate.containment import signed
from ecluse.gate.decoys import BATCH_MAX, LABEL_CHARS_MAX, Batch, Known, Row, chance, crowded, drawn, made_up
from ecluse.gate.identity import Account
from ecluse.journal.entry import Entry, Operation, act
from ecluse.kernel.days import instant
from ecluse.kernel.errors import refusal
from ecluse.kernel.ids import account as account_id
from ecluse.kernel.ids import amc, birth_date, birth_rank, nir
from ecluse.rights.person import member_message, nir_message

PLANTED, DROPPED = "planted", "dropped"
OPERATOR = Account("operator", scopes=frozenset({SCOPE}))

DECOY_REFUSED = refusal(
    "decoy_refused",
    409,
    "This cannot be planted as a decoy",
    fix="A decoy is nobody and no account that ever asked; of one insurer not more than honest mistakes would miss.",
)


class DecoysShown(msgspec.Struct, frozen=True):
    """A batch as operators see it. `label`: where it was planted; `touched`: by whom, when, and which of its decoys."""

    batch: str
    label: str
    insurer: str
    people: int
    accounts: tuple[str, ...]
    planted_by: str
    planted_at: datetime
    touched: tuple[Touch, ...] = ()


class Planting(msgspec.Struct, frozen=True):
    """Who plants, why, and where: the label by which a touch tells which copy leaked."""

    label: str
    operator: str
    reason: str


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Batch).decode


class Watched:
    """The decoys that stand, for the watcher; read anew when they change."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._version = 0
        self._known = Known(())

    def now(self) -> Known:
        """Those of this moment."""
        if (version := self._hub.decoys.version()) != self._version:
            self._version, self._known = version, Known(_standing(self._hub))
        return self._known


async def plant_drawn(
    hub: Hub, planting: Planting, insurer: str, like: Sequence[Row], count: int
) -> tuple[DecoysShown, list[Row]]:
    """Draw and plant so many people of an insurer, in the likeness of rows of the copy they are for (none: made up ones).

    The rows are to be written among those of the copy, and forgotten. Raises `decoy_refused`, `amc_invalid`.
    """
    rows: list[Row] = []
    draw, like = hub.ids.below, like or made_up(hub.ids.below)
    for _ in range(2 * count):
        row = drawn(draw, like, rows)
        if row is None:
            raise DECOY_REFUSED("too few different rows to draw from", fix="Give more rows of the copy.")
        if not await _is_somebody(hub, amc(insurer), row):
            rows.append(row)
        if len(rows) == count:
            return await plant_people(hub, planting, insurer, rows), rows
    raise DECOY_REFUSED("most of what is drawn is somebody", fix="Give more rows of the copy.")


async def plant_people(hub: Hub, planting: Planting, insurer: str, rows: Sequence[Row]) -> DecoysShown:
    """Plant people of an insurer, by what an export says of them. Raises `decoy_refused`, `amc_invalid`, `nir_invalid`…"""
    number = amc(insurer)
    if not hub.keys.has(number):
        raise DECOY_REFUSED("this hub does not serve that insurer", fix="Name an insurer that is loaded.")
    if not 0 < len(rows) <= BATCH_MAX:
        raise DECOY_REFUSED(f"{len(rows)} rows", fix=f"Plant 1 to {BATCH_MAX} at once.")
    keys = []
    for line, row in enumerate(rows, 1):
        if await _is_somebody(hub, number, row):
            raise DECOY_REFUSED(f"row {line} is somebody", fix="Plant nobody's identifiers.")
        keys.append(tuple([_alike(await hub.desk.look_up(number, each)) for each in _messages(row)]))
    met = sum(chance(row) for row in rows)
    if crowded(_standing(hub), number, met):
        raise DECOY_REFUSED("honest mistakes would meet them", fix="Drop old ones, or plant longer member numbers.")
    return await _planted(hub, planting, insurer=number, keys=tuple(keys), met=met)


async def plant_account(hub: Hub, planting: Planting, account: str) -> DecoysShown:
    """Plant an account that nobody honest has: any use of a token of it is a touch. Raises `decoy_refused`, `account_invalid`."""
    number = account_id(account)
    if hub.allowance.store.practices(number) or hub.sensings.state(number):
        raise DECOY_REFUSED("this account has asked", fix="Name an account that nobody has.")
    return await _planted(hub, planting, accounts=(str(number),))


async def drop_decoys(hub: Hub, batch: str, operator: str, reason: str) -> DecoysShown:
    """A batch stands no more, once its copy is destroyed. Raises `decoy_refused`."""
    who = signed(operator, reason)
    found = next((each for each in _standing(hub) if each.id == batch), None)
    if found is None:
        raise DECOY_REFUSED("no such batch stands", fix="List them: ecluse gate decoy list.")
    dropped = msgspec.structs.replace(found, keys=(), accounts=(), operator=who, reason=reason)
    await hub.desk.record(_entry(hub, DROPPED, dropped))
    hub.decoys.drop(batch, hub.now_ts_us)
    return _shown(found, ())


def list_decoys(hub: Hub) -> list[DecoysShown]:
    """The batches that stand, with what touched them. Nobody's identifiers are among it: they are kept nowhere."""
    touches = hub.sensings.touches()
    return [_shown(each, [touch for touch in touches if touch.batch == each.id]) for each in _standing(hub)]


def labels(hub: Hub) -> dict[str, str]:
    """Where each batch that stands was planted."""
    return {each.id: each.label for each in _standing(hub)}


def decoys_again(keys: Keys, decoys: Decoys, entry: Entry) -> None:
    """Put back what an entry tells of, where gate.db was lost, in whatever order they are read."""
    batch = _decode(keys.open(HUB, entry.sealed, _about(entry.request)))
    if entry.outcome == PLANTED:
        decoys.put(batch.id, keys.seal(HUB, _encode(batch), _about(batch.id)), batch.at_us, entry.ts_us)
    else:
        decoys.drop(batch.id, entry.ts_us)


def still_planted(hub: Hub, going: Going) -> Iterator[Again]:
    """Batches that rest on entries about to be deleted, and dropped ones whose planting may still be read."""
    resting = hub.decoys.resting(going)
    for start in range(0, len(resting), TOGETHER):
        some = resting[start : start + TOGETHER]
        entries = [_again(hub, each) for each in some]
        yield Again(entries, partial(hub.decoys.told, some, entries[-1].ts_us))


async def _planted(
    hub: Hub,
    planting: Planting,
    *,
    insurer: str = "",
    keys: tuple[tuple[int, ...], ...] = (),
    accounts: tuple[str, ...] = (),
    met: float = 0.0,
) -> DecoysShown:
    who, label = signed(planting.operator, planting.reason), planting.label.strip()
    if not 0 < len(label) <= LABEL_CHARS_MAX:
        raise DECOY_REFUSED("the label is empty or too long", fix="Say in a few words where the copy goes.")
    batch = Batch(hub.ids.new("dcy_"), label, insurer, keys, accounts, met, who, planting.reason, hub.now_ts_us)
    await hub.desk.record(_entry(hub, PLANTED, batch))
    hub.decoys.put(batch.id, hub.keys.seal(HUB, _encode(batch), _about(batch.id)), batch.at_us)
    return _shown(batch, ())


def _standing(hub: Hub) -> list[Batch]:
    return [_decode(hub.keys.open(HUB, sealed, _about(id_))) for id_, sealed in hub.decoys.standing().items()]


def _shown(batch: Batch, touched: Iterable[Touch]) -> DecoysShown:
    return DecoysShown(
        batch.id,
        batch.label,
        batch.insurer,
        len(batch.keys),
        batch.accounts,
        batch.operator,
        instant(batch.at_us),
        tuple(touched),
    )


async def _is_somebody(hub: Hub, insurer: str, row: Row) -> bool:
    """Whether an insurer's rights hold this person, by either number. It is told to nobody."""
    for by_member, message in zip((True, False), _messages(row), strict=False):
        person = Person(insurer, await hub.desk.look_up(insurer, message), by_member)
        asked = Request(OPERATOR, hub.ids.new("dcy_"))
        if await hub.rights.rights(hub.desk.admit(asked, SCOPE, Operation.DECOYS, person)):
            return True
    return False


def _messages(row: Row) -> list[bytes]:
    born, rank = birth_date(row.birth_date), birth_rank(row.birth_rank)
    by_number = [member_message(row.member_number, born, rank)]
    return [*by_number, nir_message(nir(row.nir), born, rank)] if row.nir else by_number


def _alike(pseudonyms: Sequence[bytes]) -> int:
    return int.from_bytes(pseudonyms[0][:ALIKE_BYTES])


def _again(hub: Hub, kept: Kept) -> Entry:
    if kept.stands:
        batch = _decode(hub.keys.open(HUB, kept.sealed, _about(kept.batch)))
        return _entry(hub, PLANTED, batch, BY_ITSELF)
    return _entry(hub, DROPPED, Batch(kept.batch, "", "", (), (), 0.0, BY_ITSELF, "", kept.at_us), BY_ITSELF)


def _entry(hub: Hub, outcome: str, batch: Batch, account: str = "operator") -> Entry:
    request = hub.ids.new("dcy_")
    sealed = hub.keys.seal(HUB, _encode(batch), _about(request))
    return act(Operation.DECOYS, hub.now_ts_us, request, outcome, account=account, sealed=sealed)


def _about(name: str) -> bytes:
    """What the seal of a batch is bound to: its own name where it stands, that of the entry it stands in."""
    return b"decoys|1|" + name.encode()
