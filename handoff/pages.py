"""Serves the console's static build at ``/staff/``; any path the build does not have is the single page's own business."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from sanic import Blueprint, Request
from sanic.response import HTTPResponse, file, html, json, redirect

DIST = Path(__file__).parent / "web" / "dist"
_FOREVER = "public, max-age=31536000, immutable"
_ALWAYS_ASK = "no-cache"
_NOT_BUILT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Console not built</title>
<h1>The staff console is not built yet</h1>
<p>Run <code>make setup</code> in the project folder, or <code>npm ci &amp;&amp; npm run build</code> in <code>handoff/web</code>,
then load this page again. The staff API works without it.</p>
<p lang="zh">客服工作台尚未构建：请在项目目录运行 <code>make setup</code>，然后刷新本页。</p></html>"""


def staff_pages(dist: Path = DIST) -> Blueprint:
    """The blueprint of the console pages; the build may appear while the service runs."""
    blueprint = Blueprint("staff_pages")
    root = dist.resolve()

    async def page(request: Request, path: str = "") -> HTTPResponse:
        if path == "api" or path.startswith("api/"):
            return json({"error": {"code": "not_found", "message": "The staff API has no such route."}}, status=404)
        found = _find(root, path)
        if found is not None:
            return await _file(request, found, _FOREVER if path.startswith("assets/") else _ALWAYS_ASK)
        if path.startswith("assets/") or PurePosixPath(path).suffix:
            return html("<!doctype html><title>Not found</title><p>There is no such file.", status=404)
        index = root / "index.html"
        if not index.is_file():
            return html(_NOT_BUILT, status=503, headers={"cache-control": _ALWAYS_ASK})
        return await _file(request, index, _ALWAYS_ASK)

    async def start(_: Request) -> HTTPResponse:
        return redirect("/staff/")

    blueprint.add_route(start, "/staff", methods=["GET"], name="start", strict_slashes=True)
    blueprint.add_route(page, "/staff/", methods=["GET", "HEAD"], name="index", strict_slashes=True)
    blueprint.add_route(page, "/staff/<path:path>", methods=["GET", "HEAD"], name="page")
    return blueprint


def _find(root: Path, path: str) -> Path | None:
    if not path or "\0" in path:
        return None
    found = (root / path).resolve()
    return found if found.is_relative_to(root) and found.is_file() else None


async def _file(request: Request, path: Path, caching: str) -> HTTPResponse:
    return await file(path, headers={"cache-control": caching}, request_headers=request.headers)
