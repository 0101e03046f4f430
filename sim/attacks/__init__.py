"""Thefts of logins: whom thieves ask about, what they know, how they go about it, and what they get.

A thief is written once (`thief.py`) and asks through a `Door`: that of the real hub over HTTP (`over_http.py`), or that of the
laboratory, which composes the hub's own pure code in memory (`sim/lab`) and plays a hundred seeds in the same time.
"""
