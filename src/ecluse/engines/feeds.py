"""The engines of member files, put together: the store for what is kept, DuckDB for what is read, a sealed spool between."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ecluse.app.ports import FeedPorts, FeedStore, Keys, RightsWorks
from ecluse.engines.spool import Spool, loads_begun
from ecluse.kernel.errors import refusal

if TYPE_CHECKING:
    from ecluse.engines.duckdb.member_file import MemberFile

MEMBER_FILE = refusal("member_file_absent", 404, "The member file cannot be read", fix="Check its path and its rights.")

_SPOOL = "spool"  # in the hub's directory


class MemberFiles:
    """Where member files are read from: a path, or the spool."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool

    @contextmanager
    def at(self, path: Path) -> Iterator[MemberFile]:
        """A file named by its path. Raises `member_file_absent`."""
        try:
            path.open("rb").close()
        except OSError as broken:
            raise MEMBER_FILE(f"{path.name}: {broken.strerror}") from None
        with _member_file(path) as file:
            yield file

    @contextmanager
    def received(self, feed: str) -> Iterator[MemberFile]:
        """A file received over HTTP."""
        with _member_file((self._spool, feed)) as file:
            yield file


def open_feeds(directory: Path, store: FeedStore, works: RightsWorks, keys: Keys) -> FeedPorts:
    """The ports of member feeds for the hub in `directory`. Opens nothing before it is used."""
    spool = Spool(directory / _SPOOL, keys)
    return FeedPorts(store, works, MemberFiles(spool), spool)


def files_begun(directory: Path) -> dict[str, int]:
    """Of the hub in `directory`: how many loads of each received file began and came to no end. Asks no key, no store."""
    return loads_begun(directory / _SPOOL)


def _member_file(source: Path | tuple[Spool, str]) -> MemberFile:
    from ecluse.engines.duckdb.member_file import MemberFile  # 50 MB of library: only where a file is read

    return MemberFile(source)
