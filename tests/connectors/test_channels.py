"""What all channels share: the door, the accounts, parts and pace, connections that break."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from channels_file import read_channels
from connectors import accounts
from connectors.accounts import BadAccount, connectors_of
from connectors.base import (
    AccountSettings,
    Arrival,
    BadSignature,
    Connector,
    Means,
    Media,
    Receive,
    WebhookRequest,
)
from connectors.channels import Channels, pushed
from connectors.door import Door
from connectors.parts import Pace, send_parts
from connectors.rate_limit import RateLimit
from connectors.rest import RestConnector
from conversations.errors import ChannelUnavailable, InvalidMessage, MessageRejected, RateLimited
from conversations.model import (
    Address,
    Attachment,
    Author,
    InboundMessage,
    MessageKind,
    OutboundMessage,
    Receipt,
    utc_now,
)
from settings import BadSetting


class Pigeon(Connector):
    """A channel of the tests."""

    channel = "pigeon"

    class Settings(AccountSettings):
        token: str

    def __init__(self, settings: Settings, means: Means) -> None:
        super().__init__(settings.account)
        self.token = settings.token
        self.sent: list[tuple[str, str]] = []
        self.fetching: Callable[[Media], tuple[str, bytes]] = lambda media: (media.reference, b"content")

    def verify(self, request: WebhookRequest) -> None:
        raise BadSignature("no")

    def parse(self, request: WebhookRequest) -> list[Arrival]:
        return []

    async def send(self, to: str, message: OutboundMessage) -> str:
        self.sent.append((to, message.text))
        return "1"

    async def fetch(self, media: Media) -> tuple[str, bytes]:
        if media.reference == "slow":
            await asyncio.sleep(5)
        return self.fetching(media)


class Shelf:
    """Keeps files, but none called forbidden."""

    async def content(self, attachment_id: str) -> tuple[Attachment, bytes]:
        raise AssertionError

    async def save(self, owner: str, name: str, content: bytes) -> Attachment:
        if name == "forbidden":
            raise InvalidMessage("files of this type are not accepted")
        return Attachment(f"{owner}/{name}", name, "text/plain", len(content))


class Box:
    """An inbox that refuses what is empty."""

    def __init__(self) -> None:
        self.received: list[InboundMessage] = []

    async def receive(self, inbound: InboundMessage) -> Receipt:
        if not inbound.text and not inbound.attachments:
            raise InvalidMessage("the message is empty")
        self.received.append(inbound)
        return Receipt("c", "m", len(self.received))


MEANS = Means("https://desk.example", Shelf(), utc_now)


def pigeon(account: str = "default") -> Pigeon:
    return Pigeon(Pigeon.Settings(channel="pigeon", account=account, token="t"), MEANS)


def arrival(text: str = "hello", *media: Media, external_id: str = "1", language: str | None = None) -> Arrival:
    return Arrival(InboundMessage(pigeon().address("ann"), external_id, text, language=language), media)


def outbound(text: str = "hello") -> OutboundMessage:
    return OutboundMessage("outbox-1", "c" * 32, 1, Author.BOT, MessageKind.TEXT, text, utc_now())


async def test_files_are_kept_with_the_message_they_came_with() -> None:
    box = Box()
    await Door(box, Shelf()).receive(pigeon(), [arrival("see", Media("a", "image", "a.png"), Media("b", "file"))])
    [stored] = box.received
    assert [file.name for file in stored.attachments] == ["a.png", "b"]
    assert stored.attachments[0].id.startswith("pigeon")


@pytest.mark.parametrize("reference", ["slow", "forbidden", "gone"])
async def test_a_file_that_does_not_come_is_named_and_the_message_is_stored_all_the_same(reference: str) -> None:
    box, bird = Box(), pigeon()

    def fetch(media: Media) -> tuple[str, bytes]:
        if media.reference == "gone":
            raise ChannelUnavailable("404")
        return media.reference, b"x"

    bird.fetching = fetch
    door = Door(box, Shelf(), fetch_seconds=0.05)
    await door.receive(bird, [arrival("", Media(reference, "voice"), language="zh"), arrival("b", external_id="2")])
    assert [message.text for message in box.received] == ["［语音未能接收］", "b"]


@pytest.mark.parametrize("trouble", [None, "slow", "refused"])
async def test_a_sender_is_introduced_or_the_message_is_stored_as_it_is(trouble: str | None) -> None:
    class Telling(Pigeon):
        async def introduce(self, message: InboundMessage) -> InboundMessage:
            if trouble == "slow":
                await asyncio.sleep(5)
            if trouble == "refused":
                raise MessageRejected("no")
            return replace(message, contact_name="Ann")

    box = Box()
    telling = Telling(Pigeon.Settings(channel="pigeon", token="t"), MEANS)
    await Door(box, Shelf(), fetch_seconds=0.05).receive(telling, [arrival("hello")])
    assert [(one.text, one.contact_name) for one in box.received] == [("hello", None if trouble else "Ann")]


async def test_what_can_never_be_stored_does_not_hold_back_what_comes_after_it() -> None:
    box = Box()
    await Door(box, Shelf()).receive(pigeon(), [arrival(""), arrival("second", external_id="2")])
    assert [message.text for message in box.received] == ["second"]
    with pytest.raises(InvalidMessage):
        await Door(box, Shelf()).receive(RestConnector([]), [arrival("")])


async def test_a_message_goes_out_through_the_account_of_its_address() -> None:
    one, two = pigeon("one"), pigeon("two")
    channels = Channels([one, two], Door(Box(), Shelf()))
    assert await channels.deliver(two.address("ann"), outbound()) == "1"
    assert (one.sent, two.sent) == ([], [("ann", "hello")])
    with pytest.raises(MessageRejected, match="not set up any more"):
        await channels.deliver(Address("pigeon", "three", "ann"), outbound())
    with pytest.raises(ValueError, match="rename"):
        Channels([one, pigeon("one")], Door(Box(), Shelf()))
    push = pushed([one, RestConnector([])])
    assert push(one.address("ann"))
    assert not push(Address("rest", "default", "ann"))


async def test_a_connection_that_breaks_is_opened_again_and_what_it_brings_is_stored() -> None:
    box, opened, stored = Box(), 0, asyncio.Event()

    class Wire(Pigeon):
        async def run(self, receive: Receive) -> None:
            nonlocal opened
            opened += 1
            if opened < 3:
                raise ConnectionError("cut")
            await receive([arrival("by wire")])
            stored.set()
            await asyncio.sleep(60)

    wire = Wire(Pigeon.Settings(channel="pigeon", token="t"), MEANS)
    channels = Channels([wire, pigeon("quiet")], Door(box, Shelf()), first_pause_seconds=0.01)
    await channels.start()
    await asyncio.wait_for(stored.wait(), 5)
    await channels.stop()
    assert [message.text for message in box.received] == ["by wire"]


async def test_parts_that_went_out_are_not_sent_again_when_a_later_one_failed() -> None:
    sent: list[str] = []
    message = outbound("x")

    async def send(place: int, part: str) -> str:
        if part == "b" and len(sent) == 1:
            sent.append("failed")
            raise ChannelUnavailable("try again")
        sent.append(part)
        return f"id-{place}"

    with pytest.raises(ChannelUnavailable):
        await send_parts(message, ["a", "b", "c"], send)
    assert message.sent_parts == ["id-0"]
    again = replace(outbound("x"), sent_parts=list(message.sent_parts))  # another process, told by the outbox
    assert await send_parts(again, ["a", "b", "c"], send) == "id-0"
    assert sent == ["a", "failed", "b", "c"]
    assert await send_parts(outbound("y"), [], send) == outbound("y").outbox_id


async def test_who_sends_too_quickly_is_told_how_long_to_wait() -> None:
    now = [0.0]
    pace = Pace(RateLimit(2, 1, lambda: now[0]), RateLimit(1, 10, lambda: now[0]))
    await pace.take("ann")
    with pytest.raises(RateLimited) as refused:
        await pace.take("ann")
    assert refused.value.retry_after_seconds == pytest.approx(10)
    await pace.take("bob")
    with pytest.raises(RateLimited):
        await pace.take("cid")  # too much together
    now[0] += 1
    await pace.take("cid")  # which cost them nothing


def test_accounts_become_connectors_and_a_bad_one_names_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "CHANNELS", {"pigeon": (__name__, "Pigeon")})
    [made] = connectors_of([{"channel": "pigeon", "account": "shop", "token": "t"}], MEANS)
    assert (made.channel, made.account) == ("pigeon", "shop")
    for entry, named in (
        ({"channel": "owl"}, "entry 1: channel 'owl' is unknown; use one of pigeon"),
        ({"channel": "pigeon"}, r"entry 1 \(pigeon\): token"),
        ({"channel": "pigeon", "token": "t", "colour": "red"}, "colour"),
        ({"channel": "pigeon", "token": "t", "account": "Not A Name"}, "account"),
    ):
        with pytest.raises(BadAccount, match=named):
            connectors_of([entry], MEANS)


def test_every_channel_that_can_be_set_up_has_a_connector_a_page_and_settings() -> None:
    docs = Path(__file__).resolve().parents[2] / "docs" / "channels"
    for channel in accounts.CHANNELS:
        with pytest.raises(BadAccount, match=r"entry 1 \("):
            connectors_of([{"channel": channel, "surely_not_a_field": 1}], MEANS)
        assert (docs / f"{channel}.md").exists()


def test_the_channels_file_takes_secrets_from_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "channels.yml"
    file.write_text("- channel: telegram\n  token: ${TOKEN}\n  hosts: ['${TOKEN}x']\n", encoding="utf-8")
    assert read_channels(file, {"TOKEN": "s"}) == ({"channel": "telegram", "token": "s", "hosts": ["sx"]},)
    with pytest.raises(BadSetting, match="TOKEN is not set"):
        read_channels(file, {})
    file.write_text("channel: telegram\n", encoding="utf-8")
    with pytest.raises(BadSetting, match="list of accounts"):
        read_channels(file, {})
    file.write_text("- [", encoding="utf-8")
    with pytest.raises(BadSetting, match="cannot be read"):
        read_channels(file, {})
    with pytest.raises(BadSetting, match="cannot be read"):
        read_channels(tmp_path / "missing.yml", {})


def test_an_address_keeps_account_and_contact_apart() -> None:
    assert replace(arrival().message.address, account="shop") == pigeon("shop").address("ann")


async def test_what_turns_out_not_to_have_arrived_is_told_with_its_account() -> None:
    told: list[tuple[str, str, str, str]] = []

    async def listen(channel: str, account: str, outbox_id: str, reason: str) -> None:
        told.append((channel, account, outbox_id, reason))

    one, other = pigeon("one"), pigeon("other")
    await one.undelivered("outbox-0", "nobody listens yet")
    channels = Channels([one, other], Door(Box(), Shelf()))
    await channels.start(listen)
    await other.undelivered("outbox-1", "it flew away")
    await channels.stop()
    assert told == [("pigeon", "other", "outbox-1", "it flew away")]
