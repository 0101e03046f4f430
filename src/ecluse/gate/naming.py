"""What can be contained, by the names people give it: each is brought to the one form the gate compares, or refused.

A stop that names nothing stops nothing, and says it did. So what is unambiguous is read (case, spaces, an address as its network)
and nothing else is guessed. Pure: whether the hub ever met it is for `app/naming.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import ip_network

from ecluse.gate.containment import Kind
from ecluse.gate.distance import WHERE
from ecluse.gate.identity import INSURER_SCHEME, SUB_CHARS_MAX, TOLD_CHARS_MAX
from ecluse.gate.network import PREFIX_BITS, network_of
from ecluse.kernel.errors import Refused, refusal
from ecluse.kernel.ids import AMC_INVALID, amc
from ecluse.rights.model import Domain

CONTAINED_UNKNOWN = refusal(
    "contained_unknown",
    422,
    "This is no name of an account, or of what can be contained",
    fix="Name an account (rpps:…), insurer:NUMBER, domain:CODE, vendor:SOFTWARE, department:CODE or network:PREFIX, and a step.",
)

DEPARTMENTS = {
    *WHERE,
    "975",
    "977",
    "978",
    "98",
}  # with what FINESS writes of those that have no prefecture in the table
_SCHEME = re.compile(r"[a-z][a-z0-9-]{1,15}")
_VALUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]*")
# No key: no public text has it, and a stop is not the place to learn that it is another.
_RPPS = re.compile(r"[0-9]{11}")


# Nobody types them, databases refuse some, and a terminal obeys them.
_UNWRITTEN = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def read_name(text: str) -> tuple[Kind, str]:
    """The kind and the name that `text` means. Raises `contained_unknown`, which says what a name of that kind looks like."""
    scheme, colon, rest = text.partition(":")
    scheme, rest = scheme.strip().lower(), rest.strip()
    if not colon or not rest:
        raise CONTAINED_UNKNOWN("a name says what it is of, before a colon")
    if scheme in READ:
        return Kind(scheme), READ[Kind(scheme)](rest)
    return Kind.ACCOUNT, _account(scheme, rest)


def letter_by_letter(text: str) -> tuple[Kind, str]:
    """The same, read as it stands. Raises `contained_unknown` for what no name is written with."""
    if _UNWRITTEN.search(text):
        raise CONTAINED_UNKNOWN("a name has no control characters")
    scheme, colon, rest = text.partition(":")
    return (Kind(scheme), rest) if colon and scheme in READ else (Kind.ACCOUNT, text)


def _account(scheme: str, value: str) -> str:
    if scheme == "rpps":
        value = _closed_up(value)
        if not _RPPS.fullmatch(value):
            raise CONTAINED_UNKNOWN("an RPPS number has 11 digits", fix="Write it as rpps:10000000001.")
    elif scheme == INSURER_SCHEME:
        value = _insurer(value)
    elif not (_SCHEME.fullmatch(scheme) and _VALUE.fullmatch(value) and len(value) <= SUB_CHARS_MAX):
        fix = "Write it as tokens do, rpps:10000000001; one of any other form to the letter, after account:."
        raise CONTAINED_UNKNOWN("this is no account's name", fix=fix)
    return f"{scheme}:{value}"


def _sub(text: str) -> str:
    """An account as its issuer names it, whatever that looks like."""
    if len(text) > SUB_CHARS_MAX:
        raise CONTAINED_UNKNOWN("no account's name is so long")
    return text


def _insurer(text: str) -> str:
    try:
        return amc(text)
    except Refused:
        raise CONTAINED_UNKNOWN("this is no insurer's number", fix=AMC_INVALID.fix) from None


def _domain(text: str) -> str:
    if (code := text.upper()) not in {*Domain}:
        raise CONTAINED_UNKNOWN("this is no kind of care", fix=f"Write one of {', '.join(Domain)}.")
    return code


def _department(text: str) -> str:
    code = _closed_up(text).upper()
    if len(code) == 3 and code.startswith("0"):
        code = code[1:]
    if code.zfill(2) not in DEPARTMENTS:
        raise CONTAINED_UNKNOWN("this is no département", fix="Write its code: 37, 2A, 974.")
    return code.zfill(2)


def _network(text: str) -> str:
    if found := network_of(text):
        return found
    try:
        given = ip_network(text, strict=False)
    except ValueError:
        raise CONTAINED_UNKNOWN(
            "this is no network", fix="Write an address, or 192.0.2.0/24, 2001:db8:1::/48."
        ) from None
    if given.prefixlen < PREFIX_BITS[given.version]:
        raise CONTAINED_UNKNOWN("the gate knows no network so wide", fix="Name each /24 of IPv4, each /48 of IPv6.")
    return network_of(str(given.network_address))


def _closed_up(text: str) -> str:
    return "".join(text.split())


READ: dict[Kind, Callable[[str], str]] = {
    Kind.ACCOUNT: _sub,
    Kind.INSURER: _insurer,
    Kind.DOMAIN: _domain,
    Kind.VENDOR: lambda text: text[:TOLD_CHARS_MAX],
    Kind.DEPARTMENT: _department,
    Kind.NETWORK: _network,
}
