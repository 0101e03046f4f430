"""A disk that refuses is not a bug: every command says in words what happened, and what to do."""

from __future__ import annotations

import errno

from ecluse.kernel.errors import Refused, refusal

NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
# Of a path that was typed, or of a folder somebody changed. A file that is not there is not among them: ours may be lost.
REFUSED = {
    errno.EACCES, errno.EPERM, errno.EROFS, errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ELOOP, errno.ENAMETOOLONG,
    errno.EMFILE, errno.ENFILE, errno.EIO,
}  # fmt: skip
# sqlite.org/rescode.html: FULL, and IOERR_SHMSIZE, which is a full disk while a database opens. The module `sqlite3` has the
# names, and takes too long to import for them.
SQLITE_NO_ROOM = {13, 4874}

DISK_FULL = refusal(
    "disk_full",
    507,
    "There is no room left where it writes",
    fix="Make room, then run it again: nothing is half applied.",
)
PATH_REFUSED = refusal(
    "path_refused",
    409,
    "The file system refuses this path",
    fix="Look at what is there, whose it is and who may write; then run it again.",
)


def told(error: BaseException) -> Refused | None:
    """The refusal that says it, when it was a disk; None when it is for our own people to mend."""
    number = error.errno if isinstance(error, OSError) else None
    if number in NO_ROOM or getattr(error, "sqlite_errorcode", None) in SQLITE_NO_ROOM:
        return DISK_FULL(_path(error))
    if number in REFUSED and isinstance(error, OSError) and error.filename:
        return PATH_REFUSED(f"{_path(error)}: {error.strerror}")
    return None


def _path(error: BaseException) -> str:
    return str(getattr(error, "filename", None) or "")
