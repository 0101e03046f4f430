"""PostgreSQL: what each part of the hub may do, as a table; given anew at each upgrade.

The hub's connections take one of these roles at their start (`role` of the startup message), so that a fault in what answers
rights checks cannot change rights, and none can change the ledger. They are no logins: who may take them is decided by `GRANT`.
"""

from __future__ import annotations

CHECK, BOOKS, LOAD = "ecluse_check", "ecluse_books", "ecluse_load"
ROLES = (CHECK, BOOKS, LOAD)

# Role, what it may do, on which tables. On postings, and moves of claims and approvals, nobody may UPDATE. Nobody may DELETE,
# but for what an insurer leaves behind on a server it moved away from.
GRANTS = (
    (CHECK, "SELECT", "alembic_version served product rights members engagement mark"),
    (CHECK, "INSERT", "engagement mark"),
    (CHECK, "UPDATE", "mark"),
    (BOOKS, "SELECT", "alembic_version engagement"),
    (
        BOOKS,
        "SELECT, INSERT",
        "posting claim_move claim_mark approval_move feed_request feed_refusal remittance_line statement product",
    ),
    (BOOKS, "SELECT, INSERT, UPDATE", "insurer practice feed claim approval consumed reserved"),
    (BOOKS, "SELECT, INSERT, UPDATE", "pay_run remittance call_for_funds call_line served move"),
    (BOOKS, "UPDATE (loaded_ts_us)", "product"),  # a version sent again is in force again; nothing else of it changes
    (LOAD, "SELECT", "alembic_version"),
    (LOAD, "SELECT, INSERT, UPDATE, DELETE", "served"),
    (LOAD, "SELECT, INSERT, DELETE", "engagement"),
    (LOAD, "SELECT, INSERT", "product"),
    (LOAD, "UPDATE (loaded_ts_us)", "product"),
)
TABLES = sorted({table for _, _, tables in GRANTS for table in tables.split()})

# Loading makes tables and puts them in place: it owns the two it puts them into. What it makes, checks may read.
LOADING = (
    f"GRANT CREATE ON SCHEMA public TO {LOAD}",
    f"ALTER TABLE rights OWNER TO {LOAD}",
    f"ALTER TABLE members OWNER TO {LOAD}",
    f"ALTER DEFAULT PRIVILEGES FOR ROLE {LOAD} IN SCHEMA public GRANT SELECT ON TABLES TO {CHECK}",
)
