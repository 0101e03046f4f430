"""The contract of the `Log` port, for every engine; today logs on a local disk."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecluse.app.ports import Mark
from ecluse.engines.local import LocalLog, LocalShards, reading, wal
from ecluse.engines.local.disk import Disk
from ecluse.engines.local.registry import Signer, read_records
from ecluse.journal.checkpoint import opened
from ecluse.journal.merkle import Edge, leaf_hash
from ecluse.kernel.errors import Refused
from tests.journal import SIGNER, open_log

OPENING = b"shard_opened"


def entries(log: LocalLog, marks: dict[str, int] | None = None) -> list[bytes]:
    return [entry for entry, _ in log.unkept(marks or {}) if OPENING not in entry]


def all_of(directory: Path) -> list[bytes]:
    shards = LocalShards(directory)
    return [
        entry
        for head in shards.heads()
        for entry in shards.entries(head.shard, 0, head.size)
        if OPENING not in entry
    ]  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(batches=st.lists(st.lists(st.binary(max_size=300), min_size=1, max_size=300), max_size=8))
def test_what_was_appended_is_read_back_in_order_after_a_restart(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[bytes]]
) -> None:
    directory = tmp_path_factory.mktemp("journal")
    log = open_log(directory)
    for batch in batches:
        log.append(batch)
    log.close()
    sent = [entry for batch in batches for entry in batch]
    assert entries(open_log(directory)) == sent
    assert all_of(directory) == sent


def test_a_head_is_signed_for_exactly_what_was_appended_before_append_returns(tmp_path: Path) -> None:
    log, edge = open_log(tmp_path), Edge()
    for number in range(600):
        mark = log.append([b"%d" % number] * (number % 3 + 1))
        head = next(each for each in LocalShards(tmp_path).heads() if each.shard == mark.slot)
        checkpoint = opened(head.checkpoint, SIGNER.key(mark.slot))
        for entry in LocalShards(tmp_path).entries(mark.slot, edge.size, mark.position):
            edge.append(leaf_hash(entry))
        assert (checkpoint.size, checkpoint.root) == (mark.position, edge.root())


def test_a_mark_says_how_far_one_has_read(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    mark = log.append([b"one", b"two"])
    log.append([b"three"])
    assert entries(log, {mark.slot: mark.position}) == [b"three"]
    (_, last), *_ = reversed(list(log.unkept({})))
    assert entries(log, {last.slot: last.position}) == []


def test_it_is_ahead_of_marks_where_somebody_left_entries_and_nobody_writes(tmp_path: Path) -> None:
    writes, looks = open_log(tmp_path), open_log(tmp_path)
    assert not looks.is_ahead({})
    mark = writes.append([b"one", b"two"])
    assert not looks.is_ahead({})  # whoever writes counts its own
    writes.close()
    assert looks.is_ahead({})
    assert looks.is_ahead({mark.slot: mark.position - 1})
    assert not looks.is_ahead({mark.slot: mark.position})
    assert looks.name == ""  # to look takes no slot


def test_a_mark_past_the_end_says_that_the_journal_lost_entries(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    mark = log.append([b"one"])
    with pytest.raises(Refused, match="journal_behind"):
        entries(log, {mark.slot: mark.position + 1})
    with pytest.raises(Refused, match="journal_behind"):
        entries(log, {"2020-01-w0": 1})


def test_two_writers_never_share_a_slot_and_both_are_read(tmp_path: Path) -> None:
    first, second = open_log(tmp_path), open_log(tmp_path)
    assert first.append([b"a"]).slot != second.append([b"b"]).slot
    assert sorted(all_of(tmp_path)) == [b"a", b"b"]


def test_a_slot_in_use_is_not_read_and_a_slot_left_is(tmp_path: Path) -> None:
    first, second = open_log(tmp_path), open_log(tmp_path)
    first.append([b"a"])
    second.append([b"b"])
    assert entries(second) == [b"b"]
    first.close()
    assert sorted(entries(second)) == [b"a", b"b"]


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(1, 60))
def test_a_torn_end_is_moved_aside_and_nothing_before_it_is_lost(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    directory = tmp_path_factory.mktemp("journal")
    log = open_log(directory)
    log.append([b"first", b"second"])
    log.close()
    segment = next(directory.glob("*/wal/*.seg"))
    torn = b"\x00\x00\x00\x40" + os.urandom(4) + b"x" * 64
    with segment.open("ab") as writing:
        writing.write(torn[:-cut])
    with pytest.warns(UserWarning, match="torn"):  # noqa: PT031 - reading is what opens the slot
        again = open_log(directory)
        assert entries(again) == [b"first", b"second"]
    assert segment.with_suffix(".torn").read_bytes() == torn[:-cut]
    again.append([b"third"])
    assert entries(again) == [b"first", b"second", b"third"]


@pytest.mark.parametrize("heads", [None, "heads"])
def test_an_entry_a_head_was_signed_for_is_never_taken_for_a_torn_end(tmp_path: Path, heads: str | None) -> None:
    log = open_log(tmp_path / "journal", heads=tmp_path / heads if heads else None)
    log.append([b"first", b"second"])
    log.close()
    segment = next(tmp_path.glob("journal/*/wal/*.seg"))
    os.truncate(segment, segment.stat().st_size - 1)
    left = segment.read_bytes()
    with pytest.raises(Refused, match="journal_forked"):
        open_log(tmp_path / "journal", heads=tmp_path / heads if heads else None).append([b"third"])
    assert segment.read_bytes() == left


def test_damage_before_the_end_refuses_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wal, "SEGMENT_BYTES", 100)
    log = open_log(tmp_path)
    for number in range(20):
        log.append([b"entry %d" % number * 4])
    log.close()
    first = min(tmp_path.glob("*/wal/*.seg"))
    content = bytearray(first.read_bytes())
    content[20] ^= 1
    first.write_bytes(content)
    with pytest.raises(Refused, match="journal_damaged"):
        entries(open_log(tmp_path))


def test_a_segment_that_is_full_gives_way_to_the_next_and_goes_once_its_entries_are_in_bundles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wal, "SEGMENT_BYTES", 1000)
    log = open_log(tmp_path)
    sent = [b"entry %d" % number * 4 for number in range(700)]
    for entry in sent:
        log.append([entry])
    assert entries(log) == sent
    log.close()
    left = sorted(tmp_path.glob("*/wal/*.seg"))
    assert int(left[0].stem) <= 512 < int(left[1].stem)
    assert entries(open_log(tmp_path)) == sent


class Clock:
    def __init__(self) -> None:
        self.instant = datetime(2026, 11, 30, 23, 59, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.instant


def test_a_month_is_a_log_of_its_own_and_the_one_before_is_frozen(tmp_path: Path) -> None:
    clock = Clock()
    log, idle = open_log(tmp_path, clock), open_log(tmp_path, clock)
    assert log.append([b"november"]).slot == "2026-11-w0"
    assert idle.append([b"idle"]).slot == "2026-11-w1"
    idle.close()
    clock.instant = datetime(2026, 12, 1, tzinfo=UTC)
    assert log.append([b"december"]).slot == "2026-12-w0"
    clock.instant = datetime(2026, 11, 30, tzinfo=UTC)
    assert log.append([b"set back"]).slot == "2026-12-w0"
    frozen = {each.shard: each.is_frozen for each in LocalShards(tmp_path).heads()}
    assert frozen == {"2026-11-w0": True, "2026-11-w1": False, "2026-12-w0": False}
    assert not (tmp_path / "2026-11-w0" / "wal").exists()
    log.close()
    clock.instant = datetime(2027, 1, 2, tzinfo=UTC)
    again = open_log(tmp_path, clock)
    again.append([b"january"])
    assert all(each.is_frozen for each in LocalShards(tmp_path).heads() if each.shard < "2027")
    assert all_of(tmp_path) == [b"november", b"idle", b"december", b"set back", b"january"]
    assert entries(again) == all_of(tmp_path)


def test_a_shard_never_looks_shorter_while_its_segments_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who read that it is open, just before it was frozen, lists segments that are being removed (killed writers, seed 103)."""
    monkeypatch.setattr(wal, "SEGMENT_BYTES", 100)
    clock, removed, seen = Clock(), os.unlink, []
    log = open_log(tmp_path, clock)
    for number in range(20):
        mark = log.append([b"entry %d" % number * 4])
    before = read_records(tmp_path)

    def unlink(path: Path, *given: Any, **named: Any) -> None:
        removed(path, *given, **named)
        if str(path).endswith(".seg"):
            known = iter([before])
            with monkeypatch.context() as late:
                late.setattr(reading, "read_records", lambda at: next(known, None) or read_records(at))
                seen.append(reading.size_of(tmp_path, mark.slot))

    monkeypatch.setattr(os, "unlink", unlink)
    clock.instant = datetime(2026, 12, 1, tzinfo=UTC)
    log.append([b"december"])
    assert seen
    assert set(seen) == {mark.position}


