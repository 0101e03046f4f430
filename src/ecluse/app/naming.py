"""What an operator names, in the form the hub compares, and whether the hub has met it.

A stolen account may never have asked here yet: it is contained all the same; whoever mistypes a name hears that nobody has it.
"""

from __future__ import annotations

from ecluse.app.hub import Hub
from ecluse.app.ports.containments import Name
from ecluse.gate.allowance import day_of
from ecluse.gate.containment import Kind
from ecluse.gate.fleet import Breaker
from ecluse.gate.identity import INSURER_SCHEME
from ecluse.gate.naming import CONTAINED_UNKNOWN, letter_by_letter, read_name

AMC_CHARS = (8, 9, 10)


def named(hub: Hub, text: str) -> Name:
    """What `text` means: an account that asked here under that very name, else what `gate/naming.py` reads in it; an insurer as
    this hub writes its number, with zeros in front or without. Raises `contained_unknown`."""
    kind, whole = letter_by_letter(text.strip())
    if kind is Kind.ACCOUNT and is_met(hub, (kind, whole)):
        return kind, whole
    kind, name = read_name(text)
    return kind, _as_served(hub, name) if kind is Kind.INSURER else name


def standing(hub: Hub, text: str) -> Name:
    """The same for something that may be limited already: also under the exact name it was limited by, valid or not."""
    whole = letter_by_letter(text)
    return whole if whole in hub.containments.limits() else named(hub, text)


def account_of(name: Name) -> str:
    """The account that was named. Raises `contained_unknown` for what is none."""
    kind, whose = name
    if kind is not Kind.ACCOUNT:
        raise CONTAINED_UNKNOWN("this is no account", fix="Name an account: rpps:10000000001.")
    return whose


def is_met(hub: Hub, name: Name) -> bool:
    """Whether this hub ever met it: it asked about somebody or logged in, it is served, something was counted of it.

    Kinds of care and départements are there whether anybody asks or not.
    """
    kind, whose = name
    if kind is Kind.ACCOUNT:
        scheme, _, number = whose.partition(":")
        return (
            hub.allowance.store.position(whose, day_of(hub.now_ts_us)) is not None
            or hub.sensings.state(whose) is not None
            or bool(hub.sessions.of(whose) or hub.passkeys.of(whose))
            or (scheme == INSURER_SCHEME and hub.keys.has(number))
        )
    if kind is Kind.INSURER:
        return hub.keys.has(whose)
    return kind in (Kind.DOMAIN, Kind.DEPARTMENT) or hub.sensings.breaker(name) != Breaker()


def _as_served(hub: Hub, number: str) -> str:
    """The number of the one insurer served here that this can mean, or itself."""
    if hub.keys.has(number):
        return number
    short = number.lstrip("0")
    same = {short.rjust(chars, "0") for chars in AMC_CHARS if len(short) <= chars}
    found = [each for each in sorted(same) if hub.keys.has(each)]
    return found[0] if len(found) == 1 else number
