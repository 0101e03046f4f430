"""The contract of the `Lake` port on DuckDB and on Spark: both answer what slow Python does, over the same files."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecluse.app.ports.lake import Lake
from ecluse.engines.duckdb.lake import DuckLake
from ecluse.engines.lake.asked import QUERIES
from ecluse.engines.lake.export import export
from ecluse.engines.spark import open_lake
from ecluse.engines.sql.named import named
from ecluse.kernel.errors import Refused
from tests.lake import ADMISSION, START_US, TRUTHS, Kept, MemoryShards, entries, sealed_persons, truth

SMALL = (256, 128, 64, 16)  # widths for a few hundred entries: every kind of file is there
HOUR_US = 3_600_000_000
SHARDS: Kept = {"2026-10-w0": entries(700, 1), "2026-10-w1": entries(333, 2), "2026-11-w0": entries(30, 3)}
SOMEBODY = next(each.person for each in SHARDS["2026-11-w0"] if each.person)
ALL = {"from_us": 0, "to_us": 2**62}
# Several processes on this machine, as a cluster has: one JVM each.
CLUSTER = "?master=local-cluster[2,1,1024]&spark.sql.shuffle.partitions=1&spark.sql.adaptive.enabled=false"

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "everybody": ("displayed", ALL),
    "by insurer, of two accounts": ("displayed_by_insurer", ALL | {"accounts": ["rpps:10000000001", "rpps:10000000004"]}),
    "by field": ("displayed_by_insurer_and_field", ALL | {"networks": ["192.0.2.128/25"]}),
    "where they stand": ("displayed_places", ALL | {"insurers": ["0075123456"]}),
    "how often, by set of fields": ("disclosed", ALL | {"sessions": ["session 1"]}),
    "by whom": ("displayed_by", ALL),
    "how often, person by person": ("disclosed_of_each", ALL),
    "by day, in Paris, over the change of hour": ("exposed_days", {"from_us": START_US - 1, "to_us": START_US + 9 * HOUR_US}),
    "one person": ("entries_of", ALL | {"insurer": "0075123456", "reference": SOMEBODY}),
    "an incident": (
        "entries_of_incident", ALL | {"about": ["exp_1"], "shown_insurers": ["0075123456"], "shown_until_us": START_US + HOUR_US},
    ),
    "no such session": ("displayed", ALL | {"sessions": ["it's", "a\\b"]}),
    "before everything": ("exposed_accounts", {"from_us": 0, "to_us": 5}),
}  # fmt: skip

Opened = Callable[[Path, MemoryShards], Lake]


def duck(lake: Path, shards: MemoryShards) -> Lake:
    return DuckLake(lake, shards)


def spark(lake: Path, shards: MemoryShards) -> Lake:
    if not shutil.which("java") or not find_spec("pyspark"):
        pytest.skip("Spark is not here: it needs Java 17 and pip install 'ecluse[spark]'")
    return open_lake(lake.parent, lake.name + CLUSTER, shards)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hub") / "lake"
    export(MemoryShards(SHARDS), folder, widths=SMALL)
    return folder


@pytest.fixture(params=[duck, spark], ids=["duckdb", "spark"], scope="module")
def opened(request: pytest.FixtureRequest, lake: Path) -> Iterator[Lake]:
    """The same lake, by each engine."""
    engine: Opened = request.param
    yield engine(lake, MemoryShards(SHARDS))
    if engine is spark:  # three processes of Java would stay until the last test
        import_module("pyspark.sql").SparkSession.builder.getOrCreate().stop()


@pytest.mark.parametrize("case", CASES)
def test_an_answer_is_what_slow_python_finds(opened: Lake, case: str) -> None:
    query, asked = CASES[case]
    assert opened.ask(ADMISSION, query, asked).to_pylist() == truth(query, SHARDS, asked)


def test_whoever_was_shown_is_led_back_by_the_first_sealed_member_number(opened: Lake) -> None:
    found = opened.ask(ADMISSION, "sealed_persons", ALL).to_pylist()
    first = sealed_persons(SHARDS)
    assert {(each["insurer"], each["reference"]) for each in found} == first.keys()
    assert all(each["who"] in first[each["insurer"], each["reference"]] for each in found)


LISTED = {
    "accounts": st.lists(st.sampled_from([f"rpps:1000000000{n}" for n in range(7)])),
    "insurers": st.lists(st.sampled_from(["0075123456", "0075123457", "x"])),
    "sessions": st.lists(st.sampled_from(["session 1", "session 2", ""])),
    "networks": st.lists(st.sampled_from(["192.0.2.0/25", "192.0.2.128/25"])),
}


@settings(max_examples=60, deadline=None)
@given(
    query=st.sampled_from([*TRUTHS]), hours=st.tuples(*[st.integers(-2, 10)] * 2), listed=st.fixed_dictionaries(LISTED)
)
def test_any_question_is_answered_as_slow_python_does(
    lake: Path, query: str, hours: tuple[int, int], listed: dict[str, list[str]]
) -> None:
    first, last = sorted(hours)
    asked = {"from_us": START_US + first * HOUR_US, "to_us": START_US + last * HOUR_US, **listed}
    asked |= {"insurer": "0075123457", "reference": SOMEBODY}
    asked |= {"about": ["exp_1"], "shown_insurers": ["0075123456"], "shown_until_us": START_US + HOUR_US}
    answer = duck(lake, MemoryShards(SHARDS)).ask(ADMISSION, query, asked).to_pylist()
    assert answer == truth(query, SHARDS, asked)


def test_every_query_of_the_lake_itself_is_held_against_the_truth() -> None:
    own = named(QUERIES, "displayed.sql").keys() | named(QUERIES, "entries.sql").keys()
    assert own == TRUTHS.keys() | {"sealed_persons"}


MEANT = {"meant_accounts": ["rpps:10000000001"], "meant_sessions": [""], "meant_networks": [""]}
ALIKE: dict[str, dict[str, Any]] = {
    "unexplained": ALL | MEANT | {"shown_until_us": 2**62, "within_us": HOUR_US},
    "losses_accepted": ALL,
}


@pytest.mark.parametrize("query", ALIKE)
def test_what_an_exposure_asks_beside_is_answered_alike(opened: Lake, lake: Path, query: str) -> None:
    duckdb = duck(lake, MemoryShards(SHARDS)).ask(ADMISSION, query, ALIKE[query]).to_pylist()
    assert opened.ask(ADMISSION, query, ALIKE[query]).to_pylist() == duckdb
    assert duckdb or query == "losses_accepted"


def refusal(lake: Lake, to_us: int) -> str:
    try:
        lake.ask(ADMISSION, "displayed_by_insurer", {"from_us": 0, "to_us": to_us})
    except Refused as refused:
        return refused.code
    return ""


def test_a_window_the_lake_does_not_wholly_hold_is_refused(lake: Path) -> None:
    (late,) = entries(1, 9)
    behind = duck(lake, MemoryShards(SHARDS | {"2026-11-w0": [*SHARDS["2026-11-w0"], late]}))
    assert refusal(behind, late.ts_us + 1) == "lake_behind"
    assert refusal(behind, late.ts_us) == "", "what it lacks is not of this window"
    assert refusal(duck(lake, MemoryShards(SHARDS | {"2026-12-w0": entries(5, 4)})), 2**62) == "lake_behind"


def test_what_came_after_the_heads_it_was_opened_at_is_not_counted(opened: Lake, tmp_path: Path) -> None:
    export(MemoryShards(SHARDS), tmp_path / "lake", widths=SMALL)
    at = {name: some[: len(some) - 7] for name, some in SHARDS.items()}
    shards = MemoryShards(at)
    found = (duck if isinstance(opened, DuckLake) else spark)(tmp_path / "lake", shards)
    shards.shards = MemoryShards(SHARDS).shards  # written since, and in the lake already
    assert found.ask(ADMISSION, "displayed_places", ALL).to_pylist() == truth("displayed_places", at, ALL)


def test_a_journal_that_went_back_or_is_another_is_refused(lake: Path) -> None:
    shorter = SHARDS | {"2026-11-w0": SHARDS["2026-11-w0"][:-1]}
    assert refusal(duck(lake, MemoryShards(shorter)), 2**62) == "lake_differs"
    with pytest.raises(Refused, match="lake_query_unknown"):
        duck(lake, MemoryShards(SHARDS)).ask(ADMISSION, "no such", ALL)


def test_it_says_how_far_it_goes(opened: Lake) -> None:
    signed = {head.shard: head.checkpoint for head in MemoryShards(SHARDS).heads()}
    for each in opened.covered():
        times = [entry.ts_us for entry in SHARDS[each.shard]]
        assert (each.size, each.from_us, each.to_us) == (len(times), min(times), max(times))
        assert each.checkpoint == signed[each.shard]
