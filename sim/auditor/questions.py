"""Which questions of exposure a run asks: a few that let no single wrong entry through, and many at random.

The complete ones: everybody, the whole run; then everybody again, narrowed to those accounts, networks or sessions whose number
in a list has a certain bit. An entry under another account, network or session than the true one is then missed in one of these
questions at least, or seen in one too many, whichever the two are. The random ones have some accounts, a window, and at times
insurers, networks or sessions. A window begins and ends at instants when no exchange of the accounts that are asked about was
under way, so that every answer is wholly inside or outside.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from sim.auditor.told import Page, Record, Telling
from sim.seeds import chance, stream

ACCOUNTS_MAX = 1000  # in one question, as docs/exposure.md says
NARROWED = 500  # per mille of random questions narrowed to insurers, and so for networks and sessions
ALL: frozenset[str] = frozenset()  # not narrowed
AROUND_US = 1_000  # before the first exchange and after the last


@dataclass(frozen=True, slots=True)
class Question:
    """Who was shown what by these accounts, from `start_us` to before `end_us`; with `is_listed`, person by person."""

    name: str
    accounts: frozenset[str]
    start_us: int
    end_us: int
    insurers: frozenset[str] = ALL
    networks: frozenset[str] = ALL
    sessions: frozenset[str] = ALL
    is_listed: bool = True

    def asks(self, told: Telling | Page) -> bool:
        """Whether it asks about this account at that time."""
        return told.account in self.accounts and self.start_us <= told.sent_us and told.received_us <= self.end_us

    @property
    def is_narrowed(self) -> bool:
        """Whether it asks about more than accounts and a window."""
        return bool(self.insurers or self.networks or self.sessions)

    def holds(self, told: Telling) -> bool:
        """Whether it asks about this answer."""
        return (
            self.asks(told)
            and (not self.insurers or told.member.insurer in self.insurers)
            and (not self.networks or told.network in self.networks)
            and (not self.sessions or told.session in self.sessions)
        )


def questions(record: Record, seed: int, count: int) -> list[Question]:
    """The complete questions, and `count` at random."""
    draw = stream(seed, "exposure")
    drawn = [at_random(record, draw, number) for number in range(count)]
    return [*complete_questions(record), *(part for question in drawn for part in in_parts(question))]


def complete_questions(record: Record) -> list[Question]:
    """Everybody, the whole run; then by the bits of accounts, networks and sessions. The first has the lists."""
    whole = complete(record)
    return [part for question in (whole, *by_bits(record, whole)) for part in in_parts(question)]


def complete(record: Record) -> Question:
    """Everybody who was told something, the whole run."""
    accounts = {told.account for told in record.tellings} | {page.account for page in record.pages}
    first, last = span(record)
    return Question("everybody", frozenset(accounts), first, last)


def span(record: Record) -> tuple[int, int]:
    """From before the first answer until after the last."""
    return (
        min(told.sent_us for told in record.tellings) - AROUND_US,
        max(told.received_us for told in record.tellings) + AROUND_US,
    )


def by_bits(record: Record, whole: Question) -> Iterator[Question]:
    """For each bit of their numbers: the accounts, the networks and the sessions that have it. Counts only."""
    counted = replace(whole, is_listed=False)
    for bit, accounts in having_bits(sorted(whole.accounts)):
        yield replace(counted, name=f"accounts {bit}", accounts=accounts)
    for bit, networks in having_bits(sorted({told.network for told in record.tellings} - {""})):
        yield replace(counted, name=f"networks {bit}", networks=networks)
    for bit, sessions in having_bits(sorted({told.session for told in record.tellings} - {""})):
        yield replace(counted, name=f"sessions {bit}", sessions=sessions)


def having_bits(values: Sequence[str]) -> Iterator[tuple[int, frozenset[str]]]:
    """For each bit, the values whose number, from 1 on, has it: two values never are in the same questions."""
    for bit in range(len(values).bit_length()):
        yield bit, frozenset(value for number, value in enumerate(values, start=1) if number >> bit & 1)


def at_random(record: Record, draw: random.Random, number: int) -> Question:
    """Some accounts and a window of theirs; at times narrowed to insurers, networks and sessions."""
    everybody = sorted({told.account for told in record.tellings})
    size = max(1, int(len(everybody) ** draw.random()))  # one account as often as nearly all
    accounts = frozenset(draw.sample(everybody, size))
    own = [told for told in record.tellings if told.account in accounts]
    pages = [page for page in record.pages if page.account in accounts]
    quiet = quiet_instants([*own, *pages])
    start_us, end_us = sorted(draw.sample(quiet, 2))
    narrowed: dict[str, frozenset[str]] = {}
    for kind, values in (
        ("insurers", {told.member.insurer for told in own}),
        ("networks", {told.network for told in own} - {""}),
        ("sessions", {told.session for told in own} - {""}),
    ):
        if values and chance(draw, NARROWED):
            narrowed[kind] = frozenset(draw.sample(sorted(values), draw.randint(1, len(values))))
    return Question(
        f"random {number}", accounts, start_us, end_us,
        narrowed.get("insurers", ALL), narrowed.get("networks", ALL), narrowed.get("sessions", ALL),
    )  # fmt: skip


def quiet_instants(exchanges: Iterable[Telling | Page]) -> list[int]:
    """An instant before, one between, and one after exchanges that follow one another; never one inside."""
    instants: list[int] = []
    until = 0
    for sent, received in sorted((each.sent_us, each.received_us) for each in exchanges):
        if not instants:
            instants.append(sent - AROUND_US)
        elif sent > until + 1:
            instants.append((until + sent) // 2 + 1)
        until = max(until, received)
    return [*instants, until + AROUND_US]


def in_parts(question: Question) -> Iterator[Question]:
    """The same in as many questions as its accounts ask for."""
    accounts = sorted(question.accounts)
    for place in range(0, len(accounts), ACCOUNTS_MAX):
        yield replace(question, accounts=frozenset(accounts[place : place + ACCOUNTS_MAX]))
