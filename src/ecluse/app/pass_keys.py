"""The keys passes are signed with, as use cases meet them: who is believed, what each signed, which list tells what is revoked.

Drawing one is in `keys.py`, retiring one in `destroying.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Literal

import msgspec

from ecluse.app.aside import aside
from ecluse.app.hub import Hub
from ecluse.app.ports.passes import PassRecord, Signed
from ecluse.passes.issued import as_text, issue
from ecluse.passes.keys import PassKey, PassKeys
from ecluse.passes.status import LASTS_S, write_list
from ecluse.passes.verify import Verified

State = Literal["signs", "verifies", "retired", "unknown"]


class KeyTold(msgspec.Struct, frozen=True):
    """A key and its passes that are neither expired nor revoked: how many, of which insurers, until when.

    Those of a `retired` key are refused until they are issued anew; so are those of an `unknown` one, which the ring has not,
    for it was restored from a copy older than the key: it has no version here (0), and no public half.
    """

    version: int
    key_id: str
    public_key: str
    state: State
    passes: int
    until: datetime | None
    insurers: dict[str, int]


class Status(msgspec.Struct, frozen=True):
    """The status list of one of this hub's keys, signed by it, and what is said of it."""

    key_id: str
    public_key: str
    made: datetime
    until: datetime
    size: int
    revoked: int
    content: bytes


def marks(hub: Hub) -> list[bytes]:
    """What the book writes of keys that are trusted, the newest last; of the ring as it is on disk, for what another process
    issued under a key that this one has not heard of must not be signed anew."""
    return [each.mark for each in hub.keys.pass_keys(fresh=True).trusted]


def signed_text(hub: Hub, record: PassRecord) -> str:
    """A pass as it stands in its code, signed by the key its record says; blocks. Raises `pass_key_unknown`."""
    (key,) = (each for each in hub.keys.pass_keys().held if each.mark == record.mark)
    return as_text(issue(record.made, key.public, partial(_signed, hub, key)))


async def whose(hub: Hub, found: Verified) -> bytes | None:
    """The person of a verified pass, if this hub issued exactly this pass, under a key still trusted, and did not revoke it."""
    key = hub.keys.pass_keys().named(found.key_id.hex())  # none, if it was retired since it was verified
    return await hub.passes.stands(found.held, key.mark) if key else None


async def keys_told(hub: Hub) -> list[KeyTold]:
    """Every key there was, oldest first, with what it signed; reads the whole book of passes."""
    keys = hub.keys.pass_keys()
    signed = await hub.passes.signed(int(hub.clock.now().timestamp()))
    known = {key.mark for key in keys.held}
    lost = sorted({each.mark for each in signed} - known)
    return [
        *(_told(PassKey(0, mark, b""), "unknown", [each for each in signed if each.mark == mark]) for mark in lost),
        *(_told(key, _state(keys, key), [each for each in signed if each.mark == key.mark]) for key in keys.held),
    ]


def _state(keys: PassKeys, key: PassKey) -> State:
    if key.is_retired:
        return "retired"
    return "signs" if key is keys.newest else "verifies"


def _told(key: PassKey, state: State, signed: Sequence[Signed]) -> KeyTold:
    until = datetime.fromtimestamp(max(each.until_ts for each in signed), UTC) if signed else None
    insurers = {each.insurer: each.count for each in signed}
    return KeyTold(key.version, key.id.hex(), key.public.hex(), state, sum(insurers.values()), until, insurers)


async def status_list(hub: Hub, key: PassKey) -> Status:
    """The list as of now, signed by this key; nothing in it is of a person. Raises `pass_key_unknown` for one just retired."""
    places, size = await hub.passes.revoked()
    now_ts = int(hub.clock.now().timestamp())
    content = await aside(write_list, places, size, now_ts, key.id, partial(_signed, hub, key))
    made, until = (datetime.fromtimestamp(each, UTC) for each in (now_ts, now_ts + LASTS_S))
    return Status(key.id.hex(), key.public.hex(), made, until, size, len(places), content)


def _signed(hub: Hub, key: PassKey, message: bytes) -> bytes:
    return hub.keys.sign("pass", message, key.version)
