"""The ring: data and digest keys of every scope, unwrapped once a process, kept in one wrapped file.

`keys/hub.keys` is `ecluse-keys 1`, how it is wrapped, and the wrapped ring. It changes under a lock, by rename: it is the
old ring or the new one, whole. Every process may read it, and reads it again when it changed.
"""

from __future__ import annotations

import hmac
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ecluse.app.ports import Destruction, Signing
from ecluse.engines.durable import write_whole
from ecluse.engines.keys.people import PERSON_BYTES, People, Seeds, planted
from ecluse.engines.turn import in_turn
from ecluse.kernel.errors import refusal

MAGIC = b"ecluse-keys 1\n"
NONCE_BYTES = 12
KEY_BYTES = 32
PSEUDONYM_BYTES = 16  # 2^-64 for two of 33 million people to collide in one insurer
OWNER_ALONE = 0o600  # the mode of the file
FOR_A_PERSON = 0  # the first byte of what is sealed for one person: no version of a key has this number
# How long a key destroyed by another process may still open here, and one made by another may not be known: a stat costs more
# than a pseudonym. The same whether a scope is known or not: else the time of an answer tells which insurers are served.
LOOK_S = 0.05
_HEAD_BYTES = 2 + PERSON_BYTES

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
    fix="Give its passphrase, PIN or token as docs/operations.md says; or restore a copy made since keys were destroyed. "
    "One that is not sealed yet: `ecluse keys passphrase`.",
)
KEYS_MISSING = refusal("keys_missing", 500, "The key file is not there", fix="Bring it back: ecluse keys restore FILE.")
KEYS_THERE = refusal("keys_there", 409, "This hub has its keys", fix="Give --replace to put the copy in their place.")
SEAL_BROKEN = refusal(
    "seal_broken",
    500,
    "Sealed data does not open",
    fix="Restore the file or the keys it was sealed with; tell the operator.",
)
PERSON_FORGOTTEN = refusal(
    "person_forgotten",
    410,
    "This person's key was destroyed: what was sealed for them before opens for nobody",
    fix="Check the rights again: what is answered from now on opens.",
)


class Issuer(msgspec.Struct, frozen=True, array_like=True):
    """A key that signs passes, or did: itself or its name, empty once it is destroyed; its public half."""

    key: bytes
    public: bytes
    is_retired: bool = False


class Scope(msgspec.Struct, frozen=True, omit_defaults=True):
    """Keys of one scope, by version; the highest version seals. What lives elsewhere is held by its name.

    Files written before there was a digest key used the first index key: it goes on being the digest key of its scope.
    `people` has a tree for each version of the data key, drawn by itself: derived from that key, it could be derived again
    after a person was forgotten. Of versions of before, only the newest ever gets one. `forgetting`: asked for, by person; in
    the hub's own scope, by the name of a key. `issuers` has every key that signed passes from the first rotation on; until then
    there is one, in `signing`: version 1.
    """

    index: dict[int, bytes]
    data: dict[int, bytes]
    digest: bytes = b""
    signing: dict[str, bytes] = {}
    destruction: Destruction | None = None
    people: dict[int, Seeds] = {}
    forgetting: dict[bytes, Destruction] = {}
    issuers: dict[int, Issuer] = {}

    def grown(self) -> Scope:
        """The scope with a tree for its newest data key; the very same if it has one."""
        newest = max(self.data)
        if newest in self.people:
            return self
        return msgspec.structs.replace(self, people={**self.people, newest: planted()})

    def signers(self, purpose: Signing) -> dict[int, bytes]:
        """The keys that may sign for this purpose, by version."""
        if purpose == "pass" and self.issuers:
            return {version: each.key for version, each in self.issuers.items() if not each.is_retired}
        return {1: self.signing[purpose]}

    def has_signer(self, purpose: Signing) -> bool:
        """Whether a key for this purpose was drawn."""
        return purpose in self.signing or (purpose == "pass" and bool(self.issuers))


Scopes = dict[str, Scope]


