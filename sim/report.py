"""The report of a run: one self-contained page in French, every number of it measured in the run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ecluse.doors.cards import html
from sim import charts, figures
from sim.charts import Bar, Range
from sim.player import AT_ONCE
from sim.race import Line, race
from sim.run import Run

TEMPLATES = Path(__file__).parent / "templates"
FILES_LISTED = 8  # of each kind; the folder holds the others

INVARIANTS = {
    "what a thief was told is known": "Attaques : la plateforme sait exactement de qui le voleur a appris quelque chose",
    "a cut account is told nothing": "Histoire : un compte coupé n’apprend plus rien",
    "packs are the files of their digests": "Histoire : chaque fichier d’un dossier a l’empreinte annoncée",
    "letters may be sent": "Histoire : aucune lettre que le correcteur refuserait",
    "a code tells a letter": "Histoire : le code d’une lettre est reconnu, un faux code est refusé",
    "evidence verifies itself": "Histoire : le dossier de preuves se vérifie seul",
    "status": "Chaque échange a reçu le statut qu’il devait recevoir",
    "exact fields": "Aucune réponse n’a un champ de trop, ni de moins",
    "answers hold no identity": "Aucune réponse ne répète un NIR, une naissance, un numéro d’adhérent ou un nom",
    "ids are well formed and new": "Chaque identifiant est bien formé et n’a jamais servi",
    "the plan knows the world": "Le scénario est d’accord avec le monde simulé",
    "rights": "Droits : confirmés exactement quand un contrat est ouvert, avec la bonne échéance",
    "engagements": "Engagements : valables trente jours, retrouvés par leur numéro",
    "quotes": "Devis : une réponse par ligne demandée",
    "quotes to the cent": "Devis : AMO, AMC et patient recalculés, au centime",
    "approvals": "Prises en charge : accordées, valables quatre-vingt-dix jours au plus",
    "reasons in words": "Devis : chaque ligne est expliquée",
    "sent twice is one claim": "Une facture envoyée deux fois est une seule facture",
    "claims": "Factures : acceptées ou refusées comme elles le devaient",
    "claims to the cent": "Factures : part AMC recalculée, au centime",
    "paid within seven working days": "Échéance : sept jours ouvrés au plus",
    "refusals have their code": "Refus : le code attendu",
    "refusals can be mended": "Refus : un motif et ce qu’il faut faire",
    "cancellations": "Annulations : la bonne facture, annulée",
    "claims shown as they are": "Consultation : la facture telle qu’elle est",
    "explained to the cent": "Explications : les barres sont les montants répondus, au centime",
    "errors": "Erreurs : forme RFC 9457, code et conseil",
    "payment files add up": "Fichiers de paiement : nombre et total de contrôle justes",
    "one transfer is one remittance": "Un virement, un bordereau, le même montant",
    "a claim stands once in a remittance": "Une facture est une seule fois dans un bordereau",
    "a remittance is the sum of its lines": "Un bordereau est la somme de ses lignes",
    "practices are paid what they are owed": "Chaque cabinet reçoit ce qui lui est dû, au centime",
    "remittances name their claims": "Chaque ligne de bordereau porte le numéro de sa facture",
    "remittances read over HTTP": "Chaque cabinet relit ses bordereaux par l’API, identiques aux fichiers",
    "everything due is paid": "Rien de ce qui est dû n’est oublié",
    "a call is the sum of its lines": "Un appel de fonds est la somme de ses lignes",
    "insurers are called for what they owe": "Chaque complémentaire est appelée pour ses factures, au centime",
    "every insurer is called for what it owes": "Aucune complémentaire n’est oubliée",
    "a direct debit is its call": "Chaque prélèvement est son appel de fonds",
    "the bank statement is understood": "Relevé de la banque : chaque mouvement est reconnu",
    "the ledger sums to zero": "Le grand livre est à zéro",
    "every entry sums to zero": "Chaque écriture est à zéro",
    "no claim appears or is lost": "Aucune facture n’apparaît ni ne se perd",
    "claims stand as they must": "Chaque facture est dans l’état où elle doit être",
    "balances": "Le solde de chaque cabinet et de chaque complémentaire est celui de l’auditeur",
    "displayed is what was told": "Exposition : affiché exactement ce qui a été dit, personne par personne, champ par champ",
    "referenced is who was handed in": "Exposition : référencées, les personnes des fichiers d’adhérents",
    "reachable is a bound": "Exposition : atteignables, jamais moins que les affichées ni plus que les référencées",
    "pages shown": "Exposition : pages de factures montrées, comptées",
    "lists are the files that were told": "Exposition : chaque liste chiffrée a l’empreinte annoncée",
    "lists are the same in both forms": "Exposition : chaque liste est la même en CSV et en Parquet",
    "pages hold one's own": "Pages : un cabinet n’y voit que ses factures",
    "nothing of anyone in the hub's files": "Fichiers et journaux de la plateforme sans NIR, naissance, nom ni numéro d’adhérent",
}
SHORT = {
    "leaked": "liste, 1 compte",
    "hundred": "liste, 100 comptes",
    "blind": "au hasard",
}  # lines of the chart of attacks
PAYERS = ("Assurance maladie (AMO)", "Complémentaires (AMC)", "Patients")


def write(run: Run, path: Path) -> None:
    """Write the report of `run` at `path`."""
    words = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    words.filters |= {"n": charts.spaced, "eur": euros, "dec": decimal}
    page = words.get_template("report.html").render(page_of(run))
    path.write_text(page, encoding="utf-8")


def page_of(run: Run) -> dict[str, object]:
    """All that the template shows."""
    summary = figures.summary(run)
    held = run.listener.oath.held
    return {
        "run": run,
        "at_once": AT_ONCE,
        "summary": summary,
        "world": summary["world"],
        "money": summary["money_cents"],
        "calls": tuple(figures.CALLS.values()),
        "hours": figures.by_hour(run),
        "professions": figures.by_profession(run),
        "insurers": figures.by_insurer(run),
        "refusals": figures.refusals(run),
        "errors": figures.errors(run),
        "outcomes": figures.check_outcomes(run),
        "latencies": [(figures.CALLS[call], each) for call, each in summary["latency_ms"].items()],
        "invariants": [(INVARIANTS.get(name, name), held[name]) for name in sorted(held, key=order_of)],
        "files": listed(summary["files"]),
        "cards": [(each.heading, html.card(each.line, each.id)) for each in run.cards],
        "card_style": html.style(),
        "attacks": summary["attacks"],
        "story": (run.out / "story" / "index.html").exists(),
        "charts": {name: Markup(drawn) for name, drawn in charts_of(run, summary).items()},
    }


def charts_of(run: Run, summary: dict[str, Any]) -> dict[str, str]:
    """Every chart of the page, as SVG; labels are escaped where they are drawn."""
    calls = tuple(figures.CALLS.values())
    hours = [Bar(f"{hour} h", tuple(counts)) for hour, counts in figures.by_hour(run)]
    professions = [Bar(label, (count,)) for label, count, _ in figures.by_profession(run)]
    insurers = [Bar(each["name"], (each["due"],)) for each in figures.by_insurer(run)]
    refusals = [Bar(figures.REASONS.get(code, code), (number,)) for code, _, number in figures.refusals(run)]
    outcomes = [Bar(label, (count,)) for label, count in figures.check_outcomes(run)]
    latencies = summary["latency_ms"].items()
    spans = [Range(figures.CALLS[call], each["p50"], each["p95"], each["p99"]) for call, each in latencies]
    return {
        "hours": charts.columns("heures", "Échanges par heure de la journée simulée", calls, hours),
        "professions": charts.bars(
            "professions", "Échanges par profession", ("Échanges",), professions, charts.HALF, 190
        ),
        "outcomes": charts.bars(
            "droits", "Issue des vérifications de droits", ("Vérifications",), outcomes, charts.HALF, 150
        ),
        "latencies": charts.ranges("latences", "Temps de réponse par appel", spans),
        "shares": charts.bars(
            "parts", "Qui paie les soins facturés", PAYERS, shares_of(summary["money_cents"]), said=euros
        ),
        "insurers": charts.bars(
            "complementaires", "Part AMC due par complémentaire", ("Part AMC",), insurers, said=euros
        ),
        "refusals": charts.bars("refus", "Motifs de refus des factures", ("Refus",), refusals),
        "attacks": race("attaques", "Personnes dont un voleur apprend quelque chose", raced(run)),
    }


def raced(run: Run) -> list[Line]:
    """The open portal of 2024 under the attack that gives most there, and the hub under each."""
    if not run.loot:
        return []
    portal = max(run.loot, key=lambda each: each.portal[-1][1])
    ours = [Line(SHORT.get(each.scenario.name, each.scenario.name), each.timeline) for each in run.loot if each.newly]
    return [Line("portail de 2024", portal.portal), *ours[:4]]  # as many lines as colours


def shares_of(money: dict[str, int]) -> list[Bar]:
    """Who pays the care that was billed: one bar a payer, each in its own colour."""
    cents = (money["amo"], money["amc"], money["patient"])
    return [
        Bar(label, tuple(amount if place == mine else 0 for place in range(3)))
        for mine, (label, amount) in enumerate(zip(PAYERS, cents, strict=True))
    ]


def order_of(name: str) -> int:
    """Invariants in the order of the table above; unknown ones last."""
    known = list(INVARIANTS)
    return known.index(name) if name in known else len(known)


def listed(files: dict[str, list[str]]) -> dict[str, tuple[list[str], int]]:
    """The first files of each kind, and how many there are."""
    return {kind: (names[:FILES_LISTED], len(names)) for kind, names in files.items()}


def decimal(value: float) -> str:
    """One decimal after a comma."""
    return f"{value:.1f}".replace(".", ",")


def euros(cents: int) -> str:
    """Cents as French readers write euros."""
    sign, rest = ("−", -cents) if cents < 0 else ("", cents)
    return f"{sign}{charts.spaced(rest // 100)},{rest % 100:02d}\u00a0€"
