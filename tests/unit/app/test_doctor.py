"""The doctor's table, on facts that a test's machine cannot show: full disks, disks that lie, slow ones, old libraries."""

from __future__ import annotations

from datetime import date

import pytest

from ecluse.app.doctor import CHECKS, GIB, diagnose
from ecluse.app.ports.journal import ShardState
from ecluse.app.ports.upkeep import Facts, Fault, InsurerFacts, Integrity, JournalFacts, Place, StoreFacts
from ecluse.gate.allowance import Beginning
from ecluse.kernel.days import DAY_US

SOUND = Integrity("every page")
OFF = Fault("data checksums are off", "Turn them on.", grave=False)


def place(name: str, free_gib: float, used_gib: float = 0, device: int = 1) -> Place:
    return Place(name, 0o600, True, int(used_gib * GIB), int(free_gib * GIB), device)


def journal(gib: float, days: int) -> JournalFacts:
    return JournalFacts(1, int(gib * GIB), DAY_US, DAY_US * (1 + days))


MARCH_2027 = 1_804_000_000_000_000  # the 2nd


def over(month: str) -> ShardState:
    return ShardState(f"{month}-w0", month, "frozen", 5, "", 0, has_entries=True)


CASES = [
    ("caps", "ok", Facts()),
    ("caps", "ok", Facts(beginning=Beginning(date(2027, 5, 1)), now_ts_us=MARCH_2027)),
    ("caps", "ok", Facts(beginning=Beginning(date(2027, 3, 1)), now_ts_us=MARCH_2027)),  # over
    ("caps", "warning", Facts(beginning=Beginning(date(2027, 8, 1)), now_ts_us=MARCH_2027)),
    ("disk space", "ok", Facts(places=(place("journal", 40),), journal=journal(1, 1))),
    ("disk space", "warning", Facts(places=(place("journal", 30),), journal=journal(1, 1))),  # 30 days of it, and 1 GiB
    ("disk space", "ok", Facts(places=(place("journal", 5),), journal=journal(1, 10))),
    ("disk space", "wrong", Facts(places=(place("out", 0.5),))),
    ("disk space", "warning", Facts(places=(place("rights", 6),), largest_rights_bytes=2 * GIB)),  # 3 × 2, and 1
    ("disk space", "warning", Facts(places=(place("hub.db", 9, 9),))),
    ("disk space", "ok", Facts(places=(place("hub.db", 11, 9), place("rights", 5, device=2)))),
    ("disk sync", "warning", Facts(sync_us=(1, 2, 3))),
    ("disk sync", "ok", Facts(sync_us=(900, 40_000, 1_100))),
    ("disk sync", "warning", Facts(sync_us=(30_000, 40_000, 50_000))),
    ("disk sync", "wrong", Facts(sync_failed="No space left on device")),
    ("issuers", "warning", Facts(production=True, issuers=1, development_issuers=1)),
    ("issuers", "wrong", Facts(production=True, issuers=1)),  # neither proofs nor certificates can be checked
    ("issuers", "warning", Facts(production=True, issuers=1, certificates=True)),
    ("issuers", "ok", Facts(production=True, issuers=1, named=True)),
    ("issuers", "warning", Facts(production=True, issuers=2, named=True, unbounded=("https://psc.example",))),
    ("issuers", "ok", Facts(issuers=1, unbounded=("https://psc.example",))),
    ("keys", "wrong", Facts(production=True)),
    ("journal origin", "wrong", Facts(production=True, origin_unset=True)),
    ("journal origin", "warning", Facts(origin_unset=True)),
    ("detectors", "warning", Facts(detectors="off")),
    ("detectors", "warning", Facts(production=True, detectors="tell")),
    ("detectors", "ok", Facts(detectors="tell")),
    ("second home", "warning", Facts(production=True, heads_beside=True)),
    ("second home", "ok", Facts(production=True)),
    ("retention", "ok", Facts(now_ts_us=MARCH_2027, journal=JournalFacts(1, 0, 0, 0, shards=(over("2026-03"),)))),
    (
        "retention",
        "warning",
        Facts(now_ts_us=MARCH_2027, journal=JournalFacts(1, 0, 0, 0, shards=(over("2026-02"), over("2027-02")))),
    ),
    (
        "retention",
        "ok",
        Facts(
            now_ts_us=MARCH_2027,
            keep_months=13,
            journal=JournalFacts(1, 0, 0, 0, shards=(over("2026-02"), over("2027-02"))),
        ),
    ),
    ("owner", "warning", Facts(places=(Place("hub.db", 0o600, False, 0, 0, 1),))),
    ("insurers", "wrong", Facts(store=StoreFacts(SOUND, (InsurerFacts("1", True, True, False, 1),)))),
    ("payment runs", "wrong", Facts(store=StoreFacts(SOUND, unwritten_runs=("run_1",)))),
    ("payment runs", "wrong", Facts(store=StoreFacts(SOUND, lost_runs=("run_1",)))),
    ("database", "wrong", Facts(store=StoreFacts(Integrity("", (OFF, Fault("page 3 is never used", "Restore it.")))))),
    ("database", "warning", Facts(store=StoreFacts(Integrity("", (OFF,))))),
    ("database", "wrong", Facts(store=StoreFacts(SOUND), damaged=(Fault("gate.db is damaged", "Restore it."),))),
    ("database", "wrong", Facts(damaged=(Fault("gate.db is damaged", "Restore it."),))),
    ("versions", "warning", Facts(libraries=(("msgspec", "0.22.0", "0.19.0"),))),
]


@pytest.mark.parametrize(("check", "verdict", "facts"), CASES)
def test_a_fact_is_judged(check: str, verdict: str, facts: Facts) -> None:
    found = CHECKS[check](facts)
    assert found.verdict == verdict, found
    assert bool(found.do) == (verdict != "ok")


def test_every_check_bears_an_installation_of_which_nothing_is_known() -> None:
    assert [each.check for each in diagnose(Facts())] == [*CHECKS]
