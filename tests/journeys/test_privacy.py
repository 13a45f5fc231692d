"""A supervisor hands out a copy of everything known of a contact, and erases them for good."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import Desk, shot
from tests.journeys.people import REPLY_MS, NewContext, at_work
from tests.journeys.test_accessibility import violations
from tests.journeys.test_organise import row_of, writes

pytestmark = [pytest.mark.browser]
SAID = {
    "en": ("talk to a human", "My old address is 5 Quayside Lane", "Rowan Idle", "Erased here"),
    "zh": ("转人工", "我以前住在青石巷五号", "林听雨", "这里的内容已删除"),
}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_contact_gets_a_copy_and_is_forgotten(
    desk: Desk, new_context: NewContext, language: str, tmp_path: Path
) -> None:
    ask, words, name, working = SAID[language]
    address = f"forgotten-{language}"
    writes(desk, address, ask, language, name)
    writes(desk, address, words, language, name)
    boss = at_work(new_context, desk, language, "supervisor@kite.example")
    page = boss.page
    page.get_by_test_id("view-queued").click()
    row_of(page, name).click()
    boss.accept()
    boss.resolve()
    page.get_by_test_id("contact-privacy").click()
    dialog = page.locator(".el-dialog:visible")
    with page.expect_download() as downloading:
        dialog.get_by_test_id("privacy-export").click()
    file = tmp_path / "contact.zip"
    downloading.value.save_as(file)
    archive = zipfile.ZipFile(file)
    said = "".join(archive.read(one).decode() for one in archive.namelist() if one.startswith("conversations/"))
    assert words in said
    shot(page, f"9-privacy-{language}")
    assert violations(page, dialog) == []

    expect(dialog.get_by_test_id("privacy-erase")).to_be_disabled()
    dialog.get_by_test_id("privacy-sure").check()
    dialog.get_by_test_id("privacy-erase").click()
    expect(dialog.get_by_test_id("privacy-receipt")).to_contain_text(working, timeout=REPLY_MS)
    expect(page.get_by_text(words)).to_have_count(0, timeout=REPLY_MS)  # at once, also behind the dialog
    shot(page, f"9-privacy-erased-{language}")
    assert violations(page, dialog) == []
    page.keyboard.press("Escape")
    page.reload()
    expect(page.get_by_test_id("view-all")).to_be_visible(timeout=REPLY_MS)
    expect(page.get_by_text(words)).to_have_count(0)
    expect(page.get_by_text(name)).to_have_count(0)
