"""Containment at work: a move is kept and journalled with its evidence, downwards at once, upwards only once it is journalled.

So whatever is interrupted leaves the tighter of two states. What is done last holds, whatever a clock says: a move knows the one
it follows. The ladder itself is `gate/containment.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial

import msgspec

from ecluse.app.again import BY_ITSELF, TOGETHER, Again
from ecluse.app.alerted import AlertTold, alerts
from ecluse.app.hub import Hub
from ecluse.app.naming import is_met
from ecluse.app.ports import HUB, Keys
from ecluse.app.ports.allowances import Position
from ecluse.app.ports.carried import Going
from ecluse.app.ports.containments import Containments, Name
from ecluse.gate.allowance import day_of
from ecluse.gate.containment import (
    QUARANTINED,
    Act,
    Carried,
    Containment,
    Event,
    Kind,
    Move,
    Proved,
    Reach,
    allows,
    move,
)
from ecluse.gate.fleet import Breaker
from ecluse.gate.identity import Account
from ecluse.gate.naming import CONTAINED_UNKNOWN
from ecluse.gate.presence import Presence
from ecluse.gate.signals import Step
from ecluse.journal.entry import Entry, Operation, act
from ecluse.kernel.days import S_US
from ecluse.kernel.errors import Refused

SWAPS_MAX = 100  # tries against other processes that move the same thing at the same time


class Kept(msgspec.Struct, frozen=True):
    """What the journal's entry of a move holds, sealed under the hub's key: whose it is, the state after it, and the move."""

    name: str
    after: Containment
    move: Move


class Shown(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where something stands; of an account that has asked, its allowance and alerts; of the rest what its breaker counted.

    `never_met`: nobody of that name ever came here, as far as can be told.
    """

    kind: Kind
    name: str
    step: str
    state: Containment
    position: Position | None = None
    alerts: tuple[AlertTold, ...] = ()
    counted: Breaker | None = None
    never_met: bool = False


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Kept).decode


async def moved(
    hub: Hub, name: Name, event: Event, *, journal_first: bool = False, seen: Containment | None = None
) -> Move | None:
    """Apply an event to what `name` names; the move that is in the journal now, None where the event changes nothing.

    `journal_first`: downwards too. For whoever tries again what was interrupted: a move may then be journalled twice, never not.
    `seen`: for whoever means it of what stands there; nothing where it stands elsewhere meanwhile.

    Raises `proof_refused`, `containment_refused`, `contained_unknown`.
    """
    kind, whose = name
    for _ in range(SWAPS_MAX):
        before, last_us = hub.containments.last(kind, whose)
        if seen is not None and before != seen:
            return None
        after, made = move(before, event, hub.now_ts_us)
        if made is None:
            return None
        made = msgspec.structs.replace(made, after_us=last_us)
        entry = _entry(hub, whose, after, made)
        if is_told := journal_first or after.step < before.step:
            await hub.desk.record(entry)
        if hub.containments.swap(whose, before, after, made):
            # Lifted, too: who logged in while it was shut.
            if kind is Kind.ACCOUNT and Step.QUARANTINED in (before.step, after.step):
                hub.sessions.end_all(whose)
            if not is_told:
                await hub.desk.record(entry)
            return made
        if is_told:
            await _outlast(hub, name, made)
    raise AssertionError("another process moves this without end")


async def _outlast(hub: Hub, name: Name, told: Move) -> None:
    """The journal was told of a state that another process's move prevented: tell what stands, as what came after it.

    Else a lift that never was would win over the quarantine that prevented it, where gate.db is lost and the journal read again.
    """
    kind, whose = name
    for _ in range(SWAPS_MAX):
        stands, last_us = hub.containments.last(kind, whose)
        if last_us > told.order_us:
            return  # its own entry is the later one
        made = Move(kind, stands.step, stands.step, hub.now_ts_us, Carried(), told.order_us)
        if hub.containments.swap(whose, stands, stands, made):
            await hub.desk.record(_entry(hub, whose, stands, made))
            return
    raise AssertionError("another process moves this without end")


