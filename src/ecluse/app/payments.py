"""Payment runs: what is due is ordered in one transaction, then told in files that the committed run alone decides.

1. Files of runs that a crash left unfinished are made again, to the same bytes.
2. What is due is ordered: one durable transaction, or nothing.
3. Files are written: remittances, calls for funds; then the journal is told of the run, which a database that is restored to an
   earlier time forgets; last those the bank picks up. Only then is the run `written`.
A second run of a day finds nothing due, and leaves the files of the first alone: a file the bank has taken must not
come back. So before the bank's files become visible the run is `publishing`; one that a crash left so is for people to look at.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice

import msgspec

from ecluse.app.directory import open_payee, open_settlement
from ecluse.app.lost_runs import lost_runs
from ecluse.app.ports import HUB, Clock, DirectoryStore, Keys, PaymentStore, Post, Schemas
from ecluse.formats.call import Notice, call_csv, call_html, call_json
from ecluse.formats.sepa import PAIN_001, PAIN_008, collections_file, transfers_file
from ecluse.journal.entry import Entry, Operation, act
from ecluse.kernel.days import paris_day, ts_us
from ecluse.kernel.errors import refusal
from ecluse.payments.call import Call, CallState
from ecluse.payments.remittance import Remittance
from ecluse.payments.run import (
    Run,
    RunPlan,
    RunState,
    Summary,
    call_path,
    collections_path,
    file_count,
    file_id,
    remittance_path,
    transfers_path,
)
from ecluse.payments.settle import TRANSFERS_PER_FILE_MAX, banking_day, collection_day
from ecluse.payments.transfer import Collection, Debtor, Instruction, Settlement, Transfer, bank_reference, checked

WRITTEN_TOGETHER = 5_000  # remittances made durable together: one sync of the disk instead of as many
RUN_AHEAD_DAYS_MAX = 31  # a run is asked for today or the days around; a year's slip of the hand is refused

RUN_DAY_INVALID = refusal(
    "run_day_invalid", 422, "The day of the run is too far ahead", fix="Give a day of this month."
)
PAYMENT_UNKNOWN = refusal(
    "payment_unknown", 404, "No such run, remittance or call", fix="List them with `ecluse pay list`."
)

RUN_LOST = refusal(
    "run_lost",
    409,
    "There are files of a run that the database does not know",
    fix="The database was restored to an earlier time: `ecluse journal missing`, then docs/availability.md, before any payment.",
)

Progress = Callable[[str, int, int], None]  # what is being written, how many are done, out of how many


@dataclass(frozen=True, slots=True)
class Till:
    """What payments need: the ports, the hub's own account as the settings say, and how the journal is told, durably."""

    clock: Clock
    keys: Keys
    payments: PaymentStore
    directory: DirectoryStore
    post: Post
    schemas: Schemas
    debtor: Debtor
    record: Callable[[Entry], Awaitable[None]]


class RunReport(msgspec.Struct, frozen=True):
    """What a call of `run_payments` did. `runs` are all those of the day; `made` is the new one, if any; `files` where they are.
    `unsure`: the bank may have taken files of these, which were broken off; nothing but `ecluse pay files` writes them again.

    `summary` tells of the new run, or, when there is none, of what is held or waits now.
    """

    made: str | None
    runs: tuple[str, ...]
    finished: tuple[str, ...]
    summary: Summary
    files: tuple[str, ...]
    unsure: tuple[str, ...] = ()


def silent(what: str, done: int, total: int) -> None:
    """Tell nobody."""


async def run_payments(till: Till, until: date, progress: Progress = silent) -> RunReport:
    """Pay what was received until that day and is not paid. Safe to call again at any time, and after a crash.

    Raises `run_day_invalid`, `bank_settings_invalid`, `iban_invalid`, `database_busy`, `run_lost`, `payments_busy`.
    """
    now = till.clock.now()
    today = paris_day(now)
    if (until - today).days > RUN_AHEAD_DAYS_MAX:
        raise RUN_DAY_INVALID()
    debtor = checked(till.debtor)
    sealed = till.keys.seal(HUB, msgspec.msgpack.encode(debtor), DEBTOR_ABOUT)
    plan = RunPlan(until, banking_day(max(until, today)), ts_us(now), sealed)
    with till.post.turn():
        await _refuse_lost(till)
        unsure, finished = await _finish(till, progress)
        progress("order", 0, 1)
        ordered = await till.payments.order(plan)
        progress("order", 1, 1)
        if ordered.run:
            await write_files(till, ordered.run, progress)
    runs = await till.payments.runs(until=until)
    return RunReport(
        made=ordered.run.id if ordered.run else None,
        runs=tuple(run.id for run in runs),
        finished=finished,
        summary=ordered.summary,
        files=tuple(till.post.place(name) for run in runs for name in bank_files(till, run)),
        unsure=unsure,
    )


