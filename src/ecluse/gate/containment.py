"""The ladder: what an account, an insurer, a domain, a vendor… is still allowed, and what moves it. Pure: state + event → state.

Downwards by itself or by one operator; upwards by a fresh proof of identity, or by two different operators, and in no other
way. A proof lifts a limit for whoever logs in since: a login from before it, a thief's among them, stays held to it. Care for a
patient who shows a pass goes on at every step but the last. Each `Move` holds its evidence, for the journal.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum, StrEnum
from typing import Literal, NamedTuple

import msgspec
from msgspec.structs import force_setattr

from ecluse.gate.alerts import Alert
from ecluse.gate.denials import step_due
from ecluse.gate.older import Older, joined
from ecluse.gate.presence import Presence
from ecluse.gate.signals import SIGNALS, Step
from ecluse.kernel.days import S_US
from ecluse.kernel.errors import Refusal, refusal
from ecluse.kernel.ids import operator_name

PROOF_S_MAX = 300  # a login older than this is not "now"; time for a phone, a card and its code
SECOND_S_MAX = 72 * 3600  # what one operator asks for on a Friday can be confirmed on the Monday
RELAPSE_S = 30 * 86_400  # whoever needs a second step-up within a month of a proof is not helped by a third
OPERATOR_CHARS_MAX = 64
REASON_CHARS_MAX = 500

PRESENCE_REQUIRED = refusal(
    "presence_required",
    403,
    "The patient has to be there for this question",
    fix="Scan the patient's pass; or log in again, which may lift the limit.",
)
STEP_UP_REQUIRED = refusal(
    "step_up_required",
    401,
    "Who asks has to be shown again",
    fix="Log in anew with your card or phone, then ask again; questions with a patient's pass are answered meanwhile.",
)
QUARANTINED = refusal(
    "account_quarantined",
    403,
    "This account is closed until two people have looked at it",
    fix="Call the hub's operators. Verify passes off line meanwhile.",
)
CLOSED = refusal(
    "questions_closed",
    503,
    "Questions of this kind are closed for now",
    fix="Verify passes off line meanwhile, and ask again later.",
)
PROOF_REFUSED = refusal(
    "proof_refused",
    403,
    "This proof does not lift the limit",
    fix="Log in anew, after the limit was set and less than five minutes ago. A quarantine is lifted by two operators.",
)
CONTAINMENT_REFUSED = refusal(
    "containment_refused",
    409,
    "The limit stays as it is",
    fix="To lift it, another operator confirms what one asked for, to the same step, within 72 hours.",
)


class Reach(IntEnum):
    """The ladder of everything but accounts."""

    OPEN = 0
    PRESENCE_ONLY = 1
    CLOSED = 2


class Kind(StrEnum):
    """What can be contained."""

    ACCOUNT = "account"
    INSURER = "insurer"
    DOMAIN = "domain"
    VENDOR = "vendor"
    DEPARTMENT = "department"
    NETWORK = "network"


class Containment(msgspec.Struct, frozen=True):
    """Where something stands. `step`: a `Step` of an account, a `Reach` of the rest. Times in microseconds; 0 is never.

    `proved_us`: the last proof that ended a step-up; `asked_*`: what a first operator asked for, and nobody confirmed yet, a
    reset not before `asked_from_us`. `is_lost`: a device of the account was; only a reset lifts that. `older`: what proofs
    lifted, and a reset, and logins of before are held to still, the gravest first. `cleared_us`: two operators looked at it and
    lifted a limit: what was found before is not held against it. `before_*`: `older` as it was kept once, when there was one.
    """

    kind: Kind
    step: int = 0
    since_us: int = 0
    proved_us: int = 0
    asked_by: str = ""
    asked_step: int = 0
    asked_us: int = 0
    is_lost: bool = False
    before_step: int = 0
    before_us: int = 0
    cleared_us: int = 0
    asked_from_us: int = 0
    older: tuple[Older, ...] = ()

    def __post_init__(self) -> None:
        if self.before_step:
            force_setattr(self, "older", joined(self.older, Older(self.before_step, self.before_us)))
            force_setattr(self, "before_step", 0)
            force_setattr(self, "before_us", 0)

    @property
    def limits(self) -> bool:
        """Whether anybody is held to anything by it."""
        return bool(self.step or self.older)

    def step_of(self, login_us: int) -> int:
        """The step that holds a login made at that instant; 0, an unknown instant, counts as older than all others."""
        return max(self.step, *(each.step for each in self.older if login_us <= each.until_us), 0)


class CapReached(msgspec.Struct, frozen=True, tag=True):
    """A counter of the allowance is full: `count` of `cap`. `counter`: "debt" or "year" of an account, "fleet" of the rest."""

    counter: Literal["debt", "year", "fleet"]
    count: int
    cap: int


class Alerted(msgspec.Struct, frozen=True, tag=True):
    """A detector's alert."""

    alert: Alert


