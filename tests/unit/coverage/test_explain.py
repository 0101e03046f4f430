"""The sentences, word for word on a few cases: they are what a patient reads."""

from __future__ import annotations

from fractions import Fraction

import pytest

from ecluse.coverage.compute import compute
from ecluse.coverage.explain import because, percent
from ecluse.coverage.line import Used, read_line
from ecluse.coverage.notation import parse

CODE = "du code de la sécurité sociale"
NBSP = "\u00a0"


def said(guarantee: str, used: Used | None = None, **line: object) -> list[str]:
    priced = read_line(**{"expense_cents": 5000, "base_cents": 3150, "amo_rate": "70%", **line})  # type: ignore[arg-type]
    return [
        each.replace(NBSP, " ") for each in because(compute(priced, parse(guarantee), {"Y": used or Used()}), priced)
    ]


def test_a_specialist_above_the_base() -> None:
    assert said("BR_INCL:150", participation_cents=200) == [
        f"L'Assurance maladie rembourse 70 % de 31,50 €, soit 22,05 € (articles L160-13 et R160-22 {CODE}).",
        f"Le ticket modérateur, part de la base que l'Assurance maladie laisse, est de 9,45 € (article L160-13 {CODE}).",
        f"La dépense dépasse la base de 18,50 €, que l'Assurance maladie ne rembourse pas (article L160-13 {CODE}).",
        "Votre contrat rembourse jusqu'à 150 % de la base, Assurance maladie comprise : il peut verser 25,20 € "
        "(garantie du contrat).",
        "Votre contrat verse 25,20 € sur les 27,95 € qui restent à payer "
        "(article 9 de la loi n° 89-1009 du 31 décembre 1989).",
        "Plus tard, l'Assurance maladie retiendra 2,00 € de participation forfaitaire ou de franchise, "
        f"qu'un contrat responsable ne rembourse pas (articles L160-13 et L871-1 {CODE}).",
        "Il vous reste 2,75 € à payer sur 50,00 €, et 4,75 € en comptant cette retenue "
        "(dépense moins Assurance maladie moins complémentaire).",
    ]


def test_a_sum_tells_each_part_and_the_whole() -> None:
    sentences = said("TM:100+EUR:450", expense_cents=170_000, base_cents=40_000, amo_rate="60%")
    assert (
        "Votre contrat rembourse 100 % du ticket modérateur : il peut verser 160,00 € (garantie du contrat)."
        in sentences
    )
    assert "Il rembourse un forfait de 450,00 € : il peut verser 450,00 € (garantie du contrat)." in sentences
    assert any("jusqu'à 610,00 € en tout" in sentence for sentence in sentences)


def test_a_limit_names_the_contract_and_not_itself() -> None:
    sentences = said("TM:100+REST:85[EUR:190/Y]<=EUR_INCL:1700/24M", expense_cents=170_000, base_cents=40_000)
    assert (
        "Ce remboursement est limité à 190,00 € par an ; il en reste 190,00 € : le contrat peut verser 190,00 € "
        "(garantie du contrat)." in sentences
    )
    assert any(
        each.startswith("Le tout est limité à 1\u202f700,00 € sur 24 mois, Assurance maladie comprise")
        for each in sentences
    )


@pytest.mark.parametrize(
    ("guarantee", "used", "words"),
    [
        ("EUR_ACT:30/5Y", Used(acts=3), "30,00 € par acte, 5 actes par an ; il en reste 2 : il peut verser 30,00 €"),
        ("EUR_ACT:30/5Y", Used(acts=5), "il n'en reste plus : il peut verser 0,00 €"),
        ("EUR_ACT:30/1Y", Used(), "1 acte par an"),
        ("EUR_YEAR:250", Used(cents=24_000), "250,00 € par an ; il en reste 10,00 € : il peut verser 10,00 €"),
        ("EUR_YEAR:250", Used(cents=25_000), "il n'en reste rien"),
        ("FR:80", Used(), "80 % des frais réels, Assurance maladie comprise"),
        ("BR_EXCL:30", Used(), "30 % de la base, en plus de l'Assurance maladie : il peut verser 9,45 €"),
        ("BASKET:100S", Used(), "panier 100 % Santé"),
        ("NONE", Used(), "Aucune garantie ne couvre cette ligne"),
    ],
)
def test_each_form_has_its_words(guarantee: str, used: Used, words: str) -> None:
    assert words in " ".join(said(guarantee, used))


def test_edges_are_said() -> None:
    assert said("TM:100", base_cents=0)[0].startswith("Il n'y a pas de base")
    assert "sans dépasser la dépense, soit 20,00 €" in said("TM:100", expense_cents=2000)[0]
    assert "prix réglementé" not in " ".join(said("BASKET:100S"))
    assert "prix réglementé de 45,00 €" in said("BASKET:100S", price_limit_cents=4500)[3]
    assert "200,00 € par acte ou article, 2 fois" in said("EUR:200", quantity=2)[3]


@pytest.mark.parametrize(
    ("rate", "text"),
    [(Fraction(3, 2), "150 %"), (Fraction(133, 200), "66,5 %"), (Fraction(0), "0 %"), (Fraction(1, 3), "1/3")],
)
def test_rates_in_words(rate: Fraction, text: str) -> None:
    assert percent(rate).replace(NBSP, " ") == text
