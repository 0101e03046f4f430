"""Keys: the look-up pseudonym, seals, digests, signatures, and what an operator does with all of them.

Four kinds, never the same bytes: *index* keys make look-up pseudonyms and stay where they live (this process, a token, a
server); *data* keys seal, *digest* keys make what is not a look-up, both in this process, kept wrapped; *signing* keys. The
journal's is one for ever, part of what its logs are; those of passes are versions, the newest signs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

from ecluse.passes.keys import PassKeys

HUB = "hub"  # the scope of keys that belong to no insurer

Pseudonyms = tuple[bytes, ...]  # one of 16 bytes for each version of the index key, the oldest first
Signing = Literal["journal", "pass"]


class KeyHeld(msgspec.Struct, frozen=True):
    """One key as it may be shown: never its bytes. `place`: where it is used."""

    scope: str
    purpose: str
    versions: tuple[int, ...]
    place: str


class Destruction(msgspec.Struct, frozen=True):
    """A destruction asked for by one operator, which another one has to carry out."""

    operator: str
    at_ts_us: int


class Totals(msgspec.Struct, frozen=True):
    """Look-ups the desk asked for, those computed, pseudonyms computed for member files; and how many HMAC all of them asked
    of the place of the keys, which is one for each version of a key."""

    asked: int = 0
    computed: int = 0
    filed: int = 0
    keyed: int = 0


class Tally(Protocol):
    """Counts of this process, kept on disk through a kill; nothing in them names a person."""

    def ask(self) -> None:
        """The desk is about to look somebody up."""
        ...

    def here(self) -> Totals:
        """The counts of this process's slot."""
        ...

    def everywhere(self) -> Totals:
        """The counts of all processes, past and present."""
        ...


class Keys(Protocol):
    """Keys by scope (an insurer's AMC number, or `HUB`). A scope without keys is refused with `insurer_unknown`."""

    @property
    def tally(self) -> Tally:
        """How often the index keys were used, and how often they should have been."""
        ...

    async def pseudonym(self, scope: str, message: bytes) -> Pseudonyms:
        """Who `message` means, for one look-up. Version 1 is HMAC-SHA-256 under the first index key, cut to 128 bits; each
        version after is the same of the one before, so that rows follow a new key though nobody is known any more.

        Computed where the key lives, without holding up the loop. Raises `keys_rate_limited`, `keys_unreachable`.
        """
        ...

    def pseudonyms(self, scope: str, messages: Sequence[bytes], version: int) -> list[bytes]:
        """The same for rows of a member file, at one version; blocks, within a budget of its own."""
        ...

    def carried(self, scope: str, pseudonyms: Sequence[bytes], since: int, to: int) -> list[bytes]:
        """Pseudonyms of version `since` carried to version `to`; blocks, within the budget of member files."""
        ...

    def index_version(self, scope: str) -> int:
        """The newest version of the scope's index key, from 1."""
        ...

    def digest(self, scope: str, message: bytes) -> bytes:
        """Keyed digest of what is not a look-up, 16 bytes; its key never changes."""
        ...

    def seal(self, scope: str, plain: bytes, about: bytes, person: bytes = b"") -> bytes:
        """Encrypt and authenticate `plain`, bound to `about`. Key version (1 byte) | nonce (12) | AES-256-GCM.

        With the insurer's reference of a `person` (16 bytes), under a key of that person's own, which `forget` destroys;
        0 (1 byte), key version and reference then stand in front.
        """
        ...

    def open(self, scope: str, sealed: bytes, about: bytes) -> bytes:
        """The plain bytes of `seal`, which say themselves under which key. Raises `person_forgotten`, and `seal_broken` when
        bytes, scope or `about` are not those sealed."""
        ...

    def sign(self, purpose: Signing, message: bytes, version: int = 0) -> bytes:
        """Ed25519 signature (64 bytes) under the hub's key for this purpose, of a version (0: the newest); blocks.

        Raises `pass_key_unknown` for a version that is not there, or retired.
        """
        ...

    def public_key(self, purpose: Signing) -> bytes:
        """The 32 bytes others verify with what the newest key signs."""
        ...

    def pass_keys(self, *, fresh: bool = False) -> PassKeys:
        """Every key that signs passes or did. No file is read unless it changed: seen within a second, or at once (`fresh`)."""
        ...

    def rotate_pass_key(self) -> int:
        """Draw the next key that signs passes, durably; its version. Those of before go on verifying. Raises `pass_keys_many`."""
        ...

    def retire_pass_key(self, version: int) -> None:
        """Retire a key that signed passes, durably: what it signed is refused from now on; then destroy it. Again goes on.

        Raises `pass_key_unknown`, and `pass_key_signs` for the newest.
        """
        ...

    def has(self, scope: str) -> bool:
        """Whether this scope has keys; a scope made or destroyed elsewhere is seen within a second."""
        ...

    def create(self, scope: str) -> None:
        """Draw the keys of a new scope; nothing happens if it has some."""
        ...

    def rotate(self, scope: str, purpose: Literal["data", "index"]) -> int:
        """Draw the next version of a key, durably; the version. Raises `keys_spent`."""
        ...

    def held(self) -> list[KeyHeld]:
        """Every key, by scope and purpose."""
        ...

    def destruction(self, scope: str, of: bytes = b"") -> Destruction | None:
        """The destruction that was asked for, if one was: of a scope's keys; or `of` a person's, of one key by its name."""
        ...

    def ask_destruction(self, scope: str, asked: Destruction | None, of: bytes = b"") -> None:
        """Remember that a destruction was asked for, or no longer is; durable on return."""
        ...

    def forget(self, scope: str, person: bytes) -> None:
        """Destroy a person's key, durably: what it sealed opens for nobody, for ever. What is sealed for them later opens."""
        ...

    def destroy(self, scope: str) -> None:
        """Destroy the index, data and digest keys of a scope, durably: what they sealed opens for nobody, for ever."""
        ...

    def audited(self, log: bytes) -> int | None:
        """HMAC the place of the index keys says it computed, by its own `log`; None where it keeps none."""
        ...
