"""What Messenger is asked to show, which files are fetched, and what refusals mean."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import Media
from connectors.messenger import Text, parts_of
from conversations.errors import (
    ChannelUnavailable,
    ContactUnreachable,
    DeliveryUnknown,
    MessageRejected,
    RateLimited,
    SendError,
)
from conversations.model import Author, MessageKind
from conversations.notices import rating_titles
from tests.connectors.dingtalk_desk import Shelf, buttons, citation, outbound
from tests.connectors.meta_desk import page
from tests.doubles.messenger import ANN, BOB, Messenger
from tests.doubles.meta import TOKEN, error
from tests.doubles.vendor_server import Answer

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


@pytest.fixture
async def double() -> AsyncIterator[Messenger]:
    async with Messenger().running() as double:
        for contact in (ANN, BOB):
            double.wrote_at[contact] = double.now
        yield double


class TestSending:
    async def test_an_answer_is_plain_text_with_its_source(self, double: Messenger) -> None:
        sent = await page(double).send(ANN, outbound("**Yes**, you may.", citations=(citation(),)))
        [said] = double.said
        assert said.body == {
            "recipient": {"id": ANN},
            "messaging_type": "RESPONSE",
            "message": {"text": "Yes, you may.\n\nSource: Returns https://desk.example/articles/returns"},
        }
        assert sent == said.id

    async def test_up_to_thirteen_choices_are_quick_replies_and_more_are_numbered(self, double: Messenger) -> None:
        for place, count in enumerate((13, 14)):
            message = outbound("which?", buttons=buttons(*map(str, range(count))), outbox_id=str(place))
            await page(double).send(ANN, message)
        first, second = (said.body["message"] for said in double.said)
        assert len(first["quick_replies"]) == 13
        assert second["text"].startswith("which?\n\n1. 0\n2. 1")
        [long_title] = parts_of(outbound("which?", buttons=buttons("x" * 21)), "")
        assert long_title == Text("which?\n\n1. " + "x" * 21)

    @pytest.mark.parametrize("language", ["zh", "en"])
    async def test_a_request_for_a_rating_has_five_quick_replies(self, double: Messenger, language: str) -> None:
        titles = [title for _, title in rating_titles(language)]
        await page(double).send(ANN, outbound("", kind=MessageKind.RATING_REQUEST, buttons=buttons(*titles)))
        assert [one["title"] for one in double.said[0].body["message"]["quick_replies"]] == titles

    @given(st.text(max_size=5_000), st.integers(0, 15), st.sampled_from([Author.BOT, Author.AGENT]))
    def test_parts_are_the_text_within_the_limit(self, text: str, count: int, author: Author) -> None:
        message = outbound(text, author=author, buttons=buttons(*map(str, range(count))))
        parts = [part for part in parts_of(message, "") if isinstance(part, Text)]
        assert all(part.text.strip() and len(part.text) <= 2_000 for part in parts)
        assert all(not part.choices for part in parts[:-1])
        if author is Author.AGENT and text.strip() and count == 0 and "|" not in text:
            assert "".join("".join(part.text for part in parts).split()) == "".join(text.split())

    @pytest.mark.parametrize(("media_type", "shown"), [("image/png", "image"), ("application/pdf", "file")])
    async def test_files_go_out_as_what_they_are(self, double: Messenger, media_type: str, shown: str) -> None:
        shelf = Shelf()
        file = shelf.put("a.bin", media_type, PNG)
        await page(double, shelf).send(ANN, outbound("see", attachments=(file,)))
        assert double.said[0].body["message"]["text"] == "see"
        assert double.said[1].body["message"]["attachment"]["type"] == shown
        assert double.said[1].file == ("a.bin", PNG)
        shelf.kept.clear()
        with pytest.raises(MessageRejected, match=r"a\.bin cannot be sent"):
            await page(double, shelf).send(ANN, outbound("", attachments=(file,)))

    @pytest.mark.parametrize(
        ("answer", "meaning"),
        [
            (error(613, "Calls to this api have exceeded the rate limit."), RateLimited),
            (error(4, "Application request limit reached", 403), RateLimited),
            (Answer({}, 429), RateLimited),
            (Answer({}, 500), ChannelUnavailable),
            (error(1200, "Temporary send message failure. Please try again later."), ChannelUnavailable),
            (Answer(None, cut=True), DeliveryUnknown),
            (error(10, "outside of allowed window", 403, 2018278), ContactUnreachable),
            (error(551, "This person isn't available right now."), ContactUnreachable),
            (error(100, "No matching user found", subcode=2018001), ContactUnreachable),
            (error(190, f"Error validating access token {TOKEN}", 401), MessageRejected),
            (error(200, "Permissions error", 403), MessageRejected),
            (error(100, "Invalid parameter"), MessageRejected),
        ],
    )
    async def test_each_refusal_has_its_meaning(
        self, double: Messenger, answer: Answer, meaning: type[SendError]
    ) -> None:
        double.failures = [answer]
        with pytest.raises(meaning) as refused:
            await page(double).send(ANN, outbound("x"))
        assert TOKEN not in str(refused.value)

    async def test_contacts_who_blocked_us_or_are_no_contacts_cannot_be_reached(self, double: Messenger) -> None:
        double.blocked.add(ANN)
        for contact in (ANN, "999"):
            with pytest.raises(ContactUnreachable):
                await page(double).send(contact, outbound("x"))
        with pytest.raises(MessageRejected):
            await page(double).send("../me", outbound("x"))
        with pytest.raises(ChannelUnavailable):
            await page(Messenger()).send(ANN, outbound("x"))

    async def test_after_24_hours_only_agents_with_metas_permission_may_answer(self, double: Messenger) -> None:
        double.now += timedelta(days=2)
        double.human_agent = True
        late = outbound("sorry", author=Author.AGENT)
        with pytest.raises(ContactUnreachable, match="too long ago"):
            await page(double).send(ANN, late)
        allowed = page(double, human_agent=True)
        with pytest.raises(ContactUnreachable):
            await allowed.send(ANN, outbound("the bot"))
        await allowed.send(ANN, late)
        [said] = double.said
        assert (said.body["messaging_type"], said.body["tag"]) == ("MESSAGE_TAG", "HUMAN_AGENT")
        double.now += timedelta(days=6)
        with pytest.raises(ContactUnreachable):
            await allowed.send(ANN, outbound("too late", author=Author.AGENT, outbox_id="2"))

    async def test_a_contact_gets_no_more_at_once_than_is_set(self, double: Messenger) -> None:
        connector = page(double, burst=2, burst_seconds=1000)
        for place in range(2):
            await connector.send(ANN, outbound("x", outbox_id=str(place)))
        with pytest.raises(RateLimited):
            await connector.send(ANN, outbound("x", outbox_id="3"))
        await connector.send(BOB, outbound("x", outbox_id="4"))

    async def test_a_long_answer_goes_on_where_it_stopped(self, double: Messenger) -> None:
        connector, message = page(double), outbound("One sentence. " * 300)
        double.failures = [Answer({"message_id": "m_first"}), Answer({}, 503)]
        with pytest.raises(ChannelUnavailable):
            await connector.send(ANN, message)
        assert await connector.send(ANN, message) == "m_first"
        assert len(double.said) == 2


class TestFetching:
    async def test_attachments_are_fetched_without_the_token(self, double: Messenger) -> None:
        event = double.file("image", PNG, "a b.png")
        url = event["message"]["attachments"][0]["payload"]["url"]
        name, content = await page(double).fetch(Media(url, "image"))
        assert (name, content, double.tokens_at_cdn) == ("a b.png", PNG, [])

    @pytest.mark.parametrize(
        "url",
        [
            "http://scontent.xx.fbcdn.net/a.png",
            "https://fbcdn.net.evil.example/a.png",
            "https://evilfbcdn.net/a.png",
            "https://scontent.fbcdn.net:8443/a.png",
            "https://scontent.fbcdn.net@evil.example/",
            "http://[::1]/a.png",
            "https://169.254.169.254/",
            "file:///etc/passwd",
            "https://[",
            "",
        ],
    )
    async def test_links_to_other_hosts_are_not_followed(self, double: Messenger, url: str) -> None:
        with pytest.raises(MessageRejected, match="media_hosts"):
            await page(double).fetch(Media(url, "image"))
