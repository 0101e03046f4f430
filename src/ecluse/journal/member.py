"""Who a reference is, as the journal keeps it: the member's number, birth date and rank, sealed under the person's key."""

from __future__ import annotations

import msgspec


class Member(msgspec.Struct, frozen=True, array_like=True):
    """A member as their insurer names them: what a person's reference is made from (`rights/person.py`)."""

    number: str
    birth_date: str
    rank: int


encode_member = msgspec.msgpack.Encoder().encode
decode_member = msgspec.msgpack.Decoder(Member).decode


def member_about(person: bytes) -> bytes:
    """What the seal is bound to: the reference that it leads back from."""
    return b"who|1|" + person
