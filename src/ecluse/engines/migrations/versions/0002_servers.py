"""PostgreSQL alone: rights, engagements, homes and moves of insurers, ledger numbers. SQLite keeps those in files of their own.

`rights` and `members` have a partition an insurer, made when its file is loaded (`rights_<amc>`, with its own key): a new full
file is a new table, which takes the place of the old one in one instant.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Column, PrimaryKeyConstraint

revision = "0002"
down_revision = "0001"

TEXT = sa.Text(collation="C")
BY_INSURER: dict[str, Any] = {"postgresql_partition_by": "LIST (insurer)"}


def upgrade() -> None:
    """Make what one file a subject cannot give to several machines; nothing on SQLite."""
    if op.get_bind().dialect.name != "postgresql":
        return
    rights()
    engagements()
    homes()
    op.execute("CREATE SEQUENCE posting_entry")
    op.execute("SELECT setval('posting_entry', coalesce(max(entry), 0) + 1, false) FROM posting")


def text(name: str, **options: Any) -> Column[Any]:
    """A column of text; never null unless said."""
    return Column(name, TEXT, **({"nullable": False} | options))


def blob(name: str) -> Column[Any]:
    """A column of bytes, never null."""
    return Column(name, sa.LargeBinary, nullable=False)


def index_version() -> Column[Any]:
    """The version of the index key that rights are keyed under."""
    return Column("index_version", sa.Integer, nullable=False, server_default="1")


def rights() -> None:
    """Sealed rights, and the person a member number stands for."""
    op.create_table(
        "rights",
        text("insurer"), blob("person"), Column("n", sa.Integer, nullable=False), blob("sealed"), **BY_INSURER,
        comment="Rights of a person, sealed, the n-th of those it has; a partition an insurer, with the key (person, n).",
    )  # fmt: skip
    op.create_table(
        "members",
        text("insurer"), blob("member"), blob("person"), **BY_INSURER,
        comment="The person a keyed member number stands for; a partition an insurer, with the key (member).",
    )  # fmt: skip


def engagements() -> None:
    """Copies from the journal: they can be deleted, and are made again."""
    op.create_table(
        "engagement",
        text("number"), text("insurer"), text("practice"), blob("sealed"), PrimaryKeyConstraint("number"),
        comment="Engagements given, copied from the journal.",
    )  # fmt: skip
    op.create_index("engagement_of_insurer", "engagement", ["insurer"])
    op.create_table(
        "mark",
        text("slot"), Column("position", sa.BigInteger, nullable=False), PrimaryKeyConstraint("slot"),
        comment="How far in each slot of the journal engagements were copied.",
    )  # fmt: skip


def homes() -> None:
    """Which server holds an insurer, and its moves from one to another."""
    op.create_table(
        "served",
        text("insurer"), text("feed", server_default=""), index_version(), PrimaryKeyConstraint("insurer"),
        comment="The insurers this very server answers for, the feed whose rights answer, and their index key's version.",
    )  # fmt: skip
    op.add_column("insurer", text("server", nullable=True, comment="Which server holds this insurer."))
    op.create_table(
        "move",
        text("insurer"), text("source"), text("target"), text("state"), text("feed", server_default=""), index_version(),
        Column("at_ts_us", sa.BigInteger, nullable=False),
        PrimaryKeyConstraint("insurer"),
        comment="An insurer on its way from one server to another.",
    )  # fmt: skip
