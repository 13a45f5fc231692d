from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from conversations.model import Address
from tests.connectors.desk import AGENT, Server, Widget


def texts(messages: list[dict[str, Any]]) -> list[str]:
    return [message["text"] for message in messages]


def address_of(widget: Widget) -> Address:
    return Address("webchat", "default", widget.welcome["visitor"])


async def test_a_message_is_acknowledged_after_it_is_committed(server: Server) -> None:
    async with server.widget() as widget:
        assert widget.welcome["conversation"] is None
        sent = await widget.say("hello")
        ack = await widget.until("ack")
        assert (ack["client_msg_id"], ack["seq"]) == (sent, 1)
        stored = await server.desk.transcript(address_of(widget))
        assert stored[0].conversation_id == ack["conversation_id"]
        assert texts(await widget.messages(2)) == ["hello", "you said hello"]


async def test_a_message_that_is_not_committed_is_not_acknowledged_and_can_be_sent_again(server: Server) -> None:
    async with server.widget() as widget:
        server.desk.broken = True
        sent = await widget.say("hello")
        refusal = await widget.until("error")
        assert (refusal["code"], refusal["client_msg_id"]) == ("unavailable", sent)
        server.desk.broken = False
        await widget.say("hello", sent)
        assert (await widget.until("ack"))["client_msg_id"] == sent


async def test_a_repeat_is_acknowledged_with_the_same_place_and_stored_once(server: Server) -> None:
    """F47: the same ``client_msg_id`` again is the same message."""
    async with server.widget() as widget:
        sent = await widget.say("hello")
        first = await widget.until("ack")
        await widget.say("hello", sent)
        assert await widget.until("ack") == first
    stored = await server.desk.transcript(address_of(widget))
    assert [message.text for message in stored].count("hello") == 1


async def test_another_visitor_may_use_the_same_message_id(server: Server) -> None:
    async with server.widget() as one, server.widget() as other:
        await one.say("from one", "same-id-1234")
        await other.say("from other", "same-id-1234")
        assert (await one.until("ack"))["conversation_id"] != (await other.until("ack"))["conversation_id"]


async def test_a_visitor_who_comes_back_gets_what_was_missed_and_nothing_twice(server: Server) -> None:
    """F47: after any time offline exactly what was missed comes, in order."""
    async with server.widget() as widget:
        await widget.say("one")
        seen = (await widget.messages(2))[-1]
        token = widget.token
    address = address_of(widget)
    conversation = (await server.desk.find_current(address)).id  # type: ignore[union-attr]
    async with server.widget(token) as other_tab:
        assert texts(await other_tab.messages(2)) == ["one", "you said one"]
        await other_tab.say("two")
        await other_tab.messages(2)
    async with server.widget(token, after=f"{conversation}:{seen['seq']}") as back:
        assert back.welcome["visitor"] == address.contact
        assert back.welcome["conversation"]["id"] == conversation
        caught_up = await back.messages(2)
        assert texts(caught_up) == ["two", "you said two"]
        assert "client_msg_id" in caught_up[0]
        await back.say("three")
        assert texts(await back.messages(2)) == ["three", "you said three"]


async def test_two_tabs_of_a_visitor_show_the_same_in_the_same_order(server: Server) -> None:
    """F47: the same order in both tabs."""
    async with server.widget() as one, server.widget(one.token) as other:
        for number in range(4):
            await (one if number % 2 else other).say(f"message {number}")
        first, second = await one.messages(8), await other.messages(8)
        assert [message["seq"] for message in first] == [message["seq"] for message in second] == list(range(1, 9))


async def test_a_hundred_reconnects_while_messages_come_lose_and_repeat_nothing(server: Server) -> None:
    """F47: 100 reconnects → no gap, no duplicate."""
    async with server.widget() as widget:
        await widget.say("a person please")
        await widget.until("ack")
        token, conversation = widget.token, (await widget.messages(3))[0]["conversation_id"]
    await server.desk.assign(conversation, AGENT)

    async def agent() -> None:
        for number in range(60):
            await server.desk.reply_as_agent(conversation, AGENT, str(number), None)
            if number % 7 == 0:
                await server.desk.add_note(conversation, AGENT, "a note leaves a gap in what the contact sees")

    talking = asyncio.create_task(agent())
    seen: list[dict[str, Any]] = []
    for _ in range(100):
        after = f"{conversation}:{seen[-1]['seq']}" if seen else None
        async with server.widget(token, after) as widget:
            try:
                async with asyncio.timeout(0.02):
                    seen += await widget.messages(1)
            except TimeoutError:
                continue
        if texts(seen[-1:]) == ["59"]:
            break
    await talking
    spoken = [message["text"] for message in seen if message["author"] == "agent"]
    assert spoken == [str(number) for number in range(len(spoken))]
    assert len(spoken) > 5


