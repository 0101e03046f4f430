"""What the processes of `ecluse serve` are forked from: everything they import, imported once.

A process that starts by itself spends half a second of the processor on imports, and memory of its own for them. Imported by
Python's fork server (`multiprocessing.set_forkserver_preload`), which opens nothing and runs no thread.
"""

from __future__ import annotations

import gc

gc.collect()
gc.freeze()  # else the first collection in each process touches, and so copies, all of it: 0.3 s
