"""Articles that trainers edit: drafts nobody is told, versions that come back, and an index that always follows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy.ext.asyncio import create_async_engine

from knowledge_base.articles import Article
from knowledge_base.errors import IndexUnavailable
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.library import Library
from knowledge_base.library_model import Editor, LibraryRefused
from knowledge_base.library_store import LibraryStore
from knowledge_base.readers import Reader
from tests.knowledge_base.builders import article, knowledge_base, small_shop

EVA, TOM = Editor("eva", "Eva"), Editor("tom", "Tom")
GIFT = article("gift", "Can you gift wrap it?", "We wrap every order for CNY 10.", questions=("gift wrapping",))


class Shelf:
    """A library over a small knowledge base, and a second process beside it if wanted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.engine = create_async_engine(f"sqlite+aiosqlite:///{folder / 'desk.db'}")
        self.store = LibraryStore(self.engine)
        self.kb = knowledge_base(folder / "kb")
        self.now = datetime(2026, 11, 1, tzinfo=UTC)
        self.library = Library(self.store, self.kb, lambda: self.now)

    async def open(self) -> None:
        await self.store.create_tables()
        await self.library.load(small_shop())

    async def close(self) -> None:
        await self.kb.close()
        await self.engine.dispose()

    async def found(self, question: str = "gift wrapping", reader: Reader | None = None) -> list[str]:
        return [hit.passage.article_id for hit in await self.kb.search(question, "en", reader=reader)]


@pytest.fixture
async def shelf(tmp_path: Path) -> AsyncIterator[Shelf]:
    made = Shelf(tmp_path)
    await made.open()
    yield made
    await made.close()


async def refused(work: Any) -> LibraryRefused:
    with pytest.raises(LibraryRefused) as caught:
        await work
    return caught.value


async def test_a_draft_is_found_by_nobody_until_it_is_published_and_not_after_it_is_taken_back(shelf: Shelf) -> None:
    await shelf.library.create(GIFT, EVA)
    assert "gift" not in await shelf.found()
    published = await shelf.library.publish("gift", "en", 1, EVA)
    assert published.indexed
    assert (await shelf.found())[0] == "gift"
    await shelf.library.save(replace(GIFT, body="We wrap every order for CNY 12."), 1, EVA, "dearer")
    found = shelf.kb.find_article("gift", "en")
    assert found is not None
    assert "CNY 10" in found.body
    [opened] = await shelf.store.of("gift")
    assert (opened.kept.state, opened.kept.ahead) == ("published", True)
    await shelf.library.publish("gift", "en", 2, EVA)
    found = shelf.kb.find_article("gift", "en")
    assert found is not None
    assert "CNY 12" in found.body
    await shelf.library.unpublish("gift", "en", 2, TOM)
    assert "gift" not in await shelf.found()
    assert shelf.kb.find_article("gift", "en") is None


async def test_a_published_article_is_quoted_only_between_its_dates(shelf: Shelf) -> None:
    sale = replace(GIFT, valid_from=shelf.now + timedelta(days=2), valid_until=shelf.now + timedelta(days=5))
    await shelf.library.create(sale, EVA)
    await shelf.library.publish("gift", "en", 1, EVA)
    for days, told in ((1, False), (2, True), (4.9, True), (5, False)):
        reader = Reader(at=shelf.now + timedelta(days=days))
        assert ("gift" in await shelf.found(reader=reader)) is told, days


async def test_two_writers_at_once_and_the_second_gets_what_the_first_wrote(shelf: Shelf) -> None:
    await shelf.library.create(GIFT, EVA)
    await shelf.library.save(replace(GIFT, body="Eva's words."), 1, EVA)
    problem = await refused(shelf.library.save(replace(GIFT, body="Tom's words."), 1, TOM))
    assert problem.code == "changed"
    assert (problem.detail["by"], problem.detail["revision"]) == ("Eva", 2)
    assert problem.detail["article"]["body"] == "Eva's words."
    assert (await refused(shelf.library.publish("gift", "en", 1, TOM))).code == "changed"
    both = await asyncio.gather(
        shelf.library.save(replace(GIFT, body="one"), 2, EVA),
        shelf.library.save(replace(GIFT, body="two"), 2, TOM),
        return_exceptions=True,
    )
    assert sum(isinstance(one, LibraryRefused) for one in both) == 1
    assert [one.revision for one in await shelf.store.versions("gift", "en")] == [3, 2, 1]


