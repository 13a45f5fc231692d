"""What DingTalk is asked to show, by which way, and what its refusals mean."""

from __future__ import annotations

import asyncio
import io
import json
import re
import zipfile
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import Media, WebhookRequest
from connectors.dingtalk import DingTalkConnector
from connectors.dingtalk_replies import Text, for_api, parts_of
from connectors.vendor_calls import is_host_of
from conversations.errors import (
    ChannelUnavailable,
    ContactUnreachable,
    DeliveryUnknown,
    MessageRejected,
    RateLimited,
    SendError,
)
from conversations.model import Address, Author, MessageKind
from tests.connectors.dingtalk_desk import Shelf, buttons, citation, desk_with_robot, outbound, robot
from tests.doubles.dingtalk import DingTalk
from tests.doubles.dingtalk_api import CLIENT_SECRET
from tests.doubles.vendor_server import Answer
from tests.pictures import PNG

BATCH = "/v1.0/robot/oToMessages/batchSend"
GROUP = "/v1.0/robot/groupMessages/send"
WANG = "staff:manager01"


@pytest.fixture
async def double() -> AsyncIterator[DingTalk]:
    async with DingTalk().running() as double:
        yield double


async def met(connector: DingTalkConnector, double: DingTalk, **message: Any) -> str:
    """Let a contact write, so that there is a session; returns their address."""
    body = double.message(**message)
    request = WebhookRequest("POST", double.signed(), {}, json.dumps(body).encode())

    async def store() -> None:
        pass

    await connector.acknowledge(request, store)
    return connector.parse(request)[0].message.address.contact


async def test_a_session_that_lives_is_used_and_later_the_openapi(double: DingTalk) -> None:
    connector = robot(double)
    to = await met(connector, double)
    await connector.send(to, outbound("one"))
    double.now += timedelta(minutes=91)
    await connector.send(to, outbound("two", outbox_id="outbox-2"))
    await robot(double).send(to, outbound("after a restart"))
    assert [(one.by, one.text) for one in double.said] == [
        ("session", "one"),
        ("api", "two"),
        ("api", "after a restart"),
    ]


async def test_in_http_mode_members_are_never_answered_by_a_link_that_nobody_signed(double: DingTalk) -> None:
    connector = robot(double, mode="http")
    to = await met(connector, double)
    await connector.send(to, outbound("one"))
    guest = await met(connector, double, staff=None)
    await connector.send(guest, outbound("two", outbox_id="outbox-2"))
    assert [one.by for one in double.said] == ["api", "session"]


async def test_a_session_that_dingtalk_forgot_is_left_for_the_openapi(double: DingTalk) -> None:
    connector = robot(double)
    to = await met(connector, double)
    double.sessions.clear()
    await connector.send(to, outbound("one"))
    assert [one.by for one in double.said] == ["api"]


@pytest.mark.parametrize(
    "webhook",
    [
        "https://evil.example/robot/sendBySession?session=1",
        "http://oapi.dingtalk.com/robot/sendBySession",
        "https://dingtalk.com.evil.example/",
        "https://evildingtalk.com/",
        "https://user@oapi.dingtalk.com/",
        "https://oapi.dingtalk.com:8443/",
        "https://127.0.0.1/",
        "http://169.254.169.254/latest",
        "https://[::ffff:10.0.0.1]/",
        "file:///etc/passwd",
        "https://oapi.dingtalk.com\\@evil.example/",
        "https://[oapi.dingtalk.com/",
    ],
)
async def test_a_session_on_a_strangers_host_is_never_called(double: DingTalk, webhook: str) -> None:
    assert not is_host_of(webhook, ("dingtalk.com",), "https://api.dingtalk.com")
    connector = robot(double)
    to = await met(connector, double, sessionWebhook=webhook)
    await connector.send(to, outbound("safe"))
    assert [one.by for one in double.said] == ["api"]


def test_sessions_of_dingtalk_itself_may_be_called() -> None:
    assert is_host_of("https://oapi.dingtalk.com/robot/sendBySession?session=1", ("dingtalk.com",))


async def test_a_group_reply_mentions_who_asked_and_goes_to_their_group(double: DingTalk) -> None:
    connector = robot(double)
    to = await met(connector, double, group="cidGROUP==", nick="王芳")
    await connector.send(to, outbound("here"))
    assert double.said[-1].mentioned == ["manager01"]
    assert double.said[-1].text == "@manager01 here"
    await connector.send(to, outbound("# Title", outbox_id="heading"))
    assert double.said[-1].text == "@manager01\n\n# Title"
    double.now += timedelta(hours=2)
    await connector.send(to, outbound("later", outbox_id="outbox-2"))
    assert (double.said[-1].chat, double.said[-1].text) == ("cidGROUP==", "@王芳 later")


