"""`file:keys/hub.keys`: every key in one file sealed with a passphrase; the default.

The file is sealed with scrypt, then AES-256-GCM. Without a passphrase it is plain, readable by its owner only: for
development, and it says so (`DevelopmentOnly`); production refuses it. Index keys work in this process: about a microsecond.
"""

from __future__ import annotations

import hmac
import os
import warnings
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from ecluse.app.ports import Pseudonyms, Signing
from ecluse.engines.keys.keyring import Keyring, Opening, opened
from ecluse.engines.keys.meter import Budget
from ecluse.engines.keys.ring import KEY_BYTES, MAGIC, NONCE_BYTES, PSEUDONYM_BYTES
from ecluse.kernel.errors import refusal

SCRYPT_N, SCRYPT_R, SCRYPT_P = 2**15, 8, 1  # 32 MiB, 60 ms: once a start (RFC 7914 §2)
SALT_BYTES = 16
PASSPHRASE_MIN = 16  # characters; what is shorter is hardly drawn by chance. Long enough is what docs/security.md says

KEYS_UNSEALED = refusal(
    "keys_unsealed",
    500,
    "Unsealed keys are refused in production",
    fix="Set ECLUSE_KEYS_PASSPHRASE or keys.passphrase_file; keys made without one are sealed by `ecluse keys passphrase`.",
)

PASSPHRASE_SHORT = refusal(
    "passphrase_short", 400, "This passphrase is too short", fix="Draw six words by dice: docs/security.md."
)


class DevelopmentOnly(UserWarning):
    """Something here must never meet real data."""


class KeyFile(Keyring):
    """The `Keys` port on one file. `passphrase` empty: unsealed, for development."""

    def __init__(self, path: Path, passphrase: str, budget: Budget = Budget()) -> None:
        super().__init__(path, _Passphrase(passphrase), _InProcess(), budget)


class _Passphrase:
    """The `Wrap` of a passphrase, which is stretched once a salt."""

    def __init__(self, passphrase: str) -> None:
        self.kind = b"scrypt" if passphrase else b"plain"
        self._passphrase = passphrase.encode()
        self._salt = os.urandom(SALT_BYTES)
        self._stretched: dict[bytes, AESGCM] = {}

    def seal(self, plain: bytes) -> bytes:
        if not self._passphrase:
            return plain
        nonce = os.urandom(NONCE_BYTES)
        return self._salt + nonce + self._cipher(self._salt).encrypt(nonce, plain, MAGIC)

    def open(self, sealed: bytes) -> bytes:
        if not self._passphrase:
            return sealed
        self._salt, nonce = sealed[:SALT_BYTES], sealed[SALT_BYTES : SALT_BYTES + NONCE_BYTES]
        return self._cipher(self._salt).decrypt(nonce, sealed[SALT_BYTES + NONCE_BYTES :], MAGIC)

    def renew(self) -> None:
        """A passphrase opens every copy it ever sealed: whoever destroys keys destroys those too (docs/security.md)."""

    def retire(self) -> None:
        """Nothing to destroy."""

    def _cipher(self, salt: bytes) -> AESGCM:
        if salt not in self._stretched:
            key = Scrypt(salt, KEY_BYTES, SCRYPT_N, SCRYPT_R, SCRYPT_P).derive(self._passphrase)
            self._stretched[salt] = AESGCM(key)
        return self._stretched[salt]


class _InProcess:
    """The `Vault` that is the ring itself: what it keeps of a key is the key."""

    place = "this process, from the key file"

    def __init__(self) -> None:
        self._ready: dict[bytes, hmac.HMAC] = {}
        self._signing: dict[bytes, Ed25519PrivateKey] = {}  # to make one of its bytes takes as long as to sign

    def draw_index(self, scope: str) -> bytes:
        return os.urandom(KEY_BYTES)

    def draw_signing(self, purpose: Signing) -> bytes:
        return os.urandom(KEY_BYTES)

    async def chain(self, keys: Sequence[bytes], message: bytes) -> Pseudonyms:
        chain = []
        for key in keys:
            keyed = (self._ready.get(key) or self._prepare(key)).copy()
            keyed.update(message)
            message = keyed.digest()[:PSEUDONYM_BYTES]
            chain.append(message)
        return tuple(chain)

    def keyed(self, key: bytes, messages: Sequence[bytes]) -> list[bytes]:
        ready, done = self._prepare(key), []
        for message in messages:
            keyed = ready.copy()  # half the time of keying anew: two of these for each row of a member file
            keyed.update(message)
            done.append(keyed.digest()[:PSEUDONYM_BYTES])
        return done

    def sign(self, key: bytes, message: bytes) -> bytes:
        return self._private(key).sign(message)

    def public_key(self, key: bytes) -> bytes:
        return self._private(key).public_key().public_bytes_raw()

    def forget(self, key: bytes) -> None:
        self._ready.pop(key, None)
        self._signing.pop(key, None)

    def audited(self, log: bytes) -> int | None:
        return None

    def _private(self, key: bytes) -> Ed25519PrivateKey:
        if key not in self._signing:
            self._signing[key] = Ed25519PrivateKey.from_private_bytes(key)
        return self._signing[key]

    def _prepare(self, key: bytes) -> hmac.HMAC:
        return self._ready.setdefault(key, hmac.new(key, digestmod="sha256"))


def open_keys(opening: Opening, *, new: bool) -> Keyring:
    """The key file at `opening.place`; production refuses unsealed keys.

    Raises `keys_missing` unless `new`, `passphrase_short` where it is; `keys_locked`.
    """
    if new:
        check_new(opening)
    return opened(handle(opening), new=new)


def check_new(opening: Opening) -> None:
    """Refuse to make keys: `passphrase_short`; in production `keys_unsealed`. What was once sealed with less opens as before."""
    if opening.passphrase:
        _check_length(opening.passphrase)
    elif opening.production:
        raise KEYS_UNSEALED()


def handle(opening: Opening) -> Keyring:
    """The keyring, whether its file is there or not."""
    if not opening.passphrase:
        if opening.production:
            raise KEYS_UNSEALED()
        warnings.warn("keys are not sealed: development only", DevelopmentOnly, stacklevel=2)
    return KeyFile(opening.directory / opening.place, opening.passphrase, opening.budget)


def change_passphrase(opening: Opening, old: str, new: str) -> None:
    """Seal the key file with `new` in the place of `old`, which opens it (empty: it was not sealed).

    Raises `passphrase_short`, `keys_missing`, `keys_locked`; then the file is as it was.
    """
    _check_length(new)
    KeyFile(opening.directory / opening.place, old).rewrap(_Passphrase(new))


def _check_length(passphrase: str) -> None:
    if len(passphrase) < PASSPHRASE_MIN:
        raise PASSPHRASE_SHORT(f"{len(passphrase)} characters, at least {PASSPHRASE_MIN}")
