"""An index of settled claims that an insurer pays something of, by practice: the allowance reads whom a year of them is about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

PAID = "state = 'settled' AND amc_cents > 0"
COLUMNS = ["practice", "id", "person", "state", "amc_cents"]  # the last two: without them SQLite would read each claim


def upgrade() -> None:
    """Give claims the index."""
    op.create_index("claim_settled", "claim", COLUMNS, sqlite_where=sa.text(PAID), postgresql_where=sa.text(PAID))