def test_a_log_begins_with_the_heads_of_the_others(tmp_path: Path) -> None:
    first, second = open_log(tmp_path), open_log(tmp_path)
    one = first.append([b"a"])
    other = second.append([b"b"])
    opening = next(LocalShards(tmp_path).entries(other.slot, 0, 1))
    head = next(each for each in LocalShards(tmp_path).heads() if each.shard == one.slot)
    assert f"{one.slot} 2 {head.checkpoint.splitlines()[2]}".encode() in opening


class Broken(Disk):
    """A disk that fails at the named call, from then on."""

    def __init__(self) -> None:
        self.fails = ""

    def append(self, file: int, content: bytes) -> None:
        if self.fails == "append":
            raise OSError("disk gone")
        super().append(file, content)

    def overwrite(self, file: int, content: bytes) -> None:
        if self.fails == "overwrite":
            raise OSError("disk gone")
        super().overwrite(file, content)


@pytest.mark.parametrize("call", ["append", "overwrite"])
def test_a_failed_sync_poisons_the_log_for_good(tmp_path: Path, call: str) -> None:
    disk = Broken()
    log = open_log(tmp_path, disk=disk)
    log.append([b"before"])
    disk.fails = call
    with pytest.raises(Refused, match="journal_poisoned"):
        log.append([b"lost"])
    disk.fails = ""
    with pytest.raises(Refused, match="journal_poisoned"):
        log.append([b"after"])
    with pytest.raises(Refused, match="journal_poisoned"):
        log.ready()


