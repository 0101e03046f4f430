"""What letters are made with: the press, the folder they go to, the key of their codes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

from ecluse.app.ports import Post
from ecluse.app.ports.letters import BatchPress, Press
from ecluse.breach.incident.cnil import Form
from ecluse.breach.letters.code import LetterKey
from ecluse.engines.files import Folder
from ecluse.engines.letter_key import drawn_once, read_key
from ecluse.engines.typesetting import Typst
from ecluse.engines.typesetting.forms import Forms


def press() -> Press:
    """A press of one process."""
    return Typst()


def batch_press() -> BatchPress:
    """A press of many letters at once."""
    from ecluse.engines.typesetting.batch import ReportLab  # a third of a second, for those alone who print batches

    return ReportLab()


def printed_form() -> Callable[[Form, date], bytes]:
    """What makes CNIL's form a PDF, in one process."""
    return Forms().pdf


def folder(path: Path) -> Post:
    """Where letters go; for the owner alone, for they say who was seen."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Folder(path)


def key_of(path: Path, incident: str, insurer: str) -> LetterKey:
    """The key of these letters, drawn where there is none yet."""
    return drawn_once(path, incident, insurer)


def key_in(path: Path) -> LetterKey:
    """The key in a file."""
    return read_key(path)