async def test_notes_are_never_sent_to_the_contact(server: Server) -> None:
    async with server.widget() as widget:
        await widget.say("a person please")
        conversation = (await widget.messages(3))[0]["conversation_id"]
        await server.desk.assign(conversation, AGENT)
        await server.desk.add_note(conversation, AGENT, "the secret")
        await server.desk.reply_as_agent(conversation, AGENT, "hello from Lin", None)
        frames = [await widget.receive()]
        while frames[-1].get("message", {}).get("text") != "hello from Lin":
            frames.append(await widget.receive())
        assert "the secret" not in json.dumps(frames)
        assert any(frame["type"] == "status" and frame["status"] == "assigned" for frame in frames)


async def test_a_conversation_after_a_resolved_one_follows_without_gap(server: Server) -> None:
    async with server.widget() as widget:
        await widget.say("a person please")
        conversation = (await widget.messages(3))[0]["conversation_id"]
        await server.desk.assign(conversation, AGENT)
        await server.desk.resolve(conversation, AGENT)
        while (await widget.until("message"))["message"]["kind"] != "rating_request":
            pass
        await widget.send(type="rating", client_msg_id="rating-0001", conversation_id=conversation, score=5, comment="")
        assert (await widget.until("ack"))["client_msg_id"] == "rating-0001"
        await widget.send(type="rating", client_msg_id="rating-0002", conversation_id=conversation, score=1, comment="")
        refusal = await widget.until("error")
        assert (refusal["code"], refusal["client_msg_id"]) == ("already_rated", "rating-0002")
        await widget.say("one more thing")
        new = await widget.until("ack")
        assert new["conversation_id"] != conversation
        following = await widget.messages(2)
        assert {message["conversation_id"] for message in following} == {new["conversation_id"]}
        assert texts(following) == ["one more thing", "you said one more thing"]


async def test_a_button_is_pressed_by_its_id(server: Server) -> None:
    async with server.widget() as widget:
        await widget.say("a button please")
        [button] = (await widget.messages(2))[1]["buttons"]
        await widget.say("Yes", button_id=button["id"])
        assert texts(await widget.messages(2)) == ["Yes", "you said Yes"]
        sent = await widget.say("", button_id="0" * 32)
        refusal = await widget.until("error")
        assert (refusal["code"], refusal["client_msg_id"]) == ("invalid_message", sent)


@pytest.mark.parametrize(
    "raw",
    [
        "no json",
        "[]",
        "{}",
        '{"type":"fly"}',
        '{"type":"message","text":"no id"}',
        '{"type":"message","client_msg_id":"../../etc","text":"x"}',
        '{"type":"message","client_msg_id":"12345678","text":7}',
        '{"type":"rating","client_msg_id":"12345678","conversation_id":"x","score":9}',
        '{"type":"message","client_msg_id":"12345678","text":"' + "x" * 4001 + '"}',
        '{"type":"typing","preview":"' + "x" * 70_000 + '"}',
        '{"a":' * 10_000,
        b"\x00\x01",
    ],
)
async def test_a_bad_frame_is_explained_by_name_and_the_socket_lives(server: Server, raw: str | bytes) -> None:
    async with server.widget() as widget:
        await widget.connection.send(raw)
        refusal = await widget.until("error")
        assert refusal["code"] == "bad_frame"
        assert refusal["message"]
        assert refusal.get("client_msg_id") == ("12345678" if "12345678" in str(raw) else None)
        await widget.send(type="ping")
        assert await widget.until("pong")


async def test_an_empty_message_and_somebody_elses_file_are_refused(server: Server) -> None:
    async with server.widget() as widget:
        await widget.say("   ")
        assert (await widget.until("error"))["code"] == "invalid_message"
        await widget.say("look", attachment_ids=["0" * 32])
        assert (await widget.until("error"))["code"] == "not_found"
        await widget.send(type="rating", client_msg_id="12345678", conversation_id="0" * 32, score=3)
        assert (await widget.until("error"))["code"] == "not_found"


