"""A disk whose power can be cut, and whose calls can be made to fail: what was not synced is then there, or not, in any mix."""

from __future__ import annotations

import os
import random
from pathlib import Path

from ecluse.engines.durable import PART
from ecluse.engines.local.disk import Disk


class PowerCut(Disk):
    """The disk of the journal in `folder`; `broke` says which call failed, from which on nothing works."""

    def __init__(self, folder: Path, draw: random.Random) -> None:
        self._folder = folder
        self._draw = draw
        self._calls = self._fails = 0
        self._durable: dict[Path, bytes] = {}  # of each file, what a cut leaves at least
        self._replaced: dict[Path, list[bytes]] = {}  # of each file, what it was since: any of them may be left
        self._files: dict[int, Path] = {}
        self.broke = ""

    def cut(self) -> None:
        """The power goes: every file becomes what was durable, or something it was since; half written ones any prefix."""
        there = {each for each in self._folder.rglob("*") if each.is_file() and each.suffix != ".lock"}
        for file in sorted(there | set(self._durable)):
            left = self._left(file)
            if left is None:
                file.unlink(missing_ok=True)
            else:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(left)
        self._replaced.clear()
        self._durable = {file: file.read_bytes() for file in there | set(self._durable) if file.exists()}

    def kill(self) -> None:
        """The process ends here: nothing more reaches the disk, and nothing that did is lost."""
        self.broke = self.broke or "kill"

    def mend(self, fails: int = 0) -> None:
        """Another disk, or a start: it works until call `fails` from now."""
        self.broke, self._calls, self._fails = "", 0, fails

    def _left(self, file: Path) -> bytes | None:
        durable, now = self._durable.get(file), file.read_bytes() if file.exists() else None
        if file.suffix == ".seg":
            if durable is None or now is None:
                return durable if self._draw.random() < 0.5 else now
            return now[: self._draw.randint(len(durable), len(now))] if len(now) >= len(durable) else durable
        if file.suffix == PART:
            return None
        left = self._draw.choice([durable, *self._replaced.get(file, []), now])
        if left is not None and left != durable and self._draw.random() < 0.3:
            return left[: self._draw.randint(0, len(left))]  # the name is on disk, not all of the bytes
        return left

    def _call(self, what: str) -> None:
        self._calls += 1
        if self.broke or self._calls == self._fails:
            self.broke = self.broke or what
            raise OSError(28, f"made to fail: {what}")

    def create(self, path: Path) -> int:
        self._call("create")
        file = super().create(path)
        self._files[file] = path
        self._durable[path] = b""
        return file

    def append(self, file: int, content: bytes) -> None:
        self._calls += 1
        if self.broke or self._calls == self._fails:
            self.broke = self.broke or "append"
            os.write(
                file, content[: self._draw.randint(0, len(content))]
            )  # a short write; or whole, and the sync failed
            raise OSError(5, "made to fail: append")
        super().append(file, content)

    def sync(self, file: int) -> None:
        super().sync(file)
        path = self._files.get(file) or Path(f"/proc/self/fd/{file}").readlink()
        self._durable[path] = path.read_bytes()

    def overwrite(self, file: int, content: bytes) -> None:
        self._call("overwrite")
        path = Path(f"/proc/self/fd/{file}").readlink()
        self._replaced.setdefault(path, []).append(path.read_bytes())
        super().overwrite(file, content)

    def place(self, path: Path, content: bytes) -> None:
        self._call("place")
        if path.exists():
            self._replaced.setdefault(path, []).append(path.read_bytes())
        super().place(path, content)

    def place_durably(self, path: Path, content: bytes) -> None:
        self._call("place_durably")
        super().place_durably(path, content)
        self._keep(path)

    def settle(self, path: Path) -> None:
        self._call("settle")
        super().settle(path)
        self._keep(path)

    def remove(self, path: Path) -> None:
        self._call("remove")
        super().remove(path)
        self._durable.pop(path, None)

    def sync_all(self, folder: Path) -> None:
        self._call("sync_all")
        super().sync_all(folder)
        for file in self._folder.rglob("*"):
            if file.is_file():
                self._keep(file)
        for gone in [each for each in self._durable if not each.exists()]:
            del self._durable[gone]

    def _keep(self, file: Path) -> None:
        self._durable[file] = file.read_bytes()
        self._replaced.pop(file, None)
