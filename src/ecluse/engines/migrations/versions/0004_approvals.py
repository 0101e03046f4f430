"""Prior approvals, and their lives."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Column, PrimaryKeyConstraint

revision = "0004"
down_revision = "0003"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
WHOLE = sa.BigInteger().with_variant(sa.Integer, "sqlite")
STRICT: dict[str, Any] = {"sqlite_strict": True}
BY_KEY: dict[str, Any] = STRICT | {"sqlite_with_rowid": False}

RESERVED = (
    "What a promise of `holder` (a quote, by its engagement; an approval) would use of an account, up to the day `until`, "
    "inside; nobody else may use it until then. A claim under the same promise turns it into use."
)


def upgrade() -> None:
    """Make both tables."""
    approval()
    approval_move()
    if op.get_bind().dialect.name == "postgresql":  # SQLite keeps no comments
        op.create_table_comment("reserved", RESERVED)


def text(name: str) -> Column[Any]:
    """A column of text, never null."""
    return Column(name, TEXT, nullable=False)


def whole(name: str) -> Column[Any]:
    """A column of whole numbers (cents, µs, counts), never null."""
    return Column(name, WHOLE, nullable=False)


def blob(name: str) -> Column[Any]:
    """A column of bytes, never null."""
    return Column(name, sa.LargeBinary, nullable=False)


def index(name: str, *columns: str, where: str, unique: bool = False) -> None:
    """An index of some approvals alone, on both engines."""
    only: dict[str, Any] = {f"{engine}_where": sa.text(where) for engine in ("sqlite", "postgresql")}
    op.create_index(name, "approval", [*columns], unique=unique, **only)


def approval() -> None:
    """What was promised for a devis."""
    op.create_table(
        "approval",
        text("id"), text("practice"), text("reference"), blob("body"), text("insurer"), blob("person"), text("engagement"),
        text("state"), whole("amc_cents"), text("asked_on"), text("valid_until"), text("bill_by"), blob("sealed"),
        PrimaryKeyConstraint("id"), **STRICT,
        comment="Prior approvals. `body` is a keyed digest of what was sent (idempotence); `sealed` holds contracts, lines and "
        "split. `valid_until` is the last day of care, `bill_by` that of a claim: until then `reserved` holds its part.",
    )  # fmt: skip
    # As invoice numbers of claims: a reference names one approval; a refused one gives it back, to be mended and sent again.
    index("approval_reference", "practice", "reference", where="state <> 'refused'", unique=True)
    index("approval_refused", "practice", "reference", where="state = 'refused'")
    op.create_index("approval_of_practice", "approval", ["practice", "id"])


def approval_move() -> None:
    """The lives of approvals."""
    op.create_table(
        "approval_move",
        text("approval"), whole("n"), whole("at_ts_us"), text("move"), text("state"), text("about"),
        PrimaryKeyConstraint("approval", "n"), **BY_KEY,
        comment="The life of an approval: every move, in order, never changed; `about` is the claim it is of.",
    )  # fmt: skip
