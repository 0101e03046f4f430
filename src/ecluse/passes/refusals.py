"""The one refusal of a pass, whatever is wrong with it: doors that answer strangers leave its detail out. And those of a key."""

from __future__ import annotations

from ecluse.kernel.errors import refusal

PASS_INVALID = refusal(
    "pass_invalid",
    422,
    "This pass cannot be verified here",
    fix="Scan the pass again; or send the question with `pass` set to null.",
)
PASS_KEY_UNKNOWN = refusal(
    "pass_key_unknown",
    404,
    "No such key signs or verifies passes here",
    fix="Look at the keys there are: ecluse pass keys.",
)
PASS_KEY_SIGNS = refusal(
    "pass_key_signs",
    409,
    "This key signs the passes that are issued",
    fix="Draw its successor first: ecluse keys rotate --pass.",
)
