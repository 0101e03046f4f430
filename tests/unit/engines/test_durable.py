"""What is on disk before anybody can see it: no test cuts the power of a real disk, so it is told what that was asked for."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from ecluse.engines import durable
from ecluse.engines.durable import sync_all, write_whole
from ecluse.engines.files import Folder
from ecluse.engines.keys.file import KeyFile
from ecluse.engines.lake.export import commit
from ecluse.engines.lake.layout import State
from ecluse.engines.letter_key import drawn_once
from ecluse.engines.local.disk import Disk
from ecluse.engines.witness import create

WHOLE: dict[str, Callable[[Path], object]] = {
    "hub.keys": lambda folder: KeyFile(folder / "hub.keys", "").create("0075123456"),
    "letter.key": lambda folder: drawn_once(folder / "letter.key", "inc_1", "0075123456"),
    "covered.json": lambda folder: commit(folder, State("2026-12-w0")),
    "head": lambda folder: Disk().place_durably(folder / "head", b"signed"),
    "f" * 64: lambda folder: create(folder, "insurer.example/witness").keep("f" * 64, "signed"),
}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the disk is asked for, in order, each by the name of the file: the real calls are made too."""
    told = list[str]()

    def watched(what: str, call: Callable[..., None]) -> Callable[..., None]:
        def made(*given: int | Path) -> None:
            of = given[-1]
            told.append(f"{what} {(Path(f'/proc/self/fd/{of}').readlink() if isinstance(of, int) else Path(of)).name}")
            return call(*given)

        return made

    for what, name in (("sync", "fsync"), ("data", "fdatasync"), ("show", "replace"), ("show", "rename")):
        monkeypatch.setattr(os, name, watched(what, getattr(os, name)))
    monkeypatch.setattr(durable, "_LIBC", SimpleNamespace(syncfs=watched("all", durable._LIBC.syncfs)))
    return told


@pytest.mark.parametrize("name", WHOLE)
def test_a_file_is_on_disk_before_it_takes_the_place_of_another(calls: list[str], tmp_path: Path, name: str) -> None:
    WHOLE[name](tmp_path)
    (path,) = tmp_path.rglob(name)
    assert calls[-3:] == [f"sync {name}.part", f"show {name}", f"sync {path.parent.name}"]


def test_files_of_a_batch_are_all_on_disk_before_the_first_is_seen(calls: list[str], tmp_path: Path) -> None:
    for number in (2, 65):
        names = [f"{number}-{each}.xml" for each in range(number)]
        Folder(tmp_path / "out").put_all((name, b"<Document/>") for name in names)
        synced = ["all out"] if number > 64 else [f"sync {name}.part" for name in names]
        assert calls == [*synced, *(f"show {name}" for name in names), "sync out"]
        calls.clear()


def test_what_is_appended_is_on_disk_when_it_was(calls: list[str], tmp_path: Path) -> None:
    file = Disk().create(tmp_path / "0.seg")
    calls.clear()
    Disk().append(file, b"entry")
    os.close(file)
    assert calls == ["data 0.seg"]


def test_a_disk_that_may_not_have_kept_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Of a file that is put in the place of another the former stands, and nothing is left beside it."""
    path = tmp_path / "hub.keys"
    write_whole(path, b"former", mode=0o600)

    def failed(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", failed)
    monkeypatch.setattr(durable, "_LIBC", SimpleNamespace(syncfs=lambda _: -1))
    with pytest.raises(OSError, match=r"hub\.keys"):
        write_whole(path, b"newer", mode=0o600)
    with pytest.raises(OSError, match="syncfs"):
        sync_all(tmp_path)
    assert ([*tmp_path.iterdir()], path.read_bytes(), path.stat().st_mode & 0o777) == ([path], b"former", 0o600)
