"""Letting back in what is limited, wave by wave: each limit of a wave is lifted as `ecluse gate release` does, by two operators.

A wave can be gone through again at any time: what is lifted is left alone, what waits for its second operator waits on. What was
limited anew since the plan was made is not lifted by it: somebody looks at that first.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Literal

import msgspec

from ecluse.app.containment import moved
from ecluse.app.hub import Hub
from ecluse.app.ports.containments import Name
from ecluse.gate.allowance import day_of
from ecluse.gate.containment import SECOND_S_MAX, Containment, Kind, Move, Released, move, signed
from ecluse.gate.reopening import Limit, Plan, Wave, target
from ecluse.kernel.days import S_US
from ecluse.kernel.errors import refusal

TOGETHER = 64  # entries on their way into the journal at once: they share its syncs

WAVE_UNKNOWN = refusal(
    "wave_unknown", 404, "The plan has no such wave", fix="`ecluse gate reopen-plan` prints its waves."
)
WAVE_EARLY = refusal(
    "wave_early", 409, "This wave does not begin yet", fix="Confirm it once it does; asking for it is possible before."
)

Done = Literal["asked", "opened", "waiting", "open", "changed"]


class LeftOut(msgspec.Struct, frozen=True):
    """What a plan has not: its name, and why."""

    name: str
    why: Literal["lost_device", "named"]


class Opened(msgspec.Struct, frozen=True):
    """What an act did to a wave: how many limits were `asked` for (a second operator confirms), `opened`, `waiting` for another
    operator, `open` already; and those that `changed` since the plan and stay shut, by name.
    """

    wave: int
    asked: int
    opened: int
    waiting: int
    open: int
    changed: tuple[str, ...]


def limits_now(
    hub: Hub, loads: Mapping[Name, int], left_out: Collection[Name], whole_wave: int
) -> tuple[list[Limit], list[LeftOut]]:
    """What there is to open, with the logins each brings: one of an account; of the rest as stated, else as many as the people
    its breaker knows as a usual day (each was opened by some login), else a whole wave. And what is left out. Blocks.
    """
    tables = hub.exposure.lookback.caps_between(hub.now_ts_us, hub.now_ts_us + 1)
    words = tables[-1].names if tables else {}
    found, without = [], []
    for name, state in hub.containments.limits().items():
        kind, whose = name
        said = whose if kind is Kind.ACCOUNT else f"{kind}:{whose}"
        if state.step <= target(kind):
            continue
        if name in left_out or state.is_lost:
            without.append(LeftOut(said, "named" if name in left_out else "lost_device"))
        elif kind is Kind.ACCOUNT:
            position = hub.allowance.store.position(whose, day_of(hub.now_ts_us))
            care = position.profession if position else ""
            found.append(_limit(name, state, words.get(care, care), loads.get(name, 1)))
        else:
            usual = loads.get(name) or round(hub.sensings.breaker(name).usual)
            care = whose if kind is Kind.DOMAIN else ""
            found.append(_limit(name, state, care, usual or whole_wave, is_known=usual > 0))
    return found, without


def _limit(name: Name, state: Containment, care: str, logins: int, *, is_known: bool = True) -> Limit:
    kind, whose = name
    return Limit(kind, whose, care, state.step, target(kind), state.since_us, max(1, logins), is_known)


async def open_wave(hub: Hub, plan: Plan, number: int, operator: str, reason: str) -> Opened:
    """Ask for a wave, or confirm what another operator asked for, once it has begun; the journal has a line for each limit.

    Raises `wave_unknown`, `wave_early`, `containment_refused` where operator or reason is missing.
    """
    wave = next((each for each in plan.waves if each.number == number), None)
    if wave is None:
        raise WAVE_UNKNOWN(str(number))
    signed(operator, reason)
    said = f"vague {number} : {reason}"
    looked = [_standing(hub, each, wave, operator, said) for each in wave.limits]
    kept = [done for done, _ in looked]
    acting = [at for at, done in enumerate(kept) if done in ("asked", "opened")]
    for start in range(0, len(acting), TOGETHER):
        some = acting[start : start + TOGETHER]
        made = await asyncio.gather(*[_lift(hub, wave.limits[at], looked[at][1], operator, said) for at in some])
        for at, move_made in zip(some, made, strict=True):
            if move_made is None:  # limited anew, or asked for by another, since it was looked at
                kept[at] = "changed"
    counts = Counter(kept)
    changed = tuple(each.name for each, done in zip(wave.limits, kept, strict=True) if done == "changed")
    return Opened(number, counts["asked"], counts["opened"], counts["waiting"], counts["open"], changed)


async def _lift(hub: Hub, limit: Limit, seen: Containment, operator: str, reason: str) -> Move | None:
    return await moved(hub, (limit.kind, limit.name), Released(operator, limit.to_step, reason), seen=seen)


def _standing(hub: Hub, limit: Limit, wave: Wave, operator: str, reason: str) -> tuple[Done, Containment]:
    """What this operator's act would do to a limit as it stands, and how that is. Raises `wave_early`."""
    state = hub.containments.state(limit.kind, limit.name)
    if state.step <= limit.to_step:
        return "open", state
    if state.since_us != limit.since_us or state.step != limit.step or state.is_lost:
        return "changed", state
    now_us = hub.now_ts_us
    if _asked_by(state, limit, now_us) == signed(operator, reason):
        return "waiting", state
    after, _ = move(state, Released(operator, limit.to_step, reason), now_us)
    if after.step == state.step:
        return "asked", state
    if now_us < wave.starts_us:
        raise WAVE_EARLY(f"wave {wave.number}")
    return "opened", state


def _asked_by(state: Containment, limit: Limit, now_us: int) -> str:
    """Who asked for this step and may still be confirmed."""
    fresh = state.asked_by and now_us - state.asked_us < SECOND_S_MAX * S_US
    return state.asked_by if fresh and state.asked_step == limit.to_step else ""