async def test_twenty_messages_at_once_are_taken_and_the_next_waits(server: Server) -> None:
    """F44: a visitor who writes faster than allowed is told when to go on."""
    async with server.widget() as widget:
        for number in range(60):
            await widget.say(f"message {number}")
        answers: list[dict[str, Any]] = []
        while len(answers) < 60:
            frame = await widget.receive()
            if frame["type"] in ("ack", "error"):
                answers.append(frame)
        acknowledged = [frame for frame in answers if frame["type"] == "ack"]
        refused = [frame for frame in answers if frame["type"] == "error"]
        assert len(acknowledged) >= 20
        assert refused
        assert {frame["code"] for frame in refused} == {"too_fast"}
        assert all(frame["retry_after_seconds"] >= 0 and "client_msg_id" in frame for frame in refused)


async def test_the_first_frame_must_be_hello_and_soon(server: Server) -> None:
    async with server.socket() as connection:
        await connection.send('{"type":"ping"}')
        assert json.loads(await connection.recv())["code"] == "hello_expected"
        with pytest.raises(ConnectionClosed):
            await connection.recv()
        assert connection.close_code == 4400
    async with server.socket() as silent:
        assert json.loads(await silent.recv())["code"] == "hello_expected"


async def test_a_token_of_another_desk_is_refused(server: Server) -> None:
    async with server.socket() as connection:
        await connection.send(json.dumps({"type": "hello", "token": "v1.forged"}))
        assert json.loads(await connection.recv())["code"] == "bad_token"
        with pytest.raises(ConnectionClosed):
            await connection.recv()
        assert connection.close_code == 4401


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://partner.example.evil.example"])
async def test_a_page_of_another_site_cannot_open_the_socket(server: Server, origin: str) -> None:
    """F35: a socket of a foreign page."""
    with pytest.raises(InvalidStatus) as refused:
        await server.socket(Origin=origin).__aenter__()
    assert refused.value.response.status_code == 403


async def test_our_own_pages_and_listed_sites_can_open_the_socket(server: Server) -> None:
    for origin in (server.url, "https://partner.example"):
        async with server.socket(Origin=origin) as connection:
            await connection.send('{"type":"hello"}')
            assert json.loads(await connection.recv())["type"] == "welcome"


async def test_the_contact_sees_that_somebody_writes_but_not_their_own_typing(server: Server) -> None:
    async with server.widget() as widget:
        await widget.say("a person please")
        conversation = (await widget.messages(3))[0]["conversation_id"]
        await server.desk.assign(conversation, AGENT)
        async with server.hub.subscribe("staff") as staff:
            await widget.send(type="typing", preview="my order is")
            news = aiter(staff)
            while (event := await anext(news))["type"] != "typing":
                pass
        assert (event["author"], event["preview"]) == ("contact", "my order is")
        await server.desk.agent_typing(conversation, AGENT)
        authors = [(await widget.until("typing"))["author"]]
        while authors[-1] != "agent":
            authors.append((await widget.until("typing"))["author"])
        assert set(authors) <= {"bot", "agent"}  # the bot wrote while it took its turn, perhaps before its reply came


async def test_a_visitor_who_misses_announcements_is_asked_to_resume(server: Server) -> None:
    """F48: a reader that falls behind is closed with 1013."""
    async with server.widget() as widget:
        topic = f"contact:{address_of(widget)}"
        await widget.say("hello")
        await widget.messages(2)
        for number in range(600):  # more than the buffer, without a pause in which the writer could empty it
            await server.hub.publish(topic, {"type": "typing", "conversation_id": str(number), "author": "bot"})
        with pytest.raises(ConnectionClosed):
            await widget.messages(1)
        assert widget.connection.close_code == 1013


async def test_an_announcement_that_was_lost_or_out_of_order_is_read_from_the_transcript(server: Server) -> None:
    async with server.widget() as widget:
        await widget.say("hello")
        first = await widget.messages(2)
        topic = f"contact:{address_of(widget)}"
        late = {**first[1], "seq": 1}
        await server.hub.publish(
            topic, {"type": "message", "conversation_id": late["conversation_id"], "message": late}
        )
        await widget.say("again", uuid.uuid4().hex)
        assert texts(await widget.messages(2)) == ["again", "you said again"]


