"""Structured logs on stderr, one JSON object a line; codes, routes and times, never bodies, tokens or identifiers of people."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import structlog
from structlog.typing import EventDict

from ecluse.kernel.errors import Refused

LOG = structlog.get_logger("ecluse")


def configure(level: str, worker: str) -> None:
    """Log from `level` (`debug` to `error`) on, each line naming the process by `worker`; libraries' own words too."""

    def named(_: Any, __: str, line: EventDict) -> EventDict:
        line["worker"] = worker
        return line

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            named,
            _without_values,
            structlog.processors.JSONRenderer(serializer=lambda line, **_: msgspec.json.encode(line)),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # One write a line: lines of several processes do not mix.
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=level.upper(), handlers=[_FromLibraries()], force=True)


class _FromLibraries(logging.Handler):
    """What libraries say through `logging` becomes a line like the others."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        if not record.name.startswith(("ecluse", "uvicorn")) and record.levelno < logging.WARNING:
            return
        bug = record.exc_info[1] if record.exc_info else None
        if bug is None:
            LOG.log(record.levelno, record.getMessage(), logger=record.name)
        else:  # asyncio and uvicorn put the bug's own message, or what was called with what, into theirs
            LOG.log(record.levelno, "broken", logger=record.name, exc_info=bug)


@contextmanager
def bugs_told() -> Iterator[None]:
    """Around a whole process: what ends it is told like any bug, and it exits with 1. Python itself would print its message."""
    try:
        yield
    except Refused as refused:
        LOG.error("refused", code=refused.code, detail=refused.detail)
        sys.exit(1)
    except Exception as bug:  # noqa: BLE001 - told by its kind and its places, then the process ends
        _broken(bug)
        sys.exit(1)


def _broken(bug: Exception) -> None:
    LOG.error("broken", exc_info=bug)


def places(bug: BaseException) -> list[str]:
    """Where a bug passed, the innermost last: file, line and function, no value."""
    return [f"{each.filename}:{each.lineno} {each.name}" for each in traceback.extract_tb(bug.__traceback__)]


def _without_values(_: Any, __: str, line: EventDict) -> EventDict:
    """A bug is told by its kind and its places: its message may quote what was asked (`KeyError: '2790675…'`)."""
    bug = line.pop("exc_info", None)
    if isinstance(bug, BaseException):
        line["bug"] = type(bug).__name__
        line["at"] = places(bug)
    return line
