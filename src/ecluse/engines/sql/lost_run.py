"""A lost run entered again: what is due is cut down to what its files tell of, and what was made is held against them."""

from __future__ import annotations

from ecluse.engines.sql.unit import Tx
from ecluse.kernel.errors import refusal
from ecluse.payments.witness import Witness

NAMED_MAX = 5  # practices in a refusal

RUN_LINES_MISSING = refusal(
    "run_lines_missing",
    409,
    "Claims that this run paid are not here",
    fix="Have those practices send them, or cancel, again (`ecluse journal missing --practices`); then enter the run.",
)
RUN_DIFFERS = refusal(
    "run_differs",
    409,
    "The run does not come out as the bank was given it",
    fix="Nothing was kept. Load practices, enter older lost runs first; else settle it by hand: docs/availability.md.",
)


async def keep_told(tx: Tx, told: Witness) -> None:
    """Of what is due keep what the run paid. Raises `run_lines_missing`, `run_differs`."""
    await tx.run("drop_told")
    await tx.run("told_table")
    lines = {(each.practice, each.invoice): each.amount_cents for each in told.lines}
    await tx.many("tell", [{"practice": who, "invoice": what, "amount_cents": n} for (who, what), n in lines.items()])
    absent = await tx.all("told_not_due")
    if absent:
        named = ", ".join(f"{count} of {practice}" for practice, count in absent[:NAMED_MAX])
        raise RUN_LINES_MISSING(f"{sum(count for _, count in absent)} lines: {named}")
    await tx.run("leave_untold")
    await tx.run("drop_told")


async def hold_told(tx: Tx, told: Witness) -> None:
    """What was made is what the files tell of. Raises `run_differs`."""
    transfers = {id_: cents for id_, _, cents, _ in await tx.all("remittances_of_run", run=told.run)}
    calls = {row[0]: row[4] for row in await tx.all("calls_of_run", run=told.run)}
    for what, made, given in (("transfers", transfers, told.transfers), ("calls", calls, told.calls)):
        if made != given:
            other = len(made.items() ^ given.items())
            raise RUN_DIFFERS(f"{other} {what} differ, of {sum(given.values())} and {sum(made.values())} cents")
