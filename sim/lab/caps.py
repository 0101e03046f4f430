"""The hub's built-in table of caps."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import msgspec

from ecluse.gate.allowance import CapTable


@cache
def built_in() -> CapTable:
    """The table that a hub has which names none of its own."""
    return msgspec.toml.decode((files("ecluse.gate") / "caps.toml").read_bytes(), type=CapTable)
