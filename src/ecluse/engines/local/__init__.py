"""The journal on a local disk: one Merkle log a writer and month, in the files of C2SP tlog-tiles (docs/journal.md)."""

from ecluse.engines.local import wal
from ecluse.engines.local.log import LocalLog
from ecluse.engines.local.reading import LocalShards, read_all

__all__ = ["LocalLog", "LocalShards", "read_all", "wal"]
