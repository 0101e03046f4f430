"""Base45 (RFC 9285), strictly: bytes as text that a QR code keeps in its alphanumeric mode, and one text for the same bytes.

Two bytes are three characters, a last byte alone is two, the lowest digit first (RFC 9285 §4).
"""

from __future__ import annotations

from ecluse.passes.refusals import PASS_INVALID

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_VALUES = {character: value for value, character in enumerate(ALPHABET)}
_BASE = 45
_BYTES = {3: 2, 2: 1}  # characters of a group → bytes it stands for; one character alone stands for nothing


def encode(plain: bytes) -> str:
    """The text of some bytes."""
    return "".join(_group(plain[at : at + 2]) for at in range(0, len(plain), 2))


def decode(text: str) -> bytes:
    """The bytes of `encode`. Raises `pass_invalid` for every other text: letters of another alphabet, numbers too large."""
    return b"".join(_ungroup(text[at : at + 3]) for at in range(0, len(text), 3))


def _group(plain: bytes) -> str:
    number, text = int.from_bytes(plain), ""
    for _ in range(len(plain) + 1):
        number, digit = divmod(number, _BASE)
        text += ALPHABET[digit]
    return text


def _ungroup(text: str) -> bytes:
    try:
        number: int = sum(_VALUES[character] * _BASE**place for place, character in enumerate(text))
        return number.to_bytes(_BYTES[len(text)])
    except (LookupError, OverflowError):
        raise PASS_INVALID("not base45") from None
