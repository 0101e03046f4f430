"""What operators do with keys: rotate them, compare their use with what was asked. Destroying is in `destroying.py`.

Rotating an index key: the key is drawn, then the rights that answer are carried to it, in the background and resumably, while
every look-up goes on finding its person (docs/decisions/0010-keys.md).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import msgspec

from ecluse.app.hub import Hub
from ecluse.app.ports import HUB, FeedCounts, KeyHeld, Keys, Totals
from ecluse.journal.entry import Operation, act
from ecluse.rights.person import right_about

HEARD_S = 2  # every process hears of a new key within a second, and a look-up begun before takes less than another

Told = Callable[[int, int], None]  # rows done, rows in all


class Rotated(msgspec.Struct, frozen=True):
    """What a rotation did: the newest versions, and the rights carried to the index key (none when there were none)."""

    scope: str
    data_version: int | None = None
    index_version: int | None = None
    carried: FeedCounts | None = None
    pass_version: int | None = None


class Checked(msgspec.Struct, frozen=True):
    """The use of index keys: by the desk, by the engine, and by the place where the keys are, where it keeps a log.

    `alarm`: pseudonyms were computed that nobody asked for here. `unanswered`: asked for and refused, failed, or under way.
    """

    totals: Totals
    audited: int | None
    unanswered: int
    alarm: str


def scopes(hub: Hub) -> list[str]:
    """Every scope that has keys, the hub's own first."""
    known = {key.scope for key in hub.keys.held()}
    return sorted(known, key=lambda scope: (scope != HUB, scope))


def shown(hub: Hub) -> list[KeyHeld]:
    """Every key: whose, for what, which versions, where it works. Never its bytes."""
    return hub.keys.held()


async def rotate_data(hub: Hub, scope: str) -> Rotated:
    """Draw a data key: from now on it seals; what was sealed before opens as before. Raises `keys_spent`, `journal_poisoned`."""
    await hub.desk.ready()  # a key that is drawn is drawn: the next try draws, and tells, another
    version = hub.keys.rotate(scope, "data")
    await record(hub, Operation.KEYS_ROTATED, scope, f"data {version}")
    return Rotated(scope, data_version=version)


async def rotate_pass(hub: Hub) -> Rotated:
    """Draw a key that signs passes from now on; those of before go on verifying.

    Raises `pass_keys_many`, `journal_poisoned`.
    """
    await hub.desk.ready()
    version = hub.keys.rotate_pass_key()
    await record(hub, Operation.KEYS_ROTATED, HUB, f"pass {version}")
    return Rotated(HUB, pass_version=version)


async def rotate_index(hub: Hub, insurer: str, told: Told) -> Rotated:
    """Draw an index key and carry all rows to it; go on with the last one drawn, if not all are. Killed, run it again.

    Raises `feed_in_progress`, `keys_spent`, `journal_poisoned`.
    """
    await hub.desk.ready()
    works = hub.feeds.works
    async with works.turn(insurer):
        version = hub.keys.index_version(insurer)
        if await works.index_version(insurer) in (None, version):
            version = hub.keys.rotate(insurer, "index")
            await record(hub, Operation.KEYS_ROTATED, insurer, f"index {version}")
        await asyncio.sleep(HEARD_S)
        carried = await works.rekey(insurer, Carrying(hub.keys, insurer, version), told)
    return Rotated(insurer, index_version=version, carried=carried)


class Carrying:
    """The `Rekeying` of one insurer to one version of its index key."""

    def __init__(self, keys: Keys, insurer: str, version: int) -> None:
        self.version = version
        self._keys = keys
        self._insurer = insurer

    def carry(self, pseudonyms: Sequence[bytes], since: int) -> list[bytes]:
        """Pseudonyms of version `since`, carried to `version`."""
        return self._keys.carried(self._insurer, pseudonyms, since, self.version)

    def reseal(self, before: bytes, after: bytes, sealed: bytes) -> bytes:
        """A right sealed for the pseudonym `before`, sealed for `after` under the newest data key."""
        plain = self._keys.open(self._insurer, sealed, right_about(self._insurer, before))
        return self._keys.seal(self._insurer, plain, right_about(self._insurer, after))


def check(hub: Hub, log: bytes | None) -> Checked:
    """Compare the use of index keys with what was asked, and with `log`, what the place of the keys wrote down itself."""
    totals = hub.keys.tally.everywhere()
    audited = hub.keys.audited(log) if log is not None else None
    alarm = ""
    if totals.computed > totals.asked:
        alarm = f"{totals.computed - totals.asked} pseudonyms were computed for look-ups that no desk asked for"
    elif audited is not None and audited > totals.keyed:
        alarm = f"the key server computed {audited - totals.keyed} pseudonyms that no process of this hub asked for"
    return Checked(totals, audited, max(0, totals.asked - totals.computed), alarm)


async def record(hub: Hub, operation: Operation, scope: str, outcome: str, person: bytes = b"") -> None:
    """Write what operators do with keys in the journal; durable on return."""
    insurer = "" if scope == HUB else scope
    told = act(operation, hub.now_ts_us, hub.ids.new("key_"), outcome, insurer=insurer, person=person)
    await hub.desk.record(told)
