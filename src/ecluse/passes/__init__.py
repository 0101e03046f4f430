"""Presence passes: what a patient shows so that more may be told, byte by byte in docs/passes.md. Pure."""
