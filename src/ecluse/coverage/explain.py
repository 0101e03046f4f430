"""Why a line is shared out as it is, in sentences a patient understands. The law behind each step is in `REFERENCES`.

Sentences are made on demand only: a split keeps its steps as numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache

from ecluse.coverage.compute import Split, Step, StepName
from ecluse.coverage.guarantee import Kind, Part
from ecluse.coverage.line import Line
from ecluse.kernel.money import RATES_CACHED, en_euros

YOURS = "Votre contrat"


def because(split: Split, line: Line, contract: str = YOURS) -> list[str]:
    """The sentences for one split of `line`, in the order of the steps; `contract` is how the contract is called."""
    sentences = []
    ceilings = 0
    for step in split.steps:
        if step.name is StepName.CEILING:
            assert step.part is not None
            sentences.append(_SENTENCES[step.part.kind](step, step.part, line, contract if not ceilings else "Il"))
            ceilings += 1
        elif said := _STEPS[step.name](step, split, line):
            sentences.append(said)
    return sentences


def _amo(step: Step, _split: Split, line: Line) -> str:
    if not line.base_cents:
        return "Il n'y a pas de base de remboursement : l'Assurance maladie ne rembourse rien."
    said = f"L'Assurance maladie rembourse {percent(line.amo_rate)} de {en_euros(line.base_cents)}"
    capped = ", sans dépasser la dépense" if step.cents == line.expense_cents < line.base_cents else ""
    return f"{said}{capped}, soit {en_euros(step.cents)}."


def _ticket(step: Step, _split: Split, line: Line) -> str:
    said = []
    if step.cents:
        said.append(
            f"Le ticket modérateur, part de la base que l'Assurance maladie laisse, est de {en_euros(step.cents)}."
        )
    if line.expense_cents > line.base_cents > 0:
        said.append(f"La dépense dépasse la base de {en_euros(line.expense_cents - line.base_cents)}.")
    return " ".join(said)


def _amc(step: Step, split: Split, line: Line) -> str:
    ceilings = [each.cents for each in split.steps if each.name is StepName.CEILING]
    if not ceilings:
        return "Aucune garantie ne couvre cette ligne : la complémentaire ne verse rien."
    due = step.cents + split.patient_cents
    rest = f", sur les {en_euros(due)} qui restent à payer" if due else ", car il ne reste rien à payer"
    within = f" : jusqu'à {en_euros(sum(ceilings))} en tout" if len(ceilings) > 1 else ""
    return f"La complémentaire verse {en_euros(step.cents)}{rest}{within}."


def _participation(step: Step, _split: Split, _line: Line) -> str:
    if not step.cents:
        return ""
    kept = f"L'Assurance maladie retiendra {en_euros(step.cents)} de participation forfaitaire ou de franchise"
    return f"{kept}, qu'un contrat responsable ne rembourse pas."


def _patient(step: Step, split: Split, _line: Line) -> str:
    said = f"Il vous reste {en_euros(step.cents)} à payer"
    if split.participation_cents:
        return f"{said}, et {en_euros(step.cents + split.participation_cents)} en comptant cette retenue."
    return f"{said}."


_STEPS: dict[StepName, Callable[[Step, Split, Line], str]] = {
    StepName.AMO: _amo,
    StepName.TICKET_MODERATEUR: _ticket,
    StepName.AMC: _amc,
    StepName.PARTICIPATION: _participation,
    StepName.PATIENT: _patient,
}


def _of_ticket(step: Step, part: Part, _line: Line, contract: str) -> str:
    return f"{contract} rembourse {percent(part.rate)} du ticket modérateur : {_may_pay(step)}."


def _of_base_with_amo(step: Step, part: Part, _line: Line, contract: str) -> str:
    share = percent(part.rate)
    return f"{contract} rembourse jusqu'à {share} de la base, Assurance maladie comprise : {_may_pay(step)}."


def _of_base(step: Step, part: Part, _line: Line, contract: str) -> str:
    return f"{contract} rembourse {percent(part.rate)} de la base, en plus de l'Assurance maladie : {_may_pay(step)}."


def _of_expense_with_amo(step: Step, part: Part, _line: Line, contract: str) -> str:
    share = percent(part.rate)
    return f"{contract} rembourse jusqu'à {share} des frais réels, Assurance maladie comprise : {_may_pay(step)}."


def _by_article(step: Step, part: Part, line: Line, contract: str) -> str:
    times = f" par acte ou article, {line.quantity} fois" if line.quantity > 1 else ""
    return f"{contract} rembourse un forfait de {en_euros(part.amount_cents)}{times} : {_may_pay(step)}."


def _by_act(step: Step, part: Part, _line: Line, contract: str) -> str:
    a_year = f"{part.acts_a_year} acte{'s' if part.acts_a_year > 1 else ''} par an"
    left = f"il en reste {step.left}" if step.left else "il n'en reste plus"
    return f"{contract} rembourse {en_euros(part.amount_cents)} par acte, {a_year} ; {left} : {_may_pay(step)}."


def _by_year(step: Step, part: Part, _line: Line, contract: str) -> str:
    left = f"il en reste {en_euros(step.left)}" if step.left else "il n'en reste rien"
    return f"{contract} rembourse {en_euros(part.amount_cents)} par an ; {left} : {_may_pay(step)}."


def _of_basket(step: Step, _part: Part, line: Line, contract: str) -> str:
    limit = line.price_limit_cents
    within = f", dans la limite du prix réglementé de {en_euros(limit)}" if limit is not None else ""
    return f"{contract} rembourse tout le reste d'un panier 100 % Santé{within} : {_may_pay(step)}."


_SENTENCES: dict[Kind, Callable[[Step, Part, Line, str], str]] = {
    Kind.TM: _of_ticket,
    Kind.BR_INCL: _of_base_with_amo,
    Kind.BR_EXCL: _of_base,
    Kind.FR: _of_expense_with_amo,
    Kind.EUR: _by_article,
    Kind.EUR_ACT: _by_act,
    Kind.EUR_YEAR: _by_year,
    Kind.BASKET: _of_basket,
}


def _may_pay(step: Step) -> str:
    return f"il peut verser {en_euros(step.cents)}"


def percent(rate: Fraction) -> str:
    """3/2 → `"150 %"`, 133/200 → `"66,5 %"`; a rate that no percent of four decimals says stays a fraction."""
    return _percent(rate.numerator, rate.denominator)


@lru_cache(maxsize=RATES_CACHED)
def _percent(numerator: int, denominator: int) -> str:
    """Cached by the two integers: to hash a `Fraction` takes longer than all the rest."""
    ten_thousandths, rest = divmod(numerator * 1_000_000, denominator)
    if rest:
        return f"{numerator}/{denominator}"
    whole, decimals = divmod(ten_thousandths, 10_000)
    return f"{whole},{decimals:04d}".rstrip("0").rstrip(",") + "\u00a0%"
