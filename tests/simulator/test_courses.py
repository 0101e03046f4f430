"""What courses of care send: nothing a hub must refuse, unless they mean to."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from sim.courses import many


def test_three_visits_at_once_say_what_is_kept_back_of_one() -> None:
    """Three physiotherapist's visits of one day kept 5 € back, over the day's 4 € (seed 1, 30 November 2026)."""
    scene: Any = SimpleNamespace(lines=lambda _: [{"line": 1, "act": "AMK", "participation_cents": 200}])
    lines = many(scene, person=None)  # type: ignore[arg-type]
    assert [line["line"] for line in lines] == [1, 2, 3]
    assert [line.get("participation_cents") for line in lines] == [200, None, None]
