"""Accounts of guarantees by day of care, in the place of yearly counts; and what is reserved of them.

A yearly count becomes a use on the first of January of its year: it counts in that calendar year as before.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Column, PrimaryKeyConstraint

revision = "0003"
down_revision = "0002"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
WHOLE = sa.BigInteger().with_variant(sa.Integer, "sqlite")
BY_KEY: dict[str, Any] = {"sqlite_strict": True, "sqlite_with_rowid": False}


def upgrade() -> None:
    """Make both tables, and take over what was used."""
    consumed()
    reserved()
    op.execute(
        "INSERT INTO consumed (insurer, person, account, day, acts, cents)"
        " SELECT insurer, person, guarantee, year || '-01-01', acts, cents FROM used"
    )
    op.drop_table("used")


def text(name: str) -> Column[Any]:
    """A column of text, never null."""
    return Column(name, TEXT, nullable=False)


def whole(name: str) -> Column[Any]:
    """A column of whole numbers (cents, counts), never null."""
    return Column(name, WHOLE, nullable=False)


def person() -> Column[Any]:
    """The insurer's own reference of a person."""
    return Column("person", sa.LargeBinary, nullable=False)


def consumed() -> None:
    """What accepted claims used."""
    op.create_table(
        "consumed",
        text("insurer"), person(), text("account"), text("day"), whole("acts"), whole("cents"),
        PrimaryKeyConstraint("insurer", "person", "account", "day"), **BY_KEY,
        comment="What accepted claims used of an account of a guarantee on a day of care; `account` is a keyed name of contract, "
        "product and row. A cancelled claim takes its own away again.",
    )  # fmt: skip


def reserved() -> None:
    """What is promised and not used yet."""
    op.create_table(
        "reserved",
        text("holder"), text("insurer"), person(), text("account"), text("day"), whole("acts"), whole("cents"), text("until"),
        PrimaryKeyConstraint("holder", "account", "day"), **BY_KEY,
        comment="What a quote under the engagement `holder` promised of an account, up to the day `until`, inside; nobody else "
        "may use it until then. A claim under the same engagement turns it into use.",
    )  # fmt: skip
    op.create_index("reserved_account", "reserved", ["insurer", "person", "account"])
