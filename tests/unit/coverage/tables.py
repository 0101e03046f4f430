"""The tables of tests/cases/responsable, written for jurists: rows of a product file, on a day, and whether they keep the law.

A row may go without its label. `expect` is `respecte`, or the row to blame (from 1; `absente`: one is missing), words of
what is wrong and of the text. The source names the rules of the book that the verdict turns on.
"""

from __future__ import annotations

from datetime import date
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml

from ecluse.coverage.product import Product, read_product

FOLDER = Path(__file__).parents[2] / "cases" / "responsable"
KEEPS = "respecte"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Blame(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The one row that breaks the law, and words that the check must say of it."""

    row: int | Literal["absente"]
    what: str
    article: str

    @property
    def place(self) -> int | None:
        """As `Breach.row` has it: from 0, None for a row that is missing."""
        return None if isinstance(self.row, str) else self.row - 1


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, dict=True):
    """A case as its file holds it: these keys and no other."""

    name: str
    day: date
    table: list[dict[str, Any]]
    expect: Literal["respecte"] | Blame
    because: str
    source: str

    @cached_property
    def product(self) -> Product:
        return self.said(responsible=True)

    def said(self, *, responsible: bool) -> Product:
        """The table as a product that claims to be responsible, or not, through the reader that checks it."""
        rows = [{"label": f"Ligne {number}"} | row for number, row in enumerate(self.table, start=1)]
        whole = {"product": "P", "label": self.name, "responsible": responsible, "guarantees": rows}
        return read_product(msgspec.json.encode(whole))

    @property
    def blame(self) -> Blame | None:
        return self.expect if isinstance(self.expect, Blame) else None


@cache
def tables() -> tuple[tuple[str, Table], ...]:
    """Every table, with the subject that its file is named by; read once."""
    return tuple(
        (path.stem, msgspec.convert(raw, Table))
        for path in sorted(FOLDER.glob("*.yaml"))
        for raw in yaml.load(path.read_text(encoding="utf-8"), LOADER)
    )
