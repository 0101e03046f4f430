"""The auditor: slow, obvious, and believes nobody. It works out every answer, cent and state again from the world.

It shares no code with the hub: it reads the bytes that came back, the files that were made and, last, the ledger. It
stops at the first lie and says seed, exchange, what was expected and what was found.
"""
