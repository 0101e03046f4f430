"""Member files read from the sealed spool: by one thread, every row, and a disk or key that fails is not the file's fault."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ecluse.doors.loader import work_once
from ecluse.engines.spool import SPOOL_BROKEN, SpoolReader
from ecluse.formats.feed.file import Mode, Terms
from ecluse.kernel.errors import Refusal, Refused
from ecluse.wiring import OpenHub, open_hub
from tests.journeys.members import AMC, bearer, make, played, row

ROWS, GROUP = 40_000, 2_048  # twenty row groups in several chunks: what a reader of many threads reads ahead
TERMS = Terms(AMC, Mode.FULL, frozenset({"ESS"}), date(2026, 6, 1), drop_unknown=True)
KEYS_DOWN = Refusal("keys_down", 503, "No key answers", "Wait.")  # declared nowhere: of this test alone


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[OpenHub]:
    with open_hub(make(tmp_path / "hub")) as opened:
        yield opened


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    """A Parquet whose rows are told apart by their contract, with a column that swells it."""
    columns = ", ".join(
        f"'{value}' AS {name}" if name != "contract" else "'C' || i AS contract" for name, value in row(1).items()
    )
    path = tmp_path / "members.parquet"
    with duckdb.connect() as duck:
        duck.execute(
            f"COPY (SELECT {columns}, hash(i) || '-' || hash(i + 1) AS pad FROM range({ROWS}) _(i)) TO '{path}'"
            f" (FORMAT parquet, COMPRESSION uncompressed, ROW_GROUP_SIZE {GROUP})"
        )
    return path.read_bytes()


@pytest.fixture
def kept(hub: OpenHub, content: bytes) -> str:
    """The same in the spool."""
    with hub.feeds.spool.write("fee_1") as writing:
        writing.write(content)
        writing.keep()
    return "fee_1"


def loaded(hub: OpenHub, content: bytes, headers: dict[str, str]) -> Any:
    """What became of a file that was sent, once the loader had its turn."""
    asked = "/v1/feeds?mode=full&drop_unknown=true"
    sent = played(hub, lambda client: client.post(asked, content=content, headers=headers)).json()
    assert work_once(hub) == 1
    return played(hub, lambda client: client.get(f"/v1/feeds/{sent['feed_id']}", headers=headers)).json()


def test_a_parquet_of_many_groups_is_loaded_each_time_it_is_sent(hub: OpenHub, content: bytes) -> None:
    headers = bearer(hub) | {"Content-Type": "application/vnd.apache.parquet"}
    for end in (b"1", b"2", b"3"):
        other = content.replace(b"1979-06-14", b"1979-06-0" + end)  # another feed
        said = loaded(hub, other, headers)
        assert (said["state"], said["counts"]["rows"], said["refusals"]) == ("loaded", ROWS, [])


def test_one_thread_reads(hub: OpenHub, kept: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A handle that two threads share gives each the other's bytes, and cannot see it: nobody else may read."""
    readers: set[int] = set()
    read = SpoolReader.read

    def told(self: SpoolReader, size: int = -1) -> bytes:
        readers.add(threading.get_ident())
        return read(self, size)

    monkeypatch.setattr(SpoolReader, "read", told)
    with hub.feeds.files.received(kept) as file:
        file.survey(lambda *_: None)
        assert file.check(TERMS).rows == ROWS
        contracts = [each[4] for some in file.rows(TERMS, 0) for each in some]
    assert contracts == [f"C{number}" for number in range(ROWS)]
    assert readers == {threading.get_ident()}


@pytest.mark.parametrize("wrong", [OSError(5, "Input/output error"), KEYS_DOWN(), MemoryError()])
def test_a_failure_of_ours_is_told_as_it_is(
    hub: OpenHub, kept: str, monkeypatch: pytest.MonkeyPatch, wrong: Exception
) -> None:
    """DuckDB says of it only that the file cannot be read, which would refuse the file for good."""
    with hub.feeds.files.received(kept) as file:
        file.survey(lambda *_: None)

        def fail(*_: object) -> bytes:
            raise wrong

        monkeypatch.setattr(SpoolReader, "_chunk", fail)
        with pytest.raises(type(wrong)) as said:
            file.check(TERMS)
    assert said.value is wrong


def test_a_file_that_comes_to_nothing_before_its_end_is_broken(
    hub: OpenHub, kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However that came about: nobody waits for its next byte for ever."""
    monkeypatch.setattr(SpoolReader, "readinto", lambda *_: 0)
    with hub.feeds.files.received(kept) as file, pytest.raises(Refused, match=SPOOL_BROKEN.code):
        file.survey(lambda *_: None)
