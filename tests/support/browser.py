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


class BrowserError(Exception):
    """What the browser or a script in it complains about."""


class Page:
    """A tab. Scripts are JavaScript expressions; those that give a promise are awaited.

    Attributes:
        console: Lines that the page and its workers wrote to the console, and exceptions nobody caught.
    """

    def __init__(self, pipe: _Pipe, session: str):
        self._pipe = pipe
        self._session = session
        self.console = pipe.console
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

    def wait_for(self, script: str, *, timeout_s: float = 30.0) -> Any:
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

    def download(self, selector: str, folder: Path, *, timeout_s: float = 10.0) -> Path:
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

    def press(self, key: str, *, code: int) -> None:
        """Presses and releases a key that writes nothing, such as `ArrowLeft` (37), on what has the focus."""
        for kind in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)

    def set_viewport(self, width: int, height: int, *, device_scale: float = 1.0, mobile: bool = False) -> None:
        """Resizes the page, and with `mobile` gives it touch and a phone's layout."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=device_scale,
            mobile=mobile,
        )
        self.send("Emulation.setTouchEmulationEnabled", enabled=mobile)

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
            process.wait(timeout=10)


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
