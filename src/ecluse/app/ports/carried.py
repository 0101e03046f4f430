"""What outlives the journal's entries: states that rest on entries which are about to be no longer kept."""

from __future__ import annotations

import msgspec


class Going(msgspec.Struct, frozen=True):
    """Entries about to be deleted; instants in µs. A state rests on them if the journal last told it before `before_us`.

    What undoes something (a freeze lifted, decoys dropped) is needed still where it was done from `undone_since_us` on: entries
    of before it may be there that tell otherwise. `shards`: those that go, and are whole now.
    """

    before_us: int
    undone_since_us: int
    shards: tuple[str, ...] = ()
