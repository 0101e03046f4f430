"""A key for each person, all grown from one seed, any of which can be taken away for ever: a punctured tree.

The tree of Goldreich, Goldwasser and Micali (J. ACM 33, 1986): each seed has sixteen children, and a person's key is the leaf
at the end of their path. To forget a person, the seed above that leaf goes and the siblings along its path stay in its
place (Kiayias et al., CCS 2013, §3): every other leaf is derived as before, this one from nothing that is kept.
"""

from __future__ import annotations

import os
from hashlib import blake2s, sha256

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SEED_BYTES = 32
PERSON_BYTES = 16
# 48 bits. The fewer levels, the sooner a key is derived and the less a forgotten person weighs (15 seeds a level); yet that one
# of five million others shares a given person's leaf, and would be forgotten with them, has a chance of 2 in 10^8.
LEVELS = 12
# The seeds this far down are kept once derived, 4 096 at most (0.9 MB an insurer): a quarter of the way of every check.
KEPT_LEVELS = 3

# What a child is derived with: BLAKE2s (RFC 7693), made sixteen functions by its personalisation field. A tree needs no more than
# a generator of children from a secret seed of fixed length; HMAC does the same in four times as long.
_CHILDREN = {nibble: nibble.encode() for nibble in "0123456789abcdef"}

Seeds = dict[str, bytes]  # by path, in hexadecimal digits: the root's is empty


def planted() -> Seeds:
    """A new tree, which has every leaf."""
    return {"": os.urandom(SEED_BYTES)}


def punctured(seeds: Seeds, person: bytes) -> Seeds:
    """The tree without this person's leaf, and in its place another one, drawn by chance: the person may come back."""
    path = _path(person)
    above = _level(seeds, path)
    seed, kept = seeds[path[:above]], {each: seeds[each] for each in seeds if each != path[:above]}
    for level in range(above, LEVELS):
        kept |= {path[:level] + each: _child(seed, each) for each in _CHILDREN if each != path[level]}
        seed = _child(seed, path[level])
    return kept | {path: os.urandom(SEED_BYTES)}


class People:
    """A tree, ready for use."""

    def __init__(self, seeds: Seeds) -> None:
        self._seeds = seeds
        self._kept: Seeds = {}
        self._last: tuple[bytes, AESGCM] | None = None  # one answer seals twice for one person

    def cipher(self, person: bytes) -> AESGCM:
        """What seals for a person, by their reference (16 bytes)."""
        last = self._last
        if last is None or last[0] != person:
            last = self._last = person, AESGCM(self._leaf(_path(person)))
        return last[1]

    def forgot(self, person: bytes) -> bool:
        """Whether what was once sealed for this person does not open any more."""
        return _path(person) in self._seeds

    def _leaf(self, path: str) -> bytes:
        seed = self._kept.get(path[:KEPT_LEVELS])
        if seed is not None:
            return _down(seed, path[KEPT_LEVELS:])
        level = _level(self._seeds, path)
        seed = self._seeds[path[:level]]
        if level > KEPT_LEVELS:  # somebody near was forgotten
            return _down(seed, path[level:])
        seed = self._kept[path[:KEPT_LEVELS]] = _down(seed, path[level:KEPT_LEVELS])
        return _down(seed, path[KEPT_LEVELS:])


def _down(seed: bytes, path: str) -> bytes:
    for nibble in path:
        seed = blake2s(seed, person=_CHILDREN[nibble]).digest()  # `_child`, without a call: on the way of every check
    return seed


def _child(seed: bytes, nibble: str) -> bytes:
    return blake2s(seed, person=_CHILDREN[nibble]).digest()


def _path(person: bytes) -> str:
    """A reference is random-looking already; hashed, every one is, whoever made it."""
    return sha256(person).hexdigest()[:LEVELS]


def _level(seeds: Seeds, path: str) -> int:
    """How far down stands the one seed that is kept on the way to a leaf."""
    level = 0
    while path[:level] not in seeds:
        level += 1
    return level
