"""Letters: a good one passes; each thing that spoils it is found, and named; measures are those of the formula."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecluse.breach.facts import convert
from ecluse.breach.letter import Letter, claimed, lint, plain, rules
from ecluse.breach.readability import reading, syllables
from ecluse.kernel.errors import Refused

FOLDER = Path(__file__).parents[2] / "cases" / "letters"
GOOD = (FOLDER / "good.txt").read_text(encoding="utf-8")
PROVED = {
    "shown": ["identity", "birth_date", "national_number", "insurer"],
    "not_shown": ["bank", "address", "reimbursement"],
}


def found(text: str, **change: Any) -> set[str]:
    return {each.rule for each in lint(convert({"text": text, **PROVED, **change}, Letter)).findings}


def test_a_good_letter_passes() -> None:
    answer = lint(convert({"text": GOOD, **PROVED, "minor": False, "via_holder": False}, Letter))
    assert (answer.ok, answer.findings, answer.advice, answer.actions) == (True, (), (), 5)


def test_typographic_apostrophes_and_spaces_change_nothing() -> None:
    assert not found(GOOD.replace("'", "’").replace(" :", " :").replace("\n", "\r\n"))


SPOILT = [
    ("La vôtre a été lue le 30 janvier.", "Vos données pourraient avoir été consultées.", {"hedge"}),
    ("La vôtre a été lue le 30 janvier.", "Vous êtes potentiellement concernée.", {"hedge"}),
    ("La vôtre a été lue le 30 janvier.", "Nous écrivons à tous par mesure de précaution.", {"hedge"}),
    ("La vôtre a été lue le 30 janvier.", "Nous n'avons aucune preuve d'un mauvais usage.", {"no_evidence"}),
    ("La vôtre a été lue le 30 janvier.", "L'incident est limité à quelques fiches.", {"minimising"}),
    ("appelez-nous.", "allez sur www.exemple.fr.", {"link"}),
    ("appelez-nous.", "cliquez ici.", {"link"}),
    ("- votre date de naissance\n", "", {"field_not_named"}),
    ("- votre date de naissance\n", "- votre date de naissance\n- vos garanties\n", {"field_not_proved"}),
    ("- vos coordonnées bancaires\n", "- vos coordonnées bancaires\n- votre téléphone\n", {"absence_not_proved"}),
    ("- vos remboursements\n", "", {"absence_not_named"}),
    ("- vos remboursements\n", "- vos remboursements\n- votre date de naissance\n", {"field_denied"}),
    ("4. Regardez vos comptes chaque semaine.\n", "4. Regardez vos comptes.\n5. Gardez cette lettre.\n", {"actions"}),
    ("Notre déléguée à la protection des données s'appelle Anne Petit.", "", {"missing_dpo"}),
    ("Donnez le code K7-42-PX.", "", {"missing_code"}),
    ("au 01 23 45 67 89, du", "du", {"missing_phone"}),
    (
        "5. Portez plainte si on se sert de votre nom. La lettre de plainte est jointe, déjà remplie.\n",
        "",
        {"missing_complaint"},
    ),
    ("Du 28 janvier au 1er février 2024, des", "Des", set()),  # the day of the reading still stands
]


@pytest.mark.parametrize(("part", "instead", "rules_broken"), SPOILT)
def test_each_thing_that_spoils_a_letter_is_named(part: str, instead: str, rules_broken: set[str]) -> None:
    assert part in GOOD
    assert found(GOOD.replace(part, instead)) == rules_broken


@pytest.mark.parametrize(
    ("start", "end", "rule"),
    [
        ("Nous gérons", "Ce qui s'est passé", "missing_sender"),
        ("Ce que cela peut entraîner", "Ce que vous pouvez faire", "missing_consequences"),
        ("Ce que nous avons fait", "Pour vérifier", "missing_measures"),
        ("Ce que vous pouvez faire", "Ce que nous avons fait", "actions"),
        ("Ce qui s'est passé", "Ce qui a été vu", "missing_dates"),
    ],
)
def test_a_letter_without_one_of_its_parts_is_refused(start: str, end: str, rule: str) -> None:
    text = GOOD[: GOOD.index(start)] + GOOD[GOOD.index(end) :]
    text = (
        text.replace("votre mutuelle", "elle").replace("le 1er février", "")
        if "sender" in rule or "dates" in rule
        else text
    )
    assert rule in found(text)


def test_a_letter_like_those_of_2024_is_refused_for_all_that_was_wrong_with_them() -> None:
    broken = found((FOLDER / "vague.txt").read_text(encoding="utf-8"))
    wanted = {
        "hedge",
        "no_evidence",
        "minimising",
        "link",
        "missing_consequences",
        "actions",
        "long_sentence",
        "reading",
    }
    assert wanted <= broken


@pytest.mark.parametrize(
    ("minor", "via_holder", "rule"),
    [
        (True, False, "minor_not_through_holder"),
        (False, True, "adult_through_holder"),
        (True, True, None),
        (None, None, None),
    ],
)
def test_who_is_written_to(minor: bool | None, via_holder: bool | None, rule: str | None) -> None:
    assert found(GOOD, minor=minor, via_holder=via_holder) == ({rule} if rule else set())


def test_words_few_people_know_are_advice() -> None:
    text = GOOD.replace("fermé le compte volé", "fermé le compte compromis")
    assert [each.quote for each in lint(convert({"text": text, **PROVED}, Letter)).advice] == ["compromis"]


def test_what_advice_names_claims_nothing() -> None:
    said, denied = claimed(plain(GOOD))
    assert "password" not in said | denied


def test_a_field_without_words_is_refused() -> None:
    with pytest.raises(Refused, match="Accepted here: identity"):
        found(GOOD, shown=["shoe_size"])


@pytest.mark.parametrize(
    ("word", "count"),
    [
        *(
            ("chat", 1),
            ("table", 1),
            ("réel", 2),
            ("remboursement", 4),
            ("sécurité", 4),
            ("maïs", 2),
            ("œil", 1),
            ("vie", 1),
        ),
        *(
            ("vies", 1),
            ("les", 1),
            ("appelez", 3),
            ("données", 2),
            ("eau", 1),
            ("créer", 2),
            ("nom", 1),
            ("mutuelle", 2),
        ),
    ],
)
def test_syllables(word: str, count: int) -> None:
    assert syllables(word) == count


def test_the_measure_is_kandel_and_moles() -> None:
    found = reading("Le chat dort. Le chien mange.")
    assert (found.words, found.sentences, found.syllables) == (6, 2, 6)
    assert found.kandel_moles == round(207 - 1.015 * 3 - 73.6 * 1, 1)


@given(st.text(min_size=1, max_size=400))
def test_any_text_is_measured_and_linted(text: str) -> None:
    assert reading(text).sentences >= 0
    assert not lint(convert({"text": text, **PROVED}, Letter)).ok


def test_every_rule_can_be_broken() -> None:
    tried = {rule for _, _, broken in SPOILT for rule in broken} | {
        "missing_sender",
        "missing_consequences",
        "missing_measures",
    }
    assert {f"missing_{name}" for name in rules().parts} | set(rules().banned) <= tried | {"missing_dates"}
