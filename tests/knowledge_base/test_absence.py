"""While the server of the index is away everybody is told so at once, and everything comes back by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from knowledge_base import absence, opening
from knowledge_base.edition import Edition
from knowledge_base.encoder import Encoder
from knowledge_base.errors import IndexUnavailable
from knowledge_base.homes import Built, Editions, FolderHome
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.watching import follow
from tests.knowledge_base.builders import article

NOBODY = "http://127.0.0.1:9"  # nothing listens there


class Server:
    """Whether the server of an index answers, and how often it was asked."""

    def __init__(self) -> None:
        self.there = True
        self.asked = 0

    def check(self) -> None:
        self.asked += 1
        if not self.there:
            raise IndexUnavailable("the Qdrant server did not answer")


class Remote:
    """An index that is as far away as its server."""

    def __init__(self, index: Any, server: Server) -> None:
        self._index, self._server = index, server

    def __getattr__(self, name: str) -> Any:
        call: Callable[..., Any] = getattr(self._index, name)

        def ask(*arguments: Any, **named: Any) -> Any:
            if name != "close":
                self._server.check()
            return call(*arguments, **named)

        return ask


class RemoteHome(FolderHome):
    """Editions in a folder that is reached through a server."""

    can_be_away = True

    def __init__(self, server: Server, directory: Path) -> None:
        super().__init__(directory)
        self._server = server

    def editions(self) -> Editions | None:
        self._server.check()
        return super().editions()

    def open(self, built: Built, use: Encoder, encoder: Encoder) -> Edition:
        edition = super().open(built, use, encoder)
        edition.index = Remote(edition.index, self._server)
        return edition


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    made = Server()
    monkeypatch.setattr(absence, "_FIRST_LOOK_SECONDS", 0.02)
    monkeypatch.setattr(absence, "_LAST_LOOK_SECONDS", 0.05)
    monkeypatch.setattr(opening, "ServerHome", lambda _url, folder: RemoteHome(made, folder))
    return made


async def came_back(kb: KnowledgeBase) -> None:
    async with asyncio.timeout(30):
        while kb.away is not None:  # noqa: ASYNC110  # it comes back by itself
            await asyncio.sleep(0.01)


async def test_a_desk_starts_while_nobody_answers_and_says_so(tmp_path: Path) -> None:
    """F25: `QDRANT_URL` is set and nothing listens there."""
    kb = await KnowledgeBase.open(tmp_path, NOBODY, patient=True)
    assert kb.away is not None
    assert "QDRANT_URL" in kb.away
    assert kb.status()["away"] is True
    assert kb.status()["articles"] == 0
    with pytest.raises(IndexUnavailable, match="did not answer"):
        await kb.search("When do I get my money back?")
    with pytest.raises(IndexUnavailable, match="did not answer"):
        await kb.load([article()])
    assert kb.find_article("refunds", "en") is None
    await kb.close()


async def test_who_is_not_patient_hears_it_at_once(tmp_path: Path) -> None:
    with pytest.raises(IndexUnavailable, match="QDRANT_URL"):
        await KnowledgeBase.open(tmp_path, NOBODY)


async def test_what_the_server_holds_is_found_once_it_answers(tmp_path: Path, server: Server) -> None:
    """F25: nobody has to start anything again."""
    before = await KnowledgeBase.open(tmp_path, "http://qdrant")
    await before.load([article()])
    await before.close()
    server.there = False
    kb = await KnowledgeBase.open(tmp_path, "http://qdrant", patient=True)
    with pytest.raises(IndexUnavailable):
        await kb.search("How long does a refund take?", "en")
    server.there = True
    await came_back(kb)
    [hit, *_] = await kb.search("How long does a refund take?", "en")
    assert hit.passage.article_id == "refunds"
    await kb.close()


async def test_only_the_first_question_waits_for_a_server_that_left(tmp_path: Path, server: Server) -> None:
    """F25: later ones are told so without asking it, and it comes back by itself."""
    kb = await KnowledgeBase.open(tmp_path, "http://qdrant", patient=True)
    await kb.load([article()])
    server.there = False
    with pytest.raises(IndexUnavailable):
        await kb.search("How long does a refund take?", "en")
    assert kb.away is not None
    asked = server.asked
    with pytest.raises(IndexUnavailable):
        await kb.search("How long does a refund take?", "en")
    assert server.asked == asked
    server.there = True
    await came_back(kb)
    assert await kb.search("How long does a refund take?", "en")
    await kb.close()


async def test_articles_of_a_folder_are_loaded_once_the_server_is_there(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F25: also when nobody touches the folder meanwhile."""
    monkeypatch.setattr("knowledge_base.watching._AGAIN_SECONDS", 0.05)
    articles = tmp_path / "articles"
    articles.mkdir()
    (articles / "refunds.md").write_text(
        "---\nid: refunds\nlanguage: en\ntitle: Refunds\n---\nThe money is back in three days.\n"
    )
    server.there = False
    kb = await KnowledgeBase.open(tmp_path / "data", "http://qdrant", patient=True)
    following = asyncio.create_task(follow(kb, articles))
    await asyncio.sleep(0.2)
    server.there = True
    async with asyncio.timeout(30):
        while not kb.status()["articles"]:  # noqa: ASYNC110  # another task loads them
            await asyncio.sleep(0.02)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    await kb.close()
