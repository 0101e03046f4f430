"""Who was really shown what by accounts that were stolen: asked through the same gate as everything else.

1. The desk admits the question: `investigate` for the hub, `exposure:own` for an insurer, who is answered about its own members.
2. The lake is brought to the heads signed since the question was admitted: whatever answer had left by then is counted. Where
   it cannot be, and an entry that it lacks is of the window, nothing is answered.
3. What it finds is counted (pure: `exposure/answer.py`), with bounds where the journal is known to have lost entries.
4. That it was asked, and by whom, is in the journal before a number is shown; so is each list before its file is there.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from ecluse.app.access import Disclosure, Released
from ecluse.app.aside import aside
from ecluse.app.at_once import Kind
from ecluse.app.exposure.evidence import Told, evidence
from ecluse.app.exposure.lists import SealedList, sealed_lists
from ecluse.app.exposure.naming import strangers
from ecluse.app.exposure.proofs import Proofs, places_of, to_be_proved, write_proofs
from ecluse.app.exposure.reach import limits_of
from ecluse.app.hub import Hub
from ecluse.app.recipients import recipients
from ecluse.exposure.answer import Exposure, answer, own_part
from ecluse.exposure.question import EXPOSURE_INVALID, Question
from ecluse.gate.admission import Admission, Request
from ecluse.gate.identity import FORBIDDEN, Account
from ecluse.journal.entry import Operation
from ecluse.kernel.days import instant
from ecluse.kernel.errors import NOT_FOUND

SCOPE, OWN_SCOPE = "investigate", "exposure:own"
INVESTIGATOR = Account("operator", scopes=frozenset({SCOPE}))
# One reads a window of the lake for seconds to minutes, on the core that answers checks.
AT_ONCE = Kind("exposures", own_max=1, all_max=4)
ASK_UNTIL = "Ask until that instant at the latest, or again once the window is over."
FOLDER, ANSWER = "exposures", "exposure.json"


class ListFile(msgspec.Struct, frozen=True):
    """An encrypted list, and of how many members."""

    members: int
    content: bytes


async def expose(
    hub: Hub,
    asked: Request,
    question: Question | Callable[[], Question],
    told: Told,
    *,
    lists: bool = False,
    proofs: Proofs | None = None,
) -> Released[Exposure]:
    """Answer, and with `lists` write each insurer its own, under `exposures/<id>/`; all of it is kept to be read again.

    `question`: one, or what reads it: called once the asker may ask and has none under way, for a thousand names are looked up.
    Raises `forbidden`, `exposure_invalid` for a window that is not over, `lake_behind`, `too_many_at_once`.
    """
    admission = hub.desk.admit(asked, scope_of(asked.account), Operation.EXPOSURE_ASKED, asked.id)
    with hub.at_once.one(AT_ONCE, asked.account.insurer or asked.account.sub):
        read = question if isinstance(question, Question) else question()
        return await _expose(hub, asked, admission, read, told, lists=lists, proofs=proofs)


async def _expose(
    hub: Hub,
    asked: Request,
    admission: Admission,
    question: Question,
    told: Told,
    *,
    lists: bool,
    proofs: Proofs | None,
) -> Released[Exposure]:
    question = own_question(asked.account, question)
    if question.end_ts_us > admission.at_us:
        now = instant(admission.at_us).isoformat(timespec="milliseconds")
        raise EXPOSURE_INVALID(f"the window is not over yet: it is {now} here", pointer="/to", fix=ASK_UNTIL)
    held = await hub.feeds.store.held(question.end_ts_us)
    limits = limits_of(hub, question)
    lake = await aside(hub.exposure.open_lake)  # once: whatever is counted is of the same entries
    found = await aside(evidence, hub, lake, admission, question, held, limits, told, one_by_one=lists)
    places = await aside(places_of, lake, admission, question, told) if proofs else {}
    exposure = await aside(answer, asked.id, question, found)
    unseen = [each for each in exposure.accounts if each not in exposure.displayed.accounts]
    exposure = msgspec.structs.replace(exposure, never_met=strangers(hub, unseen))
    sealed: list[SealedList] = []
    if lists:
        keys = await recipients(hub, [part.insurer for part in exposure.insurers])
        sealed = await aside(sealed_lists, hub, exposure, found.shown, keys, told)
        exposure = msgspec.structs.replace(exposure, lists=tuple(each.told for each in sealed))
    if proofs:
        exposure = msgspec.structs.replace(exposure, proofs=to_be_proved(exposure, proofs))
    released = await hub.desk.release(admission, Disclosure(exposure, exposure.outcome))
    for each in sealed:
        await _export(hub, asked, each)
    hub.exposure.post.put(place_of_file(asked.id, ANSWER), msgspec.json.encode(exposure))
    if proofs:
        await write_proofs(hub, asked, scope_of(asked.account), exposure, places, proofs, told)
    return released


async def show_exposure(hub: Hub, asked: Request, id_: str) -> Released[Exposure]:
    """An exposure asked before; an insurer sees its own part. Journalled as the asking. Raises `forbidden`, `not_found`."""
    admission = hub.desk.admit(asked, scope_of(asked.account), Operation.EXPOSURE_ASKED, id_)
    exposure = _kept(hub, id_)
    if insurer := asked.account.insurer:
        if exposure.narrowed_to_insurers and insurer not in exposure.narrowed_to_insurers:
            raise NOT_FOUND()
        exposure = own_part(exposure, insurer)
    return await hub.desk.release(admission, Disclosure(exposure, exposure.outcome))


async def read_list(hub: Hub, asked: Request, id_: str, name: str) -> Released[ListFile]:
    """An encrypted list as it was written; an insurer reads its own. Journalled first. Raises `forbidden`, `not_found`."""
    admission = hub.desk.admit(asked, scope_of(asked.account), Operation.JOURNAL_EXPORTED, id_)
    own = asked.account.insurer
    for each in _kept(hub, id_).lists:
        if name in each.files and own in ("", each.insurer):
            file = ListFile(each.members, hub.exposure.post.read(place_of_file(id_, name)))
            return await hub.desk.release(admission, Disclosure(file, each.outcome(name), insurer=each.insurer))
    raise NOT_FOUND()


def scope_of(account: Account) -> str:
    """The scope an account needs to ask."""
    return OWN_SCOPE if account.insurer else SCOPE


def own_question(account: Account, question: Question) -> Question:
    """An insurer's question is about its own members. Raises `forbidden` when it names another insurer."""
    if not account.insurer:
        return question
    if set(question.insurers) - {account.insurer}:
        raise FORBIDDEN("this account belongs to another insurer")
    return msgspec.structs.replace(question, insurers=(account.insurer,))


def place_of_file(id_: str, name: str) -> str:
    """Where a file of an exposure is, under the folder of what goes out."""
    return f"{FOLDER}/{id_}/{name}"


async def _export(hub: Hub, asked: Request, sealed: SealedList) -> None:
    """One insurer's files: what leaves and its digest are in the journal, then the file is there."""
    for name, content in sealed.files.items():
        admission = hub.desk.admit(asked, scope_of(asked.account), Operation.JOURNAL_EXPORTED, asked.id)
        told = Disclosure(sealed.told, sealed.told.outcome(name), insurer=sealed.told.insurer)
        await hub.desk.release(admission, told)
        hub.exposure.post.put(place_of_file(asked.id, name), content)


def _kept(hub: Hub, id_: str) -> Exposure:
    """An exposure asked before. Raises `not_found`."""
    if not id_.isascii() or not id_.replace("_", "").isalnum():
        raise NOT_FOUND()
    if not hub.exposure.post.has(place_of_file(id_, ANSWER)):
        raise NOT_FOUND()
    return msgspec.json.decode(hub.exposure.post.read(place_of_file(id_, ANSWER)), type=Exposure)
