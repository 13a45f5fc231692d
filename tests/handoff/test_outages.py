"""While the database is away, staff are told to come back in a moment instead of that something is broken."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from conversations.store import Database
from handoff.guard import refusal
from handoff.roles import Role
from tests.handoff.desk import Desk, open_desk


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as desk:
        yield desk


async def test_a_full_disk_is_answered_with_503_and_when_to_come_back(desk: Desk) -> None:
    eva = await desk.browser("Eva", Role.TRAINER)

    async def applied(based_on: int) -> int:
        limits = {"en": {"answer": 0.8, "clarify": 0.5, "retrieval": 0.6}}
        body = {"based_on": based_on, "limits": limits, "why": "x" * 400}
        response = await eva.post("learning/limits", body)
        if response.status_code == 503:
            assert response.json()["error"]["code"] == "unavailable"
            assert int(response.headers["retry-after"]) >= 1
        return response.status_code

    assert await applied(0) == 201

    def leave_no_page(connection: sqlite3.Connection) -> None:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")  # type: ignore[attr-defined]  # SQLite keeps it at what is in use

    event.listen(desk.database.engine.sync_engine, "begin", leave_no_page)
    for number in range(60):  # the pages that were begun are filled first
        status = await applied(1 + number)
        if status != 201:
            break
    assert status == 503
    assert (await eva.get("learning/limits/versions")).status_code == 200  # reading goes on


async def test_a_server_that_does_not_answer_is_no_fault_of_the_request() -> None:
    away = Database.open("postgresql+asyncpg://nobody@127.0.0.1:1/desk")
    with pytest.raises((OSError, DBAPIError)) as failed:
        async with away.read() as connection:
            await connection.execute(text("SELECT 1"))
    response = refusal(failed.value)
    assert (response.status, response.headers["retry-after"]) == (503, "2")
    assert json.loads(response.body or b"")["error"]["code"] == "unavailable"
    await away.close()


async def test_a_mistake_of_ours_is_still_said_to_be_one() -> None:
    assert refusal(KeyError("oops")).status == 500
