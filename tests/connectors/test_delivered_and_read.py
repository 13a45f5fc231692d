"""How far replies came, as WhatsApp and Messenger tell it."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from conversations.model import Address, utc_now
from tests.connectors.desk import AGENT
from tests.connectors.meta_desk import desk_of
from tests.doubles.messenger import ANN as PERSON
from tests.doubles.messenger import BOB as SOMEBODY_ELSE
from tests.doubles.messenger import Messenger
from tests.doubles.whatsapp import ANN, Whatsapp

LONG = " ".join(f"sentence number {n}." for n in range(400))


async def test_whatsapp_tells_how_far_a_reply_came_in_whatever_order(tmp_path: Path) -> None:
    async with Whatsapp().running() as double, desk_of(tmp_path, double) as (server, url):
        await double.deliver(url, double.webhook(double.message("a person please")))
        conversation = await server.desk.find_current(Address("whatsapp", "default", ANN))
        assert conversation is not None
        await server.desk.assign(conversation.id, AGENT)
        seqs = [(await server.desk.reply_as_agent(conversation.id, AGENT, text)).seq for text in ("one", LONG)]
        await double.until(lambda: "number 399." in json.dumps([said.body for said in double.said[-1:]]))
        [one] = [said for said in double.said if said.body.get("text", {}).get("body") == "one"]
        *begin, end = double.said[double.said.index(one) + 1 :]
        assert begin  # a message in several parts has arrived when its last part has

        async def told(*states: dict[str, Any]) -> tuple[int, int]:
            assert await double.deliver(url, double.webhook(statuses=states)) == 1
            found = await server.desk.get_conversation(conversation.id)
            return found.contact_received_seq, found.contact_read_seq

        assert await told(double.status(one, "sent")) == (0, 0)
        assert await told(double.status(one, "read"), double.status(one, "delivered")) == (0, seqs[0])
        assert await told(double.status(one, "delivered")) == (seqs[0], seqs[0])
        assert await told(*(double.status(part, "delivered") for part in begin)) == (seqs[0], seqs[0])
        assert await told(double.status(end, "delivered")) == (seqs[1], seqs[0])
        assert await told(double.status(end, "read"), double.status(one, "read")) == (seqs[1], seqs[1])
        transcript = await server.desk.transcript(Address("whatsapp", "default", ANN))
        assert not any(message.delivery_failed for message in transcript)
        failed = double.status(begin[0], "failed", {"code": 131026, "title": "Message undeliverable"})
        await told(failed)
        transcript = await server.desk.transcript(Address("whatsapp", "default", ANN))
        assert [message.seq for message in transcript if message.delivery_failed] == [seqs[1]]


async def test_messenger_tells_up_to_when_everything_came(tmp_path: Path) -> None:
    async with Messenger().running() as double, desk_of(tmp_path, double) as (server, url):
        await double.deliver(url, double.webhook(double.message("a person please")))
        conversation = await server.desk.find_current(Address("messenger", "default", PERSON))
        assert conversation is not None
        await server.desk.assign(conversation.id, AGENT)
        reply = await server.desk.reply_as_agent(conversation.id, AGENT, "Hi!")
        await double.until(lambda: double.said and double.said[-1].body["message"].get("text") == "Hi!")
        taken_at = utc_now()

        async def told(*marks: dict[str, Any]) -> tuple[int, int]:
            assert await double.deliver(url, double.webhook(*marks)) == 1
            found = await server.desk.get_conversation(conversation.id)
            return found.contact_received_seq, found.contact_read_seq

        before = taken_at - timedelta(hours=1)
        assert await told(double.watermark("delivery", before), double.watermark("read", before)) == (0, 0)
        assert await told(double.watermark("read", taken_at, by=SOMEBODY_ELSE)) == (0, 0)
        assert await told(double.watermark("delivery", taken_at)) == (reply.seq, 0)
        late = (double.watermark("read", taken_at), double.watermark("delivery", before))
        assert await told(*late) == (reply.seq, reply.seq)
        assert await told(double.watermark("read", before)) == (reply.seq, reply.seq)
        odd = double.watermark("read", taken_at) | {"read": {"watermark": "yesterday"}}
        assert await told(odd, odd | {"read": []}, odd | {"read": {"watermark": 10**18}}) == (reply.seq, reply.seq)
