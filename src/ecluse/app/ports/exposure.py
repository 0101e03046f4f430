"""What an exposure needs from outside."""

from __future__ import annotations

import msgspec

from ecluse.app.ports.envelopes import Envelopes
from ecluse.app.ports.journal import Shards
from ecluse.app.ports.lake import Lake
from ecluse.app.ports.outside import Post


class ExposurePorts(msgspec.Struct, frozen=True):
    """The lake that is asked, the shards it was made of, who lists are encrypted for, and where answers are kept."""

    lake: Lake
    shards: Shards
    envelopes: Envelopes
    post: Post
