"""`ecluse letters`: letters to people whose data were seen. Linting needs no hub: a letter in, what is wrong with it out."""

from __future__ import annotations

import sys
from typing import Annotated

import msgspec
import typer

from ecluse.breach.facts import BYTES_MAX, read
from ecluse.breach.letter import Letter
from ecluse.breach.letter import lint as linted

app = typer.Typer(help="Letters to people whose data were seen.", no_args_is_help=True)


@app.callback()
def _root() -> None:
    """Letters to people whose data were seen."""


@app.command("lint")
def lint(
    _json: Annotated[bool, typer.Option("--json", help="The answer is always JSON; accepted for uniformity.")] = False,
) -> None:
    """Say what forbids to send a letter in French: hedges, missing parts, fields not proved, too hard to read; then exit code 2.

    Send one JSON object: `text`, the letter; `shown`, the fields the journal proves were seen; `not_shown`, those it proves
    were not; and, where known, `minor` and `via_holder` (docs/breach.md).

    Example:

      echo '{"text": "Vos données sont peut-être concernées.", "shown": ["national_number"]}' | ecluse letters lint
    """
    answer = linted(read(sys.stdin.buffer.read(BYTES_MAX + 1), Letter))
    typer.echo(msgspec.json.format(msgspec.json.encode(answer), indent=1))
    raise typer.Exit(0 if answer.ok else 2)
