"""Patterns of texts that come from outside: how they end, the same in Python's dialect, JavaScript's and JSON Schema's."""

from __future__ import annotations

END = r"(?![\s\S])"  # nothing follows; `$` lets a line end follow in Python's, and "M1\n" is another member than "M1"
