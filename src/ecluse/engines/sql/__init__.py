"""What the relational engines share: named statements, and units of work written once over them (docs/decisions/0012)."""
