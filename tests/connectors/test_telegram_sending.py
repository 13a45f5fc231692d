"""What goes out to Telegram: how it looks, how it is cut, and what each of Telegram's answers means."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telegram import constants

from connectors import telegram_api, telegram_text
from connectors.base import Means, Media
from connectors.telegram import TelegramConnector
from connectors.telegram_text import Part, Run, cut, keyboard, parts_of, utf16, written
from conversations.errors import (
    ChannelUnavailable,
    ContactUnreachable,
    DeliveryUnknown,
    MessageRejected,
    NotFound,
    RateLimited,
    SendError,
)
from conversations.model import Attachment, Author, Button, Citation, MessageKind, OutboundMessage, utc_now
from logs import CHATTY
from tests.connectors.test_telegram import connector
from tests.doubles.telegram import TOKEN, Refused, TelegramDouble, shown

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 50
FILES = {
    "png": (Attachment("png", "kite.png", "image/png", len(PNG)), PNG),
    "odd": (Attachment("odd", "odd.png", "image/png", 4), b"oddd"),
    "pdf": (Attachment("pdf", "账单.pdf", "application/pdf", 9), b"%PDF-1.4\n"),
    "ogg": (Attachment("ogg", "hello.ogg", "audio/ogg", 4), b"OggS"),
    "mp4": (Attachment("mp4", "fly.mp4", "video/mp4", 12), b"\0\0\0\0ftypmp42"),
    "gif": (Attachment("gif", "fly.gif", "image/gif", 6), b"GIF89a"),
}


class Shelf:
    """Files of the tests."""

    async def content(self, attachment_id: str) -> tuple[Attachment, bytes]:
        if attachment_id not in FILES:
            raise NotFound("there is no such file")
        return FILES[attachment_id]

    async def save(self, owner: str, name: str, content: bytes) -> Attachment:
        raise AssertionError


def message(text: str = "hello", **more: Any) -> OutboundMessage:
    made = OutboundMessage("outbox-1", "c" * 32, 1, Author.BOT, MessageKind.TEXT, text, utc_now())
    return replace(made, **more)


@asynccontextmanager
async def telegram(**settings: Any) -> AsyncIterator[tuple[TelegramDouble, TelegramConnector]]:
    async with TelegramDouble().running() as double:
        double.updates.person(42)
        settings = {"api_base": double.url, "chat_per_second": 50} | settings
        one = connector(Means("https://desk.example", Shelf(), utc_now), **settings)
        yield double, one
        await one.close()


async def test_light_markdown_becomes_telegrams_html_and_everything_else_stands_for_itself() -> None:
    text = "# Returns\n**30 days** & <b>free</b>\n- with `R-1`\n* see [the page](/kb/en/returns)\n2 * 3 ** 4 ** _5_"
    async with telegram() as (double, one):
        assert await one.send("42", message(text)) == str(double.sent[0]["message_id"])
    assert double.sent[0]["text"] == (
        "<b>Returns</b>\n<b>30 days</b> &amp; &lt;b&gt;free&lt;/b&gt;\n• with <code>R-1</code>\n"
        '• see <a href="https://desk.example/kb/en/returns">the page</a>\n2 * 3 ** 4 ** _5_'
    )
    assert double.sent[0]["link_preview_options"] == {"is_disabled": True}


async def test_tables_become_lists_and_sources_become_links() -> None:
    text = "运费如下\n| 地区 | 费用 |\n|---|---|\n| 上海 | 8 元 |"
    sources = (
        Citation("p", "a", "运费 <说明>", "q", "/kb/zh/shipping"),
        Citation("q", "b", "Shop", "q", "https://x.example/?a=1&b=2"),
    )
    async with telegram() as (double, one):
        await one.send("42", message(text, citations=sources))
    assert double.sent[0]["text"] == (
        '运费如下\n地区：上海\n费用：8 元\n\n来源：<a href="https://desk.example/kb/zh/shipping">运费 &lt;说明&gt;</a>\n'
        '来源：<a href="https://x.example/?a=1&amp;b=2">Shop</a>'
    )


async def test_choices_are_buttons_below_the_last_part_and_short_ones_share_a_row() -> None:
    stars = tuple(Button(str(n), str(n)) for n in range(1, 6))
    words = (Button("y", "Yes, cancel my order please"), Button("n", "不用了"), Button("h", "人工"))
    async with telegram() as (double, one):
        await one.send("42", message("a" * 5000, buttons=stars, kind=MessageKind.RATING_REQUEST))
        await one.send("42", message("sure?", outbox_id="2", buttons=words))
    first, second, third = double.sent
    assert "reply_markup" not in first
    rows = second["reply_markup"]["inline_keyboard"]
    assert [[button["text"] for button in row] for row in rows] == [["1", "2", "3", "4", "5"]]
    assert [len(row) for row in third["reply_markup"]["inline_keyboard"]] == [1, 2]


async def test_choices_that_telegram_cannot_show_are_numbered() -> None:
    long = (Button("x" * 65, "Yes"), Button("y", "No"))
    async with telegram() as (double, one):
        await one.send("42", message("sure?", buttons=long))
    assert double.sent[0]["text"] == "sure?\n\n1. Yes\n2. No"
    assert keyboard([Button(str(n), "x") for n in range(101)]) is None


async def test_files_go_out_as_what_they_are_and_as_documents_where_telegram_does_not_show_them() -> None:
    attachments = tuple(file for file, _ in FILES.values())
    async with telegram() as (double, one):
        await one.send("42", message("look", attachments=attachments, buttons=(Button("y", "Yes"),)))
        with pytest.raises(MessageRejected, match=r"gone\.png cannot be sent"):
            await one.send("42", message("", outbox_id="2", attachments=(Attachment("x", "gone.png", "image/png", 1),)))
    kinds = [(sent.get("kind"), sent.get("file")) for sent in double.sent]
    assert kinds == [
        (None, None), ("photo", "kite.png"), ("document", "odd.png"), ("document", "账单.pdf"), ("voice", "hello.ogg"),
        ("video", "fly.mp4"), ("animation", "fly.gif"),
    ]  # fmt: skip
    assert double.sent[1]["content"] == PNG
    assert [("reply_markup" in sent) for sent in double.sent] == [False] * 6 + [True]


MARKUP = st.text("ab *`[]()#-_<>&\"'|\n😀中👨‍👩‍👧é/:.https", max_size=200)


@given(MARKUP, st.integers(4, 40))
def test_parts_joined_are_the_text_none_is_too_long_and_each_is_html_that_telegram_reads(text: str, limit: int) -> None:
    runs = list(written(text))
    parts = cut(runs, limit)
    assert all(utf16(part.text) <= limit for part in parts)
    whole = "".join(run.text for run in runs)
    assert re.sub(r"\s", "", "".join(part.text for part in parts)) == re.sub(r"\s", "", whole)
    for part in parts:
        assert shown(part.html) == part.text
        assert part.text.strip()


@given(st.text(max_size=300))
def test_what_holds_no_markdown_is_shown_as_it_is(text: str) -> None:
    plain = re.sub(r"[*`\[#|\-]", "", text)
    assert "".join(run.text for run in written(plain)) == plain
    assert shown("".join(run.html() for run in written(plain))) == plain


def test_a_part_in_plain_text_keeps_its_addresses_where_they_fit() -> None:
    assert Part((Run("see "), Run("page", href="https://x.example"))).plain == "see page https://x.example"
    long = Part((Run("a" * 4000), Run("page", href="https://x.example/" + "b" * 200)))
    assert long.plain == long.text
    assert parts_of(message("javascript: [x](javascript:alert)"), "")[0].html == "javascript: [x](javascript:alert)"


def test_the_limits_are_those_that_the_library_knows() -> None:
    assert telegram_text.MAX_TEXT == constants.MessageLimit.MAX_TEXT_LENGTH
    assert telegram_text.MAX_CALLBACK_DATA == constants.InlineKeyboardButtonLimit.MAX_CALLBACK_DATA
    assert telegram_text.MAX_BUTTONS == constants.InlineKeyboardMarkupLimit.TOTAL_BUTTON_NUMBER
    assert constants.FileSizeLimit.PHOTOSIZE_UPLOAD == telegram_api.MAX_PHOTO
    assert constants.FileSizeLimit.VOICE_NOTE_FILE_SIZE == telegram_api.MAX_VOICE
    assert telegram_api.MAX_FILE <= constants.FileSizeLimit.FILESIZE_DOWNLOAD
    defaults = TelegramConnector.Settings(channel="telegram", token=TOKEN, polling=True)
    assert defaults.per_second == constants.FloodLimit.MESSAGES_PER_SECOND
    assert defaults.chat_per_second == constants.FloodLimit.MESSAGES_PER_SECOND_PER_CHAT
    assert defaults.group_per_minute == constants.FloodLimit.MESSAGES_PER_MINUTE_PER_GROUP


OUTCOMES: list[tuple[Refused | str, type[SendError], str]] = [
    (Refused(429, "Too Many Requests: retry after 30", retry_after=30), RateLimited, "30"),
    (Refused(403, "Forbidden: bot was blocked by the user"), ContactUnreachable, "blocked"),
    (Refused(403, "Forbidden: user is deactivated"), ContactUnreachable, "deactivated"),
    (Refused(400, "Bad Request: chat not found"), ContactUnreachable, "chat not found"),
    (Refused(400, "Bad Request: message is too long"), MessageRejected, "too long"),
    (Refused(401, "Unauthorized"), MessageRejected, "BotFather"),
    (Refused(500, "Internal Server Error"), ChannelUnavailable, "Internal"),
    ("broken", ChannelUnavailable, "Bad Gateway"),
    ("hang up", DeliveryUnknown, "did not answer"),
    ("garbage", DeliveryUnknown, "Invalid server response"),
]


@pytest.mark.parametrize(("happens", "means", "said"), OUTCOMES)
async def test_each_answer_of_telegram_has_its_meaning(
    happens: Refused | str, means: type[SendError], said: str
) -> None:
    async with telegram() as (double, one):
        double.next["sendMessage"].append(happens)
        with pytest.raises(means, match=f"(?i){said}") as failed:
            await one.send("42", message())
        assert type(failed.value) is means
        assert await one.send("42", message())


async def test_a_server_that_is_not_there_got_nothing_and_a_silent_one_may_have_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = connector(api_base="http://127.0.0.1:9")
    with pytest.raises(ChannelUnavailable, match="ConnectError"):
        await one.send("42", message())
    await one.close()
    monkeypatch.setattr("connectors.telegram_api._ANSWER_SECONDS", 0.2)
    async with telegram() as (double, one):
        double.next["sendMessage"].append("silence")
        with pytest.raises(DeliveryUnknown, match="ReadTimeout"):
            await one.send("42", message())
        assert len(double.sent) == 1


async def test_a_group_that_became_a_supergroup_is_followed() -> None:
    async with telegram() as (double, one):
        double.updates.group(-5)
        double.updates.group(-1005)
        double.moved[-5] = -1005
        for place in range(2):
            await one.send("-5:42", message(outbox_id=str(place)))
    assert [sent["chat_id"] for sent in double.sent] == [-1005, -1005]
    assert [call["chat_id"] for call in double.named("sendMessage")] == [-5, -1005, -1005]


async def test_html_that_telegram_cannot_read_goes_out_as_plain_text() -> None:
    async with telegram() as (double, one):
        double.next["sendMessage"].append(Refused(400, "Bad Request: can't parse entities: Unsupported start tag"))
        await one.send("42", message("**now** see [it](https://x.example)"))
    [sent] = double.sent
    assert (sent["text"], "parse_mode" in sent) == ("now see it https://x.example", False)


async def test_parts_that_are_out_stay_out_when_telegram_asks_to_wait() -> None:
    text = "一" * 4096 + "二" * 4096 + "三"
    async with telegram() as (double, one):
        double.next["sendMessage"].extend(["", Refused(429, "Too Many Requests", retry_after=1)])
        long = message(text)
        with pytest.raises(RateLimited):
            await one.send("42", long)
        await one.send("42", long)
    assert [sent["text"][0] for sent in double.sent] == ["一", "二", "三"]


async def test_a_chat_and_a_bot_have_their_own_pace() -> None:
    async with telegram(chat_per_second=0.1) as (double, one):
        double.updates.person(43)
        await one.send("42", message())
        with pytest.raises(RateLimited) as wait:
            await one.send("42", message(outbox_id="2"))
        assert 5 < wait.value.retry_after_seconds <= 10
        await one.send("43", message(outbox_id="3"))
    async with telegram(per_second=1) as (double, one):
        double.updates.person(43)
        await one.send("42", message())
        with pytest.raises(RateLimited):
            await one.send("43", message(outbox_id="2"))


async def test_who_is_too_quick_for_telegram_all_the_same_waits_as_long_as_it_says() -> None:
    now = [0.0]
    async with telegram() as (double, one):
        double.quota, double.clock = 2, lambda: now[0]
        long = message("一" * 3 * 4096)
        with pytest.raises(RateLimited) as wait:
            await one.send("42", long)
        assert wait.value.retry_after_seconds == 1
        now[0] += 1.1
        await one.send("42", long)
        assert len(double.sent) == 3


async def test_what_cannot_be_sent_at_all_says_so() -> None:
    async with telegram() as (_, one):
        for to, text in (("ann", "hello"), ("42", "  "), ("42", "")):
            with pytest.raises(MessageRejected):
                await one.send(to, message(text))


async def test_files_are_fetched_up_to_the_size_that_the_desk_keeps() -> None:
    async with telegram() as (double, one):
        double.files = {
            "v": ("voice/file_1.oga", b"OggS..."),
            "big": ("documents/big.zip", b"x" * (10 * 1024 * 1024 + 1)),
            "huge": ("documents/huge.zip", b"x" * (20 * 1024 * 1024 + 1)),
        }
        assert await one.fetch(Media("v", "voice")) == ("file_1.oga", b"OggS...")
        for reference, said in (("big", "larger than 10 MiB"), ("huge", "too big"), ("none", "invalid file_id")):
            with pytest.raises(MessageRejected, match=f"(?i){said}"):
                await one.fetch(Media(reference, "file"))


async def test_the_token_is_in_no_log_and_no_error(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for name in CHATTY:
        caplog.set_level(logging.WARNING, logger=name)
    errors = []
    async with telegram() as (double, one):
        double.files["v"] = ("voice/gone.oga", b"OggS")
        planned: list[Refused | str] = ["", "broken", "hang up", "garbage"]
        for happens in [*planned, Refused(401, "Unauthorized"), Refused(400, TOKEN)]:
            double.next["sendMessage"].append(happens)
            try:
                await one.send("42", message())
            except SendError as error:
                errors.append(repr(error))
        double.next["getMe"].append(Refused(404, "Not Found"))
        with pytest.raises(SendError) as failed:
            await asyncio.wait_for(one.run(lambda arrivals: asyncio.sleep(0)), 5)
        errors.append(repr(failed.value))
        await one.fetch(Media("v", "voice"))
    assert len(errors) == 6
    assert TOKEN not in caplog.text + "".join(errors)
    assert TOKEN[12:] not in caplog.text + "".join(errors)
