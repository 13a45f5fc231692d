"""Keep the pictures of the browser journeys where CI collects its artifacts: a page with all of them and a contact sheet."""

from __future__ import annotations

import os
import shutil
from html import escape
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parent.parent
TAKEN = ROOT / "tests" / "screenshots"
#: Where artifacts go; the pictures get a folder of their own in it.
VARIABLE = "CI_ARTIFACTS_DIR"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")

_STYLE = """
body { margin: 24px; background: #f5f7fb; color: #1b2230; font: 14px/1.5 system-ui, sans-serif; }
h1, h2 { font-weight: 600; }
ul { display: grid; grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); gap: 18px; padding: 0; list-style: none; }
img { width: 100%; height: 220px; object-fit: contain; object-position: top left; }
figure { margin: 0; padding: 10px; border: 1px solid #dde3ee; border-radius: 10px; background: #fff; }
figcaption { overflow-wrap: anywhere; }
"""


def destination(environment: dict[str, str]) -> Path:
    """The folder for the pictures, by what the CI system says."""
    named = environment.get(VARIABLE, "").strip()
    return (ROOT / named if named else ROOT / "artifacts") / "screenshots"


def collect(taken: Path, into: Path) -> list[Path]:
    """Copy every picture, replace what an earlier run left, and write the page; returns the copies, failures first."""
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    copies = []
    for picture in sorted(taken.rglob("*.png"), key=lambda one: (one.parent == taken, one.name)):
        copy = into / picture.relative_to(taken)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(picture, copy)
        copies.append(copy)
    (into / "index.html").write_text(page_of([one.relative_to(into) for one in copies]), encoding="utf-8")
    return copies


def page_of(names: list[Path]) -> str:
    """The page: what was seen when a journey failed comes first."""
    failed = [name for name in names if name.parent.name == "failed"]
    parts = [_section("What everybody saw when a journey failed", failed)] if failed else []
    parts.append(_section("What the journeys show", [name for name in names if name not in failed]))
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>Browser journeys</title>\n<style>{_STYLE}</style>\n'
        f"<h1>Browser journeys: {len(names)} pictures</h1>\n{''.join(parts)}</html>\n"
    )


def _section(title: str, names: list[Path]) -> str:
    figures = (
        f'<li><figure><a href="{quote(name.as_posix())}"><img src="{quote(name.as_posix())}" alt="{escape(name.stem)}"></a>'
        f"<figcaption>{escape(name.stem)}</figcaption></figure></li>\n"
        for name in names
    )
    return f"<h2>{escape(title)}</h2>\n<ul>\n{''.join(figures)}</ul>\n"


def draw_contact_sheet(folder: Path) -> Path | None:
    """The page itself as one picture; None where there is no browser to draw it."""
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if browser is None:
        return None
    from playwright.sync_api import sync_playwright

    sheet = folder / "contact-sheet.jpg"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        page = chromium.new_page(viewport={"width": 1600, "height": 900})
        page.goto((folder / "index.html").as_uri())
        page.screenshot(path=sheet, type="jpeg", quality=70, full_page=True)
        chromium.close()
    return sheet


def main() -> None:
    into = destination(dict(os.environ))
    copies = collect(TAKEN, into)
    sheet = draw_contact_sheet(into) if copies else None
    print(f"{len(copies)} pictures in {into}{'' if sheet else ' (no contact sheet)'}")


if __name__ == "__main__":
    main()
