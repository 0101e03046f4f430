"""A witness asked over HTTP. It is somebody else's machine: short timeouts, a small answer, nothing believed unverified."""

from __future__ import annotations

import httpx

from ecluse.journal.note import Key

TIMEOUT_S = 10  # nobody waits for it; past this it is asked again next time
ANSWER_BYTES_MAX = 64 << 10  # a few signatures, 5 kB at most each


class HttpWitness:
    """The `Witness` port over HTTP; `url` is its submission prefix."""

    def __init__(self, url: str, key: Key) -> None:
        self.key = key
        self._url = url.rstrip("/") + "/add-checkpoint"
        self._client: httpx.AsyncClient | None = None

    async def submit(self, body: bytes) -> tuple[int, str]:
        """Send it; the connection is kept for the next one. Raises `OSError`."""
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False)
        try:
            async with self._client.stream("POST", self._url, content=body) as answer:
                told = b""
                async for part in answer.aiter_bytes():
                    told += part
                    if len(told) > ANSWER_BYTES_MAX:
                        raise OSError("its answer is too long")
                return answer.status_code, told.decode("utf-8", "replace")
        except (httpx.HTTPError, httpx.InvalidURL) as broken:
            raise OSError(type(broken).__name__) from None

    async def close(self) -> None:
        """Close the connection."""
        if self._client:
            await self._client.aclose()
