"""A headless Chromium driven over a pair of pipes: no driver, no port, no package."""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

_PATIENCE = 120
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def executable() -> str | None:
    """Where a Chromium is: `$CHROMIUM`, or by one of its usual names."""
    return os.environ.get("CHROMIUM") or next((found for name in NAMES if (found := shutil.which(name))), None)


class Page:
    """One tab. Commands and events are those of the Chrome DevTools Protocol (https://chromedevtools.github.io)."""

    def __init__(self, to: int, back: int) -> None:
        self._to, self._back, self._number, self._left = to, back, 0, b""
        self._session: str | None = None
        self.complaints: list[str] = []
        """Whatever the page wrote to the console, threw, or was refused by its Content-Security-Policy."""
        self.requests: list[str] = []
        """Every address that was asked for."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> Any:
        """Send a command and wait for its answer; events on the way are noted."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self._note(answer)

    def open(self, address: str) -> None:
        """Load a page and wait until the report in it is ready."""
        self.call("Page.navigate", url=address)
        self.wait("document.documentElement?.dataset.ready !== undefined")

    def reload(self) -> None:
        """Load the page again and wait until it is ready."""
        self.do("window.before = true")
        self.call("Page.reload")
        self.wait("!window.before && document.documentElement?.dataset.ready !== undefined")

    def do(self, script: str) -> Any:
        """Run a JavaScript expression, which may be a promise; its value."""
        done = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True, userGesture=True)
        if "exceptionDetails" in done:
            raise RuntimeError(done["exceptionDetails"].get("exception", {}).get("description", "it failed"))
        return done["result"].get("value")

    def wait(self, condition: str, seconds: float = 120) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with suppress(RuntimeError):  # while one page makes room for the next, neither can be asked
                if self.do(f"Boolean({condition})"):
                    return
            time.sleep(0.02)
        raise TimeoutError(f"never true: {condition}; the page says {self.complaints}")

    def press(self, key: str) -> None:
        """Press a key: "j", "Enter", …"""
        text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
        code = {"Enter": 13, "Escape": 27, "Tab": 9}.get(key, ord(key[0].upper()))
        for kind in ("keyDown", "keyUp"):
            said = {"text": text} if kind == "keyDown" and text else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, **said)

    def resize(self, width: int, height: int = 900, *, phone: bool = False) -> None:
        """Give the window another size."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)

    def prefer(self, scheme: str) -> None:
        """Say that the user likes it "light" or "dark"."""
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.call("Emulation.setEmulatedMedia", features=[feature])

    def screenshot(self, path: Path, *, whole: bool = False) -> None:
        """Save what is seen, or the whole page, as PNG."""
        done = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(done["data"]))

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._left:
            if not select.select([self._back], [], [], _PATIENCE)[0]:
                raise TimeoutError(f"Chromium has said nothing for {_PATIENCE} seconds")
            if not (part := os.read(self._back, 1 << 16)):
                raise RuntimeError("Chromium has ended")
            self._left += part
        message, _, self._left = self._left.partition(b"\0")
        return json.loads(message)

    def _note(self, event: dict[str, Any]) -> None:
        said = event.get("params", {})
        match event.get("method"):
            case "Runtime.exceptionThrown":
                self.complaints.append(said["exceptionDetails"].get("exception", {}).get("description", "exception"))
            case "Runtime.consoleAPICalled":
                self.complaints.append(f"console.{said['type']}: {said['args']}")
            case "Log.entryAdded":
                self.complaints.append(f"{said['entry']['level']}: {said['entry']['text']}")
            case "Page.javascriptDialogOpening":
                self.complaints.append(f"dialog: {said['message']}")
            case "Network.requestWillBeSent":
                self.requests.append(said["request"]["url"])
            case _:
                pass


@contextmanager
def browser(program: str, profile: Path) -> Iterator[Page]:
    """A Chromium with a new profile and one tab; it ends with the block."""
    to_read, to_write = os.pipe()
    from_read, from_write = os.pipe()
    flags = ["--headless=new", "--remote-debugging-pipe", "--no-first-run", "--disable-gpu", "--disable-dev-shm-usage"]
    flags += ["--disable-background-networking", "--disable-component-update", f"--user-data-dir={profile}"]
    if os.geteuid() == 0:
        flags.append("--no-sandbox")  # Chromium's own sandbox does not run as root

    def connect() -> None:
        """It reads from descriptor 3 and writes to 4."""
        for end, wanted in [
            (fcntl.fcntl(to_read, fcntl.F_DUPFD, 10), 3),
            (fcntl.fcntl(from_write, fcntl.F_DUPFD, 10), 4),
        ]:
            os.dup2(end, wanted)

    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([program, *flags], preexec_fn=connect, pass_fds=(3, 4), **quiet)
    os.close(to_read)
    os.close(from_write)
    try:
        yield Page(to_write, from_read)
    finally:
        os.close(to_write)
        process.terminate()
        process.wait(20)
        os.close(from_read)
