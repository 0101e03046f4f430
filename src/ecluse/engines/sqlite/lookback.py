"""The `Lookback` port in gate.db, through a connection of its own: what it counts may take seconds, and holds nobody up."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import msgspec

from ecluse.app.ports.lookback import Doings
from ecluse.engines.sqlite.connection import connect
from ecluse.gate.allowance import SETTLED_WITHIN_DAYS, CapTable, day_of

WAIT_MS = 2_000  # another process's transaction takes a millisecond

_SET_CAPS = "INSERT INTO caps VALUES (?, ?) ON CONFLICT DO UPDATE SET caps = excluded.caps"
_CAPS = """
    SELECT caps FROM caps WHERE since_us < ?2 AND since_us >= (SELECT max(since_us) FROM caps WHERE since_us <= ?1)
    ORDER BY since_us"""
_DOINGS = """
    SELECT a.name, a.profession,
        coalesce(sum(o.presence = 0 AND o.day BETWEEN ?2 AND ?3), 0),
        coalesce(sum(o.justified BETWEEN ?2 AND ?3
            OR (coalesce(o.justified, ?2) >= ?2 AND o.day BETWEEN ?2 - ?4 AND ?3)), 0)
    FROM account a LEFT JOIN opening o ON o.account = a.id WHERE a.name = ?1 GROUP BY a.id"""
_TOLD_AT = """
    WITH named AS (SELECT a.id FROM account a JOIN json_each(?1) e ON e.value = a.name),
        practices AS (SELECT DISTINCT practice FROM place WHERE account IN named),
        pairs AS (SELECT practice, account FROM place WHERE practice IN practices)
    SELECT count(DISTINCT o.person) FROM pairs p
    JOIN opening o ON o.account = p.account AND o.practice = p.practice AND o.day <= ?2"""


class LocalLookback:
    """One instance a process, opened at each call: it is asked after an incident, and once at a start."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def set_caps(self, since_us: int, table: CapTable) -> None:
        """Remember that this table holds from then on."""
        self._ask(_SET_CAPS, (since_us, msgspec.json.encode(table).decode()))

    def caps_between(self, start_us: int, end_us: int) -> tuple[CapTable, ...]:
        """The tables that held in a window, none when it began before the first."""
        rows = self._ask(_CAPS, (start_us, end_us))
        return tuple(msgspec.json.decode(caps, type=CapTable) for (caps,) in rows)

    def has_openings(self) -> bool:
        """Whether anybody was ever told of."""
        return bool(self._ask("SELECT 1 FROM opening LIMIT 1", ()))

    def doings(self, accounts: Sequence[str], start_us: int, end_us: int) -> list[Doings]:
        """What each account did."""
        days = day_of(start_us), day_of(end_us)
        found = [(name, self._ask(_DOINGS, (name, *days, SETTLED_WITHIN_DAYS))) for name in accounts]
        return [Doings(*(rows[0] if rows else (name, "", 0, 0))) for name, rows in found]

    def told_at(self, accounts: Sequence[str], end_us: int) -> int:
        """People told of at the practices of these accounts, to whoever works there."""
        return int(self._ask(_TOLD_AT, (json.dumps(accounts), day_of(end_us)))[0][0])

    def _ask(self, sql: str, values: tuple[object, ...]) -> list[tuple]:  # type: ignore[type-arg]
        connection = connect(self._path)
        try:
            connection.execute(f"PRAGMA busy_timeout={WAIT_MS}")
            connection.executescript((files("ecluse.engines.sqlite") / "allowances.sql").read_text())
            return connection.execute(sql, values).fetchall()
        finally:
            connection.close()
