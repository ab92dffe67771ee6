"""The studio as a process of its own, and how tests work on its page in a browser."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from browser import Page


@contextmanager
def live_studio(folder: Path, *flags: str) -> Iterator[str]:
    """Starts the command in a folder and gives the address of its page; interrupts it in the end."""
    command = [sys.executable, "-m", "tfgan_app", "studio", "--port", "0", "--no-browser", *flags]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1"}
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        address = re.search(r"http://\S+", process.stdout.readline())
        assert address, process.stdout.read()
        yield address[0]
        assert process.poll() is None, process.stdout.read()
        process.send_signal(signal.SIGINT)
        printed = process.stdout.read()
        assert process.wait(timeout=200) == 0, printed
        assert "Traceback" not in printed, printed
    finally:
        process.kill()
        process.wait(timeout=60)
        process.stdout.close()


def open_tab(page: Page, address: str, tab: str) -> None:
    """Opens the page at one of its tabs."""
    page.open(address)
    # The bar of tabs is drawn anew while the page loads: a click on the old one is lost.
    button = f"[...document.querySelectorAll('[role=tab]')].find((tab) => tab.innerText === {tab!r})"
    page.wait_for(f"({button}?.click(), {button}?.ariaSelected === 'true' && !document.querySelector('.loading'))")


def fill(page: Page, selector: str, text: str) -> None:
    """Writes into a field as a user does, in place of what is there, and leaves it."""
    page.wait_for(f"!!document.querySelector({selector!r})", timeout_s=30)
    page.evaluate(f"(() => {{ const field = document.querySelector({selector!r}); field.focus(); field.select(); }})()")
    page.send("Input.insertText", text=text)
    page.evaluate(f"document.querySelector({selector!r}).blur()")


def choose(page: Page, selector: str, text: str) -> None:
    """Chooses an option of a drop-down by the beginning of its text."""
    page.wait_for(f"!!document.querySelector('{selector} input')", timeout_s=30)
    page.click(f"{selector} input")
    options = f"[...document.querySelectorAll('{selector} [role=option], ul[role=listbox] [role=option]')]"
    found = f"{options}.find((option) => option.innerText.trim().replace(/^\\u2713\\s*/, '').startsWith({text!r}))"
    page.wait_for(f"Boolean({found})", timeout_s=20)
    page.evaluate(f"{found}.dispatchEvent(new MouseEvent('mousedown', {{ bubbles: true }}))")


def unfold(page: Page, selector: str) -> None:
    """Opens an accordion."""
    page.wait_for(f"!!document.querySelector('{selector} button')", timeout_s=30)
    page.click(f"{selector} button")


def upload(page: Page, selector: str, *paths: Path) -> None:
    """Drops files on a field, once it is there, and waits until it lists them."""
    page.wait_for(f"!!document.querySelector('{selector} input[type=file]')", timeout_s=30)
    page.set_files(f"{selector} input[type=file]", *paths)


def press_enter(page: Page) -> None:
    """Presses Enter on what has the focus, as a keyboard does: with its character."""
    code = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13}
    page.send("Input.dispatchKeyEvent", type="keyDown", text="\r", **code)
    page.send("Input.dispatchKeyEvent", type="keyUp", **code)


def newest_job(page: Page, *, state: str = "done", title: str = "", timeout_s: float = 300.0) -> str:
    """Waits until the newest job with this in its title is in a state, and returns its text."""
    job = "[...document.querySelectorAll('.job')].find((job) => job.querySelector('h3').innerText.includes(%r))"
    found = job % title
    page.wait_for(f"{found}?.dataset.state === {state!r}", timeout_s=timeout_s)
    return page.evaluate(f"{found}.innerText")


def message(page: Page) -> str:
    """Waits for the message of a failure, closes it, and returns it."""
    text = page.wait_for("document.querySelector('.toast-body')?.innerText", timeout_s=60)
    closed = "document.querySelectorAll('.toast-close').forEach((button) => button.click())"
    page.wait_for(f"({closed}, !document.querySelector('.toast-body'))", timeout_s=60)
    return text
