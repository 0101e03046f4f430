"""SQL files whose queries have names: `-- name: …`, then a sentence, then one statement."""

from __future__ import annotations

import re
from importlib.resources import files

_NAME = re.compile(r"^-- name: ([a-z0-9_]+)$", re.MULTILINE)


def named(file: str) -> dict[str, str]:
    """The statements of a packaged SQL file by name. A name is given once."""
    parts = _NAME.split((files("ecluse.engines.sqlite") / file).read_text())
    queries = dict(zip(parts[1::2], (text.strip() for text in parts[2::2]), strict=True))
    assert len(queries) == len(parts) // 2, f"{file} names a query twice"
    return queries
