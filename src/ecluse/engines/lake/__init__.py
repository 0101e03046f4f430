"""The lake's files: the journal's entries as Parquet, the same bytes from the same entries whoever writes them (docs/lake.md)."""
