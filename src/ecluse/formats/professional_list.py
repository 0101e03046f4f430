"""Professionals an incident concerns, as CSV (RFC 4180) and Parquet with the same columns: which of their data, not the data."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import msgspec


class ProfessionalRow(msgspec.Struct, frozen=True):
    """One professional. `fields`: what was exposed in the words of letters; `other`: what has none; `stated`: as it was said.

    `first_at`, `last_at`: the window of the incident, RFC 3339; when exactly theirs was exposed is not known.
    """

    practice: str
    account: str
    rib: bool
    siret: bool
    contact: bool
    fields: tuple[str, ...]
    other: tuple[str, ...]
    stated: tuple[str, ...]
    first_at: str
    last_at: str


COLUMNS = ProfessionalRow.__struct_fields__
YES_NO = {True: "yes", False: "no"}


def professionals_as_csv(rows: Sequence[ProfessionalRow]) -> bytes:
    """UTF-8, comma, header, CRLF; lists with semicolons."""
    text = io.StringIO(newline="")
    written = csv.writer(text)
    written.writerow(COLUMNS)
    for row in rows:
        written.writerow([_cell(each) for each in msgspec.structs.astuple(row)])
    return text.getvalue().encode()


def professionals_as_parquet(rows: Sequence[ProfessionalRow]) -> bytes:
    """The same; lists are lists."""
    import pyarrow as pa  # a third of a second, that only who writes Parquet pays
    import pyarrow.parquet as parquet

    kinds = dict.fromkeys(("rib", "siret", "contact"), pa.bool_())
    kinds |= dict.fromkeys(("fields", "other", "stated"), pa.list_(pa.string()))
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in COLUMNS])
    out = io.BytesIO()
    columns = {name: [getattr(row, name) for row in rows] for name in COLUMNS}
    parquet.write_table(pa.table(columns, schema=schema), out)
    return out.getvalue()


def _cell(value: str | bool | tuple[str, ...]) -> str:
    if isinstance(value, tuple):
        return ";".join(value)
    return YES_NO[value] if isinstance(value, bool) else value
