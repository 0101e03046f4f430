"""Every reason a claim can be refused for, with the French words a practice reads: what is wrong, and what to do about it.

A practice acts on `fix`, its software on `code`; both are public and stable (docs/claims.md names each, and a test says so).
"""

from __future__ import annotations

from collections.abc import Mapping

from ecluse.claims.claim import Fault

# code → (what is wrong, what to do). `{…}` is filled in by the control; never with anything that names a person.
Words = Mapping[str, tuple[str, str]]
WORDS: Words = {
    "not_covered": (
        "Les droits ne sont pas confirmés.",
        "Vérifiez l'organisme, le numéro, la date et le rang de naissance et le domaine sur la carte, puis renvoyez la facture.",
    ),
    "engagement_unknown": (
        "Cet engagement n'a pas été donné à votre établissement.",
        "Recopiez le numéro d'engagement de la vérification des droits, ou facturez sans engagement.",
    ),
    "engagement_expired": (
        "Le soin du {day} n'est plus couvert par l'engagement, valable jusqu'au {until}.",
        "Demandez une nouvelle vérification des droits, ou facturez ce soin sans engagement.",
    ),
    "care_date_outside": (
        "Le soin du {day} est hors de la période de la facture, du {first} au {last}.",
        "Corrigez la date du soin, ou facturez-le à part.",
    ),
    "care_in_future": ("Le soin du {day} n'a pas encore eu lieu.", "Envoyez la facture une fois le soin donné."),
    "claim_too_old": (
        "Le soin du {day} date de plus de deux ans : l'action est prescrite ({reference}).",
        "Cette ligne ne peut plus être payée : retirez-la.",
    ),
    "line_numbers_invalid": (
        "Les numéros de ligne ne vont pas de 1 à {count}, chacun une fois.",
        "Numérotez les lignes 1, 2, 3… sans trou ni doublon.",
    ),
    "too_many_lines": (
        "La demande a {count} lignes, au plus {most}.",
        "Répartissez les lignes sur plusieurs demandes.",
    ),
    "quantity_too_high": (
        "La quantité {quantity} dépasse {most}.",
        "Corrigez la quantité, ou répartissez les actes sur plusieurs lignes.",
    ),
    "base_too_high": (
        "La base de {base} dépasse le plus haut tarif en vigueur le {day} pour {act}, soit {highest} pour {quantity} acte(s).",
        "Corrigez la base de remboursement, le code de l'acte ou la quantité.",
    ),
    "amo_rate_unknown": (
        "Le taux {rate} n'est pas un taux de l'Assurance maladie en vigueur le {day}.",
        "Indiquez le taux appliqué par l'Assurance maladie, par exemple 70 %.",
    ),
    "amo_rate_impossible": (
        "Le taux {rate} n'est pas possible pour {act} le {day}. Taux possibles : {possible} ({reference}).",
        "Indiquez le taux appliqué par l'Assurance maladie, ou corrigez le régime, l'exonération ou le parcours déclarés.",
    ),
    "outside_pathway_child": (
        "Avant {age} ans, un soin n'est jamais hors du parcours de soins ({reference}).",
        "Corrigez l'âge, ou n'indiquez pas de parcours.",
    ),
    "heavy_act_too_small": (
        "La base de {base} n'atteint pas le seuil des actes lourds le {day}, soit {threshold} ({reference}).",
        "Retirez l'exonération « heavy_act », ou corrigez la base.",
    ),
    "heavy_act_local_scheme": (
        "La participation sur les actes lourds ne vise pas les assurés du régime local d'Alsace-Moselle (article R. 160-16).",
        "Corrigez le régime ou l'exonération.",
    ),
    "participation_not_due": (
        "Ni participation forfaitaire ni franchise pour un mineur, en maternité ou avec la C2S (article L. 160-13).",
        "Retirez « participation_cents », ou corrigez l'âge ou l'exonération.",
    ),
    "participation_too_high": (
        "La participation ou franchise annoncée, {stated}, dépasse le plus haut montant de la ligne, soit {most}.",
        "Corrigez « participation_cents », ou ne l'envoyez pas.",
    ),
    "participation_over_cap": (
        "Les participations ou franchises annoncées, {stated}, dépassent le plafond de {most} ({reference}).",
        "Corrigez « participation_cents », ou ne l'envoyez pas.",
    ),
    "other_amc_too_high": (
        "Les autres complémentaires paieraient {other}, plus que les {left} que l'Assurance maladie laisse.",
        "Corrigez « other_amc_cents ».",
    ),
    "amount_mismatch": (
        "Le montant {name} annoncé, {stated}, n'est pas celui du calcul, {right}.",
        "Reprenez le montant calculé, ou n'envoyez pas ce champ.",
    ),
    "duplicate_claim": (
        "Le même acte, le même jour et pour le même montant, est déjà facturé sous le numéro {invoice}.",
        "S'il a été fait deux fois, remplacez la première facture par une seule, avec sa quantité ; sinon, retirez-le.",
    ),
    "guarantees_missing": (
        "L'organisme complémentaire n'a pas encore transmis la grille de garanties de ce contrat.",
        "Signalez-le à l'organisme complémentaire, puis envoyez la facture sous un nouveau numéro.",
    ),
    "replaces_unknown": (
        "La facture à remplacer n'est pas une facture de votre établissement.",
        "Indiquez dans « replaces » l'identifiant (clm_…) d'une de vos factures acceptées.",
    ),
    "replaces_closed": (
        "La facture à remplacer est déjà refusée ou annulée.",
        "Envoyez la nouvelle facture sans « replaces ».",
    ),
    "approval_unknown": (
        "Cette prise en charge n'a pas été donnée à votre établissement.",
        "Recopiez l'identifiant (pec_…) de la prise en charge, ou facturez sous un engagement.",
    ),
    "approval_closed": (
        "La prise en charge {why} : elle ne peut plus être facturée.",
        "Facturez sous un engagement, ou demandez une nouvelle prise en charge.",
    ),
    "approval_expired": (
        "Le soin du {day} n'est plus couvert par la prise en charge, valable jusqu'au {until}.",
        "Facturez ce soin sous un engagement, ou demandez une nouvelle prise en charge.",
    ),
    "approval_line_unknown": (
        "L'acte {act} n'est pas accordé tel qu'il est facturé.",
        "Facturez l'acte, sa base, son taux et ses précisions comme sur le devis accordé ; sinon, facturez-le à part.",
    ),
    "approval_exceeded": (
        "L'acte {act} dépasse la prise en charge : {excess} de trop.",
        "Facturez au plus ce qui est accordé, ou demandez une prise en charge pour le nouveau devis.",
    ),
}


def fault(code: str, line: int | None = None, **values: object) -> Fault:
    """The refusal `code` about `line`, its French sentence filled in with `values`."""
    return said(WORDS, code, line, **values)


def said(words: Words, code: str, line: int | None = None, **values: object) -> Fault:
    """The same, of another table of words."""
    detail, fix = words[code]
    return Fault(code=code, detail=detail.format_map(values), fix=fix, line=line)
