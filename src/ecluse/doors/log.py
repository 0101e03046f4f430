"""Structured logs on stderr, one JSON object a line; codes, routes and times, never bodies, tokens or identifiers of people."""

from __future__ import annotations

import logging
import sys
import traceback
from typing import Any

import msgspec
import structlog
from structlog.typing import EventDict

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
        if record.name.startswith(("ecluse", "uvicorn")) or record.levelno >= logging.WARNING:
            bug = record.exc_info[1] if record.exc_info else None
            LOG.log(record.levelno, record.getMessage(), logger=record.name, **({"exc_info": bug} if bug else {}))


def _without_values(_: Any, __: str, line: EventDict) -> EventDict:
    """A bug is told by its kind and its places: its message may quote what was asked (`KeyError: '2790675…'`)."""
    bug = line.pop("exc_info", None)
    if isinstance(bug, BaseException):
        line["bug"] = type(bug).__name__
        line["at"] = [f"{each.filename}:{each.lineno} {each.name}" for each in traceback.extract_tb(bug.__traceback__)]
    return line
