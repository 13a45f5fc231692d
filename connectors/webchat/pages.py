"""Serves the widget's one file and the demo shop page."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

from sanic import Blueprint, HTTPResponse, Request

from connectors.webhooks import problem

_HERE = Path(__file__).resolve().parent
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self' ws: wss:; "
    "font-src 'self'; form-action 'self'; base-uri 'none'"
)


def widget_file(bundle: Path = _HERE / "widget" / "dist" / "widget.js") -> Blueprint:
    """The route ``/widget.js``, which any page may load."""
    blueprint = Blueprint("widget")
    page = _Page(bundle)

    @blueprint.get("/widget.js", name="script")
    async def script(request: Request) -> HTTPResponse:
        try:
            return page.answer(request)
        except FileNotFoundError:
            return problem(
                503, "widget_not_built", "The chat widget is not built yet; run `make setup` and load the page again."
            )

    return blueprint


def demo_shop(folder: Path = _HERE / "shop") -> Blueprint:
    """The routes ``/`` and ``/shop/…``: a shop page that one would put the widget on."""
    blueprint = Blueprint("demo_shop")
    pages = {path.name: _Page(path) for path in sorted(folder.iterdir()) if path.suffix in _TYPES}

    @blueprint.get("/", name="home")
    async def home(request: Request) -> HTTPResponse:
        return pages["index.html"].answer(request)

    @blueprint.get("/shop/<name:str>", name="asset")
    async def asset(request: Request, name: str) -> HTTPResponse:
        page = pages.get(name)
        return problem(404, "not_found", "There is no such file in the shop.") if page is None else page.answer(request)

    return blueprint


class _Page:
    """A text file with its compressed form, read again when it changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._changed_at = 0
        self._content = b""
        self._compressed = b""
        self._etag = ""

    def answer(self, request: Request) -> HTTPResponse:
        changed_at = self._path.stat().st_mtime_ns
        if changed_at != self._changed_at:
            self._content = self._path.read_bytes()
            self._compressed = gzip.compress(self._content, mtime=0)
            self._etag = f'"{hashlib.sha256(self._content).hexdigest()[:20]}"'
            self._changed_at = changed_at
        headers = {
            "etag": self._etag,
            "cache-control": "no-cache",
            "vary": "accept-encoding",
            "x-content-type-options": "nosniff",
        }
        if self._path.suffix == ".html":
            headers |= {"content-security-policy": PAGE_POLICY, "referrer-policy": "same-origin"}
        else:
            headers["cross-origin-resource-policy"] = "cross-origin"
        if request.headers.get("if-none-match") == self._etag:
            return HTTPResponse(status=304, headers=headers)
        body = self._content
        if "gzip" in request.headers.get("accept-encoding", ""):
            body = self._compressed
            headers["content-encoding"] = "gzip"
        return HTTPResponse(body, 200, headers, content_type=_TYPES[self._path.suffix])
