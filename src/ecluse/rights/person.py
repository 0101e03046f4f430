"""The messages whose keyed digests stand for a person: the only place where they are written.

A pseudonym is `Keys.pseudonym(amc, message)`: under the insurer's own key, so that two insurers never share one.
Values are those of `kernel/ids.py`, already read; none of those kept can hold the `|` that separates them.
"""

from __future__ import annotations

from ecluse.rights.model import SCHEMA


def nir_message(nir: str, birth_date: str, rank: int) -> bytes:
    """What names a person by NIR (15 characters), birth date as the card has it, and birth rank."""
    return f"nir|{nir}|{birth_date}|{rank}".encode()


def member_message(member_number: str, birth_date: str, rank: int) -> bytes:
    """What names a person by the insurer's member number; one number may cover a family, hence date and rank."""
    return f"member|{member_number}|{birth_date}|{rank}".encode()


def person_message(member_number: str, birth_date: str, rank: int) -> bytes:
    """What the journal's reference of a person is made from: only the insurer can lead it back to a member."""
    return f"person|{member_number}|{birth_date}|{rank}".encode()


def right_about(amc: str, person: bytes) -> bytes:
    """What a sealed right is bound to: schema, insurer and person. Moved to another person, it no longer opens."""
    return b"right|%d|%b|%b" % (SCHEMA, amc.encode(), person)
