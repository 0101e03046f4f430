"""Keys in one sealed file: AES-256-GCM data keys and HMAC-SHA-256 index keys, per scope, with versions.

The file is sealed with a passphrase (scrypt, then AES-256-GCM). Without a passphrase it is plain, readable by its
owner only: for development, and it says so (`DevelopmentOnly`); production refuses it. Every process may open the
file; a process that meets a scope it does not know reads the file again, so a new insurer needs no restart.
"""

from __future__ import annotations

import fcntl
import hmac
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from ecluse.app.ports import HUB
from ecluse.engines.durable import sync
from ecluse.kernel.errors import refusal

MAGIC = b"ecluse-keys 1\n"
SCRYPT_N, SCRYPT_R, SCRYPT_P = 2**15, 8, 1  # 32 MiB, 60 ms: once a start (RFC 7914 §2)
NONCE_BYTES = 12
KEY_BYTES = 32
PSEUDONYM_BYTES = 16  # 2^-64 for two of 33 million people to collide in one insurer

SCOPE_UNKNOWN = refusal(
    "insurer_unknown",
    404,
    "This insurer is not served here",
    fix="Load a product or the directory entry of the insurer first.",
)
KEYS_LOCKED = refusal(
    "keys_locked",
    500,
    "The key file does not open",
    fix="Give its passphrase in ECLUSE_KEYS_PASSPHRASE, or the file that holds it.",
)
KEYS_UNSEALED = refusal(
    "keys_unsealed",
    500,
    "Unsealed keys are refused in production",
    fix="Run `ecluse init` with ECLUSE_KEYS_PASSPHRASE set.",
)
SEAL_BROKEN = refusal(
    "seal_broken",
    500,
    "Sealed data does not open",
    fix="Restore the file or the keys it was sealed with; tell the operator.",
)


class DevelopmentOnly(UserWarning):
    """Something here must never meet real data."""


class _Scope(msgspec.Struct, frozen=True):
    """Keys of one scope, by version; the highest version seals."""

    index: dict[int, bytes]
    data: dict[int, bytes]


_File = dict[str, _Scope]


class KeyFile:
    """The `Keys` port on one file. `passphrase` empty: unsealed, for development."""

    def __init__(self, path: Path, passphrase: str) -> None:
        self._path = path
        self._vault = _Vault(passphrase)
        self._stamp_ns = 0
        self._scopes: _File = {}
        self._ciphers: dict[tuple[str, int], AESGCM] = {}
        self._current: dict[str, tuple[hmac.HMAC, int]] = {}
        if path.exists():
            self._read()

    def pseudonym(self, scope: str, message: bytes) -> bytes:
        """HMAC-SHA-256 of `message` under the scope's current index key, cut to 16 bytes."""
        keyed = self._of(scope)[0].copy()  # half the time of keying anew: two of these for each row of a member file
        keyed.update(message)
        return keyed.digest()[:PSEUDONYM_BYTES]

    def seal(self, scope: str, plain: bytes, about: bytes) -> bytes:
        """Key version (1 byte) | nonce (12) | AES-256-GCM of `plain`, with scope and `about` authenticated.

        Random nonces: at most 2^32 seals per key (NIST SP 800-38D §8.3), far above an insurer's rows in a decade.
        """
        version = self._of(scope)[1]
        nonce = os.urandom(NONCE_BYTES)
        return bytes((version,)) + nonce + self._ciphers[scope, version].encrypt(nonce, plain, _bound(scope, about))

    def open(self, scope: str, sealed: bytes, about: bytes) -> bytes:
        """The plain bytes of `seal`. Raises `seal_broken`."""
        self._of(scope)
        try:
            cipher = self._ciphers[scope, sealed[0]]
            return cipher.decrypt(sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :], _bound(scope, about))
        except (InvalidTag, LookupError, ValueError):
            raise SEAL_BROKEN() from None

    def has(self, scope: str) -> bool:
        """Whether this scope has keys."""
        if scope not in self._current:
            self._read_if_newer()
        return scope in self._current

    def create(self, scope: str) -> None:
        """Draw the keys of a new scope and write the file, durably; nothing happens if it has some."""
        with _locked(self._path):
            if self._path.exists():
                self._read()
            if scope in self._scopes:
                return
            new = _Scope({1: os.urandom(KEY_BYTES)}, {1: os.urandom(KEY_BYTES)})
            _replace(self._path, self._vault.seal({**self._scopes, scope: new}))
            self._read()

    def _of(self, scope: str) -> tuple[hmac.HMAC, int]:
        try:
            return self._current[scope]
        except KeyError:
            if self.has(scope):
                return self._current[scope]
        raise SCOPE_UNKNOWN()

    def _read_if_newer(self) -> None:
        if self._path.exists() and self._path.stat().st_mtime_ns != self._stamp_ns:
            self._read()

    def _read(self) -> None:
        self._stamp_ns = self._path.stat().st_mtime_ns
        self._scopes = self._vault.open(self._path.read_bytes())
        for name, scope in self._scopes.items():
            self._current[name] = (hmac.new(scope.index[max(scope.index)], digestmod="sha256"), max(scope.data))
            for version, key in scope.data.items():
                self._ciphers.setdefault((name, version), AESGCM(key))


