"""An insurer's size, rounded up to a power of two so that one person more or less never shows; its quotas follow from it.

Whoever stole an insurer's token sends a guess as one row of a delta, and looks whether there is more room (decision 40). So
deltas show the day after at the earliest, and never but as the power of two they lead to. A full file says itself how many
people it has, and gives room at once.
"""

from __future__ import annotations

from datetime import datetime, time

from ecluse.app.hub import Hub
from ecluse.kernel.days import PARIS, S_US, paris_day


async def size(hub: Hub, insurer: str) -> int:
    """People in the insurer's rights when today began, or since a full file of today, rounded up to a power of two; 0 before
    its first file."""
    midnight = datetime.combine(paris_day(hub.clock.now()), time(), PARIS)
    return rounded_up(await hub.feeds.store.people_shown(insurer, int(midnight.timestamp()) * S_US))


def rounded_up(people: int) -> int:
    """The smallest power of two that is at least `people`; 0 for 0."""
    return 1 << (people - 1).bit_length() if people else 0
