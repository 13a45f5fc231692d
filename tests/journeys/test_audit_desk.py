"""An auditor searches the trail, proves a turn in the browser, takes a bundle out and has it checked elsewhere."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import Desk, shot
from tests.journeys.people import REPLY_MS, NewContext, at_work
from tests.journeys.test_accessibility import violations

pytestmark = [pytest.mark.browser]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_auditor_finds_proves_and_hands_out(
    desk: Desk, new_context: NewContext, tmp_path: Path, language: str
) -> None:
    page = at_work(new_context, desk, language, "auditor@kite.example").page
    page.get_by_test_id("page-audit").click()
    expect(page.get_by_test_id("audit-entry").first).to_be_visible(timeout=REPLY_MS)
    page.get_by_test_id("audit-words").fill("return_refund")
    page.get_by_test_id("audit-search").click()
    expect(page.get_by_test_id("audit-looked")).to_be_visible(timeout=REPLY_MS)
    turn = page.get_by_test_id("audit-entry").filter(has_text='"turn"').first
    expect(turn).to_be_visible(timeout=REPLY_MS)
    shot(page, f"audit-search-{language}")
    assert violations(page) == []

    turn.get_by_test_id("entry-proof").click()
    expect(page.get_by_test_id("proof-entry")).to_have_class("yes", timeout=REPLY_MS)
    expect(page.get_by_test_id("compared-text")).to_be_visible()
    shot(page, f"audit-proof-{language}")
    page.keyboard.press("Escape")

    page.get_by_test_id("audit-clear").click()
    page.get_by_test_id("audit-export").click()
    fingerprint = page.get_by_test_id("audit-fingerprint")
    expect(fingerprint).to_have_text(fingerprint_text(desk))
    shot(page, f"audit-export-{language}")
    with page.expect_download() as started:
        page.get_by_test_id("audit-download").click()
    file = tmp_path / "bundle.zip"
    started.value.save_as(file)
    script = tmp_path / "verify_bundle.py"
    with zipfile.ZipFile(file) as archive:
        script.write_bytes(archive.read("verify_bundle.py"))
    ran = subprocess.run(
        [sys.executable, "-I", str(script), str(file), "--fingerprint", fingerprint_text(desk)],
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )
    assert (ran.returncode, ran.stdout[:3]) == (0, "ok:"), ran.stdout


def fingerprint_text(desk: Desk) -> str:
    """The fingerprint as the operator of the desk reads it, not as the page says it."""
    from conversations.audit_bundle import fingerprint_of
    from conversations.audit_check import signing_key

    return fingerprint_of(signing_key(desk.data_dir))
