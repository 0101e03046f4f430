"""SQL files whose statements have names: `-- name: …`, then a sentence, then one statement with `:named` values.

The statements of this folder are read by every relational engine. An engine's own folder may say a statement again in its
dialect; then that text is used there.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

FILES = (
    "approvals.sql",
    "claims.sql",
    "directory.sql",
    "feeds.sql",
    "ledger.sql",
    "payments.sql",
    "products.sql",
    "statements.sql",
    "upkeep.sql",
)
HERE = "ecluse.engines.sql"

_NAME = re.compile(r"^-- name: ([a-z0-9_]+)$", re.MULTILINE)


@cache
def statements(engine: str) -> dict[str, str]:
    """Every shared statement by name, as the package `engine` says it in its `dialect.sql`."""
    shared: dict[str, str] = {}
    for file in FILES:
        for name, text in named(HERE, file).items():
            assert name not in shared, f"{file} names a statement that another file has: {name}"
            shared[name] = text
    return shared | named(engine, "dialect.sql")


def named(package: str, file: str) -> dict[str, str]:
    """The statements of one packaged SQL file by name. A name is given once."""
    parts = _NAME.split((files(package) / file).read_text())
    found = {name: _bare(text) for name, text in zip(parts[1::2], parts[2::2], strict=True)}
    assert len(found) == len(parts) // 2, f"{file} names a statement twice"
    return found


def _bare(text: str) -> str:
    """The statement without the sentence above it: what the server is sent, and keeps as the key of its plan."""
    return "\n".join(line for line in text.strip().splitlines() if not line.startswith("--"))
