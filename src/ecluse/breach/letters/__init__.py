"""Letters to people whose data were seen: their own fields in words, what follows, what to do, and a code that shows them real.

Pure: rows in, letters out (docs/letters.md). `ecluse.breach.letter` is what forbids to send one.
"""
