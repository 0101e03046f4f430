"""The keys one issuer signs passes with: several at once. The newest signs, those of before verify until they are retired."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from ecluse.passes.issued import key_id


class PassKey(msgspec.Struct, frozen=True):
    """One key, as others may know it: its version from 1, its id in a pass, its public half (32 bytes)."""

    version: int
    id: bytes
    public: bytes
    is_retired: bool = False

    @property
    def mark(self) -> bytes:
        """What the book of passes writes of the key that signed. Books older than versions wrote nothing: it was the first."""
        return b"" if self.version == 1 else self.id


class PassKeys(msgspec.Struct, frozen=True):
    """Every key there was, oldest first; and of those not retired, the public keys by key id."""

    held: tuple[PassKey, ...]
    issuers: dict[bytes, bytes]

    @property
    def trusted(self) -> tuple[PassKey, ...]:
        """Those that were not retired, oldest first."""
        return tuple(each for each in self.held if not each.is_retired)

    @property
    def newest(self) -> PassKey:
        """The one that signs."""
        return self.held[-1]

    def named(self, key_id: str) -> PassKey | None:
        """The key of this id (hexadecimal), if there is one that is not retired."""
        return next((each for each in self.trusted if each.id.hex() == key_id), None)


def pass_keys(known: Iterable[tuple[int, bytes, bool]]) -> PassKeys:
    """The keys of an issuer from their version, their public half and whether they were retired; the oldest first."""
    held = tuple(PassKey(version, key_id(public), public, is_retired) for version, public, is_retired in known)
    return PassKeys(held, {each.id: each.public for each in held if not each.is_retired})
