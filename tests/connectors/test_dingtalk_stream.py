"""DingTalk's Stream mode: what is pushed is stored and acknowledged, whatever happens to the connections."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import dingtalk_stream  # type: ignore[import-untyped]
import pytest
from dingtalk_stream import stream as official
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from conversations.model import Address, Author, Message
from tests.connectors.desk import AGENT, Server
from tests.connectors.dingtalk_desk import desk_with_robot, robot
from tests.doubles.dingtalk import DingTalk
from tests.doubles.dingtalk_api import CLIENT_ID, CLIENT_SECRET
from tests.doubles.vendor_server import Answer

WANG = Address("dingtalk", "default", "staff:manager01")


def said_so_far(capsys: pytest.CaptureFixture[str], printed: list[str]) -> str:
    printed.append(capsys.readouterr().out)
    return "".join(printed)


async def end_all() -> None:
    """Cancel what runs beside this; the official client takes the first cancellation for a network error."""
    for _ in range(3):
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0.05)


@pytest.fixture
async def double() -> AsyncIterator[DingTalk]:
    async with DingTalk().running() as double:
        double.seconds = 0.02
        yield double


async def said_by_contact(server: Server, address: Address = WANG) -> list[Message]:
    transcript = await server.desk.transcript(address)
    return [message for message in transcript if message.author is Author.CONTACT]


async def test_a_pushed_message_is_stored_before_it_is_acknowledged_and_answered(
    double: DingTalk, tmp_path: Path
) -> None:
    async with desk_with_robot(tmp_path, double) as server:
        ack = await double.acked(await double.push(double.message("怎么退货")))
        assert [message.text for message in await said_by_contact(server)] == ["怎么退货"]
        assert (ack["code"], json.loads(ack["data"])) == (200, {"response": None})
        await double.until(lambda: double.said)
        assert double.said[0].chat == "manager01"


async def test_two_pushes_of_one_message_make_one_turn(double: DingTalk, tmp_path: Path) -> None:
    async with desk_with_robot(tmp_path, double) as server:
        body = double.message("hello")
        acks = [await double.acked(await double.push(body)) for _ in range(4)]
        assert [ack["code"] for ack in acks] == [200] * 4
        assert len(await said_by_contact(server)) == 1


async def test_messages_of_one_contact_are_stored_in_the_order_of_their_connection(
    double: DingTalk, tmp_path: Path
) -> None:
    async with desk_with_robot(tmp_path, double, connections=1) as server:
        lines = [f"line {number}" for number in range(20)]
        pushes = [await double.push(double.message(line)) for line in lines]
        for push in pushes:
            await double.acked(push)
        assert [message.text for message in await said_by_contact(server)] == lines


async def test_pings_are_answered_with_what_they_carried_also_while_a_message_is_stored(
    double: DingTalk, tmp_path: Path
) -> None:
    async with desk_with_robot(tmp_path, double, connections=1) as server:
        server.desk.broken = True
        waiting = await double.push(double.message("later"))
        ping = await double.push({"opaque": "123-dsfs"}, "ping", "SYSTEM")
        assert json.loads((await double.acked(ping))["data"]) == {"opaque": "123-dsfs"}
        assert waiting not in double.acks
        server.desk.broken = False
        assert (await double.acked(waiting))["code"] == 200


async def test_what_cannot_be_stored_is_tried_again_because_nobody_sends_it_twice(
    double: DingTalk, tmp_path: Path
) -> None:
    async with desk_with_robot(tmp_path, double) as server:
        server.desk.broken = True
        push = await double.push(double.message("keep me"))
        await asyncio.sleep(0.1)
        assert push not in double.acks
        server.desk.broken = False
        assert (await double.acked(push))["code"] == 200
        assert [message.text for message in await said_by_contact(server)] == ["keep me"]


async def test_a_connection_that_is_announced_to_end_is_replaced_before_it_ends(
    double: DingTalk, tmp_path: Path
) -> None:
    async with desk_with_robot(tmp_path, double, connections=1) as server:
        [old] = double.connections
        ending = asyncio.create_task(double.disconnect(old))
        await double.until(lambda: len(double.connections) == 2)
        assert (await double.acked(await double.push(double.message("between"))))["code"] == 200
        await ending
        await double.until(lambda: len(double.connections) == 1)
        assert (await double.acked(await double.push(double.message("after"))))["code"] == 200
        assert double.lost == 0
        assert len(await said_by_contact(server)) == 2


async def test_a_gateway_that_sends_every_connection_away_is_not_asked_without_end(double: DingTalk) -> None:
    async def receive(arrivals: Any) -> None:
        raise AssertionError

    running = asyncio.create_task(robot(double, connections=1).run(receive))
    ended: set[int] = set()
    ending: list[asyncio.Task[None]] = []
    for _ in range(40):
        for connection in list(double.connections):
            if id(connection) not in ended:
                ended.add(id(connection))
                ending.append(asyncio.create_task(double.disconnect(connection)))
        await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, *ending, return_exceptions=True)
    assert sum(path.endswith("connections/open") for path, _ in double.calls) <= 5


async def test_a_broken_connection_is_opened_again_with_a_new_ticket_and_the_other_one_serves_meanwhile(
    double: DingTalk, tmp_path: Path
) -> None:
    async with desk_with_robot(tmp_path, double) as server:
        double.failures["/v1.0/gateway/connections/open"] += [Answer({}, 503)]
        double.connections[0].socket.transport.abort()
        await double.until(lambda: len(double.connections) == 1)
        assert (await double.acked(await double.push(double.message("one is left"))))["code"] == 200
        await double.until(lambda: len(double.connections) == 2)
        assert len(await said_by_contact(server)) == 1


async def test_a_message_pushed_while_nothing_is_connected_is_lost_by_the_platform(double: DingTalk) -> None:
    await double.push(double.message("nobody home"))
    assert double.lost == 1


async def test_a_ticket_opens_one_connection_within_ninety_seconds(double: DingTalk) -> None:
    double._tickets |= {"old": (double.now, set()), "new": (double.now + timedelta(seconds=90), set())}
    async with connect(f"{double.stream}?ticket=new"):
        for used in ("new", "old", ""):
            with pytest.raises(InvalidStatus):
                async with connect(f"{double.stream}?ticket={used}"):
                    pass


async def test_a_message_that_is_being_stored_when_the_desk_stops_is_stored(double: DingTalk) -> None:
    began = asyncio.Event()
    stored: list[str] = []

    async def receive(arrivals: Any) -> None:
        began.set()
        await asyncio.sleep(0.1)
        stored.extend(arrival.message.text for arrival in arrivals)

    running = asyncio.create_task(robot(double).run(receive))
    await double.until(lambda: double.connections)
    await double.push(double.message("last words"))
    await began.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert stored == ["last words"]


async def test_events_are_done_with_and_unknown_topics_and_bad_data_have_their_own_codes(
    double: DingTalk, tmp_path: Path
) -> None:
    async with desk_with_robot(tmp_path, double, connections=1) as server:
        assert await double.push_event("event-1") == 1
        double.connections[0].topics.add("/v1.0/unknown")
        unknown = await double.push({}, "/v1.0/unknown")
        assert (await double.acked(unknown))["code"] == 404
        assert (await double.acked(await double.push("not json")))["code"] == 400
        assert (await double.acked(await double.push({"msgtype": "text"})))["code"] == 400
        for frame in ("garbage", "[]", "{}", '{"type":"CALLBACK","headers":[]}', '{"type":"SYSTEM","data":1}'):
            await double.connections[0].socket.send(frame)
        assert (await double.acked(await double.push(double.message("still here"))))["code"] == 200
        assert len(await said_by_contact(server)) == 1


async def test_a_wrong_secret_is_named_in_the_log_and_never_the_secret_itself(
    double: DingTalk, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "websockets")
    wrong = robot(double, client_secret="a-wrong-secret")

    async def receive(arrivals: Any) -> None:
        raise AssertionError

    task = asyncio.create_task(wrong.run(receive))
    await double.until(lambda: double.calls)
    right = asyncio.create_task(robot(double).run(receive))
    await double.until(lambda: double.connections)
    printed: list[str] = []
    await double.until(lambda: "check client_id" in said_so_far(capsys, printed))
    for running in (task, right):
        running.cancel()
    await asyncio.gather(task, right, return_exceptions=True)
    logged = said_so_far(capsys, printed) + caplog.text
    assert "check client_id and secret" in logged
    for secret in ("a-wrong-secret", CLIENT_SECRET, "ticket+"):
        assert secret not in logged


@pytest.mark.parametrize(
    "endpoint", ["wss://evil.example/connect", "ws://wss.dingtalk.com/connect", "wss://x@dingtalk.com"]
)
async def test_the_gateway_cannot_send_us_to_a_strangers_server(
    double: DingTalk, endpoint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    double.failures["/v1.0/gateway/connections/open"] += [Answer({"endpoint": endpoint, "ticket": "t"})] * 50

    async def receive(arrivals: Any) -> None:
        raise AssertionError

    task = asyncio.create_task(robot(double, connections=1).run(receive))
    printed: list[str] = []
    await double.until(lambda: "stream_hosts" in said_so_far(capsys, printed))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_the_official_client_works_with_the_double_and_answers_as_ours_does(
    double: DingTalk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """dingtalk-stream 0.24.3 blocks its event loop with requests, so it gets a thread and a loop of its own."""
    monkeypatch.setattr(official, "DINGTALK_OPENAPI_ENDPOINT", double.api)
    client_class = official.DingTalkStreamClient
    monkeypatch.setattr(client_class, "OPEN_CONNECTION_API", f"{double.api}/v1.0/gateway/connections/open")
    monkeypatch.setattr(client_class, "get_host_ip", lambda self: "127.0.0.1")
    heard: list[Any] = []

    class Handler(dingtalk_stream.ChatbotHandler):  # type: ignore[misc]
        async def process(self, callback: Any) -> tuple[int, Any]:
            heard.append(dingtalk_stream.ChatbotMessage.from_dict(callback.data))
            return dingtalk_stream.AckMessage.STATUS_OK, None

    client = client_class(dingtalk_stream.Credential(CLIENT_ID, CLIENT_SECRET))
    client.register_callback_handler(dingtalk_stream.ChatbotMessage.TOPIC, Handler())
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(client.start(), loop)
    try:
        await double.until(lambda: double.connections)
        body = double.message("你好")
        theirs = await double.acked(await double.push(body))
        await double.push({"opaque": "1"}, "ping", "SYSTEM", messageId="their-ping")
        their_ping = await double.acked("their-ping")
        assert heard[0].get_text_list() == [" 你好"]
        assert heard[0].sender_staff_id == "manager01"
    finally:
        await asyncio.to_thread(asyncio.run_coroutine_threadsafe(end_all(), loop).result)
        loop.call_soon_threadsafe(loop.stop)
        await asyncio.to_thread(thread.join)
        loop.close()
        await double.until(lambda: not double.connections)
    async with desk_with_robot(tmp_path, double, connections=1):
        ours = await double.acked(await double.push(double.message("你好")))
        our_ping = await double.acked(await double.push({"opaque": "1"}, "ping", "SYSTEM"))
    for their, our in ((theirs, ours), (their_ping, our_ping)):
        assert json.loads(their["data"]) == json.loads(our["data"])
        assert their["code"] == our["code"]
        assert set(their["headers"]) == set(our["headers"])


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_a_conversation_goes_from_a_question_to_a_rating(double: DingTalk, tmp_path: Path, language: str) -> None:
    words = {
        "zh": ("怎么退货", "我要退掉它", "订单二", "已登记退货 2", "转人工", "您好，我是小林", "5"),
        "en": (
            "How do I return?",
            "I want to send back it",
            "Order two",
            "Return noted for 2",
            "a person please",
            "Hi, Lin here",
            "5",
        ),
    }
    question, task, choice, noted, person, greeting, score = words[language]
    async with desk_with_robot(tmp_path, double) as server:

        async def say(text: str, count: int) -> list[str]:
            before = len(double.said)
            await double.acked(await double.push(double.message(text)))
            await double.until(lambda: len(double.said) >= before + count)
            return [one.text for one in double.said[before:]]

        [answer] = await say(question, 1)
        assert f"({server.url}/articles/returns-{language})" in answer
        await say(task, 1)
        assert [title for title, _ in double.said[-1].buttons][1] == choice
        [done] = await say(choice, 1)  # what a press lets the client send
        assert done == noted
        await say(person, 1)
        conversation = await server.desk.find_current(WANG)
        assert conversation is not None
        await server.desk.assign(conversation.id, AGENT)
        await server.desk.reply_as_agent(conversation.id, AGENT, greeting)
        await double.until(lambda: greeting in double.texts("manager01"))
        before = len(double.said)
        await server.desk.resolve(conversation.id, AGENT)
        await double.until(lambda: any(len(one.buttons) == 5 for one in double.said[before:]))
        await say(score, 1)
        transcript = await server.desk.transcript(WANG)
        assert {message.conversation_id for message in transcript} == {conversation.id}


async def test_in_a_group_each_person_has_a_conversation_and_chooses_by_number(
    double: DingTalk, tmp_path: Path
) -> None:
    async with desk_with_robot(tmp_path, double) as server:
        group = "cidGROUP=="

        async def say(text: str, staff: str) -> str:
            before = len(double.said)
            await double.acked(await double.push(double.message(text, staff=staff, group=group)))
            await double.until(lambda: len(double.said) > before)
            assert double.said[-1].mentioned == [staff]
            return double.said[-1].text

        for staff in ("manager01", "staff02"):
            assert "2. 订单二" in await say("我要退掉它", staff)
        assert await say("2", "manager01") == "@manager01 已登记退货 2"
        assert await say("1", "staff02") == "@staff02 已登记退货 1"
        for staff in ("manager01", "staff02"):
            assert len(await said_by_contact(server, Address("dingtalk", "default", f"group:{group}:{staff}"))) == 2
