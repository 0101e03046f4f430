"""France as tiles, one a département, each near where it is: a map that needs no outlines, and on which small ones are seen too.

The layout is this project's own. A tile's size says nothing; its shade says how many people were displayed from there.
"""

from __future__ import annotations

LAYOUT = """
 .  .  .  .  .  62 59 .  .  .  .  971
 .  .  .  .  76 80 02 08 .  .  .  972
 .  .  50 14 27 60 95 51 55 57 67 973
 29 22 35 53 61 78 75 93 77 54 88 974
 .  56 44 72 28 91 92 94 10 52 68 976
 .  85 49 37 41 45 89 21 70 90 .  .
 .  .  79 86 36 18 58 71 39 25 .  .
 .  17 16 87 23 03 42 69 01 74 .  .
 .  33 24 19 15 63 43 38 73 .  .  .
 .  40 47 46 12 48 07 26 05 .  .  .
 .  64 32 82 81 30 84 04 06 .  .  .
 .  .  65 31 11 34 13 83 .  2B .  .
 .  .  .  09 66 .  .  .  .  2A .  .
"""

TILES = {
    code: (column, row)
    for row, line in enumerate(LAYOUT.strip("\n").splitlines())
    for column, code in enumerate(line.split())
    if code != "."
}
COLUMNS, ROWS = 12, 13
