"""What forms ask of an organisation each time, written once by the operator: cards, by AMC number; the hub's own under ""."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Cards = Mapping[str, dict[str, Any]]  # each checked as `breach.incident.own.Card`
