"""Base45 (RFC 9285), strictly: bytes as text that a QR code keeps in its alphanumeric mode, and one text for the same bytes.

Two bytes are three characters, a last byte alone is two, the lowest digit first (RFC 9285 §4).
"""

from __future__ import annotations

from ecluse.passes.refusals import PASS_INVALID

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_VALUES = {character: value for value, character in enumerate(ALPHABET)}
_BASE = 45


def encode(plain: bytes) -> str:
    """The text of some bytes."""
    return "".join(_group(plain[at : at + 2]) for at in range(0, len(plain), 2))


def decode(text: str) -> bytes:
    """The bytes of `encode`. Raises `pass_invalid` for every other text: letters of another alphabet, numbers too large."""
    try:
        digits = [_VALUES[character] for character in text]
        triples = zip(
            digits[0::3], digits[1::3], digits[2::3], strict=False
        )  # what is left of a last group comes after
        pairs = [(low + _BASE * middle + _BASE**2 * high).to_bytes(2) for low, middle, high in triples]
        return b"".join(pairs) + _last(digits[3 * len(pairs) :])
    except (LookupError, OverflowError):
        raise PASS_INVALID("not base45") from None


def _last(digits: list[int]) -> bytes:
    """A byte alone is two characters; one character alone stands for nothing, which is a `LookupError`."""
    return (digits[0] + _BASE * digits[1]).to_bytes(1) if digits else b""


def _group(plain: bytes) -> str:
    number, text = int.from_bytes(plain), ""
    for _ in range(len(plain) + 1):
        number, digit = divmod(number, _BASE)
        text += ALPHABET[digit]
    return text
