"""Letting people back in by waves, so that they do not all log in at once. Pure: limits, their loads and a capacity → waves.

On 12 February 2024 both portals opened again, everybody reset a password at once, and they were overloaded. Here what is
limited is put in the order of a table, then cut into waves that bring no more logins than the hub bears. What alone brings more
than a wave does (an insurer, a software) has one to itself, which lasts as long as its logins need.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from ecluse.gate.containment import Kind, Reach
from ecluse.gate.signals import Step
from ecluse.kernel.errors import refusal

H_US = 3_600_000_000
WAVES_MAX = 10_000  # a year of hours; more is a capacity that somebody mistyped

REOPENING_INVALID = refusal(
    "reopening_invalid",
    422,
    "This makes no plan",
    fix="Give at least one login an hour, waves of one hour or more, and no more waves than a year has hours.",
)


class Rank(msgspec.Struct, frozen=True):
    """A row of the rule: which kinds, which care (professions of accounts, domains; none: all others), and why they come here."""

    kinds: tuple[Kind, ...]
    care: frozenset[str]
    who_fr: str
    why_fr: str


# Who comes first. Ours: no text says it. Before people come their insurers, software, places: a login is of no use while what it
# asks about is shut. Then whoever's patient waits where they stand, then whoever's patient can come another day. Within a row,
# whoever was shut longest, then the name: the same limits give the same waves.
ORDER: tuple[Rank, ...] = (
    Rank(
        (Kind.INSURER,),
        frozenset(),
        "assureurs",
        "tant qu'un assureur est fermé, personne n'est servi pour ses assurés",
    ),
    Rank((Kind.DEPARTMENT, Kind.NETWORK), frozenset(), "départements, réseaux", "un lieu entier attend"),
    Rank((Kind.VENDOR,), frozenset(), "logiciels", "tous ceux qui s'en servent attendent"),
    *(
        Rank((Kind.DOMAIN, Kind.ACCOUNT), frozenset(care.split()), who, why)
        for care, who, why in (
            ("PHAR pharmacy", "pharmacies", "le patient est au comptoir, son traitement n'attend pas"),
            ("HOSP hospital", "hôpitaux", "l'admission est en cours"),
            ("TRAN LABO laboratory", "transports, biologie", "le patient est là"),
            ("MED general_practitioner", "médecins généralistes", "soins du jour"),
            ("AUXM nurse physiotherapist", "infirmiers, kinésithérapeutes", "soins de tous les jours, souvent suivis"),
            ("RADI radiologist specialist", "imagerie, spécialistes", "soins sur rendez-vous"),
            ("DENT dentist", "dentistes", "soins sur rendez-vous, devis"),
            ("OPTI AUDI optician audio", "opticiens, audioprothésistes", "une commande attend quelques jours"),
            ("", "tous les autres", "aucune ligne plus haut ne les nomme"),
        )
    ),
)


class Limit(msgspec.Struct, frozen=True):
    """What is to be opened: from which step to which, since when it stands there (µs), and what it brings.

    `care`: an account's profession, a domain's code. `logins`: how many are expected at once; `is_known` false where nobody
    could say, and a whole wave is kept for it.
    """

    kind: Kind
    name: str
    care: str
    step: int
    to_step: int
    since_us: int
    logins: int
    is_known: bool = True


class Wave(msgspec.Struct, frozen=True):
    """Who is let in together: from an instant on (Unix, µs), for so many hours, with so many logins in all."""

    number: int
    starts_us: int
    hours: int
    logins: int
    limits: tuple[Limit, ...]


class Plan(msgspec.Struct, frozen=True):
    """Waves one after the other, and what they were cut by."""

    logins_per_h: int
    made_us: int
    waves: tuple[Wave, ...]


def rank(limit: Limit) -> int:
    """The row of `ORDER` it comes under; the last row has everything."""
    return next(
        at for at, row in enumerate(ORDER) if limit.kind in row.kinds and (not row.care or limit.care in row.care)
    )


def in_order(limits: Iterable[Limit]) -> list[Limit]:
    """As they are let in."""
    return sorted(limits, key=lambda each: (rank(each), each.since_us, each.kind, each.name))


def planned(limits: Iterable[Limit], logins_per_h: int, wave_h: int, starts_us: int, made_us: int) -> Plan:
    """Waves of `wave_h` hours from an instant on: each limit in one, none with more logins than its hours bear.

    Raises `reopening_invalid`.
    """
    if logins_per_h < 1 or wave_h < 1:
        raise REOPENING_INVALID()
    waves: list[Wave] = []
    for some in _cut(in_order(limits), logins_per_h * wave_h):
        logins = sum(each.logins for each in some)
        hours = max(wave_h, -(-logins // logins_per_h))
        waves.append(Wave(len(waves) + 1, starts_us, hours, logins, tuple(some)))
        starts_us += hours * H_US
        if len(waves) > WAVES_MAX:
            raise REOPENING_INVALID(f"more than {WAVES_MAX} waves")
    return Plan(logins_per_h, made_us, tuple(waves))


def _cut(limits: Sequence[Limit], logins_max: int) -> Iterable[list[Limit]]:
    some: list[Limit] = []
    logins = 0
    for each in limits:
        if some and logins + each.logins > logins_max:
            yield some
            some, logins = [], 0
        some.append(each)
        logins += each.logins
    if some:
        yield some


def target(kind: Kind) -> int:
    """To which step a wave lets in: an account to `slowed`, which its next fresh login lifts; the rest to open."""
    return Step.SLOWED if kind is Kind.ACCOUNT else Reach.OPEN
