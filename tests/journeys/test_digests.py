"""A supervisor has figures sent to the company's own program: written, looked at, sent, changed and deleted again."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Locator, Page, expect
from standardwebhooks.webhooks import Webhook

from tests.doubles.vendor_server import Answer, Call, serving
from tests.journeys.conftest import Desk, running_desk, shot
from tests.journeys.people import GRACE, REPLY_MS, NewContext, at_work
from tests.journeys.test_accessibility import violations

pytestmark = [pytest.mark.browser]
PHONE = {"width": 390, "height": 844}
SCHEME = {"zh": "light", "en": "dark"}
SAID = {
    "zh": {
        "none": "还没有定期摘要", "name": "周一例会", "weekly": "每周 · 周二 · 09:30", "taken": "已送达", "sent": "摘要已发送",
        "busy": "对方返回 HTTP 503", "refused": "对方没有接收", "off": "已停用", "sure": "删除“周一例会（新）”", "new": "周一例会（新）",
        "clock": "时间", "rhythm": "频率", "weekday": "星期", "active": "按时自动发送", "figure": "会话数", "smtp": "SMTP_URL",
        "inside": "这个地址在内部网络", "url": "这不是有效的网址", "port": "443 或 8443", "user": "不能带用户名或密码",
        "changed": "这期间有同事改过", "theirs": "同事改的", "silent": "没有响应",
    },
    "en": {
        "none": "There is no digest yet", "name": "Monday meeting", "weekly": "Weekly · Tuesday · 09:30", "taken": "taken", "sent": "The digest was sent",
        "busy": "the other side answered HTTP 503", "refused": "It was not taken", "off": "Switched off", "sure": "Delete “Monday meeting (new)”", "new": "Monday meeting (new)",
        "clock": "At", "rhythm": "How often", "weekday": "On", "active": "Send it by itself", "figure": "Conversations", "smtp": "SMTP_URL",
        "inside": "leads into a private network", "url": "This is not a web address", "port": "443 or 8443", "user": "must not hold a user name",
        "changed": "A colleague saved this meanwhile", "theirs": "changed by a colleague", "silent": "did not answer",
    },
}  # fmt: skip


@dataclass
class Program:
    """The company's own program, on loopback beside the desk."""

    url: str = ""
    calls: list[Call] = field(default_factory=list)
    busy: bool = False

    async def handle(self, call: Call) -> Answer:
        self.calls.append(call)
        return Answer(status=503 if self.busy else 200)


