"""A lost run entered again: what is due is cut down to what its files tell of, and what was made is held against them."""

from __future__ import annotations

import msgspec

from ecluse.engines.sql.unit import Row, Tx
from ecluse.kernel.errors import refusal
from ecluse.payments.witness import RUN_DIFFERS, Witness

NAMED_MAX = 5  # practices in a refusal

RUN_LINES_MISSING = refusal(
    "run_lines_missing",
    409,
    "Claims that this run paid are not here",
    fix="Have those practices send them, or cancel, again (`ecluse journal missing --practices`); then enter the run.",
)


async def tell(tx: Tx, told: Witness) -> list[str]:
    """Note what the run paid and called for. The claims it paid that are cancelled here stand again until `cancel_again`."""
    await tx.run("drop_told")
    await tx.run("told_table")
    lines = {("paid", each) for each in told.lines} | {("called", each) for each in told.called}
    await tx.many("tell", [{"what": what} | msgspec.structs.asdict(each) for what, each in sorted(lines, key=str)])
    cancelled = [claim for (claim,) in await tx.all("cancelled_since")]
    await tx.many("let_stand", [{"claim": claim} for claim in cancelled])
    return cancelled


async def keep_told(tx: Tx) -> None:
    """Of what is due keep what the run paid. Raises `run_lines_missing`."""
    _refuse_absent(await tx.all("told_not_due"))
    await tx.run("leave_untold")


async def hold_called(tx: Tx) -> None:
    """What its calls tell of is owed, or owed back. Raises `run_lines_missing`."""
    _refuse_absent(await tx.all("told_not_called"))


async def cancel_again(tx: Tx, claims: list[str], at_ts_us: int) -> None:
    """What was cancelled after the run is so again; the next run takes back what this one paid."""
    await tx.many("cancel_move", [{"claim": claim, "at_ts_us": at_ts_us} for claim in claims])
    await tx.many("cancel_again", [{"claim": claim} for claim in claims])
    await tx.run("drop_told")


def _refuse_absent(absent: list[Row]) -> None:
    if absent:
        named = ", ".join(f"{count} of {practice}" for practice, count in absent[:NAMED_MAX])
        raise RUN_LINES_MISSING(f"{sum(count for _, count in absent)} lines: {named}")


async def hold_told(tx: Tx, told: Witness) -> None:
    """What was made is what the files tell of. Raises `run_differs`."""
    transfers = {id_: cents for id_, _, cents, _ in await tx.all("remittances_of_run", run=told.run)}
    calls = {row[0]: row[4] for row in await tx.all("calls_of_run", run=told.run)}
    for what, made, given in (("transfers", transfers, told.transfers), ("calls", calls, told.calls)):
        if made != given:
            other = len(made.items() ^ given.items())
            raise RUN_DIFFERS(f"{other} {what} differ, of {sum(given.values())} and {sum(made.values())} cents")