async def test_an_old_version_comes_back_as_a_new_one(shelf: Shelf) -> None:
    await shelf.library.create(GIFT, EVA)
    await shelf.library.save(replace(GIFT, body="Nonsense."), 1, TOM, "by mistake")
    restored = await shelf.library.restore("gift", "en", 2, 1, EVA)
    assert (restored.kept.revision, restored.version.restores) == (3, 1)
    versions = await shelf.store.versions("gift", "en")
    assert versions[0].article == GIFT
    assert (versions[1].reason, versions[1].by) == ("by mistake", TOM)
    assert (await refused(shelf.library.restore("gift", "en", 3, 1, EVA))).code == "nothing"


async def test_an_import_leaves_alone_what_was_edited_by_hand_and_says_so(shelf: Shelf) -> None:
    taken = await shelf.library.take_over("refunds", "en", EVA)
    assert (taken.kept.state, taken.kept.origin) == ("published", "file")
    refunds = taken.version.article
    await shelf.library.save(replace(refunds, body="The refund arrives within two working days."), 1, EVA)
    await shelf.library.publish("refunds", "en", 2, EVA)
    await shelf.library.take_over("delivery", "en", EVA)
    await shelf.library.unpublish("delivery", "en", 1, EVA)
    await shelf.library.create(GIFT, EVA)
    await shelf.library.publish("gift", "en", 1, EVA)
    again = article("warranty", "What does the warranty cover?", "Three years now.")
    report = await shelf.library.load([*(one for one in small_shop() if one.id != "warranty"), again])
    assert report.kept == ("delivery/en", "refunds/en")
    assert report.updated == ("warranty/en",)
    assert report.removed == ()
    found = shelf.kb.find_article("refunds", "en")
    assert found is not None
    assert "two working days" in found.body
    assert shelf.kb.find_article("delivery", "en") is None
    assert shelf.kb.find_article("refunds", "zh") is not None
    assert shelf.kb.find_article("gift", "en") is not None


async def test_what_a_crash_left_between_database_and_index_is_repaired_by_the_next_start(shelf: Shelf) -> None:
    await shelf.library.create(GIFT, EVA)
    await shelf.library.take_over("delivery", "en", EVA)
    dead = Library(shelf.store, Away(shelf.kb), lambda: shelf.now)  # type: ignore[arg-type]
    assert not (await dead.publish("gift", "en", 1, EVA)).indexed
    assert not (await dead.unpublish("delivery", "en", 1, EVA)).indexed
    assert shelf.kb.find_article("gift", "en") is None
    assert shelf.kb.find_article("delivery", "en") is not None
    next_start = Library(shelf.store, shelf.kb, lambda: shelf.now)
    assert await next_start.refresh()
    assert shelf.kb.find_article("gift", "en") is not None
    assert shelf.kb.find_article("delivery", "en") is None


async def test_another_process_follows_with_its_own_index(shelf: Shelf, tmp_path: Path) -> None:
    other = knowledge_base(tmp_path / "other")
    library = Library(LibraryStore(shelf.engine), other)
    await library.load(small_shop())
    await shelf.library.create(GIFT, EVA)
    await shelf.library.publish("gift", "en", 1, EVA)
    await library.refresh()
    assert other.find_article("gift", "en") is not None
    await shelf.library.unpublish("gift", "en", 1, EVA, archive=True)
    await library.refresh()
    assert other.find_article("gift", "en") is None
    await other.close()


async def test_somebody_who_publishes_while_files_are_loaded_is_not_undone_by_them(shelf: Shelf) -> None:
    await shelf.library.create(GIFT, EVA)
    elsewhere = Library(LibraryStore(shelf.engine), shelf.kb, lambda: shelf.now)

    async def slow_files() -> None:
        await shelf.library.load(small_shop(), progress=None)

    await asyncio.gather(slow_files(), elsewhere.publish("gift", "en", 1, EVA))
    await shelf.library.refresh()
    await elsewhere.refresh()
    assert shelf.kb.find_article("gift", "en") is not None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"title": " "}, "title is empty"),
        ({"body": "\n"}, "no text"),
        ({"language": "fr"}, "language"),
        ({"id": "a/b"}, "may hold only"),
        ({"audience": ("Every Body",)}, "audience"),
        ({"replaced_by": "gift"}, "another article"),
        (
            {"valid_from": datetime(2026, 2, 1, tzinfo=UTC), "valid_until": datetime(2026, 1, 1, tzinfo=UTC)},
            "lies before",
        ),
    ],
)
async def test_an_article_that_could_not_be_indexed_is_not_kept(
    shelf: Shelf, change: dict[str, Any], says: str
) -> None:
    problem = await refused(shelf.library.create(replace(GIFT, **change), EVA))
    assert problem.code == "bad_article"
    assert says in str(problem)
    assert await shelf.store.all() == []


