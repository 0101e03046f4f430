"""The facts of an incident: only known names are taken; a value is checked where it is used, and refused by name. Pure.

The vocabulary is that of `ecluse breach assess`, `dora` and `clocks`, what an incident says beside it (`Own`), and the
question the exposure asks, which grows as facts arrive.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from ecluse.breach.dora.incident import Dora
from ecluse.breach.facts import BAD_FACTS, Count, Facts, Instant, Sent, Short, convert
from ecluse.breach.times import Times
from ecluse.kernel.patterns import END

TEXT_MAX = 4_000
Text = Annotated[str, Meta(min_length=1, max_length=TEXT_MAX)]
Texts = Annotated[tuple[Text, ...], Meta(max_length=20)]
Siren = Annotated[str, Meta(pattern=f"^[0-9]{{9}}{END}")]
VALUE_BYTES_MAX = 24 * 1024  # a fact is one entry of the journal, of 64 KiB at most
ASIDE = (
    "clock",
    "letter",
    "cnil_band",
    "mfa",
    "logging",
    "role",
)  # of `assess`: no facts of an incident, or said by the party
TIMED = ("now", "role", "done", "reasons")  # of `clocks`: said by events


class Professional(Sent, frozen=True):
    """A professional whose own data were exposed: a victim too, who is told by the hub. `fields`: RIB, SIRET, contact…"""

    account: Short
    fields: Annotated[tuple[Short, ...], Meta(max_length=20)] = ()
    practice: Short = ""


class Informed(Sent, frozen=True):
    """Whether persons are told (CNIL's four answers), when, how many, by what means, or the exemption of GDPR 34(3)."""

    state: Literal["yes", "will", "no", "undetermined"]
    at: Instant | None = None
    persons: Count | None = None
    means: Text | None = None
    ground: Text | None = None


class Card(Sent, frozen=True, kw_only=True):
    """What stays the same of an organisation from one incident to the next, and its forms ask each time; said once, in a file."""

    organisation: Short | None = None
    siren: Siren | None = None
    sector: Short | None = None
    size: Short | None = None
    lei: Short | None = None
    hub_name: Short | None = None
    dpo_contact: Short | None = None
    contact: Short | None = None
    phone: Short | None = None
    measures_before: Texts | None = None


class Carded(Sent, frozen=True):
    """The card of a party, as a fact of an incident: what was stated one by one stands before it."""

    card: Card | None = None


class Own(Card, frozen=True, kw_only=True):
    """What an incident says beside the facts it is judged by. Lists of French sentences, unless said otherwise."""

    complaint_reference: Short | None = None
    description: Text | None = None
    earlier_reference: Short | None = None
    established: bool | None = None
    origin: Text | None = None
    records: Count | None = None
    ended: Instant | None = None
    measures_taken: Texts | None = None
    measures_planned: Texts | None = None
    measures_for_person: Texts | None = None
    likely_consequences: Texts | None = None
    persons_informed: Informed | None = None
    other_authorities: Texts | None = None
    dora_fields: Annotated[dict[str, Any], Meta(max_length=76)] | None = None
    professionals: Annotated[tuple[Professional, ...], Meta(max_length=200)] | None = None


class Asked(Sent, frozen=True, kw_only=True):
    """What the exposure is asked, where it is no longer what the incident was opened with."""

    accounts: tuple[str, ...] | None = None
    start: str | None = msgspec.field(default=None, name="from")
    end: str | None = msgspec.field(default=None, name="to")
    insurers: tuple[str, ...] | None = None
    sessions: tuple[str, ...] | None = None
    networks: tuple[str, ...] | None = None


def _names(kind: type[Sent], without: tuple[str, ...] = ()) -> frozenset[str]:
    return frozenset(kind.__struct_encode_fields__) - set(without)


ASKED = _names(Asked)
CARDED = _names(Carded)
# What reads a fact → the names it reads.
READERS: dict[type[Sent], frozenset[str]] = {
    Facts: _names(Facts, ASIDE),
    Dora: _names(Dora, ("report",)),
    Times: _names(Times, TIMED),
    Own: _names(Own),
    Carded: CARDED,
    Asked: ASKED,
}
NAMES = frozenset().union(*READERS.values())


def read_fact(name: str, value: Any, insurer: str) -> Any:
    """The value, once everything that would read it can. Raises `facts_invalid`."""
    if name not in NAMES:
        raise BAD_FACTS(f"{name[:60]!a} is no fact", pointer="/name", fix="docs/breach.md lists the names of facts.")
    if insurer and name in ASKED:
        raise BAD_FACTS(f"{name} is asked for everybody", pointer="/insurer", fix="Leave --insurer out.")
    if len(msgspec.json.encode(value)) > VALUE_BYTES_MAX:
        raise BAD_FACTS(f"more than {VALUE_BYTES_MAX} bytes", pointer="/value", fix="Say it in fewer words.")
    if value is not None:
        for kind, names in READERS.items():
            if name in names:
                convert({**_needed(kind), name: value}, kind)
    return value


def _needed(kind: type[Sent]) -> dict[str, Any]:
    """What a reader cannot do without, so that one fact can be tried alone."""
    return {"aware": "2024-01-01T00:00:00Z"} if kind is Times else {}
