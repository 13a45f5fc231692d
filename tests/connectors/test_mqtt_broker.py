"""With a real Mosquitto: nothing is lost or stored twice, whoever is cut off or restarted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.mqtt_link import Broker, Link, LinkDown, Publication
from conversations.errors import ChannelUnavailable, DeliveryUnknown, MessageRejected
from conversations.model import Attachment, Author, MessageKind, OutboundMessage
from tests.connectors.desk import free_port
from tests.connectors.dingtalk_desk import Shelf
from tests.connectors.mqtt_desk import account, desk_with_broker, inbox
from tests.doubles.mosquitto import PASSWORDS, Device, Mosquitto, Wire, running
from tests.doubles.tls import certificate_for

IN = "frontdesk/shop/in/"
OUT = "frontdesk/shop/out/"


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    async with running(tmp_path / "broker", free_port()) as broker:
        yield broker


def message(outbox_id: str = "outbox-1", text: str = "hello", files: tuple[Attachment, ...] = ()) -> OutboundMessage:
    created = datetime(2026, 3, 1, tzinfo=UTC)
    return OutboundMessage(
        outbox_id, "c" * 32, 1, Author.BOT, MessageKind.TEXT, text, created_at=created, attachments=files
    )


async def stored(shop: Any, count: int, contact: str = "ann") -> list[str]:
    """The texts of a contact, as soon as there are so many."""
    for _ in range(3_000):
        said = await shop.said(contact)
        if len(said) >= count:
            return [one.text for one in said]
        await asyncio.sleep(0.02)
    raise AssertionError(f"{count} messages of {contact} did not arrive")


def link(port: int, **more: Any) -> Link:
    return Link(Broker("127.0.0.1", port, "test-link", "frontdesk", PASSWORDS["frontdesk"], **more))


class TestComingIn:
    async def test_an_acknowledgement_follows_the_storing(self, tmp_path: Path, broker: Mosquitto) -> None:
        async with inbox(tmp_path, broker.port) as shop, Device("ann", broker.port).online() as ann:
            await shop.connector.listening.wait()
            shop.desk.broken = True
            assert await ann.says("hello") == 0
            await broker.until(lambda: broker.log.count("Sending PUBLISH to frontdesk-shop (d1") >= 2)
            assert "Received PUBACK from frontdesk-shop" not in broker.log
            shop.desk.broken = False
            assert await stored(shop, 1) == ["hello"]
            await broker.until(lambda: "Received PUBACK from frontdesk-shop" in broker.log)

    async def test_what_is_delivered_again_after_a_cut_connection_is_stored_once(
        self, tmp_path: Path, broker: Mosquitto
    ) -> None:
        async with (
            Wire(broker.port).laid() as wire,
            inbox(tmp_path, wire.port) as shop,
            Device("ann", broker.port).online() as ann,
        ):
            await shop.connector.listening.wait()
            wire.lose_to_broker = True  # the acknowledgement does not arrive
            await ann.says("hello")
            await stored(shop, 1)
            wire.lose_to_broker = False
            wire.cut()
            await broker.until(lambda: "Received PUBACK from frontdesk-shop" in broker.log)
            assert "Sending PUBLISH to frontdesk-shop (d1, q1" in broker.log
            await ann.says("again")
            assert await stored(shop, 2) == ["hello", "again"]

    async def test_the_link_says_dup_and_keeps_the_order(self, broker: Mosquitto) -> None:
        async with Device("ann", broker.port).online() as ann:
            first = link(broker.port, in_flight=3)
            await first.open(f"{IN}+")
            async with asyncio.timeout(10):
                await first.subscribed.wait()  # before that the broker has nobody to send it to
            for number in range(6):
                await ann.says(str(number))
            seen = [await first.next() for _ in range(3)]
            with pytest.raises(TimeoutError):  # three are not acknowledged: the broker keeps the others
                async with asyncio.timeout(0.3):
                    await first.next()
            first.done(seen[0])
            await first.next()
            await broker.until(lambda: "Received PUBACK from test-link" in broker.log)
            await first.close()
            second = link(broker.port, in_flight=3)
            await second.open(f"{IN}+")
            assert (first.resumed, second.resumed) == (False, True)
            again = []
            for _ in range(5):
                again.append(await second.next())
                second.done(again[-1])
            assert [json.loads(one.payload)["text"] for one in again] == ["1", "2", "3", "4", "5"]
            assert [one.dup for one in again[:3]] == [True, True, True]
            await second.close()

    async def test_qos_2_arrives_once_and_is_acknowledged_after_storing_too(
        self, tmp_path: Path, broker: Mosquitto
    ) -> None:
        async with (
            Wire(broker.port).laid() as wire,
            inbox(tmp_path, wire.port) as shop,
            Device("ann", broker.port).online() as ann,
        ):
            await shop.connector.listening.wait()
            shop.desk.broken = True
            assert await ann.says("hello", qos=2) == 0
            await broker.until(lambda: "Sending PUBLISH to frontdesk-shop (d1, q1" in broker.log)
            wire.cut()
            shop.desk.broken = False
            await ann.says("again", qos=2)
            assert await stored(shop, 2) == ["hello", "again"]

    async def test_qos_0_arrives_too_and_a_flood_of_it_waits_instead_of_being_dropped(
        self, tmp_path: Path, broker: Mosquitto
    ) -> None:
        async with inbox(tmp_path, broker.port, in_flight=2) as shop, Device("ann", broker.port).online() as ann:
            await shop.connector.listening.wait()
            for number in range(60):
                await ann.says(str(number), qos=0)
            assert await stored(shop, 60) == [str(number) for number in range(60)]

    async def test_what_comes_while_the_desk_is_away_waits_for_it(self, tmp_path: Path, broker: Mosquitto) -> None:
        async with Device("ann", broker.port).online() as ann:
            async with inbox(tmp_path, broker.port) as shop:
                await shop.connector.listening.wait()
                await ann.says("hello")
                await stored(shop, 1)
            for word in ("are", "you", "there"):
                assert await ann.says(word) == 0
            async with inbox(tmp_path, broker.port) as shop:
                assert await stored(shop, 4) == ["hello", "are", "you", "there"]

    async def test_a_thousand_messages_stay_in_order_across_cut_connections(
        self, tmp_path: Path, broker: Mosquitto
    ) -> None:
        async with (
            Wire(broker.port).laid() as wire,
            inbox(tmp_path, wire.port) as shop,
            Device("ann", broker.port).online() as ann,
        ):
            await shop.connector.listening.wait()
            publishing = [asyncio.create_task(ann.says(str(number))) for number in range(1_000)]
            for enough in (100, 400, 700):
                await stored(shop, enough)
                wire.cut()
            await asyncio.gather(*publishing)
            assert await stored(shop, 1_000) == [str(number) for number in range(1_000)]
            assert wire.connections >= 4

    async def test_a_killed_broker_with_five_hundred_waiting_messages_loses_and_repeats_none(
        self, tmp_path: Path, broker: Mosquitto
    ) -> None:
        """F45: broker kill -9 with 500 un-acknowledged QoS 1 messages → all processed once."""
        async with Device("ann", broker.port).online() as ann, inbox(tmp_path, broker.port) as shop:
            await shop.connector.listening.wait()
            shop.desk.broken = True
            await asyncio.gather(*(ann.says(f"number {number:03}") for number in range(500)))
            for number in range(500):
                await broker.kept(f"number {number:03}")
            await broker.stop(kill=True)
            shop.desk.broken = False
            await broker.start()
            assert await stored(shop, 500) == [f"number {number:03}" for number in range(500)]
            await ann.says("more")
            assert (await stored(shop, 501))[-1] == "more"


class TestWhoWrites:
    async def test_nobody_writes_or_reads_in_the_name_of_somebody_else(self, tmp_path: Path, broker: Mosquitto) -> None:
        """F45: a device that publishes on another one's topic is refused by the broker's access rules."""
        async with (
            inbox(tmp_path, broker.port) as shop,
            Device("ann", broker.port).online() as ann,
            Device("bob", broker.port).online() as bob,
        ):
            await shop.connector.listening.wait()
            assert await ann.says("I am Bob", topic=f"{IN}bob") == 0x87  # not authorized
            assert await ann.says("I am the desk", topic=f"{OUT}bob") == 0x87
            ann._client.subscribe(f"{OUT}#", qos=1)
            await ann.says("hello")
            await stored(shop, 1)
            await shop.connector.send("bob", message())
            await bob.until(1)
            await shop.connector.send("ann", message("outbox-2"))
            assert [one["id"] for one in await ann.until(1)] == ["outbox-2"]
            assert await shop.said("bob") == []

    async def test_two_devices_may_use_the_same_ids(self, tmp_path: Path, broker: Mosquitto) -> None:
        async with (
            inbox(tmp_path, broker.port) as shop,
            Device("ann", broker.port).online() as ann,
            Device("bob", broker.port).online() as bob,
        ):
            await shop.connector.listening.wait()
            for device in (ann, bob):
                await device.says("hello", id="1")
                await device.says("repeated", id="1")
                await device.says("bye", id="2")
            for name in ("ann", "bob"):
                assert await stored(shop, 2, name) == ["hello", "bye"]

    async def test_old_retained_messages_are_not_heard_and_unreadable_ones_hold_nothing_up(
        self, tmp_path: Path, broker: Mosquitto
    ) -> None:
        """F45: a retained message is ignored."""
        async with Device("ann", broker.port).online() as ann:
            await ann.says("old", retain=True)
            async with inbox(tmp_path, broker.port) as shop:
                await shop.connector.listening.wait()
                for payload in (
                    b"",
                    b"\xff",
                    b"{",
                    b"[]",
                    b'{"text":"no id"}',
                    b'{"id":"1","text":"x","contact":"bob"}',
                ):
                    await ann.publish(payload)
                await ann.publish(b"x" * 1_100_000)
                await ann.says("hello")
                assert await stored(shop, 1) == ["hello"]

    async def test_wrong_passwords_and_refused_subscriptions_are_named(self, broker: Mosquitto) -> None:
        wrong = Link(Broker("127.0.0.1", broker.port, "x", "frontdesk", "wrong"))
        with pytest.raises(LinkDown, match="Not authorized") as raised:
            await wrong.open(f"{IN}+")
        assert "wrong" not in str(raised.value)
        await wrong.close()
        nowhere = Link(Broker("127.0.0.1", free_port(), "x"))
        with pytest.raises(LinkDown, match="no connection"):
            await nowhere.open(f"{IN}+")
        await nowhere.close()


class TestGoingOut:
    async def test_an_answer_has_its_id_expiry_and_properties(self, broker: Mosquitto) -> None:
        connector = account(broker.port)
        running_link = asyncio.create_task(connector.run(lambda arrivals: asyncio.sleep(0)))
        async with Device("ann", broker.port).online() as ann:
            await connector.listening.wait()
            assert await connector.send("ann", message()) == "outbox-1"
            [got] = await ann.until(1)
            assert (got["id"], got["text"], got["created_at"]) == ("outbox-1", "hello", "2026-03-01T00:00:00Z")
            [raw] = ann.raw
            assert (raw.topic, raw.qos, raw.retain) == (f"{OUT}ann", 1, False)
            properties: Any = raw.properties
            assert properties.ContentType == "application/json"
            assert properties.PayloadFormatIndicator == 1
            assert 86_000 < properties.MessageExpiryInterval <= 86_400
            assert dict(properties.UserProperty) == {"id": "outbox-1", "author": "bot", "kind": "text"}
            with pytest.raises(MessageRejected):
                await connector.send("an/other", message())
        running_link.cancel()
        await asyncio.gather(running_link, return_exceptions=True)
        await connector.close()

    async def test_without_an_acknowledgement_nobody_knows_and_the_id_tells_the_repeat(
        self, tmp_path: Path, broker: Mosquitto
    ) -> None:
        async with (
            Wire(broker.port).laid() as wire,
            inbox(tmp_path, wire.port) as shop,
            Device("ann", broker.port).online() as ann,
        ):
            await shop.connector.listening.wait()
            wire.lose_from_broker = True
            sending = asyncio.create_task(shop.connector.send("ann", message()))
            await ann.until(1)
            wire.cut()
            with pytest.raises(DeliveryUnknown):
                await sending
            wire.lose_from_broker = False
            await broker.until(lambda: wire.connections > 1 and shop.connector.listening.is_set())
            await shop.connector.send("ann", message())
            assert [one["id"] for one in await ann.until(2)] == ["outbox-1", "outbox-1"]

    async def test_without_connection_or_subscriber_it_is_tried_later(self, tmp_path: Path, broker: Mosquitto) -> None:
        with pytest.raises(ChannelUnavailable, match="no connection"):
            await account(broker.port).send("ann", message())
        async with inbox(tmp_path, broker.port) as shop:
            await shop.connector.listening.wait()
            with pytest.raises(ChannelUnavailable, match="subscribed"):
                await shop.connector.send("ann", message())
            async with Device("ann", broker.port).online():
                pass
            await shop.connector.send("ann", message())  # its session keeps the message for it
            async with Device("ann", broker.port).online() as ann:
                assert len(await ann.until(1)) == 1
        async with inbox(tmp_path, broker.port, needs_subscriber=False) as shop:
            await shop.connector.listening.wait()
            await shop.connector.send("bob", message())

    async def test_a_topic_the_desk_may_not_write_is_refused_for_good(self, tmp_path: Path, broker: Mosquitto) -> None:
        async with inbox(tmp_path, broker.port, out_topic="elsewhere/{contact}") as shop:
            await shop.connector.listening.wait()
            with pytest.raises(MessageRejected, match="0x87"):
                await shop.connector.send("ann", message())

    async def test_a_message_the_broker_would_hang_up_on_is_not_sent(self, broker: Mosquitto) -> None:
        await broker.stop()
        with (broker.folder / "conf").open("a") as file:
            file.write("max_packet_size 20000\n")
        await broker.start()
        one = link(broker.port)
        await one.open(f"{IN}+")
        with pytest.raises(MessageRejected, match="20000"):
            await one.publish(Publication(f"{OUT}ann", bytes(30_000), 60), needs_subscriber=False)
        await one.publish(Publication(f"{OUT}ann", bytes(3_000), 60), needs_subscriber=False)
        await one.close()
        with pytest.raises(ChannelUnavailable):
            await one.publish(Publication(f"{OUT}ann", b"", 60), needs_subscriber=False)

    async def test_files_go_out_inside_the_message(self, broker: Mosquitto) -> None:
        shelf = Shelf()
        file = shelf.put("a.png", "image/png", b"picture")
        connector = account(broker.port, shelf)
        task = asyncio.create_task(connector.run(lambda arrivals: asyncio.sleep(0)))
        async with Device("ann", broker.port).online() as ann:
            await connector.listening.wait()
            await connector.send("ann", message(files=(file,)))
            [got] = await ann.until(1)
            assert got["attachments"] == [
                {"name": "a.png", "media_type": "image/png", "size": 7, "content": "cGljdHVyZQ=="}
            ]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await connector.close()


class TestResponseTopics:
    async def test_answers_go_to_the_topic_that_was_asked_for_with_its_correlation(
        self, tmp_path: Path, broker: Mosquitto
    ) -> None:
        async with desk_with_broker(tmp_path, broker.port), Device("ann", broker.port).online() as ann:
            await ann.says("hello", response=f"{OUT}ann/app1", correlation=b"\x00\x017")
            await ann.until(1)
            assert ann.raw[0].topic == f"{OUT}ann/app1"
            properties: Any = ann.raw[0].properties
            assert properties.CorrelationData == b"\x00\x017"
            await ann.says("hello again")  # asks for nothing special
            await ann.until(2)
            assert ann.raw[1].topic == f"{OUT}ann"
            assert not hasattr(ann.raw[1].properties, "CorrelationData")

    @pytest.mark.parametrize("topic", [f"{OUT}bob", f"{IN}bob", "frontdesk/shop", f"{OUT}annabel", "$SYS/x"])
    async def test_nobody_makes_the_desk_write_elsewhere(self, tmp_path: Path, broker: Mosquitto, topic: str) -> None:
        async with desk_with_broker(tmp_path, broker.port), Device("ann", broker.port).online() as ann:
            await ann.says("hello", response=topic, correlation=b"1")
            await ann.until(1)
            assert ann.raw[0].topic == f"{OUT}ann"


async def test_tls_checks_the_brokers_certificate(tmp_path: Path) -> None:
    good, bad = certificate_for(tmp_path, "localhost"), certificate_for(tmp_path, "other.example")
    port = free_port()
    async with running(tmp_path / "broker", port, good):
        more: dict[str, Any] = {"tls": True, "host": "localhost", "ca_file": good}
        connector = account(port, **more)
        task = asyncio.create_task(connector.run(lambda arrivals: asyncio.sleep(0)))
        async with asyncio.timeout(20):
            await connector.listening.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await connector.close()
        with pytest.raises(LinkDown, match="SSLCertVerificationError"):
            await account(port, **more | {"ca_file": bad}).run(lambda arrivals: asyncio.sleep(0))
