"""A browser and a studio that the tests of one file share."""

from __future__ import annotations

import importlib.util

import pytest
from browser import CHROMIUM, open_browser
from live_studio import live_studio

_LEAVING = ("AbortError", "net::ERR_ABORTED", "net::ERR_NETWORK_CHANGED", "Connection errored out")
"""Errors of requests that a page still waited for when the test went on to the next page."""


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed")
    with open_browser() as started:
        yield started


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("studio")


@pytest.fixture(scope="module")
def address(folder):
    if importlib.util.find_spec("gradio") is None:
        pytest.skip("Gradio is not installed")
    with live_studio(folder, "--max-pixels", "200000") as started:
        yield started


@pytest.fixture
def page(browser, address):
    browser.open("about:blank")
    browser.console.clear()
    browser.set_viewport(1440, 1000)
    yield browser
    problems = [problem for problem in browser.problems if not any(text in problem for text in _LEAVING)]
    browser.open("about:blank")
    assert problems == []