async def test_a_reply_taken_back_leaves_the_page_also_of_a_visitor_who_was_away(server: Server) -> None:
    async with server.widget() as widget:
        await widget.say("a person please")
        conversation = (await widget.messages(3))[0]["conversation_id"]
        await server.desk.assign(conversation, AGENT)
        await server.desk.reply_as_agent(conversation, AGENT, "one", None)
        first = (await widget.messages(2))[-1]
        await server.desk.recall(conversation, AGENT, first["seq"])
        gone = await widget.until("recalled")
        assert (gone["conversation_id"], gone["seq"]) == (conversation, first["seq"])
        await server.desk.reply_as_agent(conversation, AGENT, "two", None)
        second = (await widget.messages(1))[0]
        token = widget.token
    await server.desk.recall(conversation, AGENT, second["seq"])
    async with server.widget(token, f"{conversation}:{second['seq']}") as back:
        assert {(await back.until("recalled"))["seq"] for _ in range(2)} == {first["seq"], second["seq"]}
    async with server.widget(token) as afresh:
        shown = {message["seq"]: message for message in await afresh.messages(6)}
    assert (shown[second["seq"]]["text"], shown[second["seq"]]["recalled"]) == ("", True)


async def test_both_sides_see_how_far_the_other_has_read(server: Server) -> None:
    async with server.widget() as widget, server.hub.subscribe("staff") as staff:
        await widget.say("a person please")
        messages = await widget.messages(3)
        conversation, last = messages[0]["conversation_id"], messages[-1]["seq"]
        await widget.send(type="read", conversation_id=conversation, seq=last)
        async for event in staff:
            if event["type"] == "read":
                break
        assert (event["by"], event["seq"]) == ("contact", last)
        await server.desk.assign(conversation, AGENT)
        found = await server.desk.get_conversation(conversation)
        await server.desk.read_by_agent(found, AGENT, found.last_seq)
        read = await widget.until("read")
        assert read == {"type": "read", "conversation_id": conversation, "seq": found.last_seq}
        token = widget.token
    async with server.widget(token) as back:
        assert back.welcome["conversation"]["agent_read_seq"] == found.last_seq


async def test_a_visitor_cannot_mark_another_visitors_conversation_as_read(server: Server) -> None:
    async with server.widget() as widget, server.widget() as stranger:
        await widget.say("hello")
        message = (await widget.messages(2))[-1]
        await stranger.send(type="read", conversation_id=message["conversation_id"], seq=message["seq"])
        await stranger.send(type="ping")
        await stranger.until("pong")
    found = await server.desk.get_conversation(message["conversation_id"])
    assert found.contact_read_seq == 0


async def test_out_of_hours_the_form_for_contact_details_is_asked_for_and_taken_once(server: Server) -> None:
    server.desk.go_home()
    async with server.widget() as widget:
        await widget.say("a person please")
        while not (status := await widget.until("status")).get("asks_contact_details"):
            pass
        assert status["status"] == "queued"
        sent = {"text": "+44 7700 900123\nBest time: 18:00", "contact_point": "+44 7700 900123"}
        name = await widget.say(**sent)
        ack = await widget.until("ack")
        while (status := await widget.until("status")).get("asks_contact_details", True):
            pass
        await widget.say(client_msg_id=name, **sent)
        assert await widget.until("ack") == ack
    conversation_id = ack["conversation_id"]
    assert (await server.desk.get_conversation(conversation_id)).contact_point == "+447700900123"
    said = [one.text for one in await server.desk.messages(conversation_id)]
    assert said.count(sent["text"]) == 1
    assert sum("+447700900123" in text for text in said) == 1  # the confirmation
    async with server.widget(token=widget.token) as again:
        assert again.welcome["conversation"]["asks_contact_details"] is False


async def test_what_is_no_address_is_refused_and_not_stored(server: Server) -> None:
    server.desk.go_home()
    async with server.widget() as widget:
        await widget.say("a person please")
        conversation_id = (await widget.until("ack"))["conversation_id"]
        await widget.messages(3)
        before = await server.desk.messages(conversation_id)
        name = await widget.say("1380013", contact_point="1380013")
        refusal = await widget.until("error")
        assert (refusal["client_msg_id"], refusal["code"]) == (name, "bad_contact_point")
    assert await server.desk.messages(conversation_id) == before
    answer = await server.http.post(
        "/webchat/messages",
        json={"client_msg_id": "a" * 12, "text": "1380013", "contact_point": "1380013"},
        headers={"authorization": f"Bearer {widget.token}"},
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_contact_point")
