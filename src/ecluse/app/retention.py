"""How long entries are kept, and what is done when some were lost: each is an entry of the journal itself.

Before entries go, what the gate holds people and accounts to by them is told again (`app/carrying.py`).

A clock that is ahead makes everything old, and what is removed does not come back. So months are counted from the clock's only
where the journal has entries of the month before it; else from the newest month before it that has some: what is written while
the clock is ahead vouches for nothing.

The bounds are those of the CNIL's recommendation on logging (délibération 2021-122 of 14 October 2021): six months to a year;
up to three years where misuse is a risk that was shown, and written down.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from ecluse.app.carrying import Carried, Told, carry, foreseen
from ecluse.app.hub import Hub
from ecluse.app.ports.carried import Going
from ecluse.app.ports.journal import Archive, Loss, ShardState
from ecluse.exposure.gaps import month_of
from ecluse.journal.entry import Operation, act
from ecluse.kernel.days import DAY_US
from ecluse.kernel.errors import refusal

KEEP_MONTHS_MIN = 6
KEEP_MONTHS = 12  # longer only with a reason
KEEP_MONTHS_MAX = 36
REASON_MAX = 500  # characters: a few sentences, in one entry
OPERATOR_MAX = 64

RETENTION_REFUSED = refusal(
    "retention_refused",
    400,
    "Entries are not kept that long, nor that short",
    fix="6 to 12 months, up to 36 with journal.keep_reason written: docs/journal.md has the source.",
)
REASON_REQUIRED = refusal(
    "reason_required",
    400,
    "Who does this, and why, has to be said",
    fix="Give --operator (at most 64 characters) and --reason (at most 500).",
)


class Pruned(msgspec.Struct, frozen=True):
    """Shards whose entries were removed, or would be: `keep_months` after their month was over; what was told again before.

    `counted_from`: the month that is taken for this one, and `clock_month`, where the clock is: another, of a hub that was quiet
    or whose clock is ahead.
    """

    keep_months: int
    shards: tuple[str, ...]
    entries: int
    carried: Carried = Carried()
    counted_from: str = ""
    clock_month: str = ""


def check_retention(keep_months: int, reason: str) -> None:
    """Raise `retention_refused` for a time that needs a reason and has none, or that no reason allows."""
    if not KEEP_MONTHS_MIN <= keep_months <= (KEEP_MONTHS_MAX if reason.strip() else KEEP_MONTHS):
        raise RETENTION_REFUSED(f"{keep_months} months, {'with a' if reason.strip() else 'without a'} reason")


def due(shards: Sequence[ShardState], now: datetime, keep_months: int) -> list[ShardState]:
    """Frozen shards of which every entry is older than that, and those a killed process began to prune."""
    oldest = _this_month(shards, now) - keep_months
    return [
        each
        for each in shards
        if each.state == "frozen" and each.has_entries and (each.pruned or _number(each.month) < oldest)
    ]


def going(shards: Sequence[ShardState], now: datetime, keep_months: int) -> Going:
    """The entries that are due, and those that went before. A day more on either side: clocks are not trusted to the second."""
    before_us = month_of(_named(_this_month(shards, now) - keep_months))[0]
    there = [each.month for each in shards if each.has_entries or each.state != "frozen"]  # of those given up, for ever
    since_us = min([before_us, *(month_of(month)[0] for month in there)])
    whole = tuple(each.name for each in due(shards, now, keep_months) if not each.pruned)
    return Going(before_us + DAY_US, since_us - DAY_US, whole)


async def prune(
    hub: Hub, archive: Archive, keep_months: int, reason: str, operator: str, told: Told, *, dry_run: bool
) -> Pruned:
    """Tell again what still stands by what is due, then remove that: the journal says so first. Killed, it is run again.

    The gate is to be what the journal tells (`recover`). Raises `retention_refused`.
    """
    check_retention(keep_months, reason)
    shards, now = archive.shards(), hub.clock.now()
    found, goes = due(shards, now, keep_months), going(shards, now, keep_months)
    carried = foreseen(hub, goes) if dry_run else await carry(hub, goes, told)
    for each in found if not dry_run else ():
        if not each.pruned:
            said = f"{each.name} {each.size} {each.root} older than {keep_months} months"
            await _record(hub, Operation.SHARD_PRUNED, operator, said)
        archive.prune(each.name)
    names, entries = tuple(each.name for each in found), sum(each.size for each in found)
    return Pruned(keep_months, names, entries, carried, _named(_this_month(shards, now)), f"{now:%Y-%m}")


async def accept_losses(
    hub: Hub, archive: Archive, shards: Sequence[str], reason: str, operator: str
) -> list[Loss]:  # fmt: skip
    """Give up shards that lost entries, then say so in the journal, which goes on elsewhere. Run again, it says so again.

    Raises `reason_required`, `loss_refused`, `journal_written`, `journal_forked` when another shard lost entries too.
    """
    if not 0 < len(reason.strip()) <= REASON_MAX or not 0 < len(operator.strip()) <= OPERATOR_MAX:
        raise REASON_REQUIRED()
    marks = await hub.rights.marks()
    losses = [archive.abandon(each, reason.strip(), marks.get(each, 0)) for each in shards]
    for loss in losses:
        said = f"{loss.shard} {loss.kept} {loss.lost} {loss.last_ts_us}"
        await _record(hub, Operation.LOSS_ACCEPTED, operator.strip(), said)
    return losses


def _this_month(shards: Sequence[ShardState], now: datetime) -> int:
    """The number of the month that months are counted from. An entry of `keep_months` before it may still be kept."""
    this = now.year * 12 + now.month - 1
    before = max(
        (n for each in shards if (n := _number(each.month)) < this and (each.has_entries or each.pruned)), default=this
    )
    return this if before == this - 1 else before


def _number(month: str) -> int:
    return int(month[:4]) * 12 + int(month[5:]) - 1


def _named(number: int) -> str:
    return f"{number // 12}-{number % 12 + 1:02d}"


async def _record(hub: Hub, operation: Operation, operator: str, outcome: str) -> None:
    await hub.desk.record(act(operation, hub.now_ts_us, hub.ids.new("ret_"), outcome, account=operator))
