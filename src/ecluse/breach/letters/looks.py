"""« Qui a consulté mes droits » : what an insurer tells a member about first looks at their rights, as data and in French.

From the feed of first looks (docs/patient.md) and the claims the insurer paid itself. Who looked is said by profession and place,
never by name: the feed has none. What is not known is said to be unknown. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Literal

import msgspec

from ecluse.breach.letters.address import is_minor
from ecluse.breach.letters.compose import Block, day
from ecluse.breach.letters.pack import UNKNOWN, Sender
from ecluse.breach.letters.words import phrases
from ecluse.breach.shown import letter_fields, whose_account
from ecluse.exposure.places import departement
from ecluse.exposure.shown import field_bits
from ecluse.formats.opening_list import Member, OpeningRow, Settled, opened_on
from ecluse.gate.allowance import opens
from ecluse.journal.entry import Entry
from ecluse.kernel.days import PARIS, S_US, instant, paris_day
from ecluse.kernel.errors import refusal

Paid = Literal["yes", "no", "not_yet", "unknown"]
Whole = Literal["told", "proved", "differs"]

SENDER_INCOMPLETE = refusal(
    "sender_incomplete",
    422,
    "A page cannot say whom to call",
    fix="State name, phone and dpo_contact in the file given to --sender.",
)

SHOWED = {
    "typed": "sans votre laissez-passer : votre numéro a été tapé",
    "pass": "avec votre laissez-passer",
    "live": "avec votre laissez-passer, montré sur place",
}
SHOWED_CHILD = {
    name: words.replace("votre laissez-passer", "son laissez-passer").replace("votre numéro", "son numéro")
    for name, words in SHOWED.items()
}
ASKED = {"rights_check": "une demande de droits", "claim": "une facture"}


class Look(msgspec.Struct, frozen=True):
    """A first look. `opening`: the id to answer "not me" with; `fields`: what was told, as the feed names it; `paid`: whether
    the insurer paid care of the same place within `paid_until`.
    """

    number: int
    opening: str
    at: datetime
    by: str
    profession: str
    practice: str
    departement: str
    operation: str
    presence: str
    fields: tuple[str, ...]
    paid: Paid
    paid_until: date


class Looked(msgspec.Struct, frozen=True):
    """A member and who looked, the newest first. `whole`: that none is missing is told by the feed, or proved by the journal."""

    reference: str
    member_number: str
    birth_date: str
    birth_rank: int
    child: bool
    since: datetime
    until: datetime
    looks: tuple[Look, ...]
    whole: Whole = "told"
    proved_until: datetime | None = None


def looked_at(
    rows: Iterable[OpeningRow], paid: Iterable[Settled] | None, until: datetime, within_days: int
) -> Iterator[Looked]:
    """Every member of the feed, in the order of their references; an opening that was told twice stands once.

    `paid` None: claims are not known. `until`: up to when the feed was read. Who was forgotten since is left out.
    """
    by_opening = {row.opening: row for row in rows}
    people: dict[str, list[OpeningRow]] = {}
    for row in by_opening.values():
        people.setdefault(row.reference, []).append(row)
    claims = None if paid is None else _days(paid)
    since = min((opened_on(row) for row in by_opening.values()), default=until)
    for reference in sorted(people):
        some = sorted(people[reference], key=lambda row: (row.opened_at, row.opening))
        first = some[0]
        if first.member_number == UNKNOWN:
            continue
        looks = [_look(number, row, claims, until, within_days) for number, row in enumerate(some, 1)]
        child = is_minor(first.birth_date, paris_day(until))
        who = (reference, first.member_number, first.birth_date, first.birth_rank, child)
        yield Looked(*who, since, until, tuple(looks[::-1]))


def against(found: Looked, entries: Sequence[Entry], from_us: int, to_us: int) -> Looked:
    """The same, held against all the journal proves about this person in a window: `proved` where both have the same looks.

    A first look is that of an account's earliest entry in the window, which must begin where the feed does.
    """
    firsts: dict[str, Entry] = {}
    for entry in sorted(entries, key=lambda each: each.ts_us):
        if opens(entry) and entry.person.hex() == found.reference:
            firsts.setdefault(entry.account, entry)
    proved = sorted((instant(each.ts_us).replace(microsecond=0), each.practice) for each in firsts.values())
    told = sorted((each.at, each.practice) for each in found.looks if from_us - S_US < _us(each.at) < to_us)
    covers = from_us <= _us(found.since)
    whole: Whole = "proved" if proved == told and covers else "differs"
    return msgspec.structs.replace(found, whole=whole, proved_until=instant(to_us))


def _us(at: datetime) -> int:
    return int(at.timestamp()) * S_US


def blocks(found: Looked, sender: Sender) -> tuple[Block, ...]:
    """The page. Raises `sender_incomplete`."""
    if not (sender.name and sender.phone and sender.dpo_contact):
        raise SENDER_INCOMPLETE()
    return tuple(_blocks(found, sender))


def title(found: Looked) -> str:
    """Its heading."""
    return "Qui a consulté les droits de votre enfant" if found.child else "Qui a consulté vos droits"


def _look(
    number: int, row: OpeningRow, claims: Mapping[tuple[Member, str], Sequence[date]] | None, until: datetime, days: int
) -> Look:
    at, place = opened_on(row), departement(row.practice)
    on = paris_day(at)
    last = on + timedelta(days=days)
    paid: Paid = "unknown"
    if claims is not None:
        member = (row.member_number, row.birth_date, row.birth_rank)
        if any(on <= each <= last for each in claims.get((member, row.practice), ())):
            paid = "yes"
        else:
            paid = "not_yet" if paris_day(until) <= last else "no"
    by, fields = whose_account(row.profession, place), tuple(row.fields.split())
    return Look(
        number,
        row.opening,
        at,
        by,
        row.profession,
        row.practice,
        place,
        row.operation,
        row.presence,
        fields,
        paid,
        last,
    )


def _days(paid: Iterable[Settled]) -> dict[tuple[Member, str], list[date]]:
    found: dict[tuple[Member, str], list[date]] = {}
    for each in paid:
        found.setdefault((each.member, each.practice), []).append(each.on)
    return found


def _blocks(found: Looked, sender: Sender) -> Iterator[Block]:
    whose = "aux droits de votre enfant" if found.child else "à vos droits"
    yield Block("p", (
        f"Voici chaque professionnel qui a eu accès {whose} pour la première fois, le plus récent d'abord.",
        "Les fois suivantes du même compte ne sont pas dans cette liste. Aucun nom n'y est : nous ne l'avons pas.",
    ))  # fmt: skip
    for each in found.looks:
        yield Block("h", (f"N° {each.number} : le {_when(each.at)}",))
        yield Block("ul", tuple(_lines(each, found.child)))
    yield Block("h", ("Depuis quand cette liste est tenue",))
    yield Block("p", tuple(_whole(found)))
    hours = f", {sender.hours}" if sender.hours else ""
    yield Block("h", ("Vous n'y étiez pas ?",))
    yield Block("p", (
        f"Appelez le {sender.phone}{hours}. Dites : « ce n'est pas moi », et le numéro de la ligne.",
        "Nous le transmettons. Cet accès comptera contre le compte qui l'a fait, même si son auteur s'explique ensuite.",
    ))  # fmt: skip
    yield Block("h", ("Fermer la recherche par numéro",))
    yield Block("p", tuple(_freeze(found, sender)))
    yield Block("h", ("Vos droits",))
    yield Block("p", (
        "Vous pouvez demander qui a reçu vos données : RGPD, article 15. Cette page y répond pour les droits du tiers payant.",
        f"Délégué à la protection des données : {sender.dpo_contact}.",
    ))  # fmt: skip


def _lines(look: Look, child: bool) -> Iterator[str]:
    yield f"Qui : {look.by}" + (f" (lieu n° {look.practice})" if look.practice else "")
    showed = (SHOWED_CHILD if child else SHOWED).get(look.presence, "on ne sait comment")
    yield f"Pour : {ASKED.get(look.operation, look.operation)}, {showed}"
    shown, _ = letter_fields(field_bits(look.fields))
    said = phrases(shown, child)
    yield "Ce qui a été dit : " + (", ".join(said) if said else "rien de plus que l'existence du contrat")
    yield (
        "Soin payé : "
        + {
            "yes": "oui, nous avons payé un soin de ce lieu dans les jours qui ont suivi",
            "no": f"non, nous n'avons payé aucun soin de ce lieu jusqu'au {day(look.paid_until)}",
            "not_yet": f"pas encore ; un soin peut être payé jusqu'au {day(look.paid_until)}",
            "unknown": "nous ne le savons pas ici",
        }[look.paid]
    )


def _whole(found: Looked) -> Iterator[str]:
    yield f"Elle va du {_when(found.since)} au {_when(found.until)}. Nous ne savons rien d'avant."
    yield {
        "told": "Chaque accès est écrit dans un journal avant que la réponse parte, et le journal nous l'annonce. "
        "Vous pouvez demander la preuve qu'il n'y en a pas d'autre.",
        "proved": "Nous avons vérifié la preuve tirée du journal : "
        f"il n'y a pas eu d'autre accès jusqu'au {_when(found.proved_until or found.until)}.",
        "differs": "La preuve tirée du journal ne dit pas la même chose que cette liste. Nous cherchons pourquoi : appelez-nous.",
    }[found.whole]


def _freeze(found: Looked, sender: Sender) -> Iterator[str]:
    whose = "les droits de votre enfant" if found.child else "vos droits"
    yield f"Vous pouvez demander que personne ne trouve {whose} en tapant un numéro. Appelez le {sender.phone}."
    yield "Il faut alors montrer le laissez-passer chez chaque professionnel. Les soins et le contrat ne changent pas."
    yield "Un appel suffit pour revenir en arrière."


def _when(at: datetime) -> str:
    local = at.astimezone(PARIS)
    return f"{day(local.date())} à {local:%H h %M}"
