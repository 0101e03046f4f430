"""Each kind of file of a journal, damaged in each way: a start refuses it or makes it again, or `journal verify` finds it."""

from __future__ import annotations

import random
import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ecluse.app.verification import verify_journal
from ecluse.engines.journal_files import LocalFiles
from ecluse.engines.local import LocalLog, LocalShards, wal
from ecluse.journal.checkpoint import opened
from ecluse.journal.entry import FORMAT, Entry, Operation, encode
from ecluse.journal.note import Key
from ecluse.kernel.errors import Refused
from tests.journal import ORIGIN, SIGNER, open_log

OPEN, FROZEN = "2026-11-w0", "2026-10-w0"
FAMILY = Key(f"{ORIGIN}/", 1, SIGNER.public())


def entry(number: int) -> bytes:
    """An entry nobody else has."""
    said = Entry(
        FORMAT, number, Operation.CLAIM, "rpps:1", "", "", b"", 0, 0, "x" * (number % 90), "", f"c{number}", b""
    )
    return encode(said)


def written(folder: Path, months: list[datetime], counts: tuple[int, int]) -> None:
    """A journal of these months, so many entries each; the last is open, and not published to its end."""
    for at, count in zip(months, counts, strict=True):
        log = open_log(folder / "journal", lambda at=at: at, folder / "heads")
        for number in range(0, count, 20):
            log.append([entry(number + each) for each in range(20)])
        log.close()


