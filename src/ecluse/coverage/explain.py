"""Why a line is shared out as it is, in sentences a patient understands: each has its rule, its amount and its article.

Sentences are made on demand only: a split keeps its steps as numbers. What a contract promises is in `words`.
"""

from __future__ import annotations

from collections.abc import Callable

from ecluse.coverage.compute import REFERENCES, Split, Step, StepName
from ecluse.coverage.guarantee import Bound, Kind, Limit, Part
from ecluse.coverage.line import Line
from ecluse.coverage.words import limit_in_words, part_in_words, percent
from ecluse.kernel.money import en_euros

YOURS = "Votre contrat"
Told = tuple[StepName, str]


def because(split: Split, line: Line) -> list[str]:
    """The sentences for one split of `line`, in the order of the steps."""
    return [said for _, said in told(split, line)]


def told(split: Split, line: Line, contract: str = YOURS) -> list[Told]:
    """The same sentences, each with the step it tells of; `contract` is how the contract is called."""
    sentences: list[Told] = []
    named = contract
    for step in split.steps:
        if step.limit is not None:
            sentences.append((step.name, _limit(step, step.limit, line)))
        elif step.part is not None:
            sentences.append((step.name, _part(step, step.part, line, named)))
            named = "Il"
        else:
            sentences += [(step.name, said) for said in _STEPS[step.name](step, split, line, contract)]
    return sentences


_CITED = {name: f" ({reference})." for name, reference in REFERENCES.items()}


def _amo(step: Step, _split: Split, line: Line, _contract: str) -> tuple[str, ...]:
    if not line.base_cents:
        said = "Il n'y a pas de base de remboursement\u00a0: l'Assurance maladie rembourse"
        return (f"{said} {en_euros(step.cents)}{_CITED[step.name]}",)
    said = f"L'Assurance maladie rembourse {percent(line.amo_rate)} de {en_euros(line.base_cents)}"
    if line.flat_share_cents:
        said += f", moins la participation forfaitaire de {en_euros(line.flat_share_cents)} sur les actes lourds"
    capped = ", sans dépasser la dépense" if step.cents == line.expense_cents < line.base_cents else ""
    return (f"{said}{capped}, soit {en_euros(step.cents)}{_CITED[step.name]}",)


def _ticket(step: Step, _split: Split, line: Line, _contract: str) -> tuple[str, ...]:
    said: tuple[str, ...] = ()
    if step.cents:
        ticket = "Le ticket modérateur, part de la base que l'Assurance maladie laisse, est de"
        said = (f"{ticket} {en_euros(step.cents)}{_CITED[step.name]}",)
    if line.expense_cents > line.base_cents > 0:
        above = f"La dépense dépasse la base de {en_euros(line.expense_cents - line.base_cents)}"
        said += (f"{above}, que l'Assurance maladie ne rembourse pas{_CITED[step.name]}",)
    return said


def _majoration(step: Step, _split: Split, _line: Line, _contract: str) -> tuple[str, ...]:
    said = f"Hors du parcours de soins, l'Assurance maladie rembourse {en_euros(step.cents)} de moins"
    return (f"{said}, qu'un contrat responsable ne rembourse pas{_CITED[step.name]}",)


def _others(step: Step, _split: Split, _line: Line, _contract: str) -> tuple[str, ...]:
    return (f"Une autre complémentaire, qui paie d'abord, verse {en_euros(step.cents)}{_CITED[step.name]}",)


def _amc(step: Step, split: Split, _line: Line, contract: str) -> tuple[str, ...]:
    ceilings = _ceilings(split)
    if not ceilings:
        said = f"Aucune garantie ne couvre cette ligne\u00a0: la complémentaire verse {en_euros(0)}"
        return (said + _CITED[StepName.CEILING],)
    due = step.cents + split.patient_cents
    rest = f" sur les {en_euros(due)} qui restent à payer" if due else ", car il ne reste rien à payer"
    within = f", jusqu'à {en_euros(sum(ceilings))} en tout" if len(ceilings) > 1 else ""
    return (f"{contract} verse {en_euros(step.cents)}{rest}{within}{_CITED[step.name]}",)


def _ceilings(split: Split) -> list[int]:
    """What each part may pay once its own limits are applied."""
    found: list[int] = []
    for step in split.steps:
        if step.name is StepName.CEILING:
            if step.limit is None:
                found.append(step.cents)
            else:
                found[-1] = min(found[-1], step.cents)
    return found


def _participation(step: Step, _split: Split, _line: Line, _contract: str) -> tuple[str, ...]:
    if not step.cents:
        return ()
    kept = f"Plus tard, l'Assurance maladie retiendra {en_euros(step.cents)} de participation forfaitaire"
    return (f"{kept} ou de franchise, qu'un contrat responsable ne rembourse pas{_CITED[step.name]}",)


def _patient(step: Step, split: Split, line: Line, _contract: str) -> tuple[str, ...]:
    said = f"Il vous reste {en_euros(step.cents)} à payer sur {en_euros(line.expense_cents)}"
    if split.participation_cents:
        said += f", et {en_euros(step.cents + split.participation_cents)} en comptant cette retenue"
    return (said + _CITED[step.name],)


_STEPS: dict[StepName, Callable[[Step, Split, Line, str], tuple[str, ...]]] = {
    StepName.AMO: _amo,
    StepName.TICKET_MODERATEUR: _ticket,
    StepName.MAJORATION: _majoration,
    StepName.OTHERS: _others,
    StepName.AMC: _amc,
    StepName.PARTICIPATION: _participation,
    StepName.PATIENT: _patient,
}


def _part(step: Step, part: Part, line: Line, contract: str) -> str:
    promised = f"{contract} rembourse {part_in_words(part, line.quantity)}{_conditions(step, part, line)}"
    return f"{promised}\u00a0: il peut verser {en_euros(step.cents)}{_CITED[step.name]}"


def _conditions(step: Step, part: Part, line: Line) -> str:
    if part.kind is Kind.EUR_ACT:
        return f"\u00a0; il en reste {step.left}" if step.left else "\u00a0; il n'en reste plus"
    if part.kind is Kind.EUR_YEAR:
        return f"\u00a0; il en reste {en_euros(step.left)}" if step.left else "\u00a0; il n'en reste rien"
    if part.kind is Kind.BASKET and line.price_limit_cents is not None:
        return f", dans la limite du prix réglementé de {en_euros(line.price_limit_cents)}"
    return ""


def _limit(step: Step, limit: Limit, line: Line) -> str:
    what = "Ce remboursement" if step.name is StepName.CEILING else "Le tout"
    bound = f"{what} est limité à {limit_in_words(limit, line.quantity)}{_left(step, limit)}"
    return f"{bound}\u00a0: le contrat peut verser {en_euros(step.cents)}{_CITED[StepName.CEILING]}"


def _left(step: Step, limit: Limit) -> str:
    if step.left is None:
        return ""
    if not step.left:
        return "\u00a0; il n'en reste plus"
    return f"\u00a0; il en reste {step.left if limit.bound is Bound.ACTS else en_euros(step.left)}"
