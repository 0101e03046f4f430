"""What the files of a run say it did: all there is to know of one that the database lost.

A run's ids are drawn from its own id, its instant and its practices. So the run made again from the same lines at the same
instant has the same transfers and calls, to the id and the cent; if it has not, it is another run.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import msgspec

from ecluse.kernel.errors import refusal
from ecluse.payments.call import Call
from ecluse.payments.remittance import Line
from ecluse.payments.transfer import Payee, instant_ms, made_id, run_id

RUNS_A_DAY_MAX = 100  # looked through for the one that a remittance is of
PARTS_MAX = 10  # transfers of one practice in a run: a thousand million euros each


RUN_DIFFERS = refusal(
    "run_differs",
    409,
    "The run does not come out as the bank was given it",
    fix="Nothing was kept. Load practices, enter older lost runs first; else settle it by hand: docs/availability.md.",
)


class PaidLine(msgspec.Struct, frozen=True):
    """A claim paid, called for or taken back, by what its practice knows it by: its id may have gone with the database."""

    practice: str
    invoice: str
    amount_cents: int


class OrderedRemittance(msgspec.Struct, frozen=True):
    """A remittance as its file has it: what was ordered, not what became of it."""

    remittance_id: str
    practice: str
    executed_on: date
    total_cents: int
    lines: tuple[Line, ...]


class Witness(msgspec.Struct, frozen=True):
    """A run by its files. `lines` were paid, insurers `called` for. Cents by id: `transfers`, `calls`.

    `payees`: by practice, as the bank was given them.
    """

    run: str
    until: date
    execute_on: date
    at_ts_us: int
    lines: tuple[PaidLine, ...]
    called: tuple[PaidLine, ...]
    transfers: dict[str, int]
    calls: dict[str, int]
    payees: dict[str, Payee]


def witness(
    run: str, until: date, remittances: Iterable[tuple[OrderedRemittance, Payee]], calls: Iterable[Call]
) -> Witness:
    """What these remittances, one at least, and these calls of a run say together."""
    given = list(remittances)
    paid, own = [each for each, _ in given], [each for each in calls if each.run == run]
    return Witness(
        run,
        until,
        paid[0].executed_on,
        instant_ms(paid[0].remittance_id) * 1000,
        tuple(PaidLine(each.practice, line.invoice, line.amount_cents) for each in paid for line in each.lines),
        tuple(PaidLine(line.practice, line.invoice, line.amount_cents) for each in own for line in each.lines),
        {each.remittance_id: each.total_cents for each in paid},
        {each.call_id: each.amount_cents for each in own},
        {each.practice: payee for each, payee in given},
    )


def run_of(remittance: str, practice: str, until: date) -> str:
    """The run of what was received until that day which a practice's remittance is of; with `?` where no number fits."""
    at_ts_us = instant_ms(remittance) * 1000
    for n in range(1, RUNS_A_DAY_MAX + 1):
        made = {made_id("rem", run_id(until, n), at_ts_us, f"{practice}|{part}") for part in range(PARTS_MAX)}
        if remittance in made:
            return run_id(until, n)
    return f"run_{until}_?"
