"""The ring's file wrapped by a key that never leaves its place: a fresh key seals the file, that place seals the fresh key.

The file begins with the wrapping key's name. Destroying keys draws another wrapping key and destroys the one before, so
that no older copy of the file opens again, wherever it went.
"""

from __future__ import annotations

import os
from typing import Protocol

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ecluse.engines.keys.ring import KEY_BYTES, MAGIC, NONCE_BYTES


class Wrapper(Protocol):
    """Wrapping keys by name. Every name of this hub begins with the same `family`."""

    def draw_wrapping(self, family: str) -> str:
        """A new wrapping key's name."""
        ...

    def wrap(self, name: str, key: bytes) -> bytes:
        """`key` (32 bytes), wrapped."""
        ...

    def unwrap(self, name: str, wrapped: bytes) -> bytes:
        """The key. Raises `ValueError` when it does not unwrap."""
        ...

    def wrapping(self, family: str) -> list[str]:
        """The names of a family's keys."""
        ...

    def drop(self, name: str) -> None:
        """Destroy a wrapping key."""
        ...


class _Body(msgspec.Struct, frozen=True, array_like=True):
    family: str
    name: str
    wrapped: bytes
    nonce: bytes
    sealed: bytes


class Envelope:
    """The `Wrap` of a place that wraps."""

    def __init__(self, kind: bytes, wrapper: Wrapper) -> None:
        self.kind = kind
        self._wrapper = wrapper
        self._family = self._name = ""

    def seal(self, plain: bytes) -> bytes:
        """Wrap the ring."""
        if not self._name:
            self._family = self._family or os.urandom(6).hex()
            self._name = self._wrapper.draw_wrapping(self._family)
        key, nonce = os.urandom(KEY_BYTES), os.urandom(NONCE_BYTES)
        sealed = AESGCM(key).encrypt(nonce, plain, MAGIC)
        return msgspec.msgpack.encode(
            _Body(self._family, self._name, self._wrapper.wrap(self._name, key), nonce, sealed)
        )

    def open(self, sealed: bytes) -> bytes:
        """The ring. Raises `InvalidTag`, `ValueError`."""
        body = msgspec.msgpack.decode(sealed, type=_Body)
        plain = AESGCM(self._wrapper.unwrap(body.name, body.wrapped)).decrypt(body.nonce, body.sealed, MAGIC)
        self._family, self._name = body.family, body.name
        return plain

    def renew(self) -> None:
        """Wrap under another key from now on."""
        self._name = ""

    def retire(self) -> None:
        """Destroy the wrapping keys that are no longer used; a crash before this leaves it to the next change."""
        for name in self._wrapper.wrapping(self._family):
            if name != self._name:
                self._wrapper.drop(name)