MONTHS = [datetime(2026, 10, 3, tzinfo=UTC), datetime(2026, 11, 3, tzinfo=UTC)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A journal, and beside it what it was earlier."""
    folder = tmp_path_factory.mktemp("made")
    before, wal.SEGMENT_BYTES = wal.SEGMENT_BYTES, 9000
    written(folder, MONTHS, (600, 300))
    shutil.copytree(folder, folder / "earlier")
    written(folder, MONTHS[1:] * 2, (200, 200))
    (folder / "journal" / OPEN / "wal" / f"{0:020d}.torn").write_bytes(b"torn")
    yield folder
    wal.SEGMENT_BYTES = before


def flip(file: Path, _: Path) -> None:
    """One bit is another."""
    content = bytearray(file.read_bytes())
    content[random.Random(str(file.name)).randrange(len(content))] ^= 1 << 3
    file.write_bytes(content)


def cut(file: Path, _: Path) -> None:
    """The end is missing."""
    file.write_bytes(file.read_bytes()[: -max(1, file.stat().st_size // 3)])


def lose(file: Path, _: Path) -> None:
    """It is gone."""
    file.unlink()


def older(file: Path, earlier: Path) -> None:
    """It is what it was earlier."""
    shutil.copyfile(earlier, file)


# Of several files the first, or the last one (`-`).
KINDS: dict[str, str] = {
    "the last segment": f"-journal/{OPEN}/wal/*.seg",
    "a tile of hashes": f"journal/{FROZEN}/tile/0/000",
    "a partial tile of hashes": f"-journal/{FROZEN}/tile/0/002.p/*",
    "a tile of tiles": f"-journal/{FROZEN}/tile/1/000.p/*",
    "a bundle": f"journal/{FROZEN}/tile/entries/000",
    "a partial bundle": f"-journal/{FROZEN}/tile/entries/002.p/*",
    "a tile being written": f"journal/{OPEN}/tile/0/000",
    "a bundle being written": f"journal/{OPEN}/tile/entries/000",
    "the newest head": f"journal/{OPEN}/head",
    "the published head": f"journal/{OPEN}/checkpoint",
    "the published head of a month that is over": f"journal/{FROZEN}/checkpoint",
    "the list of shards": "journal/shards.json",
    "the second home's head": f"heads/{OPEN}",
    "the second home's head of a month that is over": f"heads/{FROZEN}",
    "torn bytes": f"journal/{OPEN}/wal/*.torn",
}
DAMAGES: dict[str, Callable[[Path, Path], None]] = {"flipped": flip, "cut": cut, "lost": lose, "older": older}


def outcome(folder: Path, file: Path) -> str:
    """What becomes of a damaged journal: the code of a start's refusal; `verify` when that finds it.

    `mended`: a start made the file again, from entries that are whole. `no entry`: no entry is told of by that file alone.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        log = LocalLog(folder / "journal", SIGNER, lambda: MONTHS[1], folder / "heads")
        try:
            log.append([entry(10_000)])
        except Refused as refused:
            return refused.code
        finally:
            with suppress(Refused):
                log.close()
    if seen(folder):
        return "verify"
    return "mended" if mended(folder, file) else "no entry"


def mended(folder: Path, file: Path) -> bool:
    """Whether it is a head of all there is of a shard now."""
    if file.suffix or not file.exists():
        return False
    (size,) = [each.size for each in LocalShards(folder / "journal").heads() if each.shard == OPEN]
    return opened(file.read_text(), SIGNER.key(OPEN)).size == size


def seen(folder: Path) -> bool:
    """Whether `journal verify` finds something."""
    try:
        return bool(verify_journal(LocalFiles(folder / "journal", folder / "heads"), (FAMILY,)).faults)
    except (Refused, ValueError):
        return True


def damaged(made: Path, folder: Path, kind: str, damage: str) -> Path | None:
    """Do it to a copy; the file, or None where it was the same earlier."""
    pattern = KINDS[kind]
    (folder / "all").mkdir()
    for part in ("journal", "heads"):
        shutil.copytree(made / part, folder / "all" / part)
    files = sorted((folder / "all").glob(pattern.removeprefix("-")), key=lambda file: (len(file.name), file.name))
    file = files[-1 if pattern.startswith("-") else 0]
    earlier = made / "earlier" / file.relative_to(folder / "all")
    if damage == "older" and (not earlier.exists() or earlier.read_bytes() == file.read_bytes()):
        return None
    DAMAGES[damage](file, earlier)
    return file


EXPECTED: dict[str, dict[str, str]] = {
    "the last segment": {"flipped": "journal_forked", "cut": "journal_forked", "lost": "journal_forked"},
    "a tile of hashes": {"flipped": "verify", "cut": "verify", "lost": "verify"},
    "a partial tile of hashes": {"flipped": "journal_forked", "cut": "journal_damaged", "lost": "journal_damaged"},
    "a tile of tiles": {"flipped": "journal_forked", "cut": "journal_damaged", "lost": "journal_damaged"},
    "a bundle": {"flipped": "verify", "cut": "verify", "lost": "verify"},
    "a partial bundle": {"flipped": "verify", "cut": "verify", "lost": "verify"},
    "a tile being written": {"flipped": "journal_forked", "cut": "journal_damaged", "lost": "journal_damaged"},
    "a bundle being written": {"flipped": "verify", "cut": "verify", "lost": "verify"},
    "the newest head": {"flipped": "mended", "cut": "mended", "lost": "mended", "older": "mended"},
    "the published head": {"flipped": "mended", "cut": "mended", "lost": "mended", "older": "mended"},
    "the published head of a month that is over": {"flipped": "verify", "cut": "verify", "lost": "verify"},
    "the list of shards": {"flipped": "journal_damaged", "cut": "journal_damaged", "lost": "journal_damaged"},
    "the second home's head": {
        "flipped": "journal_damaged",
        "cut": "journal_damaged",
        "lost": "mended",
        "older": "mended",
    },
    "the second home's head of a month that is over": {
        "flipped": "journal_damaged",
        "cut": "journal_damaged",
        "lost": "no entry",
    },
    "torn bytes": {"flipped": "no entry", "cut": "no entry", "lost": "no entry"},
}


@pytest.mark.parametrize(("kind", "damage"), [(kind, damage) for kind, found in EXPECTED.items() for damage in found])
def test_no_damage_is_unseen(made: Path, tmp_path: Path, kind: str, damage: str) -> None:
    file = damaged(made, tmp_path, kind, damage)
    assert file, "it was the same earlier"
    assert outcome(tmp_path / "all", file) == EXPECTED[kind][damage]
