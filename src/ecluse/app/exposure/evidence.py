"""What the journal has about a question, out of the lake and out of the shards themselves; nothing of it is shown here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ecluse.app.hub import Hub
from ecluse.app.ports.journal import Shards
from ecluse.exposure.answer import Evidence, ReadTo, Spread
from ecluse.exposure.categories import BILLED_WITHIN
from ecluse.exposure.gaps import Loss, gaps, read_loss
from ecluse.exposure.question import Question
from ecluse.exposure.reach import Held, referenced
from ecluse.exposure.shown import Shown
from ecluse.gate.admission import Admission
from ecluse.journal.entry import decode
from ecluse.kernel.days import instant, paris_day

Told = Callable[[str, int, int], None]  # step, done, of how many

DAY_US = 86_400_000_000
SPREADS = {
    "days": "exposed_days",
    "accounts": "exposed_accounts",
    "practices": "exposed_practices",
}  # field → named SQL
STEPS = 3 + len(SPREADS)


def evidence(hub: Hub, admission: Admission, question: Question, held: Sequence[Held], told: Told) -> Evidence:
    """Everything found. Blocks. Raises `lake_behind`, `journal_damaged`."""
    ports = hub.exposure
    days = hub.book.on(paris_day(instant(question.end_ts_us)), BILLED_WITHIN).count
    asked = _parameters(question, days)
    done = 0

    def ask(name: str) -> list[dict[str, Any]]:
        nonlocal done
        told(name, done, STEPS)
        done += 1
        rows: list[dict[str, Any]] = ports.lake.ask(admission, name, asked).to_pylist()
        return rows

    losses = [_loss(ports.shards, row["outcome"], row["ts_us"]) for row in ask("losses_accepted")]
    shown = [Shown(**row) for row in ask("exposed_people")]
    spreads = {field: _spread(ask(name)) for field, name in SPREADS.items()}
    return Evidence(
        shown=shown,
        **spreads,
        lists_shown=ask("exposed_lists")[0]["times"],
        losses=gaps(losses, question),
        referenced=referenced(held, question),
        read_to=tuple(ReadTo(shard, entries) for shard, entries in sorted(ports.lake.covered().items())),
        billed_within_days=days,
    )


def _parameters(question: Question, days: int) -> dict[str, Any]:
    return {
        "accounts": list(question.accounts),
        "from_us": question.start_ts_us,
        "to_us": question.end_ts_us,
        "insurers": list(question.insurers),
        "sessions": list(question.sessions),
        "networks": list(question.networks),
        "billed_within_us": days * DAY_US,
    }


def _spread(rows: list[dict[str, Any]]) -> Spread:
    spread: dict[str, dict[str, int]] = {}
    for row in rows:
        spread.setdefault(row["insurer"], {})[row["value"]] = row["people"]
    return spread


def _loss(shards: Shards, outcome: str, accepted_ts_us: int) -> Loss:
    """A loss and its times: what was lost came after the last entry that was kept; with none kept, at any time before."""
    shard, kept, lost = read_loss(outcome)
    last = next(iter(shards.entries(shard, kept - 1, kept)), None) if kept else None
    return Loss(shard, lost, decode(last).ts_us if last else 0, accepted_ts_us)
