"""Whole conversations on Telegram, through the double and the real desk: webhook, engine, outbox and staff."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text as sql

from connectors.base import Means
from connectors.speech import Speech
from connectors.telegram import TelegramConnector
from conversations.model import Address, Author, Message, Status
from conversations.notices import rating_titles
from tests.connectors.desk import AGENT, Server, running_server
from tests.connectors.shop_bot import ShopBot
from tests.doubles.speech import KEY, MODEL, SpeechDouble
from tests.doubles.telegram import BOT, TOKEN, Refused, TelegramDouble
from tests.pictures import PNG

ADDRESS = Address("telegram", "shop", "42")


@dataclass
class Scene:
    """Telegram, the desk behind it, and what its bot was asked."""

    telegram: TelegramDouble
    server: Server
    bot: ShopBot

    async def transcript(self, address: Address = ADDRESS) -> list[Message]:
        return await self.server.desk.transcript(address)

    async def agent_takes_over(self) -> str:
        conversation = await self.server.desk.find_current(ADDRESS)
        assert conversation is not None
        assert conversation.status is Status.QUEUED
        await self.server.desk.agent_seen(AGENT.id, AGENT.name)
        await self.server.desk.assign(conversation.id, AGENT)
        return conversation.id


@asynccontextmanager
async def scene(folder: Path, speech: SpeechDouble | None = None, **settings: Any) -> AsyncIterator[Scene]:
    settings = {"set_webhook": True, "chat_per_second": 100} | settings

    def made(means: Means) -> list[TelegramConnector]:
        entry = {"channel": "telegram", "account": "shop", "token": TOKEN, "api_base": telegram.url} | settings
        return [TelegramConnector(TelegramConnector.Settings.model_validate(entry), means)]

    bot = ShopBot()
    hearing = Speech(speech.url, MODEL, KEY) if speech is not None else None
    async with (
        TelegramDouble().running() as telegram,
        running_server(folder, made, bot=bot, speech=hearing) as server,
    ):
        if settings["set_webhook"]:
            await telegram.called("setWebhook")
        yield Scene(telegram, server, bot)
        await telegram.updates.settled()


@pytest.mark.parametrize(
    ("language", "said", "answered"),
    [
        (
            "en",
            ("how do I return it?", "cancel my order", "A1 kite", "a person please", "thank you"),
            ("You can return it within <b>30 days</b>.", "Which order shall I cancel?", "Order A1 is cancelled."),
        ),
        (
            "zh-hans",
            ("怎么退货？", "我要取消订单", "A1 风筝", "转人工", "谢谢"),
            ("<b>30 天</b>内可以退货。", "取消哪个订单？", "订单 A1 已取消。"),
        ),
    ],
)
async def test_question_task_handoff_and_rating(
    tmp_path: Path, language: str, said: tuple[str, ...], answered: tuple[str, ...]
) -> None:
    async with scene(tmp_path) as on:
        telegram, updates = on.telegram, on.telegram.updates
        ann = updates.person(42, "Ann", language)
        updates.says(ann, said[0])
        [answer] = await telegram.until(1)
        folder = language[:2]
        assert answer["text"].startswith(answered[0])
        assert f'{on.server.url}/articles/returns-{folder}">' in answer["text"]

        updates.says(ann, said[1])
        _, which = await telegram.until(2)
        assert which["text"] == answered[1]
        updates.presses_button(ann, which, said[2])
        done = (await telegram.until(3))[2]
        assert done["text"] == answered[2]
        assert on.bot.turns[-1].payload == "/cancel A1"
        [press] = await telegram.called("answerCallbackQuery")
        assert press["text"] == f"✓ {said[2]}"
        [edit] = await telegram.called("editMessageReplyMarkup")
        assert edit == {"chat_id": 42, "message_id": which["message_id"]}

        updates.says(ann, said[3])
        await telegram.until(5)  # what the bot says, and the place in the queue
        conversation_id = await on.agent_takes_over()
        await on.server.desk.reply_as_agent(conversation_id, AGENT, "**Lin** here / 我来帮您")
        assert (await telegram.saying("我来帮您"))["text"] == "<b>Lin</b> here / 我来帮您"
        updates.says(ann, said[4])
        await updates.settled()
        await on.server.desk.resolve(conversation_id, AGENT)
        best = rating_titles(folder)[0][1]
        rating = await telegram.saying(best)
        before = len(telegram.sent)
        updates.presses_button(ann, rating, best)
        await telegram.until(before + 1)  # the thanks

        transcript = await on.transcript()
        contact = [message.text for message in transcript if message.author is Author.CONTACT]
        assert contact[:5] == list(said)
        assert not any(message.delivery_failed for message in transcript)
        assert transcript[0].author_name == "Ann"
        current = await on.server.desk.find_current(ADDRESS)
        assert current is not None
        assert (current.status, current.language) == (Status.RESOLVED, folder)
        async with on.server.desk.database.read() as connection:
            [score] = (await connection.execute(sql("select score from ratings"))).scalars()
        assert score == 5


async def test_a_choice_may_be_typed_as_its_number(tmp_path: Path) -> None:
    async with scene(tmp_path) as on:
        ann = on.telegram.updates.person(42)
        on.telegram.updates.says(ann, "cancel my order")
        await on.telegram.until(1)
        on.telegram.updates.says(ann, "2")
        assert (await on.telegram.until(2))[1]["text"] == "Order B2 is cancelled."


async def test_the_webhook_is_registered_with_its_secret_and_keeps_what_waited(tmp_path: Path) -> None:
    async with scene(tmp_path) as on:
        [call] = on.telegram.named("setWebhook")
        assert call["url"] == f"{on.server.url}/webhooks/telegram/shop"
        assert (call["allowed_updates"], call["drop_pending_updates"]) == (["message", "callback_query"], False)
        assert on.telegram.updates.secret == call["secret_token"]
        assert len(call["secret_token"]) == 64


async def test_what_the_desk_could_not_store_comes_again_until_it_is_stored_and_makes_one_turn(tmp_path: Path) -> None:
    async with scene(tmp_path) as on:
        updates = on.telegram.updates
        ann, bob = updates.person(42), updates.person(43, "Bob")
        on.server.desk.broken = True
        updates.says(ann, "first")
        updates.says(ann, "second")
        updates.says(bob, "hello")
        while len(updates.pushed) < 2 or any(len(push.answers) < 4 for push in updates.pushed):
            await on.server.http.get("/webhooks/telegram/shop")
        assert len(updates.pushed) == 2  # one of each chat: the second of the first chat waits behind it
        on.server.desk.broken = False
        await updates.settled()
        assert [push.answers[-1] for push in updates.pushed] == [200, 200, 200]
        assert set(updates.pushed[0].answers[:-1]) == {500}
        assert updates.dropped == []
        said = [one["text"] for one in await on.telegram.until(2, 42)]
        assert said == ["you said first", "you said second"]
        again = json.dumps(updates.pushed[0].update).encode()
        for _ in range(3):
            header = {"x-telegram-bot-api-secret-token": updates.secret}
            answer = await on.server.http.post("/webhooks/telegram/shop", content=again, headers=header)
            assert answer.status_code == 200
        updates.says(ann, "third")
        assert [one["text"] for one in await on.telegram.until(3, 42)][2] == "you said third"


async def test_an_overloaded_desk_is_asked_again_when_it_said(tmp_path: Path) -> None:
    async with scene(tmp_path) as on:
        on.server.load["overloaded"] = True
        on.telegram.updates.says(on.telegram.updates.person(42), "hello")
        while not on.telegram.updates.pushed or not on.telegram.updates.pushed[0].answers:
            await on.server.http.get("/webhooks/telegram/shop")
        on.server.load["overloaded"] = False
        await on.telegram.updates.settled()
        [push] = on.telegram.updates.pushed
        assert set(push.answers[:-1]) == {503}
        assert push.waited == pytest.approx(2 * (len(push.answers) - 1))
        await on.telegram.until(1)


async def test_by_polling_nothing_is_confirmed_before_it_is_stored(tmp_path: Path) -> None:
    async with scene(tmp_path, set_webhook=False, polling=True) as on:
        updates = on.telegram.updates
        ann = updates.person(42)
        await on.telegram.called("getUpdates")
        assert on.telegram.named("deleteWebhook") == [{"drop_pending_updates": False}]
        on.server.desk.broken = True
        first = updates.says(ann, "first")
        updates.says(ann, "second")
        await on.telegram.called("deleteWebhook", 3)  # the connection broke and began again
        assert all(call.get("offset", 0) <= first["update_id"] for call in on.telegram.named("getUpdates"))
        on.server.desk.broken = False
        assert [one["text"] for one in await on.telegram.until(2)] == ["you said first", "you said second"]
        which = updates.says(ann, "cancel it")
        offered = (await on.telegram.until(3))[2]
        updates.presses_button(ann, offered, "A1 kite")
        assert (await on.telegram.until(4))[3]["text"] == "Order A1 is cancelled."
        await on.telegram.called("editMessageReplyMarkup")
        assert max(call.get("offset", 0) for call in on.telegram.named("getUpdates")) > which["update_id"]


async def test_a_file_is_kept_and_a_voice_is_heard(tmp_path: Path) -> None:
    async with SpeechDouble().running() as ear, scene(tmp_path, ear) as on:
        voice, picture = b"OggS a voice", PNG
        ear.knows[voice] = "how do I return it?"
        on.telegram.files = {"v": ("voice/1.oga", voice), "p": ("photos/2.jpg", picture)}
        ann = on.telegram.updates.person(42)
        on.telegram.updates.says(ann, voice={"file_id": "v", "file_unique_id": "v", "duration": 2})
        [answer] = await on.telegram.until(1)
        assert answer["text"].startswith("You can return it within")
        photo = [{"file_id": "p", "file_unique_id": "p", "width": 9, "height": 9}]
        for _ in range(2):
            on.telegram.updates.says(ann, caption="cancel this", photo=photo, media_group_id="1")
        on.telegram.updates.says(ann, document={"file_id": "missing", "file_unique_id": "m", "file_name": "a.pdf"})
        await on.telegram.until(4)
        contact = [message for message in await on.transcript() if message.author is Author.CONTACT]
        assert [(message.text, [file.name for file in message.attachments]) for message in contact] == [
            ("🎤 how do I return it?", ["voice.ogg"]),
            ("cancel this", ["photo.png"]),
            ("cancel this", ["photo.png"]),
            ("[a file that could not be received]", []),
        ]


async def test_a_spoken_choice_and_a_spoken_rating_count_like_typed_ones(tmp_path: Path) -> None:
    async with SpeechDouble().running() as ear, scene(tmp_path, ear) as on:
        ann = on.telegram.updates.person(42)

        def speaks(words: str) -> None:
            content = f"OggS {words}".encode()
            ear.knows[content] = words
            on.telegram.files[words] = (f"voice/{len(words)}.oga", content)
            on.telegram.updates.says(ann, voice={"file_id": words, "file_unique_id": "u", "duration": 2})

        speaks("Cancel my order.")
        await on.telegram.until(1)
        speaks("A1 kite.")
        await on.telegram.saying("Order A1 is cancelled.")
        assert [turn.text for turn in on.bot.turns] == ["Cancel my order.", "A1 kite."]
        on.telegram.updates.says(ann, "a person please")
        await on.telegram.until(4)
        conversation_id = await on.agent_takes_over()
        await on.server.desk.resolve(conversation_id, AGENT)
        await on.telegram.saying(rating_titles("en")[0][1])
        speaks("4.")
        await on.telegram.updates.settled()
        async with on.server.desk.database.read() as connection:
            assert list((await connection.execute(sql("select score from ratings"))).scalars()) == [4]
        shown = [message.text for message in await on.transcript() if message.author is Author.CONTACT]
        assert shown[-1] == "🎤 4."


async def test_typing_is_shown_while_the_bot_works_and_not_where_a_person_answers(tmp_path: Path) -> None:
    async with scene(tmp_path) as on:
        ann = on.telegram.updates.person(42)
        on.telegram.updates.says(ann, "a person please")
        assert await on.telegram.called("sendChatAction") == [{"chat_id": 42, "action": "typing"}]
        await on.telegram.until(2)
        conversation_id = await on.agent_takes_over()
        await on.server.desk.reply_as_agent(conversation_id, AGENT, "yes?")
        await on.telegram.saying("yes?")
        on.telegram.updates.says(ann, "hello?")
        await on.telegram.updates.settled()
        assert len(on.telegram.named("sendChatAction")) == 1


async def test_in_a_group_the_answer_goes_to_who_asked_and_only_they_may_press(tmp_path: Path) -> None:
    async with scene(tmp_path) as on:
        updates = on.telegram.updates
        updates.group(-1007)
        ann, bob = updates.person(42), updates.person(43, "Bob")
        mention = {"entities": [{"type": "mention", "offset": 0, "length": 12}]}
        asked = updates.says(ann, "@KiteDeskBot cancel my order", -1007, **mention)["message"]
        updates.says(bob, "nobody asked the bot", -1007)
        [which] = await on.telegram.until(1)
        assert (which["chat_id"], which["reply_parameters"]["message_id"]) == (-1007, asked["message_id"])
        updates.presses_button(bob, which | {"reply_to_message": asked}, "A1 kite")
        updates.presses_button(ann, which | {"reply_to_message": asked}, "B2 reel")
        assert (await on.telegram.until(2))[1]["text"] == "Order B2 is cancelled."
        await updates.settled()
        assert len(await on.telegram.called("answerCallbackQuery", 2)) == 2
        assert len(await on.transcript(Address("telegram", "shop", "-1007:43"))) == 0
        assert await on.transcript() == []


async def states(on: Scene) -> list[tuple[str, str | None]]:
    async with on.server.desk.database.read() as connection:
        rows = await connection.execute(sql("select state, error from outbox order by created_at, id"))
        return [(row[0], row[1]) for row in rows]


@pytest.mark.parametrize(
    ("happens", "state", "error"),
    [
        ([Refused(429, "Too Many Requests", retry_after=1)], "sent", None),
        (["broken"], "sent", None),
        (["hang up"], "sent", None),
        (["hang up", "hang up"], "unknown", "did not answer"),
        ([Refused(403, "Forbidden: bot was blocked by the user")], "dead", "blocked"),
        ([Refused(400, "Bad Request: wrong chat")], "dead", "rong chat"),
    ],
)
async def test_each_failure_ends_in_its_state(
    tmp_path: Path, happens: list[Refused | str], state: str, error: str | None
) -> None:
    """F24: bytes written and the connection cut before an answer → one more attempt, then ``unknown``; others have their state."""
    async with scene(tmp_path) as on:
        on.telegram.next["sendMessage"].extend(happens)
        on.telegram.updates.says(on.telegram.updates.person(42), "hello")
        await on.telegram.called("sendMessage", len(happens) + (state == "sent"))
        while (found := await states(on))[0][0] in ("pending", "sending"):
            await on.server.http.get("/webhooks/telegram/shop")
        [(ended, why)] = found
        assert ended == state
        assert (error or "") in (why or "")
        failed = [message.delivery_failed for message in await on.transcript() if message.author is Author.BOT]
        assert failed == [state == "dead"]
        assert str(BOT["id"]) not in (why or "")
