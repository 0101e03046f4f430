"""What every command shares: the hub's directory, JSON output, the two consoles."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console

OUT = Console()
ERRORS = Console(stderr=True, highlight=False)

Dir = Annotated[Path, typer.Option("--dir", envvar="ECLUSE_DIR", help="The hub's directory.", show_default="./var")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
HERE = Path("var")


def print_json(value: Any) -> None:
    """Print one JSON document on standard output."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")
