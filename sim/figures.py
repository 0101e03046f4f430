"""What a run measured, gathered for the summary and the report. Every number comes from the run; none is written here."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from sim.attacks.over_http import Honest
from sim.attacks.thief import Loot
from sim.player import Played, latency_ms
from sim.professionals import TRADES
from sim.run import Run

CALLS = {
    "check": "Vérification des droits",
    "quote": "Devis",
    "approval": "Prise en charge",
    "claim": "Facture",
    "cancellation": "Annulation",
    "show": "Consultation",
}
REASONS = {
    "amo_rate_unknown": "Taux de l’AMO inconnu",
    "amo_rate_impossible": "Taux de l’AMO impossible pour l’acte",
    "amount_mismatch": "Montant annoncé inexact",
    "approval_exceeded": "Au-dessus de la prise en charge",
    "base_too_high": "Base au-dessus du tarif",
    "care_in_future": "Soin à venir",
    "duplicate_claim": "Déjà facturé",
    "engagement_unknown": "Engagement inconnu",
    "line_numbers_invalid": "Lignes mal numérotées",
    "not_covered": "Droits non confirmés",
    "replaces_unknown": "Facture à remplacer inconnue",
}
STATES = {  # of claims
    "accepted": "acceptées",
    "refused": "refusées",
    "ordered": "ordonnées",
    "settled": "payées",
    "returned": "revenues de la banque",
    "cancelled": "annulées",
}
STEPS = {  # of accounts
    "open": "sans limite",
    "slowed": "au ralenti",
    "presence_only": "avec laissez-passer seulement",
    "step_up": "à identifier de nouveau",
    "quarantined": "en quarantaine",
}
MET = ("limit", "account", "another quote", "waiting")  # what kept a line from being paid more; see auditor/answers
Json = dict[str, Any]


def summary(run: Run) -> Json:
    """The run in numbers, for `summary.json` and `--json`."""
    book = run.listener.book
    return {
        "seed": run.seed,
        "day": run.today.isoformat(),
        "verdict": "true",
        "world": world_figures(run),
        "met": {name: run.listener.met[name] for name in MET},
        "exchanges": {
            "total": len(run.played),
            "by_call": dict(Counter(each.planned.call for each in run.played)),
            "by_outcome": dict(Counter(each.planned.must.outcome for each in run.played)),
            "by_status": dict(sorted(Counter(str(each.status) for each in run.played).items())),
            "per_second": round(len(run.played) / run.took_s["play"]),
        },
        "latency_ms": {call: latencies(played) for call, played in by_call(run).items()},
        "claims": dict(Counter(claim.state for claim in book.claims.values())),
        "money_cents": money_figures(run),
        "exposure": {
            "questions": run.examiner.questions,
            "people": run.examiner.people,
            "lines_of_lists": run.examiner.lines,
            "differences": 0,  # the first one would have ended the run
        },
        "attacks": [attack_figures(each, run.honest[each.scenario.name]) for each in run.loot],
        "invariants": dict(sorted(run.listener.oath.held.items())),
        "checks_held": sum(run.listener.oath.held.values()),
        "took_s": {name: round(value, 2) for name, value in run.took_s.items()},
        "files": files_made(run.out),
    }


def attack_figures(loot: Loot, honest: Honest) -> Json:
    """What one attack gave: people, questions, refusals by code; and what the hub says it showed."""
    last = next((asked for asked, newly in loot.timeline if newly == loot.newly), 0)
    return {
        "name": loot.scenario.name,
        "title": loot.scenario.title,
        "knows": loot.scenario.knows,
        "costs": loot.scenario.costs,
        "accounts": loot.accounts,
        "first_account": loot.stolen[0],
        "began_ts": loot.began_ts,
        "asked": loot.asked,
        "people_told": loot.confirmed,
        "people_newly_told": loot.newly,
        "people_displayed": loot.displayed,
        "fields_told": loot.fields,
        "fields_newly_told": loot.fields_newly,
        "false_claims": loot.claims,
        "last_new_at": last,
        "last_new_after_s": round(loot.last_new_s, 1),
        "refused": dict(sorted(loot.refused.items())),
        "held": loot.held,
        "portal_people": loot.portal[-1][1],
        "others_asked": honest.asked,
        "others_refused": honest.refused,
        "others_refused_with": dict(sorted(honest.codes.items())),
        "others_quarantined": honest.quarantined,
        "own_patients_asked": honest.own_asked,
        "own_patients_delayed": honest.own_refused,
        "took_s": round(loot.took_s, 2),
    }


def world_figures(run: Run) -> Json:
    """How many of everything."""
    world = run.world
    return {
        "people": len(world.people),
        "covered": len(world.contracts_by_person),
        "feed_rows": len(world.contracts),
        "insurers": len(world.insurers),
        "products": sum(len(each.products) for each in world.insurers),
        "professionals": len(world.professionals),
        "practices": len(world.practices),
        "communes": len({person.commune for person in world.people}),
    }


def money_figures(run: Run) -> Json:
    """Totals in cents: what was owed, ordered, returned, called."""
    standing = run.listener.book.standing()
    orders = [each for paid in run.runs for file in paid.files for each in file.orders]
    returned = {reference for paid in run.runs for reference in paid.returned}
    transfers = [each for each in orders if not each.collected]
    return {
        "expense": sum(claim.amo_cents + claim.cents + claim.patient_cents for claim in standing),
        "amo": sum(claim.amo_cents for claim in standing),
        "amc": sum(claim.cents for claim in standing),
        "patient": sum(claim.patient_cents for claim in standing),
        "transfers": sum(each.cents for each in transfers),
        "transfers_count": len(transfers),
        "returned": sum(each.cents for each in transfers if each.reference in returned),
        "returned_count": len(returned),
        "called": sum(call["amount_cents"] for paid in run.runs for call in paid.papers.calls),
        "calls_count": sum(len(paid.papers.calls) for paid in run.runs),
        "debited": sum(each.cents for each in orders if each.collected),
    }


def by_call(run: Run) -> dict[str, list[Played]]:
    """The exchanges of each call, in the order of `CALLS`."""
    found: dict[str, list[Played]] = {}
    for call in CALLS:
        played = [each for each in run.played if each.planned.call == call]
        if played:
            found[call] = played
    return found


def latencies(played: list[Played]) -> Json:
    """Median, 95th and 99th percentile in milliseconds, and the largest."""
    return {
        "count": len(played),
        "p50": round(latency_ms(played, 50), 2),
        "p95": round(latency_ms(played, 95), 2),
        "p99": round(latency_ms(played, 99), 2),
        "max": round(latency_ms(played, 100), 2),
    }


def by_hour(run: Run) -> list[tuple[int, list[int]]]:
    """For each hour of the simulated day, exchanges by call, in the order of `CALLS`."""
    hours = sorted({each.planned.at_s // 3600 for each in run.played})
    count = Counter((each.planned.at_s // 3600, each.planned.call) for each in run.played)
    return [(hour, [count[hour, call] for call in CALLS]) for hour in hours]


def by_profession(run: Run) -> list[tuple[str, int, int]]:
    """Label, exchanges and cents due, for each profession, the busiest first."""
    exchanges: Counter[str] = Counter()
    money: Counter[str] = Counter()
    staff = run.listener.staff
    for each in run.played:
        exchanges[staff[each.planned.account].trade.label] += 1
    for claim in run.listener.book.standing():
        money[staff[claim.account].trade.label] += claim.cents
    rows = [(trade.label, exchanges[trade.label], money[trade.label]) for trade in TRADES]
    return sorted((row for row in rows if row[1]), key=lambda row: -row[1])


def by_insurer(run: Run) -> list[Json]:
    """For each insurer: claims, cents due, called and collected by direct debit, the largest first."""
    rows = []
    for insurer in run.world.insurers:
        claims = [claim for claim in run.listener.book.standing() if claim.insurer == insurer.number]
        called = [call for paid in run.runs for call in paid.papers.calls if call["insurer"] == insurer.number]
        rows.append(
            {
                "number": insurer.number,
                "name": insurer.name,
                "claims": len(claims),
                "due": sum(claim.cents for claim in claims),
                "called": sum(call["amount_cents"] for call in called),
                "mandate": bool(insurer.mandate),
            }
        )
    return sorted(rows, key=lambda row: -row["due"])


def refusals(run: Run) -> list[tuple[str, str, int]]:
    """Code, French words and number of each reason a claim was refused for, the most frequent first."""
    count: Counter[str] = Counter()
    words: dict[str, str] = {}
    for each in run.played:
        if each.planned.must.outcome == "refused":
            for reason in json.loads(each.answer)["refusals"]:
                count[reason["code"]] += 1
                words[reason["code"]] = reason["fix"]
    return [(code, words[code], number) for code, number in count.most_common()]


def errors(run: Run) -> list[tuple[int, str, str, int]]:
    """Status, code, title and number of each error, by status."""
    count: Counter[tuple[int, str, str]] = Counter()
    for each in run.played:
        if each.planned.must.outcome == "error":
            problem = json.loads(each.answer)
            count[each.status, problem["code"], problem["title"]] += 1
    return [(*kind, number) for kind, number in sorted(count.items())]


def check_outcomes(run: Run) -> list[tuple[str, int]]:
    """Rights checks by outcome."""
    played = [each for each in run.played if each.planned.call == "check"]
    count = Counter(each.planned.must.outcome for each in played)
    labels = {"confirmed": "Confirmés", "not_confirmed": "Non confirmés", "error": "Refusés à la porte"}
    return [(label, count[outcome]) for outcome, label in labels.items() if count[outcome]]


def files_made(out: Path) -> Json:
    """Paths of the files made, relative to `out`, by kind."""
    kinds = {"payments": "hub/out/payments", "remittances": "hub/out/remittances", "calls": "hub/out/calls"}
    kinds |= {"bank": "bank", "truth": "truth"}
    return {
        kind: [str(path.relative_to(out)) for path in sorted((out / place).rglob("*")) if path.is_file()]
        for kind, place in kinds.items()
    }
