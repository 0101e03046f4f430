"""Incidents at work: each event is a journal entry, sealed under the hub's key; packs and evidence come out of them."""