def test_a_journal_restored_to_an_earlier_state_is_refused(tmp_path: Path) -> None:
    journal, heads, copy = tmp_path / "journal", tmp_path / "heads", tmp_path / "copy"
    log = open_log(journal, heads=heads)
    log.append([b"early"])
    log.close()
    os.system(f"cp -r {journal} {copy}")
    log = open_log(journal, heads=heads)
    log.append([b"late"])
    log.close()
    os.system(f"rm -r {journal} && mv {copy} {journal}")
    with pytest.raises(Refused, match="journal_forked"):
        open_log(journal, heads=heads).append([b"again"])


def renamed(directory: Path, heads: Path | None = None) -> LocalLog:
    """The same journal, of a hub whose settings give it another name."""
    signer = Signer("other.test/journal", SIGNER.public, SIGNER.sign)
    return LocalLog(directory, signer, lambda: datetime.now(UTC), heads)


@pytest.mark.parametrize("heads", [None, "heads"])
@pytest.mark.parametrize("months", [1, 2])
def test_a_journal_that_is_given_another_name_says_which_it_has(tmp_path: Path, heads: str | None, months: int) -> None:
    month, home = [1], tmp_path / heads if heads else None
    log = open_log(tmp_path / "journal", lambda: datetime(2026, month[0], 1, tzinfo=UTC), home)
    for month[0] in range(1, months + 1):  # a month that is over is frozen
        log.append([b"first"])
    log.close()
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    told = "journal_origin_changed: signed as hub.test/journal, journal.origin is other.test/journal"
    with pytest.raises(Refused, match=told):
        renamed(tmp_path / "journal", home).append([b"second"])
    assert {path: path.read_bytes() for path in before} == before
    open_log(tmp_path / "journal", heads=home).append([b"second"])


def test_heads_of_another_name_are_told_from_heads_of_another_hub(tmp_path: Path) -> None:
    log = open_log(tmp_path / "journal", heads=tmp_path / "heads")
    log.append([b"first"])
    log.close()
    with pytest.raises(Refused, match=r"journal_origin_changed: .* is signed as hub.test/journal"):
        renamed(tmp_path / "anew", tmp_path / "heads").append([b"first"])
    [head] = (tmp_path / "heads").iterdir()
    head.write_text(head.read_text().replace("hub.test", "hub.fake"))  # nobody signed this one
    with pytest.raises(Refused, match="journal_damaged"):
        renamed(tmp_path / "anew", tmp_path / "heads").append([b"first"])


def test_marks_compare_by_what_they_say() -> None:
    assert Mark("w0", 3) == Mark("w0", 3) != Mark("w1", 3)
