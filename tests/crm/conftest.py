"""Fixtures of the CRM's tests."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.store import SqlCrm
from tests.crm.builders import Clock, KeptCodes, Keys, build_crm, demo_shop
from tests.crm.databases import database, engine, postgres_schema, sqlite_engine, sqlite_template  # noqa: F401


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
async def crm(engine: AsyncEngine, codes: KeptCodes, clock: Clock) -> SqlCrm:  # noqa: F811
    return await build_crm(engine, codes, clock)
