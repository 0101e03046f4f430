"""A payment run: what it was asked, what it did, what it left aside and why."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

import msgspec

from ecluse.payments.settle import TRANSFERS_PER_FILE_MAX
from ecluse.payments.transfer import bank_reference

BANK_FOLDER = "payments"  # of the files out: what the bank picks up
REMITTANCES, CALLS = "remittances", "calls"  # beside it: what stays when a bank channel takes its files away
LISTED_MAX = 1_000  # practices named in a summary; the counts are always of all of them


class RunState(StrEnum):
    """ORDERED: committed. PUBLISHING: the bank may already take files. WRITTEN: all files on disk."""

    ORDERED = "ordered"
    PUBLISHING = "publishing"
    WRITTEN = "written"


class RunPlan(msgspec.Struct, frozen=True):
    """What is asked: claims received until that day, executed on a banking day; `debtor` is the hub's own account, sealed."""

    until: date
    execute_on: date
    at_ts_us: int
    debtor: bytes


class Aside(msgspec.Struct, frozen=True):
    """A practice that is not paid now: what it is due, net of recoveries."""

    practice: str
    lines: int
    net_cents: int


class Summary(msgspec.Struct, frozen=True):
    """What a run did. `held`: no bank details; `waiting`: nothing above zero is due; both lists are cut at `LISTED_MAX`.

    `late` counts the claims promised for a day before the money leaves, `late_since` being the earliest such promise.
    """

    transfers: int = 0
    claims: int = 0
    ordered_cents: int = 0
    calls: int = 0
    called_cents: int = 0
    held_practices: int = 0
    held_cents: int = 0
    held: tuple[Aside, ...] = ()
    waiting_practices: int = 0
    waiting: tuple[Aside, ...] = ()
    late: int = 0
    late_since: date | None = None


class Run(msgspec.Struct, frozen=True):
    """A run that was made."""

    id: str
    received_until: date
    execute_on: date
    state: RunState
    at_ts_us: int
    summary: Summary


class Ordered(msgspec.Struct, frozen=True):
    """The outcome of asking for a run: the run, or none when nothing could be paid; `summary` tells of both."""

    run: Run | None
    summary: Summary


def file_id(run: str, n: int) -> str:
    """The id of the `n`-th file of transfers of a run (from 1): unique for ever, 35 characters at most."""
    return bank_reference(f"{run}_{n:03d}")


def file_count(transfers: int) -> int:
    """How many files carry that many transfers."""
    return -(-transfers // TRANSFERS_PER_FILE_MAX)


def run_of_file(name: str) -> str:
    """The run a file for the bank is of, by its name."""
    _, year, month, day, number, *_ = name.rpartition("/")[2].partition(".")[0].split("-")
    return f"run_{year}-{month}-{day}_{number}"


def transfers_path(until: date, run: str, n: int) -> str:
    """Where a file of transfers is, under the folder of files out."""
    return f"{BANK_FOLDER}/{until}/{file_id(run, n)}.pain.001.xml"


def collections_path(until: date, run: str) -> str:
    """Where a run's file of direct debits is."""
    return f"{BANK_FOLDER}/{until}/{bank_reference(run)}-dd.pain.008.xml"


def remittance_path(until: date, remittance: str) -> str:
    """Where a remittance is."""
    return f"{REMITTANCES}/{until}/{remittance}.json"


def call_path(until: date, call: str, form: str) -> str:
    """Where a call for funds is; `form` is `csv`, `json` or `html`."""
    return f"{calls_folder(until)}/{call}.{form}"


def calls_folder(until: date) -> str:
    """Where the calls of a day's runs are."""
    return f"{CALLS}/{until}"
