"""Guarantee tables as files: what they promise, by what name a version goes, and every way a file is refused."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ecluse.coverage.notation import write
from ecluse.coverage.product import Product, canonical, from_canonical, read_product, schema, version
from ecluse.coverage.yaml_lines import BYTES_MAX
from ecluse.kernel.errors import Refused
from ecluse.rights.model import Domain

FOLDER = Path(__file__).parents[2] / "cases" / "products"
FILES = sorted(FOLDER.glob("*.yaml"))
PUBLISHED = sorted((FOLDER / "published").glob("*.yaml"))
DAY = date(2026, 11, 23)

GOOD = """\
product: ECO
label: Santé Économique
responsible: true
guarantees:
  - {domains: [MED], acts: [CS], guarantee: "BR_INCL:150", label: Spécialistes, from: 2026-01-01, to: 2026-06-30}
  - domains: [MED, PHAR]
    guarantee: "TM:100"
    label: Ville
"""


def product(text: str = GOOD) -> Product:
    return read_product(text.encode())


def promised(domain: Domain, act: str, day: date) -> str | None:
    row = product().find(domain, act, day).row
    return row and row.guarantee


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_example_products_are_read_and_keep_their_name(path: Path) -> None:
    read = read_product(path.read_bytes())
    assert {domain for row in read.guarantees for domain in row.domains} == set(Domain)
    assert from_canonical(canonical(read)) == read
    assert version(from_canonical(canonical(read))) == version(read)
    assert all(write(row.parsed) == row.guarantee for row in read.guarantees)


@pytest.mark.parametrize("path", PUBLISHED, ids=[path.stem for path in PUBLISHED])
def test_published_tables_say_where_they_were_read(path: Path) -> None:
    read = read_product(path.read_bytes())
    assert read.source.startswith("https://")
    assert ", read 20" in read.source
    assert "Not expressed:" in path.read_text(encoding="utf-8")
    assert from_canonical(canonical(read)) == read


def test_products_have_a_version_each() -> None:
    files = [*FILES, *PUBLISHED]
    assert len({version(read_product(path.read_bytes())) for path in files}) == len(files)


@pytest.mark.parametrize(
    ("domain", "act", "day", "guarantee"),
    [
        (Domain.MED, "CS", date(2026, 1, 1), "BR_INCL:150"),
        (Domain.MED, "CS", date(2026, 6, 30), "BR_INCL:150"),
        (Domain.MED, "CS", date(2025, 12, 31), "TM:100"),
        (Domain.MED, "CS", date(2026, 7, 1), "TM:100"),
        (Domain.MED, "APC", date(2026, 3, 1), "TM:100"),
        (Domain.PHAR, "PH7", DAY, "TM:100"),
        (Domain.OPTI, "OPA", DAY, None),
    ],
)
def test_the_first_row_that_speaks_of_domain_act_and_day_wins(
    domain: Domain, act: str, day: date, guarantee: str | None
) -> None:
    assert promised(domain, act, day) == guarantee


def test_a_version_is_of_the_meaning_not_of_the_writing() -> None:
    rewritten = "# a comment\n" + GOOD.replace("[MED, PHAR]", "\n    - MED\n    - PHAR").replace('"TM:100"', "TM:100.0")
    assert version(product(rewritten)) == version(product())
    assert version(product(GOOD.replace("BR_INCL:150", "BR_INCL:151"))) != version(product())


def test_a_version_does_not_drift() -> None:
    """A digest that changes between releases would orphan every engagement given under it."""
    assert version(product()) == "e9080172edfa63a6048486ec98df1de5a0a964672d5e99963b7367e1fe2a2fa5"


@pytest.mark.parametrize(
    ("change", "line", "pointer"),
    [
        (("label: Ville", "label: Ville\n    label: Deux"), 9, "/guarantees/1/label"),
        (("responsible: true", "responsible: true\ncolour: red"), 4, "/colour"),
        (("label: Ville", "label: Ville\n    limit: 3"), 9, "/guarantees/1/limit"),
        (("label: Spécialistes", "label: Spécialistes, limit: 3"), 5, "/guarantees/0/limit"),
        (("responsible: true\n", ""), 1, ""),
        (("responsible: true", "responsible: 'true'"), 3, "/responsible"),
        (("product: ECO", "product: E CO"), 1, "/product"),
        (("product: ECO", "product: 12"), 1, "/product"),
        (("[MED, PHAR]", "[MED, PHARM]"), 6, "/guarantees/1/domains/1"),
        (("[MED, PHAR]", "[MED, MED]"), 6, "/guarantees/1/domains"),
        (("[MED, PHAR]", "[]"), 6, "/guarantees/1/domains"),
        (("[MED, PHAR]", "MED"), 6, "/guarantees/1/domains"),
        (("acts: [CS]", "acts: [cs]"), 5, "/guarantees/0/acts/0"),
        (("acts: [CS]", 'acts: ["CS\\n"]'), 5, "/guarantees/0/acts/0"),
        (("product: ECO", 'product: "ECO\\n"'), 1, "/product"),
        (("acts: [CS]", "acts: [25]"), 5, "/guarantees/0/acts/0"),
        (('"TM:100"', '"TM:cent"'), 7, "/guarantees/1/guarantee"),
        (("to: 2026-06-30", "to: 2025-06-30"), 5, "/guarantees/0/to"),
        (("to: 2026-06-30", "to: 2026-06-31"), 5, "/guarantees/0/to"),
        (("to: 2026-06-30", "to: soon"), 5, "/guarantees/0/to"),
        (("label: Ville", "label: &name Ville"), 8, ""),
        (("label: Ville", "label: !!str Ville"), 8, ""),
        (("label: Ville", "1: Ville"), 8, "/guarantees/1"),
    ],
)
def test_a_fault_is_refused_with_its_line_and_what_to_do(change: tuple[str, str], line: int, pointer: str) -> None:
    assert change[0] in GOOD
    with pytest.raises(Refused, match="product_invalid") as refused:
        product(GOOD.replace(*change))
    assert refused.value.detail.startswith(f"line {line}: ")
    assert refused.value.pointer == pointer
    assert refused.value.fix


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"- a\n- b\n",
        b"product: [",
        b"\xff\xfe\xfa",
        b"a: 1\n---\nb: 2\n",
        b"[" * 100_000 + b"]" * 100_000,
        b"a: &a [x, x]\nb: &b [*a, *a]\n",
        GOOD.encode() + b"#" * BYTES_MAX,
        GOOD.encode() + b'  - {domains: [MED], guarantee: "NONE", label: x}\n' * 2000,
    ],
    ids=["empty", "a list", "torn", "not text", "two documents", "deep", "aliases", "long", "many rows"],
)
def test_what_is_not_a_table_is_refused(data: bytes) -> None:
    with pytest.raises(Refused, match="product_invalid"):
        read_product(data)


def test_the_schema_names_every_key_and_takes_no_other() -> None:
    definitions = schema()["$defs"]
    assert set(definitions["Row"]["properties"]) == {
        "domains", "acts", "guarantee", "label", "from", "to", "when", "count", "each_side", "waiting_months",
    }  # fmt: skip
    assert set(definitions["Product"]["properties"]) == {
        "product", "label", "responsible", "guarantees", "year", "source",
    }  # fmt: skip
    assert definitions["Product"]["additionalProperties"] is False
