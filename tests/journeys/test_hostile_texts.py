"""Customers write whatever could run as a script into every field; staff and the chat only ever show it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from connectors.mail_html import text_of
from tests.hostile_texts import ALL, BREAKOUTS, HANDLERS, STYLES, batches
from tests.journeys.conftest import Desk
from tests.journeys.people import REPLY_MS, Agent, Visitor
from tests.journeys.staff_api import Staff
from tests.journeys.test_organise import row_of, writes
from tests.pictures import PNG

pytestmark = [pytest.mark.browser]

#: Runs before every page: whatever is run by a text of somebody else calls ``pwn``.
TRAP = """
window.pwn = () => window.__told('a script ran');
for (const name of ['alert', 'confirm', 'prompt', 'print']) window[name] = () => window.__told(name);
document.addEventListener('securitypolicyviolation', (event) =>
  window.__told(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""
#: Looks through the page, also inside of the chat, for what no text may become.
FOREIGN = """() => {
  const found = [], places = [document];
  while (places.length) for (const one of places.pop().querySelectorAll('*')) {
    if (one.shadowRoot) places.push(one.shadowRoot);
    for (const { name, value } of one.attributes) {
      if (name.startsWith('on')) found.push(`${one.tagName} ${name}=${value}`);
      if (/^(href|src|action|formaction|data|xlink:href|srcset|poster)$/.test(name)) {
        let protocol = 'unreadable:';
        try { protocol = new URL(value, location.href).protocol } catch { /* stays */ }
        if (!/^(https?|mailto|tel|blob|data):$/.test(protocol)) found.push(`${one.tagName} ${name}=${value}`);
        if (/^data:text|evil/.test(value) && one.tagName !== 'A') found.push(`${one.tagName} ${name}=${value}`);
      }
    }
    if (/^(IFRAME|OBJECT|EMBED|BASE|MARQUEE|MATH|FOREIGNOBJECT|ANIMATE|APPLET)$/i.test(one.tagName)) found.push(one.tagName);
    if (one.tagName === 'SCRIPT' && one.src && new URL(one.src).origin !== location.origin) found.push(one.outerHTML);
  }
  return found;
}"""


#: Names of files a visitor chooses, and some texts that must be readable as they are.
NAMES = ('x" onerror="pwn().png', "<svg onload=pwn()>.png", "javascript:pwn().png", "a\u202egnp.pwn()")
SHOWN_AS_THEY_ARE = (HANDLERS[0], BREAKOUTS[0], "javascript:pwn()", "{{pwn()}}")


class Watch:
    """Everything that happened in a browser and should not have."""

    def __init__(self, context: BrowserContext, url: str, seen: list[str] | None = None) -> None:
        self.seen: list[str] = [] if seen is None else seen
        self._host = urlsplit(url).netloc
        context.expose_function("__told", lambda what: self.seen.append(str(what)))
        context.add_init_script(TRAP)
        context.on("request", self._request)
        context.on("dialog", lambda dialog: (self.seen.append(f"dialog {dialog.message}"), dialog.dismiss()))
        context.on("page", self._page)

    def _page(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.seen.append(f"error {error}"))
        page.on("popup", lambda popup: self.seen.append(f"window {popup.url}"))
        page.on(
            "console",
            lambda said: self.seen.append(said.text) if "Content Security Policy" in said.text else None,
        )

    def _request(self, request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.netloc != self._host:
            self.seen.append(f"request {request.url}")


@pytest.fixture
def watched(browser: Browser, desk: Desk) -> Iterator[tuple[Page, Page, Watch]]:
    """A visitor's and an agent's page with one watch over both."""
    contexts = [browser.new_context(viewport={"width": 1360, "height": 860}, locale="en-GB") for _ in range(2)]
    watch = Watch(contexts[0], desk.url)
    Watch(contexts[1], desk.url, watch.seen)
    yield contexts[0].new_page(), contexts[1].new_page(), watch
    for context in contexts:
        context.close()


def test_the_watch_notices_scripts_violations_and_requests(browser: Browser, desk: Desk) -> None:
    """F34, for the test itself: what it looks for is seen when it does happen."""
    context = browser.new_context()
    watch = Watch(context, desk.url)
    page = context.new_page()
    page.set_content("<p>a page without a policy</p>")
    page.evaluate("document.body.innerHTML = '<img src=x:y onerror=pwn()><img src=https://evil.example/a.gif>'")
    page.wait_for_timeout(500)
    assert "a script ran" in watch.seen
    assert any("request https://evil.example" in one for one in watch.seen)
    page.goto(f"{desk.url}/staff/")
    page.evaluate(
        "document.body.insertAdjacentHTML('beforeend', '<img src=x:y onerror=pwn()><a href=javascript:pwn()>x</a>')"
    )
    page.wait_for_timeout(500)
    assert any(one.startswith("script-src") for one in watch.seen)
    assert len(page.evaluate(FOREIGN)) >= 2
    context.close()


def test_nothing_that_customers_write_runs_at_staff_or_in_the_chat(
    desk: Desk, watched: tuple[Page, Page, Watch]
) -> None:
    """F34: more than two hundred texts through message, nickname, file name, mail, rating, note, label and canned reply."""
    assert len(set(ALL)) >= 200
    shop, console, watch = watched
    mark = f"KT{time.time_ns() % 10**8:08d}"

    # A visitor writes all of them, and sends files that are called like them.
    visitor = Visitor(shop, "en")
    visitor.arrive(desk.url)
    visitor.say("human please")
    for number, batch in enumerate(batches()):
        visitor.say_unheard(f"{batch}{mark} {number}")
    for number, name in enumerate(NAMES):
        shop.locator("frontdesk-chat input[type=file]").set_input_files(
            [{"name": name, "mimeType": "image/png", "buffer": PNG}]
        )
        expect(visitor.chat.locator(".chip.done")).to_be_visible(timeout=REPLY_MS)
        visitor.say_unheard(f"{mark} file {number}")
    # Others are called like them, and their mails are made of them.
    called = [f"{name[:110]} {mark}" for name in (*HANDLERS[:3], *BREAKOUTS[:3], *STYLES[2:4])]
    for number, name in enumerate(called):
        writes(desk, f"hostile-{number}", "talk to a human", "en", name, wait_seconds=0)
    mail = "\n".join(f"{text_of(f'<h1>{one}</h1>{one}')} {one}" for one in ALL)
    for start in range(0, len(mail), 3_900):
        writes(desk, "hostile-0", mail[start : start + 3_900], "en", called[0], wait_seconds=0)

    # Staff see them, and write some themselves.
    agent = Agent(console)
    agent.sign_in(desk.url, "supervisor@kite.example", desk.password)
    agent.open_waiting(f"{mark} file {len(NAMES) - 1}")
    agent.accept()
    conversation = console.evaluate("location.hash").split("/")[2]
    staff = Staff(desk.url, desk.password)
    for number, batch in enumerate(batches()):
        staff.does(
            f"conversations/{conversation}/reply", text=f"{batch}{mark} reply {number}", client_msg_id=f"r{number}"
        )
        staff.does(f"conversations/{conversation}/note", text=f"{batch}{mark} note {number}")
    for number, one in enumerate(ALL[::25]):
        staff.does("canned", shortcut=f"pwn{number}", title_en=one[:80], text_en=one, shared=True)
        staff.does("labels", title=f"{one[:20]}{number}")
    expect(agent.bubbles(f"{mark} reply {len(batches()) - 1}")).to_be_visible(timeout=REPLY_MS)
    expect(agent.bubbles(f"{mark} note {len(batches()) - 1}")).to_be_visible(timeout=REPLY_MS)
    assert all(one.strip() in shown_in(console, "[role=log]") for one in SHOWN_AS_THEY_ARE)
    expect(visitor.people_said.filter(has_text=f"{mark} reply")).to_have_count(len(batches()), timeout=REPLY_MS)
    agent.composer.fill("/pwn")
    console.wait_for_timeout(500)
    assert console.evaluate(FOREIGN) == []
    agent.composer.fill("")
    agent.resolve()
    visitor.rate(1, "".join(BREAKOUTS))
    for name in called:
        console.get_by_test_id("view-queued").click()
        row_of(console, name[:20].strip()).click()
        expect(console.get_by_test_id("details")).to_be_visible(timeout=REPLY_MS)
        expect(console.locator("[role=log] .bubble").first).to_be_visible(timeout=REPLY_MS)
        assert console.evaluate(FOREIGN) == []
    for page in ("search", "canned", "ratings", "rules", "teams"):
        console.goto(f"{desk.url}/staff/#/{page}")
        expect(console.locator("main")).to_be_visible()
        expect(console.locator("[aria-busy=true]")).to_have_count(0, timeout=REPLY_MS)
        assert console.evaluate(FOREIGN) == []
    assert shop.evaluate(FOREIGN) == []
    assert watch.seen == []


def shown_in(page: Page, place: str) -> str:
    return str(page.locator(place).first.inner_text())
