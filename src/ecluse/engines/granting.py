"""Makes PostgreSQL's roles and gives each what `engines/roles.py` says, at each upgrade. A hub that serves needs none of it."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from ecluse.engines.roles import BOOKS, CHECK, GRANTS, LOADING, ROLES, TABLES

REFUSED = "42501"  # insufficient_privilege
# Roles are the cluster's: two new databases of one cluster make them at once, and the lock of an upgrade is a database's.
MADE_MEANWHILE = {"23505", "42710", "XX000"}  # unique_violation, duplicate_object, "tuple concurrently updated"
TRIES = 5  # each one ends when the other program's transaction does
_MAY_TAKE = sa.text("SELECT rolname, pg_has_role(oid, CAST(:may AS text)) FROM pg_roles")


def grant(connection: sa.Connection) -> tuple[str, ...]:
    """Make the roles that are absent and give each what is its own, no more. The notes say what this user may not do."""
    for left in reversed(range(TRIES)):
        try:
            with connection.begin_nested():
                for statement in _statements(connection):
                    connection.exec_driver_sql(statement)
            break
        except DBAPIError as refused:
            state = getattr(refused.orig, "sqlstate", "")
            if state == REFUSED:
                return (
                    *missing(connection),
                    f"roles were left as they are, this user may not change them: {refused.orig}",
                )
            if state not in MADE_MEANWHILE or not left:
                raise
    return ()


def missing(connection: sa.Connection) -> tuple[str, ...]:
    """A note for each role that does not exist, or that this user may not take."""
    known, taken = _known(connection)
    return tuple(
        f"this user may not take the role {role}: GRANT {role} TO it"
        if role in known
        else f"role {role} does not exist: CREATE ROLE {role} NOLOGIN, then run `ecluse db upgrade` again"
        for role in ROLES
        if role not in taken
    )


def _known(connection: sa.Connection) -> tuple[set[str], set[str]]:
    """The roles that exist, and those this user may take. Since PostgreSQL 16, a member may be one and not be let to."""
    version = connection.dialect.server_version_info or (0,)
    may = "SET" if version >= (16,) else "MEMBER"
    rows = connection.execute(_MAY_TAKE, {"may": may}).fetchall()
    return {role for role, _ in rows}, {role for role, may_take in rows if may_take}


def _statements(connection: sa.Connection) -> list[str]:
    known, taken = _known(connection)
    everybody = ", ".join(ROLES)
    return [
        *(f"CREATE ROLE {role} NOLOGIN" for role in ROLES if role not in known),
        *(f"GRANT {role} TO CURRENT_USER" for role in ROLES if role not in taken),
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        f"GRANT USAGE ON SCHEMA public TO {everybody}",
        *LOADING,
        *(f"REVOKE ALL ON {table} FROM PUBLIC, {CHECK}, {BOOKS}" for table in TABLES),
        *(f"GRANT {may} ON {', '.join(tables.split())} TO {role}" for role, may, tables in GRANTS),
        f"GRANT USAGE ON SEQUENCE posting_entry TO {BOOKS}",
    ]
