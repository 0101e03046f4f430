"""A text as a QR code (ISO/IEC 18004): SVG for screens and print, PNG for what cannot read SVG.

Error correction M: a quarter of the code may be dirty or folded less some (15 %), and the code stays small enough for a card.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import segno

CORRECTION = "m"
QUIET_MODULES = 4  # the empty border that the standard asks for
PIXELS_A_MODULE = 6  # printed at 300 dots an inch, half a millimetre a module: telephones read it at arm's length


def _drawn(kind: str) -> Callable[[str], bytes]:
    def draw(text: str) -> bytes:
        out = io.BytesIO()
        code = segno.make_qr(text, error=CORRECTION, boost_error=False)
        code.save(out, kind=kind, border=QUIET_MODULES, scale=PIXELS_A_MODULE)
        return out.getvalue()

    return draw


FORMATS: dict[str, Callable[[str], bytes]] = {"svg": _drawn("svg"), "png": _drawn("png")}
