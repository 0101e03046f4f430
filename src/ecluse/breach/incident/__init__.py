"""An incident over time: what happened as events, what was known when, what follows from it. Pure."""
