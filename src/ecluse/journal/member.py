"""Who a reference is, as the journal keeps it: the member's number, birth date and rank, sealed under the person's key."""

from __future__ import annotations

import msgspec

from ecluse.kernel.ids import birth_date, birth_rank, member_number


class Member(msgspec.Struct, frozen=True, array_like=True):
    """A member as their insurer names them: what a person's reference is made from (`rights/person.py`)."""

    number: str
    birth_date: str
    rank: int


def named_member(member: Member) -> Member:
    """A member as somebody sent them, in a form that a member file can hold: what has another is silently nobody's reference.

    Raises `member_number_invalid`, `birth_date_invalid`, `birth_rank_invalid`.
    """
    return Member(
        member_number(member.number, pointer="/member/member_number"),
        birth_date(member.birth_date, pointer="/member/birth_date"),
        birth_rank(member.rank, pointer="/member/birth_rank"),
    )


encode_member = msgspec.msgpack.Encoder().encode
decode_member = msgspec.msgpack.Decoder(Member).decode


def member_about(person: bytes) -> bytes:
    """What the seal is bound to: the reference that it leads back from."""
    return b"who|1|" + person
