"""The pass an insurer's patient carries: what stands in it, its bytes, its text. Nothing in it names a person.

`handles` recognise the person that a question is about, once the hub has keyed what the question says: 8 bytes for the NIR, 8 for
the member number, each other in every pass. A photograph of the code tells the insurer, the kinds of care and the days.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

import msgspec

from ecluse.kernel.days import parse_day
from ecluse.passes import base45, cbor, cose
from ecluse.passes.refusals import PASS_INVALID
from ecluse.rights.model import Domain

PREFIX = "TP1:"
CONTEXT = b"ecluse/pass/1"  # the external data of the issuer's signature
CHARS_MAX = 512  # the longest, shown live by its holder, has 439; looked at before anything is decoded
KEY_ID_BYTES = 8
HANDLE_BYTES = 8  # 2^-64 for another person to be taken for the one meant
THUMBPRINT_BYTES = 16
INDEX_MAX = 2**27 - 1  # bits of the longest status list: four passes at once for each of 33 million people
VALID_DAYS_MIN = 7  # under a week, a pass on paper is printed at each visit
VALID_DAYS_MAX = 31  # a lost one dies by itself in a month, and a status list needs to remember no longer
DAY_S = 86_400

# Bit of the mask → kind of care. Never reordered: passes that were issued say their bits.
DOMAIN_BITS = (
    Domain.MED, Domain.PHAR, Domain.LABO, Domain.OPTI, Domain.DENT,
    Domain.AUDI, Domain.RADI, Domain.AUXM, Domain.HOSP, Domain.TRAN,
)  # fmt: skip
# Key in the map → the type of its value, and whether it may be left out.
_INSURER, _INDEX, _HANDLES, _EXPIRES, _NOT_BEFORE, _DOMAINS, _UNTIL, _HOLDER = range(1, 9)
_TYPES: dict[int, type] = {
    _INSURER: str,
    _INDEX: int,
    _HANDLES: bytes,
    _EXPIRES: int,
    _NOT_BEFORE: int,
    _DOMAINS: int,
    _UNTIL: int,
    _HOLDER: bytes,
}
_OPTIONAL = frozenset({_HOLDER})
_EPOCH = "1970-01-01"
_INSURER_FORM = re.compile(r"[0-9]{8,10}")


class Pass(msgspec.Struct, frozen=True):
    """A pass. `index`: its bit in the issuer's status list. `holder`: thumbprint of the key of its holder, empty on paper.

    The minimal view of rights, for those cut off from the hub: `domains` are covered to the end of `covered_until`, which is
    never after the pass itself.
    """

    insurer: str
    index: int
    handles: bytes
    not_before_ts: int
    expires_ts: int
    domains: tuple[Domain, ...]
    covered_until: date
    holder: bytes = b""

    def is_for(self, handle: bytes) -> bool:
        """Whether one of its two handles is this one."""
        return handle in (self.handles[:HANDLE_BYTES], self.handles[HANDLE_BYTES:])


def key_id(public: bytes) -> bytes:
    """What names an issuer's key in a pass: the first 8 bytes of its SHA-256."""
    return sha256(public).digest()[:KEY_ID_BYTES]


def thumbprint(holder: bytes) -> bytes:
    """What a pass says of its holder's public key (32 bytes)."""
    return sha256(holder).digest()[:THUMBPRINT_BYTES]


def handle_message(index: int, pseudonym: bytes) -> bytes:
    """What is keyed to make a handle: the pseudonym of version 1 of what was asked, and the pass's own index."""
    return b"pass|%d|%b" % (index, pseudonym)


def issue(made: Pass, public: bytes, sign: cose.Sign) -> bytes:
    """The bytes of a pass, signed by the issuer whose key is `public`."""
    return cose.sign1({cose.KID: key_id(public)}, cbor.write(_claims(made)), CONTEXT, sign)


def as_text(encoded: bytes) -> str:
    """What stands in the QR code."""
    return PREFIX + base45.encode(encoded)


def from_text(text: str) -> bytes:
    """The bytes of `as_text`, of a pass or of one shown live. Raises `pass_invalid`."""
    if len(text) > CHARS_MAX:
        raise PASS_INVALID("too long")
    if not text.startswith(PREFIX):
        raise PASS_INVALID("not a pass")
    return base45.decode(text[len(PREFIX) :])


def read_claims(payload: bytes) -> Pass:
    """The pass in a payload, whoever signed it. Raises `pass_invalid`."""
    claims = cbor.read(payload)
    if not isinstance(claims, dict) or not _TYPES.keys() - _OPTIONAL <= claims.keys() <= _TYPES.keys():
        raise PASS_INVALID("claims")
    if any(type(value) is not _TYPES[key] for key, value in claims.items()):
        raise PASS_INVALID("claims")
    if not all(holds for holds in _forms(claims)):
        raise PASS_INVALID("claims")
    bits = claims[_DOMAINS]
    return Pass(
        insurer=claims[_INSURER],
        index=claims[_INDEX],
        handles=claims[_HANDLES],
        not_before_ts=claims[_NOT_BEFORE],
        expires_ts=claims[_EXPIRES],
        domains=tuple(domain for place, domain in enumerate(DOMAIN_BITS) if bits >> place & 1),
        covered_until=parse_day(_EPOCH) + timedelta(days=claims[_UNTIL]),
        holder=claims.get(_HOLDER, b""),
    )


def _forms(claims: dict[int, Any]) -> tuple[bool, ...]:
    """What must hold of values of the right types."""
    lasts_s = claims[_EXPIRES] - claims[_NOT_BEFORE]
    return (
        _INSURER_FORM.fullmatch(claims[_INSURER]) is not None,
        0 <= claims[_INDEX] <= INDEX_MAX,
        len(claims[_HANDLES]) == 2 * HANDLE_BYTES,
        claims[_NOT_BEFORE] > 0,
        VALID_DAYS_MIN * DAY_S <= lasts_s <= VALID_DAYS_MAX * DAY_S,
        0 <= claims[_DOMAINS] < 1 << len(DOMAIN_BITS),
        0 <= claims[_UNTIL] <= claims[_EXPIRES] // DAY_S + 1 <= 1 << 20,  # days in Paris begin before those of UTC
        len(claims.get(_HOLDER, bytes(THUMBPRINT_BYTES))) == THUMBPRINT_BYTES,
    )


def _claims(made: Pass) -> dict[int, Any]:
    claims: dict[int, Any] = {
        _INSURER: made.insurer,
        _INDEX: made.index,
        _HANDLES: made.handles,
        _EXPIRES: made.expires_ts,
        _NOT_BEFORE: made.not_before_ts,
        _DOMAINS: sum(1 << DOMAIN_BITS.index(domain) for domain in made.domains),
        _UNTIL: (made.covered_until - parse_day(_EPOCH)).days,
    }
    return {**claims, _HOLDER: made.holder} if made.holder else claims
