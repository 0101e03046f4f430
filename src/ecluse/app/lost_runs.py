"""Payment runs whose files exist but which a restored database does not know: it would pay their claims again.

The folder of the bank's files is the one that gets emptied, by the channel that takes them away. So remittances and calls are
held against the database too: their ids say when their run was made, and no file of a run that is known is opened.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import msgspec

from ecluse.app.ports import PaymentStore, Post
from ecluse.payments.run import BANK_FOLDER, CALLS, REMITTANCES, run_of_file
from ecluse.payments.transfer import instant_ms, reference_in
from ecluse.payments.witness import run_of

RUNS_MAX = 100_000  # all there are: ten a day for a working life


class _Head(msgspec.Struct, frozen=True):
    """What of a call's or a remittance's file says which run it is of."""

    run: str = ""
    practice: str = ""


async def lost_runs(payments: PaymentStore, post: Post) -> list[str]:
    """The runs there are files of, for the bank or beside them, and which the database does not know."""
    known = await payments.runs(limit=RUNS_MAX)
    given = {run_of_file(name) for name in post.names(BANK_FOLDER)}
    made = {(str(run.received_until), run.at_ts_us // 1000) for run in known}
    told = {_named(post, name) for moment, name in _moments(post).items() if moment not in made}
    return sorted((given | told) - {run.id for run in known})


def _moments(post: Post) -> dict[tuple[str, int], str]:
    """One file for each run that has any beside the bank's, by the run's day and the instant it was made, in ms."""
    return {(day, instant_ms(id_)): name for name, day, id_ in _beside(post)}


def _beside(post: Post) -> Iterator[tuple[str, str, str]]:
    """Remittances and calls: name, day, id. Calls last, which say their run."""
    for folder in (REMITTANCES, CALLS):
        for name in post.names(folder):
            _, day, *_, file = name.split("/")
            id_, _, form = file.partition(".")
            if form == "json" and reference_in(id_):
                yield name, day, id_


def _named(post: Post, name: str) -> str:
    """The run a remittance or a call is of; its day alone where the file does not read."""
    _, day, *_, file = name.split("/")
    try:
        head = msgspec.json.decode(post.read(name), type=_Head)
        return head.run or run_of(file.partition(".")[0], head.practice, date.fromisoformat(day))
    except (ValueError, FileNotFoundError):  # it went away, or half of it was copied back
        return f"run_{day}_?"