async def let_in(hub: Hub, account: Account) -> None:
    """Let an account in that showed who it is: the one place where all that comes from outside is held to a quarantine, whatever
    is asked. Steps above it are held by `Desk.admit`, for they are about questions of a person.

    Its limit is lifted by the login its token tells of, if that came after the limit and just now: never a quarantine, nor a
    step-up to more than `slowed` (`gate/containment.py`). Raises `account_quarantined`.
    """
    state = hub.containments.limits().get((Kind.ACCOUNT, account.sub))
    if state is None:
        return
    login_us = account.auth_ts * S_US
    if refused := allows(state, Presence.PASS, login_us).refusal:
        raise refused()
    if state.step:
        with suppress(Refused):  # too old a login: the question is held to the limit
            await moved(hub, (Kind.ACCOUNT, account.sub), Proved(login_us, account.acr))


def check_open(hub: Hub, account: str, auth_ts: int) -> None:
    """Raise `account_quarantined` where a login of that instant (Unix seconds) is held to it, by what is on disk now."""
    if hub.containments.state(Kind.ACCOUNT, account).step_of(auth_ts * S_US) == Step.QUARANTINED:
        raise QUARANTINED()


def replayed(keys: Keys, containments: Containments, entry: Entry) -> None:
    """Put back the state an entry of the journal tells of, where gate.db was lost: the newest wins."""
    kept = _decode(keys.open(HUB, entry.sealed, _about(entry.request)))
    containments.again(kept.name, kept.after, kept.move, entry.ts_us)


def still_limited(hub: Hub, going: Going) -> Iterator[Again]:
    """The states that rest on entries about to be deleted; lifted ones too, because a state also says what holds older logins.

    The evidence goes with them: how long it is kept has its own bounds.
    """
    resting = hub.containments.resting(going)
    for start in range(0, len(resting), TOGETHER):
        some, now_us = resting[start : start + TOGETHER], hub.now_ts_us
        entries = []
        for each in some:
            step, at_us = each.state.step, each.at_us or each.state.since_us
            made = Move(each.state.kind, step, step, at_us, Carried())
            entries.append(_entry(hub, each.name, each.state, made, now_us))
        yield Again(entries, partial(hub.containments.told, some, now_us))


def step_named(kind: Kind, text: str) -> int:
    """The step of a ladder by its name, `presence_only` as `presence-only`. Raises `contained_unknown`."""
    ladder: type[Step] | type[Reach] = Step if kind is Kind.ACCOUNT else Reach
    try:
        return ladder[text.upper().replace("-", "_")].value
    except KeyError:
        steps = ", ".join(each.name.lower() for each in ladder)
        raise CONTAINED_UNKNOWN(f"{text[:40]!r} is no step of {kind}: {steps}") from None


def step_name(state: Containment) -> str:
    """The name of the step something stands on."""
    return (Step if state.kind is Kind.ACCOUNT else Reach)(state.step).name.lower()


def older_logins(state: Containment) -> list[tuple[str, int]]:
    """The stricter steps that older logins are held to, by name, and the latest login each holds (µs)."""
    return [(Step(each.step).name.lower(), each.until_us) for each in state.older if each.step > state.step]


def shown(hub: Hub, name: Name) -> Shown:
    """Where something stands. Nobody but accounts is named in it."""
    kind, whose = name
    state, never_met = hub.containments.state(kind, whose), not is_met(hub, name)
    if kind is not Kind.ACCOUNT:
        return Shown(kind, whose, step_name(state), state, counted=hub.sensings.breaker(name), never_met=never_met)
    position = hub.allowance.store.position(whose, day_of(hub.now_ts_us))
    return Shown(kind, whose, step_name(state), state, position, alerts(hub, whose), never_met=never_met)


def limited(hub: Hub) -> list[Shown]:
    """Everything that is not open, to whoever asks or to older logins."""
    limits: Mapping[Name, Containment] = hub.containments.limits()
    return [
        Shown(name[0], name[1], step_name(state), state, never_met=not is_met(hub, name))
        for name, state in limits.items()
    ]


def _entry(hub: Hub, name: str, after: Containment, made: Move, at_us: int = 0) -> Entry:
    request = hub.ids.new("gat_")
    sealed = hub.keys.seal(HUB, _encode(Kept(name, after, made)), _about(request))
    outcome = f"{made.kind}_{step_name(after)}"
    who = "operator" if isinstance(made.event, Act) else BY_ITSELF
    return act(Operation.CONTAINED, at_us or made.at_us, request, outcome, account=who, about=name, sealed=sealed)


def _about(request: str) -> bytes:
    """What the seal of a move is bound to."""
    return b"contained|1|" + request.encode()