class Denied(msgspec.Struct, frozen=True, tag=True):
    """Patients said "not me": so many this month, of the people opened this month and the one before.

    `of_one`: how many of them the insurer passed on that passed on most.
    """

    denied: int
    opened: int
    of_one: int = 0


class Proved(msgspec.Struct, frozen=True, tag=True):
    """Somebody logged in anew at `authenticated_us` with a strength the configuration accepts for a step-up (`acr`)."""

    authenticated_us: int
    acr: str


class Contained(msgspec.Struct, frozen=True, tag=True):
    """An operator sets a limit, with the reason."""

    operator: str
    step: int
    reason: str


class Released(msgspec.Struct, frozen=True, tag=True):
    """An operator asks to lift a limit to `step`, or confirms what another asked for."""

    operator: str
    step: int
    reason: str


class Lost(msgspec.Struct, frozen=True, tag=True):
    """An operator reports that a device of the account was lost or stolen, with the reason."""

    operator: str
    reason: str


class Reset(msgspec.Struct, frozen=True, tag=True):
    """An operator asks to put the account back, `delay_us` later at the earliest, or confirms what another asked for."""

    operator: str
    reason: str
    delay_us: int


class Carried(msgspec.Struct, frozen=True, tag=True):
    """Nothing happened: the state is told again, because the entry that told it is about to be deleted."""


Act = Contained | Released | Lost | Reset  # what operators do, who say who they are and why
Event = CapReached | Alerted | Denied | Proved | Act


class Move(msgspec.Struct, frozen=True):
    """What happened, for the journal: a step to another (or the same, when a first operator asked), when, and by what.
    `after_us`: the order of the move it follows, so that it comes after that one, whatever the clock says."""

    kind: Kind
    before: int
    after: int
    at_us: int
    event: Event | Carried
    after_us: int = 0

    @property
    def order_us(self) -> int:
        """A number that orders the moves of one thing, the later the higher: the time of the move, where no clock went back."""
        return max(self.at_us, self.after_us + 1)


def signed(operator: str, reason: str) -> str:
    """The operator's name in its one form. Raises `containment_refused` where name or reason is missing or too long."""
    name = operator_name(operator).casefold()
    if not name or not reason.strip():
        raise CONTAINMENT_REFUSED("operator and reason are needed", fix="Say who acts, and why.")
    if len(name) > OPERATOR_CHARS_MAX or len(reason) > REASON_CHARS_MAX:
        raise CONTAINMENT_REFUSED("operator or reason is too long", fix="At most 64 and 500 characters.")
    return name


Moved = tuple[Containment, Move | None]


def unsigned(made: Move) -> Move:
    """The move without its operator's words, for readers other than the journal."""
    if isinstance(made.event, Act):
        return msgspec.structs.replace(made, event=msgspec.structs.replace(made.event, operator="", reason=""))
    return made


def move(state: Containment, event: Event, at_us: int) -> Moved:
    """The state after an event, and the move to journal; no move where nothing changes, unless an operator says why.

    Raises `proof_refused` and `containment_refused`; the state is then as before.
    """
    after = MOVES[type(event)](state, event, at_us)
    is_told = after != state or isinstance(event, Act)
    return after, Move(state.kind, state.step, after.step, at_us, event) if is_told else None


