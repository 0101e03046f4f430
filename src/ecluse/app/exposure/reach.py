"""At most how many people the accounts of a question could have been answered about, by what the gate allowed them."""

from __future__ import annotations

from collections.abc import Mapping

from ecluse.app.hub import Hub
from ecluse.app.ports.lookback import Doings, Lookback
from ecluse.exposure.question import Question
from ecluse.exposure.reach import Room, within_reach
from ecluse.gate.allowance import CapTable, day_of, widest
from ecluse.gate.containment import Containment, Kind
from ecluse.gate.signals import Step

Limits = Mapping[str, Containment]


def limits_of(hub: Hub, question: Question) -> Limits:
    """Where each account of the question stands now."""
    return {account: hub.containments.state(Kind.ACCOUNT, account) for account in question.accounts}


def bound(lookback: Lookback, limits: Limits, question: Question) -> int | None:
    """R + Σ (N(T) - n) of `exposure/reach.py`; None where the caps of a part of the window are not known.

    Blocks: it may take seconds.
    """
    window = question.start_ts_us, question.end_ts_us
    tables = lookback.caps_between(*window)
    if not tables:
        return None
    rooms = [
        _room(tables, limits[each.account], each, question) for each in lookback.doings(question.accounts, *window)
    ]
    return within_reach(lookback.told_at(question.accounts, question.end_ts_us), rooms)


def _room(tables: tuple[CapTable, ...], limit: Containment, did: Doings, question: Question) -> Room:
    """An account that never asked may have any profession: the widest caps. A limit that was lifted since is not looked at."""
    first = day_of(question.start_ts_us)  # a beginning only ever narrows
    caps = widest(table.of(did.profession, first) if did.profession else table.widest(first) for table in tables)
    is_held = limit.step >= Step.PRESENCE_ONLY
    until_us = min(question.end_ts_us, limit.since_us) if is_held else question.end_ts_us
    return Room(caps, until_us - question.start_ts_us, did.typed, did.justified)
