"""Cosignatures (C2SP tlog-cosignature), and one function that checks a note against keys of every kind.

A cosignature says: at that time, this was the largest tree of this log that the witness had seen, and it continued all it had
seen before. There are two kinds, Ed25519 and ML-DSA-44; both are made from the public text of a checkpoint alone.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

from ecluse.journal.checkpoint import read_checkpoint
from ecluse.journal.note import COSIGNATURE, ED25519, ML_DSA_44, Key, Note, Signature

TIMESTAMP_MAX = 2**63 - 1  # seconds, by the specification
_TIMESTAMP = struct.Struct(">Q")
_LABEL = b"subtree/v1\n\0"


class Signed(msgspec.Struct, frozen=True):
    """A key whose signature on a note is right; `time_s` is when a witness says it signed, 0 where it does not say."""

    key: Key
    time_s: int = 0


def cosigned(note_text: str, key: Key, time_s: int, sign: Callable[[bytes], bytes]) -> Signature:
    """The cosignature of a checkpoint's text by `key` at `time_s`. Raises `ValueError` when the text is no checkpoint."""
    message = _MESSAGES[key.kind](key, time_s, note_text)
    return Signature(key.name, key.id, _TIMESTAMP.pack(time_s) + sign(message))


def signers(note: Note, keys: Iterable[Key]) -> list[Signed]:
    """Those of `keys` that signed the note, of whatever kind they are.

    As signed-note demands: what others signed is ignored; a wrong signature under a known key's name and id raises `ValueError`.
    """
    return [_checked(key, note.text, each.signature) for key in keys for each in note.by(key)]


def _checked(key: Key, text: str, signature: bytes) -> Signed:
    if key.kind not in _CHECKS:
        raise ValueError(f"{key.name} has a key of a kind that is not known here")
    time_s, message = 0, text.encode()
    if key.kind in _MESSAGES:
        if len(signature) <= _TIMESTAMP.size:
            raise ValueError(f"the cosignature of {key.name} is cut")
        time_s = _TIMESTAMP.unpack_from(signature)[0]
        if not 0 < time_s <= TIMESTAMP_MAX:  # of a whole tree, the time is never left out
            raise ValueError(f"the cosignature of {key.name} has no time")
        message, signature = _MESSAGES[key.kind](key, time_s, text), signature[_TIMESTAMP.size :]
    try:
        _CHECKS[key.kind](key.public, signature, message)
    except InvalidSignature:
        raise ValueError(f"the signature of {key.name} is wrong") from None
    return Signed(key, time_s)


def _check_ed25519(public: bytes, signature: bytes, message: bytes) -> None:
    Ed25519PublicKey.from_public_bytes(public).verify(signature, message)


def _check_ml_dsa_44(public: bytes, signature: bytes, message: bytes) -> None:
    MLDSA44PublicKey.from_public_bytes(public).verify(signature, message)


def _ed25519_message(_: Key, time_s: int, text: str) -> bytes:
    read_checkpoint(text)
    return f"cosignature/v1\ntime {time_s}\n{text}".encode()


def _ml_dsa_44_message(key: Key, time_s: int, text: str) -> bytes:
    """`cosigned_message` of the specification, of the subtree from 0 that is the whole tree."""
    head = read_checkpoint(text)
    numbers = struct.pack(">QQ", 0, head.size)
    return _LABEL + _short(key.name) + _TIMESTAMP.pack(time_s) + _short(head.origin) + numbers + head.root


def _short(text: str) -> bytes:
    encoded = text.encode()
    if not 1 <= len(encoded) <= 255:
        raise ValueError("a name of 1 to 255 bytes")
    return bytes([len(encoded)]) + encoded


_MESSAGES: dict[int, Callable[[Key, int, str], bytes]] = {COSIGNATURE: _ed25519_message, ML_DSA_44: _ml_dsa_44_message}
_CHECKS: dict[int, Callable[[bytes, bytes, bytes], None]] = {
    ED25519: _check_ed25519,
    COSIGNATURE: _check_ed25519,
    ML_DSA_44: _check_ml_dsa_44,
}
