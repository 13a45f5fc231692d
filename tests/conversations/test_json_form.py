"""The JSON of messages and conversations shows contacts only what is theirs to see."""

from __future__ import annotations

import json

from conversations.json_form import conversation_json, message_json
from tests.conversations.builders import LIN, TestDesk, address

SECRET_FIELDS = {
    "agent_id",
    "customer_id",
    "contact_id",
    "handoff_reason",
    "author_id",
    "turn_id",
    "delivery_failed",
    "preview",
}


async def test_a_contact_sees_names_but_no_workings(desk: TestDesk) -> None:
    conversation_id = await desk.assigned(LIN)
    await desk.conversations.reply_as_agent(conversation_id, LIN, "hello")
    conversation = await desk.conversations.get_conversation(conversation_id)
    form = conversation_json(conversation, for_contact=True)
    assert not SECRET_FIELDS & form.keys()
    assert (form["status"], form["agent_name"]) == ("assigned", "Lin")
    for message in await desk.conversations.transcript(address()):
        form = message_json(message, for_contact=True)
        assert not SECRET_FIELDS & form.keys()
        assert LIN.id not in json.dumps(form)


async def test_staff_see_everything_and_times_end_in_z(desk: TestDesk) -> None:
    conversation_id = await desk.assigned(LIN)
    form = conversation_json(await desk.conversations.get_conversation(conversation_id))
    assert form["agent_id"] == LIN.id
    assert form["opened_at"].endswith("Z")
    assert form["address"] == "telegram:default:visitor-1"
    json.dumps([form, *(message_json(m) for m in await desk.conversations.messages(conversation_id))])


async def test_events_on_the_contacts_topic_are_the_contacts_form(desk: TestDesk) -> None:
    news = desk.hub.subscribe(f"contact:{address()}")
    await desk.assigned(LIN)
    seen = [await anext(news)]
    while seen[-1].get("conversation", {}).get("status") != "assigned":
        seen.append(await anext(news))
    assert {event["type"] for event in seen} == {"message", "conversation"}
    for event in seen:
        assert LIN.id not in json.dumps(event)
        assert not SECRET_FIELDS & (event.get("message") or event["conversation"]).keys()
