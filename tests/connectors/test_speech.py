"""Voice messages of every channel become text, where an endpoint is set up that can hear."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from connectors.base import Media
from connectors.channels import Channels
from connectors.door import Door
from connectors.speech import LONGEST_TEXT, Speech
from conversations.model import InboundMessage
from tests.connectors.test_channels import Box, Shelf, arrival, pigeon
from tests.doubles.speech import KEY, MODEL, SpeechDouble
from tests.doubles.vendor_server import Answer

VOICE = Media("a", "voice", "voice.ogg")


@pytest.fixture
async def endpoint() -> AsyncIterator[SpeechDouble]:
    async with SpeechDouble().running() as double:
        double.knows[b"content"] = " 我的订单在哪里？\n"
        yield double


async def heard(endpoint: SpeechDouble, text: str = "", *media: Media, seconds: float = 5.0) -> InboundMessage:
    speech = Speech.at(endpoint.url, MODEL, KEY, seconds)
    assert speech is not None
    box = Box()
    door = Door(box, Shelf(), speech)
    await door.receive(pigeon(), [arrival(text, *(media or (VOICE,)))])
    await Channels([], door).close()
    return box.received[0]


async def test_a_voice_message_is_its_transcript_and_the_file_stays(endpoint: SpeechDouble) -> None:
    message = await heard(endpoint)
    assert message.text == "🎤 我的订单在哪里？"
    assert [file.name for file in message.attachments] == ["voice.ogg"]
    assert endpoint.heard == ["voice.ogg"]


async def test_what_the_channel_wrote_down_itself_is_not_asked_for_again(endpoint: SpeechDouble) -> None:
    assert (await heard(endpoint, "where is it")).text == "where is it"
    assert endpoint.heard == []


async def test_only_voices_are_listened_to(endpoint: SpeechDouble) -> None:
    message = await heard(endpoint, "", Media("p", "image", "p.png"), VOICE, Media("f", "file", "song.mp3"), VOICE)
    assert message.text == "🎤 我的订单在哪里？\n🎤 我的订单在哪里？"
    assert len(endpoint.heard) == 2
    assert len(message.attachments) == 4


@pytest.mark.parametrize(
    "happens",
    [
        "silence",
        Answer(b"oh no", 500),
        Answer(b"", 302, {"location": "http://127.0.0.1:9/"}),
        Answer(b"<html>"),
        Answer(b"[]"),
        Answer(b'{"text": 5}'),
        Answer(b'{"text": "  "}'),
        Answer(b"[" * 100_000),
        Answer(b" " * (256 * 1024 + 1)),
    ],
    ids=str,
)
async def test_a_voice_that_is_not_understood_is_a_file_as_before(
    endpoint: SpeechDouble, happens: Answer | str
) -> None:
    endpoint.next.append(happens)
    message = await heard(endpoint, seconds=0.5)
    assert message.text == ""
    assert len(message.attachments) == 1


async def test_an_endpoint_that_is_not_there_or_not_set_up_changes_nothing() -> None:
    nowhere = SpeechDouble()
    nowhere.url = "http://127.0.0.1:9/v1"
    assert (await heard(nowhere)).text == ""
    assert Speech.at(None, None, None, 5) is None


async def test_a_channel_that_does_not_wait_gets_the_file_without_words(
    endpoint: SpeechDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(pigeon()), "answers_within", 0.6)
    assert (await heard(endpoint)).text == ""
    assert endpoint.heard == []


async def test_a_transcript_has_its_limit_and_never_holds_the_key(endpoint: SpeechDouble) -> None:
    endpoint.knows[b"content"] = f"{KEY} \x00" + "a" * 2 * LONGEST_TEXT
    text = (await heard(endpoint)).text
    assert text.startswith("🎤 [key] aaa")
    assert len(text) == LONGEST_TEXT + 2


async def test_a_file_that_did_not_come_is_not_listened_to(endpoint: SpeechDouble) -> None:
    assert (
        await heard(endpoint, "", Media("forbidden", "voice"))
    ).text == "[a voice message that could not be received]"
    assert endpoint.heard == []
