"""The one refusal of a pass, whatever is wrong with it. Doors that answer strangers leave its detail out."""

from __future__ import annotations

from ecluse.kernel.errors import refusal

PASS_INVALID = refusal(
    "pass_invalid",
    422,
    "This pass cannot be verified here",
    fix="Scan the pass again; or send the question with `pass` set to null.",
)
