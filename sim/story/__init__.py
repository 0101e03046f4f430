"""January 2024, replayed: after the demo's day and thefts, the incident is run with the hub's own commands, and told on a page.

Everything that is counted comes from that run: whom the hub names is held against the record of what everybody was told over
HTTP (`auditor/told.py`), and the first difference ends the story. Facts of 2024 are `facts.toml`, each with where it was read.
"""