async def _finish(till: Till, progress: Progress) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Runs that a crash left unfinished: those the bank may have taken files of, and those whose files are complete now."""
    unsure, finished = list[str](), list[str]()
    for run in await till.payments.runs(unwritten=True):
        if run.state is RunState.ORDERED:
            await write_files(till, run, progress)
        elif all(
            till.post.has(name) for name in _transfer_names(run)
        ):  # the last to become visible: only the mark lacks
            await till.payments.written(run.id)
        else:
            unsure.append(run.id)
            continue
        finished.append(run.id)
    return tuple(unsure), tuple(finished)


async def _refuse_lost(till: Till) -> None:
    """A database that is older than the files of its runs would pay their claims again."""
    if lost := await lost_runs(till.payments, till.post):
        raise RUN_LOST(f"out/ holds files of {', '.join(lost[:5])}")


async def write_files(till: Till, run: Run, progress: Progress = silent, *, again: bool = False) -> None:
    """Write every file of a committed run; the same run gives the same bytes.

    Those for the bank once only, whoever else finished the run before, on another machine too, unless they are asked for `again`.
    """
    debtor = msgspec.msgpack.decode(till.keys.open(HUB, await till.payments.debtor(run.id), DEBTOR_ABOUT), type=Debtor)
    await _write_remittances(till, run, progress)
    notices = list(_notices(till, run, debtor, await till.payments.calls(run.id)))
    till.post.put_all(file for notice, _ in notices for file in _call_files(run, notice))
    collections = [
        Collection(notice.call.call_id, notice.call.amount_cents, settlement)
        for notice, settlement in notices
        if settlement and notice.collect_on
    ]
    transfers = await till.payments.transfers(run.id)
    publish = till.post.stage(
        [*_collection_files(till, run, debtor, collections), *_transfer_files(till, run, debtor, transfers, progress)]
    )
    if run.state is RunState.ORDERED:
        await till.record(_ordered(run, ts_us(till.clock.now())))
    if await till.payments.publishing(run.id) or again:
        publish()
        await till.payments.written(run.id)


def _ordered(run: Run, now_ts_us: int) -> Entry:
    """What the journal is told. A run that was broken off before its files were there is told again: it is one run."""
    outcome = f"{run.summary.transfers} transfers, {run.summary.ordered_cents} cents"
    return act(Operation.RUN_ORDERED, now_ts_us, run.id, outcome)


async def write_again(till: Till, id_: str, progress: Progress = silent) -> list[str]:
    """Write a run's files again, to the same bytes; where those for the bank are. Raises `payment_unknown`, `payments_busy`."""
    run = await _known(till, id_)
    with till.post.turn():
        await write_files(till, run, progress, again=True)
    return [till.post.place(name) for name in bank_files(till, run)]


async def taken(till: Till, id_: str) -> None:
    """The bank has every file of the run, and nothing is to be written. Raises `payment_unknown`."""
    await till.payments.written((await _known(till, id_)).id)


async def _known(till: Till, id_: str) -> Run:
    run = await till.payments.run(canonical_run(id_))
    if run is None:
        raise PAYMENT_UNKNOWN(f"{id_[:40]!r} is not known here")
    return run


def bank_files(till: Till, run: Run) -> list[str]:
    """The names of a run's files for the bank, under the folder of files out."""
    names, collected = _transfer_names(run), collections_path(run.received_until, run.id)
    return [*names, collected] if till.post.has(collected) else names


def _transfer_names(run: Run) -> list[str]:
    return [transfers_path(run.received_until, run.id, n + 1) for n in range(file_count(run.summary.transfers))]


