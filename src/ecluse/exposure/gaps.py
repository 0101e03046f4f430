"""Where the journal has gaps, an exact count becomes two bounds: what it has, and that plus every entry that was lost.

A loss is accepted by an operator, after a damage, in an entry of its own (`loss_accepted`): shard, entries kept, entries lost,
µs of the last one kept. What was lost was written after that one, and before the loss was accepted. A month that was pruned is
no gap: nothing is known of it any more, and nothing is answered about it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time

import msgspec

from ecluse.exposure.question import Question
from ecluse.kernel.days import months_after


class Loss(msgspec.Struct, frozen=True):
    """Entries of one shard that are gone: how many, written between which instants (µs, UTC)."""

    shard: str
    lost: int
    since_ts_us: int
    until_ts_us: int


class Bounds(msgspec.Struct, frozen=True):
    """How many at least and at most; the same where the journal is whole."""

    at_least: int
    at_most: int


def read_loss(outcome: str, accepted_ts_us: int) -> Loss:
    """The loss that a `loss_accepted` entry tells of. Anything else is a bug."""
    shard, _, lost, since_ts_us = outcome.split(" ")
    return Loss(shard, int(lost), int(since_ts_us), accepted_ts_us)


def once(losses: Iterable[Loss]) -> list[Loss]:
    """Each shard's loss once, as it was first accepted: accepted again, it is the same loss, as nothing is written there."""
    first: dict[str, Loss] = {}
    for loss in sorted(losses, key=lambda each: (-each.lost, each.until_ts_us)):
        first.setdefault(loss.shard, loss)
    return [*first.values()]


def month_of(shard: str) -> tuple[int, int]:
    """The month of a shard (`2026-11-w0`, UTC): its first instant, and the first after it, in µs."""
    first = date.fromisoformat(f"{shard[:7]}-01")
    start, end = (datetime.combine(day, time(), UTC).timestamp() for day in (first, months_after(first, 1)))
    return int(start) * 1_000_000, int(end) * 1_000_000


def gaps(losses: Iterable[Loss], question: Question) -> tuple[Loss, ...]:
    """The losses that can have held entries of the window."""
    return tuple(
        loss
        for loss in losses
        if loss.lost and loss.since_ts_us < question.end_ts_us and loss.until_ts_us >= question.start_ts_us
    )


def bounded(count: int, missing: Iterable[Loss]) -> Bounds:
    """The bounds of a count: each lost entry may have shown one person more, of any insurer."""
    return Bounds(count, count + sum(loss.lost for loss in missing))
