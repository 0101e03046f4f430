"""The law that comes with the program: values as published, each with its reference, each named in the docs."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ecluse.kernel.days import parse_day
from ecluse.kernel.money import rate
from ecluse.rules.book import open_book

BOOK = open_book()
DOCS = Path(__file__).parents[3] / "docs" / "rules.md"

# Day, name, value in the unit of its file: the last day before a change and the first day after it.
PUBLISHED = [
    ("2017-04-30", "base_tariffs/g", 2300),
    ("2017-05-01", "base_tariffs/g", 2500),
    ("2023-11-01", "base_tariffs/g", 2650),
    ("2024-12-21", "base_tariffs/g", 2650),
    ("2024-12-22", "base_tariffs/g", 3000),
    ("2024-12-21", "base_tariffs/gs", 2650),
    ("2024-12-22", "base_tariffs/apc", 6000),
    ("2026-11-23", "base_tariffs/cs_secteur_1", 3150),
    ("2025-12-31", "base_tariffs/cnpsy", 5500),
    ("2026-01-01", "base_tariffs/cnpsy", 5700),
    ("2026-11-23", "base_tariffs/c_chirurgien_dentiste", 2300),
    ("2023-10-14", "amo_rates/actes_dentaires", rate("70%")),
    ("2023-10-15", "amo_rates/actes_dentaires", rate("60%")),
    ("2023-07-31", "amo_rates/transport", rate("65%")),
    ("2023-08-01", "amo_rates/transport", rate("55%")),
    ("2026-11-23", "amo_rates/hors_parcours", rate("30%")),
    ("2024-05-14", "participation_forfaitaire/acte", 100),
    ("2024-05-15", "participation_forfaitaire/acte", 200),
    ("2026-11-23", "participation_forfaitaire/plafond_annuel", 5000),
    ("2024-03-30", "franchises/boite", 50),
    ("2024-03-31", "franchises/boite", 100),
    ("2024-03-31", "franchises/acte_paramedical", 100),
    ("2024-03-30", "franchises/transport", 200),
    ("2024-03-31", "franchises/plafond_journalier_transports", 800),
    ("2026-02-28", "hopital/forfait_journalier", 2000),
    ("2026-03-01", "hopital/forfait_journalier", 2300),
    ("2026-03-01", "hopital/forfait_journalier_psychiatrie", 1700),
    ("2026-02-28", "hopital/forfait_patient_urgences", 1961),
    ("2026-03-01", "hopital/forfait_patient_urgences_reduit", 996),
    ("2026-04-21", "actes_lourds/participation", 2400),
    ("2026-04-22", "actes_lourds/participation", 3200),
    ("2026-11-23", "actes_lourds/seuil", 12000),
    ("2026-11-23", "payment_terms/amc_flux", 7),
    ("2019-12-31", "contrat_responsable/monture_plafond", 15000),
    ("2020-01-01", "contrat_responsable/monture_plafond", 10000),
    ("2016-12-31", "contrat_responsable/depassement_non_optam", rate("125%")),
    ("2017-01-01", "contrat_responsable/depassement_non_optam", rate("100%")),
    ("2026-11-23", "contrat_responsable/ecart_optam", rate("20%")),
    ("2026-11-23", "contrat_responsable/aide_auditive_plafond", 170000),
    ("2026-11-23", "contrat_responsable/lunettes_renouvellement", 24),
    ("2026-11-23", "contrat_responsable/lunettes_renouvellement_moins_de_16_ans", 12),
    ("2026-11-23", "contrat_responsable/lunettes_renouvellement_moins_de_6_ans", 6),
    ("2026-11-23", "contrat_responsable/lunettes_renouvellement_medical", 0),
    ("2026-11-23", "contrat_responsable/forfait_journalier", "sans_limite_de_duree"),
    ("2026-11-23", "contrat_responsable/franchises", "interdite"),
    ("2020-01-01", "contrat_responsable/panier_sans_reste_optique", "sans_reste"),
    ("2020-01-01", "contrat_responsable/panier_sans_reste_dentaire", "sans_reste"),
    ("2021-01-01", "contrat_responsable/panier_sans_reste_aides_auditives", "sans_reste"),
    ("2026-11-23", "contrat_responsable/medicaments_service_modere", rate("30%")),
    ("2020-12-31", "cent_pour_cent_sante/aide_auditive_prix_limite", 110000),
    ("2021-01-01", "cent_pour_cent_sante/aide_auditive_prix_limite", 95000),
    ("2026-11-23", "cent_pour_cent_sante/aide_auditive_prix_limite_moins_de_20_ans", 140000),
    ("2025-12-31", "securite_sociale/plafond_mensuel", 392500),
    ("2026-01-01", "securite_sociale/plafond_mensuel", 400500),
    ("2024-05-14", "participation_forfaitaire/plafond_journalier", 400),
    ("2024-05-15", "participation_forfaitaire/plafond_journalier", 800),
    ("2026-11-23", "parcours_de_soins/age", 16),
]

# Glasses by their letter: floor, ceiling until the end of 2019, ceiling since; euros (R871-2, 3°).
GLASSES = {
    "a": (50, 470, 420),
    "b": (125, 610, 560),
    "c": (200, 750, 700),
    "d": (125, 660, 610),
    "e": (200, 800, 750),
    "f": (200, 850, 800),
}


@pytest.mark.parametrize(("day", "name", "value"), PUBLISHED)
def test_published_values(day: str, name: str, value: object) -> None:
    assert BOOK.on(parse_day(day), name).value == value


@pytest.mark.parametrize("letter", GLASSES)
def test_glasses_of_a_responsible_contract(letter: str) -> None:
    floor, before, since = (100 * euros for euros in GLASSES[letter])
    plafond, plancher = (f"contrat_responsable/lunettes_{letter}_{end}" for end in ("plafond", "plancher"))
    assert BOOK.on(date(2026, 11, 23), plancher).cents == floor
    assert BOOK.on(date(2019, 12, 31), plafond).cents == before
    assert BOOK.on(date(2020, 1, 1), plafond).cents == since
    monture = "contrat_responsable/monture_plafond"
    frames = BOOK.on(date(2019, 12, 31), monture).cents - BOOK.on(date(2020, 1, 1), monture).cents
    assert before - since == frames, "the ceilings lost what the frame lost"


def test_outside_the_pathway_is_the_ordinary_rate_less_the_increase() -> None:
    day = date(2026, 11, 23)
    ordinary, less = (
        BOOK.on(day, name).rate for name in ("amo_rates/honoraires_medecins", "parcours_de_soins/majoration")
    )
    assert ordinary - less == BOOK.on(day, "amo_rates/hors_parcours").rate


def test_the_general_practitioner_specialist_is_no_more() -> None:
    assert BOOK.find(date(2024, 12, 22), "base_tariffs/gs") is None
    assert BOOK.highest_base_cents("GS", date(2026, 11, 23)) is None


def test_every_rate_of_today() -> None:
    expected = {rate(text) for text in ("15%", "30%", "55%", "60%", "65%", "70%", "80%", "90%", "100%")}
    assert expected <= BOOK.amo_rates(date(2026, 11, 23))
    assert rate("75%") not in BOOK.amo_rates(date(2026, 11, 23))


@pytest.mark.parametrize("name", sorted(BOOK.parameters))
def test_each_file_is_named_in_the_docs_and_says_what_it_is(name: str) -> None:
    parameter = BOOK.parameters[name]
    assert f"| `{name}` | {parameter.unit} |" in DOCS.read_text(encoding="utf-8")
    assert parameter.description.endswith(".")
    assert all(len(each.reference) > 10 for each in parameter.values)
    assert all(each.since <= parameter.checked_on for each in parameter.values), (
        "law of the future, checked in the past"
    )


def test_the_docs_name_no_file_that_is_gone() -> None:
    rows = [line.split("`")[1] for line in DOCS.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert sorted(name for name in rows if "/" in name) == sorted(BOOK.parameters)
