"""What WhatsApp is asked to show, its limits and windows, and what its refusals mean."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.meta_graph import Backoff
from connectors.whatsapp_replies import LONGEST_BODY, LONGEST_TEXT, parts_of
from conversations.errors import (
    ChannelUnavailable,
    ContactUnreachable,
    DeliveryUnknown,
    MessageRejected,
    RateLimited,
    SendError,
)
from conversations.model import Address, Author, MessageKind, OutboundMessage
from conversations.notices import rating_titles
from tests.connectors.desk import AGENT
from tests.connectors.dingtalk_desk import Shelf, buttons, citation, outbound
from tests.connectors.meta_desk import desk_of, number
from tests.doubles.meta import TOKEN, error
from tests.doubles.vendor_server import Answer
from tests.doubles.whatsapp import ANN, BOB, Whatsapp

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


@pytest.fixture
async def double() -> AsyncIterator[Whatsapp]:
    async with Whatsapp().running() as double:
        for contact in (ANN, BOB, "US.1349"):
            double.wrote_at[contact] = double.now
        yield double


def bodies(message: OutboundMessage) -> list[dict[str, Any]]:
    return [part for part in parts_of(message, "https://desk.example", previews=True) if isinstance(part, dict)]


class TestWhatIsShown:
    async def test_an_answer_is_marked_up_with_its_source_and_its_outbox_id(self, double: Whatsapp) -> None:
        sent = await number(double).send(ANN, outbound("**Yes**, you may.", citations=(citation(),)))
        [said] = double.said
        assert said.body["text"] == {
            "body": "*Yes*, you may.\n\nSource: Returns https://desk.example/articles/returns",
            "preview_url": True,
        }
        assert (sent, said.to, said.body["biz_opaque_callback_data"]) == (said.id, ANN, "outbox-1")

    async def test_somebody_who_hides_their_number_is_written_to_by_user_id(self, double: Whatsapp) -> None:
        await number(double).send("US.1349", outbound("hi"))
        assert double.said[0].body["recipient"] == "US.1349"
        assert "to" not in double.said[0].body

    async def test_up_to_three_choices_are_buttons_up_to_ten_a_list_and_more_are_numbered(
        self, double: Whatsapp
    ) -> None:
        connector = number(double)
        for place, count in enumerate((3, 10, 11)):
            message = outbound("which?", buttons=buttons(*map(str, range(count))), outbox_id=str(place))
            await connector.send(ANN, message)
        first, second, third = (said.body for said in double.said)
        assert [one["reply"]["id"] for one in first["interactive"]["action"]["buttons"]] == ["b0", "b1", "b2"]
        assert len(second["interactive"]["action"]["sections"][0]["rows"]) == 10
        assert third["text"]["body"].startswith("which?\n\n1. 0\n2. 1")

    @pytest.mark.parametrize(
        ("titles", "shown"),
        [
            (("x" * 20, "y"), "button"),
            (("x" * 21, "y"), "list"),
            (("x" * 24, "y"), "list"),
            (("x" * 25, "y"), "text"),
            (("same", "same"), "text"),
            ((" ", "y"), "text"),
        ],
    )
    def test_titles_that_are_too_long_or_equal_are_no_buttons(self, titles: tuple[str, ...], shown: str) -> None:
        [body] = bodies(outbound("which?", buttons=buttons(*titles)))
        assert body.get("interactive", body)["type"] == shown

    @pytest.mark.parametrize("language", ["zh", "en"])
    async def test_a_request_for_a_rating_is_a_list(self, double: Whatsapp, language: str) -> None:
        titles = [title for _, title in rating_titles(language)]
        request = outbound("", kind=MessageKind.RATING_REQUEST, buttons=buttons(*titles))
        await number(double).send(ANN, request)
        assert double.said[0].body["interactive"]["type"] == "list"

    @given(st.text(max_size=6_000), st.integers(0, 12), st.sampled_from(list(Author)))
    def test_no_part_is_over_the_limits_that_the_double_checks(self, text: str, count: int, author: Author) -> None:
        double = Whatsapp()
        for body in bodies(outbound(text, author=author, buttons=buttons(*map(str, range(count))))):
            kind = body["type"]
            assert getattr(double, f"_bad_{kind}")(body[kind]) == ""

    def test_the_buttons_stand_under_the_last_part_of_a_long_text(self) -> None:
        parts = bodies(outbound("One sentence. " * 700, buttons=buttons("Yes", "No")))
        assert [part["type"] for part in parts[-2:]] == ["text", "interactive"]
        assert all(len(part["text"]["body"]) <= LONGEST_TEXT for part in parts if part["type"] == "text")
        assert len(parts[-1]["interactive"]["body"]["text"]) <= LONGEST_BODY

    async def test_what_an_agent_types_is_not_rewritten(self, double: Whatsapp) -> None:
        await number(double).send(ANN, outbound("# 2 **x**", author=Author.AGENT))
        assert double.said[0].body["text"]["body"] == "# 2 **x**"


class TestFiles:
    @pytest.mark.parametrize(
        ("name", "media_type", "shown"),
        [
            ("a.png", "image/png", {"type": "image"}),
            ("a.mp4", "video/mp4", {"type": "video"}),
            ("a.mp3", "audio/mpeg", {"type": "audio"}),
            ("a.pdf", "application/pdf", {"type": "document", "filename": "a.pdf"}),
            ("a.csv", "text/csv", {"type": "document", "filename": "a.csv"}),
        ],
    )
    async def test_files_are_uploaded_and_shown(
        self, double: Whatsapp, name: str, media_type: str, shown: dict[str, str]
    ) -> None:
        shelf = Shelf()
        file = shelf.put(name, media_type, PNG)
        await number(double, shelf).send(ANN, outbound("see", attachments=(file,)))
        text, said = double.said
        assert text.body["text"]["body"] == "see"
        kind = shown.pop("type")
        assert said.file is not None
        assert said.file[1] == PNG
        assert shown.items() <= said.body[kind].items()

    async def test_what_whatsapp_does_not_take_is_refused_before_anything_is_sent(self, double: Whatsapp) -> None:
        shelf = Shelf()
        for file in (
            shelf.put("a.zip", "application/zip", b"PK"),
            shelf.put("a.png", "image/png", bytes(6 * 1024 * 1024)),
        ):
            with pytest.raises(MessageRejected, match=file.name):
                await number(double, shelf).send(ANN, outbound("see", attachments=(file,)))
        gone = shelf.put("b.png", "image/png", PNG)
        shelf.kept.clear()
        with pytest.raises(MessageRejected, match=r"b\.png cannot be sent"):
            await number(double, shelf).send(ANN, outbound("", attachments=(gone,)))
        assert double.said == []


class TestRefusals:
    @pytest.mark.parametrize(
        ("answer", "meaning"),
        [
            (error(130429, "Rate limit hit", 429), RateLimited),
            (error(131056, "Pair rate limit hit"), RateLimited),
            (error(80007, "Too many"), RateLimited),
            (Answer({}, 429), RateLimited),
            (Answer({}, 503), ChannelUnavailable),
            (error(131000, "Something went wrong", 500), ChannelUnavailable),
            (error(2, "Service temporarily unavailable", 400), ChannelUnavailable),
            (Answer(None, cut=True), DeliveryUnknown),
            (error(131047, "Re-engagement message"), ContactUnreachable),
            (error(131026, "Message undeliverable"), ContactUnreachable),
            (error(190, f"Malformed access token {TOKEN}", 401), MessageRejected),
            (error(368, "Temporarily blocked", 403), MessageRejected),
            (error(100, f"Invalid parameter {TOKEN}"), MessageRejected),
            (Answer(b"<html>", 404), MessageRejected),
        ],
    )
    async def test_each_refusal_has_its_meaning(
        self, double: Whatsapp, answer: Answer, meaning: type[SendError]
    ) -> None:
        double.failures = [answer]
        with pytest.raises(meaning) as refused:
            await number(double).send(ANN, outbound("x"))
        assert TOKEN not in str(refused.value)

    async def test_a_wrong_token_an_old_version_and_a_dead_host_have_their_meaning(self, double: Whatsapp) -> None:
        with pytest.raises(MessageRejected, match="set access_token") as refused:
            await number(double, access_token="EAAG-another").send(ANN, outbound("x"))
        assert "EAAG" not in str(refused.value)
        with pytest.raises(MessageRejected, match="2635"):
            await number(double, api_version="v1.0").send(ANN, outbound("x"))
        with pytest.raises(ChannelUnavailable):
            await number(Whatsapp()).send(ANN, outbound("x"))
        for nobody in ("", "a b", "123:4", "../x"):
            with pytest.raises(MessageRejected):
                await number(double).send(nobody, outbound("x"))

    async def test_a_long_answer_goes_on_where_it_stopped(self, double: Whatsapp) -> None:
        connector = number(double)
        message = outbound("One sentence. " * 700)
        taken = Answer({"messages": [{"id": "wamid.1"}]})
        double.failures = [taken, error(131056, "Pair rate limit hit")]
        with pytest.raises(RateLimited) as refused:
            await connector.send(ANN, message)
        await asyncio.sleep(refused.value.retry_after_seconds)
        assert await connector.send(ANN, message) == "wamid.1"
        assert len("".join(said.body["text"]["body"] for said in double.said)) < len(message.text) - 2_000


class TestPace:
    async def test_after_a_burst_of_45_we_wait_by_ourselves_and_other_contacts_do_not(self, double: Whatsapp) -> None:
        connector = number(double, pair_burst=45, pair_seconds=60)
        double.per_second.size = double.pair.size = 1_000  # WhatsApp itself would take more
        for place in range(45):
            await connector.send(ANN, outbound("x", outbox_id=str(place)))
        with pytest.raises(RateLimited) as refused:
            await connector.send(ANN, outbound("x", outbox_id="46"))
        assert 0 < refused.value.retry_after_seconds <= 60
        await connector.send(BOB, outbound("x", outbox_id="47"))
        assert len(double.said) == 46

    async def test_when_the_pair_limit_is_hit_only_this_contact_waits_longer_and_longer(self, double: Whatsapp) -> None:
        connector, clock = number(double), [0.0]
        connector._graph._backoff = Backoff(1.0, clock=lambda: clock[0])
        double.pair.size = 1
        await connector.send(ANN, outbound("x", outbox_id="0"))
        calls, pauses = len(double.calls), []
        for _ in range(3):
            with pytest.raises(RateLimited) as refused:
                await connector.send(ANN, outbound("y", outbox_id="1"))
            pauses.append(refused.value.retry_after_seconds)
            with pytest.raises(RateLimited):
                await connector.send(ANN, outbound("y", outbox_id="1"))  # does not even ask
            await connector.send(BOB, outbound("x", outbox_id=f"bob {len(pauses)}"))
            double.pair.filled.pop(BOB)
            clock[0] += pauses[-1]
        assert pauses == [1, 4, 16]
        assert len(double.calls) == calls + 6
        double.now += timedelta(seconds=6)
        await connector.send(ANN, outbound("y", outbox_id="1"))
        assert [said.to for said in double.said] == [ANN, BOB, BOB, BOB, ANN]
        with pytest.raises(RateLimited) as refused:
            await connector.send(ANN, outbound("z", outbox_id="2"))
        assert refused.value.retry_after_seconds == 1  # it begins anew

    async def test_too_much_for_the_number_makes_all_contacts_wait(self, double: Whatsapp) -> None:
        connector = number(double, backoff_seconds=30)
        double.per_second.size = 1
        await connector.send(ANN, outbound("x", outbox_id="0"))
        for contact in (ANN, BOB):
            with pytest.raises(RateLimited) as refused:
                await connector.send(contact, outbound("y", outbox_id=contact))
            assert 0 < refused.value.retry_after_seconds <= 30
        assert len(double.calls) == 2


class TestTheWindow:
    async def test_after_24_hours_the_contact_counts_as_unreachable(self, double: Whatsapp) -> None:
        double.now += timedelta(hours=24, seconds=1)
        with pytest.raises(ContactUnreachable, match="too long ago"):
            await number(double).send(ANN, outbound("x"))
        assert double.said == []

    async def test_an_agents_late_answer_sends_the_template_once_a_day(self, double: Whatsapp) -> None:
        connector = number(double, reopen_template={"name": "please_write", "language": "en"})
        double.now += timedelta(days=2)
        for place in range(3):
            with pytest.raises(ContactUnreachable, match="please_write asks the contact"):
                await connector.send(ANN, outbound("x", author=Author.AGENT, outbox_id=str(place)))
        with pytest.raises(ContactUnreachable):
            await connector.send(BOB, outbound("rate us", author=Author.SYSTEM, outbox_id="r"))
        assert [(said.to, said.body["type"]) for said in double.said] == [(ANN, "template")]
        double.now += timedelta(days=1)
        with pytest.raises(ContactUnreachable):
            await connector.send(ANN, outbound("x", author=Author.AGENT, outbox_id="4"))
        assert len(double.said) == 2

    async def test_a_template_that_meta_does_not_know_is_named(self, double: Whatsapp) -> None:
        connector = number(double, reopen_template={"name": "unknown"})
        double.now += timedelta(days=2)
        with pytest.raises(ContactUnreachable, match="unknown could not be sent: message: 132001"):
            await connector.send(ANN, outbound("x", author=Author.AGENT))

    async def test_a_window_that_turns_out_to_be_closed_later_is_told_the_same_way(
        self, double: Whatsapp, tmp_path: Path
    ) -> None:
        double.refuses_later = True
        template = {"name": "please_write"}
        async with desk_of(tmp_path, double, reopen_template=template) as (server, url):
            await double.deliver(url, double.webhook(double.message("a person please")))
            await double.until(lambda: double.said)
            ann = Address("whatsapp", "default", ANN)
            conversation = await server.desk.find_current(ann)
            assert conversation is not None
            await server.desk.assign(conversation.id, AGENT)
            await double.until(lambda: len(double.said) >= 3)  # also that an agent has joined
            double.now += timedelta(days=2)
            await server.desk.reply_as_agent(conversation.id, AGENT, "sorry, this took long")
            await double.until(lambda: double.later)
            for _ in range(2):
                assert await double.deliver(url, double.webhook(statuses=tuple(double.later))) == 1
            late = [one for one in await server.desk.transcript(ann) if one.author is Author.AGENT]
            assert [one.delivery_failed for one in late] == [True]
            assert [said.body["type"] for said in double.said].count("template") == 1
            [(_, _, _, reason)] = await server.outbox.dead_letters()
            assert reason is not None
            assert "please_write asks the contact to write again" in reason


async def test_the_outbox_tries_again_and_shows_what_is_hopeless(double: Whatsapp, tmp_path: Path) -> None:
    async with desk_of(tmp_path, double) as (server, url):
        double.failures = [Answer({}, 503), error(131056, "Pair rate limit hit"), Answer(None, cut=True)]
        await double.deliver(url, double.webhook(double.message("How do I return?")))
        await double.until(lambda: double.said)
        double.unreachable.add(ANN)
        await double.deliver(url, double.webhook(double.message("again")))
        ann = Address("whatsapp", "default", ANN)
        for _ in range(500):
            if any(one.delivery_failed for one in await server.desk.transcript(ann)):
                break
            await asyncio.sleep(0.02)
        assert [one.delivery_failed for one in await server.desk.transcript(ann)][-1]
        [(_, state, _, reason)] = await server.outbox.dead_letters()
        assert (state, "131026" in (reason or "")) == ("dead", True)


async def test_tokens_are_in_no_log_line(
    double: Whatsapp, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    connector = number(double)
    await connector.send(ANN, outbound("x"))
    double.failures = [error(190, f"Malformed access token {TOKEN}", 401)]
    with pytest.raises(MessageRejected):
        await connector.send(ANN, outbound("y", outbox_id="2"))
    out, err = capfd.readouterr()
    assert TOKEN not in caplog.text + out + err
