"""Member files from outside: what is refused as a whole, the command line, HTTP, and where a load goes on."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from ecluse.app.feeds import Order, load_file
from ecluse.doors.http import slow_bodies
from ecluse.doors.http.app import BODY_BYTES_MAX
from ecluse.doors.loader import work_once
from ecluse.formats.feed.file import Mode
from ecluse.formats.feed.header import COLUMNS
from ecluse.kernel.errors import Refused
from ecluse.wiring import OpenHub, open_hub
from tests.journeys.members import AMC, bearer, load, make, played, row, untold, write


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A hub with one product of one insurer."""
    return make(tmp_path / "hub")


@pytest.fixture
def hub(directory: Path) -> Iterator[OpenHub]:
    with open_hub(directory) as opened:
        yield opened


def command(directory: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-c", "from ecluse.doors.cli.main import run; run()", *arguments, "--dir", str(directory)]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file_empty"),
        (",".join(COLUMNS).encode() + b"\n", "file_empty"),
        (";".join(COLUMNS).encode() + b"\n1\n", "separator_invalid"),
        (",".join(COLUMNS[1:]).encode() + b"\n1\n", "column_missing"),
        (",".join((*COLUMNS, "nom")).encode() + b"\n1\n", "column_unknown"),
        ("\n".join([",".join(COLUMNS), "é"]).encode("utf-16"), "encoding_invalid"),
        (b"PAR1" + bytes(50), "parquet_unreadable"),
        (b"\x1f\x8b" + bytes(50), "file_compressed"),
    ],
)
def test_a_file_refused_as_a_whole_is_said_in_one_line(
    directory: Path, tmp_path: Path, content: bytes, code: str
) -> None:
    (tmp_path / "f").write_bytes(content)
    done = subprocess.run(
        command(directory, "feed", "load", str(tmp_path / "f"), "--insurer", AMC), capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(f"{code}: ")


def test_unknown_columns_are_dropped_when_asked(hub: OpenHub, tmp_path: Path) -> None:
    path = write(tmp_path / "f.csv", [row(1, nom="DURAND")])
    with pytest.raises(Refused, match="column_unknown"):
        load(hub, path)
    assert load(hub, path, drop_unknown=True).state == "loaded"


def test_staged_rows_are_not_read_again(hub: OpenHub, tmp_path: Path) -> None:
    """A load stopped after its first commit goes on after it: the rows of the second run begin where the first ended."""
    path = write(tmp_path / "f.csv", [row(n) for n in range(200_000)])

    def stop(step: str, done: int, _: int) -> None:
        if step == "sealing" and done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), hub.feeds.files.at(path) as file:
        hub.run(load_file(hub, file, Order(AMC, Mode.FULL), untold, stop))
    reached: list[int] = []
    with hub.feeds.files.at(path) as file:
        hub.run(
            load_file(
                hub,
                file,
                Order(AMC, Mode.FULL),
                untold,
                lambda step, done, _: reached.append(done) if step == "sealing" else None,
            )
        )
    assert (reached[0] >= 131_072, reached[-1]) == (True, 200_000)


def test_a_file_refused_as_a_whole_over_http_says_so_in_its_state(hub: OpenHub) -> None:
    sent = played(hub, lambda client: client.post("/v1/feeds?mode=full", content=b"a;b\n1;2\n", headers=bearer(hub)))
    work_once(hub)
    state = played(hub, lambda client: client.get(f"/v1/feeds/{sent.json()['feed_id']}", headers=bearer(hub))).json()
    assert (state["state"], state["refusals_total"]) == ("refused", 1)
    assert [(each["line"], each["code"]) for each in state["refusals"]] == [(1, "header_missing")]
    assert list((hub.dir / "spool").iterdir()) == []


def test_a_file_that_stops_coming_is_refused_and_leaves_nothing(hub: OpenHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_bodies, "SILENCE_S", 0.1)

    async def begun() -> AsyncIterator[bytes]:
        yield ",".join(COLUMNS).encode()
        await asyncio.sleep(5)
        yield b"\n"

    sent = played(hub, lambda client: client.post("/v1/feeds?mode=full", content=begun(), headers=bearer(hub)))
    assert (sent.status_code, sent.json()["code"]) == (408, "body_late")
    assert list((hub.dir / "spool").iterdir()) == []


@pytest.mark.parametrize("path", ["/v1/feeds", "/v1/feeds/"])
def test_a_file_may_be_longer_than_other_bodies(hub: OpenHub, path: str) -> None:
    sent = played(hub, lambda client: client.post(path, content=bytes(2 * BODY_BYTES_MAX), headers=bearer(hub)))
    assert sent.status_code == 202, sent.text


def test_show_prints_counts_and_refused_rows(directory: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "f.csv", [row(1), row(2, priority="0")])
    loaded = subprocess.run(
        command(directory, "feed", "load", str(path), "--insurer", AMC, "--json"), capture_output=True, text=True
    )
    assert loaded.returncode == 2
    feed = json.loads(loaded.stdout)
    shown = subprocess.run(command(directory, "feed", "show", feed["feed_id"]), capture_output=True, text=True)
    assert "2 rows, 1 refused" in shown.stdout
    assert "priority_invalid" in shown.stdout
    missing = subprocess.run(command(directory, "feed", "show", "fee_0"), capture_output=True, text=True)
    assert missing.returncode == 2
