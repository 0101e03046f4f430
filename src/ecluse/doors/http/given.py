"""What every handler is given: the hub, and who asks. Made by `app.py`, not read from the request, so not validated."""

from __future__ import annotations

from litestar.params import SkipValidation

from ecluse.app.hub import Hub
from ecluse.gate.admission import Request

TheHub = SkipValidation[Hub]
Asked = SkipValidation[Request]
