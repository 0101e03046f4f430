"""Member files: which columns they have, what is refused and why. Pure: bytes and names in, values and SQL text out.

`survey.py` reads the bytes of a CSV once; `header.py` reads its first line; `checks.py` is the table of what a row must satisfy;
`file.py` holds limits and the refusals of a whole file. Reading itself is an engine's (`engines/duckdb/member_file.py`).
"""
