"""DORA: whether an ICT-related incident is major, by when it is reported, and the reports themselves. Pure."""
