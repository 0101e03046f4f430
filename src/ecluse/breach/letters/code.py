"""The code of a letter, by which a worried person learns that it is real, and learns nothing else (docs/decisions/0029).

Twenty characters in five groups: 30 bits of letter number, 50 bits of a MAC of that number, 20 bits of a MAC of the number with
the addressee's name. All three are HMAC-SHA-256 under a key of one insurer and one incident: who has not the key can make none,
and the same person always has the same code. The alphabet is Crockford's, without I, L, O and U: what is misread is still read.
"""

from __future__ import annotations

import hmac
import re
import unicodedata
from typing import Literal

import msgspec

from ecluse.kernel.errors import refusal

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
NUMBER, TAG, NAME = 6, 10, 4  # characters, of 5 bits each
LENGTH = NUMBER + TAG + NAME
GROUP = 4
KEY_BYTES = 32
CODE_CHARS_MAX = 64  # with every separator one may type
NAME_CHARS_MAX = 200

_PAIRS = [first + second for first in ALPHABET for second in ALPHABET]
_AS_TYPED = str.maketrans({"O": "0", "I": "1", "L": "1"})
_SEPARATORS = re.compile(r"[\s.\-–—_]+")

CODE_REFUSED = refusal(
    "letter_code_refused",
    404,
    "No letter of ours has this code",
    fix="Read it again, 20 characters; if it is refused again the letter is not ours: do nothing of what it asks.",
)


class LetterKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True, repr_omit_defaults=True):
    """What codes are made and checked with; kept by the insurer alone."""

    incident: str
    insurer: str
    key: bytes

    def __repr__(self) -> str:
        return f"LetterKey(incident={self.incident!r}, insurer={self.insurer!r})"


class Checked(msgspec.Struct, frozen=True):
    """The whole answer: the letter is real; whether the name given is the one it was written to."""

    real: bool
    name: Literal["matches", "does_not_match", "not_given"]


def code_of(key: LetterKey, reference: str, name: str) -> str:
    """The code of the letter written about the person `reference` to somebody of this last name: five groups of four."""
    number = _digits(_mac(key, "number", reference), NUMBER)
    whole = number + _tag(key, number) + _name_tag(key, number, name)
    return "-".join(whole[at : at + GROUP] for at in range(0, LENGTH, GROUP))


def check(key: LetterKey, code: str, name: str = "") -> Checked:
    """Whether a letter is real, and, where a last name is given, was written to it. Raises `letter_code_refused`."""
    whole = _SEPARATORS.sub("", code[: CODE_CHARS_MAX + 1].upper()).translate(_AS_TYPED)
    if len(whole) != LENGTH or not set(whole) <= set(ALPHABET):
        raise CODE_REFUSED()
    number, tag, named = whole[:NUMBER], whole[NUMBER:-NAME], whole[-NAME:]
    if not hmac.compare_digest(tag, _tag(key, number)):
        raise CODE_REFUSED()
    if not name.strip():
        return Checked(True, "not_given")
    same = hmac.compare_digest(named, _name_tag(key, number, name[:NAME_CHARS_MAX]))
    return Checked(True, "matches" if same else "does_not_match")


def folded(name: str) -> str:
    """A last name without accents, case, spaces or hyphens: it is typed by people."""
    plain = unicodedata.normalize("NFKD", name.casefold().replace("œ", "oe").replace("æ", "ae"))
    return "".join(each for each in plain if each.isalnum())


def _tag(key: LetterKey, number: str) -> str:
    return _digits(_mac(key, "letter", number), TAG)


def _name_tag(key: LetterKey, number: str, name: str) -> str:
    return _digits(_mac(key, "name", f"{number}|{folded(name)}"), NAME)


def _mac(key: LetterKey, what: str, value: str) -> bytes:
    said = "\0".join(("ecluse/letter/1", key.incident, key.insurer, what, value))
    return hmac.digest(key.key, said.encode(), "sha256")


def _digits(mac: bytes, count: int) -> str:
    """The first bits of a MAC, five to a character; two characters at a time, for a run has millions."""
    bits = int.from_bytes(mac[:8])
    return "".join([_PAIRS[bits >> at & 1023] for at in range(54, 54 - 5 * count, -10)])