class _Vault:
    """Seals and opens the file's bytes; the passphrase is stretched once a salt."""

    def __init__(self, passphrase: str) -> None:
        self._passphrase = passphrase.encode()
        self._salt = os.urandom(16)
        self._stretched: dict[bytes, AESGCM] = {}

    def seal(self, scopes: _File) -> bytes:
        plain = msgspec.msgpack.encode(scopes)
        if not self._passphrase:
            return MAGIC + b"plain\n" + plain
        nonce = os.urandom(NONCE_BYTES)
        return MAGIC + b"scrypt\n" + self._salt + nonce + self._cipher(self._salt).encrypt(nonce, plain, MAGIC)

    def open(self, sealed: bytes) -> _File:
        try:
            magic, kind, body = sealed[: len(MAGIC)], *sealed[len(MAGIC) :].split(b"\n", 1)
            if magic != MAGIC or bool(self._passphrase) != (kind == b"scrypt"):
                raise KEYS_LOCKED()
            if self._passphrase:
                self._salt, nonce = body[:16], body[16 : 16 + NONCE_BYTES]
                body = self._cipher(self._salt).decrypt(nonce, body[16 + NONCE_BYTES :], MAGIC)
            return msgspec.msgpack.decode(body, type=_File)
        except (InvalidTag, ValueError, msgspec.DecodeError):
            raise KEYS_LOCKED() from None

    def _cipher(self, salt: bytes) -> AESGCM:
        if salt not in self._stretched:
            key = Scrypt(salt, KEY_BYTES, SCRYPT_N, SCRYPT_R, SCRYPT_P).derive(self._passphrase)
            self._stretched[salt] = AESGCM(key)
        return self._stretched[salt]


def open_keys(path: Path, passphrase: str, *, production: bool) -> KeyFile:
    """The key file at `path`, made with the hub's own keys if it is not there. Production refuses unsealed keys."""
    if not passphrase:
        if production:
            raise KEYS_UNSEALED()
        warnings.warn("keys are not sealed: development only", DevelopmentOnly, stacklevel=2)
    keys = KeyFile(path, passphrase)
    keys.create(HUB)
    return keys


def _bound(scope: str, about: bytes) -> bytes:
    return scope.encode() + b"|" + about


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One process at a time draws keys."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _replace(path: Path, content: bytes) -> None:
    """Write beside, sync, rename, sync the directory: the file is the old one or the new one, whole."""
    beside = path.with_suffix(".new")
    handle = os.open(beside, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    try:
        os.write(handle, content)
        os.fsync(handle)
    finally:
        os.close(handle)
    beside.rename(path)
    sync(path.parent)
