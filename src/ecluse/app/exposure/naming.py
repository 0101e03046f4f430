"""The accounts of a question, as people write them: read as the gate reads whom it limits (`app/naming.py`), or refused.

A name nobody has was shown nothing, and "nobody was shown" is what an investigator hopes to read. So what is no account's name is
no question, and whom the hub never met is said beside the counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from ecluse.app.hub import Hub
from ecluse.app.naming import account_of, is_met, named
from ecluse.exposure.question import Question, read_question
from ecluse.gate.containment import Kind
from ecluse.gate.naming import CONTAINED_UNKNOWN
from ecluse.kernel.errors import Refused

FIX = "Write it as tokens do, rpps:10000000001; one of any other form to the letter, after account:."
OPERATOR = "operator"  # who types the hub's own commands; the gate never met them


def question_typed(hub: Hub, accounts: Sequence[str], start: str, end: str, **narrowed: Sequence[str]) -> Question:
    """The question a person asks, `narrowed` as `read_question` takes it.

    Raises `contained_unknown` for what is no account's name, `exposure_invalid`, `amc_invalid`.
    """
    return read_question(accounts, start, end, **narrowed, account=partial(account_typed, hub))


def account_typed(hub: Hub, text: str, pointer: str) -> str:
    """The account that `text` means, as the journal has it. Raises `contained_unknown`."""
    if text == OPERATOR:
        return text
    try:
        return account_of(named(hub, text))
    except Refused as refused:
        raise CONTAINED_UNKNOWN(refused.detail, pointer=pointer, fix=FIX) from None


def strangers(hub: Hub, accounts: Iterable[str]) -> tuple[str, ...]:
    """Those of these accounts that this hub never met, as far as can be told."""
    return tuple(each for each in accounts if each != OPERATOR and not is_met(hub, (Kind.ACCOUNT, each)))
