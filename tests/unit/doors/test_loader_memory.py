"""The loader's memory: what it may allocate ends somewhere, and what asks for more hears so instead of the machine."""

from __future__ import annotations

import resource
from multiprocessing import get_context
from multiprocessing.connection import Connection

from ecluse.doors.loader import DATA_BYTES_MAX, limit_memory


def asking(answer: Connection) -> None:
    """Ask for half of what there is, then for all of it."""
    limit_memory()
    said = [resource.getrlimit(resource.RLIMIT_DATA)[0] == DATA_BYTES_MAX]
    for wanted in (DATA_BYTES_MAX // 2, DATA_BYTES_MAX):
        try:
            bytearray(wanted)
            said.append(True)
        except MemoryError:
            said.append(False)
    answer.send(said)


def test_the_loader_is_refused_memory_past_its_limit() -> None:
    here, there = get_context().Pipe(duplex=False)
    process = get_context("forkserver").Process(target=asking, args=(there,))
    process.start()
    assert here.recv() == [True, True, False]
    process.join()
