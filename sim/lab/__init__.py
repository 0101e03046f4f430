"""The laboratory: honest practices and thieves on the hub's own pure code, in memory, for a hundred seeds at a time.

Nothing of the gate is written again here: counters (`gate.allowance`), detectors (`gate.detectors`), the ladder
(`gate.containment`, `gate.denials`) and the disclosure table are the hub's. What is here is what stands around them: a practice
whose days follow stated rates, time, and the order in which the hub calls its parts.
"""
