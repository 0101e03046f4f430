"""Asking the journal's witnesses to sign its heads, in the background: nothing that is answered waits for it.

A witness that says the log does not continue what it saw has seen another history, or we have: that is an alarm, never a retry.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

import msgspec

from ecluse.app.ports.outside import Clock
from ecluse.app.ports.published import Published, Witness, WitnessSaid
from ecluse.journal.checkpoint import Checkpoint, read_checkpoint
from ecluse.journal.cosignature import signers
from ecluse.journal.merkle import consistency_proof
from ecluse.journal.note import Note, Signature, read_note
from ecluse.journal.proof import read_number
from ecluse.journal.tiles import hashes_of
from ecluse.journal.witness import submission_body
from ecluse.kernel.days import ts_us

LOG = logging.getLogger(__name__)
TURN_S = 5.0  # between two looks whether the process that asked has ended


class _Asked(msgspec.Struct, frozen=True):
    """What a witness answered: an outcome, its cosignatures, the size it saw last."""

    outcome: str
    size: int
    signatures: tuple[Signature, ...] = ()


class Cosigning:
    """The rounds of one process; `heard` is told each witness's name and outcome, to count them."""

    def __init__(
        self, logs: Published, witnesses: Sequence[Witness], clock: Clock, heard: Callable[[str, str], None]
    ) -> None:
        self._logs = logs
        self._witnesses = witnesses
        self._clock = clock
        self._heard = heard
        self._sizes: dict[tuple[str, str], int] = {}  # by witness and shard: what it saw last, as far as we know
        self._said = {(each.witness, each.shard): each for each in logs.said()}

    async def run(self, every_s: float) -> None:
        """A round every so many seconds, for as long as the hub answers, in one of its processes."""
        while not await asyncio.to_thread(self._logs.take_turn):
            await asyncio.sleep(TURN_S)
        while True:
            try:
                await self.round()
            except (OSError, ValueError) as broken:
                LOG.warning("witnesses not asked: %s", type(broken).__name__)
            await asyncio.sleep(every_s)

    async def round(self) -> None:
        """Ask every witness about every shard whose head it has not signed. Raises `OSError`, `ValueError` for our own files."""
        for shard in await asyncio.to_thread(self._logs.shards):
            if note := await asyncio.to_thread(self._logs.checkpoint, shard.name):
                await self._shard(shard.name, read_note(note))

    async def _shard(self, shard: str, note: Note) -> None:
        missing = [each for each in self._witnesses if not note.by(each.key)]
        if not missing:
            return
        answers = await asyncio.gather(*(self._ask(each, shard, note) for each in missing))
        signatures = tuple(signature for each in answers for signature in each.signatures)
        if signatures:
            await asyncio.to_thread(
                self._logs.keep_cosigned, shard, Note(note.text, note.signatures + signatures).content
            )
        await asyncio.to_thread(
            self._logs.keep_said, sorted(self._said.values(), key=lambda each: (each.witness, each.shard))
        )

    async def _ask(self, witness: Witness, shard: str, note: Note) -> _Asked:
        head = read_checkpoint(note.text)
        known = self._sizes.get((witness.key.name, shard))
        old = await asyncio.to_thread(self._signed_before, witness, shard) if known is None else known
        answer = await self._submit(witness, shard, note, head, min(old, head.size))
        if answer.outcome == "behind":  # it told which size it saw last
            answer = await self._submit(witness, shard, note, head, answer.size)
        self._hear(witness.key.name, shard, answer)
        return answer

    async def _submit(self, witness: Witness, shard: str, note: Note, head: Checkpoint, old: int) -> _Asked:
        try:
            proof = await asyncio.to_thread(self._proof, shard, old, head.size)
            status, text = await witness.submit(submission_body(old, proof, note.content))
            if status == 409:
                seen = read_number(text.strip())
                return _Asked("behind" if seen <= head.size and seen != old else "ahead", seen)
            if status == 422:
                return _Asked("refused", old)
            if status != 200:
                raise ValueError(f"it answered {status}")
            signed = read_note(f"{note.text}\n{text}")
            if not signers(signed, [witness.key]):
                raise ValueError("not signed by the key it is configured with")
            return _Asked("cosigned", head.size, tuple(signed.by(witness.key)))
        except (OSError, ValueError) as broken:
            LOG.warning("witness %s was not heard about %s: %s", witness.key.name, shard, broken)
            return _Asked("failed", old)

    def _proof(self, shard: str, old: int, size: int) -> list[bytes]:
        def read(name: str) -> bytes:
            if (content := self._logs.tile(shard, name)) is None:
                raise ValueError(f"{name} is not there")
            return content

        return consistency_proof(hashes_of(read, size), old, size)

    def _signed_before(self, witness: Witness, shard: str) -> int:
        """The size of the head this witness is known to have signed last."""
        kept = self._logs.cosigned(shard)
        note = read_note(kept) if kept else None
        return read_checkpoint(note.text).size if note and note.by(witness.key) else 0

    def _hear(self, witness: str, shard: str, answer: _Asked) -> None:
        self._heard(witness, answer.outcome)
        at_ts_us = ts_us(self._clock.now())
        self._said[witness, shard] = WitnessSaid(witness, shard, answer.outcome, answer.size, at_ts_us)
        if answer.outcome == "cosigned":
            self._sizes[witness, shard] = answer.size
        elif answer.outcome in ("refused", "ahead"):
            what = "refuses our head: two histories" if answer.outcome == "refused" else "saw a longer log than ours"
            LOG.error("witness_alarm: %s %s, %s at %d entries", witness, what, shard, answer.size)
