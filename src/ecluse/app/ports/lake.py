"""The lake: the journal's entries in a form that questions about millions of them are asked of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from ecluse.gate.admission import Admission


class Lake(Protocol):
    """Named questions about the journal."""

    def covered(self) -> Mapping[str, int]:
        """How many entries of each shard it holds."""
        ...

    def ask(self, admission: Admission, name: str, parameters: Mapping[str, Any]) -> Any:
        """The rows of a named question, as a `pyarrow.Table`."""
        ...
