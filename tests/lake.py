"""Entries for tests of the lake, shards held in memory, and what a lake should answer, by slow and plain Python."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from ecluse.app.ports.journal import Head
from ecluse.gate.admission import Admission, Request
from ecluse.gate.identity import Account
from ecluse.gate.presence import Presence
from ecluse.journal.entry import FORMAT, Entry, Operation, encode
from ecluse.kernel.days import PARIS

ADMISSION = Admission(
    Request(Account("operator"), "exp_1"), Operation.EXPOSURE_ASKED, "exp_1", Presence.TYPED, datetime.now(UTC)
)
START_US = 1_793_000_000_000_000  # 2026-10-26, the day after summer time ended
LISTS = {"accounts": "account", "insurers": "insurer", "sessions": "session", "networks": "network"}


class MemoryShards:
    """The `Shards` port over lists."""

    def __init__(self, shards: Mapping[str, Sequence[Entry]], pruned: int = 0, *, frozen: bool = False) -> None:
        self.frozen = frozen
        self.shards = {name: [encode(each) for each in entries] for name, entries in shards.items()}
        self.pruned = pruned

    def heads(self) -> list[Head]:
        """Every shard, by name."""
        return [
            Head(name, len(entries), f"{name}\n{len(entries)}\n{_digest(entries)}\n", self.frozen, self.pruned)
            for name, entries in sorted(self.shards.items())
        ]

    def entries(self, shard: str, start: int, end: int) -> Iterator[bytes]:
        """Entries `start` until before `end`."""
        return iter(self.shards[shard][start:end])


def _digest(entries: Sequence[bytes]) -> str:
    return sha256(b"".join(entries)).hexdigest()


def entries(count: int, seed: int, people: int = 40, step_us: int = 40_000_000) -> list[Entry]:
    """Entries about few people by few accounts; references that end in 00, that two insurers share, people without `who`."""
    draw = random.Random(seed)
    references = [random.Random(each).randbytes(15) + bytes([each % 3]) for each in range(people)]
    return [_entry(draw, references, START_US + number * step_us) for number in range(count)]


def _entry(draw: random.Random, references: list[bytes], ts_us: int) -> Entry:
    person = draw.choice(references) if draw.random() < 0.8 else b""
    return Entry(
        FORMAT,
        ts_us + draw.randrange(-2_000_000, 2_000_000),
        draw.choice([Operation.RIGHTS_CHECK, Operation.QUOTE, Operation.CLAIM_READ]),
        f"rpps:1000000000{draw.randrange(6)}",
        f"37000000{draw.randrange(3)}",
        draw.choice(["0075123456", "0075123457"]),
        person,
        draw.randrange(3),
        draw.choice([0, 1, 3, 2049, 2**31]) if person else 1,
        draw.choice(["confirmed", "not_confirmed", "d'été"]),
        f"ENG{draw.randrange(99)}",
        f"chk_{draw.randrange(10**9)}",
        b"sealed",
        draw.randbytes(40) if person and draw.random() < 0.3 else b"",
        f"192.0.2.{draw.randrange(2) * 128}/25",
        "logiciel d'essai",
        f"session {draw.randrange(4)}",
    )


Kept = dict[str, list[Entry]]


def truth(query: str, shards: Kept, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What the lake should answer, in its order."""
    kept = [
        (shard, index, entry)
        for shard, some in shards.items()
        for index, entry in enumerate(some)
        if asked["from_us"] <= entry.ts_us < asked["to_us"]
        and all(not asked.get(name) or getattr(entry, column) in asked[name] for name, column in LISTS.items())
    ]
    return TRUTHS[query](kept, asked)


def _displayed(kept: list[Any], _: Any) -> list[dict[str, Any]]:
    shown = defaultdict(list)
    for _shard, _index, each in kept:
        if each.person and each.fields:
            shown[each.insurer, each.person].append(each)
    return [_person(key, some) for key, some in sorted(shown.items())]


def _person(key: tuple[str, bytes], some: list[Entry]) -> dict[str, Any]:
    presences = Counter(each.presence for each in some)
    fields = 0
    for each in some:
        fields |= each.fields
    times = [each.ts_us for each in some]
    return {
        "insurer": key[0], "reference": key[1], "fields": fields, "first_us": min(times), "last_us": max(times),
        "entries": len(some), "typed": presences[0], "passed": presences[1], "live": presences[2],
        "operations": sorted({each.operation.value for each in some}),
    }  # fmt: skip


def _counted(*names: str) -> Any:
    """Distinct persons by something of their entries."""

    def count(kept: list[Any], _: Any) -> list[dict[str, Any]]:
        people = defaultdict(set)
        for _shard, _index, each in kept:
            if each.person and each.fields:
                for key in _keys(each, names):
                    people[key].add((each.insurer, each.person))
        return [{**dict(zip(names, key, strict=True)), "persons": len(some)} for key, some in sorted(people.items())]

    return count


