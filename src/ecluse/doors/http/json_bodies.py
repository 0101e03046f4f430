"""Bodies of JSON as strangers send them: what does not read to the letter is malformed, in the same words on every route.

A number is a number and a text is a text: the framework alone would take "5000", 5000.0 or "5e3" for 5000 cents.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import litestar
import msgspec
from litestar.types import Scope

from ecluse.doors.http.problems import MEDIA, malformed

JSON = re.compile(rb"application/(?:[\w.-]+\+)?json")
# What `curl -d`, Python's urllib and a browser's `fetch` say of any body unless told otherwise: as if nothing was said.
UNSAID = {b"", b"application/x-www-form-urlencoded", b"text/plain"}

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


def check_media(scope: Scope) -> None:
    """Raise `media_type` for a body that says it is no JSON; one that does not say what it is was always read."""
    for name, said in scope["headers"]:
        if name != b"content-type":
            continue
        media = said.partition(b";")[0].strip().lower()
        if media not in UNSAID and not JSON.fullmatch(media):
            raise MEDIA("send application/json")


class Sent(litestar.Request[Any, Any, Any]):
    """A request of the framework, whose body is read here."""

    async def json(self) -> Any:
        """The body, as the type that its handler declares. Raises `malformed`, `media_type`."""
        check_media(self.scope)
        field = self.route_handler.parsed_data_field
        assert field is not None, "only a handler with a body asks for it"
        return _reader(field.annotation)(await self.body())


_reader = cache(reader)  # one for each type that a route declares
