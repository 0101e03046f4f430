"""The `Passkeys` port in portal.db, beside the sessions: public keys, and whose they are. Nothing in it opens anything."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from ecluse.engines.sqlite.portal import PortalFile
from ecluse.gate.portal.passkey import PER_ACCOUNT_MAX, Passkey

# One statement, so that two who bind at once are counted one after the other.
_PUT = """
    INSERT INTO passkey SELECT ?, ?, ?, ?, ?, ? WHERE (SELECT count(*) FROM passkey WHERE sub = ?) < ? ON CONFLICT DO NOTHING"""
_FIND = "SELECT passkey, count, used_ts FROM passkey WHERE credential = ?"
_USED = "UPDATE passkey SET count = ?, used_ts = ? WHERE credential = ? AND count = ?"
_OF = "SELECT passkey, count, used_ts FROM passkey WHERE sub = ? ORDER BY rowid"
_REMOVE = "DELETE FROM passkey WHERE sub = ? AND id = ?"
_REMOVE_ALL = "DELETE FROM passkey WHERE sub = ?"

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Passkey).decode


class LocalPasskeys:
    """One instance a process, used by one thread. The file is made when the first is bound."""

    def __init__(self, path: Path) -> None:
        self._file = PortalFile(path, "passkeys.sql")

    def put(self, passkey: Passkey) -> bool:
        """Keep a new one, where there is room."""
        sub = passkey.person.sub
        row = (
            passkey.credential,
            passkey.id,
            sub,
            passkey.count,
            passkey.used_ts,
            _encode(passkey),
            sub,
            PER_ACCOUNT_MAX,
        )
        return self._file.connection.execute(_PUT, row).rowcount == 1

    def find(self, credential: bytes) -> Passkey | None:
        """The passkey of a credential."""
        row = self._file.connection.execute(_FIND, (credential,)).fetchone()
        return _of(row) if row else None

    def used(self, before: Passkey, count: int, used_ts: int) -> bool:
        """It was used; nobody else did since `before` was read."""
        return self._file.connection.execute(_USED, (count, used_ts, before.credential, before.count)).rowcount == 1

    def of(self, sub: str) -> Sequence[Passkey]:
        """Those of an account."""
        return [_of(row) for row in self._file.connection.execute(_OF, (sub,))] if self._file.is_there else []

    def remove(self, sub: str, id_: str) -> bool:
        """Remove one."""
        return self._file.connection.execute(_REMOVE, (sub, id_)).rowcount == 1

    def remove_all(self, sub: str) -> int:
        """Remove those of an account."""
        return self._file.connection.execute(_REMOVE_ALL, (sub,)).rowcount if self._file.is_there else 0

    def close(self) -> None:
        """Close the file, if it was opened."""
        self._file.close()


def _of(row: tuple[bytes, int, int]) -> Passkey:
    return msgspec.structs.replace(_decode(row[0]), count=row[1], used_ts=row[2])
