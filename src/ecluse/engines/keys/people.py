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
    above = _above(seeds, path)
    seed, kept = seeds[above], {each: seeds[each] for each in seeds if each != above}
    for level in range(len(above), LEVELS):
        kept |= {path[:level] + each: _child(seed, each) for each in _CHILDREN if each != path[level]}
        seed = _child(seed, path[level])
    return kept | {path: os.urandom(SEED_BYTES)}


class People:
    """A tree, ready for use."""

    def __init__(self, seeds: Seeds) -> None:
        self._seeds = seeds
        self._last: tuple[bytes, AESGCM] | None = None  # one answer seals twice for one person

    def cipher(self, person: bytes) -> AESGCM:
        """What seals for a person, by their reference (16 bytes)."""
        last = self._last
        if last is None or last[0] != person:
            last = self._last = person, AESGCM(_leaf(self._seeds, person))
        return last[1]

    def forgot(self, person: bytes) -> bool:
        """Whether what was once sealed for this person does not open any more."""
        return _path(person) in self._seeds


def _leaf(seeds: Seeds, person: bytes) -> bytes:
    path = _path(person)
    above = _above(seeds, path)
    seed = seeds[above]
    for nibble in path[len(above) :]:
        seed = blake2s(seed, person=_CHILDREN[nibble]).digest()
    return seed


def _child(seed: bytes, nibble: str) -> bytes:
    return blake2s(seed, person=_CHILDREN[nibble]).digest()


def _path(person: bytes) -> str:
    """A reference is random-looking already; hashed, every one is, whoever made it."""
    return sha256(person).hexdigest()[:LEVELS]


def _above(seeds: Seeds, path: str) -> str:
    """The path of the one seed that is kept on the way to a leaf."""
    return next(path[:level] for level in range(LEVELS + 1) if path[:level] in seeds)
