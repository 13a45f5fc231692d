"""A double of the model's server, and a checker with the product's own vectors."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from knowledge_base.encoder import UseEncoder
from knowledge_base.generation.endpoint import ChatEndpoint
from knowledge_base.generation.faithfulness import FaithfulnessChecker
from knowledge_base.generation.prompt_store import PromptStore
from knowledge_base.generation.writer import AnswerWriter
from tests.knowledge_base.generation.model_double import ModelDouble, model_double

KEY = "sk-test-key-123"


@pytest.fixture
def model() -> Iterator[ModelDouble]:
    with model_double() as double:
        yield double


@pytest.fixture
async def endpoint(model: ModelDouble) -> AsyncIterator[ChatEndpoint]:
    endpoint = ChatEndpoint(model.url, "double-1", KEY, timeout_seconds=2.0)
    yield endpoint
    await endpoint.close()


@pytest.fixture(scope="session")
def checker() -> FaithfulnessChecker:
    checker = FaithfulnessChecker(UseEncoder().passages)
    checker.warm_up()
    return checker


@pytest.fixture
async def prompts(tmp_path: Path) -> AsyncIterator[PromptStore]:
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'prompts.db'}")
    store = PromptStore(engine)
    await store.create_tables()
    await store.ensure_defaults()
    yield store
    await engine.dispose()


@pytest.fixture
def writer(endpoint: ChatEndpoint, prompts: PromptStore, checker: FaithfulnessChecker) -> AnswerWriter:
    return AnswerWriter(endpoint, prompts, checker)
