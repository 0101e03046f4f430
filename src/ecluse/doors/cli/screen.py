"""What every command shares: the hub's directory, JSON output, the two consoles."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ecluse.kernel.days import ts_us
from ecluse.kernel.errors import refusal

OUT = Console()
ERRORS = Console(stderr=True, highlight=False)

Dir = Annotated[Path, typer.Option("--dir", envvar="ECLUSE_DIR", help="The hub's directory.", show_default="./var")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
HERE = Path("var")

USAGE_INVALID = refusal(
    "usage_invalid",
    400,
    "This is no command of ours",
    fix="`ecluse --help` and `ecluse COMMAND --help` say what there is.",
)
INSTANT_INVALID = refusal(
    "instant_invalid", 400, "This is not an instant", fix="Write it as 2026-11-25T08:30:00+01:00; UTC without offset."
)

SHOUTED = "DevelopmentOnly"  # of keys and issuers that must never meet real data (`engines/keys/file.py`)
_held: list[str] = []


def warn(message: Warning | str, category: type[Warning], *_: object) -> None:
    """One line on stderr; that something here is for development only, when `tell_held` says so."""
    line = f"[yellow]{category.__name__}: {message}[/]"
    if category.__name__ == SHOUTED:
        _held.append(line)
    else:
        ERRORS.print(line)


def tell_held() -> None:
    """Say that this is for development only: before a server answers, and once any other command is done. Of what was refused
    nothing was done with such keys, and a refusal is one line, which a script reads."""
    for line in _held:
        ERRORS.print(line)
    _held.clear()


def print_json(value: Any) -> None:
    """Print one JSON document on standard output."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


@contextmanager
def bar(doing: str, *, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr when it is a terminal, else nothing; what it gives hears how much is done, and of how much."""
    columns = (TextColumn(doing), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=ERRORS, disable=quiet or not ERRORS.is_terminal, transient=True) as progress:
        task = progress.add_task(doing, total=None)

        def told(done: int, of: int) -> None:
            progress.update(task, completed=done, total=of)

        yield told


def instant(text: str, default: int) -> int:
    """An ISO 8601 instant, UTC without offset, in microseconds; `default` for nothing. Raises `instant_invalid`."""
    if not text:
        return default
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise INSTANT_INVALID(f"{text[:40]!r}") from None
    return ts_us(at if at.tzinfo else at.replace(tzinfo=UTC))
