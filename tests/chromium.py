"""Chromium without a screen, told what to do over a pipe (Chrome DevTools Protocol): for pages that only a browser can judge."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from base64 import b64decode
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
WAIT_S = 15
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--remote-debugging-pipe",
    "--no-first-run",
)


class Page:
    """One page of one browser with a profile of its own."""

    def __init__(self, profile: Path) -> None:
        to_read, self._to = os.pipe()
        self._from, to_write = os.pipe()
        # The browser reads 3 and writes 4; they are put there by the shell, which closes what it was given.
        words = ["/bin/bash", "-c", f'exec "$@" 3<&{to_read} 4>&{to_write}', "bash", CHROMIUM or "", *FLAGS]
        self._process = subprocess.Popen(
            [*words, f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(to_read, to_write), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(to_read)
        os.close(to_write)
        self._heard, self._number, self._session = b"", 0, ""
        self.errors: list[str] = []
        targets = self._asked("Target.getTargets")["targetInfos"]
        target = next(each["targetId"] for each in targets if each["type"] == "page")
        self._session = self._asked("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._asked(f"{domain}.enable")

    def close(self) -> None:
        """End the browser."""
        self._process.terminate()
        self._process.wait(WAIT_S)
        os.close(self._to)
        os.close(self._from)

    def told(self, method: str, **parameters: Any) -> Any:
        """What a command of the protocol gives."""
        return self._asked(method, **parameters)

    def go(self, url: str) -> None:
        """Open an address."""
        self._asked("Page.navigate", url=url)

    def run(self, script: str) -> Any:
        """The value of a script's expression, awaited."""
        found = self._asked(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True, userGesture=True
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def until(self, script: str) -> Any:
        """Wait until an expression is true, also across pages; its value."""
        deadline_s = time.monotonic() + WAIT_S
        while time.monotonic() < deadline_s:
            found = self._asked("Runtime.evaluate", expression=script, returnByValue=True)
            if value := found.get("result", {}).get("value"):
                return value
            time.sleep(0.05)
        raise AssertionError(f"not {script}: {self.run('document.body.innerText')} {self.errors}")

    def picture(self, width: int = 900, height: int = 800, *, dark: bool = False) -> bytes:
        """The page as a PNG."""
        self._asked("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self._asked("Emulation.setEmulatedMedia", features=features)
        return b64decode(self._asked("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"])

    def _asked(self, method: str, **parameters: Any) -> Any:
        self._number += 1
        said = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            said["sessionId"] = self._session
        os.write(self._to, json.dumps(said).encode() + b"\0")
        while True:
            heard = self._hear()
            if heard.get("id") == self._number:
                return heard.get("result", {})

    def _hear(self) -> dict[str, Any]:
        while b"\0" not in self._heard:
            some = os.read(self._from, 1 << 16)
            assert some, "the browser ended"
            self._heard += some
        one, _, self._heard = self._heard.partition(b"\0")
        heard: dict[str, Any] = json.loads(one)
        if heard.get("method") == "Log.entryAdded" and heard["params"]["entry"]["level"] == "error":
            self.errors.append(heard["params"]["entry"]["text"])
        if heard.get("method") == "Runtime.exceptionThrown":
            self.errors.append(json.dumps(heard["params"])[:500])
        return heard