def _down(state: Containment, step: int, at_us: int) -> Containment:
    """Never upwards; what an operator asked for before is asked for anew, in the light of this."""
    if step <= state.step:
        return state
    return _moved_down(state, step, at_us)


def _moved_down(state: Containment, step: int, since_us: int, *, is_lost: bool = False) -> Containment:
    """What proofs lifted before is kept: older logins stay held to it, whatever comes."""
    after = Containment(state.kind, int(step), since_us, state.proved_us, is_lost=is_lost)
    return msgspec.structs.replace(after, older=state.older, cleared_us=state.cleared_us)


def _alerted(state: Containment, event: Alerted, at_us: int) -> Containment:
    """A relapse leads as far as its signal may: what others can bring about, with copies of passes, shuts nobody out."""
    alert = event.alert
    relapsed = state.proved_us and at_us - state.proved_us < RELAPSE_S * S_US
    return _down(state, SIGNALS[alert.signal].gravest if alert.step is Step.STEP_UP and relapsed else alert.step, at_us)


def _proved(state: Containment, event: Proved, at_us: int) -> Containment:
    after = UP_BY_PROOF.get(Step(state.step)) if state.kind is Kind.ACCOUNT else None
    if after is None:
        raise PROOF_REFUSED("a proof lifts nothing here")
    # 1. later than what it lifts, so that a session that was open then does not count; 2. now, and not in the time to come.
    if not max(state.since_us, at_us - PROOF_S_MAX * S_US) < event.authenticated_us <= at_us:
        raise PROOF_REFUSED("this login is too old")
    is_left = state.since_us == state.proved_us
    return Containment(
        state.kind,
        int(after),
        at_us,
        at_us if state.step == Step.STEP_UP else state.proved_us,
        # a `slowed` that a proof left of a step-up was set for nobody's login: those before the step-up are meant still
        older=state.older if is_left else joined(state.older, Older(state.step, state.since_us)),
        cleared_us=state.cleared_us,
    )


def _contained(state: Containment, event: Contained, at_us: int) -> Containment:
    signed(event.operator, event.reason)
    if not event.step or event.step not in {*_ladder(state)}:
        raise CONTAINMENT_REFUSED("this is no limit", fix="Name a step of this ladder below open.")
    if event.step >= state.step:  # the same again too: who saw it before saw less
        return _moved_down(state, event.step, at_us, is_lost=state.is_lost)
    return msgspec.structs.replace(state, **NOTHING_ASKED)


def _lost(state: Containment, event: Lost, at_us: int) -> Containment:
    signed(event.operator, event.reason)
    if state.kind is not Kind.ACCOUNT:
        raise CONTAINMENT_REFUSED("only an account has devices", fix="Name an account.")
    since_us = state.since_us if state.step == Step.QUARANTINED else at_us
    return _moved_down(state, Step.QUARANTINED, since_us, is_lost=True)


def _reset(state: Containment, event: Reset, at_us: int) -> Containment:
    """To `slowed`: whoever logs in anew with the new device lifts that. What was logged in before stays quarantined."""
    operator = signed(event.operator, event.reason)
    if not state.is_lost:
        raise CONTAINMENT_REFUSED("no device of it was lost", fix="Lift a limit with: ecluse gate release.")
    # a request made by an older version has no instant: the delay given at confirmation applies
    from_us = state.asked_from_us or state.asked_us + event.delay_us
    if not state.asked_by or at_us >= from_us + SECOND_S_MAX * S_US:
        asked = {"asked_by": operator, "asked_step": int(Step.SLOWED), "asked_us": at_us}
        return msgspec.structs.replace(state, **asked, asked_from_us=at_us + event.delay_us)
    if operator == state.asked_by:
        raise CONTAINMENT_REFUSED("the same operator asked for it")
    if at_us < from_us:
        raise CONTAINMENT_REFUSED("the delay is not over", fix="Confirm once it is, and the holder was told.")
    older = (Older(int(Step.QUARANTINED), at_us),)
    return Containment(state.kind, int(Step.SLOWED), at_us, older=older, cleared_us=at_us)


