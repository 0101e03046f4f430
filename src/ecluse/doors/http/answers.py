"""The only way from a `Released` answer to bytes: what was not journalled has no road out."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from litestar import Response

from ecluse.app.access import Released

Answer = TypeVar("Answer")

encode = msgspec.json.Encoder().encode


def send(released: Released[Answer], *, status: int = 200) -> Response[Any]:
    """The HTTP answer of what was released, encoded once."""
    return Response(encode(released.answer), status_code=status, media_type="application/json")
