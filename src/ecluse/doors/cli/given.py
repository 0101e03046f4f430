"""Files named on a command line: no more is read of one than its reader may need."""

from __future__ import annotations

from pathlib import Path

from ecluse.kernel.errors import Refusal, refusal

FILE_UNREADABLE = refusal("file_unreadable", 500, "The file cannot be read", fix="Check its path and its rights.")


def read_file(file: Path, bytes_max: int) -> bytes:
    """The bytes of a file, at most `bytes_max` + 1, so that a reader can refuse what is longer. Raises `file_unreadable`."""
    return _read(file, bytes_max + 1, FILE_UNREADABLE)


def read_whole(file: Path, bytes_max: int, refused: Refusal) -> bytes:
    """The bytes of a file. Raises `refused`, also where it is larger."""
    content = _read(file, bytes_max + 1, refused)
    if len(content) > bytes_max:
        raise refused(f"{file} is larger than {bytes_max} bytes")
    return content


def _read(file: Path, most: int, refused: Refusal) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(most)
    except OSError as broken:
        raise refused(f"{file}: {broken.strerror}") from None
