"""The `Keys` port: a ring in this process, and a vault where index and signing keys live."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

import msgspec
from msgspec.structs import replace

from ecluse.app.ports import HUB, Destruction, KeyHeld, Pseudonyms, Signing
from ecluse.engines.keys import signers
from ecluse.engines.keys.meter import Budget, Meter, SlotTally
from ecluse.engines.keys.people import punctured
from ecluse.engines.keys.ring import KEY_BYTES, KEYS_MISSING, Issuer, Ring, Scope, Scopes, Wrap
from ecluse.kernel.errors import refusal
from ecluse.passes.keys import PassKeys, pass_keys
from ecluse.passes.refusals import PASS_KEY_UNKNOWN

PURPOSES: tuple[Signing, ...] = ("journal", "pass")
VERSIONS_MAX = {
    "data": 255,  # one byte in front of what it sealed
    "index": 32,  # each makes every look-up one HMAC longer, for ever: 32 yearly rotations
}

KEYS_SPENT = refusal(
    "keys_spent",
    409,
    "This key was rotated as often as it can be",
    fix="Go on with the version there is; see docs/security.md.",
)


class Opening(msgspec.Struct, frozen=True):
    """How the settings say that keys are opened: `place` is the URL after its scheme, relative to `directory`."""

    place: str
    directory: Path
    passphrase: str = ""
    budget: Budget = Budget()
    production: bool = False

    @property
    def file(self) -> Path:
        """Where an engine that is no file itself keeps the wrapped ring."""
        return self.directory / "keys" / "hub.keys"


class Vault(Protocol):
    """Where index and signing keys are. What `draw_…` gives is kept in the ring: the key, or its name there."""

    place: str

    def draw_index(self, scope: str) -> bytes:
        """A new index key for a scope."""
        ...

    def draw_signing(self, purpose: Signing) -> bytes:
        """A new Ed25519 key."""
        ...

    async def chain(self, keys: Sequence[bytes], message: bytes) -> Pseudonyms:
        """`message` keyed with the first key, that with the second, and so on."""
        ...

    def keyed(self, key: bytes, messages: Sequence[bytes]) -> list[bytes]:
        """HMAC-SHA-256 of each, cut to 16 bytes; blocks."""
        ...

    def sign(self, key: bytes, message: bytes) -> bytes:
        """An Ed25519 signature; blocks."""
        ...

    def public_key(self, key: bytes) -> bytes:
        """The 32 bytes of the public key."""
        ...

    def forget(self, key: bytes) -> None:
        """Destroy a key, for ever."""
        ...

    def audited(self, log: bytes) -> int | None:
        """HMAC computed, by the vault's own log; None when it keeps none."""
        ...


