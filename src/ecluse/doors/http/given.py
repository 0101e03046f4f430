"""What every handler is given: the hub, and who asks. Made by `app.py`, not read from the request, so not validated."""

from __future__ import annotations

from typing import Annotated

from litestar.params import Dependency

from ecluse.app.hub import Hub
from ecluse.gate.admission import Request

TheHub = Annotated[Hub, Dependency(skip_validation=True)]
Asked = Annotated[Request, Dependency(skip_validation=True)]
