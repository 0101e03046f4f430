"""The whole journal verified: every shard from its entries up, every head, and that none is missing or shorter than seen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence

import msgspec

from ecluse.app.ports.journal_files import JournalFiles, ShardTold, SignedHead
from ecluse.journal.checkpoint import Checkpoint, read_checkpoint
from ecluse.journal.cosignature import signers
from ecluse.journal.note import Key, read_key, read_note
from ecluse.journal.policy import keys_for
from ecluse.journal.tiles import ENTRIES, entries_of, path
from ecluse.journal.verify import Fault, Files, Tree, Walk, opening_heads

FAULTS_MAX = 100  # a log that was changed has one or two; a wrong disk has thousands that say nothing more


class Claim(msgspec.Struct, frozen=True):
    """Somebody says that a shard had this root at this size: who, and in which file."""

    file: str
    size: int
    root: bytes


class ShardVerified(msgspec.Struct, frozen=True):
    """A shard walked over: its entries, how far its newest head goes, and the witnesses that signed one.

    `earlier`: entries more than ten minutes before one that stands before them: a clock was set back, which is no fault.
    """

    name: str
    entries: int
    signed: int
    witnesses: tuple[str, ...] = ()
    earlier: tuple[int, ...] = ()


class Verified(msgspec.Struct, frozen=True):
    """What was verified, and what is wrong. `more`: it stopped at the limit, there may be more."""

    shards: tuple[ShardVerified, ...]
    faults: tuple[Fault, ...]
    more: bool = False


class _EnoughError(Exception):
    """As many faults as were asked for."""


def verify_journal(
    journal: JournalFiles,
    logs: Sequence[Key],
    witnesses: Sequence[Key] = (),
    *,
    only: Collection[str] = (),
    heads: Sequence[SignedHead] = (),
    told: Callable[[int, int], None] = lambda _, __: None,
) -> Verified:
    """Verify every shard, or those named, against `logs` (keys of logs or families) and the witnesses' keys.

    `heads` are more of them, kept elsewhere: a log that does not continue one of these has another history now.
    `told` hears the number of entries read, and how many there should be.
    """
    verifying = _Verifying(journal, logs, witnesses, told)
    try:
        verifying.run(only, heads)
    except _EnoughError:
        return Verified(tuple(verifying.verified), tuple(verifying.faults), more=True)
    return Verified(tuple(verifying.verified), tuple(verifying.faults))


class _Verifying:
    """One verification: faults and shards so far."""

    def __init__(
        self, journal: JournalFiles, logs: Sequence[Key], witnesses: Sequence[Key], told: Callable[[int, int], None]
    ) -> None:
        self.faults: list[Fault] = []
        self.verified: list[ShardVerified] = []
        self._journal = journal
        self._logs = logs
        self._witnesses = witnesses
        self._told = told
        self._done = 0
        self._claims: dict[str, list[Claim]] = defaultdict(list)
        self._seen_by: dict[str, set[str]] = defaultdict(set)

    def run(self, only: Collection[str], heads: Sequence[SignedHead]) -> None:
        """Heads first, whatever is asked for: they say what the entries must give."""
        try:
            shards = self._journal.shards()
        except ValueError as wrong:
            self._fault(Fault("", "shards.json", str(wrong)))
            return
        for name in self._journal.strays():
            self._fault(Fault(name, "shards.json", "does not name this log, of which there are files or heads"))
        for shard in shards:
            self._read_heads(shard, heads)
        for shard in shards:
            if not shard.pruned:
                self._read_opening(shard, {each.name for each in shards})
        chosen = [shard for shard in shards if not only or shard.name in only]
        of = sum(max((each.size for each in self._claims[shard.name]), default=0) for shard in chosen)
        for shard in chosen:
            self._walk(shard, of)

    def _read_heads(self, shard: ShardTold, elsewhere: Sequence[SignedHead]) -> None:
        try:
            key = read_key(shard.key)
        except ValueError:
            self._fault(Fault(shard.name, "shards.json", "has no key for it"))
            return
        keys = [each for each in keys_for(key.name, self._logs) if each == key]
        if not keys or key.name.rpartition("/")[2] != shard.name:
            self._fault(Fault(shard.name, "shards.json", "names a key for it that is not this journal's"))
            return
        for head in [*shard.heads, *(each for each in elsewhere if each.note.startswith(f"{key.name}\n"))]:
            if found := self._claim(shard, head, keys):
                self._claims[shard.name].append(Claim(head.file, found.size, found.root))
        if shard.state != "open":
            self._claims[shard.name].append(Claim("shards.json", shard.size, bytes.fromhex(shard.root)))

    def _claim(self, shard: ShardTold, head: SignedHead, keys: list[Key]) -> Checkpoint | None:
        try:
            note = read_note(head.note)
            found = read_checkpoint(note.text)
            if not signers(note, keys) or found.origin != keys[0].name:
                raise ValueError("is not signed by this log")
            self._seen_by[shard.name] |= {each.key.name for each in signers(note, self._witnesses)}
        except ValueError as wrong:
            self._fault(Fault(shard.name, head.file, str(wrong)))
            return None
        return found

    def _read_opening(self, shard: ShardTold, known: set[str]) -> None:
        """What the first entry of a shard saw of the others."""
        try:
            first = _first(self._journal.files(shard.name))
            for name, size, root in opening_heads(first) if first else ():
                self._claims[name].append(Claim(f"first entry of {shard.name}", size, root))
                if name not in known:
                    self._fault(
                        Fault(name, "shards.json", f"does not name it; {shard.name} began when it had {size} entries")
                    )
        except ValueError as wrong:
            self._fault(Fault(shard.name, "first entry", str(wrong), 0))

    def _walk(self, shard: ShardTold, of: int) -> None:
        claims = self._claims[shard.name]
        checkpoint = next((each.size for each in claims if each.file == "checkpoint"), 0)
        published = {"open": checkpoint, "frozen": shard.size, "abandoned": 0}[
            shard.state
        ]  # the last is left as it was
        walk = Walk(
            shard.name,
            self._journal.files(shard.name),
            self._fault,
            published=published,
            pruned=shard.pruned,
        )
        tree = walk.run({each.size for each in claims}, lambda size: self._told(self._done + size, of))
        self._done += tree.size
        self._compare(shard, claims, tree)
        signed = max((each.size for each in claims if each.size <= tree.size), default=0)
        self.verified.append(
            ShardVerified(shard.name, tree.size, signed, tuple(sorted(self._seen_by[shard.name])), tree.earlier)
        )

    def _compare(self, shard: ShardTold, claims: list[Claim], tree: Tree) -> None:
        sound = max((each.size for each in claims if tree.roots.get(each.size) == each.root), default=0)
        for claim in claims:
            if claim.size > tree.size:
                if shard.state == "abandoned" and tree.size == shard.size:
                    continue  # its end was lost, and another shard's entry says so
                what = f"is for {claim.size} entries, {tree.size} are there"
                self._fault(Fault(shard.name, claim.file, what, tree.size))
            elif tree.roots[claim.size] != claim.root:
                what = f"is for {claim.size} entries, and at least one of them is another now"
                self._fault(Fault(shard.name, claim.file, what, sound if sound < claim.size else None))
        if not any(each.file not in ("second home", "cosigned") for each in claims) and tree.size:
            self._fault(Fault(shard.name, "head", "is not there: nothing says how far the log goes"))
        elif shard.state == "frozen" and not any(each.file == "checkpoint" for each in claims):
            self._fault(Fault(shard.name, "checkpoint", "is not there"))

    def _fault(self, fault: Fault) -> None:
        self.faults.append(fault)
        if len(self.faults) >= FAULTS_MAX:
            raise _EnoughError


def _first(files: Files) -> bytes | None:
    """The first entry of a shard; None when it has none."""
    try:
        return next(entries_of(files.read(path(ENTRIES, 0))), None)
    except FileNotFoundError:
        return next(files.rest(0), None)
