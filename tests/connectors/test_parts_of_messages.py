"""A message that goes out in several parts: each once and in order, also when several processes send."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from sqlalchemy import select

from connectors.base import Connector, Means
from connectors.channels import Channels
from connectors.door import Door
from connectors.telegram import TelegramConnector
from conversations.outbox import Outbox
from conversations.tables import outbox
from conversations.turn_model import Reply, TurnRequest, TurnResult
from tests.connectors.desk import Server, running_server
from tests.connectors.test_telegram import HEADER, PATH, SECRET, connector, update
from tests.doubles.telegram import TelegramDouble

_PARTS = 5


class Thorough:
    """Answers at length."""

    async def respond(self, request: TurnRequest) -> TurnResult:
        return TurnResult((Reply("\n".join(f"part {n} " + "x" * 3900 for n in range(_PARTS))),), {"language": "en"})


async def _settled(server: Server) -> None:
    async with asyncio.timeout(30):
        while True:
            await asyncio.sleep(0.05)
            async with server.desk.database.read() as connection:
                states = list((await connection.execute(select(outbox.c.state))).scalars())
            if states and not {"pending", "sending"} & set(states):
                return


@pytest.mark.parametrize("together", [False, True], ids=["each counts alone", "they count together"])
async def test_two_processes_that_are_slowed_down_send_each_part_once(tmp_path: Path, *, together: bool) -> None:
    async with TelegramDouble().running() as double:
        double.updates.person(42)
        made: list[TelegramConnector] = []

        def make(means: Means) -> list[Connector]:
            made.extend(connector(means, api_base=double.url) for _ in range(2))
            if together:
                made[1]._pace = made[0]._pace
            return [made[0]]

        async with running_server(tmp_path, make, bot=Thorough()) as server:
            second = Outbox(
                server.desk, Channels([made[1]], _no_door(server)).deliver, poll_seconds=0.05, jitter=lambda: 0.02
            )
            wake = server.desk.on_outbound
            await second.start()
            server.desk.on_outbound = lambda: (wake and wake(), second._wake.set())[1]
            await server.http.post(PATH, content=json.dumps(update(text="hi")), headers={HEADER: SECRET})
            await _settled(server)
            await second.stop()
            await made[1].close()
        assert [one["text"][:6] for one in double.sent] == [f"part {n}" for n in range(_PARTS)]


def _no_door(server: Server) -> Door:
    return Door(server.desk, server.attachments)
