"""Synthetic members for benches: one insurer's member file of any size, and questions about people in it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

AMC = "0075123456"
PRODUCT = "BENCH"
HEADER = (
    "insurer,member_number,nir,birth_date,birth_rank,contract,product,domains,valid_from,valid_to,"
    "convention_type,csr,responsible,priority"
)
PRODUCT_YAML = f"""product: {PRODUCT}
label: Formule du banc d'essai
responsible: false
guarantees:
  - {{domains: [MED, PHAR, LABO, DENT], guarantee: "BR_INCL:200", label: Soins courants}}
"""


def member(number: int) -> tuple[str, str]:
    """NIR (15 characters) and birth date of the `number`-th member; distinct up to 100 million."""
    # Two thirds of a century of months, ninety départements, then commune and order: all digits, all valid.
    year, month, county = number % 67 + 33, number // 67 % 12 + 1, number // 804 % 90 + 1
    rest = number // 72_360
    digits = f"{1 + number % 2}{year:02d}{month:02d}{county:02d}{rest // 999 % 900 + 1:03d}{rest % 999 + 1:03d}"
    return f"{digits}{97 - int(digits) % 97:02d}", f"19{year:02d}-{month:02d}-{number % 28 + 1:02d}"


def rows(people: int) -> Iterator[str]:
    """The lines of the file, header first, without line ends."""
    yield HEADER
    for number in range(people):
        nir, born = member(number)
        yield (
            f"{AMC},M{number:09d},{nir},{born},1,C{number:09d},{PRODUCT},MED PHAR LABO DENT,2026-01-01,,SV,0001,true,1"
        )


def write_feed(path: Path, people: int) -> None:
    """Write the member file."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{row}\n" for row in rows(people))


def question(number: int, care_date: str) -> dict[str, object]:
    """The rights question about the `number`-th member, as JSON values."""
    nir, born = member(number)
    who = {"nir": nir, "birth_date": born, "birth_rank": 1}
    return {"insurer": AMC, "beneficiary": who, "care_date": care_date, "domain": "MED", "pass": None}


def sample(people: int, count: int, seed: int = 1) -> list[int]:
    """`count` members drawn at random, the same for the same seed."""
    drawn = random.Random(seed)
    return [drawn.randrange(people) for _ in range(count)]
