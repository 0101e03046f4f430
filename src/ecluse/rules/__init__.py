"""Law as data: each value has a day and a reference, in a file of `fr/`; no date of law stands in Python."""
