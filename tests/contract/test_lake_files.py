"""The lake's files: a function of the entries alone, however often they were exported, and whatever was killed meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecluse.engines.duckdb.lake import DuckLake
from ecluse.engines.lake.anew import LakeFiles
from ecluse.engines.lake.export import export, locked, read_state
from ecluse.engines.lake.layout import WIDTHS, parts, ranges
from ecluse.kernel.errors import Refused
from tests.lake import ADMISSION, MemoryShards, entries, truth

SMALL = (256, 128, 64, 16)
NAME = "2026-11-w0"
ENTRIES = entries(600, 5)


def exported(lake: Path, sizes: list[int], pruned: int = 0, *, frozen: bool = False) -> dict[str, bytes]:
    """The shard's files after an export at each of these sizes; what is named there, for the rest is to be swept."""
    for size in sizes:
        is_over = frozen and size == sizes[-1]
        export(MemoryShards({NAME: ENTRIES[:size]}, pruned, frozen=is_over), lake, widths=SMALL)
    state = read_state(lake / NAME)
    names = [each.range.name(kind) for each in state.files for kind in ("entries", "persons")]
    return {name: (lake / NAME / name).read_bytes() for name in ["covered.json", *names]}


@given(st.integers(0, 2**26), st.integers(0, 2**26))
def test_files_lie_side_by_side_and_few(start: int, end: int) -> None:
    found = ranges(start, end)
    assert [index for each in found for index in each] == sorted(index for each in found for index in each)
    assert sum(each.end - each.start for each in found) == max(0, end - start)
    assert len(found) <= 4 + 2 * 16 * len(WIDTHS)
    for each in found:
        if each.end - each.start > WIDTHS[-2]:
            assert [part for part in parts(each) if part not in ranges(each.start, each.end - 1)][:-1] == []


@settings(max_examples=7, deadline=None)
@given(sizes=st.lists(st.integers(1, 600), min_size=1, max_size=6, unique=True).map(sorted), frozen=st.booleans())
def test_whatever_was_exported_before_the_bytes_are_the_same(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], *, frozen: bool
) -> None:
    folder = tmp_path_factory.mktemp("lakes")
    assert exported(folder / "often", sizes, frozen=frozen) == exported(folder / "once", sizes[-1:], frozen=frozen)


def test_of_another_journal_nothing_is_kept(tmp_path: Path) -> None:
    """As many entries, of which none is the same: the files of the other one were once kept under this one's head."""
    other = entries(600, 6)
    for size in (600, 500):
        export(MemoryShards({NAME: other}), tmp_path / "lake", widths=SMALL)
        assert exported(tmp_path / "lake", [size]) == exported(tmp_path / f"fresh {size}", [size])


def test_a_shard_that_is_pruned_is_made_again_without_what_went(tmp_path: Path) -> None:
    exported(tmp_path / "lake", [600])
    assert exported(tmp_path / "lake", [600], pruned=70) == exported(tmp_path / "fresh", [600], pruned=70)
    assert exported(tmp_path / "lake", [600], pruned=600).keys() == {"covered.json"}
    export(MemoryShards({}), tmp_path / "lake")
    assert not (tmp_path / "lake" / NAME).exists(), "a shard the journal no longer has is not kept here either"


def test_persons_are_numbered_by_first_appearance_and_rows_sorted(tmp_path: Path) -> None:
    exported(tmp_path / "lake", [100, 350, 600])
    seen: dict[tuple[str, bytes], int] = {}
    for each in ENTRIES:
        if each.person:
            seen.setdefault((each.insurer, each.person), len(seen) + 1)
    state = read_state(tmp_path / "lake" / NAME)
    for file in state.files:
        rows = pq.read_table(tmp_path / "lake" / NAME / file.range.name("entries")).to_pylist()
        assert [row["index"] for row in sorted(rows, key=lambda row: row["index"])] == [*range(*file.range)]
        assert rows == sorted(rows, key=lambda row: (row["account"], row["ts_us"], row["index"]))
        for row in rows:
            given_ = ENTRIES[row["index"]]
            assert row["person"] == seen.get((given_.insurer, given_.person), 0)
            assert (row["reference"] or b"", row["request"]) == (given_.person, given_.request)
    assert state.persons == len(seen)


def test_a_file_that_was_changed_is_told_and_made_anew(tmp_path: Path) -> None:
    shards = MemoryShards({NAME: ENTRIES})
    files = LakeFiles(tmp_path, "lake", shards)
    files.export(lambda *_: None)
    assert files.differences(lambda *_: None) == []
    changed = next((tmp_path / "lake" / NAME).glob("entries-*"))
    changed.write_bytes(changed.read_bytes()[:-1] + b"?")
    assert files.differences(lambda *_: None) == [f"{NAME}/{changed.name}"]
    files.export(lambda *_: None, anew=True)
    assert files.differences(lambda *_: None) == []
    assert sorted(each.name for each in tmp_path.iterdir()) == ["lake"]


def test_a_shard_that_is_over_is_as_few_files_as_can_be(tmp_path: Path) -> None:
    open_names = exported(tmp_path / "lake", [600]).keys()
    closed = exported(tmp_path / "lake", [600], frozen=True)
    assert (len(open_names), len(closed)) == (1 + 2 * 5, 1 + 2 * 3)
    assert closed == exported(tmp_path / "fresh", [600], frozen=True)


def test_one_process_at_a_time_writes(tmp_path: Path) -> None:
    with locked(tmp_path / "lake"), pytest.raises(Refused, match="lake_busy"):
        exported(tmp_path / "lake", [10])


GROWING = """
import sys
from pathlib import Path
from ecluse.engines.lake.export import export
from tests.contract.test_lake_files import ENTRIES, NAME, SMALL
from tests.lake import MemoryShards
print("ready", flush=True)
for size in range(int(sys.argv[2]), 600, 7):
    export(MemoryShards({NAME: ENTRIES[:size]}), Path(sys.argv[1]), widths=SMALL)
"""


def test_a_kill_at_any_point_leaves_a_lake_that_reads_and_goes_on(tmp_path: Path) -> None:
    lake, size = tmp_path / "lake", 1
    for number in range(8):
        words = [sys.executable, "-c", GROWING, str(lake), str(size)]
        growing = subprocess.Popen(words, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(Path.cwd())})
        assert growing.stdout is not None
        growing.stdout.readline()
        time.sleep(0.05 + 0.083 * number)
        growing.send_signal(signal.SIGKILL)
        growing.wait()
        growing.stdout.close()
        if size := read_state(lake / NAME).size:
            kept = ENTRIES[:size]
            asked = {"from_us": 0, "to_us": 2**62}
            answer = DuckLake(lake, MemoryShards({NAME: kept})).ask(ADMISSION, "displayed", asked)
            assert answer.to_pylist() == truth("displayed", {NAME: kept}, asked)
        size = max(1, size)
    assert exported(lake, [600]) == exported(tmp_path / "fresh", [600])
    assert {each.name for each in (lake / NAME).iterdir()} >= exported(lake, [600]).keys()
