"""A real browser without a window, driven by the DevTools protocol over a pipe. Nothing but the standard library."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from select import select
from time import monotonic
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    "--remote-debugging-pipe",
)  # fmt: skip
PATIENCE_S = 60.0
"""How long a browser may take until a test fails: only a broken page or browser takes that long."""

LEFT = ("context", "navigated", "Promise was collected")
"""Words of the errors of an expression whose page was left for another one before it had a value."""


class LeftError(RuntimeError):
    """A page was left for another one while an expression was evaluated in it."""


@dataclass
class Page:
    """An open page with its console and its requests."""

    send_fd: int
    receive_fd: int
    session: str = ""
    said: list[str] = field(default_factory=list)  # messages on the console: warnings, errors, violations of the policy
    asked: list[str] = field(default_factory=list)  # addresses requested
    loaded: set[str] = field(default_factory=set)  # documents that are loaded
    _last: int = 0
    _rest: bytes = b""

    def call(self, method: str, **parameters: Any) -> Any:
        """The result of a command of the protocol. Raises LeftError if its page was left meanwhile."""
        self._last += 1
        command = {"id": self._last, "method": method, "params": parameters}
        command |= {"sessionId": self.session} if self.session else {}
        os.write(self.send_fd, json.dumps(command).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._last:
                if "error" in answer:
                    message = answer["error"]["message"]
                    left = any(word in message for word in LEFT)
                    raise (LeftError if left else RuntimeError)(f"{method}: {message}")
                return answer["result"]
            self._note(answer)

    def evaluate(self, expression: str) -> Any:
        """The value of an expression in the page, awaited if it is a promise."""
        found = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in found:
            raise RuntimeError(found["exceptionDetails"].get("exception", {}).get("description", "it threw"))
        return found["result"].get("value")

    def wait(self, expression: str) -> Any:
        """The value of an expression as soon as it is true, in this page or in one that replaces it."""
        end = monotonic() + PATIENCE_S
        while True:
            with contextlib.suppress(LeftError):
                if value := self.evaluate(expression):
                    return value
                self.evaluate("new Promise((done) => setTimeout(done, 50))")
            if monotonic() > end:
                raise TimeoutError(f"never true: {expression}; messages on the console: {self.said}")

    def open(self, file: Path, *, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        """Load a file and wait until all of its charts are drawn."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        self.go(file.as_uri())
        self.wait("document.readyState === 'complete' && !!document.documentElement.dataset.drawn")

    def go(self, address: str) -> None:
        """Go to an address and wait until its document is loaded. It need not run scripts."""
        loader = self.call("Page.navigate", url=address)["loaderId"]
        while loader not in self.loaded:
            self._note(self._receive())

    def point(self, x: float, y: float) -> None:
        """Move the mouse."""
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def press(self, key: str, code: int) -> None:
        """A key, down and up."""
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, text="\r")

    def picture(self, file: Path) -> None:
        """The whole page as a PNG."""
        data = self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        file.write_bytes(base64.b64decode(data))

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            if not select([self.receive_fd], [], [], PATIENCE_S)[0]:
                raise TimeoutError("the browser does not answer")
            read = os.read(self.receive_fd, 1 << 20)
            if not read:
                raise RuntimeError("the browser has gone")
            self._rest += read
        message, _, self._rest = self._rest.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        return found

    def _note(self, event: dict[str, Any]) -> None:
        what = event.get("params", {})
        match event.get("method"):
            case "Runtime.consoleAPICalled":
                self.said.append(" ".join(str(part.get("value", part.get("description"))) for part in what["args"]))
            case "Runtime.exceptionThrown":
                self.said.append(what["exceptionDetails"]["exception"].get("description", "an exception"))
            case "Log.entryAdded":
                self.said.append(what["entry"]["text"])
            case "Network.requestWillBeSent":
                self.asked.append(what["request"]["url"])
            case "Page.lifecycleEvent" if what["name"] == "load":
                self.loaded.add(what["loaderId"])


@contextlib.contextmanager
def page() -> Iterator[Page]:
    """An empty page in a browser of its own, which ends with it."""
    assert CHROMIUM is not None
    ours_in, theirs_out = os.pipe()
    theirs_in, ours_out = os.pipe()

    def fixed() -> None:
        # Chromium reads commands from 3 and writes answers to 4. The high copies keep 3 and 4 from closing each other.
        reading, writing = os.dup(theirs_in), os.dup(theirs_out)
        os.dup2(reading, 3)
        os.dup2(writing, 4)

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            preexec_fn=fixed, close_fds=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(theirs_in)
        os.close(theirs_out)
        opened = Page(send_fd=ours_out, receive_fd=ours_in)
        try:
            target = opened.call("Target.createTarget", url="about:blank")["targetId"]
            session = opened.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            opened.session = session
            for domain in ("Page", "Runtime", "Log", "Network"):
                opened.call(f"{domain}.enable")
            opened.call("Page.setLifecycleEventsEnabled", enabled=True)
            yield opened
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            os.close(ours_out)
            os.close(ours_in)