async def test_somebody_without_a_staff_id_is_reached_only_while_the_session_lives(double: DingTalk) -> None:
    connector = robot(double)
    to = await met(connector, double, staff=None)
    await connector.send(to, outbound("hello"))
    double.now += timedelta(hours=2)
    with pytest.raises(ContactUnreachable):
        await connector.send(to, outbound("too late", outbox_id="outbox-2"))


class TestWhatIsShown:
    async def test_an_answer_of_the_bot_is_markdown_with_links_to_its_sources(self, double: DingTalk) -> None:
        await robot(double).send(WANG, outbound("七天内\n可退", citations=(citation("退货[说明]"),)))
        [said] = double.said
        assert said.kind == "sampleMarkdown"
        assert said.text == "七天内  \n可退\n\n来源：[退货\\[说明\\]](https://desk.example/articles/returns)"
        assert said.title == "七天内"

    async def test_what_an_agent_types_is_not_markup(self, double: DingTalk) -> None:
        await robot(double).send(WANG, outbound("2 * 3 * 4\n# 5", author=Author.AGENT))
        assert (double.said[0].kind, double.said[0].text) == ("sampleText", "2 * 3 * 4\n# 5")

    @pytest.mark.parametrize("by_session", [True, False])
    @pytest.mark.parametrize("count", [1, 2, 5])
    async def test_up_to_five_choices_are_a_card_whose_buttons_say_their_words(
        self, double: DingTalk, count: int, by_session: bool
    ) -> None:
        connector = robot(double)
        if by_session:
            await met(connector, double)
        titles = [f"订单 {number} & 更多" for number in range(count)]
        await connector.send(WANG, outbound("which?", buttons=buttons(*titles)))
        [said] = double.said
        assert [title for title, _ in said.buttons] == titles
        for title, link in said.buttons:
            assert unquote(link.removeprefix("dtmd://dingtalkclient/sendMessage?content=")) == title

    async def test_more_choices_and_those_in_groups_are_a_numbered_list(self, double: DingTalk) -> None:
        connector = robot(double)
        await connector.send(WANG, outbound("which?", buttons=buttons(*"abcdef")))
        await connector.send("group:cidGROUP==:manager01", outbound("which?", outbox_id="2", buttons=buttons("a", "b")))
        await robot(double, buttons="list").send(WANG, outbound("which?", buttons=buttons("a", "b")))
        assert not any(said.buttons for said in double.said)
        assert all("1. a  \n2. b" in said.text for said in double.said)

    async def test_a_rating_in_a_group_shows_the_scores_themselves(self, double: DingTalk) -> None:
        scores = buttons("5 great", "1 bad")
        message = outbound("how was it?", kind=MessageKind.RATING_REQUEST, buttons=scores)
        await robot(double).send("group:cidGROUP==:manager01", message)
        assert double.said[0].text.endswith("5 great  \n1 bad")

    async def test_a_card_template_of_your_own_calls_back_with_the_button(
        self, double: DingTalk, tmp_path: Path
    ) -> None:
        double.seconds = 0.01
        async with desk_with_robot(tmp_path, double, card_template_id="my.schema") as server:
            await double.acked(await double.push(double.message("我要退掉它")))
            await double.until(lambda: [one for one in double.said if one.kind == "card"])
            for _ in range(2):
                ack = await double.acked(await double.press("订单二"))
                update = json.loads(ack["data"])["response"]["cardData"]["cardParamMap"]
                assert json.loads(update["sys_full_json_obj"]) == {"buttons": []}
            await double.until(lambda: "已登记退货 2" in double.texts("manager01"))
            transcript = await server.desk.transcript(Address("dingtalk", "default", WANG))
            assert [one.text for one in transcript if one.author is Author.CONTACT] == ["我要退掉它", "订单二"]

    async def test_pictures_and_files_are_uploaded_and_what_dingtalk_does_not_take_is_zipped(
        self, double: DingTalk
    ) -> None:
        shelf = Shelf()
        files = (
            shelf.put("a.png", "image/png", PNG),
            shelf.put("b.pdf", "application/pdf", b"%PDF-1.7"),
            shelf.put("c.txt", "text/plain", b"words"),
        )
        await robot(double, shelf).send(WANG, outbound("see", attachments=files))
        assert [said.kind for said in double.said] == ["sampleMarkdown", "sampleImageMsg", "sampleFile", "sampleFile"]
        assert [said.file[1] for said in double.said[1:3] if said.file] == [PNG, b"%PDF-1.7"]
        assert double.said[3].file is not None
        with zipfile.ZipFile(io.BytesIO(double.said[3].file[1])) as archive:
            assert archive.read("c.txt") == b"words"

    async def test_a_file_that_is_gone_is_refused_for_good(self, double: DingTalk) -> None:
        file = Shelf().put("a.png", "image/png", PNG)
        with pytest.raises(MessageRejected, match="gone"):
            await robot(double).send(WANG, outbound("", attachments=(file,)))

    @given(st.text(max_size=400), st.sampled_from(list(Author)))
    def test_parts_are_the_text_and_none_is_over_the_limit(self, text: str, author: Author) -> None:
        parts = parts_of(outbound(text, author=author), limit=60, buttons=5, public_url="https://d")
        texts = [part for part in parts if isinstance(part, Text)]
        assert all(len(part.text.encode("utf-8", "surrogatepass")) <= 60 for part in texts)
        joined = "".join(part.text for part in texts)
        whole = parts_of(outbound(text, author=author), limit=10_000, buttons=5, public_url="https://d")
        assert joined.split() == "".join(part.text for part in whole if isinstance(part, Text)).split()
        if author is Author.AGENT and "|" not in text and not re.search(r"\s{10}", text):
            assert joined == (text if text.strip() else "")
        assert all(set(json.loads(for_api(part, "")[1])) for part in texts)

    async def test_the_rest_of_a_long_answer_goes_out_later_without_repeating_what_is_out(
        self, double: DingTalk
    ) -> None:
        connector = robot(double, text_limit=100)
        message = outbound("一二三四五六七八九十。" * 20)
        double.failures[BATCH] += [Answer({}, 503)]
        with pytest.raises(ChannelUnavailable):
            await connector.send(WANG, message)
        double.failures[BATCH] = [Answer(None, cut=True)]
        with pytest.raises(SendError):
            await connector.send(WANG, message)
        await connector.send(WANG, message)
        assert "".join(double.texts("manager01")) == message.text


