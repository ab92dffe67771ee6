"""Files of the page at `/`, read once, so that no URL reaches the file system."""

from __future__ import annotations

from importlib.resources import files

from tfgan_app.pages import THEME

_TYPES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/compare.js": ("compare.js", "text/javascript; charset=utf-8"),
    "/upload.js": ("upload.js", "text/javascript; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}

PAGE_FILES: dict[str, tuple[str, bytes]] = {
    "/theme.css": ("text/css; charset=utf-8", THEME.encode()),
    **{
        url: (content_type, files(__name__).joinpath(name).read_bytes()) for url, (name, content_type) in _TYPES.items()
    },
}
"""URL -> content type and content."""

PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
"""Headers of each file: nothing is loaded from elsewhere, and no other site may frame the page."""
