"""The gate around data: nobody reads without an `Admission`, nothing leaves without being `Released`.

1. `admit`: the account is allowed to ask this, now → `Admission`, which every reading method of a store demands.
2. A pure function answers; the answer and the exact fields it holds are a `Disclosure`, which no door can serialise.
3. `release`: the opening is counted and within the account's allowance, the journal entry is durable, and only then →
   `Released`, the only thing about a person doors turn into bytes.
If the journal fails there is no answer: the gate fails closed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from ecluse.app.allowance import Allowance
from ecluse.app.ports import Clock, Keys, Log, Mark, Pseudonyms, RightsStore
from ecluse.app.ports.allowances import Ask
from ecluse.app.ports.containments import Containments, Name
from ecluse.app.tries import Tries
from ecluse.gate.admission import Admission, Person, Request
from ecluse.gate.allowance import ALLOWANCE_SPENT, BY_CARD
from ecluse.gate.challenge import INSUFFICIENT, Challenged
from ecluse.gate.containment import PROOF_S_MAX, STEP_UP_REQUIRED, Containment, Kind, Verdict, allows
from ecluse.gate.disclosure import Overtold, fields_of, overtold
from ecluse.gate.fleet import places
from ecluse.gate.identity import permit
from ecluse.gate.presence import Presence
from ecluse.gate.sensing import Question, device_class
from ecluse.gate.signals import Step
from ecluse.journal.entry import FORMAT, Entry, Operation, encode
from ecluse.journal.member import Member, decode_member, encode_member, member_about
from ecluse.kernel.days import S_US
from ecluse.rights.model import Engagement

Answer = TypeVar("Answer")

LOG = logging.getLogger(__name__)

BATCH_MAX = 512  # entries in one sync: bounds what one slow sync delays
REFUSED_MAX = 60  # refusals in an hour, past which nobody is looked for: no desk asks on about so many new people


class Disclosure(Generic[Answer]):
    """An answer not yet in the journal. It is not a msgspec type on purpose: encoding it raises `TypeError`.

    `told_as`: the id the asker is told, where it is not that of the request: a claim sent again is the claim it was.
    `sealed`: what the journal keeps of the answer under the person's key, where no store keeps it.
    `who`: the member that the reference `person` stands for, where it is at hand.
    """

    __slots__ = ("_answer", "engagement", "fields", "insurer", "outcome", "person", "sealed", "told_as", "who")

    def __init__(
        self,
        answer: Answer,
        outcome: str,
        *,
        insurer: str = "",
        person: bytes = b"",
        engagement: Engagement | None = None,
        told_as: str = "",
        sealed: bytes = b"",
        who: Member | None = None,
    ) -> None:
        self._answer = answer
        self.fields = fields_of(answer)
        self.outcome = outcome
        self.insurer = insurer
        self.person = person
        self.engagement = engagement
        self.told_as = told_as
        self.sealed = sealed
        self.who = who


class Released(Generic[Answer]):
    """An answer whose trace is on disk. Made by `Desk.release` only."""

    __slots__ = ("answer",)

    def __init__(self, answer: Answer) -> None:
        self.answer = answer


class _Waiting(NamedTuple):
    """What waits for the next sync: an entry and its bytes, what is counted before it, and who is told when it is durable."""

    entry: Entry | None
    encoded: bytes
    ask: Ask | None
    done: asyncio.Future[str]


class Desk:
    """Admits questions and releases answers; entries that wait for the disk are synced together (group commit)."""

    def __init__(
        self,
        clock: Clock,
        keys: Keys,
        log: Log,
        rights: RightsStore,
        allowance: Allowance,
        containments: Containments,
    ) -> None:
        self._clock = clock
        self._containments = containments
        self._allowance = allowance
        self._keys = keys
        self._log = log
        self._rights = rights
        self._refused = Tries()
        self._unasked = 0  # said once, and again when there are more
        self._waiting: list[_Waiting] = []
        self._syncing: asyncio.Task[None] | None = None
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="journal")

    def close(self) -> None:
        """Wait for the sync under way; what still waits was never answered."""
        self._disk.shutdown()

    async def ready(self) -> None:
        """Raise if nothing could be released now, as far as can be told without writing."""
        self._log.ready()

    async def look_up(self, insurer: str, message: bytes) -> Pseudonyms:
        """Who `message` means, by the index key: the only way to it in the whole application, and counted.

        Raises `keys_rate_limited`, `keys_unreachable`.
        """
        tally = self._keys.tally
        tally.ask()
        meant = await self._keys.pseudonym(insurer, message)
        totals = tally.here()
        if totals.computed - totals.asked > self._unasked:
            self._unasked = totals.computed - totals.asked
            LOG.error("keys_alarm: %d pseudonyms computed that no desk asked for", self._unasked)
        return meant

    def admit(
        self,
        asked: Request,
        scope: str,
        operation: Operation,
        about: Person | str,
        presence: Presence = Presence.TYPED,
        domain: str = "",
    ) -> Admission:
        """Admit one question.

        Raises `forbidden`, and where something it touches is contained `presence_required`, `step_up_required`,
        `account_quarantined`, `questions_closed`; `allowance_spent` for those who go on asking by the card once it is.
        """
        permit(asked.account, scope)
        is_slowed = False
        if limits := self._containments.limits():
            is_slowed = _held_to(limits, asked, about, presence, domain)
        is_typed = isinstance(about, Person) and presence is Presence.TYPED
        if is_typed and self._refused.count(asked.account.sub) >= REFUSED_MAX:
            raise ALLOWANCE_SPENT()
        return Admission(asked, operation, about, presence, self._clock.now(), is_slowed=is_slowed)

    def hold_to_own(self, admission: Admission, made_by: str = "") -> None:
        """Let who was admitted see what an account of their practice made (empty: several, or it is not known which).

        Raises `step_up_required` where it is another's, and they are limited to that or below.
        """
        account = admission.asked.account
        login_us, state = account.auth_ts * S_US, self._containments.limits().get((Kind.ACCOUNT, account.sub))
        if state and made_by != account.sub and state.step_of(login_us) >= Step.STEP_UP:
            _hold(allows(state, Presence.TYPED, login_us))

    def is_pressed(self, admission: Admission) -> bool:
        """Whether this account is likely to be refused: it was just now, or it is slowed.

        Then it is counted first (`count`), and what only somebody who was found is worth is done after: the time of a refusal
        would tell who is covered, for nothing, as often as one likes.
        """
        is_refused = admission.is_slowed or self._refused.count(admission.asked.account.sub) > 0
        return is_refused and admission.presence is Presence.TYPED

    async def count(self, admission: Admission, person: bytes) -> None:
        """Count the opening of a person (nobody: empty) before something is kept that will tell of them, or worked out.

        Raises `allowance_spent`.
        """
        await self._write(None, _ask(admission, person, is_told=False))

    async def release(
        self, admission: Admission, disclosure: Disclosure[Answer], *, is_counted: bool = False
    ) -> Released[Answer]:
        """Count the disclosure and write it in the journal; returns when it is durable. `is_counted`: `count` told the watcher.

        Raises `allowance_spent`, the same whether there is somebody or not, and `journal_poisoned`. An answer that tells more
        than the disclosure table allows is a bug, `Overtold`: neither released nor journalled.
        """
        answer, fields = disclosure._answer, disclosure.fields
        if beyond := overtold(answer, fields, admission.operation, admission.presence, admission.day):
            raise Overtold(beyond)
        ask = _ask(admission, disclosure.person, is_told=is_counted)
        await self._write(self._entry(admission, disclosure), ask)
        return Released(answer)

    async def record(self, entry: Entry) -> None:
        """Append one entry; returns when it is durable, and the engagement it holds is kept."""
        await self._write(entry, None)

    async def _write(self, entry: Entry | None, ask: Ask | None) -> None:
        """Raises `allowance_spent`, once settled claims were looked for that give room."""
        if entry is None and ask is None:
            return
        refused = await self._queued(entry, ask)
        if refused and ask and await self._allowance.look_again(ask.account):
            refused = await self._queued(entry, ask)
        if refused and ask:
            self._refused.note(ask.account)
            raise ALLOWANCE_SPENT()

    async def _queued(self, entry: Entry | None, ask: Ask | None) -> str:
        """Which cap refused it, empty where none did. An entry that cannot be written fails here, and nobody with it."""
        encoded = encode(entry) if entry else b""
        done: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(entry, encoded, ask, done))
        if self._syncing is None:
            self._syncing = asyncio.create_task(self._sync_all())
        return await done

    async def _sync_all(self) -> None:
        try:
            await asyncio.sleep(0)  # let the other requests of this turn of the loop join the batch
            while self._waiting:
                batch, self._waiting = self._waiting[:BATCH_MAX], self._waiting[BATCH_MAX:]
                await self._sync(batch)
        finally:
            self._syncing = None

    async def _sync(self, batch: list[_Waiting]) -> None:
        failed: Exception | None = None
        refused: list[str] = [""] * len(batch)
        try:
            asks, encoded = [each.ask for each in batch], [each.encoded for each in batch]
            run = asyncio.get_running_loop().run_in_executor
            refused, mark = await run(self._disk, self._taken, asks, encoded)
            if mark:
                kept = [each.entry for each, no in zip(batch, refused, strict=True) if each.entry and not no]
                self._rights.keep(kept, mark)
        except Exception as broken:  # noqa: BLE001 - not swallowed: every caller of the batch gets it
            failed = broken
        for each, no in zip(batch, refused, strict=True):
            if not each.done.done():
                each.done.set_exception(failed) if failed else each.done.set_result(no)

    def _taken(self, asks: list[Ask | None], encoded: list[bytes]) -> tuple[list[str], Mark | None]:
        """Count a batch, then append what was not refused; in the journal's thread. Counted first: a crash forgives nothing."""
        refused = self._allowance.take(asks)
        allowed = [each for each, no in zip(encoded, refused, strict=True) if each and not no]
        mark = self._log.append(allowed) if allowed else None
        if mark:
            self._allowance.store.reached(mark)
        return refused, mark

    def _entry(self, admission: Admission, disclosure: Disclosure[Any]) -> Entry:
        asked, given = admission.asked, disclosure.engagement
        sealed = seal_engagement(self._keys, given) if given else disclosure.sealed
        who = disclosure.who and seal_who(self._keys, disclosure.insurer, disclosure.person, disclosure.who)
        about = admission.about if isinstance(admission.about, str) else ""
        return Entry(
            format=FORMAT,
            ts_us=admission.at_us,
            operation=admission.operation,
            account=asked.account.sub,
            practice=asked.account.practice,
            insurer=disclosure.insurer,
            person=disclosure.person,
            presence=admission.presence,
            fields=disclosure.fields,
            outcome=disclosure.outcome,
            engagement=given.number if given else about,
            request=disclosure.told_as or asked.id,
            sealed=sealed,
            who=who or b"",
            network=asked.network,
            software=asked.account.software,
            session=asked.account.session,
        )


