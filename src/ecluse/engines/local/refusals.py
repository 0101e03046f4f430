"""What the journal's disk refuses."""

from __future__ import annotations

from ecluse.kernel.errors import refusal

JOURNAL_POISONED = refusal(
    "journal_poisoned",
    503,
    "The journal cannot be written",
    fix="The operator must look at the disk and restart the hub.",
)
JOURNAL_DAMAGED = refusal(
    "journal_damaged",
    500,
    "The journal is damaged",
    fix="Do not write over it: restore the file named here from its copy; `ecluse journal verify` says what else is wrong.",
)
JOURNAL_FORKED = refusal(
    "journal_forked",
    500,
    "The journal is not the one that was signed here before",
    fix="Bring the newest copy back; if there is none, accept the loss as docs/availability.md says: ecluse journal accept-loss.",
)
JOURNAL_ORIGIN_CHANGED = refusal(
    "journal_origin_changed",
    500,
    "The journal is signed under another name than journal.origin",
    fix="Put the old name back in ecluse.toml; or, if nobody was answered yet, make a new hub and name it before its first load.",
)
JOURNAL_BEHIND = refusal(
    "journal_behind",
    500,
    "The journal ends before what the databases were told of it",
    fix="Restore the newest copy of the journal: see docs/availability.md.",
)
JOURNAL_FULL = refusal(
    "journal_slots_taken", 500, "Too many processes write the journal", fix="Stop one of them first."
)
JOURNAL_PRUNED = refusal(
    "journal_pruned",
    410,
    "These entries are no longer kept",
    fix="Ask for a window within the time entries are kept: docs/journal.md.",
)
JOURNAL_WRITTEN = refusal(
    "journal_written", 409, "A process is writing this part of the journal", fix="Stop the hub first."
)
LOSS_REFUSED = refusal(
    "loss_refused",
    409,
    "There is no loss to accept",
    fix="Ask `ecluse journal verify` what is wrong, and of which shard.",
)
