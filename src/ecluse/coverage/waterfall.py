"""A shared-out line as bars, from the expense down to what is left to pay: each with its amount, rule, article, sentences.

Law: the bars before the last add up to the last, for every line. What does not change what is due at the counter, a
majoration that is inside the rest, a participation that is kept back later, stands aside.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum

import msgspec

from ecluse.coverage.compute import REFERENCES, Split, StepName, others_cents
from ecluse.coverage.explain import YOURS, told
from ecluse.coverage.guarantee import Guarantee
from ecluse.coverage.line import Line
from ecluse.coverage.words import guarantee_in_words, percent
from ecluse.kernel.money import en_euros


class BarKind(StrEnum):
    """What a bar stands for."""

    EXPENSE = "expense"
    AMO = "amo"
    OTHERS = "others"
    CONTRACT = "contract"
    LEFT = "left"
    MAJORATION = "majoration"
    PARTICIPATION = "participation"


class Bar(msgspec.Struct, frozen=True):
    """One bar: `cents` is what it adds, below zero for what is paid. `rule` and `article` are in French, as `said`."""

    kind: BarKind
    label: str
    cents: int
    rule: str
    article: str
    said: tuple[str, ...] = ()


class Waterfall(msgspec.Struct, frozen=True):
    """The bars in order, the last being what is left; and what stands aside, which adds nothing."""

    bars: tuple[Bar, ...]
    asides: tuple[Bar, ...] = ()


class Turn(msgspec.Struct, frozen=True):
    """One contract's turn at a line; `waiting` are sentences about guarantees that are not open yet."""

    line: Line
    guarantee: Guarantee
    split: Split
    waiting: tuple[str, ...] = ()


_NAMES = (YOURS, "Votre deuxième contrat", "Votre troisième contrat", "Votre contrat suivant")
_ONCE_FIRST = (StepName.AMO, StepName.TICKET_MODERATEUR, StepName.OTHERS)  # said with the first contract only
_ONCE_LAST = (StepName.PARTICIPATION, StepName.PATIENT)  # said with the last contract only
_BAR_OF = {
    StepName.AMO: BarKind.AMO,
    StepName.TICKET_MODERATEUR: BarKind.AMO,
    StepName.MAJORATION: BarKind.MAJORATION,
    StepName.OTHERS: BarKind.OTHERS,
    StepName.CEILING: BarKind.CONTRACT,
    StepName.LIMIT: BarKind.CONTRACT,
    StepName.AMC: BarKind.CONTRACT,
    StepName.PARTICIPATION: BarKind.PARTICIPATION,
    StepName.PATIENT: BarKind.LEFT,
}


def sentences(turns: Sequence[Turn]) -> list[str]:
    """Why the line is shared out so, contract after contract, nothing said twice."""
    return [said for _, _, said in _told(turns)]


def waterfall(turns: Sequence[Turn]) -> Waterfall:
    """The bars of a line, for contracts in the order they pay; at least one turn, if need be with no guarantee."""
    bars, asides = [_expense(turns[0].line), _amo(turns[0])], []
    bars += _others(turns[0])
    bars += [_contract(place, turn) for place, turn in enumerate(turns)]
    bars.append(_left(turns[-1].split))
    for each in (_majoration(turns), _participation(turns[-1].split)):
        if each.cents:
            asides.append(each)
    said = list(_told(turns))
    return Waterfall(tuple(_saying(bars, said)), tuple(_saying(asides, said)))


def _told(turns: Sequence[Turn]) -> Iterator[tuple[int, StepName, str]]:
    """Every sentence, with the place of its contract and its step. What a majoration takes is the same for each."""
    majoration = ""
    for place, turn in enumerate(turns):
        left_out = (_ONCE_FIRST if place else ()) + (_ONCE_LAST if place < len(turns) - 1 else ())
        yield from ((place, StepName.CEILING, said) for said in turn.waiting)
        for step, said in told(turn.split, turn.line, _name(place)):
            if step in left_out or said == majoration:
                continue
            if step is StepName.MAJORATION:
                majoration = said
            yield place, step, said


def _saying(bars: Sequence[Bar], told: Sequence[tuple[int, StepName, str]]) -> Iterator[Bar]:
    """The bars with their sentences; a contract has those of its own place."""
    place = -1
    for bar in bars:
        place += bar.kind is BarKind.CONTRACT
        mine = [
            said
            for at, step, said in told
            if _BAR_OF[step] is bar.kind and (at == place or bar.kind is not BarKind.CONTRACT)
        ]
        yield msgspec.structs.replace(bar, said=tuple(mine))


def _name(place: int) -> str:
    return _NAMES[min(place, len(_NAMES) - 1)]


def _expense(line: Line) -> Bar:
    return Bar(BarKind.EXPENSE, "Dépense", line.expense_cents, "ce que le professionnel facture", "montant facturé")


def _amo(turn: Turn) -> Bar:
    line = turn.line
    rule = f"{percent(line.amo_rate)} de la base de {en_euros(line.base_cents)}" if line.base_cents else "pas de base"
    if line.flat_share_cents:
        rule += f", moins {en_euros(line.flat_share_cents)} sur les actes lourds"
    return Bar(BarKind.AMO, "Assurance maladie", -turn.split.amo_cents, rule, REFERENCES[StepName.AMO])


def _others(turn: Turn) -> list[Bar]:
    cents = others_cents(turn.line, turn.split.amo_cents)
    rule, article = "paie avant votre contrat", REFERENCES[StepName.OTHERS]
    return [Bar(BarKind.OTHERS, "Autre complémentaire", -cents, rule, article)] if cents else []


def _contract(place: int, turn: Turn) -> Bar:
    article = f"{REFERENCES[StepName.CEILING]}\u00a0; {REFERENCES[StepName.AMC]}"
    return Bar(BarKind.CONTRACT, _name(place), -turn.split.amc_cents, guarantee_in_words(turn.guarantee), article)


def _left(split: Split) -> Bar:
    return Bar(BarKind.LEFT, "Il vous reste", split.patient_cents, "à payer", REFERENCES[StepName.PATIENT])


def _majoration(turns: Sequence[Turn]) -> Bar:
    steps = (step for turn in turns for step in turn.split.steps if step.name is StepName.MAJORATION)
    cents = max((step.cents for step in steps), default=0)
    rule = "hors du parcours de soins, laissé par un contrat responsable"
    return Bar(BarKind.MAJORATION, "Remboursé en moins", cents, rule, REFERENCES[StepName.MAJORATION])


def _participation(split: Split) -> Bar:
    rule = "participation forfaitaire ou franchise, sans effet sur ce qui est à payer maintenant"
    article = REFERENCES[StepName.PARTICIPATION]
    return Bar(BarKind.PARTICIPATION, "Retenu plus tard", split.participation_cents, rule, article)
