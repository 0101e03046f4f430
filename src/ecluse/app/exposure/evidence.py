"""What the journal has about a question, out of the lake and out of the shards themselves; nothing of it is shown here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from ecluse.app.exposure.reach import Limits, bound
from ecluse.app.hub import Hub
from ecluse.app.ports.journal import Head, Shards
from ecluse.app.ports.lake import Covered, Lake
from ecluse.exposure.answer import Evidence, ReadTo, Spread
from ecluse.exposure.categories import BILLED_WITHIN
from ecluse.exposure.gaps import Loss, gaps, month_of, once, read_loss
from ecluse.exposure.question import Question
from ecluse.exposure.reach import Held, referenced
from ecluse.exposure.shown import Shown, ToldSet
from ecluse.gate.admission import Admission
from ecluse.journal.entry import Operation, decode
from ecluse.journal.verify import NEAR_US
from ecluse.kernel.days import DAY_US, instant, paris_day
from ecluse.kernel.errors import refusal

Told = Callable[[str, int, int], None]  # step, done, of how many
Key = TypeVar("Key")

SPREADS = {
    "days": "exposed_days",
    "accounts": "exposed_accounts",
    "practices": "exposed_practices",
}  # field → named SQL
STEPS = 6 + len(SPREADS)
ANY = [""]  # no login and no network is named so

EXPOSURE_PRUNED = refusal(
    "exposure_pruned",
    410,
    "The journal of a part of this window is no longer kept",
    fix="Ask from the first month that is kept: see `ecluse journal checkpoint` and journal.keep_months.",
)


def evidence(
    hub: Hub,
    lake: Lake,
    admission: Admission,
    question: Question,
    held: Sequence[Held],
    limits: Limits,
    told: Told,
    *,
    one_by_one: bool,
) -> Evidence:
    """Everything found; `one_by_one`: how often each person was told each field, too.

    Blocks. Raises `exposure_pruned`, `lake_behind`, `lake_differs`, `journal_damaged`.
    """
    shards = hub.exposure.shards
    check_kept(shards, question)
    inquiry = Inquiry(lake, admission, question, told, STEPS + one_by_one)
    days = hub.book.on(paris_day(instant(question.end_ts_us)), BILLED_WITHIN).count
    now_ts_us = admission.at_us
    known_ts_us = max(question.end_ts_us, known_until(lake, now_ts_us))
    losses = [*_losses(inquiry.ask("losses_accepted", {}, known_ts_us)), *_late_losses(shards, known_ts_us)]
    return Evidence(
        shown=inquiry.shown(min(question.end_ts_us + days * DAY_US, known_ts_us), days, one_by_one=one_by_one),
        told=_told_sets(inquiry.ask("disclosed"), lambda row: str(row["insurer"])),
        **{field: _spread(inquiry.ask(name)) for field, name in SPREADS.items()},
        lists_shown=inquiry.ask("lists_shown")[0]["times"],
        losses=gaps(once(losses), question),
        referenced=referenced(held, question),
        within_reach=bound(hub.exposure.lookback, limits, question),
        read_to=tuple(ReadTo(each.shard, each.size) for each in lake.heads),
        billed_within_days=days,
    )


class Inquiry:
    """One question, asked of the lake query by query."""

    def __init__(self, lake: Lake, admission: Admission, question: Question, told: Told, steps: int) -> None:
        self._lake = lake
        self._admission = admission
        self._question = question
        self._told = told
        self._done, self._steps = 0, steps

    def ask(self, name: str, own: dict[str, Any] | None = None, until_ts_us: int = 0) -> list[dict[str, Any]]:
        """The rows of one query, over the question's accounts and window; with `own` values, over all accounts to an instant."""
        self._told(name, self._done, self._steps)
        self._done += 1
        parameters = window(self._question)
        if own is not None:
            parameters = {name: parameters[name] for name in ("from_us", "to_us", "insurers")} | own
        parameters["to_us"] = until_ts_us or parameters["to_us"]
        rows: list[dict[str, Any]] = self._lake.ask(self._admission, name, parameters).to_pylist()
        return rows

    def shown(self, billed_until_ts_us: int, days: int, *, one_by_one: bool) -> list[Shown]:
        """Everybody displayed, with what explains it as far as claims are known; `one_by_one`: and how often what was told."""
        who = {_person(row): row["who"] for row in self.ask("sealed_persons")}
        meant = {
            "meant_accounts": list(self._question.accounts),
            "meant_sessions": list(self._question.sessions) or ANY,
            "meant_networks": list(self._question.networks) or ANY,
            "shown_until_us": self._question.end_ts_us,
            "within_us": days * DAY_US,
        }
        unbilled = {_person(row) for row in self.ask("unexplained", meant, billed_until_ts_us)}
        told = _told_sets(self.ask("disclosed_of_each"), _person) if one_by_one else {}
        return [_shown(row, who, unbilled, told) for row in self.ask("displayed")]