@pytest.fixture(scope="module")
def program() -> Iterator[Program]:
    found, loop, ready = Program(), asyncio.new_event_loop(), threading.Event()
    over = asyncio.Event()

    async def serve() -> None:
        async with serving(found.handle) as base:
            found.url = f"{base}/digests"
            ready.set()
            await over.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert ready.wait(20)
    yield found
    loop.call_soon_threadsafe(over.set)
    thread.join(20)
    loop.close()


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk as it comes: nothing is posted inside of networks."""
    with running_desk(tmp_path_factory.mktemp("digests"), PRIVATE_WEBHOOKS="false") as desk:
        yield desk


def opened(page: Page, url: str) -> Locator:
    page.goto(f"{url}/staff/#/reports")
    page.get_by_test_id("report-digests").click()
    dialog = page.locator(".el-dialog:visible")
    expect(dialog.get_by_test_id("digest-add")).to_be_visible(timeout=REPLY_MS)
    expect(dialog.locator("[aria-busy=true]")).to_have_count(0)
    return dialog


def labelled(dialog: Locator, words: str, field: str) -> Locator:
    """The field in the label that begins with these words; the words of its options belong to the label, too."""
    return dialog.locator("label").filter(has_text=re.compile(rf"^\s*{words}")).locator(field)


def write(dialog: Locator, name: str, address: str) -> None:
    dialog.get_by_test_id("digest-add").click()
    dialog.get_by_test_id("digest-name").fill(name)
    way = dialog.get_by_test_id("digest-way")
    if way.input_value() != "webhook":
        way.select_option("webhook")
    dialog.get_by_test_id("digest-addresses").fill(address)


def save(page: Page, dialog: Locator) -> None:
    dialog.get_by_test_id("digest-save").click()
    expect(dialog.get_by_test_id("digest-save")).to_have_count(0, timeout=REPLY_MS)
    page.locator(".el-message").first.wait_for(state="hidden", timeout=REPLY_MS)


def one_of(dialog: Locator, name: str) -> Locator:
    return dialog.get_by_test_id("digest").filter(has_text=name)


def told(page: Page, words: str) -> None:
    """A message said so and is gone again."""
    message = page.locator(".el-message").filter(has_text=words)
    expect(message).to_be_visible(timeout=REPLY_MS)
    message.wait_for(state="hidden", timeout=REPLY_MS)


def delete(page: Page, digest: Locator) -> None:
    digest.get_by_test_id("digest-remove").click()
    page.locator(".el-message-box:visible .el-button--primary").click()
    expect(digest).to_have_count(0, timeout=REPLY_MS)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_figures_reach_the_companys_program_signed(
    desk: Desk, program: Program, new_context: NewContext, language: str
) -> None:
    says = SAID[language]
    program.calls.clear()
    program.busy = False
    page = at_work(new_context, desk, language, GRACE, color_scheme=SCHEME[language]).page
    dialog = opened(page, desk.url)
    expect(dialog).to_contain_text(says["none"])
    assert violations(page, dialog) == []
    shot(page, f"digests-none-{language}")

    # written: this desk has no mail server and says so; every week on Tuesday at half past nine
    write(dialog, says["name"], program.url)
    expect(dialog.get_by_test_id("digest-no-mail")).to_contain_text(says["smtp"])
    labelled(dialog, says["rhythm"], "select").select_option("weekly")
    labelled(dialog, says["weekday"], "select").select_option("2")
    labelled(dialog, says["clock"], "input[type=time]").fill("09:30")
    secret = dialog.locator(".secret code").inner_text()
    assert secret.startswith("whsec_")

    # looked at before anything is sent
    dialog.get_by_test_id("digest-see").click()
    preview = dialog.get_by_test_id("digest-preview")
    expect(preview).to_contain_text("report.digest", timeout=REPLY_MS)
    assert violations(page, dialog) == []
    preview.scroll_into_view_if_needed()
    shot(page, f"digests-preview-{language}")
    promised = json.loads(preview.locator("pre").inner_text())
    dialog.locator("form").evaluate("(it) => it.scrollIntoView()")
    shot(page, f"digests-form-{language}")
    assert program.calls == []
    save(page, dialog)
    digest = one_of(dialog, says["name"])
    expect(digest).to_contain_text(says["weekly"])
    expect(digest.locator(".what")).to_contain_text(re.compile(r"(Next: |下次：).*09:30"))  # by the clock of the desk

    # sent now: signed, and the very figures of the preview
    digest.get_by_test_id("digest-send").click()
    told(page, says["sent"])
    [call] = program.calls
    body = Webhook(secret).verify(call.body, call.headers)
    assert body["type"] == "report.digest"
    assert body["figures"] == promised["figures"]
    expect(digest.locator("summary")).to_contain_text(says["taken"])

    # a program that is busy is told of in words
    program.busy = True
    digest.get_by_test_id("digest-send").click()
    told(page, says["refused"])
    expect(digest.locator("details")).to_contain_text(says["busy"])
    assert violations(page, dialog) == []
    shot(page, f"digests-not-taken-{language}")

    # changed, switched off, deleted
    digest.get_by_test_id("digest-edit").click()
    dialog.get_by_test_id("digest-name").fill(says["new"])
    dialog.get_by_role("switch", name=says["active"]).locator("..").click()
    save(page, dialog)
    digest = one_of(dialog, says["new"])
    expect(digest).to_contain_text(says["off"])
    digest.get_by_test_id("digest-remove").click()
    box = page.locator(".el-message-box:visible")
    expect(box).to_contain_text(says["sure"])
    assert violations(page, box) == []
    shot(page, f"digests-delete-{language}")
    box.locator(".el-button--primary").click()
    expect(dialog).to_contain_text(says["none"], timeout=REPLY_MS)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_cannot_be_is_refused_in_the_readers_words(strict: Desk, new_context: NewContext, language: str) -> None:
    says = SAID[language]
    page = at_work(new_context, strict, language, GRACE).page
    dialog = opened(page, strict.url)
    write(dialog, says["name"], "https://hooks.example.invalid/digests")
    for address, words in (
        ("https://127.0.0.1/digests", says["inside"]),
        ("https://", says["url"]),
        ("https://hooks.example:8000/digests", says["port"]),
        ("https://me:secret@hooks.example/digests", says["user"]),
        ("http://hooks.example/digests", "https://"),
    ):
        dialog.get_by_test_id("digest-addresses").fill(address)
        dialog.get_by_test_id("digest-save").click()
        expect(dialog.get_by_role("alert")).to_contain_text(words, timeout=REPLY_MS)
    shot(page, f"digests-refused-{language}")
    dialog.get_by_test_id("digest-addresses").fill("https://hooks.example.invalid/digests")
    save(page, dialog)

    # nobody is there under that address
    one_of(dialog, says["name"]).get_by_test_id("digest-send").click()
    expect(one_of(dialog, says["name"]).locator("details")).to_contain_text(says["silent"], timeout=REPLY_MS)

    # a colleague was quicker: nothing of theirs is overwritten, and the list shows it
    other = at_work(new_context, strict, language, "admin@kite.example").page
    theirs = opened(other, strict.url)
    one_of(dialog, says["name"]).get_by_test_id("digest-edit").click()
    one_of(theirs, says["name"]).get_by_test_id("digest-edit").click()
    theirs.get_by_test_id("digest-name").fill(says["theirs"])
    save(other, theirs)
    dialog.get_by_test_id("digest-save").click()
    expect(dialog.get_by_role("alert")).to_contain_text(says["changed"], timeout=REPLY_MS)
    dialog.get_by_test_id("digest-back").click()
    expect(one_of(dialog, says["theirs"])).to_be_visible(timeout=REPLY_MS)
    delete(page, one_of(dialog, says["theirs"]))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_on_a_telephone_nothing_of_it_is_wider_than_the_screen(
    desk: Desk, new_context: NewContext, language: str
) -> None:
    says = SAID[language]
    page = at_work(new_context, desk, language, GRACE, viewport=PHONE, has_touch=True, is_mobile=True).page
    dialog = opened(page, desk.url)
    write(
        dialog,
        says["name"],
        "https://hooks.example.invalid/digests/with/a/very/long/address?token=0123456789abcdef0123456789",
    )
    dialog.get_by_test_id("digest-see").click()
    expect(dialog.get_by_test_id("digest-preview")).to_be_visible(timeout=REPLY_MS)
    fits(page, dialog)
    shot(page, f"digests-narrow-form-{language}")
    save(page, dialog)
    expect(one_of(dialog, says["name"])).to_be_visible()
    fits(page, dialog)
    shot(page, f"digests-narrow-{language}")
    delete(page, one_of(dialog, says["name"]))


def fits(page: Page, dialog: Locator) -> None:
    assert dialog.evaluate("(it) => it.getBoundingClientRect().right <= innerWidth && it.scrollWidth <= it.clientWidth")
    assert violations(page, dialog) == []