def _keys(each: Entry, names: tuple[str, ...]) -> list[tuple[Any, ...]]:
    day = datetime.fromtimestamp(each.ts_us / 1e6, PARIS).date().isoformat()
    if names == ("insurer", "field"):
        return [(each.insurer, 1 << bit) for bit in range(32) if each.fields >> bit & 1]
    told = {"insurer": each.insurer, "day": day, "account": each.account, "practice": each.practice}
    return [tuple(told[name] for name in names)]


def _spread(name: str) -> Any:
    """The same by insurer and one thing more, which is the `value`."""
    counted = _counted("insurer", name)

    def spread(kept: list[Any], asked: Mapping[str, Any]) -> list[dict[str, Any]]:
        rows = counted(kept, asked)
        return [{"insurer": row["insurer"], "value": row[name], "people": row["persons"]} for row in rows]

    return spread


def _disclosed(*names: str) -> Any:
    """How often each set of fields was told, by something of the entries."""

    def count(kept: list[Any], _: Any) -> list[dict[str, Any]]:
        told = Counter[tuple[Any, ...]]()
        for _shard, _index, each in kept:
            if each.person and each.fields:
                values = {"insurer": each.insurer, "reference": each.person}
                told[(*(values[name] for name in names), each.fields)] += 1
        return [
            dict(zip((*names, "fields", "entries"), (*key, times), strict=True)) for key, times in sorted(told.items())
        ]

    return count


_TOLD = (
    "ts_us", "account", "practice", "operation", "presence", "fields", "outcome", "engagement", "request", "network",
    "software", "session",
)  # fmt: skip


def _displayed_by(kept: list[Any], _: Any) -> list[dict[str, Any]]:
    names = ("insurer", "reference", "account", "practice")
    told = {(e.insurer, e.person, e.account, e.practice) for _, _, e in kept if e.person and e.fields}
    return [dict(zip(names, each, strict=True)) for each in sorted(told)]


OF_INCIDENT = ("incident", "incident_read", "contained", "exposure_asked", "journal_exported", "journal_proved")


def _entries_of_incident(kept: list[Any], asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    def wanted(each: Any) -> bool:
        about = {each.engagement, each.request} & {*asked["about"]}
        return (
            (each.operation == "caps_set" and each.ts_us < asked["shown_until_us"])
            or (each.operation == "recipient_set" and each.insurer in asked["shown_insurers"])
            or (each.operation in OF_INCIDENT and bool(about))
        )

    places = sorted((shard, index) for shard, index, each in kept if wanted(each))
    return [{"shard": shard, "index": index} for shard, index in places]


def _entries_of(kept: list[Any], asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    about = [each for each in kept if (each[2].insurer, each[2].person) == (asked["insurer"], asked["reference"])]
    about.sort(key=lambda each: (each[2].ts_us, each[0], each[1]))
    return [{"shard": s, "index": i, **{name: getattr(e, name) for name in _TOLD}} for s, i, e in about]


def _by_account(kept: list[Any], _: Any) -> list[dict[str, Any]]:
    times = defaultdict(list)
    for _shard, _index, each in kept:
        times[each.account].append(each.ts_us)
    return [
        {"account": account, "entries": len(some), "first_us": min(some), "last_us": max(some)}
        for account, some in sorted(times.items())
    ]


def _places(kept: list[Any], _: Any) -> list[dict[str, Any]]:
    return [
        {"shard": shard, "index": index}
        for shard, index, each in sorted(kept, key=lambda one: one[:2])
        if each.person and each.fields
    ]


TRUTHS: dict[str, Any] = {
    "displayed": _displayed,
    "displayed_by_insurer": _counted("insurer"),
    "displayed_by_insurer_and_field": _counted("insurer", "field"),
    "disclosed": _disclosed("insurer"),
    "disclosed_of_each": _disclosed("insurer", "reference"),
    "displayed_by": _displayed_by,
    "exposed_days": _spread("day"),
    "exposed_accounts": _spread("account"),
    "exposed_practices": _spread("practice"),
    "entries_of": _entries_of,
    "entries_of_incident": _entries_of_incident,
    "entries_by_account": _by_account,
    "displayed_places": _places,
}


def sealed_persons(shards: Kept) -> dict[tuple[str, bytes], set[bytes]]:
    """The first `who` of each person in each shard."""
    found: dict[tuple[str, bytes], set[bytes]] = defaultdict(set)
    for some in shards.values():
        first: dict[tuple[str, bytes], bytes] = {}
        for each in some:
            if each.who:
                first.setdefault((each.insurer, each.person), each.who)
        for key, who in first.items():
            found[key].add(who)
    return found
