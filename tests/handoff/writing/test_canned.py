"""Canned replies: who keeps them, how they are filled, and how they travel in files."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.model import utc_now
from conversations.store import Database
from crm.demo import load_demo
from handoff.roles import Role
from handoff.store import StaffStore
from handoff.writing.canned import (
    SHARED,
    VARIABLES,
    BadCanned,
    CannedDraft,
    checked,
    fill,
    pinyin_keys,
    still_unfilled,
)
from handoff.writing.canned_csv import read, written
from handoff.writing.canned_store import CannedStore
from handoff.writing.demo_writing import ensure_demo_writing
from tests.handoff.desk import Browser, Desk

HELLO = {
    "shortcut": "hi",
    "title_zh": "退款进度",
    "title_en": "Refund progress",
    "text_zh": "您好，{{contact.name|您}}！",
    "text_en": "Hello {{contact.name|there}}!",
}


async def added(browser: Browser, **more: object) -> str:
    response = await browser.post("canned", {**HELLO, **more})
    assert response.status_code == 201, response.text
    return str(response.json()["canned"]["id"])


# -- texts


def test_what_is_known_is_filled_what_is_not_has_its_fallback_or_stays_visible() -> None:
    filled = fill(
        "Dear {{contact.name|customer}}, {{ order.number }} is {{order.status}}. {{order.status}}!",
        {"contact.name": None, "order.number": "KT20260001", "order.status": ""},
    )
    assert filled.text == "Dear customer, KT20260001 is {{order.status}}. {{order.status}}!"
    assert filled.unfilled == ("order.status",)
    assert still_unfilled(filled.text) == ("order.status",)
    assert still_unfilled("a {{nobody.knows}} b {{") == ()


@given(
    values=st.dictionaries(st.sampled_from(VARIABLES), st.text(max_size=20).filter(lambda t: "{" not in t)),
    names=st.lists(st.sampled_from(VARIABLES), max_size=6),
    between=st.text(max_size=10),
)
def test_filling_leaves_exactly_the_variables_without_a_value(
    values: dict[str, str], names: list[str], between: str
) -> None:
    between = between.replace("{", "").replace("}", "")
    text = between.join(f"{{{{{name}}}}}" for name in names)
    filled = fill(text, values)
    assert set(filled.unfilled) == {name for name in names if not values.get(name)}
    assert set(still_unfilled(filled.text)) == set(filled.unfilled)


@pytest.mark.parametrize(
    ("draft", "code"),
    [
        (CannedDraft("", "a", "", "b"), "shortcut"),
        (CannedDraft("a b", "a", "", "b"), "shortcut"),
        (CannedDraft("ok", "", "", "b"), "title"),
        (CannedDraft("ok", "a", "", ""), "text"),
        (CannedDraft("ok", "a" * 81, "", "b"), "too_long"),
        (CannedDraft("ok", "a", "", "{{order.nubmer}}"), "variable"),
    ],
)
def test_a_bad_draft_is_refused_with_its_reason(draft: CannedDraft, code: str) -> None:
    with pytest.raises(BadCanned) as refused:
        checked(draft)
    assert refused.value.code == code


def test_a_chinese_title_is_found_by_pinyin_and_initials() -> None:
    assert pinyin_keys("银行退款") == "yinhangtuikuan yhtk"
    assert pinyin_keys("Refund") == ""
    assert checked(CannedDraft("/退款_2", "", "t", "x")).shortcut == "退款_2"


# -- the store, on both databases


async def test_members_see_their_own_and_everybodys_and_count_uses(database: Database, store: StaffStore) -> None:
    canned, now = CannedStore(database), utc_now()
    await canned.add(SHARED, CannedDraft("a", "", "A", "", "shared"), "Grace", now)
    mine = await canned.add("1" * 32, CannedDraft("a", "", "A", "", "mine"), "Chen", now)
    with pytest.raises(BadCanned, match="/a"):
        await canned.add("1" * 32, CannedDraft("a", "", "B", "", "again"), "Chen", now)
    await canned.count_use(mine.id, now)
    assert [one.text_en for one in await canned.visible_to("1" * 32)] == ["mine", "shared"]
    assert [one.text_en for one in await canned.visible_to("2" * 32)] == ["shared"]
    assert await canned.find(mine.id, "2" * 32) is None
    assert (await canned.visible_to("1" * 32))[0].uses == 1
    drafts = [CannedDraft("a", "", "A", "", "shared"), CannedDraft("b", "", "B", "", "new")]
    assert await canned.take_in(SHARED, drafts, "Grace", now) == (1, 0, 1)
    assert await canned.take_in(SHARED, [CannedDraft("b", "", "B", "", "newer")], "Grace", now) == (0, 1, 0)
    assert await canned.remove(mine.id)
    assert not await canned.remove(mine.id)


# -- files


def test_a_file_comes_back_as_it_was_and_no_cell_is_a_formula() -> None:
    from handoff.writing.canned import CannedReply

    reply = CannedReply("1", "", "sum", "=1+1", "-x", "第一行\n第二行, “引号”", '+49 "tel"', 0, None, utc_now(), "G")
    content = written([reply])
    assert content.startswith(b"\xef\xbb\xbf")
    cells = next(csv.reader(io.StringIO(content.decode("utf-8-sig").split("\r\n", 1)[1], newline="")))
    assert not any(cell.startswith(("=", "+", "-")) for cell in cells)
    drafts, problems = read(content)
    assert problems == []
    assert drafts == [CannedDraft("sum", "=1+1", "-x", "第一行\n第二行, “引号”", '+49 "tel"')]


def test_a_spreadsheet_saved_in_a_chinese_encoding_is_read() -> None:
    drafts, problems = read("shortcut,title_zh,text_zh\r\ntk,退款,三天到账\r\n".encode("gb18030"))
    assert (drafts, problems) == ([CannedDraft("tk", "退款", "", "三天到账")], [])


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", 1),
        (b"name,text\na,b\n", 1),
        (b"shortcut,text_en\n", 2),
        (b"shortcut,title_en,text_en\nok,T,x\nbad one,T,x\n", 3),
        (b"shortcut,title_en,text_en\nok,T,x\nok,T,y\n", 3),
        (b"\x00\xff\xfe", 1),
    ],
)
def test_what_is_wrong_with_a_file_is_said_by_line(content: bytes, line: int) -> None:
    assert read(content)[1][0].line == line


# -- the API


async def test_agents_keep_their_own_and_supervisors_everybodys(desk: Desk) -> None:
    chen, sam = await desk.browser("Chen Yu"), await desk.browser("Sam")
    grace = await desk.browser("Grace", Role.SUPERVISOR)
    refused = await chen.post("canned", {**HELLO, "shared": True})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "forbidden")
    shared, mine = await added(grace, shared=True), await added(chen)
    assert {one["id"] for one in (await chen.get("canned")).json()["canned"]} == {shared, mine}
    assert [one["id"] for one in (await sam.get("canned")).json()["canned"]] == [shared]
    assert (await sam.post(f"canned/{mine}", HELLO)).status_code == 404
    assert (await chen.post(f"canned/{shared}", HELLO)).status_code == 403
    assert (await chen.post(f"canned/{shared}/delete")).status_code == 403
    again = await chen.post("canned", HELLO)
    assert (again.status_code, again.json()["error"]["code"]) == (409, "canned_exists")
    wrong = await chen.post("canned", {**HELLO, "shortcut": "x", "text_en": "{{order.price}}"})
    assert (wrong.status_code, wrong.json()["error"]["detail"]) == (400, "order.price")
    changed = await chen.post(f"canned/{mine}", {**HELLO, "title_en": "Changed"})
    assert changed.json()["canned"]["title_en"] == "Changed"
    assert (await grace.post(f"canned/{shared}/delete")).status_code == 200
    assert (await chen.post(f"canned/{mine}/delete")).status_code == 200
    assert (await chen.get("canned")).json()["canned"] == []


async def test_inserting_fills_in_what_is_known_in_the_contacts_language_and_counts(desk: Desk) -> None:
    from datetime import date

    await load_demo(desk.crm, date(2026, 11, 29))
    order = await desk.crm.find_order("KT20260001")
    assert order is not None
    chen = await desk.browser("Chen Yu 陈雨")
    text = "{{contact.name}}，{{order.number}}{{order.status}}，{{ticket.number}}，{{agent.name}}，{{date.tomorrow}}"
    canned_id = await added(chen, text_zh=text)
    conversation_id = await desk.queued("我的 KT20260001呢", customer_id=order.customer_id)
    filled = (await chen.post(f"conversations/{conversation_id}/canned/{canned_id}")).json()
    assert "KT20260001" in filled["text"]
    assert "陈雨" in filled["text"]
    assert "Chen Yu" not in filled["text"]
    assert "月" in filled["text"]
    assert filled["unfilled"] in ([], ["ticket.number"])
    stranger = await desk.queued("转人工", contact="nobody", name=None)
    empty = (await chen.post(f"conversations/{stranger}/canned/{canned_id}")).json()
    assert empty["unfilled"] == ["contact.name", "order.number", "order.status", "ticket.number"]
    assert (await chen.get("canned")).json()["canned"][0]["uses"] == 2


async def test_a_reply_with_an_unfilled_variable_is_not_sent(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    conversation_id = await desk.assigned_to(chen)
    body = {"text": "Order {{order.number}} is here", "client_msg_id": "m1"}
    refused = await chen.post(f"conversations/{conversation_id}/reply", body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "unfilled_variables")
    assert not any("is here" in text for text in await desk.contact_sees())


async def test_files_are_written_and_read_whole_or_not_at_all(desk: Desk) -> None:
    grace = await desk.browser("Grace", Role.SUPERVISOR)
    await added(grace, shared=True)
    content = (await grace.get("canned/export", shared="true")).content
    lines = content.decode("utf-8-sig").replace("Hello", "Good day")

    async def send(browser: Browser, data: bytes, shared: bool) -> dict[str, object]:
        response = await browser.http.post(
            "/staff/api/canned/import",
            files={"file": ("canned.csv", data, "text/csv")},
            data={"shared": "true" if shared else "false"},
            headers={"X-CSRF-Token": browser.csrf},
        )
        return {"status": response.status_code, **response.json()}

    done = await send(grace, f"{lines}bye,再见,Bye,再见！,Goodbye!\r\n".encode(), True)
    assert (done["added"], done["changed"], done["problems"]) == (1, 1, [])
    broken = await send(grace, f"{lines}x,标题,T,{{{{bad.name}}}},y\r\nnew,新,N,新,new\r\n".encode(), True)
    assert broken["added"] == 0
    assert broken["problems"]
    assert len((await grace.get("canned")).json()["canned"]) == 2
    chen = await desk.browser("Chen Yu")
    assert (await send(chen, lines.encode(), True))["status"] == 403
    assert (await send(chen, lines.encode(), False))["added"] == 1


async def test_the_demo_has_canned_replies_in_both_languages_and_macros_that_work(desk: Desk) -> None:
    await ensure_demo_writing(desk.side)
    await ensure_demo_writing(desk.side)
    replies = await desk.side.canned.visible_to(SHARED)
    assert len(replies) >= 10
    assert all(one.text_zh and one.text_en and one.title_zh and one.title_en for one in replies)
    assert len(await desk.side.macros.visible_to(SHARED)) == 4
