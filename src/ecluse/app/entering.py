"""A run that the bank was given and a restored database does not know, entered again from its files.

The files say which invoices were paid, to whom, how much. The same run is made again over those claims; unless it comes out the
same, transfer by transfer and call by call, nothing of it is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import msgspec

from ecluse.app.directory import open_payee
from ecluse.app.payments import DEBTOR_ABOUT, Till, canonical_run
from ecluse.app.ports import HUB, Post
from ecluse.formats.sepa import as_written, read_transfers
from ecluse.kernel.errors import refusal
from ecluse.payments.call import Call
from ecluse.payments.run import Run, RunPlan, calls_folder, remittance_path, transfers_path
from ecluse.payments.transfer import Transfer, checked
from ecluse.payments.witness import RUN_DIFFERS, OrderedRemittance, Witness, witness

NAMED_MAX = 5  # practices in a refusal

RUN_FILES_MISSING = refusal(
    "run_files_missing",
    409,
    "The files of this run are not all there",
    fix="Stop the bank channel. Put out/payments/, out/remittances/ and out/calls/ of the run's day back, from their copies; "
    "take the bank's files away again before the channel starts.",
)


class Entered(msgspec.Struct, frozen=True):
    """The run, and whether it was entered now; else it was known."""

    run: Run
    entered: bool


async def enter_run(till: Till, id_: str) -> Entered:
    """Enter a lost run again; again changes nothing.

    Raises `run_files_missing`, `run_lines_missing`, `run_differs`, `bank_settings_invalid`.
    """
    known = await till.payments.run(canonical_run(id_))
    if known:
        return Entered(known, entered=False)
    told = read_witness(till.post, canonical_run(id_))
    await _refuse_other_accounts(till, told)
    sealed = till.keys.seal(HUB, msgspec.msgpack.encode(checked(till.debtor)), DEBTOR_ABOUT)
    plan = RunPlan(told.until, told.execute_on, told.at_ts_us, sealed)
    return Entered(await till.payments.enter(plan, told), entered=True)


def read_witness(post: Post, run: str) -> Witness:
    """What the files of a run say, the bank's before all. Raises `run_files_missing`."""
    try:
        until = date.fromisoformat(run.split("_")[1])
        remittances = [(_remittance(post, until, each), each.payee) for each in _transfers(post, until, run)]
        calls = [
            msgspec.json.decode(post.read(name), type=Call)
            for name in post.names(calls_folder(until))
            if name.endswith(".json")
        ]
    except FileNotFoundError as absent:
        raise RUN_FILES_MISSING(f"out/{absent.filename} is not there") from None
    except (ValueError, IndexError, msgspec.DecodeError) as broken:
        raise RUN_FILES_MISSING(f"a file of {run[:40]} does not read: {type(broken).__name__}") from None
    if not remittances:
        raise RUN_FILES_MISSING(f"out/payments holds no file of {run[:40]}")
    return witness(run, until, remittances, calls)


async def _refuse_other_accounts(till: Till, told: Witness) -> None:
    """The run's files could not be written again to the same bytes, and the next run would pay an account that was given up."""
    known = await till.directory.payees(told.payees)
    other = sorted(
        practice
        for practice, sealed in known.items()
        if as_written(open_payee(till.keys, practice, sealed)) != told.payees[practice]
    )
    if other:
        raise RUN_DIFFERS(
            f"the bank was given another account, name or BIC of {', '.join(other[:NAMED_MAX])}, {len(other)} in all",
            fix="Nothing was kept. Ask for and confirm those RIBs again (practice rib), load changed names; then enter it.",
        )


def _transfers(post: Post, until: date, run: str) -> Iterator[Transfer]:
    """Each transfer the bank was given."""
    n = 1
    while post.has(name := transfers_path(until, run, n)):
        yield from read_transfers(post.read(name))
        n += 1


def _remittance(post: Post, until: date, given: Transfer) -> OrderedRemittance:
    found = msgspec.json.decode(post.read(remittance_path(until, given.remittance)), type=OrderedRemittance)
    if (found.remittance_id, found.total_cents) != (given.remittance, given.amount_cents):
        raise RUN_FILES_MISSING(f"{given.remittance} is not what the bank was given")
    return found
