"""What HTTP itself asks of a hub: addresses, methods, media types, headers, and refusals that name what was sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.journeys.claims_hub import LINE, ClaimsHub, claim, played


@pytest.mark.parametrize("path", ["/v1/claims/", "/v1/claims//", "/v1//claims"])
def test_an_id_is_of_its_kind_however_many_slashes_are_written(tmp_path: Path, path: str) -> None:
    async def story(hub: ClaimsHub) -> None:
        status, answer = await hub.call("POST", path, claim())
        assert (status, answer["claim_id"][:4]) == (201, "clm_"), answer
        engagement = await hub.check()
        quoted = await hub.call("POST", path.replace("claims", "quotes"), {"engagement": engagement, "lines": [LINE]})
        assert quoted[1]["quote_id"].startswith("quo_")

    played(tmp_path, story)


METHODS = {
    "/v1/claims": "GET, OPTIONS, POST",
    "/v1/claims/clm_x": "GET, OPTIONS",
    "/v1/quotes": "OPTIONS, POST",
    "/v1/rights/checks/": "OPTIONS, POST",
    "/v1/feeds": "OPTIONS, POST",
    "/healthz": "GET, OPTIONS",
}


def test_methods_are_named_where_another_is_asked_for(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> None:
        for path, methods in METHODS.items():
            refused = await hub.http.request("PUT", path)
            assert (refused.status_code, refused.json()["code"]) == (405, "method_not_allowed")
            told = await hub.http.request("OPTIONS", path)
            assert (refused.headers["allow"], told.headers["allow"], told.status_code) == (methods, methods, 204), path

    played(tmp_path, story)


QUERIES: dict[str, tuple[int, str, str]] = {
    "/v1/claims?from=x": (400, "malformed", "/from"),
    "/v1/claims?to=x": (400, "malformed", "/to"),
    "/v1/claims?state=x": (400, "malformed", "/state"),
    "/v1/claims?limit=0": (400, "malformed", "/limit"),
    "/v1/approvals?from=x": (400, "malformed", "/from"),
    "/v1/claims?cursor=x": (400, "cursor_invalid", "/cursor"),
    "/v1/claims?cursor=clm_x": (400, "cursor_invalid", "/cursor"),
    "/v1/claims?cursor=rem_06H2Z839P04R1G1PWYEK": (400, "cursor_invalid", "/cursor"),
    "/v1/approvals?cursor=x": (400, "cursor_invalid", "/cursor"),
    "/v1/remittances?cursor=x": (400, "cursor_invalid", "/cursor"),
}


def test_parameters_are_named_as_they_are_sent_and_cursors_are_those_that_were_told(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> None:
        for path, expected in QUERIES.items():
            status, answer = await hub.call("GET", path, scope="rights claims remittances")
            assert (status, answer["code"], answer["pointer"]) == expected, path
        whole = await hub.call("GET", "/v1/claims?cursor=clm_06H2Z839P04R1G1PWYEK")
        assert whole[0] == 200

    played(tmp_path, story)


HUGE = b'{"lines": [{"expense_cents": ' + b"9" * 5000 + b"}]}"
BODIES: dict[str, tuple[bytes, str | None, tuple[int, str, Any, str]]] = {
    "none": (b"", None, (400, "malformed", None, "is missing")),
    "a huge number": (HUGE, None, (400, "malformed", "/lines/0/expense_cents", "out of range")),
    "without a type": (b"{}", None, (400, "malformed", None, "required field `invoice`")),
    "JSON of a kind": (
        b"{}",
        "Application/vnd.soft+JSON; charset=x",
        (400, "malformed", None, "required field `invoice`"),
    ),
    "said to be a form, as curl -d says": (
        b"{}",
        "application/x-www-form-urlencoded",
        (400, "malformed", None, "required field `invoice`"),
    ),
    "text": (b"{}", "text/plain;charset=UTF-8", (400, "malformed", None, "required field `invoice`")),
    "a file": (b"a,b", "text/csv", (415, "media_type", None, "application/json")),
    "msgpack": (b"\x80", "application/msgpack", (415, "media_type", None, "application/json")),
}


def test_a_body_that_is_missing_or_no_json_is_said_to_be(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> None:
        for what, (content, kind, expected) in BODIES.items():
            for path in ("/v1/claims", "/v1/quotes") if kind and expected[0] == 415 else ("/v1/claims",):
                headers = {"authorization": hub.bearer(), **({"content-type": kind} if kind else {})}
                answer = await hub.http.post(path, content=content, headers=headers)
                told = answer.json()
                assert (answer.status_code, told["code"], told.get("pointer")) == expected[:3], (what, told)
                assert expected[3] in told["detail"], (what, told)

    played(tmp_path, story)


def test_a_doctor_sends_no_member_file_whatever_it_is(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> None:
        headers = {"authorization": hub.bearer(), "content-type": "text/csv"}
        refused = await hub.http.post("/v1/feeds", content=b"x", headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")

    played(tmp_path, story)


def test_a_text_says_its_characters_once(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> str:
        return (await hub.http.get("/metrics")).headers["content-type"]

    assert played(tmp_path, story).count("charset=utf-8") == 1


def test_the_schema_says_who_may_ask_and_how_it_is_refused(tmp_path: Path) -> None:
    async def story(hub: ClaimsHub) -> None:
        for _ in range(2):  # the first answer is kept
            schema = (await hub.http.get("/schema")).json()
        schemes = schema["components"]["securitySchemes"]
        calls = [call for path, each in schema["paths"].items() if path.startswith("/v1/") for call in each.values()]
        assert len(calls) > 30
        for call in calls:
            assert [name for each in call["security"] for name in each] == [*schemes]
            for status in ("400", "401", "403", "429"):
                (shown,) = call["responses"][status]["content"].items()
                assert shown == ("application/problem+json", {"schema": {"$ref": "#/components/schemas/Problem"}})
        refused = (await hub.http.get("/v1/claims")).json()
        problem = schema["components"]["schemas"]["Problem"]
        assert set(problem["required"]) <= refused.keys() <= problem["properties"].keys()
        file = schema["paths"]["/v1/feeds"]["post"]["requestBody"]["content"]
        assert {"text/csv", "application/vnd.apache.parquet"} == file.keys()

    played(tmp_path, story)
