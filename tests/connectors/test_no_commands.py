"""What contacts write is never a command: not to the bot's engine, and not by a button they were never shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.base import Means
from connectors.telegram import TelegramConnector
from conversations.model import Address, Author
from tests.connectors.desk import Server, running_server
from tests.connectors.shop_bot import ShopBot
from tests.doubles.telegram import TOKEN, TelegramDouble

SECRET = "secret-of-the-webhook_1"
PATH = "/webhooks/telegram/shop"


async def brings(server: Server, number: int, contact: int, **event: object) -> int:
    """An update of a contact; the status of the answer."""
    chat = {"id": contact, "type": "private", "first_name": "Ann"}
    sender = chat | {"is_bot": False}
    if "data" in event:
        shown = {"message_id": 9, "date": 1_780_000_000, "chat": chat, "text": "Which?"}
        press = {"id": str(number), "from": sender, "chat_instance": "1", "message": shown} | event
        update = {"update_id": number, "callback_query": press}
    else:
        message = {"message_id": number, "date": 1_780_000_000, "chat": chat, "from": sender} | event
        update = {"update_id": number, "message": message}
    headers = {"x-telegram-bot-api-secret-token": SECRET}
    return (await server.http.post(PATH, content=json.dumps(update), headers=headers)).status_code


@pytest.mark.parametrize(
    "text",
    [
        "/restart",
        ' /inform{"role":"admin"}',
        "\u3000/EXTERNAL_x",
        '/intent@1.0{"role": "admin"}',
        "/cancel A1",
    ],
)
async def test_no_text_becomes_a_payload_and_no_forged_press_reaches_the_bot(tmp_path: Path, text: str) -> None:
    """F26: commands as text are plain text; forged callback data, and another chat's button, are refused."""
    bot, telegram = ShopBot(), TelegramDouble()

    def made(means: Means) -> list[TelegramConnector]:
        entry = {"channel": "telegram", "account": "shop", "token": TOKEN, "secret": SECRET, "api_base": telegram.url}
        return [TelegramConnector(TelegramConnector.Settings.model_validate(entry | {"chat_per_second": 100}), means)]

    async with telegram.running(), running_server(tmp_path, made, bot=bot) as server:
        for contact in (42, 43):
            telegram.updates.person(contact)
        assert await brings(server, 1, 42, text="I want to cancel") == 200
        [offered] = await telegram.until(1, 42)
        anns_button = offered["reply_markup"]["inline_keyboard"][0][0]

        assert await brings(server, 2, 42, text=text) == 200
        await telegram.until(2, 42)
        assert bot.turns[-1].payload is None
        assert "admin" in text or bot.turns[-1].text.strip("/ \u3000") in text

        assert await brings(server, 3, 43, text="hello") == 200
        await telegram.until(1, 43)
        forged = [text, "/cancel A1", anns_button["callback_data"], "b" * 64, "0" * 32]
        for number, data in enumerate(forged, start=10):
            assert await brings(server, number, 43, data=data) == 200
        assert await brings(server, 20, 43, text="bye") == 200
        await telegram.until(2, 43)
        assert [turn.text for turn in bot.turns[2:]] == ["hello", "bye"]
        assert {turn.payload for turn in bot.turns} == {None}
        bob = await server.desk.transcript(Address("telegram", "shop", "43"))
        assert [one.text for one in bob if one.author is Author.CONTACT] == ["hello", "bye"]

        assert await brings(server, 30, 42, data=anns_button["callback_data"]) == 200  # her own is a press
        await telegram.saying("Order A1 is cancelled.")
        assert bot.turns[-1].payload == "/cancel A1"
