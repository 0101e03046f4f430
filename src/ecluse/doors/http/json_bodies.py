"""Bodies of JSON as strangers send them: what does not read is malformed, in the same words on every route."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import litestar
import msgspec

from ecluse.doors.http.problems import malformed

Body = TypeVar("Body")


def reader(declared: type[Body]) -> Callable[[bytes], Body]:
    """What reads a body strictly as this type. It raises `malformed`."""
    decode = msgspec.json.Decoder(declared).decode

    def read(sent: bytes) -> Body:
        try:
            return decode(sent)
        except msgspec.MsgspecError as wrong:
            raise malformed(str(wrong)) from None
        except UnicodeDecodeError:  # RFC 8259 §8.1; the decoder lets it through
            raise malformed("JSON is malformed: it is not UTF-8") from None
        except RecursionError:  # brackets go deeper than the decoder does
            raise malformed("the JSON is nested too deeply") from None

    return read


class Sent(litestar.Request[Any, Any, Any]):
    """A request of the framework, whose body is read here."""

    async def json(self) -> Any:
        """The body. Raises `malformed`."""
        return _anything(await self.body())


_anything = reader(object)
