"""What an exposure needs from outside: evidence, proofs, files."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from ecluse.app.ports.envelopes import Envelopes
from ecluse.app.ports.journal import Shards
from ecluse.app.ports.lake import Lake
from ecluse.app.ports.lookback import Lookback
from ecluse.app.ports.outside import Post


class ExposurePorts(msgspec.Struct, frozen=True):
    """The lake that is asked (opened at the heads signed then, and brought to them; blocks), the shards it was made of, what the
    gate's counters tell of a time gone by, how lists are encrypted, where answers are kept.
    """

    open_lake: Callable[[], Lake]
    shards: Shards
    lookback: Lookback
    envelopes: Envelopes
    post: Post
