"""What insurers and practices hand to the hub, as files: member feeds, guarantee tables, practices, insurers.

No name of a person is in any of them: the feed has no column for one.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from sim.contracts import Contract
from sim.people import Person
from sim.products import Product, Row
from sim.world import World

COLUMNS = (
    "insurer",
    "member_number",
    "nir",
    "birth_date",
    "birth_rank",
    "contract",
    "product",
    "domains",
    "valid_from",
    "valid_to",
    "convention_type",
    "csr",
    "responsible",
    "priority",
)


def feed(world: World, insurer: str) -> bytes:
    """The full member file of one insurer, as CSV."""
    by_number = {person.number: person for person in world.people}
    mine = (row for row in world.contracts if row.insurer == insurer)
    return as_csv(COLUMNS, [feed_row(by_number[row.person], row) for row in mine])


def feed_row(person: Person, row: Contract) -> list[str]:
    """One row of a member file, in the order of `COLUMNS`."""
    return [
        row.insurer,
        row.member_number,
        person.nir,
        person.birth_date,
        str(person.birth_rank),
        row.contract,
        row.product,
        " ".join(row.domains),
        row.valid_from.isoformat(),
        row.valid_to.isoformat() if row.valid_to else "",
        row.convention_type,
        row.csr,
        "true" if row.responsible else "false",
        str(row.priority),
    ]


def product_yaml(product: Product) -> bytes:
    """One guarantee table, as `ecluse product load` reads it."""
    table = {"product": product.code, "label": product.label, "responsible": product.responsible, "year": product.year}
    rows = [product_row(row) for row in product.rows]
    return yaml.safe_dump(table | {"guarantees": rows}, allow_unicode=True, sort_keys=False).encode()


def product_row(row: Row) -> dict[str, Any]:
    """One row of a guarantee table; what it does not ask for is left out."""
    asked: dict[str, Any] = {
        "acts": list(row.acts),
        "when": deepcopy(
            row.when
        ),  # a value that stands twice would be written as an alias, which tables must not hold
        "count": row.count,
        "each_side": row.each_side,
        "waiting_months": row.waiting_months,
    }
    stated = {name: value for name, value in asked.items() if value}
    return {"domains": list(row.domains), "guarantee": row.guarantee, "label": row.label} | stated


def practices_csv(world: World) -> bytes:
    """Practices and where to pay them, as `ecluse practice load` reads them."""
    rows = [[each.number, each.name, each.iban, each.bic] for each in world.practices]
    return as_csv(["practice", "name", "iban", "bic"], rows)


def insurers_csv(world: World) -> bytes:
    """Insurers and how they pay, as `ecluse insurer load` reads them."""
    rows = []
    for each in world.insurers:
        signed = each.mandate_signed_on.isoformat() if each.mandate_signed_on else ""
        rows.append([each.number, each.name, each.iban, each.mandate, signed])
    return as_csv(["insurer", "name", "iban", "mandate", "mandate_signed_on"], rows)


def as_csv(header: Sequence[str], rows: list[list[str]]) -> bytes:
    """UTF-8, comma, header, LF."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


def write_files(world: World, folder: Path) -> None:
    """All of them under `folder`: `feeds/AMC.csv`, `products/AMC/CODE.yaml`, `practices.csv`, `insurers.csv`."""
    (folder / "feeds").mkdir(parents=True, exist_ok=True)
    (folder / "practices.csv").write_bytes(practices_csv(world))
    (folder / "insurers.csv").write_bytes(insurers_csv(world))
    for insurer in world.insurers:
        if any(row.insurer == insurer.number for row in world.contracts):  # a feed without a row is refused
            (folder / "feeds" / f"{insurer.number}.csv").write_bytes(feed(world, insurer.number))
        tables = folder / "products" / insurer.number
        tables.mkdir(parents=True, exist_ok=True)
        for product in insurer.products:
            (tables / f"{product.code}.yaml").write_bytes(product_yaml(product))
