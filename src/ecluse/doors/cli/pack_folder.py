"""Packs as folders to be handed over: `DIR/<incident>-<insurer>/`, each file encrypted, or all of them as one encrypted zip.

`LISEZMOI.txt` stands in clear and says nothing of anybody; `SHA256SUMS`, written last, has the digests of what was encrypted, as
`sha256sum -c` reads them, after a comment that says of which incident, version and key.
"""

from __future__ import annotations

import io
import shutil
import zipfile
from collections.abc import Callable
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from ecluse.app.incidents.packs import PROOFS, Contents
from ecluse.doors.cli.explain import FILE_UNWRITABLE

README, SUMS, PART, SEALED, ARCHIVE = "LISEZMOI.txt", "SHA256SUMS", ".part", ".age", "dossier.zip"
EPOCH = (1980, 1, 1, 0, 0, 0)  # a zip has dates; the same contents are to be the same bytes
SUMS_BYTES_MAX = 1 << 20


class FolderOfPacks:
    """The `PackFolder` of the command."""

    def __init__(self, folder: Path, *, zipped: bool) -> None:
        self._folder = folder
        self._zipped = zipped

    def has(self, name: str, stamp: str) -> bool:
        """Whether the last file of a pack is there, and says this stamp."""
        try:
            with (self._folder / name / SUMS).open("rb") as sums:
                return sums.read(SUMS_BYTES_MAX).decode().startswith(self._stamp(stamp))
        except OSError:
            return False

    def write(self, name: str, stamp: str, contents: Contents, seal: Callable[[bytes], bytes] | None) -> str:
        """Write a pack beside its place. Raises `file_unwritable`."""
        part = self._folder / (name + PART)
        try:
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(mode=0o700, parents=True)
            sums = [self._stamp(stamp), *self._written(part, contents, seal)]
            (part / README).write_text(readme(keyed=seal is not None), encoding="utf-8")
            (part / SUMS).write_text("".join(sums), encoding="utf-8")
        except OSError as broken:
            raise FILE_UNWRITABLE(f"{part}: {broken.strerror}") from None
        return sha256("".join(sums).encode()).hexdigest()

    def hand_over(self, name: str) -> None:
        """Rename it; one of another version goes. Raises `file_unwritable`."""
        place = self._folder / name
        try:
            shutil.rmtree(place, ignore_errors=True)
            (self._folder / (name + PART)).replace(place)
        except OSError as broken:
            raise FILE_UNWRITABLE(f"{place}: {broken.strerror}") from None

    def lacks(self, name: str, file: str) -> bool:
        """Whether it has no such file."""
        return not (self._folder / name / file).exists()

    def _stamp(self, stamp: str) -> str:
        return f"# {stamp}{' zip' if self._zipped else ''}\n"

    def _written(self, part: Path, contents: Contents, seal: Callable[[bytes], bytes] | None) -> list[str]:
        given = {ARCHIVE: zipped(contents)} if self._zipped and seal else contents
        lines = []
        for name, content in given.items():
            sealed = seal(content) if seal else content
            file = name + (SEALED if seal else "")
            (part / file).write_bytes(sealed)
            lines.append(f"{sha256(sealed).hexdigest()}  {file}\n")
        return lines


def zipped(contents: Contents) -> bytes:
    """The contents as one zip; what is Parquet is packed already."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in contents.items():
            member = zipfile.ZipInfo(name, EPOCH)
            member.compress_type = zipfile.ZIP_STORED if name.endswith(".parquet") else zipfile.ZIP_DEFLATED
            archive.writestr(member, content)
    return out.getvalue()


def readme(*, keyed: bool) -> str:
    """What to do, in which order, in French."""
    name = "lisezmoi.txt" if keyed else "lisezmoi-sans-clef.txt"
    return (files("ecluse.doors.incidents") / name).read_text(encoding="utf-8").format(proofs=PROOFS)
