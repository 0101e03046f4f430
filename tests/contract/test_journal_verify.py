"""`ecluse journal verify` on journals the hub wrote, whole and then wrong in every way: it says the file and the entry."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ecluse.app.ports.journal_files import SignedHead
from ecluse.app.verification import Verified, verify_journal
from ecluse.engines.journal_files import LocalFiles
from ecluse.engines.local import LocalLog
from ecluse.engines.local.archive import LocalArchive
from ecluse.engines.local.registry import Signer
from ecluse.journal.note import ED25519, Key
from tests.logs import entry

ORIGIN = "hub.example/journal"
PRIVATE = Ed25519PrivateKey.generate()
PUBLIC = PRIVATE.public_key().public_bytes_raw()
FAMILY = Key(f"{ORIGIN}/", ED25519, PUBLIC)
SIGNER = Signer(ORIGIN, lambda: PUBLIC, PRIVATE.sign)
NOVEMBER, DECEMBER = datetime(2026, 11, 25, tzinfo=UTC), datetime(2026, 12, 3, tzinfo=UTC)
ENTRIES = [entry(n) for n in range(700)]


def write(place: Path) -> None:
    """Two writers in November, the first one goes on in December: three shards, one of them frozen."""
    now = [NOVEMBER]
    one, other = (LocalLog(place / "journal", SIGNER, lambda: now[0], place / "heads") for _ in range(2))
    for at in range(0, 600, 50):
        one.append(ENTRIES[at : at + 50])
    other.append(ENTRIES[600:620])
    now[0] = DECEMBER
    one.append(ENTRIES[620:650])
    one.append(ENTRIES[650:700])
    one.close()
    other.close()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("hub")
    write(place)
    return place


@pytest.fixture
def hub(written: Path, tmp_path: Path) -> Path:
    shutil.copytree(written, tmp_path / "hub")
    return tmp_path / "hub"


def verify(place: Path, *heads: SignedHead, only: tuple[str, ...] = ()) -> Verified:
    return verify_journal(LocalFiles(place / "journal", place / "heads"), [FAMILY], heads=heads, only=only)


def test_what_the_hub_wrote_is_sound(hub: Path) -> None:
    found = verify(hub)
    assert not found.faults
    assert [(each.name, each.entries, each.signed) for each in found.shards] == [
        ("2026-11-w0", 601, 601),
        ("2026-11-w1", 21, 21),
        ("2026-12-w0", 81, 81),
    ]


def flip(name: str, at: int) -> Callable[[Path], None]:
    """Change one bit of a file."""

    def change(place: Path) -> None:
        content = bytearray((place / name).read_bytes())
        content[at] ^= 1
        (place / name).write_bytes(content)

    return change


def gone(name: str) -> Callable[[Path], None]:
    return lambda place: shutil.rmtree(place / name) if (place / name).is_dir() else (place / name).unlink()


def cut(name: str, by: int) -> Callable[[Path], None]:
    return lambda place: (place / name).write_bytes((place / name).read_bytes()[:-by]) and None


def without_record(name: str) -> Callable[[Path], None]:
    def change(place: Path) -> None:
        file = place / "journal" / "shards.json"
        file.write_text(json.dumps([each for each in json.loads(file.read_text()) if each["name"] != name]))

    return change


def forget_shard(name: str) -> Callable[[Path], None]:
    """Somebody removes a shard, its record and its head in the second home."""

    def change(place: Path) -> None:
        without_record(name)(place)
        gone(f"journal/{name}")(place)
        gone(f"heads/{name}")(place)

    return change


SEG = f"wal/{0:020d}.seg"
WRONG: dict[str, tuple[Callable[[Path], None], str, str, int | None]] = {
    # what is done → shard, file, first entry named
    "an entry": (flip("journal/2026-11-w0/tile/entries/000", 5_000), "2026-11-w0", "tile/0/000", 39),
    "an entry's length": (flip("journal/2026-11-w0/tile/entries/001", 0), "2026-11-w0", "tile/entries/001", 256),
    "an entry of the last bundle": (flip("journal/2026-11-w0/tile/entries/002.p/89", 900), "2026-11-w0", "tile/0/002.p/89", 518),
    "a hash": (flip("journal/2026-11-w0/tile/0/001", 32 * 7 + 3), "2026-11-w0", "tile/0/001", 263),
    "a hash above": (flip("journal/2026-11-w0/tile/1/000.p/2", 33), "2026-11-w0", "tile/1/000.p/2", 256),
    "a partial tile": (flip("journal/2026-11-w1/tile/0/000.p/21", 33), "2026-11-w1", "tile/0/000.p/21", 1),
    "a bundle gone": (gone("journal/2026-11-w0/tile/entries/001"), "2026-11-w0", "tile/entries/001", 256),
    "the last bundle gone": (gone("journal/2026-11-w0/tile/entries/002.p"), "2026-11-w0", "wal", 512),
    "a tile gone": (gone("journal/2026-11-w0/tile/0/000"), "2026-11-w0", "tile/0/000", 0),
    "the last tile gone": (gone("journal/2026-11-w0/tile/0/002.p"), "2026-11-w0", "tile/0/002.p/89", 512),
    "a tile cut": (cut("journal/2026-11-w0/tile/0/001", 32), "2026-11-w0", "tile/0/001", None),
    "a bundle cut": (cut("journal/2026-11-w0/tile/entries/001", 3), "2026-11-w0", "tile/entries/001", 256),
    "an entry not yet in a bundle": (flip(f"journal/2026-12-w0/{SEG}", 9_000), "2026-12-w0", "head", None),
    "the segments gone": (gone("journal/2026-12-w0/wal"), "2026-12-w0", "checkpoint", 0),
    "the segment's end": (cut(f"journal/2026-12-w0/{SEG}", 2_000), "2026-12-w0", "head", None),
    "a head": (flip("journal/2026-12-w0/head", 40), "2026-12-w0", "head", None),
    "a published head": (flip("journal/2026-11-w0/checkpoint", -9), "2026-11-w0", "checkpoint", None),
    "the second home's head": (flip("heads/2026-11-w0", -9), "2026-11-w0", "second home", None),
    "shards.json gone": (gone("journal/shards.json"), "", "shards.json", None),
    "a shard not named": (without_record("2026-11-w1"), "2026-11-w1", "shards.json", None),
    "a shard forgotten everywhere": (forget_shard("2026-11-w1"), "2026-11-w1", "shards.json", None),
    "a shard's folder gone": (gone("journal/2026-11-w0"), "2026-11-w0", "tile/entries/000", 0),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_named(hub: Path, what: str) -> None:
    do, shard, file, index = WRONG[what]
    do(hub)
    found = verify(hub)
    named = [each for each in found.faults if (each.shard, each.file) == (shard, file)]
    assert named, found.faults
    assert index is None or named[0].index == index, named
    assert {each.shard for each in found.faults} == {shard}


def test_an_older_copy_is_shorter_than_the_heads_kept_elsewhere(tmp_path: Path) -> None:
    log = LocalLog(tmp_path / "journal", SIGNER, lambda: NOVEMBER)
    log.append(ENTRIES[:100])
    log.close()
    shutil.copytree(tmp_path / "journal", tmp_path / "copy" / "journal")
    log.append(ENTRIES[100:200])
    log.close()
    newest = (tmp_path / "journal" / "2026-11-w0" / "head").read_text()
    assert not verify(tmp_path, SignedHead("witness", newest)).faults
    (fault,) = verify(tmp_path / "copy", SignedHead("witness", newest)).faults
    assert (fault.shard, fault.file, fault.index) == ("2026-11-w0", "witness", 101)


def test_a_log_rewritten_and_signed_again_is_seen_by_whoever_kept_a_head(tmp_path: Path) -> None:
    for name, entries in (("a", ENTRIES[:100]), ("b", [*ENTRIES[:50], entry(9_999), *ENTRIES[51:100]])):
        log = LocalLog(tmp_path / name / "journal", SIGNER, lambda: NOVEMBER)
        log.append(entries)
        log.close()
    kept = (tmp_path / "a" / "journal" / "2026-11-w0" / "head").read_text()
    assert not verify(tmp_path / "b").faults
    (fault,) = verify(tmp_path / "b", SignedHead("witness", kept)).faults
    assert (fault.file, "another" in fault.what) == ("witness", True)


def test_the_key_of_another_hub_verifies_nothing(hub: Path) -> None:
    other = Key(FAMILY.name, ED25519, Ed25519PrivateKey.generate().public_key().public_bytes_raw())
    found = verify_journal(LocalFiles(hub / "journal"), [other])
    assert {each.file for each in found.faults} >= {"shards.json"}


def test_a_shard_alone_can_be_asked_for(hub: Path) -> None:
    flip("journal/2026-11-w0/tile/0/001", 40)(hub)
    assert not verify(hub, only=("2026-12-w0",)).faults


def test_it_verifies_while_a_hub_writes(tmp_path: Path) -> None:
    log = LocalLog(tmp_path / "journal", SIGNER, lambda: NOVEMBER, tmp_path / "heads")
    for at in range(0, 700, 7):
        log.append(ENTRIES[at : at + 7])
        assert not (at % 49 == 0 and verify(tmp_path).faults)
    log.close()
    assert verify(tmp_path).shards[0].entries == 701


def test_entries_earlier_than_one_before_them_are_told_and_are_no_fault(tmp_path: Path) -> None:
    log = LocalLog(tmp_path / "journal", SIGNER, lambda: datetime(2025, 11, 24, tzinfo=UTC))
    log.append([entry(0), entry(3_600_000), entry(1), entry(3_600_001), entry(3_599_999)])
    log.close()
    found = verify(tmp_path)
    assert (found.faults, found.shards[0].earlier) == ((), (3,))


def test_a_pruned_shard_is_verified_from_its_hashes(hub: Path) -> None:
    LocalArchive(hub / "journal", SIGNER, hub / "heads").prune("2026-11-w0")
    assert not verify(hub).faults
    flip("journal/2026-11-w0/tile/0/002.p/89", 40)(hub)
    assert {each.file for each in verify(hub).faults} >= {"checkpoint"}


def test_an_abandoned_shard_is_verified_as_far_as_it_is_left(hub: Path) -> None:
    """Its end was lost; whoever saw more of it is not contradicted, and what is left must be as it was."""
    segment = hub / "journal" / "2026-12-w0" / SEG
    segment.write_bytes(segment.read_bytes()[:-2_000])
    for published in ("entries", "0"):
        shutil.rmtree(hub / "journal" / "2026-12-w0" / "tile" / published)
    archive = LocalArchive(hub / "journal", SIGNER, hub / "heads")
    archive.abandon("2026-12-w0", "a disk", 0)
    assert not verify(hub).faults
    flip(f"journal/2026-12-w0/{SEG}", 300)(hub)
    assert verify(hub).faults
