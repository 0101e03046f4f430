"""One person's sealed rights updated by the rows of a member file: opened, combined, sealed again."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from ecluse.app.ports import Keys
from ecluse.rights.changes import Change, combine
from ecluse.rights.model import Right
from ecluse.rights.person import right_about

_right = msgspec.msgpack.Decoder(Right).decode
_encode_right: Callable[[Right], bytes] = msgspec.msgpack.Encoder().encode


class Settling:
    """The `Settle` of one insurer: opens what must be compared, seals what changed, leaves the rest as it is."""

    def __init__(self, keys: Keys, insurer: str) -> None:
        self._keys = keys
        self._insurer = insurer

    def __call__(
        self,
        person: bytes,
        kept: Sequence[bytes],
        rows: Sequence[tuple[bytes, int, bool, bytes]],
        given: Sequence[tuple[bytes, bytes]],
    ) -> tuple[list[bytes], Sequence[tuple[int, str]]]:
        """Sealed rights that result, and the rows that cannot be applied.

        A pseudonym tells no number: which ones are lost, the rows of those who get them say.
        """
        about = right_about(self._insurer, person)
        before = [self._open(sealed, about) for sealed in kept]
        changes = [Change(line, bool(ends), self._open(sealed, about)) for _, line, ends, sealed in rows]
        lost = {self._open(sealed, right_about(self._insurer, other)).member_number for other, sealed in given}
        combined = combine(before, changes, lost)
        as_they_are = dict(zip(before, kept, strict=True))
        as_set = {line: sealed for _, line, _, sealed in rows}
        return [
            as_set[line]
            if line
            else as_they_are.get(right) or self._keys.seal(self._insurer, _encode_right(right), about)
            for right, line in combined.rights
        ], combined.refused

    def _open(self, sealed: bytes, about: bytes) -> Right:
        return _right(self._keys.open(self._insurer, sealed, about))