class Wrap(Protocol):
    """What keeps the ring's file shut. `kind` is written in it."""

    kind: bytes

    def seal(self, plain: bytes) -> bytes:
        """Wrap the ring."""
        ...

    def open(self, sealed: bytes) -> bytes:
        """The ring. Raises `InvalidTag` or `ValueError` when it does not open."""
        ...

    def renew(self) -> None:
        """Wrap under another key from now on, where there can be another."""
        ...

    def retire(self) -> None:
        """Destroy the wrapping keys that are no longer used."""
        ...


class _Held:
    """One scope's keys, ready for use."""

    __slots__ = ("ciphers", "digest", "last", "newest", "people", "scope")

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.digest = hmac.new(scope.digest or scope.index[1], digestmod="sha256")
        self.last: tuple[bytes, bytes] | None = None  # one answer looks for a person's freeze, and names them
        self.newest = max(scope.data)
        self.ciphers = {version: AESGCM(key) for version, key in scope.data.items()}
        self.people = {version: People(seeds) for version, seeds in scope.people.items()}


class Ring:
    """Seals, opens and digests; changes the ring's file."""

    def __init__(self, path: Path, wrap: Wrap) -> None:
        self._path = path
        self._wrap = wrap
        self._stamp: tuple[int, int] | None = None
        self._looked_s = 0.0
        self._scopes: dict[str, _Held] = {}  # of the file as it was last read; at first it was not

    def digest(self, scope: str, message: bytes) -> bytes:
        """HMAC-SHA-256 of `message` under the scope's digest key, cut to 16 bytes."""
        held = self._of(scope)
        last = held.last
        if last is None or last[0] != message:
            keyed = held.digest.copy()  # half the time of keying anew
            keyed.update(message)
            last = held.last = message, keyed.digest()[:PSEUDONYM_BYTES]
        return last[1]

    def seal(self, scope: str, plain: bytes, about: bytes, person: bytes = b"") -> bytes:
        """Head | nonce (12) | AES-256-GCM of `plain`, with head, scope and `about` authenticated.

        The head is the key version (1 byte); for a person: 0, the key version, the person's reference (16).
        Random nonces: at most 2^32 seals per key (NIST SP 800-38D §8.3), far above an insurer's rows in a decade.
        """
        held, nonce = self._of(scope), os.urandom(NONCE_BYTES)
        if not person:
            return bytes((held.newest,)) + nonce + held.ciphers[held.newest].encrypt(nonce, plain, _bound(scope, about))
        if held.newest not in held.people:
            held = self._grown(scope)
        head = bytes((FOR_A_PERSON, held.newest)) + person
        return head + nonce + held.people[held.newest].cipher(person).encrypt(nonce, plain, head + _bound(scope, about))

    def open(self, scope: str, sealed: bytes, about: bytes) -> bytes:
        """The plain bytes of `seal`. Raises `seal_broken`, `person_forgotten`."""
        bound, held = _bound(scope, about), self._of(scope)
        plain = _opened(held, sealed, bound)
        if plain is None and self._read_if_newer():
            # Sealed by a process that knows a newer key, or the next one of a forgotten person.
            held = self._of(scope)
            plain = _opened(held, sealed, bound)
        if plain is None:
            raise PERSON_FORGOTTEN() if _forgotten(held, sealed) else SEAL_BROKEN()
        return plain

    def has(self, scope: str) -> bool:
        """Whether this scope has keys."""
        self._look()
        return scope in self._scopes

    def scope(self, name: str) -> Scope:
        """The keys of a scope. Raises `insurer_unknown`."""
        return self._of(name).scope

    def scopes(self) -> Scopes:
        """The ring as it is on disk now."""
        self._read_if_newer()
        return {name: held.scope for name, held in self._scopes.items()}

    def change(self, edit: Callable[[Scopes], Scopes], *, renew: bool = False) -> None:
        """Read, edit and write the ring, durably; one process at a time. `edit` may give the very same: nothing is written.

        `renew`: older copies of the file must not open any more, where that can be.
        """
        with _locked(self._path):
            before = self.scopes()
            after = edit(before)
            if after is not before:
                if renew:
                    self._wrap.renew()
                write_whole(self._path, self._wrapped(after), mode=OWNER_ALONE)
                self._read()
                self._wrap.retire()

    def rewrap(self, wrap: Wrap) -> None:
        """Keep the very same ring shut by another `wrap` from now on, durably, in one step. Raises `keys_missing`, `keys_locked`.

        Processes that have it open under the old one are told `keys_locked` within a second: they are started again.
        """
        with _locked(self._path):
            scopes = self._unwrapped(self.copy())
            self._wrap = wrap
            write_whole(self._path, self._wrapped(scopes), mode=OWNER_ALONE)
            self._read()

    def copy(self) -> bytes:
        """The ring's file, as it is: wrapped, and seen to open."""
        if not self._path.exists():
            raise KEYS_MISSING()
        self._unwrapped(content := self._path.read_bytes())
        return content

    def restore(self, content: bytes, *, over: bool) -> list[str]:
        """Put back the ring's file from a copy that opens here; the scopes in it. Raises `keys_there` unless `over` one."""
        scopes = self._unwrapped(content)
        with _locked(self._path):
            if self._path.exists() and not over:
                raise KEYS_THERE()
            write_whole(self._path, content, mode=OWNER_ALONE)
            self._read()
        return sorted(scopes)

    def _of(self, scope: str) -> _Held:
        self._look()
        held = self._scopes.get(scope)
        if held is None and self._read_if_newer():
            held = self._scopes.get(scope)
        if held is None:
            raise SCOPE_UNKNOWN()
        return held

    def _look(self) -> None:
        """See what other processes changed, if that was not done just now."""
        now_s = time.monotonic()
        if now_s - self._looked_s > LOOK_S:
            self._looked_s = now_s
            self._read_if_newer()

    def _grown(self, scope: str) -> _Held:
        """A ring of before gets the tree of its data key when somebody is first sealed for: one write, once."""

        def edit(scopes: Scopes) -> Scopes:
            grown = scopes[scope].grown()
            return scopes if grown is scopes[scope] else {**scopes, scope: grown}

        self.change(edit)
        return self._of(scope)

    def _read_if_newer(self) -> bool:
        newer = self._path.exists() and _stamp(self._path) != self._stamp
        if newer:
            self._read()
        return newer

    def _read(self) -> None:
        """Read the file again; keys gone from it are forgotten here too."""
        stamp = _stamp(self._path)
        scopes = self._unwrapped(self._path.read_bytes())
        known = self._scopes
        self._scopes = {
            name: known[name] if name in known and known[name].scope == scope else _Held(scope)
            for name, scope in scopes.items()
        }
        self._stamp = stamp

    def _wrapped(self, scopes: Scopes) -> bytes:
        return MAGIC + self._wrap.kind + b"\n" + self._wrap.seal(msgspec.msgpack.encode(scopes))

    def _unwrapped(self, content: bytes) -> Scopes:
        kind, _, body = content.removeprefix(MAGIC).partition(b"\n")
        if not content.startswith(MAGIC) or kind != self._wrap.kind:
            raise KEYS_LOCKED()
        try:
            return msgspec.msgpack.decode(self._wrap.open(body), type=Scopes)
        except (InvalidTag, ValueError, msgspec.DecodeError):
            raise KEYS_LOCKED() from None


