"""Why a line is shared out as it is, in sentences a patient understands, each with its amount and its article.

Sentences are made on demand only: a split keeps its steps as numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache

from ecluse.coverage.compute import REFERENCES, Split, Step, StepName
from ecluse.coverage.guarantee import Bound, Kind, Limit, Part, months_of
from ecluse.coverage.line import Line
from ecluse.kernel.money import RATES_CACHED, en_euros

YOURS = "Votre contrat"


def because(split: Split, line: Line, contract: str = YOURS) -> list[str]:
    """The sentences for one split of `line`, in the order of the steps; `contract` is how the contract is called."""
    sentences = []
    named = contract
    for step in split.steps:
        if step.name is StepName.CEILING and step.limit is None:
            assert step.part is not None
            sentences.append(_SENTENCES[step.part.kind](step, step.part, line, named))
            named = "Il"
        elif step.limit is not None:
            sentences.append(_limit(step, step.limit, line))
        elif said := _STEPS[step.name](step, split, line):
            sentences.append(said)
    return sentences


def _cited(said: str, step: Step) -> str:
    return f"{said} ({REFERENCES[step.name]})."


def _amo(step: Step, _split: Split, line: Line) -> str:
    if not line.base_cents:
        return "Il n'y a pas de base de remboursement : l'Assurance maladie ne rembourse rien."
    said = f"L'Assurance maladie rembourse {percent(line.amo_rate)} de {en_euros(line.base_cents)}"
    if line.flat_share_cents:
        said += f", moins la participation forfaitaire de {en_euros(line.flat_share_cents)} sur les actes lourds"
    capped = ", sans dépasser la dépense" if step.cents == line.expense_cents < line.base_cents else ""
    return _cited(f"{said}{capped}, soit {en_euros(step.cents)}", step)


def _ticket(step: Step, _split: Split, line: Line) -> str:
    said = []
    if step.cents:
        ticket = f"Le ticket modérateur, part de la base que l'Assurance maladie laisse, est de {en_euros(step.cents)}"
        said.append(_cited(ticket, step))
    if line.expense_cents > line.base_cents > 0:
        said.append(f"La dépense dépasse la base de {en_euros(line.expense_cents - line.base_cents)}.")
    return " ".join(said)


def _majoration(step: Step, _split: Split, _line: Line) -> str:
    said = f"Hors du parcours de soins, l'Assurance maladie rembourse {en_euros(step.cents)} de moins"
    return _cited(f"{said}, qu'un contrat responsable ne rembourse pas", step)


def _amc(step: Step, split: Split, line: Line) -> str:
    ceilings = _ceilings(split)
    if not ceilings:
        return "Aucune garantie ne couvre cette ligne : la complémentaire ne verse rien."
    due = step.cents + split.patient_cents
    rest = f", sur les {en_euros(due)} qui restent à payer" if due else ", car il ne reste rien à payer"
    within = f" : jusqu'à {en_euros(sum(ceilings))} en tout" if len(ceilings) > 1 else ""
    return _cited(f"La complémentaire verse {en_euros(step.cents)}{rest}{within}", step)


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


def _participation(step: Step, _split: Split, _line: Line) -> str:
    if not step.cents:
        return ""
    kept = f"L'Assurance maladie retiendra {en_euros(step.cents)} de participation forfaitaire ou de franchise"
    return _cited(f"{kept}, qu'un contrat responsable ne rembourse pas", step)


def _patient(step: Step, split: Split, _line: Line) -> str:
    said = f"Il vous reste {en_euros(step.cents)} à payer"
    if split.participation_cents:
        return f"{said}, et {en_euros(step.cents + split.participation_cents)} en comptant cette retenue."
    return f"{said}."


_STEPS: dict[StepName, Callable[[Step, Split, Line], str]] = {
    StepName.AMO: _amo,
    StepName.TICKET_MODERATEUR: _ticket,
    StepName.MAJORATION: _majoration,
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


def _of_rest(step: Step, part: Part, _line: Line, contract: str) -> str:
    return f"{contract} rembourse {percent(part.rate)} de ce qui reste à payer : {_may_pay(step)}."


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
    Kind.REST: _of_rest,
    Kind.EUR: _by_article,
    Kind.EUR_ACT: _by_act,
    Kind.EUR_YEAR: _by_year,
    Kind.BASKET: _of_basket,
}


def _limit(step: Step, limit: Limit, line: Line) -> str:
    what = "Ce remboursement" if step.name is StepName.CEILING else "Le tout"
    return f"{what} est limité à {_BOUNDS[limit.bound](limit, line)}{_left(step, limit)} : {_may_pay(step)}."


def _in_euros(limit: Limit, line: Line) -> str:
    by_article = " par acte ou article" if not limit.period and line.quantity > 1 else ""
    return f"{en_euros(limit.amount_cents)}{by_article}{_period(limit)}"


def _in_euros_with_amo(limit: Limit, line: Line) -> str:
    return f"{_in_euros(limit, line)}, Assurance maladie comprise"


def _in_base(limit: Limit, _line: Line) -> str:
    return f"{percent(limit.rate)} de la base, Assurance maladie comprise"


def _in_acts(limit: Limit, _line: Line) -> str:
    return f"{limit.number} acte{'s' if limit.number > 1 else ''} ou article{'s' if limit.number > 1 else ''}{_period(limit)}"


_BOUNDS: dict[Bound, Callable[[Limit, Line], str]] = {
    Bound.EUR: _in_euros,
    Bound.EUR_INCL: _in_euros_with_amo,
    Bound.BR_INCL: _in_base,
    Bound.ACTS: _in_acts,
}


def _period(limit: Limit) -> str:
    if not limit.period:
        return ""
    months = months_of(limit.account)
    return f" sur {months} mois" if months else " par an"


def _left(step: Step, limit: Limit) -> str:
    if step.left is None:
        return ""
    if not step.left:
        return " ; il n'en reste plus"
    return f" ; il en reste {step.left if limit.bound is Bound.ACTS else en_euros(step.left)}"


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
