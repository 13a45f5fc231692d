"""Fixtures of the actions' tests: the small shop in SQLite, and chats in both languages."""

from __future__ import annotations

import pytest
from rasa_sdk.executor import ActionExecutor
from sqlalchemy.ext.asyncio import AsyncEngine

from actions import ActionSettings, build_executor
from crm.store import SqlCrm
from tests.actions.builders import FewArticles
from tests.actions.chat import Chat
from tests.crm.builders import Clock, KeptCodes, Keys, build_crm, demo_shop
from tests.crm.databases import sqlite_engine, sqlite_template  # noqa: F401


@pytest.fixture
def codes() -> KeptCodes:
    return KeptCodes()


@pytest.fixture
def clock() -> Clock:
    return Clock(demo_shop().now)


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
async def crm(sqlite_engine: AsyncEngine, codes: KeptCodes, clock: Clock) -> SqlCrm:  # noqa: F811
    return await build_crm(sqlite_engine, codes, clock)


@pytest.fixture
def executor(crm: SqlCrm, clock: Clock) -> ActionExecutor:
    return build_executor(crm, FewArticles(), ActionSettings(now=clock))


@pytest.fixture
def english(executor: ActionExecutor) -> Chat:
    return Chat(executor, "en")


@pytest.fixture
def chinese(executor: ActionExecutor) -> Chat:
    return Chat(executor, "zh")
