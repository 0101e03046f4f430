"""Plays planned visits against the real server: in order, about sixteen at once, each visit's exchanges one by one."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sim import exchange
from sim.exchange import Exchange, Visit
from sim.logins import HEADER, NOWHERE, Login
from sim.wire import Answer, Line

AT_ONCE = 16  # visits in progress: enough to fill one worker, few enough that latency says something
AGAIN_S = 0.02  # before a desk sends again what was cut or put off
REFERENCE = re.compile(r"\{(\d+)\.([a-z0-9_.]+)\}")
BAD_TOKEN = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.eyJzdWIiOiJycHBzOjEwMDAwMDAwMDAwIn0."  # alg: none

Tokens = Callable[[Exchange], str]
WhereFrom = Callable[[Exchange], Login]


@dataclass(frozen=True)
class Played:
    """An exchange as it went: the request as it was sent (`sent` its body), the answer as it came, how long it took.

    `attempts`: how often it was sent until it was answered, from `sent_at` on; `login`: from where.
    """

    planned: Exchange
    sent_at: float
    path: str
    request: dict[str, Any] | str | None
    sent: str | None
    status: int
    content_type: str
    answer: bytes
    took_ms: float
    attempts: int = 1
    login: Login = NOWHERE

    @property
    def received_at(self) -> float:
        """When the answer was there, in seconds since 1970."""
        return self.sent_at + self.took_ms / 1000


class Player:
    """One day's player. `told` is called after each exchange, for a progress bar.

    For `patience_s` a desk sends the same bytes again when the line is cut or the hub says 503, as a practice's software does;
    `put_off` counts why.
    """

    def __init__(
        self,
        host: str,
        port: int,
        tokens: Tokens,
        where_from: WhereFrom,
        told: Callable[[Played], None],
        patience_s: float = 0.0,
    ) -> None:
        self.host, self.port, self.told, self.patience_s = host, port, told, patience_s
        self.tokens, self.where_from = tokens, where_from
        self.played: list[Played] = []
        self.put_off: Counter[str] = Counter()

    async def play(self, visits: list[Visit]) -> list[Played]:
        """Every exchange of `visits`, in the order they were answered."""
        coming = iter(visits)
        await asyncio.gather(*(self._desk(coming) for _ in range(AT_ONCE)))
        return self.played

    async def _desk(self, coming: Iterator[Visit]) -> None:
        line = Line(self.host, self.port)
        for visit in coming:
            answers: list[Any] = []
            for planned in visit.exchanges:
                done = await self._exchange(line, planned, answers)
                answers.append(json.loads(done.answer) if done.answer else None)
                self.played.append(done)
                self.told(done)
        await line.close()

    async def _exchange(self, line: Line, planned: Exchange, answers: list[Any]) -> Played:
        path, body = filled(planned.path, answers), filled(planned.body, answers)
        login = self.where_from(planned)
        headers = {HEADER: login.address}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if token := self.tokens(planned):
            headers["Authorization"] = f"Bearer {token}"
        content = None if body is None else body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
        sent_at, started = time.time(), time.perf_counter()
        answer, attempts = await self._answer(line, planned.method, path, headers, (content or "").encode())
        took_ms = (time.perf_counter() - started) * 1000
        told = (answer.status, answer.content_type, answer.body)
        return Played(planned, sent_at, path, body, content, *told, took_ms, attempts, login)

    async def _answer(
        self, line: Line, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[Answer, int]:
        until_s = time.monotonic() + self.patience_s
        for attempts in itertools.count(1):
            try:
                answer = await line.ask(method, path, headers, body)
                if answer.status != 503 or time.monotonic() >= until_s:
                    return answer, attempts
                self.put_off[json.loads(answer.body)["code"]] += 1
            except (OSError, EOFError) as cut:
                if time.monotonic() >= until_s:
                    raise
                self.put_off[type(cut).__name__] += 1
                line.drop()
            await asyncio.sleep(AGAIN_S)
        raise AssertionError("a desk sends again until it is answered")


def filled(planned: Any, answers: list[Any]) -> Any:
    """`planned` with each `{step.field}` replaced by that field of an earlier answer of the visit."""
    if isinstance(planned, str) and (whole := REFERENCE.fullmatch(planned)):
        return field_of(answers[int(whole[1])], whole[2])
    if isinstance(planned, str):
        return REFERENCE.sub(lambda found: str(field_of(answers[int(found[1])], found[2])), planned)
    if isinstance(planned, dict):
        return {name: filled(value, answers) for name, value in planned.items()}
    if isinstance(planned, list):
        return [filled(value, answers) for value in planned]
    return planned


def field_of(answer: Any, path: str) -> Any:
    """`engagement.number` of an answer; empty when the answer has no such field: the auditor will say why."""
    for name in path.split("."):
        if isinstance(answer, list):
            answer = answer[int(name)] if int(name) < len(answer) else None
        else:
            answer = answer.get(name) if isinstance(answer, dict) else None
    return answer if answer is not None else ""


def latency_ms(played: list[Played], share: int) -> float:
    """The latency that `share` per cent of `played` did not exceed."""
    times = sorted(each.took_ms for each in played)
    return times[min(len(times) - 1, len(times) * share // 100)] if times else 0.0


def token_kinds() -> dict[str, str]:
    """The scopes of each kind of token that is signed."""
    return {
        exchange.FULL: "rights claims remittances",
        exchange.RIGHTS_ONLY: "rights",
        exchange.CLAIMS_ONLY: "claims",
    }
