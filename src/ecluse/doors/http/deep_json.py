"""Bodies of JSON as strangers send them: brackets without end are malformed, like anything else that does not read."""

from __future__ import annotations

from typing import Any

import litestar

from ecluse.doors.http.problems import malformed
from ecluse.kernel.errors import Refused


def too_deep() -> Refused:
    """The refusal of a body whose brackets go deeper than the decoder does."""
    return malformed("the JSON is nested too deeply")


class Sent(litestar.Request[Any, Any, Any]):
    """A request of the framework, which lets the decoder's `RecursionError` through as a bug."""

    async def json(self) -> Any:
        """The body. Raises `malformed`."""
        try:
            return await super().json()
        except RecursionError:
            raise too_deep() from None