def _held_to(
    limits: Mapping[Name, Containment], asked: Request, about: Person | str, presence: Presence, domain: str
) -> bool:
    """Hold a question to what is contained; whether it is slowed. Who asks by an engagement was shown its person already."""
    by_card = isinstance(about, Person)
    touched, login_us = [(Kind.ACCOUNT, asked.account.sub)], asked.account.auth_ts * S_US
    if isinstance(about, Person):
        who = asked.account
        touched += [(Kind.DOMAIN, domain), *places(about.insurer, who.practice, who.software, asked.network)]
    is_slowed = False
    for name in touched:
        if state := limits.get(name):
            verdict = allows(state, presence if by_card else max(presence, Presence.PASS), login_us)
            _hold(verdict)
            is_slowed |= verdict.slowed
    return is_slowed


def _hold(verdict: Verdict) -> None:
    """Raises what the verdict refuses with."""
    if verdict.refusal is STEP_UP_REQUIRED:
        raise Challenged(STEP_UP_REQUIRED, {"error": INSUFFICIENT.code, "max_age": str(PROOF_S_MAX)})
    if verdict.refusal:
        raise verdict.refusal()


def _ask(admission: Admission, person: bytes, *, is_told: bool) -> Ask | None:
    """What the allowance counts: questions by what the card says. `is_told`: the watcher is told of it already."""
    about, asked = admission.about, admission.asked
    if not isinstance(about, Person) or admission.operation not in BY_CARD:
        return None
    account, at_us = asked.account, admission.at_us
    question = None
    if not is_told and admission.presence is Presence.TYPED:
        question = Question(
            at_s=at_us // 1_000_000,
            missed=not person,
            known=False,
            asked=about.asked,
            insurer=about.insurer,
            features=about.features,
            network=asked.network,
            software=account.software,
            session=account.session,
            device=device_class(account.jkt, account.certificate),
        )
    return Ask(
        account=account.sub,
        practice=account.practice,
        profession=account.profession,
        person=person,
        presence=admission.presence,
        at_us=at_us,
        is_slowed=admission.is_slowed,
        question=question,
    )


def seal_engagement(keys: Keys, engagement: Engagement) -> bytes:
    """An engagement as the journal and the store hold it: opened by its person's key only."""
    plain, about = msgspec.msgpack.encode(engagement), engagement_about(engagement.number)
    return keys.seal(engagement.insurer, plain, about, engagement.person)


def open_engagement(keys: Keys, insurer: str, number: str, sealed: bytes) -> Engagement:
    """The engagement of `seal_engagement`. Raises `person_forgotten` when its person was, since."""
    return msgspec.msgpack.decode(keys.open(insurer, sealed, engagement_about(number)), type=Engagement)


def seal_who(keys: Keys, insurer: str, person: bytes, member: Member) -> bytes:
    """The member behind a reference as the journal holds them: opened by that person's key only."""
    return keys.seal(insurer, encode_member(member), member_about(person), person)


def open_who(keys: Keys, insurer: str, person: bytes, sealed: bytes) -> Member:
    """The member of `seal_who`. Raises `person_forgotten` when they were, since."""
    return decode_member(keys.open(insurer, sealed, member_about(person)))


def engagement_about(number: str) -> bytes:
    """What the seal of an engagement is bound to."""
    return b"engagement|1|" + number.encode()
