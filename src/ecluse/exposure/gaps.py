"""Where the journal has gaps, an exact count becomes two bounds: what it has, and that plus every entry that was lost.

A loss is accepted by an operator, after a damage, in an entry of its own (`loss_accepted`): `<shard> <kept entries> <lost>`.
What was lost was written after the last entry that was kept, and before the loss was accepted.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from ecluse.exposure.question import Question


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


def read_loss(outcome: str) -> tuple[str, int, int]:
    """Shard, kept and lost entries, as the outcome of a `loss_accepted` entry says. Anything else is a bug."""
    shard, kept, lost = outcome.split(" ")
    return shard, int(kept), int(lost)


def gaps(losses: Iterable[Loss], question: Question) -> tuple[Loss, ...]:
    """The losses that can have held entries of the window."""
    return tuple(
        loss
        for loss in losses
        if loss.lost and loss.since_ts_us < question.end_ts_us and loss.until_ts_us >= question.start_ts_us
    )


def bounded(count: int, missing: Iterable[Loss]) -> Bounds:
    """Each lost entry may have shown one person more, of any insurer."""
    return Bounds(count, count + sum(loss.lost for loss in missing))
