"""What a crossing says: for each harm, what this leak gives alone, what others gave, what it switches on, what came after."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec

from ecluse.breach.crossing.catalogue import Catalogue, Crossed, Harm, Leak, catalogue, leak_of
from ecluse.breach.crossing.simulate import GROUPS, Seen, simulate
from ecluse.breach.tables import version

REAL = 0.05  # a harm that one person in twenty comes to bear, at the least, is called real
NONE = 0.005

ASSUMPTIONS = (
    "Les listes de champs et les nombres de personnes sont ceux qui ont été publiés. Aucune donnée volée n'a été lue.",
    "Les fuites sont indépendantes, sauf par l'âge.",
    "Deux fuites sont rapprochées par le NIR à coup sûr, par les autres champs avec les probabilités du catalogue.",
    "Un téléphone, une adresse ou un compte peut ne plus être le bon : part tirée entre les bornes du catalogue.",
    "Un dommage est compté possible dès que les données sont réunies. Qu'il ait lieu est une autre question.",
    "Les bornes vont du 5e au 95e centième des tirages. Elles contiennent le hasard des nombres incertains et de la taille.",
)


class Span(msgspec.Struct, frozen=True):
    """A share of people, from 0 to 1: median of the runs, 5th and 95th percentiles."""

    low: float
    mid: float
    high: float


class Switched(msgspec.Struct, frozen=True):
    """One harm. `alone`: by this leak's fields only; `before`: by earlier ones; `after`: by both; `switched_on`: what differs."""

    label: str
    alone: bool
    before: Span
    after: Span
    switched_on: Span
    by_age: dict[str, Span]


class Later(msgspec.Struct, frozen=True):
    """What one more leak makes of it: shares of the same people after it, and what it added."""

    leak: str
    name: str
    on: date
    source: str
    harms: dict[str, Span]
    added: dict[str, Span]


class Crossing(msgspec.Struct, frozen=True):
    """The whole answer."""

    leak: str
    name: str
    on: date
    fields: tuple[str, ...]
    harms: dict[str, Switched]
    later: tuple[Later, ...]
    conclusion: tuple[str, ...]
    earlier: tuple[str, ...]
    assumptions: tuple[str, ...]
    sources: dict[str, str]
    seed: int
    runs: int
    people: int
    rules_version: str


def cross(asked: Crossed) -> Crossing:
    """Simulate and conclude. Raises `facts_invalid`."""
    table, this = catalogue(), leak_of(asked)
    others = [each for each in table.leaks if each.id != this.id]
    seen = [*simulate(table, others, this, asked.seed, asked.runs, asked.people)]
    after = sorted((each for each in others if each.on >= this.on), key=lambda each: each.on)
    harms = {harm.name: _switched(at, harm, this, seen) for at, harm in enumerate(table.harms)}
    later = tuple(_later(table, stage, leak, seen) for stage, leak in enumerate(after, 2))
    return Crossing(
        this.id,
        this.name,
        this.on,
        tuple(sorted(this.fields)),
        harms,
        later,
        tuple(_conclude(harms, later)),
        tuple(each.id for each in others if each.on < this.on),
        (*ASSUMPTIONS, f"Population : {table.population.source}."),
        {each.id: each.source for each in (*table.leaks, this)},
        asked.seed,
        asked.runs,
        asked.people,
        version(),
    )


def percent(span: Span) -> str:
    """A share as French readers write it, with its bounds."""
    low, mid, high = (round(100 * each) for each in (span.low, span.mid, span.high))
    return f"{mid} %" if low == high else f"{mid} % ({low} à {high})"


def _switched(at: int, harm: Harm, this: Leak, seen: Sequence[Seen]) -> Switched:
    def of(stage: int, group: str) -> list[float]:
        return [run.stages[stage][group][at] for run in seen]

    def gained(group: str) -> Span:
        return _span([with_it - without for without, with_it in zip(of(0, group), of(1, group), strict=True)])

    ages: dict[str, Span] = {group: gained(group) for group in GROUPS if this.reach[group]}
    alone = any(part <= this.fields for part in harm.of)
    return Switched(harm.label, alone, _span(of(0, "all")), _span(of(1, "all")), gained("all"), ages)


def _later(table: Catalogue, stage: int, leak: Leak, seen: Sequence[Seen]) -> Later:
    harms, added = {}, {}
    for at, harm in enumerate(table.harms):
        now = [run.stages[stage]["all"][at] for run in seen]
        then = [run.stages[stage - 1]["all"][at] for run in seen]
        harms[harm.name] = _span(now)
        added[harm.name] = _span([new - old for new, old in zip(now, then, strict=True)])
    return Later(leak.id, leak.name, leak.on, leak.source, harms, added)


def _conclude(harms: dict[str, Switched], later: Sequence[Later]) -> list[str]:
    contact = ("callable", "reachable")
    said = []
    if not any(harms[name].alone for name in contact):
        said.append("Sur ces seules données, le hameçonnage est faible : ni téléphone, ni adresse.")
    else:
        said.append("Ces seules données suffisent pour appeler ou écrire.")
    for name in ("impersonable", "convincing", "payable", "loginable"):
        harm = harms[name]
        if harm.alone and harm.switched_on.mid >= NONE:
            said.append(f"« {harm.label} » : ouvert par ces seules données, pour {percent(harm.switched_on)} de plus.")
        elif harm.switched_on.low >= REAL:
            said.append(f"« {harm.label} » : réel une fois croisé, pour {percent(harm.switched_on)} des personnes.")
        elif harm.switched_on.high < NONE:
            said.append(f"« {harm.label} » : cette fuite n'y ajoute rien.")
    for each in later:
        most = max(each.added, key=lambda name: each.added[name].mid)
        if each.added[most].low >= REAL:
            then = percent(each.harms[most])
            said.append(
                f"Ensuite {each.name} : « {harms[most].label} » passe à {then}, soit {percent(each.added[most])} de plus."
            )
    return said


def _span(shares: Sequence[float]) -> Span:
    ordered = sorted(shares)
    return Span(*(round(ordered[min(len(ordered) - 1, int(q * len(ordered)))], 4) for q in (0.05, 0.5, 0.95)))