class TestRefusals:
    @pytest.mark.parametrize(
        ("answer", "error"),
        [
            (Answer({}, 429, {"retry-after": "7"}), RateLimited),
            (Answer({"code": "Forbidden.AccessDenied.QpsLimitForApi", "message": "x"}, 403), RateLimited),
            (Answer({"code": "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi"}, 403), RateLimited),
            (Answer({"code": "send.too.fast"}, 400), RateLimited),
            (Answer({"code": "90030"}, 400), RateLimited),
            (Answer({"processQueryKey": "k", "flowControlledStaffIdList": ["manager01"]}), RateLimited),
            (Answer({"code": "15", "message": "timeout"}, 504), ChannelUnavailable),
            (Answer({"code": "15", "message": "timeout"}, 400), ChannelUnavailable),
            (Answer(b"<html>", 502), ChannelUnavailable),
            (Answer(None, cut=True), DeliveryUnknown),
            (Answer({"code": "staffId.notExisted"}, 400), ContactUnreachable),
            (Answer({"processQueryKey": "k", "invalidStaffIdList": ["manager01"]}), ContactUnreachable),
            (Answer({"code": "Forbidden.AccessDenied.AccessTokenPermissionDenied"}, 403), MessageRejected),
            (Answer({"code": "resource.not.found", "message": "robot 不存在"}, 400), MessageRejected),
        ],
    )
    async def test_each_has_its_meaning(self, double: DingTalk, answer: Answer, error: type[SendError]) -> None:
        double.failures[BATCH] = [answer, answer]
        with pytest.raises(error) as refused:
            await robot(double).send(WANG, outbound("x"))
        assert "token" not in str(refused.value).lower() or "Permission" in str(refused.value)

    async def test_a_robot_that_sent_too_much_to_a_group_waits_as_long_as_it_is_silenced(
        self, double: DingTalk
    ) -> None:
        connector = robot(double)
        to = await met(connector, double, group="cidGROUP==")
        double.failures["/robot/sendBySession"] = [Answer({"errcode": 130101, "errmsg": "send too fast"})]
        with pytest.raises(RateLimited) as refused:
            await connector.send(to, outbound("x"))
        assert refused.value.retry_after_seconds == 600

    async def test_a_busy_session_is_tried_again_and_an_unanswered_one_is_in_doubt(self, double: DingTalk) -> None:
        connector = robot(double)
        to = await met(connector, double)
        double.failures["/robot/sendBySession"] = [Answer({"errcode": -1}), Answer(None, cut=True)]
        with pytest.raises(ChannelUnavailable):
            await connector.send(to, outbound("x"))
        with pytest.raises(DeliveryUnknown):
            await connector.send(to, outbound("x"))

    async def test_nobody_listening_means_nothing_was_sent(self) -> None:
        with pytest.raises(ChannelUnavailable):
            await robot(DingTalk()).send(WANG, outbound("x"))

    async def test_the_pace_to_one_contact_is_kept(self, double: DingTalk) -> None:
        connector = robot(double, messages_per_minute_to_one=2)
        for number in range(2):
            await connector.send(WANG, outbound("x", outbox_id=str(number)))
        with pytest.raises(RateLimited):
            await connector.send(WANG, outbound("x", outbox_id="2"))
        await connector.send("staff:staff02", outbound("x", outbox_id="3"))

    async def test_an_unknown_address_is_refused_for_good(self, double: DingTalk) -> None:
        with pytest.raises(MessageRejected):
            await robot(double).send("nobody", outbound("x"))
        with pytest.raises(ContactUnreachable):
            await robot(double).send("staff:gone", outbound("x"))


