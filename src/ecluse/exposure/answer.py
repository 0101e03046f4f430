"""Three counts after an incident, never one in the place of another: referenced, reachable, displayed. Pure.

People are counted by the reference of their insurer: somebody with two insurers is two, as each insurer informs its own. Counts
by field, day, account and département do not add up to the people: one person is shown several fields, on several days.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from ecluse.exposure.categories import CATEGORIES, category
from ecluse.exposure.gaps import Bounds, Loss, bounded
from ecluse.exposure.places import departement
from ecluse.exposure.question import Question
from ecluse.exposure.reach import reachable
from ecluse.exposure.shown import Shown, ToldSet, disclosures, field_names
from ecluse.kernel.days import instant

COUNTS = ("categories", "fields", "days", "accounts", "departements", "disclosures")  # those of `Displayed` by value

Spread = Mapping[str, Mapping[str, int]]  # insurer → value (a day, an account, a practice) → people displayed


class Displayed(msgspec.Struct, frozen=True):
    """People displayed; `times` counts entries of the journal. Counts by value are those the journal has (at least).

    `fields` counts people; `disclosures` the entries that told each field: told twice of one person, it is two.
    """

    people: Bounds
    times: int
    categories: dict[str, int]
    fields: dict[str, int]
    days: dict[str, int]
    accounts: dict[str, int]
    departements: dict[str, int]
    disclosures: dict[str, int] = {}  # none in an answer kept from before they were counted


class InsurerExposure(msgspec.Struct, frozen=True):
    """One insurer's part. `referenced` is null when no member file was loaded by then, as far as the hub knows."""

    insurer: str
    referenced: int | None
    reachable: int | None
    displayed: Displayed


class ReadTo(msgspec.Struct, frozen=True):
    """How far the journal was read: the entries of one shard."""

    shard: str
    entries: int


class ListWritten(msgspec.Struct, frozen=True):
    """The list of one insurer. `files`: SHA-256 by name, none without a public key; `unknown`: people forgotten since."""

    insurer: str
    members: int
    unknown: int
    recipient: str
    files: dict[str, str]

    def outcome(self, name: str) -> str:
        """What the journal says of one of its files."""
        return f"{name} {self.files[name]} {self.members} people"


class ProofsWritten(msgspec.Struct, frozen=True):
    """How many of an insurer's entries are proved; `file`: the encrypted archive that it gets of them, if it gets one."""

    insurer: str
    entries: int
    file: str


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """The answer. `lists_shown`: how often lists of the practices' own claims were shown, which name nobody.

    `never_met`: accounts this hub never met, whose names may be wrong: that they showed nobody says nothing of anybody's login.
    `lists`: what was written for each insurer with people displayed, when that was asked for; `proofs` the same.
    """

    exposure_id: str
    accounts: tuple[str, ...]
    since: datetime = msgspec.field(name="from")
    until: datetime = msgspec.field(name="to")
    narrowed_to_insurers: tuple[str, ...]
    sessions: tuple[str, ...]
    networks: tuple[str, ...]
    read_to: tuple[ReadTo, ...]
    gaps: tuple[Loss, ...]
    billed_within_days: int
    referenced: int
    reachable: int
    displayed: Displayed
    lists_shown: int
    insurers: tuple[InsurerExposure, ...]
    lists: tuple[ListWritten, ...] = ()
    proofs: tuple[ProofsWritten, ...] = ()
    never_met: tuple[str, ...] = ()

    @property
    def outcome(self) -> str:
        """What the journal says of the answer."""
        people = self.displayed.people
        return f"{people.at_least} to {people.at_most} people displayed by {len(self.accounts)} accounts"


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What was found, before it is counted. `told`: by insurer, how often which set of fields."""

    shown: Sequence[Shown]
    told: Mapping[str, Sequence[ToldSet]]
    days: Spread
    accounts: Spread
    practices: Spread
    lists_shown: int
    losses: tuple[Loss, ...]
    referenced: Mapping[str, int]
    within_reach: int | None  # by the allowance, of all insurers; none where its caps are not known
    read_to: tuple[ReadTo, ...]
    billed_within_days: int


def answer(id_: str, question: Question, found: Evidence) -> Exposure:
    """The exposure: its whole, and each insurer's part in the order of their numbers."""
    by_insurer: dict[str, list[Shown]] = {}
    for each in found.shown:
        by_insurer.setdefault(each.insurer, []).append(each)
    shown = {insurer: len(people) for insurer, people in by_insurer.items()}
    could = reachable(found.referenced, shown, found.within_reach)
    whole = sum(could.values()) if found.within_reach is None else max(found.within_reach, len(found.shown))
    parts = tuple(
        InsurerExposure(
            insurer,
            found.referenced.get(insurer),
            could.get(insurer),
            _displayed(by_insurer.get(insurer, []), found, insurer),
        )
        for insurer in sorted({*by_insurer, *found.referenced})
    )
    return Exposure(
        exposure_id=id_,
        accounts=question.accounts,
        since=instant(question.start_ts_us),
        until=instant(question.end_ts_us),
        narrowed_to_insurers=question.insurers,
        sessions=question.sessions,
        networks=question.networks,
        read_to=found.read_to,
        gaps=found.losses,
        billed_within_days=found.billed_within_days,
        referenced=sum(found.referenced.values()),
        reachable=min(whole, sum(could.values())),
        displayed=_whole([part.displayed for part in parts], found.losses),
        lists_shown=found.lists_shown,
        insurers=parts,
    )


