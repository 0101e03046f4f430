"""The breach room's decisions: severity, who is told, DORA, deadlines. Pure: facts in, decisions and their reasons out.

The law and the scales are dated data in `law/`; docs/breach.md says what they are and what they leave undecided.
"""
