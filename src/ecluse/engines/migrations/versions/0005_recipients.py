"""The public key to which an insurer's lists of people are encrypted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

INSURER = (
    "Insurers the hub serves; `generation` names the rights that answer now; `settlement` is sealed (IBAN, mandate); so is "
    "`recipient`, the insurer's public key, so that who changes the database cannot have its lists encrypted to another."
)


def upgrade() -> None:
    """Give insurers the column."""
    op.add_column("insurer", sa.Column("recipient", sa.LargeBinary, nullable=True))
    if op.get_bind().dialect.name == "postgresql":  # SQLite keeps no comments
        op.create_table_comment("insurer", INSURER)
