"""Engines on DuckDB."""
