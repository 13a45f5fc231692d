"""What Slack is asked to show, and what its refusals mean."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk import WebClient
from slack_sdk.models.blocks import Block

from connectors.base import Media
from connectors.slack_replies import Text, as_mrkdwn, parts_of
from conversations.errors import (
    ChannelUnavailable,
    ContactUnreachable,
    DeliveryUnknown,
    MessageRejected,
    RateLimited,
    SendError,
)
from conversations.model import Address, Author, MessageKind, OutboundMessage
from tests.connectors.dingtalk_desk import Shelf, buttons, citation, outbound
from tests.connectors.slack_desk import PATH, app, desk_with_app
from tests.doubles.slack import TOKEN, Slack
from tests.doubles.vendor_server import Answer

POST = "chat.postMessage"
DM = "dm:D0ANN:U0ANN"
THREAD = "thread:C0SHOP:123.456:U0ANN"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


@pytest.fixture
async def double() -> AsyncIterator[Slack]:
    async with Slack().running() as double:
        yield double


def texts(message: OutboundMessage, limit: int = 4_000) -> list[Text]:
    parts = parts_of(message, user="U0ANN", limit=limit, public_url="https://desk.example")
    return [part for part in parts if isinstance(part, Text)]


@pytest.mark.parametrize(
    ("markdown", "mrkdwn"),
    [
        ("**bold** & <b>", "*bold* &amp; &lt;b&gt;"),
        ("# Title\n- one\n* two\n  - three", "*Title*\n• one\n• two\n  • three"),
        ("[the page](https://a.b/c?x=1&y=2)", "<https://a.b/c?x=1&amp;y=2|the page>"),
        ("[a|b>c](https://a.b)", "<https://a.b|a¦b&gt;c>"),
        ("[x](javascript:alert)", "[x](javascript:alert)"),
        ("<!channel> <@U1>", "&lt;!channel&gt; &lt;@U1&gt;"),
        ("**<!here>** [<!here>](https://a.b)", "*&lt;!here&gt;* <https://a.b|&lt;!here&gt;>"),
    ],
)
def test_markdown_becomes_slacks_markup_and_nothing_calls_a_channel(markdown: str, mrkdwn: str) -> None:
    assert as_mrkdwn(markdown) == mrkdwn


@given(st.text(max_size=600))
def test_only_our_links_stand_between_angle_brackets(text: str) -> None:
    assert re.fullmatch(r"(?:[^<>]|<(?:https?://|mailto:)[^<>|]*\|[^<>|]*>)*", as_mrkdwn(text))


@given(st.text(max_size=600) | st.text("&<>ab. ", max_size=600), st.sampled_from(list(Author)))
def test_parts_are_the_text_and_none_is_over_the_limit(text: str, author: Author) -> None:
    parts = texts(outbound(text, author=author), 100)
    assert all(0 < len(part.text) <= 100 and part.text.strip() for part in parts)
    if author is Author.AGENT and "|" not in text:
        assert "".join("".join(html.unescape(part.text) for part in parts).split()) == "".join(
            html.unescape("".join(part.text for part in texts(outbound(text, author=author), 12_000))).split()
        )


@given(
    st.text(max_size=5_000),
    st.lists(st.text(min_size=1, max_size=100), max_size=30),
    st.lists(st.text(min_size=1, max_size=600), max_size=12),
)
def test_blocks_are_within_the_limits_that_slacks_own_library_checks(
    text: str, titles: list[str], sources: list[str]
) -> None:
    message = outbound(text, buttons=buttons(*titles), citations=tuple(citation(source) for source in sources))
    for part in texts(message):
        assert len(part.blocks) <= 50
        for block in part.blocks:
            parsed = Block.parse(block)
            assert parsed is not None
            parsed.validate_json()


async def test_an_answer_goes_to_the_direct_messages_or_the_thread_of_its_address(double: Slack) -> None:
    connector = app(double)
    first = await connector.send(DM, outbound("one"))
    await connector.send(THREAD, outbound("two", outbox_id="2"))
    assert [(said.channel, said.thread, said.text) for said in double.said] == [
        ("D0ANN", "", "one"),
        ("C0SHOP", "123.456", "two"),
    ]
    assert first == double.said[0].ts


async def test_sources_are_links_and_choices_are_buttons(double: Slack) -> None:
    message = outbound("You may.", citations=(citation("Returns & more"),), buttons=buttons("Yes", "No"))
    await app(double).send(DM, message)
    [said] = double.said
    assert said.shown == "You may.\nSource: <https://desk.example/articles/returns|Returns &amp; more>"
    assert {title: button["value"] for title, button in said.buttons.items()} == {"Yes": "b0", "No": "b1"}
    assert said.text == "You may."


async def test_more_choices_than_slack_shows_are_a_numbered_list(double: Slack) -> None:
    await app(double).send(DM, outbound("which?", buttons=buttons(*map(str, range(26)))))
    await app(double).send(DM, outbound("which?", buttons=buttons("x" * 76)))
    assert not any(said.buttons for said in double.said)
    assert double.said[0].text.startswith("which?\n\n1. 0\n2. 1")
    rating = outbound("how?", kind=MessageKind.RATING_REQUEST, buttons=buttons("5 " + "x" * 80, "1 bad"))
    await app(double).send(DM, rating)
    assert double.said[2].text.endswith("\n1 bad")


async def test_what_an_agent_types_is_not_markup(double: Slack) -> None:
    await app(double).send(DM, outbound("2 *3* _4_ <5>", author=Author.AGENT))
    assert (double.said[0].text, double.said[0].mrkdwn) == ("2 *3* _4_ &lt;5&gt;", False)


async def test_files_are_uploaded_into_the_thread(double: Slack) -> None:
    shelf = Shelf()
    file = shelf.put("a.png", "image/png", PNG)
    await app(double, shelf).send(THREAD, outbound("see", attachments=(file,)))
    assert (double.said[1].thread, double.said[1].file) == ("123.456", ("a.png", PNG))
    with pytest.raises(MessageRejected, match="gone"):
        await app(double).send(DM, outbound("", attachments=(file,)))


@pytest.mark.parametrize(
    "url", ["https://evil.example/upload", "http://files.slack.com/upload", "https://slack.com.evil.example"]
)
async def test_files_go_to_slack_and_come_from_slack_only(double: Slack, url: str) -> None:
    shelf = Shelf()
    file = shelf.put("a.png", "image/png", PNG)
    double.failures["files.getUploadURLExternal"] = [Answer({"ok": True, "upload_url": url, "file_id": "F1"})]
    with pytest.raises(MessageRejected, match="file_hosts"):
        await app(double, shelf).send(DM, outbound("", attachments=(file,)))
    with pytest.raises(MessageRejected, match="file_hosts"):
        await app(double).fetch(Media(url, "image"))


async def test_a_long_answer_goes_on_where_it_stopped(double: Slack) -> None:
    connector = app(double, text_limit=100)
    message = outbound("One sentence. " * 20)
    double.failures[POST] = [Answer({"ok": True, "ts": "1.1"}), Answer({"ok": False, "error": "ratelimited"}, 429)]
    with pytest.raises(RateLimited):
        await connector.send(DM, message)
    assert await connector.send(DM, message) == "1.1"
    assert len("".join(said.text for said in double.said)) == len(message.text) - 98  # all but the first part


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer({"ok": False, "error": "ratelimited"}, 429, {"retry-after": "30"}), RateLimited),
        (Answer({"ok": False, "error": "rate_limited"}), RateLimited),
        (Answer({}, 503), ChannelUnavailable),
        (Answer({"ok": False, "error": "internal_error"}), ChannelUnavailable),
        (Answer(None, cut=True), DeliveryUnknown),
        (Answer({"ok": False, "error": "channel_not_found"}), ContactUnreachable),
        (Answer({"ok": False, "error": "is_archived"}), ContactUnreachable),
        (Answer({"ok": False, "error": "not_in_channel"}), ContactUnreachable),
        (Answer({"ok": False, "error": "token_revoked"}), MessageRejected),
        (Answer({"ok": False, "error": "missing_scope", "needed": "chat:write"}), MessageRejected),
        (Answer({"ok": False, "error": "msg_too_long"}), MessageRejected),
        (Answer({"ok": False, "error": "msg_blocks_too_long"}), MessageRejected),
        (Answer(b"<html>"), MessageRejected),
    ],
)
async def test_each_refusal_has_its_meaning(double: Slack, answer: Answer, error: type[SendError]) -> None:
    double.failures[POST] = [answer]
    with pytest.raises(error) as refused:
        await app(double).send(DM, outbound("x"))
    assert TOKEN not in str(refused.value)
    if isinstance(refused.value, RateLimited) and answer.headers:
        assert refused.value.retry_after_seconds == 30


async def test_other_troubles_have_their_meaning_too(double: Slack) -> None:
    with pytest.raises(ChannelUnavailable):
        await app(Slack()).send(DM, outbound("x"))
    with pytest.raises(MessageRejected):
        await app(double).send("nobody", outbound("x"))
    with pytest.raises(MessageRejected, match="bot_token is wrong"):
        await app(double, bot_token="xoxb-wrong").send(DM, outbound("x"))
    slow = app(double, burst=1)
    await slow.send(DM, outbound("x"))
    with pytest.raises(RateLimited):
        await slow.send(DM, outbound("y", outbox_id="2"))
    await slow.send(THREAD, outbound("z", outbox_id="3"))


async def test_slacks_own_client_works_with_the_double(double: Slack) -> None:
    client = WebClient(TOKEN, base_url=f"{double.api}/")

    def use() -> dict[str, Any]:
        client.chat_postMessage(channel="C0SHOP", text="theirs", thread_ts="123.456")
        client.files_upload_v2(channel="C0SHOP", content=b"words", filename="a.txt", thread_ts="123.456")
        found: Any = client.users_info(user="U0ANN").data
        return dict(found)

    assert (await asyncio.to_thread(use))["user"]["name"] == "ann"
    await app(double).send(THREAD, outbound("ours"))
    assert [said.text for said in double.said] == ["theirs", "", "ours"]
    assert {(said.channel, said.thread) for said in double.said} == {("C0SHOP", "123.456")}


async def test_the_outbox_tries_again_and_shows_what_is_hopeless(double: Slack, tmp_path: Path) -> None:
    async with desk_with_app(tmp_path, double) as server:
        double.failures[POST] = [
            Answer({}, 503),
            Answer({"ok": False, "error": "ratelimited"}, 429, {"retry-after": "0"}),
        ]
        await double.deliver(server.url + PATH, double.event("How do I return?"))
        await double.until(lambda: double.said)
        double.archived.add("D0ANN")
        await double.deliver(server.url + PATH, double.event("again"))
        ann = Address("slack", "default", DM)
        for _ in range(300):
            if any(one.delivery_failed for one in await server.desk.transcript(ann)):
                break
            await asyncio.sleep(0.02)
        assert [one.delivery_failed for one in await server.desk.transcript(ann)][-1]
