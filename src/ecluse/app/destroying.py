"""Keys destroyed for ever, by two operators: an insurer's, or one person's. The first asks, another carries it out.

Both are in the journal before anything is done; of a person it has the reference, never the member.
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
from ecluse.kernel.ids import amc, birth_date, birth_rank

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


class _Act(NamedTuple):
    """What is to be destroyed, and under which names the journal has it."""

    insurer: str
    person: bytes
    phrase: str
    asked: Operation
    done: Operation


async def destroy(hub: Hub, insurer: str, operator: str, phrase: str) -> Destroyed:
    """Ask for the destruction of an insurer's keys, or carry out what another operator asked for.

    Raises `destruction_refused` for the same operator, a wrong phrase, the hub's own keys; `insurer_unknown`.
    """
    if insurer == HUB:
        raise DESTRUCTION_REFUSED("name an insurer")
    words = f"destroy {insurer} for ever"
    act = _Act(insurer, b"", words, Operation.KEYS_DESTRUCTION_ASKED, Operation.KEYS_DESTROYED)
    outcome = await _second(hub, act, operator.strip(), phrase)
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
    act = _Act(insurer, person, words, Operation.PERSON_FORGETTING_ASKED, Operation.PERSON_FORGOTTEN)
    outcome = await _second(hub, act, operator.strip(), phrase)
    if outcome:
        await record(hub, act.done, insurer, outcome, person)
        hub.keys.forget(insurer, person)
    return Destroyed(insurer, "done" if outcome else "asked", words, person.hex())


async def _second(hub: Hub, act: _Act, operator: str, phrase: str) -> str:
    """Who asked and who does it, if `operator` may do it now; empty when the destruction had to be asked for, and was."""
    if not 0 < len(operator) <= OPERATOR_MAX:
        raise DESTRUCTION_REFUSED(f"name an operator in at most {OPERATOR_MAX} characters")
    asked = hub.keys.destruction(act.insurer, act.person)
    if asked is None or hub.now_ts_us - asked.at_ts_us > SECOND_S_MAX * 1_000_000:
        await record(hub, act.asked, act.insurer, f"asked by {operator}", act.person)
        hub.keys.ask_destruction(act.insurer, Destruction(operator, hub.now_ts_us), act.person)
        return ""
    if asked.operator.casefold() == operator.casefold():
        raise DESTRUCTION_REFUSED("the operator who asked cannot carry it out")
    if phrase != act.phrase:
        raise DESTRUCTION_REFUSED(f"give the phrase: {act.phrase}")
    return f"asked by {asked.operator}, done by {operator}"
