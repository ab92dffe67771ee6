"""The studio's page as a whole in a real browser: offline, quick, narrow and wide, light and dark, accessible."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import urllib.error
import urllib.request

import pytest
from lanes import first_quick
from live_studio import open_tab

pytestmark = pytest.mark.large

TABS = ("Enhance", "Translate", "Generate", "Train")
AXE = "axe-core@4.10.3"
SLOW = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
"""How many processes share a core: a limit of time holds for a machine of one's own."""


def test_nothing_is_loaded_from_elsewhere_and_the_first_paint_is_soon(page, address):
    open_tab(page, address, "Enhance")  # The browser's own start.
    page.open(f"{address}?again")
    page.wait_for("document.querySelectorAll('[role=tab]').length === 4")
    assert page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime") < 2000 * SLOW
    for tab in TABS:
        open_tab(page, address, tab)
    page.evaluate("new Promise((done) => setTimeout(done, 1500))")
    loaded = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert len(loaded) > 20
    assert [url for url in loaded if not url.startswith((address, "data:", "blob:"))] == []


def test_the_page_names_its_tabs(page, address):
    open_tab(page, address, "Enhance")
    labels = page.evaluate("[...document.querySelectorAll('[role=tab]')].map((tab) => tab.innerText)")
    assert labels == list(TABS)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_is_wider_than_the_screen(page, address, width, dark):
    page.set_viewport(width, 844, mobile=width < 500, dark=dark)
    for tab in TABS:
        open_tab(page, address, tab)
        page.evaluate("new Promise((done) => setTimeout(done, 1500))")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, tab
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        red = int("".join(c if c.isdigit() else " " for c in background).split()[0])
        assert (red < 128) is dark


@pytest.fixture(scope="module")
def axe(tmp_path_factory):
    folder = tmp_path_factory.mktemp("axe")
    npm = shutil.which("npm")
    if npm is None or subprocess.run([npm, "pack", AXE], cwd=folder, capture_output=True, timeout=120).returncode:
        pytest.skip("axe-core cannot be had from npm")
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        return archive.extractfile("package/axe.min.js").read().decode()


@pytest.mark.parametrize("tab", first_quick(TABS))
def test_there_are_no_serious_findings_of_accessibility(page, address, axe, tab):
    open_tab(page, address, tab)
    page.evaluate("new Promise((done) => setTimeout(done, 2000))")
    page.evaluate(axe)
    found = page.evaluate(
        "axe.run(document, {resultTypes: ['violations']}).then((results) => results.violations"
        ".filter((finding) => ['serious', 'critical'].includes(finding.impact))"
        ".map((finding) => finding.id + ': ' + finding.nodes.map((node) => node.html.slice(0, 160)).join(' | ')))"
    )
    assert found == []


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}])
@pytest.mark.parametrize("path", ["", "gradio_api/queue/join", "studio/files/0/0"])
def test_other_sites_are_refused(address, headers, path):
    request = urllib.request.Request(address + path, headers=headers)
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(request, timeout=30)


@pytest.mark.parametrize(
    "path", ["gradio_api/file=/etc/passwd", "studio/files/999/0", "studio/files/-1/0", "gradio_api/file=setup.cfg"]
)
def test_files_that_the_page_has_not_linked_are_refused(address, path):
    with pytest.raises(urllib.error.HTTPError, match="403|404|422"):
        urllib.request.urlopen(address + path, timeout=30)
