"""The table of attacks: what is stolen, what the thief knows, what it costs them, and how they go about it. All as data."""

from __future__ import annotations

from dataclasses import dataclass

from ecluse.kernel.errors import refusal
from sim.attacks.aims import Aims, born, guessed, leaked

FAST = 2_000  # questions of a thief who asks all they can: what comes after is refused like what came before
BUSY_DAY = 40  # questions of a thief who keeps to a practice's rhythm, beside the practice's own
QUIET_S, HURRIED_S = 600, 0  # between two questions

ATTACK_UNKNOWN = refusal(
    "attack_unknown", 404, "No such attack", fix="`ecluse sim attacks` lists those that can be played."
)


@dataclass(frozen=True, slots=True)
class Plan:
    """How a thief goes about it.

    `a_day`: questions a day for each account, `days` in a row, `gap_s` between them; `known_share`: per cent of questions that
    are about people the practice knows, to look like it; `claimed_share`: per cent of people newly told of for whom a false claim
    is sent. `elsewhere`: from a device and network of the thief's own. `proves`: can log in anew as the account's owner. `wary`:
    has the whole hub at home, fed with what was asked, and asks nothing that would raise an alarm or meet a cap. `careful`: stops
    for the day at the first refusal.
    """

    a_day: int = FAST
    days: int = 1
    gap_s: float = HURRIED_S
    known_share: int = 0
    claimed_share: int = 0
    elsewhere: bool = True
    proves: bool = False
    wary: bool = False
    careful: bool = False


@dataclass(frozen=True, slots=True)
class Scenario:
    """One attack. `title`, `knows` and `costs` are shown, in French; `accounts`: how many are stolen.

    `token`: "true", "forged", or "replayed" (bound to a key the thief has not).
    """

    name: str
    title: str
    knows: str
    costs: str
    aims: Aims
    plan: Plan
    accounts: int = 1
    token: str = "true"


LIST = "la liste exacte des assurés"
SCENARIOS = {
    each.name: each
    for each in (
        Scenario(
            "leaked", "Une liste volée, un compte volé", LIST + ", le jeton d’un médecin généraliste",
            "une liste, un hameçonnage", leaked, Plan(),
        ),
        Scenario(
            "blind", "Au hasard, un compte volé", "rien : des NIR vraisemblables du département, un organisme au hasard",
            "un hameçonnage", guessed, Plan(),
        ),
        Scenario(
            "smart", "Naissances connues, un compte volé",
            "sexe, date et commune de naissance (registres, réseaux), l’ordre à vingt près, le plus grand organisme",
            "un hameçonnage, un registre", born, Plan(),
        ),
        Scenario(
            "leaked-slow", "Une liste volée, soixante jours de patience", LIST,
            "une liste, un hameçonnage, deux mois", leaked, Plan(a_day=10, days=60, gap_s=2_400, careful=True),
        ),
        Scenario(
            "fake-claims-50", "Fausses factures, une fois sur deux", LIST + ", le logiciel d’un cabinet, ses factures",
            "une liste, un hameçonnage, de fausses factures que le cabinet voit payées", leaked,
            Plan(a_day=BUSY_DAY, days=60, gap_s=QUIET_S, claimed_share=50, careful=True),
        ),
        Scenario(
            "fake-claims-90", "Fausses factures, neuf fois sur dix", LIST + ", le logiciel d’un cabinet, ses factures",
            "une liste, un hameçonnage, de fausses factures que le cabinet voit payées", leaked,
            Plan(a_day=BUSY_DAY, days=60, gap_s=QUIET_S, claimed_share=90, careful=True),
        ),
        Scenario(
            "hundred", "Une liste volée, cent comptes volés", LIST + ", cent comptes à la fois (tous, s’il y en a moins)",
            "une liste, cent hameçonnages", leaked, Plan(), accounts=100,
        ),
        Scenario(
            "insider", "Quelqu’un du cabinet", "les patients du cabinet, une liste de voisins ; la carte du professionnel",
            "son emploi", leaked, Plan(a_day=2, days=60, gap_s=3_600, elsewhere=False, proves=True, careful=True),
        ),
        Scenario(
            "help-desk", "Un accès refait par l’assistance", LIST + ", et une nouvelle identification obtenue au téléphone",
            "une liste, un deuxième agent trompé, un délai", leaked, Plan(proves=True),
        ),
        Scenario(
            "replayed", "Un jeton copié", LIST + ", un jeton lié à une clé que le voleur n’a pas",
            "une liste, un relais percé", leaked, Plan(), token="replayed",
        ),
        Scenario(
            "stolen-device", "Un poste volé, session ouverte", LIST + ", le poste d’un cabinet, jusqu’au soir",
            "une liste, un cambriolage", leaked, Plan(gap_s=5, a_day=400, elsewhere=False),
        ),
        Scenario(
            "mimic", "Au rythme du cabinet", LIST + ", les patients, les heures et l’allure du cabinet",
            "une liste, un poste du cabinet, deux mois", leaked,
            Plan(a_day=20, days=60, gap_s=1_200, known_share=65, elsewhere=False, careful=True),
        ),
        Scenario(
            "knows-all", "Connaît chaque plafond", LIST + ", tout le code, tout ce que la plateforme sait du compte, la carte",
            "une liste, un professionnel complice, six mois", leaked,
            Plan(a_day=BUSY_DAY, days=180, gap_s=QUIET_S, elsewhere=False, proves=True, wary=True),
        ),
        Scenario(
            "bad-token", "Une liste volée, un jeton forgé", LIST + ", et un jeton que personne n’a signé", "une liste",
            leaked, Plan(), token="forged",
        ),
    )
}  # fmt: skip


def scenario_of(name: str) -> Scenario:
    """A scenario by its name. Raises `attack_unknown`."""
    if name not in SCENARIOS:
        raise ATTACK_UNKNOWN(f"{name[:40]!r}: there is {', '.join(SCENARIOS)}")
    return SCENARIOS[name]
