"""Slack hangs up after three seconds: a voice that is slow to be written down must not cost the message."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from sqlalchemy import func, select

from connectors.base import Connector, Means
from connectors.slack import SlackConnector
from connectors.speech import Speech
from conversations.tables import attachments, messages
from tests.connectors.desk import running_server
from tests.connectors.slack_desk import PATH, settings
from tests.doubles.slack import Slack
from tests.doubles.speech import KEY, MODEL, SpeechDouble
from tests.doubles.vendor_server import Answer, Call


class Slow(SpeechDouble):
    """Writes down what it hears when Slack does not wait any more."""

    async def _handle(self, call: Call) -> Answer:
        await asyncio.sleep(3.4)
        return await super()._handle(call)


async def test_a_voice_that_takes_long_to_be_written_down_is_a_file(tmp_path: Path) -> None:
    async with Slack().running() as double, Slow().running() as endpoint:
        endpoint.knows[b"OggS voice"] = "where is my order"
        double.files["a"] = b"OggS voice"

        def make(means: Means) -> list[Connector]:
            return [SlackConnector(settings(double), replace(means, now=lambda: double.now))]

        async with running_server(tmp_path, make, speech=Speech.at(endpoint.url, MODEL, KEY, 12.0)) as server:
            file = {"mimetype": "audio/ogg", "name": "a.ogg", "url_private": f"{double.url}/files/a"}
            await double.deliver(server.url + PATH, double.event("", subtype="file_share", files=[file]))
            async with server.desk.database.read() as connection:
                said = select(func.count()).select_from(messages).where(messages.c.author == "contact")
                assert (await connection.execute(said)).scalar_one() == 1
                kept = (await connection.execute(select(func.count()).select_from(attachments))).scalar_one()
                assert kept == 1
