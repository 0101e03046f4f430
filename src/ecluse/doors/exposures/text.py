"""An exposure in a terminal: the three counts insurer by insurer, then what was displayed by field, day, account and place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.box import SIMPLE
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ecluse.exposure.answer import Exposure
from ecluse.exposure.gaps import Bounds
from ecluse.kernel.days import instant

ROWS_MAX = 15  # of one table: a screen; --json, --parquet and --html have them all

SPREADS = {"fields": "field", "days": "day (Paris)", "accounts": "account", "departements": "département"}


def as_tables(exposure: Exposure) -> Group:
    """What is printed."""
    return Group(*_parts(exposure))


def _parts(exposure: Exposure) -> Iterator[RenderableType]:
    yield _insurers(exposure)
    for name, label in SPREADS.items():
        times = exposure.displayed.disclosures if name == "fields" else None
        yield _spread(label, getattr(exposure.displayed, name), times)
    for gap in exposure.gaps:
        written = f"written before {instant(gap.until_ts_us):%Y-%m-%d %H:%M:%S} UTC"
        yield Text(
            f"GAP: {gap.lost:,} entries of {gap.shard} are lost, {written}: displayed is between two bounds.",
            "bold red",
        )
    for each in exposure.lists:
        yield Text("".join(f"{name}\n" for name in each.files) or _unwritten(each.insurer), end="")
    for proved in exposure.proofs:
        yield Text(f"{proved.insurer}: {proved.entries:,} entries proved {proved.file}".rstrip())
    yield Text(
        f"Reachable is an upper bound. {exposure.lists_shown:,} times lists of the practices' own claims were shown, "
        f"which name nobody.\n{exposure.exposure_id}"
    )


def _unwritten(insurer: str) -> str:
    return f"{insurer} has no public key: its list was not written (ecluse insurer key {insurer} FILE)\n"


def _insurers(exposure: Exposure) -> Table:
    kinds = exposure.displayed.categories
    table = Table("insurer", "referenced", "reachable ≤", "displayed", *kinds, box=SIMPLE, padding=0)
    for column in table.columns[1:]:
        column.justify, column.no_wrap = "right", True
    for part in exposure.insurers:
        shown = part.displayed
        counts = (_known(part.referenced), _known(part.reachable), _between(shown.people))
        table.add_row(part.insurer, *counts, *(f"{people:,}" for people in shown.categories.values()))
    table.add_section()
    whole = (f"{exposure.referenced:,}", f"{exposure.reachable:,}", _between(exposure.displayed.people))
    table.add_row("all", *whole, *(f"{people:,}" for people in kinds.values()))
    return table


def _spread(label: str, counts: Mapping[str, int], times: Mapping[str, int] | None = None) -> Table:
    table = Table(label, "people displayed", *(() if times is None else ("disclosures",)), box=SIMPLE, padding=0)
    for column in table.columns[1:]:
        column.justify = "right"
    for value, people in [*counts.items()][:ROWS_MAX]:
        table.add_row(value or "unknown", f"{people:,}", *(() if times is None else (_known(times.get(value)),)))
    if len(counts) > ROWS_MAX:
        table.add_row(f"and {len(counts) - ROWS_MAX:,} more")
    return table


def _known(people: int | None) -> str:
    return "unknown" if people is None else f"{people:,}"


def _between(people: Bounds) -> str:
    exact = people.at_least == people.at_most
    return f"{people.at_least:,}" if exact else f"{people.at_least:,} to {people.at_most:,}"
