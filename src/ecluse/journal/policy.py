"""Whose signatures to trust (C2SP tlog-policy): the logs, the witnesses, and how many of these must have seen a head.

One thing is ours: a key whose name ends in `/` stands for every log under it. A hub's journal is a log for each writer and month,
all signed by one key, and the specification forbids to list one key twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec

from ecluse.journal.checkpoint import read_checkpoint
from ecluse.journal.cosignature import Signed, signers
from ecluse.journal.note import COSIGNATURE, ED25519, ML_DSA_44, Key, Note, read_key

POLICY_BYTES_MAX = 1 << 20  # hundreds of ML-DSA keys
NAMES_MAX = 256  # of each kind; 32 must be possible
NONE = "none"
_LOG_KINDS = frozenset({ED25519, ML_DSA_44})
_WITNESS_KINDS = frozenset({COSIGNATURE, ML_DSA_44})


class Group(msgspec.Struct, frozen=True):
    """A group has seen a head when `least` of its `members` have."""

    least: int
    members: tuple[str, ...]


class Policy(msgspec.Struct, frozen=True):
    """The logs believed, the witnesses and groups by name, and the one of them that must have seen a head."""

    logs: tuple[Key, ...]
    witnesses: Mapping[str, Key] = {}
    groups: Mapping[str, Group] = {}
    quorum: str = NONE

    def accept(self, note: Note) -> list[Signed]:
        """Who signed this checkpoint: its log first, then the witnesses known. Raises `ValueError` when that is not enough."""
        origin = read_checkpoint(note.text).origin
        keys = keys_for(origin, self.logs)
        if not keys:
            raise ValueError(f"the log {origin} is not one of the policy")
        by_log = signers(note, keys)
        if not by_log:
            raise ValueError(f"not signed by the log {origin}")
        by_witnesses = signers(note, self.witnesses.values())
        if not self._has_seen(self.quorum, {each.key for each in by_witnesses}):
            raise ValueError(f"witnesses: {len(by_witnesses)} known ones saw it, which is no quorum ({self.quorum})")
        return by_log + by_witnesses

    def _has_seen(self, name: str, seen: set[Key]) -> bool:
        if name == NONE:
            return True
        if name in self.witnesses:
            return self.witnesses[name] in seen
        group = self.groups[name]
        return sum(self._has_seen(member, seen) for member in group.members) >= group.least


def keys_for(origin: str, keys: Iterable[Key]) -> list[Key]:
    """The keys that may sign for that origin, under its own name: the ones named so, and those of a family it belongs to."""
    return [
        Key(origin, key.kind, key.public)
        for key in keys
        if key.name == origin or (key.name.endswith("/") and origin.startswith(key.name) and origin != key.name)
    ]


def read_policy(content: bytes) -> Policy:
    """The policy of a file. Raises `ValueError` with the line that is wrong."""
    if len(content) > POLICY_BYTES_MAX or any(
        (each < 0x20 and each not in b"\t\n") or each == 0x7F for each in content
    ):
        raise ValueError("too long, or a control character")
    reading = _Reading()
    for number, line in enumerate(content.decode("utf-8", "surrogateescape").split("\n"), 1):
        words = [word for word in line.replace("\t", " ").split(" ") if word]
        if not words or words[0].startswith("#"):
            continue
        try:
            reading.take(words)
        except ValueError as wrong:
            raise ValueError(f"line {number}: {wrong}") from None
    if not reading.quorum:
        raise ValueError("no quorum line")
    return Policy(tuple(reading.logs), reading.witnesses, reading.groups, reading.quorum)


class _Reading:
    """What was read of a policy so far; names are those of lines above."""

    def __init__(self) -> None:
        self.logs: list[Key] = []
        self.witnesses: dict[str, Key] = {}
        self.groups: dict[str, Group] = {}
        self.quorum = ""
        self._members: set[str] = set()

    def take(self, words: list[str]) -> None:
        """Read one line. Raises `ValueError`."""
        kinds: dict[str, Callable[[list[str]], None]] = {
            "log": self._log,
            "witness": self._witness,
            "group": self._group,
            "quorum": self._quorum,
        }
        if words[0] not in kinds:
            raise ValueError("neither log, witness, group nor quorum")
        kinds[words[0]](words[1:])

    def _log(self, words: list[str]) -> None:
        if len(words) not in (1, 2):
            raise ValueError("log VKEY [URL]")
        self.logs.append(_key(words[0], _LOG_KINDS, self.logs))

    def _witness(self, words: list[str]) -> None:
        if len(words) not in (2, 3):
            raise ValueError("witness NAME VKEY [URL]")
        self._new(words[0])
        self.witnesses[words[0]] = _key(words[1], _WITNESS_KINDS, self.witnesses.values())

    def _group(self, words: list[str]) -> None:
        if len(words) < 3:
            raise ValueError("group NAME all|any|K MEMBER…")
        name, least, *members = words
        self._new(name)
        count = {"all": len(members), "any": 1}.get(least) or _count(least)
        if not 1 <= count <= len(members):
            raise ValueError("more asked for than there are members")
        for member in members:
            if member in self._members or (member not in self.witnesses and member not in self.groups):
                raise ValueError("a member that is not named above, or is a member already")
            self._members.add(member)
        self.groups[name] = Group(count, tuple(members))

    def _quorum(self, words: list[str]) -> None:
        if len(words) != 1 or self.quorum:
            raise ValueError("quorum NAME, once")
        if words[0] != NONE and words[0] not in self.witnesses and words[0] not in self.groups:
            raise ValueError("a quorum that is not named above")
        self.quorum = words[0]

    def _new(self, name: str) -> None:
        if name == NONE or name in self.witnesses or name in self.groups:
            raise ValueError("a name that is taken")
        if len(self.witnesses) >= NAMES_MAX or len(self.groups) >= NAMES_MAX:
            raise ValueError("too many names")


def _key(text: str, kinds: frozenset[int], others: Iterable[Key]) -> Key:
    key = read_key(text)
    if key.kind not in kinds:
        raise ValueError("a key of another kind than this line needs")
    if any(key.public == each.public for each in others):
        raise ValueError("the same key twice")
    return key


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 3:
        raise ValueError("group NAME all|any|K MEMBER…")
    return int(text)
