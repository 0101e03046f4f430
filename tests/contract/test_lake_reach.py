"""The lake brought to signed heads by who asks, and what is answered where it is not: all that was signed then, or nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ecluse.engines.duckdb.lake import DuckLake
from ecluse.engines.lake.asked import Signed, asked, sources
from ecluse.engines.lake.export import export, locked, read_state
from ecluse.engines.lake.reach import lacking, reach
from ecluse.kernel.errors import Refused
from tests.lake import ADMISSION, START_US, MemoryShards, entries, truth

NAME = "2026-11-w0"
S_US = 1_000_000
ENTRIES = entries(60, 5, step_us=10 * S_US)
ALL = {"from_us": 0, "to_us": 2**62}


class Counting(MemoryShards):
    """Shards that count how often entries of theirs are read."""

    reads = 0

    def entries(self, shard: str, start: int, end: int) -> Iterator[bytes]:
        """Entries `start` until before `end`."""
        self.reads += 1
        return super().entries(shard, start, end)


def of(size: int) -> Counting:
    return Counting({NAME: ENTRIES[:size]})


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.tuples(*[st.integers(1, 60)] * 3).map(sorted),
    window=st.tuples(*[st.integers(-20, 700)] * 2).map(sorted),
    back=st.sets(st.integers(0, 59), max_size=6),
    back_s=st.integers(1, 2_000),
)
def test_all_that_was_signed_is_counted_or_nothing_whatever_the_clock_did(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], window: list[int], back: set[int], back_s: int
) -> None:
    """The lake is at the first size when it is asked of the second; of the third it is never told."""
    kept = [replace(each, ts_us=each.ts_us - (place in back) * back_s * S_US) for place, each in enumerate(ENTRIES)]
    folder = tmp_path_factory.mktemp("hub") / "lake"
    export(MemoryShards({NAME: kept[: sizes[0]]}), folder)
    shards = MemoryShards({NAME: kept[: sizes[1]]})
    lake = DuckLake(folder, shards)
    shards.shards = MemoryShards({NAME: kept[: sizes[2]]}).shards
    what = {"from_us": START_US + window[0] * S_US, "to_us": START_US + window[1] * S_US}
    lacks = any(what["from_us"] <= each.ts_us < what["to_us"] for each in kept[sizes[0] : sizes[1]])
    wanted = truth("displayed_places", {NAME: kept[: sizes[1]]}, what)
    if lacks:
        with pytest.raises(Refused, match="lake_behind"):
            lake.ask(ADMISSION, "displayed_places", what)
    else:
        assert lake.ask(ADMISSION, "displayed_places", what).to_pylist() == wanted
    export(shards, folder)  # another process, meanwhile, up to the third
    assert lake.ask(ADMISSION, "displayed_places", what).to_pylist() == wanted
    shutil.rmtree(folder)


def test_many_who_ask_at_once_export_once(tmp_path: Path) -> None:
    shards = of(60)
    heads = shards.heads()
    with ThreadPoolExecutor(4) as together:
        list(together.map(lambda _: reach(shards, tmp_path / "lake", heads), range(4)))
    assert (read_state(tmp_path / "lake" / NAME).size, shards.reads) == (60, 1)


def test_who_waits_for_an_export_under_way_goes_on_once_it_ended(tmp_path: Path) -> None:
    shards, lake = of(60), tmp_path / "lake"
    with ThreadPoolExecutor(1) as beside:
        with locked(lake):
            asking = beside.submit(reach, shards, lake, shards.heads())
        asking.result(20)
    assert lacking(shards, lake, shards.heads()) == 0


def test_a_lake_that_cannot_be_brought_up_soon_is_left_as_it_is(tmp_path: Path) -> None:
    lake, shards = tmp_path / "lake", of(60)
    export(of(20), lake)
    reach(shards, lake, shards.heads(), lacking_max=39)
    with locked(lake):
        reach(shards, lake, shards.heads(), wait_s=0.05)
    (lake / "lock").unlink()
    (lake / "lock").mkdir()  # as of a disk that is read and not written, which root may write all the same
    reach(shards, lake, shards.heads())
    assert read_state(lake / NAME).size == 20
    asked_lately = {"from_us": ENTRIES[40].ts_us, "to_us": ENTRIES[41].ts_us}
    with pytest.raises(Refused, match="lake_behind") as refused:
        DuckLake(lake, shards).ask(ADMISSION, "displayed", asked_lately)
    assert refused.value.refusal.retry_s > 0
    before = {"from_us": 0, "to_us": ENTRIES[15].ts_us}
    known = DuckLake(lake, shards).ask(ADMISSION, "displayed", before).to_pylist()
    assert known == truth("displayed", {NAME: ENTRIES}, before), "what it lacks is later: it is answered"


def test_where_too_many_lack_none_is_looked_at(tmp_path: Path) -> None:
    export(of(20), tmp_path / "lake")
    before = asked("displayed", {"from_us": 0, "to_us": 1})
    assert sources(Signed(of(60), past_max=40), tmp_path / "lake", before) == []
    with pytest.raises(Refused, match="lake_behind"):
        sources(Signed(of(60), past_max=39), tmp_path / "lake", before)


def test_a_lake_of_another_journal_is_not_written_over(tmp_path: Path) -> None:
    lake, shorter = tmp_path / "lake", of(59)
    export(of(60), lake)
    with pytest.raises(Refused, match="lake_differs"):
        reach(shorter, lake, shorter.heads())
    assert read_state(lake / NAME).size == 60
    reach(of(60), lake, shorter.heads())  # the journal goes on: the lake is only past what was signed then
