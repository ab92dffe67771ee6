"""A headless Chromium, driven over the DevTools protocol, for tests of pages."""

from __future__ import annotations

import base64
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
"""Path of the browser, None where there is none: skip the test then."""

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--remote-debugging-pipe",
)

# The protocol's pipes must be the descriptors 3 and 4, and a process gets those that it inherits under their old names.
_WITH_PIPES = """
import fcntl, os, sys
read, write = (fcntl.fcntl(int(descriptor), fcntl.F_DUPFD, 10) for descriptor in sys.argv[1:3])
os.dup2(read, 3)
os.dup2(write, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


_BOX = """(() => {
  const box = document.querySelector(%s).getBoundingClientRect();
  return [box.left, box.top, box.width, box.height];
})()"""
_KEY_CODES = {"Enter": 13, "Tab": 9, "Home": 36, "End": 35, "ArrowLeft": 37, "ArrowRight": 39, "Escape": 27}


class BrowserError(Exception):
    """What the browser or a script in it complains about."""


class Page:
    """A tab. Scripts are JavaScript expressions; those that give a promise are awaited.

    Attributes:
        console: Lines that the page and its workers wrote to the console, and exceptions nobody caught; each begins
            with its kind and a colon.
    """

    def __init__(self, pipe: _Pipe, session: str):
        self._pipe = pipe
        self._session = session
        self.console = pipe.console
        self._pressed = False
        for domain in ("Page", "Runtime", "DOM", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **params) -> dict:
        """Calls any method of the DevTools protocol on this page."""
        return self._pipe.call(method, params, session=self._session)

    def open(self, url: str) -> None:
        """Goes to an address, and returns once the document has loaded."""
        failure = self.send("Page.navigate", url=url).get("errorText")
        if failure:
            raise BrowserError(f"{url}: {failure}")
        self.wait_for(f"location.href.startsWith({json.dumps(url)}) && document.readyState === 'complete'")

    def evaluate(self, script: str) -> Any:
        """The value of an expression, as JSON can hold it."""
        answer = self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise BrowserError(details.get("exception", {}).get("description", details["text"]))
        return answer["result"].get("value")

    def wait_for(self, script: str, *, timeout_s: float = 120.0) -> Any:
        """Polls an expression until it is truthy, and returns its value. It may fail, as it does while a page loads.

        Raises:
            BrowserError: If it does not come true, with why and what the console said.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                answer = self.evaluate(script)
            except BrowserError as error:
                answer, failure = None, f" ({error})"
            else:
                failure = ""
            if answer:
                return answer
            if time.monotonic() > deadline:
                said = "; ".join(self.console[-10:])
                raise BrowserError(f"Not true within {timeout_s:.0f} s: {script}{failure}. The console said: {said}")
            time.sleep(0.05)

    def set_files(self, selector: str, *paths: Path) -> None:
        """Chooses files on an `<input type=file>`."""
        root = self.send("DOM.getDocument")["root"]["nodeId"]
        node = self.send("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.send("DOM.setFileInputFiles", nodeId=node, files=[str(Path(path).resolve()) for path in paths])

    def download(self, selector: str, folder: Path, *, timeout_s: float = 120.0) -> Path:
        """Clicks a link and waits for the file that it saves into a folder of its own."""
        folder.mkdir(parents=True)
        self.send("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
        self.evaluate(f"document.querySelector({json.dumps(selector)}).click()")
        deadline = time.monotonic() + timeout_s
        while not (done := [path for path in folder.iterdir() if path.suffix != ".crdownload" and path.stat().st_size]):
            if time.monotonic() > deadline:
                raise BrowserError(f"{selector} saved nothing within {timeout_s:.0f} s.")
            time.sleep(0.05)
        return done[0]

    @property
    def problems(self) -> list[str]:
        """The errors in `console`, of resources that were refused too."""
        return [line for line in self.console if line.startswith(("error:", "exception:"))]

    def click(self, selector: str) -> None:
        """Clicks the middle of an element as a mouse does, after scrolling to it."""
        self.evaluate(f"document.querySelector({selector!r}).scrollIntoView({{block: 'center', behavior: 'instant'}})")
        left, top, width, height = self.box(selector)
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.mouse(kind, left + width / 2, top + height / 2)

    def box(self, selector: str) -> tuple[float, float, float, float]:
        """Left, top, width and height of an element in the viewport, once nothing moves it any more."""
        seen = None
        while seen != (now := self.evaluate(_BOX % repr(selector))):
            seen = now
            time.sleep(0.1)
        return tuple(now)

    def mouse(self, kind: str, x: float, y: float) -> None:
        """`mouseMoved`, `mousePressed` or `mouseReleased` at a point of the viewport, with the left button."""
        self._pressed |= kind == "mousePressed"
        button = "left" if self._pressed else "none"
        self.send(
            "Input.dispatchMouseEvent", type=kind, x=x, y=y, clickCount=1, button=button, buttons=int(self._pressed)
        )
        self._pressed &= kind != "mouseReleased"

    def press(self, key: str) -> None:
        """Presses and releases a key that writes nothing, such as `ArrowLeft`, on what has the focus."""
        code = _KEY_CODES[key]
        for kind in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)

    def set_viewport(
        self, width: int, height: int, *, device_scale: float = 1.0, mobile: bool = False, dark: bool = False
    ) -> None:
        """Resizes the page, with `mobile` gives it touch and a phone's layout, and prefers light or dark colors."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=device_scale,
            mobile=mobile,
        )
        self.send("Emulation.setTouchEmulationEnabled", enabled=mobile)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])

    def set_offline(self, offline: bool) -> None:
        """Takes the network away from the page, or gives it back."""
        self.send(
            "Network.emulateNetworkConditions", offline=offline, latency=0, downloadThroughput=-1, uploadThroughput=-1
        )

    def screenshot(self, path: Path, *, whole: bool = False) -> None:
        """Writes a PNG of what the viewport shows, or of the whole page."""
        data = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        Path(path).write_bytes(base64.b64decode(data))


@contextmanager
def open_browser(*flags: str) -> Iterator[Page]:
    """Starts a browser with a fresh profile and gives its one page; closes it in the end.

    Args:
        *flags: Further command line flags.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        (their_in, our_out), (our_in, their_out) = os.pipe(), os.pipe()
        command = [CHROMIUM, *_FLAGS, *flags, f"--user-data-dir={profile}", "about:blank"]
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _WITH_PIPES, str(their_in), str(their_out), *command],
            pass_fds=(their_in, their_out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(their_in)
        os.close(their_out)
        try:
            with _Pipe(our_in, our_out) as pipe:
                targets = pipe.call("Target.getTargets", {})["targetInfos"]
                target = next(info["targetId"] for info in targets if info["type"] == "page")
                session = pipe.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
                yield Page(pipe, session)
        finally:
            process.terminate()
            process.wait(timeout=120)


class _Pipe:
    """Messages of the DevTools protocol: JSON that ends with a null byte."""

    def __init__(self, in_descriptor: int, out_descriptor: int):
        self._in = os.fdopen(in_descriptor, "rb")
        self._out = os.fdopen(out_descriptor, "wb", buffering=0)
        self._ids = itertools.count(1)
        self._unread = b""
        self.console: list[str] = []

    def __enter__(self) -> _Pipe:
        return self

    def __exit__(self, *_) -> None:
        self._in.close()
        self._out.close()

    def call(self, method: str, params: dict, *, session: str | None = None) -> dict:
        message = {"id": next(self._ids), "method": method, "params": params}
        if session:
            message["sessionId"] = session
        self._out.write(json.dumps(message).encode() + b"\0")
        while (answer := self._read()).get("id") != message["id"]:
            self._note(answer)
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def _read(self) -> dict:
        while b"\0" not in self._unread:
            read = self._in.read1()
            if not read:
                raise BrowserError("The browser has gone.")
            self._unread += read
        text, self._unread = self._unread.split(b"\0", 1)
        return json.loads(text)

    def _note(self, event: dict) -> None:
        params = event.get("params", {})
        match event.get("method"):
            case "Runtime.consoleAPICalled":
                values = [str(value.get("value", value.get("description", ""))) for value in params["args"]]
                self.console.append(f"{params['type']}: {' '.join(values)}")
            case "Runtime.exceptionThrown":
                details = params["exceptionDetails"]
                self.console.append(f"exception: {details.get('exception', {}).get('description', details['text'])}")
            case "Log.entryAdded":
                self.console.append(f"{params['entry']['level']}: {params['entry']['text']}")
