"""What can happen to an incident, each with who did it; instants are microseconds, UTC. The journal keeps these as they are."""

from __future__ import annotations

from typing import Any

import msgspec

from ecluse.exposure.question import Question

HUB = ""  # the party that is no insurer: the hub, processor of all of them


class Part(msgspec.Struct, frozen=True, array_like=True):
    """What the exposure says of one insurer, in short: people referenced (null: unknown), reachable, displayed at least and at
    most, displays, the union of the fields that left as bits, and people by what explains them.
    """

    insurer: str
    referenced: int | None
    reachable: int | None
    at_least: int
    at_most: int
    times: int
    fields: int
    present: int
    billed: int
    unexplained: int


class Opened(msgspec.Struct, frozen=True, tag="opened", kw_only=True):
    """Somebody saw something: which accounts, between when, and how it was found. `found_us`: when the hub was aware."""

    by: str
    question: Question
    found_us: int
    how_found: str


class FactAdded(msgspec.Struct, frozen=True, tag="fact_added", kw_only=True):
    """A fact became known at `known_us`; null: no longer known. `insurer` empty: of everybody."""

    by: str
    name: str
    value: Any
    known_us: int
    insurer: str = HUB
    source: str = ""


class Scoped(msgspec.Struct, frozen=True, tag="scoped", kw_only=True):
    """The exposure was asked: its id, the SHA-256 of its answer as kept, its instant, each insurer's part, lists shown."""

    by: str
    question: Question
    exposure_id: str
    sha256: str
    as_of_us: int
    lists_shown: int
    lost: int
    parts: tuple[Part, ...]


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """What a person decided. `persons` null: still open. `motive`: why, where it is not what the rules say.

    `controllers`: a processor tells each insurer; its own `authority` and `persons` are about data of which it is the controller.
    """

    register: bool
    authority: bool
    persons: bool | None
    controllers: bool = False
    motive: str = ""


class Decided(msgspec.Struct, frozen=True, tag="decided", kw_only=True):
    """One party's decision, signed by `by`: what rules answered on what was known at event number `knew`, and what was signed.

    `on_scope`: the event whose scope it was knowingly decided on, whatever was known since; 0: on the scope of that time.
    """

    by: str
    insurer: str
    knew: int
    signed: Signed
    answer: dict[str, Any]
    dora: dict[str, Any] | None = None
    on_scope: int = 0


class Notified(msgspec.Struct, frozen=True, tag="notified", kw_only=True):
    """Something was sent, outside the hub: which deadline it meets, when, the receipt's reference, why late."""

    by: str
    deadline: str
    at_us: int
    insurer: str = HUB
    reference: str = ""
    reasons: str = ""


class Packed(msgspec.Struct, frozen=True, tag="packed", kw_only=True):
    """An insurer's pack of a version was made: the SHA-256 of its list of files, and how many people are in it."""

    by: str
    insurer: str
    version: int
    sha256: str
    people: int


class EvidenceMade(msgspec.Struct, frozen=True, tag="evidence_made", kw_only=True):
    """Evidence was handed over: how many entries are proved in it, for whom it was made."""

    by: str
    version: int
    made_for: str
    entries: int


class Closed(msgspec.Struct, frozen=True, tag="closed", kw_only=True):
    """Nothing more is to be done, as far as is known."""

    by: str
    reason: str


class Reopened(msgspec.Struct, frozen=True, tag="reopened", kw_only=True):
    """It was closed too early."""

    by: str
    reason: str


Event = Opened | FactAdded | Scoped | Decided | Notified | Packed | EvidenceMade | Closed | Reopened
CUSTODY = (Packed, EvidenceMade)  # what was handed over changes nothing of what is known or decided


class Happened(msgspec.Struct, frozen=True):
    """An event, its number in its incident from 1 on, and when it was recorded."""

    number: int
    at_us: int
    event: Event
