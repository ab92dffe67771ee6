"""A real browser, headless Chromium, driven over its DevTools protocol. Needs no driver program."""

from __future__ import annotations

import asyncio
import base64
import itertools
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
)
_BOX = """(() => {
  const box = document.querySelector(%s).getBoundingClientRect();
  return [box.left, box.top, box.width, box.height];
})()"""
_KEY_CODES = {"Enter": 13, "Tab": 9, "Home": 36, "End": 35, "ArrowLeft": 37, "ArrowRight": 39, "Escape": 27}


def find_browser() -> str | None:
    """The path of an installed Chromium, or None."""
    return next((path for path in map(shutil.which, _NAMES) if path), None)


class Browser:
    """One tab of a browser. Use it in a `with` statement.

    Attributes:
        problems: What went wrong on the pages: exceptions of scripts, console errors, refused resources.
    """

    def __init__(self, executable: str | None = None) -> None:
        """Starts the browser.

        Args:
            executable: Its path; the installed one if None.
        """
        self.problems: list[str] = []
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        command = [executable or find_browser(), *_FLAGS, f"--user-data-dir={self._folder.name}", "about:blank"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._pressed = False
        self._ids = itertools.count(1)
        self._loop = asyncio.new_event_loop()
        self._loop.run_until_complete(self._connect())
        for domain in ("Page", "Runtime", "Log", "DOM"):
            self.command(f"{domain}.enable")

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the browser."""
        self._loop.run_until_complete(self._session.close())
        self._loop.close()
        self._process.terminate()
        self._process.wait(10)
        self._folder.cleanup()

    def open(self, url: str) -> None:
        """Opens a page and waits until it is loaded."""
        self.command("Page.navigate", url=url)
        self.wait_for("document.readyState === 'complete' && location.href !== 'about:blank'")

    def evaluate(self, script: str) -> Any:
        """The value of a JavaScript expression, awaited if it is a promise.

        Raises:
            RuntimeError: If it throws.
        """
        answer = self.command("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(_describe(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def wait_for(self, condition: str, *, timeout_seconds: float = 30.0) -> Any:
        """Waits until a JavaScript expression is true, and returns its value.

        Raises:
            TimeoutError: If it does not become true.
        """
        end = time.monotonic() + timeout_seconds
        while not (value := self.evaluate(condition)):
            if time.monotonic() > end:
                text = self.evaluate("document.body.innerText")
                raise TimeoutError(f"Still not so: {condition}. The page: {text!r}. Problems: {self.problems}")
            time.sleep(0.05)
        return value

    def set_files(self, selector: str, *paths: str | Path) -> None:
        """Chooses files in an `<input type="file">`."""
        found = self.command("Runtime.evaluate", expression=f"document.querySelector({selector!r})")
        files = [str(Path(path).resolve()) for path in paths]
        self.command("DOM.setFileInputFiles", files=files, objectId=found["result"]["objectId"])

    def click(self, selector: str) -> None:
        """Clicks the middle of an element as a mouse does, after scrolling to it."""
        self.evaluate(f"document.querySelector({selector!r}).scrollIntoView({{block: 'center', behavior: 'instant'}})")
        left, top, width, height = self.box(selector)
        x, y = left + width / 2, top + height / 2
        self.mouse("mouseMoved", x, y)
        self.mouse("mousePressed", x, y)
        self.mouse("mouseReleased", x, y)

    def box(self, selector: str) -> tuple[float, float, float, float]:
        """Left, top, width and height of an element in the viewport, once nothing moves it any more."""
        seen = None
        while seen != (now := self.evaluate(_BOX % repr(selector))):
            seen = now
            time.sleep(0.1)
        return tuple(now)

    def mouse(self, kind: str, x: float, y: float) -> None:
        """`mouseMoved`, `mousePressed` or `mouseReleased` at a point of the viewport, with the left button."""
        if kind == "mousePressed":
            self._pressed = True
        held = {"button": "left", "buttons": int(self._pressed)} if self._pressed else {"button": "none", "buttons": 0}
        self.command("Input.dispatchMouseEvent", type=kind, x=x, y=y, clickCount=1, **held)
        if kind == "mouseReleased":
            self._pressed = False

    def press(self, key: str) -> None:
        """Presses a key by its name, such as `ArrowLeft`."""
        for kind in ("keyDown", "keyUp"):
            code = _KEY_CODES[key]
            self.command("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)

    def set_viewport(self, width: int, height: int, *, phone: bool = False, dark: bool = False) -> None:
        """Sets the size of the viewport in CSS pixels, as that of a phone (touch, fine pixels) or a desktop."""
        scale = 2 if phone else 1
        self.command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=phone
        )
        self.command("Emulation.setTouchEmulationEnabled", enabled=phone)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.command("Emulation.setEmulatedMedia", features=[scheme])

    def screenshot(self, path: str | Path) -> Path:
        """Writes what the viewport shows as a PNG file."""
        data = self.command("Page.captureScreenshot", format="png")["data"]
        Path(path).write_bytes(base64.b64decode(data))
        return Path(path)

    def command(self, method: str, **parameters: Any) -> dict:
        """Sends a command of the DevTools protocol and returns its result.

        Raises:
            RuntimeError: If the browser refuses it.
        """
        return self._loop.run_until_complete(asyncio.wait_for(self._command(method, parameters), 60))

    async def _connect(self) -> None:
        port = await self._debugging_port()
        self._session = aiohttp.ClientSession()
        async with self._session.get(f"http://127.0.0.1:{port}/json") as response:
            tabs = await response.json()
        url = next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page")
        self._socket = await self._session.ws_connect(url, max_msg_size=0)

    async def _debugging_port(self) -> int:
        path = Path(self._folder.name, "DevToolsActivePort")
        for _ in range(600):
            if path.exists() and (lines := path.read_text().splitlines()):
                return int(lines[0])
            if self._process.poll() is not None:
                raise RuntimeError(f"the browser ended with exit code {self._process.returncode}")
            await asyncio.sleep(0.05)
        raise TimeoutError("the browser does not start")

    async def _command(self, method: str, parameters: dict) -> dict:
        number = next(self._ids)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        while True:
            message = await self._socket.receive_json()
            if message.get("id") == number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]
            self._note(message)

    def _note(self, message: dict) -> None:
        details = message.get("params", {})
        if message.get("method") == "Runtime.exceptionThrown":
            self.problems.append(_describe(details["exceptionDetails"]))
        elif message.get("method") == "Log.entryAdded" and details["entry"]["level"] == "error":
            self.problems.append(f"{details['entry']['text']} {details['entry'].get('url', '')}".strip())


def _describe(details: dict) -> str:
    return details.get("exception", {}).get("description") or details["text"]


def works_here() -> bool:
    """Whether there is a browser to test with; `TFGAN_NO_BROWSER=1` says no."""
    return find_browser() is not None and not os.environ.get("TFGAN_NO_BROWSER")