async def test_ids_are_taken_once_and_nothing_is_done_twice(shelf: Shelf) -> None:
    assert (await refused(shelf.library.create(article(), EVA))).code == "exists"
    await shelf.library.create(GIFT, EVA)
    assert (await refused(shelf.library.create(GIFT, TOM))).code == "exists"
    assert (await refused(shelf.library.save(GIFT, 1, TOM))).code == "nothing"
    assert (await refused(shelf.library.unpublish("gift", "en", 1, TOM))).code == "nothing"
    assert (await refused(shelf.library.take_over("nowhere", "en", TOM))).code == "not_found"
    assert (await refused(shelf.library.publish("gift", "zh", 1, TOM))).code == "not_found"
    reviewed = await shelf.library.review("gift", "en", TOM)
    assert reviewed.kept.reviewed_at == shelf.now


async def test_a_database_that_has_no_tables_yet_keeps_nothing_from_being_loaded(tmp_path: Path) -> None:
    store = LibraryStore.at(f"sqlite+aiosqlite:///{tmp_path / 'new.db'}")
    kb = knowledge_base(tmp_path / "kb")
    owned = await store.owned()
    assert (owned.revision, dict(owned.live), owned.held) == (0, {}, frozenset())
    await kb.close()
    await store.close()


class Away:
    """An index that is not there when it is to be changed."""

    def __init__(self, kb: KnowledgeBase) -> None:
        self._kb = kb

    def versions(self) -> dict[str, str]:
        return self._kb.versions()

    def find_article(self, article_id: str, language: str) -> Article | None:
        return self._kb.find_article(article_id, language)

    async def load(self, *_args: Any, **_more: Any) -> None:
        raise IndexUnavailable("away")

    async def remove(self, *_args: Any) -> None:
        raise IndexUnavailable("away")


class Editing(RuleBasedStateMachine):
    """Whatever is done in whatever order: published is what is in the index, and every version can be brought back."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()

    @initialize()
    def begin(self) -> None:
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.shelf = Shelf(Path(self.folder.name))
        self.run(self.shelf.open())
        self.said: dict[str, list[Article]] = {}
        self.live: dict[str, Article] = {}

    def run(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    def teardown(self) -> None:
        if hasattr(self, "shelf"):
            self.run(self.shelf.close())
            self.folder.cleanup()
        self.loop.close()

    @rule(name=st.sampled_from(["gift", "points"]), words=st.sampled_from(["one day", "two days", "three days"]))
    def write(self, name: str, words: str) -> None:
        said = article(name, f"About {name}", f"It takes {words}.", questions=())
        before = self.said.get(name)
        if before is None:
            self.run(self.shelf.library.create(said, EVA))
            self.said[name] = [said]
        elif before[-1] != said:
            self.run(self.shelf.library.save(said, len(before), EVA))
            before.append(said)

    @precondition(lambda self: self.said)
    @rule(data=st.data())
    def bring_back(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.said)))
        versions = self.said[name]
        to = data.draw(st.integers(1, len(versions)))
        if versions[to - 1] != versions[-1]:
            self.run(self.shelf.library.restore(name, "en", len(versions), to, EVA))
            versions.append(versions[to - 1])

    @precondition(lambda self: self.said)
    @rule(data=st.data(), publishes=st.booleans())
    def publish_or_not(self, data: st.DataObject, publishes: bool) -> None:
        name = data.draw(st.sampled_from(sorted(self.said)))
        revision = len(self.said[name])
        if publishes:
            if self.live.get(name) is not self.said[name][-1]:
                self.run(self.shelf.library.publish(name, "en", revision, EVA))
                self.live[name] = self.said[name][-1]
        elif name in self.live:
            self.run(self.shelf.library.unpublish(name, "en", revision, EVA, archive=data.draw(st.booleans())))
            del self.live[name]

    @rule()
    def files_are_loaded(self) -> None:
        self.run(self.shelf.library.load(small_shop()))

    @invariant()
    def published_is_what_is_in_the_index(self) -> None:
        if not hasattr(self, "shelf"):
            return
        wanted = {one.key: one.version for one in (*small_shop(), *self.live.values())}
        assert self.shelf.kb.versions() == wanted

    @invariant()
    def every_version_is_kept(self) -> None:
        for name, versions in getattr(self, "said", {}).items():
            kept = self.run(self.shelf.store.versions(name, "en"))
            assert [one.article for one in reversed(kept)] == versions


TestEditing = Editing.TestCase
TestEditing.settings = hypothesis_settings(max_examples=8, stateful_step_count=10, deadline=None)
