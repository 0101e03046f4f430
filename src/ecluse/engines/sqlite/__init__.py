"""The embedded engine: SQLite in WAL mode, one file for money and claims, one immutable file per insurer for rights."""