class TestTheToken:
    def refreshes(self, double: DingTalk) -> int:
        return sum(path == "/v1.0/oauth2/accessToken" for path, _ in double.calls)

    async def test_it_is_fetched_once_for_many_and_renewed_before_it_ends(self, double: DingTalk) -> None:
        connector = robot(double)
        await asyncio.gather(*(connector.send(WANG, outbound("x", outbox_id=str(n))) for n in range(8)))
        assert self.refreshes(double) == 1
        double.now += timedelta(minutes=116)
        await connector.send(WANG, outbound("x"))
        assert self.refreshes(double) == 2

    async def test_one_that_dingtalk_forgot_is_renewed_at_once(self, double: DingTalk) -> None:
        connector = robot(double)
        await connector.send(WANG, outbound("x"))
        double.tokens.clear()
        await connector.send(WANG, outbound("y", outbox_id="2"))
        assert double.texts("manager01") == ["x", "y"]

    async def test_wrong_credentials_are_named_without_them(self, double: DingTalk) -> None:
        with pytest.raises(MessageRejected, match="check client_id and secret") as refused:
            await robot(double, client_secret="wrong-secret-value").send(WANG, outbound("x"))
        assert "wrong-secret-value" not in str(refused.value)


async def test_no_token_secret_or_session_is_in_any_log(double: DingTalk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    shelf = Shelf()
    connector = robot(double, shelf)
    to = await met(connector, double)
    await connector.send(to, outbound("x", attachments=(shelf.put("a.png", "image/png", PNG),)))
    assert double.tokens
    for secret in (*double.tokens, *double.sessions, CLIENT_SECRET):
        assert secret not in caplog.text


class TestFilesOfContacts:
    async def test_a_download_code_is_exchanged_for_the_file(self, double: DingTalk, tmp_path: Path) -> None:
        double.files["code"] = PNG
        async with desk_with_robot(tmp_path, double) as server:
            body = double.message(msgtype="picture", content={"downloadCode": "code"})
            await double.acked(await double.push(body))
            stored, *_ = await server.desk.transcript(Address("dingtalk", "default", WANG))
            assert [file.size for file in stored.attachments] == [len(PNG)]
            missing = double.message(msgtype="picture", content={"downloadCode": "gone"})
            await double.acked(await double.push(missing))
            transcript = await server.desk.transcript(Address("dingtalk", "default", WANG))
            assert any("图片未能接收" in message.text for message in transcript)

    async def test_a_link_to_a_strangers_host_is_not_followed(self, double: DingTalk) -> None:
        double.failures["/v1.0/robot/messageFiles/download"] = [Answer({"downloadUrl": "http://169.254.169.254/x"})]
        with pytest.raises(MessageRejected, match="media_hosts"):
            await robot(double).fetch(Media("code", "image"))


async def test_a_failed_delivery_is_tried_again_by_the_outbox_and_a_hopeless_one_is_shown(
    double: DingTalk, tmp_path: Path
) -> None:
    double.seconds = 0.01
    async with desk_with_robot(tmp_path, double) as server:
        to = Address("dingtalk", "default", WANG)
        double.failures["/robot/sendBySession"] = [Answer({}, 503)]
        await double.acked(await double.push(double.message("hello")))
        await double.until(lambda: double.said)
        double.failures["/robot/sendBySession"] = [Answer({"errcode": 400})]
        double.failures[BATCH] = [Answer({"code": "resource.not.found"}, 400)]
        await double.acked(await double.push(double.message("again")))

        async def failed() -> bool:
            return any(one.delivery_failed for one in await server.desk.transcript(to))

        for _ in range(200):
            if await failed():
                break
                await asyncio.sleep(0.02)
        assert await failed()
