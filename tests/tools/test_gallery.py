"""CI keeps what the journeys have seen."""

from __future__ import annotations

from pathlib import Path

import yaml

from tools import gallery


def picture(folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(b"png")


def test_every_picture_is_kept_with_its_name_and_failures_come_first(tmp_path: Path) -> None:
    taken, kept = tmp_path / "taken", tmp_path / "kept"
    for name in ("b.png", "a<1>.png", "failed/test_x-1.png", "notes.txt"):
        picture(taken, name)
    picture(kept, "of-an-earlier-run.png")
    copies = gallery.collect(taken, kept)
    assert [one.relative_to(kept).as_posix() for one in copies] == ["failed/test_x-1.png", "a<1>.png", "b.png"]
    page = (kept / "index.html").read_text()
    assert page.index("test_x-1") < page.index("a&lt;1&gt;") < page.index("b.png")
    assert 'src="a%3C1%3E.png"' in page
    assert not (kept / "of-an-earlier-run.png").exists()


def test_a_run_without_pictures_says_so(tmp_path: Path) -> None:
    assert gallery.collect(tmp_path / "nothing", tmp_path / "kept") == []
    assert "0 pictures" in (tmp_path / "kept" / "index.html").read_text()


def test_the_ci_system_names_the_folder_and_the_checkout_is_the_default() -> None:
    assert gallery.destination({}) == gallery.ROOT / "artifacts" / "screenshots"
    assert gallery.destination({"CI_ARTIFACTS_DIR": ""}) == gallery.ROOT / "artifacts" / "screenshots"
    assert gallery.destination({"CI_ARTIFACTS_DIR": "/kept"}) == Path("/kept/screenshots")


def test_the_workflow_uploads_the_folder_also_after_a_failure() -> None:
    workflow = yaml.safe_load((gallery.ROOT / ".github" / "workflows" / "ci.yml").read_text())
    steps = workflow["jobs"]["test"]["steps"]
    upload = next(step for step in steps if step.get("uses", "").startswith("actions/upload-artifact@"))
    assert upload["if"] == "always()"
    assert gallery.ROOT / upload["with"]["path"] == gallery.destination({})
    assert any(".ci/run" in step.get("run", "") for step in steps)
