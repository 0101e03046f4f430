"""Valid identifiers of people, professionals and banks that belong to nobody. Own arithmetic: shared with no one.

Rules: docs/simulator.md; NIR key and Corsica as python-stdnum has them (the tests hold one against the other).
"""

from __future__ import annotations

from datetime import date

CORSICA = {"2A": "19", "2B": "18"}  # the letters become digits before the key is computed
LETTERS = {letter: str(number) for number, letter in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ", start=10)}


def nir(sex: int, year: int, month: int, place: str, order: int) -> str:
    """A NIR of 15 characters: sex, year, month, place of birth (5: INSEE commune or 99 + country), order, key."""
    body = f"{sex}{year % 100:02d}{month:02d}{place}{order:03d}"
    assert len(body) == 13, body
    return body + nir_key(body)


def nir_key(body: str) -> str:
    """The two digits that follow the 13: 97 less the remainder by 97."""
    digits = body[:5] + CORSICA.get(body[5:7], body[5:7]) + body[7:]
    return f"{97 - int(digits) % 97:02d}"


def luhn(body: str) -> str:
    """`body` followed by the digit that makes it right by Luhn (RPPS, FINESS, SIREN and SIRET)."""
    total = 0
    for place, digit in enumerate(reversed(body)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled // 10 + doubled % 10
    return body + str(-total % 10)


def iban(bank: str, branch: str, account: str) -> str:
    """A French IBAN: bank and branch of 5 digits, account of 11, its RIB key and its ISO 13616 check digits."""
    rib = bank + branch + account
    key = 97 - (89 * int(bank) + 15 * int(branch) + 3 * int(account)) % 97
    national = f"{rib}{key:02d}"
    digits = "".join(LETTERS.get(sign, sign) for sign in national + "FR00")
    return f"FR{98 - int(digits) % 97:02d}{national}"


def years_between(born: date, day: date) -> int:
    """Whole years lived on `day` by someone born on `born`."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))
