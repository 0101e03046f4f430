"""Keys destroyed for ever, by two operators: an insurer's, one person's, one that signed passes. The first asks, another carries
it out. Both are in the journal before anything is done; of a person it has the reference, never the member.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec

from ecluse.app.hub import Hub
from ecluse.app.keys import record
from ecluse.app.ports import HUB, Destruction
from ecluse.app.rights import reference
from ecluse.journal.entry import Operation
from ecluse.journal.member import Member
from ecluse.kernel.errors import refusal
from ecluse.kernel.ids import amc, birth_date, birth_rank, operator_name
from ecluse.passes.keys import PassKey
from ecluse.passes.refusals import PASS_KEY_SIGNS, PASS_KEY_UNKNOWN

SECOND_S_MAX = 72 * 3600  # a request made on a Friday can be carried out on the Monday; an older one is asked for again
OPERATOR_MAX = 64

DESTRUCTION_REFUSED = refusal(
    "destruction_refused",
    409,
    "These keys are not destroyed",
    fix="Another operator carries out what one asked for, within 72 hours, with the phrase that is asked for.",
)


class Destroyed(msgspec.Struct, frozen=True, omit_defaults=True):
    """A destruction: `asked` for by one operator, or `done` by another. `phrase` is what the second one has to give.

    `person`: the reference of the one who is forgotten, in hexadecimal; empty when it is about all of an insurer's keys.
    """

    insurer: str
    state: Literal["asked", "done"]
    phrase: str
    person: str = ""


class Retired(msgspec.Struct, frozen=True):
    """A key that signed passes, and its retirement: `asked` for by one operator, or `done` by another.

    `passes` that it signed are neither expired nor revoked: refused once it is done, until they are issued anew.
    """

    version: int
    state: Literal["asked", "done"]
    phrase: str
    passes: int


class _Act(NamedTuple):
    """What is to be destroyed, and under which names the journal has it: of which person, or which one key of the scope."""

    scope: str
    phrase: str
    asked: Operation
    done: Operation
    person: bytes = b""
    key: str = ""

    @property
    def of(self) -> bytes:
        """Under what the ring remembers that it was asked for."""
        return self.person or self.key.encode()

    def said(self, who: str) -> str:
        """The outcome of its entries."""
        return f"{self.key}, {who}" if self.key else who


async def destroy(hub: Hub, insurer: str, operator: str, phrase: str) -> Destroyed:
    """Ask for the destruction of an insurer's keys, or carry out what another operator asked for.

    Raises `destruction_refused` for the same operator, a wrong phrase, the hub's own keys; `insurer_unknown`.
    """
    if insurer == HUB:
        raise DESTRUCTION_REFUSED("name an insurer")
    words = f"destroy {insurer} for ever"
    act = _Act(insurer, words, Operation.KEYS_DESTRUCTION_ASKED, Operation.KEYS_DESTROYED)
    outcome = await _second(hub, act, operator, phrase)
    if outcome:
        async with hub.feeds.works.turn(insurer):  # nothing of this insurer is being sealed meanwhile
            await record(hub, act.done, insurer, outcome)
            hub.keys.destroy(insurer)
    return Destroyed(insurer, "done" if outcome else "asked", words)


async def forget(hub: Hub, insurer: str, member: Member, operator: str, phrase: str) -> Destroyed:
    """Ask for the destruction of one person's key, or carry out what another operator asked for.

    Nothing tells whether this hub ever met the person: their reference is computed, and what it is given shows it.
    Raises `destruction_refused` for the same operator or a wrong phrase; `insurer_unknown`, and refusals of form.
    """
    insurer, born = amc(insurer), birth_date(member.birth_date)
    person = reference(hub, insurer, Member(member.number, born, birth_rank(member.rank)))
    words = f"forget {person.hex()} for ever"
    act = _Act(insurer, words, Operation.PERSON_FORGETTING_ASKED, Operation.PERSON_FORGOTTEN, person)
    outcome = await _second(hub, act, operator, phrase)
    if outcome:
        await record(hub, act.done, insurer, outcome, person)
        hub.keys.forget(insurer, person)
    return Destroyed(insurer, "done" if outcome else "asked", words, person.hex())


async def retire(hub: Hub, version: int, operator: str, phrase: str) -> Retired:
    """Ask for the retirement of a key that signs passes no more, or carry out what another operator asked for.

    What it signed is refused from then on, and it is destroyed. Retired already, or killed on the way: done again, by whoever.
    Raises `pass_key_unknown`, `pass_key_signs`; `destruction_refused` for the same operator or a wrong phrase.
    """
    key = _signed_once(hub, version)
    words, name = f"retire pass key {version} for ever", f"pass {version}"
    act = _Act(HUB, words, Operation.PASS_KEY_RETIREMENT_ASKED, Operation.PASS_KEY_RETIRED, key=name)
    passes = sum(each.count for each in await hub.passes.signed(hub.now_ts_us // 1_000_000) if each.mark == key.mark)
    if not key.is_retired:
        outcome = await _second(hub, act, operator, phrase)
        if not outcome:
            return Retired(version, "asked", words, passes)
        await record(hub, act.done, HUB, act.said(outcome))
    hub.keys.retire_pass_key(version)
    if hub.keys.destruction(HUB, act.of):
        hub.keys.ask_destruction(HUB, None, act.of)
    return Retired(version, "done", words, passes)


def _signed_once(hub: Hub, version: int) -> PassKey:
    """The key of this version, which signs no more. Raises `pass_key_unknown`, `pass_key_signs`."""
    keys = hub.keys.pass_keys(fresh=True)
    for key in keys.held:
        if key.version == version:
            if key is keys.newest:
                raise PASS_KEY_SIGNS()
            return key
    raise PASS_KEY_UNKNOWN()


async def _second(hub: Hub, act: _Act, operator: str, phrase: str) -> str:
    """Who asked and who does it, if `operator` may do it now; empty when the destruction had to be asked for, and was."""
    operator = operator_name(operator)
    if not 0 < len(operator) <= OPERATOR_MAX:
        raise DESTRUCTION_REFUSED(f"name an operator in at most {OPERATOR_MAX} characters")
    asked = hub.keys.destruction(act.scope, act.of)
    if asked is None or hub.now_ts_us - asked.at_ts_us > SECOND_S_MAX * 1_000_000:
        await record(hub, act.asked, act.scope, act.said(f"asked by {operator}"), act.person)
        hub.keys.ask_destruction(act.scope, Destruction(operator, hub.now_ts_us), act.of)
        return ""
    if asked.operator.casefold() == operator.casefold():
        raise DESTRUCTION_REFUSED("the operator who asked cannot carry it out")
    if phrase != act.phrase:
        raise DESTRUCTION_REFUSED(f"give the phrase: {act.phrase}")
    return f"asked by {asked.operator}, done by {operator}"
