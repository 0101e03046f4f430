"""The price of a claim's lines: each shared out between the AMO, the contracts by priority, and the patient. Pure.

Guarantees that count are kept in accounts (`accounts`): `spans` names what must be known of them before, and `price` says
what each line adds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date

import msgspec

from ecluse.claims.claim import Billed, Paid, Priced, Use
from ecluse.coverage.accounts import Book, Kept, Span, Spans, account_name, span_of
from ecluse.coverage.compute import REFERENCES, Split, StepName, compute, obligatory_cents, others_cents
from ecluse.coverage.facts import Basket, Exemption, Pathway
from ecluse.coverage.guarantee import NONE
from ecluse.coverage.line import Line, Used, read_line
from ecluse.coverage.notation import parse
from ecluse.coverage.product import Product, Row
from ecluse.coverage.waterfall import Turn, sentences
from ecluse.kernel.money import en_euros
from ecluse.rights.model import Covered, Domain
from ecluse.rules.book import RuleBook

FLAT_SHARE = "actes_lourds/participation"
LOWERED_BY = "parcours_de_soins/majoration"
PRICE_LIMIT = "cent_pour_cent_sante/aide_auditive_prix_limite"
PRICE_LIMIT_YOUNG = "cent_pour_cent_sante/aide_auditive_prix_limite_moins_de_20_ans"
HEARING_AIDS, ADULT_YEARS = ("PAU", "AUD1"), 20  # whom the two prices tell apart: base_tariffs/aide_auditive_*


class Payer(msgspec.Struct, frozen=True):
    """A contract and the guarantee table it promised."""

    covered: Covered
    product: Product


Payers = Callable[[date], Sequence[Payer]]  # who pays for care of that day, first payer first


def priceable(billed: Billed, index: int, book: RuleBook) -> Line:
    """The line as the computation takes it; `index` leads to it in the request. Raises `line_invalid`, `rate_invalid`."""
    line = _read(billed, f"/lines/{index}")
    return msgspec.structs.replace(
        line,
        price_limit_cents=_price_limit_cents(billed, book),
        flat_share_cents=_flat_share_cents(billed, book),
        majoration_cents=_majoration_cents(billed, line, book),
    )


def _read(billed: Billed, pointer: str) -> Line:
    return read_line(
        billed.expense_cents,
        billed.base_cents,
        billed.amo_rate,
        billed.quantity,
        billed.participation_cents or 0,
        other_amc_cents=billed.other_amc_cents or 0,
        pointer=pointer,
    )


def _flat_share_cents(billed: Billed, book: RuleBook) -> int:
    """What a heavy act leaves in the place of the ticket modérateur (article R160-16 du code de la sécurité sociale)."""
    rule = book.find(billed.date, FLAT_SHARE) if billed.exemption is Exemption.HEAVY_ACT else None
    return rule.cents if rule else 0


def _majoration_cents(billed: Billed, line: Line, book: RuleBook) -> int:
    """What the AMO pays less outside the pathway (article L162-5-3 du code de la sécurité sociale)."""
    rule = book.find(billed.date, LOWERED_BY) if billed.pathway is Pathway.OUTSIDE else None
    if rule is None or line.amo_rate + rule.rate > 1:
        return 0
    inside = msgspec.structs.replace(line, amo_rate=line.amo_rate + rule.rate)
    return obligatory_cents(inside)[0] - obligatory_cents(line)[0]


def _price_limit_cents(billed: Billed, book: RuleBook) -> int | None:
    """The regulated price of hearing aids without rest, for the whole line; no other basket has its prices in the book."""
    if billed.basket is not Basket.NO_REST or billed.act not in HEARING_AIDS or billed.age_years is None:
        return None
    rule = book.find(billed.date, PRICE_LIMIT if billed.age_years >= ADULT_YEARS else PRICE_LIMIT_YOUNG)
    return rule.cents * billed.quantity if rule else None


def spans(domain: Domain, lines: Sequence[Billed], payers: Payers) -> Spans:
    """All that pricing these lines reads of accounts."""
    found: dict[str, Span] = {}
    for billed in lines:
        for payer in payers(billed.date):
            row = payer.product.find(domain, billed.act, billed.date, billed, payer.covered.since).row
            for _, name, (first, last) in _accounts(payer, row, billed):
                before = found.get(name, (first, last))
                found[name] = min(first, before[0]), max(last, before[1])
    return found


def price(domain: Domain, lines: Sequence[tuple[Billed, Line]], payers: Payers, kept: Kept) -> tuple[Priced, ...]:
    """Share out the lines in their order; what one uses of an account is no longer there for the next."""
    book = Book(kept)
    return tuple(_price_line(domain, billed, line, payers(billed.date), book) for billed, line in lines)


def _price_line(domain: Domain, billed: Billed, line: Line, payers: Sequence[Payer], book: Book) -> Priced:
    """One contract after the other: each pays on what those before it leave, and sees what they have used."""
    amo, _ = obligatory_cents(line)
    amc, paid = 0, []
    for payer in payers:
        share = _share(domain, billed, line, payer, book, amc)
        amc += share.amc_cents
        paid.append(share)
    left = line.expense_cents - amo - others_cents(line, amo) - amc
    return Priced(billed, amo, amc, left, tuple(paid), line.flat_share_cents, line.price_limit_cents)


def _share(domain: Domain, billed: Billed, line: Line, payer: Payer, book: Book, before_cents: int) -> Paid:
    covered, product = payer.covered, payer.product
    found = product.find(domain, billed.act, billed.date, billed, covered.since)
    used, names = {}, {}
    for account, name, span in _accounts(payer, found.row, billed):
        used[account], names[account] = book.used(name, account, span, billed.date), name
    if line.majoration_cents and not product.responsible:
        line = msgspec.structs.replace(line, majoration_cents=0)
    split = compute(line, found.row.parsed if found.row else NONE, used, before_cents)
    for account, added in split.consumed.items():
        book.add(names[account], billed.date, added)
    return Paid(
        contract=covered.contract,
        member_number=covered.member_number,
        product=covered.product,
        version=covered.product_version,
        guarantee=found.row.guarantee if found.row else "NONE",
        amc_cents=split.amc_cents,
        uses=tuple(_use(account, names[account], billed.date, used[account], split) for account in sorted(names)),
        majoration_cents=line.majoration_cents,
        waits=tuple((row.label, opens_on) for row, opens_on in found.waiting),
    )


def _use(account: str, name: str, day: date, used: Used, split: Split) -> Use:
    added = split.consumed.get(account, Used())
    return Use(account, name, day, used.acts, used.cents, added.acts, added.cents)


def _accounts(payer: Payer, row: Row | None, billed: Billed) -> Iterator[tuple[str, str, Span]]:
    """Account, name and span of each account that a row counts in."""
    if row is None:
        return
    for account in row.parsed.accounts:
        name = account_name(payer.covered, row, account, billed.side)
        yield account, name, span_of(account, payer.product, payer.covered, billed.date)


def consumption(lines: Sequence[Priced]) -> dict[tuple[str, date], Used]:
    """What priced lines added to each account on each day: what a cancellation gives back."""
    added: dict[tuple[str, date], Used] = {}
    for line in lines:
        for paid in line.paid:
            for use in paid.spent:
                if use.acts or use.cents:
                    before = added.get((use.name, use.day), Used())
                    added[use.name, use.day] = before + Used(use.acts, use.cents)
    return added


def reasons(priced: Priced) -> list[str]:
    """Why the line is shared out so, in French, for the patient; computed again from what the claim remembers."""
    return sentences(turns(priced))


def turns(priced: Priced) -> list[Turn]:
    """Each contract's turn at the line, computed again; one with no guarantee where there was no contract."""
    if not priced.paid:
        line = _remembered(priced, 0)
        return [Turn(line, NONE, compute(line, NONE))]
    found, before = [], 0
    for paid in priced.paid:
        line, guarantee = _remembered(priced, paid.majoration_cents), parse(paid.guarantee)
        used = {use.account: Used(use.used_acts, use.used_cents) for use in paid.spent}
        waiting = tuple(_waiting(label, opens_on) for label, opens_on in paid.waits)
        found.append(Turn(line, guarantee, compute(line, guarantee, used, before), waiting))
        before += paid.amc_cents
    return found


def _remembered(priced: Priced, majoration_cents: int) -> Line:
    return msgspec.structs.replace(
        _read(priced.billed, "/lines/0"),
        price_limit_cents=priced.price_limit_cents,
        flat_share_cents=priced.flat_share_cents,
        majoration_cents=majoration_cents,
    )


def _waiting(label: str, opens_on: date) -> str:
    opens = f"La garantie «\u00a0{label}\u00a0» ne s'ouvre que le {opens_on:%d/%m/%Y}, à la fin du délai d'attente"
    return f"{opens}\u00a0: d'ici là, elle verse {en_euros(0)} ({REFERENCES[StepName.CEILING]})."
