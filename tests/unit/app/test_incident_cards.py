"""The operator's file of organisations: read whole or refused with what is wrong; none is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecluse.breach.incident.events import HUB
from ecluse.kernel.errors import Refused
from ecluse.wiring.cards import read_cards

GOOD = """[hub]
organisation = "Écluse SA"
[insurers.0075123456]
size = "50 à 249 salariés"
measures_before = ["Double authentification."]
[insurers.0075999999]
"""
WRONG = {
    "no table": ("[hub", "organisations_invalid"),
    "a name that is none": ("[hub]\nturnover = 3", "organisations_invalid"),
    "a section that is none": ("[insurer]\n", "organisations_invalid"),
    "a SIREN of eight digits": ('[insurers.0075123456]\nsiren = "12345678"', "organisations_invalid"),
    "no AMC number": ("[insurers.mutuelle]\nsize = 'x'", "amc_invalid"),
}


def test_what_is_said_of_each_is_read_and_what_is_not_there_is_nothing(tmp_path: Path) -> None:
    file = tmp_path / "organismes.toml"
    assert read_cards(file) == {}
    file.write_text(GOOD, encoding="utf-8")
    assert read_cards(file) == {
        HUB: {"organisation": "Écluse SA"},
        "0075123456": {"size": "50 à 249 salariés", "measures_before": ["Double authentification."]},
    }


@pytest.mark.parametrize("case", WRONG.values(), ids=list(WRONG))
def test_a_wrong_file_is_refused(case: tuple[str, str], tmp_path: Path) -> None:
    text, code = case
    file = tmp_path / "organismes.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(Refused) as refused:
        read_cards(file)
    assert refused.value.code == code
