"""How hard a French text is to read: Kandel and Moles (1958), 207 − 1.015 × words a sentence − 73.6 × syllables a word.

From 0 (very hard) to 100 (very easy); 60 to 70 is "standard". It is Flesch's measure with French constants: it counts lengths
and knows nothing of meaning. Syllables are counted as spoken in the north: a final mute e is none; `-ent` always counts, which is
a little severe.
"""

from __future__ import annotations

import re
from collections import Counter

import msgspec

VOWELS = "aeiouyàâäéèêëîïôöùûüœæ"
_GROUP = re.compile(f"[{VOWELS}]+")
_HIATUS = re.compile(f"é(?=[aàâèêoôuiy]|e(?!s?$))|(?<=[{VOWELS}])[ïëü]")
_MUTE = re.compile(f"(?<![{VOWELS}])es?$")
_WORD = re.compile(r"[^\W\d_]+")
_END = re.compile(r"(?<=[.!?…:;])\s+|\n+")


class Reading(msgspec.Struct, frozen=True):
    """What was counted; `kandel_moles` has one decimal."""

    words: int
    sentences: int
    syllables: int
    longest_sentence_words: int
    mean_sentence_words: float
    kandel_moles: float


def sentences(text: str) -> list[str]:
    """Sentences, and items of lists, that have at least one word."""
    return [each.strip() for each in _END.split(text) if _WORD.search(each)]


def words(text: str) -> list[str]:
    """Words; numbers are not counted, and what an apostrophe cuts is two."""
    return [each for each in _WORD.findall(text) if len(each) > 1 or each.lower() in "aày"]


def syllables(word: str) -> int:
    """Syllables of one word, at least one."""
    low = word.lower()
    spoken = _MUTE.sub("", low)
    count = len(_GROUP.findall(spoken)) + len(_HIATUS.findall(spoken))
    return max(count, 1)


def reading(text: str) -> Reading:
    """Measure a text. One without a word is as easy as can be."""
    lengths = [len(words(each)) for each in sentences(text)]
    lengths = [each for each in lengths if each]
    found = words(text)
    if not found or not lengths:
        return Reading(0, 0, 0, 0, 0.0, 100.0)
    count = sum(syllables(each) * times for each, times in Counter(found).items())
    score = 207 - 1.015 * len(found) / len(lengths) - 73.6 * count / len(found)
    return Reading(len(found), len(lengths), count, max(lengths), round(len(found) / len(lengths), 1), round(score, 1))
