"""The report of a run: one self-contained page in French, every number of it measured in the run."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from sim import charts, figures
from sim.charts import Bar, Range
from sim.player import AT_ONCE
from sim.run import Run

TEMPLATES = Path(__file__).parent / "templates"
FILES_LISTED = 8  # of each kind; the folder holds the others

INVARIANTS = {
    "status": "Chaque échange a reçu le statut qu’il devait recevoir",
    "exact fields": "Aucune réponse n’a un champ de trop, ni de moins",
    "answers hold no identity": "Aucune réponse ne répète un NIR, une naissance, un numéro d’adhérent ou un nom",
    "ids are well formed and new": "Chaque identifiant est bien formé et n’a jamais servi",
    "the plan knows the world": "Le scénario est d’accord avec le monde simulé",
    "rights": "Droits : confirmés exactement quand un contrat est ouvert, avec la bonne échéance",
    "engagements": "Engagements : valables trente jours, retrouvés par leur numéro",
    "quotes": "Devis : une réponse par ligne demandée",
    "quotes to the cent": "Devis : AMO, AMC et patient recalculés, au centime",
    "reasons in words": "Devis : chaque ligne est expliquée",
    "sent twice is one claim": "Une facture envoyée deux fois est une seule facture",
    "claims": "Factures : acceptées ou refusées comme elles le devaient",
    "claims to the cent": "Factures : part AMC recalculée, au centime",
    "paid within seven working days": "Échéance : sept jours ouvrés au plus",
    "refusals have their code": "Refus : le code attendu",
    "refusals can be mended": "Refus : un motif et ce qu’il faut faire",
    "cancellations": "Annulations : la bonne facture, annulée",
    "claims shown as they are": "Consultation : la facture telle qu’elle est",
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
    "nothing of anyone in the hub's files": "Fichiers et journaux de la plateforme sans NIR, naissance, nom ni numéro d’adhérent",
}
MONEY_KINDS = ("Part AMC",)


def write(run: Run, path: Path) -> None:
    """Write the report of `run` at `path`."""
    words = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    words.filters |= {"n": charts.spaced, "eur": euros, "ms": charts.milliseconds}
    page = words.get_template("report.html").render(page_of(run))
    path.write_text(page, encoding="utf-8")


def page_of(run: Run) -> dict[str, object]:
    """All that the template shows."""
    summary = figures.summary(run)
    hours, professions, insurers = figures.by_hour(run), figures.by_profession(run), figures.by_insurer(run)
    latencies, refusals = summary["latency_ms"], figures.refusals(run)
    calls = tuple(figures.CALLS.values())
    hour_bars = [Bar(f"{hour} h", tuple(counts)) for hour, counts in hours]
    profession_bars = [Bar(label, (count,)) for label, count, _ in professions]
    insurer_bars = [Bar(each["name"], (each["due"],), euros(each["due"])) for each in insurers]
    refusal_bars = [Bar(code, (number,)) for code, _, number in refusals]
    outcomes = figures.check_outcomes(run)
    money = summary["money_cents"]
    shares = [
        Bar("Assurance maladie (AMO)", (money["amo"], 0, 0), euros(money["amo"])),
        Bar("Complémentaires (AMC)", (0, money["amc"], 0), euros(money["amc"])),
        Bar("Patients", (0, 0, money["patient"]), euros(money["patient"])),
    ]
    spans = [Range(figures.CALLS[call], each["p50"], each["p95"], each["p99"]) for call, each in latencies.items()]
    held = run.listener.oath.held
    return {
        "run": run,
        "at_once": AT_ONCE,
        "summary": summary,
        "world": summary["world"],
        "money": money,
        "calls": calls,
        "hours": hours,
        "professions": professions,
        "insurers": insurers,
        "refusals": refusals,
        "errors": figures.errors(run),
        "outcomes": outcomes,
        "latencies": [(figures.CALLS[call], each) for call, each in latencies.items()],
        "invariants": [(INVARIANTS.get(name, name), held[name]) for name in sorted(held, key=order_of)],
        "files": listed(summary["files"]),
        "charts": {
            "hours": Markup(charts.columns("heures", "Échanges par heure de la journée simulée", calls, hour_bars)),
            "professions": Markup(
                charts.bars("professions", "Échanges par profession", ("Échanges",), profession_bars)
            ),
            "outcomes": Markup(
                charts.bars(
                    "droits",
                    "Issue des vérifications de droits",
                    ("Vérifications",),
                    [Bar(label, (count,)) for label, count in outcomes],
                )
            ),
            "latencies": Markup(charts.ranges("latences", "Temps de réponse par appel", spans)),
            "shares": Markup(charts.bars("parts", "Qui paie les soins facturés", ("AMO", "AMC", "Patients"), shares)),
            "insurers": Markup(
                charts.bars("complementaires", "Part AMC due par complémentaire", MONEY_KINDS, insurer_bars)
            ),
            "refusals": Markup(charts.bars("refus", "Motifs de refus des factures", ("Refus",), refusal_bars)),
        },
    }


def order_of(name: str) -> int:
    """Invariants in the order of the table above; unknown ones last."""
    known = list(INVARIANTS)
    return known.index(name) if name in known else len(known)


def listed(files: dict[str, list[str]]) -> dict[str, tuple[list[str], int]]:
    """The first files of each kind, and how many there are."""
    return {kind: (names[:FILES_LISTED], len(names)) for kind, names in files.items()}


def euros(cents: int) -> str:
    """Cents as French readers write euros."""
    sign, rest = ("−", -cents) if cents < 0 else ("", cents)
    return f"{sign}{charts.spaced(rest // 100)},{rest % 100:02d}\u00a0€"