def window(question: Question) -> dict[str, Any]:
    """The question as parameters of a named query."""
    return {
        "from_us": question.start_ts_us,
        "to_us": question.end_ts_us,
        "accounts": question.accounts,
        "insurers": question.insurers,
        "sessions": question.sessions,
        "networks": question.networks,
    }


def known_until(lake: Lake, now_ts_us: int) -> int:
    """Until when the lake may hold everything (µs): now, or shortly before the last entry it has of a shard it does not reach."""
    size = {each.shard: each for each in lake.covered()}
    behind = [size[head.shard].to_us if head.shard in size else 0 for head in lake.heads if _lags(head, size)]
    return min([now_ts_us, *(at - NEAR_US for at in behind)])


def _lags(head: Head, size: dict[str, Covered]) -> bool:
    return head.shard not in size or size[head.shard].size < head.size


def _shown(
    row: dict[str, Any],
    who: dict[tuple[str, bytes], bytes],
    unbilled: set[tuple[str, bytes]],
    told: Mapping[tuple[str, bytes], tuple[ToldSet, ...]],
) -> Shown:
    person = _person(row)
    billed = row["typed"] > 0 and person not in unbilled
    times = (row["first_us"], row["last_us"], row["entries"], row["typed"])
    return Shown(*person, row["fields"], *times, billed, who.get(person, b""), told.get(person, ()))


def _person(row: dict[str, Any]) -> tuple[str, bytes]:
    return row["insurer"], row["reference"]


def _told_sets(rows: list[dict[str, Any]], whose: Callable[[dict[str, Any]], Key]) -> dict[Key, tuple[ToldSet, ...]]:
    found: dict[Key, tuple[ToldSet, ...]] = {}
    same: dict[
        tuple[ToldSet, ...], tuple[ToldSet, ...]
    ] = {}  # most people were told the same: a million share a few tuples
    for row in rows:
        sets = (*found.get(whose(row), ()), (row["fields"], row["entries"]))
        found[whose(row)] = same.setdefault(sets, sets)
    return found


def _spread(rows: list[dict[str, Any]]) -> Spread:
    spread: dict[str, dict[str, int]] = {}
    for row in rows:
        spread.setdefault(row["insurer"], {})[row["value"]] = row["people"]
    return spread


def _losses(rows: list[dict[str, Any]]) -> list[Loss]:
    return [read_loss(row["outcome"], row["ts_us"]) for row in rows]


def _late_losses(shards: Shards, since_ts_us: int) -> Iterator[Loss]:
    """Losses accepted since, read from the shards themselves: a loss counts as soon as it is known, lake or not."""
    wanted = Operation.LOSS_ACCEPTED.encode()
    for head in shards.heads():
        for encoded in shards.entries(head.shard, _first(shards, head, since_ts_us - NEAR_US), head.size):
            if wanted in encoded and (entry := decode(encoded)).operation is Operation.LOSS_ACCEPTED:
                yield read_loss(entry.outcome, entry.ts_us)


def _first(shards: Shards, head: Head, ts_us: int) -> int:
    """The index of a shard's first entry at that instant or later, to within `NEAR_US`."""
    low, high = head.pruned, head.size
    while low < high:
        middle = (low + high) // 2
        (encoded,) = shards.entries(head.shard, middle, middle + 1)
        low, high = (middle + 1, high) if decode(encoded).ts_us < ts_us else (low, middle)
    return low


def check_kept(shards: Shards, question: Question) -> None:
    """Raise `exposure_pruned` when a month of the window is no longer kept: it would look as if nobody had been shown."""
    for head in shards.heads():
        start_ts_us, end_ts_us = month_of(head.shard)
        if head.pruned and start_ts_us < question.end_ts_us + NEAR_US and question.start_ts_us < end_ts_us + NEAR_US:
            raise EXPOSURE_PRUNED(f"{head.shard} is no longer kept")
