"""What every route that takes JSON says of a body that does not read; the routes and their bodies are those of the schema."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from tests.journeys.claims_hub import ClaimsHub, played

HERE = "here"  # stands where a value is put that does not belong there
WRONG = {
    "integer": (b'"1"', b"1.0", b'"1e0"', b"true", b'"null"'),
    "boolean": (b"1", b'"true"', b"0"),
    "string": (b"1", b"true"),
}
Place = tuple[
    str, str, str, bytes
]  # a route, a pointer into its body, the type that is declared there, a body with HERE


def places(schema: dict[str, Any]) -> Iterator[Place]:
    """Every value of every JSON body: a body of nothing but the way to it, for what comes first is refused first."""

    def inside(node: dict[str, Any], way: str) -> Iterator[tuple[str, str, Any]]:
        if name := node.get("$ref"):
            node = schema["components"]["schemas"][name.rpartition("/")[2]]
        for each in node.get("oneOf", ()):
            yield from inside(each, way)
        for name, each in node.get("properties", {}).items():
            yield from ((pointer, kind, {name: body}) for pointer, kind, body in inside(each, f"{way}/{name}"))
        if node.get("type") == "array":
            yield from ((pointer, kind, [body]) for pointer, kind, body in inside(node["items"], f"{way}/0"))
        elif isinstance(kind := node.get("type"), str) and kind != "object":
            yield way, kind, HERE

    for path, calls in schema["paths"].items():
        content = calls.get("post", {}).get("requestBody", {}).get("content", {})
        if "application/json" in content:
            for pointer, kind, body in inside(content["application/json"]["schema"], ""):
                yield re.sub(r"\{\w+\}", "x", path), pointer, kind, msgspec.json.encode(body)


async def told(hub: ClaimsHub, path: str, body: bytes) -> tuple[int, str, str | None, str]:
    """Status, code, pointer and detail of the answer."""
    status, answer = await hub.call("POST", path, msgspec.Raw(body))
    return status, answer["code"], answer.get("pointer"), answer["detail"]


async def all_places(hub: ClaimsHub) -> list[Place]:
    found = [*places((await hub.call("GET", "/schema"))[1])]
    assert len({path for path, *_ in found}) >= 15
    return found


def test_a_body_that_is_not_utf8_is_malformed(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> None:
        details = set()
        for path, _, kind, body in await all_places(hub):
            for written in (path, path + "/") if kind == "string" else ():
                status, code, _, detail = await told(hub, written, body.replace(b'"here"', b'"\xe9"'))
                assert (status, code) == (400, "malformed"), (written, body)
                details.add(detail)
        assert "JSON is malformed: it is not UTF-8" in details  # beside texts that are one of several, or a day

    played(tmp_path, story)


def test_a_number_is_no_text_and_a_whole_one_no_float(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> None:
        found = await all_places(hub)
        for path, pointer, kind, body in found:
            for other in WRONG.get(kind, ()):
                for written in (path, path + "/"):
                    status, code, where, detail = await told(hub, written, body.replace(b'"here"', other))
                    assert (status, code, where) == (400, "malformed", pointer), (written, body, other)
                    assert detail.startswith("Expected `")
        assert {"/lines/0/expense_cents", "/beneficiary/birth_rank", "/lists"} <= {pointer for _, pointer, *_ in found}

    played(tmp_path, story)


def test_who_asks_is_heard_before_what_is_asked(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> None:
        for path in {path for path, *_ in await all_places(hub)}:
            for body in (b"{", b"[]", b'{"a": "\xe9"}'):
                assert (await hub.http.post(path, content=body)).status_code == 401, path

    played(tmp_path, story)
