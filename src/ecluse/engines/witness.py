"""A witness's folder: `witness.json` (its keys), `trusted` (a vkey a line), `logs/` (the last head of each), `refused/`.

A head is kept by writing beside, syncing and renaming: killed at any moment, the folder holds the old head or the new one, and no
answer left before. The folder belongs to one process at a time. Never bring `logs/` back from an older copy: a witness that
forgets signs what it has refused.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from ecluse.engines.durable import PART, sync, write_whole
from ecluse.engines.turn import taken
from ecluse.journal.cosignature import cosigned
from ecluse.journal.note import COSIGNATURE, ML_DSA_44, Key, Signature, name_is_valid, read_key, typed_key
from ecluse.kernel.errors import refusal

FILE, TRUSTED, LOGS, REFUSED = "witness.json", "trusted", "logs", "refused"
LOGS_MAX = 20_000  # 64 writers over 25 years; a family's key holder could begin logs without end
REFUSED_MAX = 1_000  # heads kept as evidence, some 3 kB each
_HASH = re.compile(r"[0-9a-f]{64}")

WITNESS_ABSENT = refusal(
    "witness_absent", 500, "This directory is no witness", fix="Run `ecluse witness init DIR --name NAME`."
)
WITNESS_THERE = refusal("witness_there", 409, "This directory is a witness already", fix="Use it, or name a new one.")
WITNESS_DAMAGED = refusal(
    "witness_damaged",
    500,
    "What the witness kept does not read",
    fix="Make a new witness with a new name; never one that has forgotten what it signed.",
)
WITNESS_TAKEN = refusal("witness_taken", 409, "Another process has this witness", fix="Stop it first.")
WITNESS_NAME_INVALID = refusal(
    "witness_name_invalid", 400, "A witness cannot have this name", fix="Write it like insurer.example/witness."
)
WITNESS_FULL = refusal(
    "witness_full", 507, "The witness watches as many logs as it may", fix="Make another witness for the others."
)


class _Kept(msgspec.Struct, frozen=True):
    name: str
    ed25519: bytes
    ml_dsa_44: bytes


class LocalWitness:
    """The `WitnessBook` port over a folder."""

    def __init__(self, directory: Path) -> None:
        """Open it, for reading and for its owner. Raises `witness_absent`."""
        self._directory = directory
        try:
            kept = msgspec.json.decode((directory / FILE).read_bytes(), type=_Kept)
        except FileNotFoundError:
            raise WITNESS_ABSENT(f"no {FILE} in {directory}") from None
        except msgspec.MsgspecError:
            raise WITNESS_DAMAGED(FILE) from None
        ed, ml = Ed25519PrivateKey.from_private_bytes(kept.ed25519), MLDSA44PrivateKey.from_seed_bytes(kept.ml_dsa_44)
        self._signing: dict[Key, Callable[[bytes], bytes]] = {
            Key(kept.name, COSIGNATURE, ed.public_key().public_bytes_raw()): ed.sign,
            Key(kept.name, ML_DSA_44, ml.public_key().public_bytes_raw()): ml.sign,
        }
        self._lock = Lock()

    @property
    def keys(self) -> tuple[Key, ...]:
        """The witness's own keys: Ed25519, then ML-DSA-44."""
        return tuple(self._signing)

    def take(self) -> int:
        """Take the folder for this process; a descriptor that holds it until it is closed. Raises `witness_taken`."""
        lock = taken(self._directory / "lock")
        if lock is None:
            raise WITNESS_TAKEN(str(self._directory))
        return lock

    def trusted(self) -> tuple[Key, ...]:
        """The logs watched. Raises `witness_damaged`."""
        try:
            lines = (self._directory / TRUSTED).read_text().splitlines()
            return tuple(read_key(line) for line in lines if line.strip())
        except FileNotFoundError:
            return ()
        except ValueError:
            raise WITNESS_DAMAGED(TRUSTED) from None

    def trust(self, vkey: str) -> Key:
        """Watch one more log, or family of logs; durable. Raises `vkey_invalid`."""
        key = typed_key(vkey)
        if key not in (known := self.trusted()):
            self._place(self._directory / TRUSTED, "".join(f"{each.text}\n" for each in (*known, key)))
        return key

    def cosign(self, note_text: str) -> tuple[Signature, ...]:
        """Cosignatures of a checkpoint's text by every key."""
        now_s = int(time.time())
        return tuple(cosigned(note_text, key, now_s, sign) for key, sign in self._signing.items())

    def alone(self) -> Lock:
        """One lock for all logs: it is held for two signatures and a sync, some milliseconds."""
        return self._lock

    def last(self, origin_hash: str) -> str | None:
        """The note kept last; None for a name that is no hash."""
        if not _HASH.fullmatch(origin_hash):
            return None
        try:
            return (self._directory / LOGS / origin_hash).read_text()
        except FileNotFoundError:
            return None

    def keep(self, origin_hash: str, note: str) -> None:
        """Keep the note. Raises `witness_full`, `OSError`."""
        path = self._directory / LOGS / origin_hash
        if not path.exists() and sum(1 for _ in path.parent.glob("*")) >= LOGS_MAX:
            raise WITNESS_FULL()
        self._place(path, note)

    def keep_refused(self, origin_hash: str, note: str) -> None:
        """Keep it once, whatever its number of times, and the first ones only."""
        folder = self._directory / REFUSED
        number = sum(1 for _ in folder.glob("*"))
        text = note.split("\n\n")[0]
        if number < REFUSED_MAX and not any(
            each.read_text().startswith(text) for each in folder.glob(f"{origin_hash}-*")
        ):
            self._place(folder / f"{origin_hash}-{number}", note)

    def _place(self, path: Path, text: str) -> None:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        part = self._directory / f"{path.name}{PART}"  # beside the folders: what is in them is whole
        write_whole(path, text.encode(), part=part)


def create(directory: Path, name: str) -> LocalWitness:
    """Draw the keys of a new witness. Raises `witness_there`, `witness_name_invalid`."""
    if not name_is_valid(name) or not name.isprintable() or len(name.encode()) > 255:
        raise WITNESS_NAME_INVALID()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    seed = MLDSA44PrivateKey.generate().private_bytes_raw()
    kept = _Kept(name, Ed25519PrivateKey.generate().private_bytes_raw(), seed)
    try:
        handle = os.open(directory / FILE, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        raise WITNESS_THERE(str(directory)) from None
    with os.fdopen(handle, "wb") as secret:
        secret.write(msgspec.json.encode(kept))
    (directory / LOGS).mkdir(mode=0o700, exist_ok=True)
    for path in (directory / FILE, directory):
        sync(path)
    return LocalWitness(directory)
