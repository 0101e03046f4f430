"""What earlier public leaks add to this one: which harm it switches on, by simulation on a synthetic population. Pure, seeded.

Only published lists of fields and numbers of people go in (law/leaks.toml); no record of any leak does.
"""