def own_part(exposure: Exposure, insurer: str) -> Exposure:
    """The same answer as one insurer may see it: its own members and nothing of the others."""
    own = tuple(part for part in exposure.insurers if part.insurer == insurer)
    return msgspec.structs.replace(
        exposure,
        narrowed_to_insurers=(insurer,),
        referenced=sum(part.referenced or 0 for part in own),
        reachable=sum(part.reachable or 0 for part in own),
        displayed=_whole([part.displayed for part in own], exposure.gaps),
        lists_shown=0,
        insurers=own,
        lists=tuple(each for each in exposure.lists if each.insurer == insurer),
        proofs=tuple(each for each in exposure.proofs if each.insurer == insurer),
    )


def _displayed(shown: Sequence[Shown], found: Evidence, insurer: str) -> Displayed:
    kinds, fields, bits = Counter(map(category, shown)), Counter[str](), Counter(each.fields for each in shown)
    for union, people in bits.items():
        fields.update(dict.fromkeys(field_names(union), people))
    practices = found.practices.get(insurer, {})
    places = Counter[str]()
    for practice, people in practices.items():
        places[departement(practice)] += people
    return Displayed(
        bounded(len(shown), found.losses),
        sum(each.times for each in shown),
        {name: kinds[name] for name in CATEGORIES},
        _most_first(fields),
        dict(sorted(found.days.get(insurer, {}).items())),
        _most_first(found.accounts.get(insurer, {})),
        _most_first(places),
        _most_first(disclosures(found.told.get(insurer, ()))),
    )


def _whole(parts: Sequence[Displayed], losses: Iterable[Loss]) -> Displayed:
    """Parts added up: a person is one insurer's, so people of several insurers add; what was lost is lost once."""
    added = {name: Counter[str]() for name in COUNTS}
    for part in parts:
        for name, counter in added.items():
            counter.update(getattr(part, name))
    sums: dict[str, Any] = {name: _most_first(counter) for name, counter in added.items()}
    sums["categories"] = {name: added["categories"][name] for name in CATEGORIES}
    sums["days"] = dict(sorted(added["days"].items()))
    return Displayed(
        bounded(sum(part.people.at_least for part in parts), losses), sum(part.times for part in parts), **sums
    )


def _most_first(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda each: (-each[1], each[0])))
