"""The contract of the `Log` port, for every engine; today segments on a local disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecluse.app.ports import Mark
from ecluse.engines import local
from ecluse.engines.local import LocalLog, read_all
from ecluse.kernel.errors import Refused


def entries(log: LocalLog, marks: dict[str, int] | None = None) -> list[bytes]:
    return [entry for entry, _ in log.unkept(marks or {})]


@settings(max_examples=40)
@given(batches=st.lists(st.lists(st.binary(max_size=300), min_size=1, max_size=5), max_size=8))
def test_what_was_appended_is_read_back_in_order_after_a_restart(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[bytes]]
) -> None:
    directory = tmp_path_factory.mktemp("journal")
    log = LocalLog(directory)
    for batch in batches:
        log.append(batch)
    log.close()
    assert entries(LocalLog(directory)) == [entry for batch in batches for entry in batch]


def test_a_mark_says_how_far_one_has_read(tmp_path: Path) -> None:
    log = LocalLog(tmp_path)
    mark = log.append([b"one", b"two"])
    log.append([b"three"])
    assert entries(log, {mark.slot: mark.position}) == [b"three"]
    (_, last), *_ = reversed(list(log.unkept({})))
    assert entries(log, {last.slot: last.position}) == []


def test_two_writers_never_share_a_slot_and_both_are_read(tmp_path: Path) -> None:
    first, second = LocalLog(tmp_path), LocalLog(tmp_path)
    assert first.append([b"a"]).slot != second.append([b"b"]).slot
    assert sorted(read_all(tmp_path)) == [b"a", b"b"]


def test_a_slot_in_use_is_not_read_and_a_slot_left_is(tmp_path: Path) -> None:
    first, second = LocalLog(tmp_path), LocalLog(tmp_path)
    first.append([b"a"])
    second.append([b"b"])
    assert entries(second) == [b"b"]
    first.close()
    assert sorted(entries(second)) == [b"a", b"b"]


@settings(max_examples=60)
@given(cut=st.integers(1, 60))
def test_a_torn_end_is_moved_aside_and_nothing_before_it_is_lost(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    directory = tmp_path_factory.mktemp("journal")
    log = LocalLog(directory)
    log.append([b"first", b"second"])
    kept = log.append([b"x" * 64]).position
    log.close()
    segment = next(directory.glob("w0/*.seg"))
    os.truncate(segment, kept - cut)
    with pytest.warns(UserWarning, match="torn"):  # noqa: PT031 - reading is what opens the slot
        again = LocalLog(directory)
        assert entries(again) == [b"first", b"second"]
    assert segment.with_suffix(".torn").exists()
    again.append([b"third"])
    assert entries(again) == [b"first", b"second", b"third"]


def test_damage_before_the_end_refuses_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "SEGMENT_BYTES", 100)
    log = LocalLog(tmp_path)
    for number in range(20):
        log.append([b"entry %d" % number * 4])
    log.close()
    first = min(tmp_path.glob("w0/*.seg"))
    content = bytearray(first.read_bytes())
    content[20] ^= 1
    first.write_bytes(content)
    with pytest.raises(Refused, match="journal_damaged"):
        entries(LocalLog(tmp_path))


def test_a_segment_that_is_full_gives_way_to_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "SEGMENT_BYTES", 100)
    log = LocalLog(tmp_path)
    sent = [b"entry %d" % number * 4 for number in range(20)]
    for entry in sent:
        log.append([entry])
    assert len(list(tmp_path.glob("w0/*.seg"))) > 5
    assert entries(log) == sent


def test_a_failed_sync_poisons_the_log_for_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = LocalLog(tmp_path)
    log.append([b"before"])

    def broken(_: int) -> None:
        raise OSError("disk gone")

    monkeypatch.setattr(os, "fdatasync", broken)
    with pytest.raises(Refused, match="journal_poisoned"):
        log.append([b"lost"])
    monkeypatch.undo()
    with pytest.raises(Refused, match="journal_poisoned"):
        log.append([b"after"])


def test_marks_compare_by_what_they_say() -> None:
    assert Mark("w0", 3) == Mark("w0", 3) != Mark("w1", 3)
