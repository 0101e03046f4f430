"""Signed notes (C2SP signed-note): a text, an empty line, one line for each signature.

A key is known by its name and an id of four bytes, which hashes name, kind and public key. Signatures of keys one does not know
are ignored; a bad signature of a known key condemns the whole note.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from hashlib import sha256

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ecluse.kernel.errors import refusal

NOTE_BYTES_MAX = 256 << 10  # room for 16 signatures of 5 kB (the most that must be accepted) and a text
SIGNATURES_MAX = 64  # as many as a hub has insurers that watch, and some; each costs a verification
ED25519, COSIGNATURE, ML_DSA_44 = 0x01, 0x04, 0x06  # kinds of keys; the last two cosign (journal/cosignature.py)
PUBLIC_BYTES = {ED25519: 32, COSIGNATURE: 32, ML_DSA_44: 1312}
_DASH = "— "

VKEY_INVALID = refusal(
    "vkey_invalid", 400, "This is not a verifier key", fix="Copy the whole of name+id+base64, as it was printed."
)


class Key(msgspec.Struct, frozen=True):
    """A public key that verifies notes: its name, its kind (a byte of the specification), its bytes."""

    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        """The four bytes it is known by, with its name."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    @property
    def text(self) -> str:
        """As others configure it: `name+id+base64`, a *vkey*."""
        material = base64.b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{self.id.hex()}+{material}"


class Signature(msgspec.Struct, frozen=True):
    """One signature line: the key's name and id, and what it signed with."""

    name: str
    id: bytes
    signature: bytes

    @property
    def line(self) -> str:
        """As it stands in a note, with its newline."""
        return f"{_DASH}{self.name} {base64.b64encode(self.id + self.signature).decode()}\n"


class Note(msgspec.Struct, frozen=True):
    """A note: its text, with the last newline, and its signatures."""

    text: str
    signatures: tuple[Signature, ...]

    @property
    def content(self) -> str:
        """The whole note."""
        return self.text + "\n" + "".join(each.line for each in self.signatures)

    def by(self, key: Key) -> list[Signature]:
        """The signatures made under that key's name and id."""
        return [each for each in self.signatures if each.name == key.name and each.id == key.id]


def read_key(text: str) -> Key:
    """The key of a *vkey*. Raises `ValueError`."""
    name, *rest = text.strip().split("+", 2)
    if len(rest) != 2 or not name_is_valid(name):
        raise ValueError("not a verifier key")
    id_, decoded = rest[0], unbase64(rest[1])
    if not decoded or len(decoded) - 1 != PUBLIC_BYTES.get(decoded[0], len(decoded) - 1):
        raise ValueError("not a verifier key")
    key = Key(name, decoded[0], decoded[1:])
    if key.id.hex() != id_:
        raise ValueError("the key's id is not that of its name and bytes")
    return key


def typed_key(text: str) -> Key:
    """The key of a *vkey* that somebody typed or pasted. Raises `vkey_invalid`."""
    try:
        return read_key(text)
    except ValueError as wrong:
        raise VKEY_INVALID(str(wrong)) from None


def name_is_valid(name: str) -> bool:
    """Whether a key may have this name: not empty, without spaces or plus."""
    return bool(name) and "+" not in name and not any(each.isspace() for each in name)


def read_note(content: str) -> Note:
    """The note. Raises `ValueError` on anything else."""
    if len(content.encode()) > NOTE_BYTES_MAX:
        raise ValueError("too long")
    if any(ord(each) < 0x20 and each != "\n" for each in content):
        raise ValueError("a control character")
    text, found, lines = content.rpartition("\n\n")
    if not found or not lines.endswith("\n"):
        raise ValueError("no signatures")
    signatures = tuple(_signature(line) for line in lines[:-1].split("\n"))
    if len(signatures) > SIGNATURES_MAX:
        raise ValueError("too many signatures")
    return Note(text + "\n", signatures)


def verify(note: Note, keys: Iterable[Key]) -> list[Key]:
    """The Ed25519 keys that signed the note, of those given; `cosignature.signers` knows other kinds too.

    Raises `ValueError` when the signature of one of them is wrong.
    """
    signed = [(key, each.signature) for key in keys for each in note.by(key)]
    for key, signature in signed:
        _check(key, note.text.encode(), signature)
    return [key for key, _ in signed]


def _check(key: Key, message: bytes, signature: bytes) -> None:
    if key.kind != ED25519:
        raise ValueError(f"{key.name} does not sign notes with Ed25519")
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, message)
    except InvalidSignature:
        raise ValueError(f"the signature of {key.name} is wrong") from None


def _signature(line: str) -> Signature:
    name, _, material = line.removeprefix(_DASH).partition(" ")
    decoded = unbase64(material)
    if not line.startswith(_DASH) or not name_is_valid(name) or len(decoded) < 5:
        raise ValueError("not a signature line")
    return Signature(name, decoded[:4], decoded[4:])


def unbase64(text: str) -> bytes:
    """The bytes of the one text that encodes them: no space, no bit to spare. Raises `ValueError`."""
    try:
        decoded = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("not base64") from None
    if base64.b64encode(decoded).decode() != text:
        raise ValueError("not base64 as it is written once")
    return decoded
