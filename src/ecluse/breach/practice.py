"""Small questions that come with a breach: article 34's exemptions, a letter's contents, CNIL's bands, a login, a log's life."""

from __future__ import annotations

from typing import Any

from ecluse.breach.facts import Article34, CnilBand, LetterContents, Logging, Login

# CNIL's published bands: the last number of people in each.
BANDS = (
    (5, "Entre 0 et 5 personnes"),
    (50, "Entre 6 et 50 personnes"),
    (300, "Entre 51 et 300 personnes"),
    (5000, "Entre 301 et 5000 personnes"),
)
ABOVE = "Plus de 5000 personnes"
LOG_MONTHS_MIN, LOG_MONTHS_MAX, LOG_MONTHS_CONTROL = 6, 12, 36
FACTORS = frozenset({"knowledge", "possession", "inherence"})


def band(asked: CnilBand) -> str:
    """The band of CNIL's open data for a number of people."""
    return next((name for most, name in BANDS if asked.persons <= most), ABOVE)


def article34(facts: Article34) -> dict[str, Any]:
    """Whether each person must be told, and the ground that spares it (GDPR 34(3) and 34(4))."""
    ground, say = _ground(facts)
    if facts.ordered_by_authority:
        ground, say = None, "L'autorité de contrôle l'exige (RGPD art. 34(4))."
    required = facts.ordered_by_authority or (facts.high_risk and ground is None)
    answer: dict[str, Any] = {"communication_required": required, "ground": ground, "why": [say]}
    if ground == "34(3)(c)":
        answer["public_communication_required"] = True  # "instead", hence never nothing at all
    return answer


def _ground(facts: Article34) -> tuple[str | None, str]:
    if facts.unintelligible and facts.key_compromised is False:
        return "34(3)(a)", "Les données sont illisibles et la clé est sauve (RGPD art. 34(3)(a))."
    if facts.subsequent_measures:
        return "34(3)(b)", "Des mesures prises depuis écartent le risque élevé (RGPD art. 34(3)(b))."
    if facts.disproportionate_effort and facts.public_communication is not False:
        return (
            "34(3)(c)",
            "L'effort serait disproportionné : une communication publique doit y suppléer (RGPD art. 34(3)(c)).",
        )
    if not facts.high_risk:
        return None, "Le risque n'est pas élevé (RGPD art. 34(1))."
    if facts.disproportionate_effort:
        return None, "L'effort disproportionné ne vaut qu'avec une communication publique (RGPD art. 34(3)(c))."
    if facts.unintelligible:
        return None, "Rien n'établit que la clé soit sauve (RGPD art. 34(3)(a))."
    return None, "Le risque est élevé et aucune exemption n'est établie (RGPD art. 34(1) et 34(3))."


PARTS = {
    "nature": "la nature de la violation (RGPD art. 34(2))",
    "dpo_contact": "le délégué ou un point de contact (RGPD art. 33(3)(b))",
    "likely_consequences": "les conséquences probables (RGPD art. 33(3)(c) ; CNIL, SAN-2026-001)",
    "measures_taken": "les mesures prises (RGPD art. 33(3)(d))",
    "measures_for_person": "ce que la personne peut faire (RGPD art. 33(3)(d) et cons. 86)",
    "plain_language": "des termes clairs et simples (RGPD art. 34(2))",
}


def letter(contents: LetterContents) -> dict[str, Any]:
    """Whether a letter says all it must; a hotline does not mend what the letter leaves out (CNIL, SAN-2026-001)."""
    missing = [name for name in PARTS if not getattr(contents, name)]
    why = [f"Il manque {PARTS[name]}." for name in missing] or [
        "La lettre dit tout ce que demande l'article 34(2) du RGPD."
    ]
    return {"art34_2_compliant": not missing, "missing": missing, "why": why}


def login(asked: Login) -> dict[str, Any]:
    """Whether a login has two factors of different kinds (CNIL, délibération 2025-019)."""
    kinds = sorted(FACTORS & set(asked.factors))
    say = f"Facteurs de nature différente : {len(kinds)} ; il en faut deux (CNIL, délibération 2025-019)."
    return {"is_mfa": len(kinds) >= 2, "why": [say]}


def logging(asked: Logging) -> dict[str, Any]:
    """Whether a log is kept as long as it should and no longer (CNIL, délibération 2021-122)."""
    most = LOG_MONTHS_CONTROL if asked.case == 3 and asked.risk_shown and asked.procedures else LOG_MONTHS_MAX
    faults = []
    if asked.months < LOG_MONTHS_MIN:
        faults.append(f"moins de {LOG_MONTHS_MIN} mois")
    if asked.months > most:
        faults.append(
            f"plus de {most} mois sans risque montré ni procédures écrites" if most < 36 else "plus de 36 mois"
        )
    if asked.case == 2 and asked.log_contains_main_data:
        faults.append("le journal contient les données du traitement, gardées moins longtemps")
    say = "Durée admise" if not faults else "Durée non admise : " + ", ".join(faults)
    return {"ok": not faults, "why": [f"{say} (CNIL, délibération 2021-122)."]}
