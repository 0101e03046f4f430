"""Which of a professional's own data were exposed, from what an incident says of them in people's words."""

from __future__ import annotations

import csv
import io

import pytest

from ecluse.breach.incident.concerned import STATED, row_of
from ecluse.breach.letter import rules
from ecluse.formats.professional_list import professionals_as_csv

AT = ("2026-11-02T00:00:00Z", "2026-11-21T00:00:00Z")


@pytest.mark.parametrize(
    ("stated", "exposed", "fields", "other"),
    [
        (("RIB",), "yes no no", "bank", ""),
        (("iban", "RIB", "SIRET"), "yes yes no", "bank;siret", ""),
        (("Contact",), "no no yes", "email;phone;address", ""),
        (("téléphone", "E-mail"), "no no yes", "phone;email", ""),
        (("Coordonnées  bancaires",), "yes no no", "bank", ""),
        (("login", "couleur"), "no no no", "login", "couleur"),
        ((), "no no no", "", ""),
    ],
)
def test_words_of_people_become_words_of_letters(
    stated: tuple[str, ...], exposed: str, fields: str, other: str
) -> None:
    content = professionals_as_csv([row_of("370000028", "rpps:1", stated, *AT)]).decode()
    (row,) = csv.DictReader(io.StringIO(content))
    assert " ".join(row[name] for name in ("rib", "siret", "contact")) == exposed
    assert (row["fields"], row["other"], row["stated"]) == (fields, other, ";".join(stated))


def test_every_word_is_one_that_letters_have() -> None:
    assert {name for names in STATED.values() for name in names} <= rules().fields.keys()
