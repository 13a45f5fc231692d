"""The console's static build: what is served, cached, refused and explained."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.handoff.desk import open_desk


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text("<!doctype html><title>Console</title>")
    (dist / "assets" / "index-a1b2c3.js").write_text("console.log(1)")
    (dist / "favicon.svg").write_text("<svg/>")
    (tmp_path / "secret.txt").write_text("secret")
    (dist / "link.txt").symlink_to(tmp_path / "secret.txt")
    return dist


async def test_the_page_is_fresh_and_its_hashed_files_are_kept(tmp_path: Path, dist: Path) -> None:
    async with open_desk(tmp_path, dist=dist) as desk:
        client = desk.client()
        moved = await client.get("/staff")
        assert (moved.status_code, moved.headers["location"]) == (302, "/staff/")
        for path in ("/staff/", "/staff/inbox/0123", "/staff/sign-in"):
            page = await client.get(path)
            assert (page.status_code, page.headers["cache-control"]) == (200, "no-cache")
            assert "<title>Console</title>" in page.text
            assert page.headers["content-type"].startswith("text/html")
        script = await client.get("/staff/assets/index-a1b2c3.js")
        assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert "javascript" in script.headers["content-type"]
        assert (await client.head("/staff/")).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "assets/gone.js",
        "missing.png",
        "../secret.txt",
        "..%2fsecret.txt",
        "%2e%2e/secret.txt",
        "assets/..%2f..%2fsecret.txt",
        "link.txt",
        "%00.txt",
        "/etc/passwd.txt",
        "%2fetc%2fpasswd.txt",
    ],
)
async def test_nothing_else_is_served(tmp_path: Path, dist: Path, path: str) -> None:
    async with open_desk(tmp_path, dist=dist) as desk:
        response = await desk.client().get(f"/staff/{path}")
        assert response.status_code == 404
        assert response.text != "secret"
        assert "root:" not in response.text


async def test_a_console_that_is_not_built_explains_itself_and_appears_without_a_restart(tmp_path: Path) -> None:
    missing = tmp_path / "later"
    async with open_desk(tmp_path, dist=missing) as desk:
        page = await desk.client().get("/staff/")
        assert page.status_code == 503
        assert "make setup" in page.text
        assert "<script" not in page.text
        assert "style=" not in page.text
        missing.mkdir()
        (missing / "index.html").write_text("built")
        assert (await desk.client().get("/staff/")).text == "built"
