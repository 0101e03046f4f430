"""What the rights of one person become under the rows of a member file that speak of them.

A right is named, within a person, by its contract and first day. Rules, applied to all rows of a person together, so
that their order in the file does not matter:
1. two rows never name the same right;
2. `set` adds the right, or takes the place of the one it names;
3. `end` moves the last day of the right it names; nothing else of the row is used;
4. a number that the file gives to somebody else is lost: what the person had under it, ended or not, goes;
5. afterwards, periods of one contract do not overlap. Adjacent ones are fine.
A full file is a delta of `set` rows over nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from itertools import pairwise

import msgspec

from ecluse.kernel.days import Period
from ecluse.rights.model import Right

Name = tuple[str, date]  # contract, first day


class Change(msgspec.Struct, frozen=True):
    """One row: its `line` in the file, whether it ends a right or sets it, and the right as the row has it."""

    line: int
    ends: bool
    right: Right


class Combined(msgspec.Struct, frozen=True):
    """The rights that result, each with the line of the row that set it as it is (0: kept or ended); or why not."""

    rights: tuple[tuple[Right, int], ...]
    refused: tuple[tuple[int, str], ...]  # line, code


def combine(kept: Sequence[Right], changes: Sequence[Change], lost: Collection[str] = ()) -> Combined:
    """The rights of one person after `changes`, when the member numbers `lost` stand for somebody else from now on; `refused` is
    empty when every row could be applied."""
    rights = {_name(right): (right, 0) for right in kept}
    lines: dict[Name, int] = {}
    refused: list[tuple[int, str]] = []
    for change in sorted(changes, key=lambda each: each.line):
        name = _name(change.right)
        if name in lines:
            refused.append((change.line, "row_twice"))
        elif change.ends and name not in rights:
            refused.append((change.line, "nothing_to_end"))
        else:
            lines[name] = change.line
            rights[name] = (_ended(rights[name][0], change), 0) if change.ends else (change.right, change.line)
    # After the rows: an `end` of what is lost fits, as it does in the file that corrects a NIR.
    rights = {name: (right, line) for name, (right, line) in rights.items() if line or right.member_number not in lost}
    refused += _overlaps([right for right, _ in rights.values()], lines)
    ordered = tuple(rights[name] for name in sorted(rights))
    return Combined(ordered, tuple(sorted(set(refused))))


def _name(right: Right) -> Name:
    return right.contract, right.valid.start


def _ended(right: Right, change: Change) -> Right:
    return msgspec.structs.replace(right, valid=Period(right.valid.start, change.right.valid.end))


def _overlaps(rights: Sequence[Right], lines: dict[Name, int]) -> list[tuple[int, str]]:
    """Rows whose period runs into another of the same contract: of each pair, the one lower in the file is to blame."""
    ordered = sorted(rights, key=_name)
    return [
        (max(lines.get(_name(first), 0), lines.get(_name(second), 0)), "period_overlaps")
        for first, second in pairwise(ordered)
        if first.contract == second.contract and first.valid.end > second.valid.start
    ]
