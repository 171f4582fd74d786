# SPDX-License-Identifier: GPL-3.0-or-later
"""A headless Chromium, driven over a pipe by the standard library alone (the DevTools protocol)."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any

PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
PACKAGE = "chromium-headless-shell"
_SECONDS = 30.0
# Nothing of the browser's own goes anywhere, so what is seen to go comes from the page.
_OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--mute-audio"),
    *("--no-first-run", "--no-default-browser-check", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--disable-extensions", "--metrics-recording-only", "--remote-debugging-pipe"),
    "--host-resolver-rules=MAP * ~NOTFOUND",
)

KEYS = {"Enter": 13, "Escape": 27, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Tab": 9}


class BrowserError(RuntimeError):
    """The browser did not do what it was asked."""


def program() -> str:
    """The browser, or an error that says how to get one."""
    found = os.environ.get("WGE_TEST_CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), "")
    if not found:
        raise BrowserError(f"No Chromium is here. Install the package {PACKAGE}, or name a program in WGE_TEST_CHROMIUM.")
    return found


class Chrome:
    """One browser with one page. ``requests`` are the addresses the page asked for, ``complaints`` what its console said."""

    def __init__(self, profile: Path, size: tuple[int, int] = (1500, 950)) -> None:
        self._profile, self._size = profile, size
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._numbers = 0
        self._rest = b""
        self._loaded = False
        self._session = ""

    def __enter__(self) -> Chrome:
        reads_ours, self._to = os.pipe()
        self._from, writes_ours = os.pipe()
        width, height = self._size
        words = [program(), *_OPTIONS, f"--window-size={width},{height}", f"--user-data-dir={self._profile}", "about:blank"]
        # The protocol is on the descriptors 3 and 4; a shell puts them there, since the numbers of pipes are not ours to choose.
        line = f'exec "$@" 3<&{reads_ours} 4>&{writes_ours}'
        with (self._profile.parent / "chromium.log").open("wb") as log:
            self._process = subprocess.Popen(
                ["bash", "-c", line, "bash", *words], pass_fds=(reads_ours, writes_ours), stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        os.close(reads_ours)
        os.close(writes_ours)
        target = self._ask("Target.createTarget", {"url": "about:blank"})["targetId"]
        self._session = self._ask("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self._ask(f"{domain}.enable")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        os.close(self._to)  # the browser ends when nobody can speak to it
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        os.close(self._from)

    def open(self, url: str) -> None:
        """Go to an address, and wait until it is loaded."""
        self._loaded = False
        self._ask("Page.navigate", {"url": url})
        deadline = time.monotonic() + _SECONDS
        while not self._loaded:
            self._take(deadline)

    def value(self, expression: str) -> Any:
        """What an expression gives in the page."""
        answer = self._ask("Runtime.evaluate", {"expression": expression, "returnByValue": True, "awaitPromise": True})
        if "exceptionDetails" in answer:
            raise BrowserError(json.dumps(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        """A key, as a person presses it."""
        shape: dict[str, Any] = {"key": key, "code": key, "windowsVirtualKeyCode": KEYS[key]}
        if key == "Enter":
            shape["text"] = "\r"
        self._ask("Input.dispatchKeyEvent", {"type": "keyDown", **shape})
        self._ask("Input.dispatchKeyEvent", {"type": "keyUp", **shape})

    def write(self, text: str) -> None:
        """Type a text into what has the focus."""
        self._ask("Input.insertText", {"text": text})

    def click(self, selector: str) -> None:
        """The left button on the middle of the first element that is found."""
        found = json.dumps(selector)
        place = self.value(
            f"(() => {{ const e = document.querySelector({found}); e.scrollIntoView({{block: 'center', inline: 'center'}});"
            " const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        spot = {"x": place[0], "y": place[1], "button": "left", "clickCount": 1}
        self._ask("Input.dispatchMouseEvent", {"type": "mousePressed", **spot})
        self._ask("Input.dispatchMouseEvent", {"type": "mouseReleased", **spot})

    def prefer(self, scheme: str) -> None:
        """Be a user who prefers ``dark`` or ``light``."""
        self._ask("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})

    def picture(self, path: Path, *, whole: bool = False) -> None:
        """What is seen, as PNG."""
        path.write_bytes(base64.b64decode(self._ask("Page.captureScreenshot", {"captureBeyondViewport": whole})["data"]))

    def print(self, path: Path) -> None:
        """The page on paper, as PDF."""
        path.write_bytes(base64.b64decode(self._ask("Page.printToPDF", {"preferCSSPageSize": True, "printBackground": True})["data"]))

    def _ask(self, method: str, parameters: dict[str, Any] | None = None) -> dict[str, Any]:
        self._numbers += 1
        number, message = self._numbers, {"id": self._numbers, "method": method, "params": parameters or {}}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + _SECONDS
        while True:
            answer = self._take(deadline)
            if answer.get("id") == number:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error']}")
                found: dict[str, Any] = answer["result"]
                return found

    def _take(self, deadline: float) -> dict[str, Any]:
        """The next message; events are noted."""
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._from], [], [], max(0.0, deadline - time.monotonic()))
            chunk = os.read(self._from, 1 << 16) if ready else b""
            if not chunk:
                raise BrowserError(f"The browser does not answer; see {self._profile.parent / 'chromium.log'}.")
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        self._note(message.get("method", ""), message.get("params") or {})
        return message

    def _note(self, event: str, about: dict[str, Any]) -> None:
        if event in ("Page.loadEventFired", "Page.navigatedWithinDocument"):
            self._loaded = True
        elif event == "Network.requestWillBeSent":
            self.requests.append(about["request"]["url"])
        elif event == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(about["exceptionDetails"]))
        elif event == "Log.entryAdded":
            self.complaints.append(about["entry"]["text"])
        elif event == "Runtime.consoleAPICalled":
            self.complaints.append(str(about.get("args")))
