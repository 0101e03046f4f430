"""The loader: loads member files received over HTTP, one after the other, insurers in turn; goes on with what a stop left.
Once a day it also looks, for each account that owes, which of the people it opened were paid for since. Once an insurer asked
for its openings, it keeps their index near the journal.

It is a process of its own: loading takes whole minutes of one core, and checks must go on being answered meanwhile.
`ecluse serve` starts one; several may run, an insurer's files are never loaded by two at a time.

A file comes from outside: one that breaks here is told as a bug and rests, with what its insurer sent after it, and the others'
go on. It is tried again a few times (`app/feeds.py`), then it is refused.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import time
from multiprocessing.connection import wait
from pathlib import Path
from threading import Event, Thread

from ecluse.app.feeds import journalled, load_received
from ecluse.app.following import follow_if_asked
from ecluse.doors.log import LOG, bugs_told, configure
from ecluse.kernel.errors import Refused
from ecluse.settings import read_settings
from ecluse.wiring import OpenHub, open_hub

LEFT_S = 86_400  # a file in the spool that no feed claims and nobody wrote to for a day was left by a stop
LOOKED_TOGETHER = (
    50  # accounts whose settled claims are looked for between two looks at the spool: some milliseconds each
)
# What the loader may allocate, in all: one and a half times its budget of 1 GiB (a million rows take 400 MB). What a file makes a
# library ask for beyond it breaks that file's load, and not the machine that answers.
DATA_BYTES_MAX = 1_536 << 20
REST_S = 30.0  # of an insurer's files after one that broke: memory or a disk that was short is back, or it is the file
POLL_S = 1.0  # between two looks for received files; a load takes longer than that anyway


def work_once(hub: OpenHub, resting: dict[str, float] | None = None) -> int:
    """Load one received feed of each insurer, in turn; the number finished. `resting`: insurers whose files wait, and until when
    (`time.monotonic`); who broke something is put there."""
    from ecluse.doors.http.meters import count_feed  # a third of a second to import: only the loader pays it

    resting = {} if resting is None else resting
    finished, seen = 0, set[str]()
    while (turn := _next(hub, seen, resting)) is not None:
        id_, insurer = turn
        seen.add(insurer)
        try:
            feed = hub.run(load_received(hub, id_, journalled(hub), lambda *_: None))
        except Refused as said:
            # The file as a whole: its state says it. Or a turn, or a disk: the file stays, to be tried again.
            LOG.warning("feed not loaded", feed=id_, code=said.code)
        except Exception as bug:  # noqa: BLE001 - a bug that one file wakes must not stop the others': told, tried again
            LOG.error("feed broke", feed=id_, exc_info=bug)
            resting[insurer] = time.monotonic() + REST_S
        else:
            LOG.info("feed finished", feed=id_, state=feed.state, rows=feed.counts.rows)
            count_feed(feed)
            finished += 1
    return finished


def _next(hub: OpenHub, seen: set[str], resting: dict[str, float]) -> tuple[str, str] | None:
    """Feed and insurer whose turn it is; only an insurer's oldest, as one sent later must not be loaded before. A file in which
    the loader was killed comes after the others': it may be killed again."""
    now_s = time.monotonic()
    waiting = [each for each in hub.run(hub.feeds.store.in_turn()) if each[1] not in seen]
    free = [(id_, insurer) for id_, insurer in waiting if now_s >= resting.get(insurer, 0.0)]
    return min(free, key=lambda each: hub.feeds.spool.begun(each[0]), default=None)


def run(directory: Path, stop: Event, poll_s: float = POLL_S) -> None:
    """Work until told to stop."""
    with open_hub(directory) as hub:
        is_swept, resting = False, dict[str, float]()
        while not stop.is_set():
            finished = 0
            try:
                is_swept = is_swept or _sweep(hub)
                finished = work_once(hub, resting) + hub.run(hub.allowance.look_at_all(LOOKED_TOGETHER))
                finished += follow_if_asked(hub)
            except Refused as said:  # a database is down: what waits is in the spool, and it comes back by itself
                LOG.warning("files wait: %s", said.code)
            except Exception as bug:  # noqa: BLE001 - as above, of what is done beside the files
                LOG.error("files wait", exc_info=bug)
            if not finished:
                stop.wait(poll_s)


def _sweep(hub: OpenHub) -> bool:
    """Remove files that a stop left behind; true once it is done."""
    hub.feeds.spool.sweep(hub.run(hub.feeds.store.unfinished()), hub.clock.now().timestamp() - LEFT_S)
    return True


def main(directory: Path) -> None:
    """Run until SIGTERM or SIGINT, or until the parent is gone; what a kill interrupts is gone on with at the next start."""
    from ecluse.doors.http.meters import Board

    Thread(target=end_with_parent, daemon=True).start()
    limit_memory()
    configure(read_settings(directory).log.level, "loader")
    stop = Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stop.set())
    with bugs_told(), Board(directory / "run", answers=False).telling():
        run(directory, stop)


def limit_memory() -> None:
    """From here on, this process is refused memory past `DATA_BYTES_MAX` (or what it was limited to before, if that is less)."""
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    limit = DATA_BYTES_MAX if most == resource.RLIM_INFINITY else min(DATA_BYTES_MAX, most)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, most))


def end_with_parent() -> None:
    """End at once when the parent has: in the middle of a file too, which is a kill like any other.

    The sentinel is a pipe whose other end the parent alone holds: the kernel closes it even if the parent was killed before
    this process had begun. A parent's number would not do: whoever adopts an orphan is its parent too.
    """
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)