def _released(state: Containment, event: Released, at_us: int) -> Containment:
    operator = signed(event.operator, event.reason)
    if event.step not in {*_ladder(state)} or event.step >= state.step:
        raise CONTAINMENT_REFUSED("this is not a step above")
    if state.is_lost:
        raise CONTAINMENT_REFUSED("a device of it was lost", fix="Two operators and a delay: ecluse gate reset.")
    fresh = state.asked_by and at_us - state.asked_us < SECOND_S_MAX * S_US
    if not fresh or state.asked_step != event.step:
        asked = {"asked_by": operator, "asked_step": event.step, "asked_us": at_us}
        return msgspec.structs.replace(state, **asked)
    if operator == state.asked_by:
        raise CONTAINMENT_REFUSED("the same operator asked for it")
    return Containment(state.kind, event.step, at_us, cleared_us=at_us)


def _ladder(state: Containment) -> type[Step] | type[Reach]:
    return Step if state.kind is Kind.ACCOUNT else Reach


NOTHING_ASKED: dict[str, str | int] = {"asked_by": "", "asked_step": 0, "asked_us": 0, "asked_from_us": 0}
# What a full counter leads to. The debt refuses by itself: the account is slowed, so that it is not at its cap for weeks.
CAPS: dict[tuple[bool, str], int] = {
    (True, "debt"): Step.SLOWED,
    (True, "year"): Step.STEP_UP,
    (False, "fleet"): Reach.PRESENCE_ONLY,
}
# From a step, where a proof leads. A quarantine is not in it.
UP_BY_PROOF = {Step.SLOWED: Step.OPEN, Step.PRESENCE_ONLY: Step.OPEN, Step.STEP_UP: Step.SLOWED}
MOVES: dict[type, Callable[..., Containment]] = {
    CapReached: lambda state, event, at_us: _down(state, CAPS[state.kind is Kind.ACCOUNT, event.counter], at_us),
    Alerted: _alerted,
    Denied: lambda state, event, at_us: _down(state, step_due(event.denied, event.opened, event.of_one), at_us),
    Proved: _proved,
    Contained: _contained,
    Released: _released,
    Lost: _lost,
    Reset: _reset,
}


class Verdict(NamedTuple):
    """What a question gets: admitted (`slowed`: with the smaller bucket), or refused with a code."""

    refusal: Refusal | None = None
    slowed: bool = False


_YES, _SLOWED, _PASS = Verdict(), Verdict(slowed=True), Verdict(PRESENCE_REQUIRED)
_PROVE, _NEVER, _CLOSED = Verdict(STEP_UP_REQUIRED), Verdict(QUARANTINED), Verdict(CLOSED)
# Step → what a question gets that is typed, with a pass, with a live pass.
ALLOWS: dict[Step, tuple[Verdict, Verdict, Verdict]] = {
    Step.OPEN: (_YES, _YES, _YES),
    Step.SLOWED: (_SLOWED, _YES, _YES),
    Step.PRESENCE_ONLY: (_PASS, _YES, _YES),
    Step.STEP_UP: (_PROVE, _YES, _YES),
    Step.QUARANTINED: (_NEVER, _NEVER, _NEVER),
}
REACHES: dict[Reach, tuple[Verdict, Verdict, Verdict]] = {
    Reach.OPEN: (_YES, _YES, _YES),
    Reach.PRESENCE_ONLY: (_PASS, _YES, _YES),
    Reach.CLOSED: (_CLOSED, _CLOSED, _CLOSED),
}


def allows(state: Containment, presence: Presence, login_us: int = 0) -> Verdict:
    """What a question of this presence gets at this step: of the account, and of all else that it touches.

    `login_us`: when who asks logged in, as their token says; 0 where it says nothing.
    """
    if state.kind is Kind.ACCOUNT:
        return ALLOWS[Step(state.step_of(login_us))][presence]
    return REACHES[Reach(state.step)][presence]
