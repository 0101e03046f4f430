"""The memory of proofs: one file that every process of the hub maps, a table of bounded size under locks of one bucket each.

A proof is kept as 128 bits of a keyed hash, so nobody can aim at a bucket. What is written survives the death of any process,
for the kernel has it; not that of the machine: a file of another boot, or of another shape, is begun anew with other secrets,
and `since_ts` says from when it remembers. Proofs made before that need a nonce, and no nonce given before is good any more.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

from ecluse.gate.dpop import NONCE_S, Proof, Secrets
from ecluse.kernel.errors import refusal

FILE = "proofs"
BUCKETS = 32_768
SLOTS = 32  # 1 048 576 proofs of the last 91 s: 11 000 a second, several times what a machine answers. 21 MB, once they came
FINGERPRINT_BYTES = 16
SECRET_BYTES = 32
BOOT = Path("/proc/sys/kernel/random/boot_id")

PROOFS_FULL = refusal("proofs_full", 503, "Too many proofs at once", fix="Try again in a second, with a new proof.")

_MAGIC = b"ecluse proofs 1\n"
_HEADER = struct.Struct(f"<16s36sq{SECRET_BYTES}s")  # magic, boot, since, the table's own key
_PERIOD = struct.Struct(f"<q{SECRET_BYTES}s")  # number of the period, its secret; two of them, even and odd
_PERIODS_AT = _HEADER.size
_TABLE_AT = 4096
_UNTIL = struct.Struct(f"<{SLOTS}I")
_UNTIL_AT = SLOTS * FINGERPRINT_BYTES  # in a bucket: fingerprints, then until when each holds (Unix seconds)
_BUCKET_BYTES = _UNTIL_AT + _UNTIL.size
_FILE_BYTES = _TABLE_AT + BUCKETS * _BUCKET_BYTES
_ONE = struct.Struct("<I")


class SharedProofs:
    """The `Proofs` port over a mapped file of `folder`; for use by one thread of each process."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = os.open(folder / FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with self._alone(0, _TABLE_AT):
            self._begin()
            self._map = mmap.mmap(self._file, _FILE_BYTES)
            head: tuple[bytes, bytes, int, bytes] = _HEADER.unpack_from(self._map)
        _, _, self._since_ts, self._key = head
        self._secrets: tuple[int, Secrets] = (0, Secrets(b"", b""))

    @property
    def since_ts(self) -> int:
        """Since when proofs are remembered (Unix seconds)."""
        return self._since_ts

    def secrets(self, now_ts: int) -> Secrets:
        """The secrets of this period and of the one before."""
        period = now_ts // NONCE_S
        if self._secrets[0] != period:
            with self._alone(0, _TABLE_AT):
                self._secrets = period, Secrets(self._secret(period), self._secret(period - 1))
        return self._secrets[1]

    def first(self, proof: Proof, now_ts: int) -> bool:
        """Remember the proof; False if it was there. Raises `proofs_full`."""
        fingerprint = blake2b(
            f"{proof.jkt} {proof.jti}".encode(), key=self._key, digest_size=FINGERPRINT_BYTES
        ).digest()
        at = _TABLE_AT + int.from_bytes(fingerprint[:4]) % BUCKETS * _BUCKET_BYTES
        with self._alone(at, 1):
            bucket = self._map[at : at + _BUCKET_BYTES]
            if bucket.find(fingerprint, 0, _UNTIL_AT) >= 0:  # across two slots by chance: once in 2**96
                return False
            until = _UNTIL.unpack_from(bucket, _UNTIL_AT)
            oldest = min(until)
            if oldest > now_ts:
                raise PROOFS_FULL()
            slot = until.index(oldest)
            _ONE.pack_into(self._map, at + _UNTIL_AT + slot * _ONE.size, proof.until_ts)
            place = at + slot * FINGERPRINT_BYTES
            self._map[place : place + FINGERPRINT_BYTES] = fingerprint
        return True

    def close(self) -> None:
        """Unmap the file; it stays for the others."""
        self._map.close()
        os.close(self._file)

    def _begin(self) -> None:
        """Make the file, unless it is of this boot and shape."""
        boot = _boot()
        head = os.pread(self._file, _HEADER.size, 0)
        if len(head) == _HEADER.size and os.fstat(self._file).st_size == _FILE_BYTES:
            magic, of_boot, *_ = _HEADER.unpack(head)
            if (magic, of_boot) == (_MAGIC, boot):
                return
        os.ftruncate(self._file, 0)
        os.ftruncate(self._file, _FILE_BYTES)
        os.pwrite(self._file, _HEADER.pack(_MAGIC, boot, int(time.time()), os.urandom(SECRET_BYTES)), 0)

    def _secret(self, period: int) -> bytes:
        at = _PERIODS_AT + period % 2 * _PERIOD.size
        of_period, secret = _PERIOD.unpack_from(self._map, at)
        if of_period != period:
            secret = os.urandom(SECRET_BYTES)
            _PERIOD.pack_into(self._map, at, period, secret)
        return bytes(secret)

    @contextmanager
    def _alone(self, at: int, count: int) -> Iterator[None]:
        """While it lasts no other process is at these bytes; the kernel lets go for a process that is killed."""
        fcntl.lockf(self._file, fcntl.LOCK_EX, count, at)
        try:
            yield
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN, count, at)


def _boot() -> bytes:
    """What tells this start of the machine from others. Only Linux has it; elsewhere a restart is not seen, and takes longer
    than a proof lives."""
    return BOOT.read_bytes().strip()[:36].ljust(36) if BOOT.exists() else bytes(36)
