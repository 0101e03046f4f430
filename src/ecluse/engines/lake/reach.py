"""The lake brought to the signed heads when somebody asks: by the process that asks, one at a time, and only where it is quick.

What an export adds is a tenth of a second and a few microseconds an entry: a question need not wait for the next one. It takes
what others may not spare, too: a process that answers checks does not carry a month. Where the lake stays behind, for that or
because it cannot be written here, whoever asks finds out whether it matters (`asked.py`).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from ecluse.app.ports.journal import Head, Shards
from ecluse.engines.lake.asked import check_same
from ecluse.engines.lake.export import LAKE_BUSY, bring, goes_on, locked, read_state
from ecluse.kernel.errors import Refused

LACKING_MAX = 1 << 18  # entries: two seconds of processor, 200 MB; past it, the exporter or `ecluse journal export`
WAIT_S = 20  # for another process to end its export; then the answer is worked out within the half minute callers wait

LOG = logging.getLogger(__name__)


def reach(
    shards: Shards, lake: Path, heads: Sequence[Head], lacking_max: int = LACKING_MAX, wait_s: float = WAIT_S
) -> None:
    """Bring the lake to these heads or further; leave it where more than `lacking_max` entries lack, or it cannot be written.

    Blocks. Raises `lake_differs`, `journal_damaged`.
    """
    if not lacking(shards, lake, heads):
        return
    try:
        with locked(lake, wait_s):
            if 0 < lacking(shards, lake, heads) <= lacking_max:  # again: who held it may have brought it here
                bring(shards, lake, lambda *_: None)
    except OSError as broken:
        LOG.warning("lake not brought up: %s", broken)
    except Refused as refused:
        if refused.refusal is not LAKE_BUSY:
            raise


def lacking(shards: Shards, lake: Path, heads: Sequence[Head]) -> int:
    """How many entries up to these heads the lake lacks. Raises `lake_differs`."""
    count = 0
    for head in heads:
        state = read_state(lake / head.shard)
        check_same(shards, head, state)
        reached = state.size if state.size > head.size or goes_on(state, head) else head.pruned
        count += max(0, head.size - reached)
    return count