def _bound(scope: str, about: bytes) -> bytes:
    return scope.encode() + b"|" + about


def _opened(held: _Held, sealed: bytes, bound: bytes) -> bytes | None:
    """What was sealed; None when these keys do not open it."""
    try:
        if sealed[0] != FOR_A_PERSON:
            return held.ciphers[sealed[0]].decrypt(sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :], bound)
        head, body = sealed[:_HEAD_BYTES], sealed[_HEAD_BYTES:]
        cipher = held.people[head[1]].cipher(head[2:])
        return cipher.decrypt(body[:NONCE_BYTES], body[NONCE_BYTES:], head + bound)
    except (InvalidTag, LookupError, ValueError):
        return None


def _forgotten(held: _Held, sealed: bytes) -> bool:
    if sealed[:1] != bytes((FOR_A_PERSON,)) or len(sealed) < _HEAD_BYTES:
        return False
    people = held.people.get(sealed[1])
    return people is not None and people.forgot(sealed[2:_HEAD_BYTES])


def _stamp(path: Path) -> tuple[int, int]:
    seen = path.stat()
    return seen.st_mtime_ns, seen.st_ino  # two changes in one tick of the clock are two files all the same


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One process at a time changes the ring."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with in_turn(path.with_suffix(".lock")):
        yield