async def show(till: Till, id_: str) -> Run | Remittance | Call:
    """A run, a remittance or a call by its id, as the hub or a bank statement writes it. Raises `payment_unknown`."""
    found: Run | Remittance | Call | None = None
    if id_.startswith("run"):
        found = await till.payments.run(canonical_run(id_))
    elif id_[:4].lower() in {"rem_", "rem-"}:
        found = await till.payments.remittance(_canonical(id_))
    elif id_[:4].lower() in {"cff_", "cff-"}:
        found = await till.payments.call(_canonical(id_))
    if found is None:
        raise PAYMENT_UNKNOWN(f"{id_[:40]!r} is not known here")
    return found


DEBTOR_ABOUT = b"debtor"  # what the seal of the hub's own account is bound to


def _canonical(id_: str) -> str:
    return f"{id_[:3].lower()}_{id_[4:].upper()}"


def canonical_run(id_: str) -> str:
    """A run's own id: `run-2026-11-23-1` of a bank file is `run_2026-11-23_1`."""
    return f"run_{id_[4:14]}_{id_[15:]}"


async def _write_remittances(till: Till, run: Run, progress: Progress) -> None:
    total, written, batch = run.summary.transfers, 0, list[tuple[str, bytes]]()
    progress("remittances", 0, total)
    async for remittance in till.payments.remittances(run.id):
        plain = msgspec.json.format(msgspec.json.encode(_as_ordered(remittance)), indent=1)
        batch.append((remittance_path(run.received_until, remittance.remittance_id), plain))
        if len(batch) == WRITTEN_TOGETHER:
            written, batch = written + till.post.put_all(batch), []
            progress("remittances", written, total)
    till.post.put_all(batch)
    progress("remittances", total, total)


def _as_ordered(remittance: Remittance) -> dict[str, object]:
    """The remittance's file: it says what was ordered, not what the bank said later, so it never changes."""
    plain: dict[str, object] = msgspec.to_builtins(remittance)
    return {name: value for name, value in plain.items() if name not in {"state", "why"}}


def _notices(
    till: Till, run: Run, debtor: Debtor, calls: list[tuple[Call, bytes | None]]
) -> Iterator[tuple[Notice, Settlement | None]]:
    for call, sealed in calls:
        settlement = open_settlement(till.keys, call.insurer, sealed) if sealed else None
        collected = settlement is not None and settlement.mandate != "" and debtor.creditor_id != ""
        day = collection_day(run.execute_on) if collected else None
        name = settlement.name if settlement else ""
        as_called = msgspec.structs.replace(
            call, state=CallState.CALLED, why=""
        )  # the file says what was asked, for ever
        yield Notice(as_called, run.received_until, run.execute_on, name, debtor, day), settlement


def _call_files(run: Run, notice: Notice) -> Iterator[tuple[str, bytes]]:
    forms = {"csv": call_csv(notice.call), "json": call_json(notice), "html": call_html(notice)}
    return ((call_path(run.received_until, notice.call.call_id, form), content) for form, content in forms.items())


def _collection_files(
    till: Till, run: Run, debtor: Debtor, collections: list[Collection]
) -> Iterator[tuple[str, bytes]]:
    if collections:
        id_ = bank_reference(f"{run.id}_dd")
        instruction = Instruction(id_, run.at_ts_us // 1_000_000, collection_day(run.execute_on), debtor)
        document = collections_file(instruction, collections)
        till.schemas.check(document, PAIN_008)
        yield collections_path(run.received_until, run.id), document


def _transfer_files(
    till: Till, run: Run, debtor: Debtor, ordered: list[tuple[str, str, int, bytes]], progress: Progress
) -> Iterator[tuple[str, bytes]]:
    rows = iter(ordered)
    total = file_count(run.summary.transfers)
    for n in range(1, total + 1):
        progress("transfers", n - 1, total)
        transfers = [
            Transfer(remittance, cents, open_payee(till.keys, practice, sealed))
            for remittance, practice, cents, sealed in islice(rows, TRANSFERS_PER_FILE_MAX)
        ]
        made_at_ts = run.at_ts_us // 1_000_000
        document = transfers_file(Instruction(file_id(run.id, n), made_at_ts, run.execute_on, debtor), transfers)
        till.schemas.check(document, PAIN_001)
        yield transfers_path(run.received_until, run.id, n), document
    progress("transfers", total, total)
