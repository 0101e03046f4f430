"""What shows that the patient is there, from nothing to a pass shown now (docs/gate.md, table of levels)."""

from __future__ import annotations

from enum import IntEnum


class Presence(IntEnum):
    """Levels of proof, in order; the value is what the journal records."""

    TYPED = 0
    PASS = 1
    LIVE = 2
