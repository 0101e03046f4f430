"""Witnessing another's log: a head is cosigned once it is seen to continue the last one, which is on disk before the answer."""

from __future__ import annotations

from ecluse.app.ports.witness import WitnessBook
from ecluse.journal.checkpoint import read_checkpoint
from ecluse.journal.note import Note, read_note
from ecluse.journal.witness import Refusing, judge, log_signatures, origin_hash, read_submission


def add_checkpoint(book: WitnessBook, body: bytes) -> str:
    """The signature lines of the witness for a submission. Raises `Refusing` with the status the protocol gives it."""
    sent = read_submission(body)
    signed = log_signatures(sent, book.trusted())
    about = origin_hash(sent.head.origin)
    with book.alone():  # between looking at the last head and keeping this one, nobody else may do the same
        kept = book.last(about)
        try:
            judge(sent, read_checkpoint(read_note(kept).text) if kept else None)
        except Refusing as refusing:
            if refusing.status == 422:
                book.keep_refused(about, signed.content)
            raise
        signatures = book.cosign(signed.text)
        book.keep(about, Note(signed.text, signed.signatures + signatures).content)
    return "".join(each.line for each in signatures)