class Keyring(Ring):
    """Every key of a hub."""

    def __init__(self, path: Path, wrap: Wrap, vault: Vault, budget: Budget = Budget()) -> None:
        super().__init__(path, wrap)
        self._vault = vault
        self._meter = Meter(path.parent / "counts", budget)
        self._shown_of: tuple[Scope, PassKeys] | None = None  # as long as the ring's file says the same

    @property
    def tally(self) -> SlotTally:
        """How often the index keys were used, and how often they should have been."""
        return self._meter.tally

    async def pseudonym(self, scope: str, message: bytes) -> Pseudonyms:
        """Who `message` means, by every version of the index key. Raises `keys_rate_limited`."""
        keys = self.scope(scope).index
        self._meter.admit()
        self._meter.tally.key(len(keys))
        chain = await self._vault.chain(tuple(keys.values()), message)
        self._meter.tally.compute()
        return chain

    def pseudonyms(self, scope: str, messages: Sequence[bytes], version: int) -> list[bytes]:
        """Pseudonyms of rows of a member file, at one version."""
        return self.carried(scope, messages, 0, version)

    def carried(self, scope: str, pseudonyms: Sequence[bytes], since: int, to: int) -> list[bytes]:
        """Pseudonyms of version `since` carried to version `to`."""
        keys, carried = self.scope(scope).index, list(pseudonyms)
        self._meter.wait(len(carried))
        for version in range(since + 1, to + 1):
            self._meter.tally.key(len(carried))
            carried = self._vault.keyed(keys[version], carried)
        self._meter.tally.file(len(carried))
        return carried

    def index_version(self, scope: str) -> int:
        """The newest version of the scope's index key."""
        return max(self.scope(scope).index)

    def sign(self, purpose: Signing, message: bytes, version: int = 0) -> bytes:
        """Ed25519 signature under the hub's key for this purpose. Raises `pass_key_unknown`."""
        signers = self.scope(HUB).signers(purpose)
        key = signers.get(version or max(signers))
        if key is None:
            raise PASS_KEY_UNKNOWN()
        return self._vault.sign(key, message)

    def public_key(self, purpose: Signing) -> bytes:
        """The 32 bytes others verify with what the newest key signs."""
        signers = self.scope(HUB).signers(purpose)
        return self._vault.public_key(signers[max(signers)])

    def pass_keys(self, *, fresh: bool = False) -> PassKeys:
        """Every key that signs passes or did."""
        if fresh:
            self._read_if_newer()
        scope = self.scope(HUB)
        if self._shown_of is None or self._shown_of[0] is not scope:
            known = self._issuers(scope).items()
            made = pass_keys((version, each.public, each.is_retired) for version, each in sorted(known))
            self._shown_of = scope, made
        return self._shown_of[1]

    def rotate_pass_key(self) -> int:
        """Draw the next key that signs passes. Raises `pass_keys_many`."""

        def draw() -> Issuer:
            key = self._vault.draw_signing("pass")
            return Issuer(key, self._vault.public_key(key))

        self._edit(HUB, lambda old: signers.grown(self._issuers(old), old, draw))
        return self.pass_keys().newest.version

    def retire_pass_key(self, version: int) -> None:
        """Refuse what a key signed, then destroy it. Raises `pass_key_unknown`, `pass_key_signs`."""
        self._edit(HUB, lambda old: signers.retired(old, version))
        if key := self.scope(HUB).issuers[version].key:
            self._vault.forget(key)
            self._edit(HUB, lambda old: signers.destroyed(old, version), renew=True)

    def create(self, scope: str) -> None:
        """Draw the keys a scope should have and has not."""

        def edit(scopes: Scopes) -> Scopes:
            old = scopes.get(scope) or self._new(scope)
            lacking = [each for each in PURPOSES if scope == HUB and not old.has_signer(each)]
            new = replace(old, signing={**old.signing, **{each: self._vault.draw_signing(each) for each in lacking}})
            return scopes if scopes.get(scope) == new else {**scopes, scope: new}

        self.change(edit)

    def rotate(self, scope: str, purpose: Literal["data", "index"]) -> int:
        """Draw the next version of a key. Raises `keys_spent`, `insurer_unknown`."""

        def edit(scopes: Scopes) -> Scopes:
            old: dict[int, bytes] = getattr(scopes[scope], purpose)
            version = max(old) + 1
            if version > VERSIONS_MAX[purpose]:
                raise KEYS_SPENT()
            key = os.urandom(KEY_BYTES) if purpose == "data" else self._vault.draw_index(scope)
            return {**scopes, scope: replace(scopes[scope], **{purpose: {**old, version: key}}).grown()}

        self.scope(scope)
        self.change(edit)
        drawn: dict[int, bytes] = getattr(self.scope(scope), purpose)
        return max(drawn)

    def held(self) -> list[KeyHeld]:
        """Every key, by scope and purpose; never its bytes."""
        return [each for name, scope in sorted(self.scopes().items()) for each in self._shown(name, scope)]

    def destruction(self, scope: str, of: bytes = b"") -> Destruction | None:
        """The destruction that was asked for, if one was: of the scope's keys, of a person's, of one key by its name."""
        keys = self.scope(scope)
        return keys.forgetting.get(of) if of else keys.destruction

    def ask_destruction(self, scope: str, asked: Destruction | None, of: bytes = b"") -> None:
        """Remember that a destruction was asked for, or no longer is."""
        self.scope(scope)
        self._edit(scope, lambda old: replace(old, **_asked(old, asked, of)))

    def forget(self, scope: str, person: bytes) -> None:
        """Destroy a person's key: here, and in every older copy of a ring that a vault wraps."""
        self.scope(scope)

        def edit(old: Scope) -> Scope:
            people = {version: punctured(seeds, person) for version, seeds in old.grown().people.items()}
            return replace(old, people=people, **_asked(old, None, person))

        self._edit(scope, edit, renew=True)

    def destroy(self, scope: str) -> None:
        """Destroy the keys of a scope: here, in the vault, and in every older copy of a ring that a vault wraps."""
        assert scope != HUB, "the hub's own keys open the money"
        gone = self.scope(scope).index.values()
        for key in gone:
            self._vault.forget(key)
        self.change(lambda scopes: {name: each for name, each in scopes.items() if name != scope}, renew=True)

    def audited(self, log: bytes) -> int | None:
        """HMAC computed, by the log of where the index keys live; None where there is none."""
        return self._vault.audited(log)

    def _edit(self, scope: str, edit: Callable[[Scope], Scope], *, renew: bool = False) -> None:
        def of_all(scopes: Scopes) -> Scopes:
            new = edit(scopes[scope])
            return scopes if new is scopes[scope] else {**scopes, scope: new}

        self.change(of_all, renew=renew)

    def _issuers(self, scope: Scope) -> dict[int, Issuer]:
        """The keys of passes; before the first rotation, its public half is asked of the vault."""
        if scope.issuers:
            return scope.issuers
        (key,) = scope.signers("pass").values()
        return {1: Issuer(key, self._vault.public_key(key))}

    def _new(self, scope: str) -> Scope:
        return Scope({1: self._vault.draw_index(scope)}, {1: os.urandom(KEY_BYTES)}, os.urandom(KEY_BYTES)).grown()

    def _shown(self, name: str, scope: Scope) -> list[KeyHeld]:
        here = "this process, unwrapped from the key file"
        return [
            KeyHeld(name, "index", tuple(scope.index), self._vault.place),
            KeyHeld(name, "data", tuple(scope.data), here),
            KeyHeld(name, "digest", (1,), here),
            *([KeyHeld(name, "person", tuple(scope.people), here)] if scope.people else []),
            *(
                KeyHeld(name, f"{purpose} signing", tuple(scope.signers(purpose)), self._vault.place)
                for purpose in PURPOSES
                if scope.has_signer(purpose)
            ),
        ]


def _asked(scope: Scope, asked: Destruction | None, of: bytes) -> dict[str, Any]:
    """The field of a scope that says which destruction was asked for, changed."""
    if not of:
        return {"destruction": asked}
    others = {each: scope.forgetting[each] for each in scope.forgetting if each != of}
    return {"forgetting": others if asked is None else {**others, of: asked}}


def opened(keyring: Keyring, *, new: bool) -> Keyring:
    """The keyring of a hub: a `new` one draws the hub's keys, else they must be there. Raises `keys_missing`."""
    if not (new or keyring.has(HUB)):
        raise KEYS_MISSING()
    keyring.create(HUB)
    return keyring
