"""A watched directory: changes arrive, bad files are told and do no harm."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from knowledge_base.watching import Folder, follow, watch
from tests.knowledge_base.builders import knowledge_base


def put(path: Path, title: str) -> None:
    path.write_text(f"# {title}\n\nText about {title}.\n", encoding="utf-8")


def test_a_file_that_became_bad_keeps_what_it_held(tmp_path: Path) -> None:
    put(tmp_path / "a.md", "Apples")
    put(tmp_path / "b.md", "Pears")
    folder = Folder(tmp_path)
    assert len(folder.articles()[0]) == 2
    (tmp_path / "a.md").write_text("---\nid: [broken\n---\n")
    for _ in range(2):  # as long as it stays bad
        articles, problems = folder.articles()
        assert {article.title for article in articles} == {"Apples", "Pears"}
        assert [problem.source for problem in problems] == ["a.md"]
    (tmp_path / "a.md").unlink()
    articles, problems = folder.articles()
    assert [article.title for article in articles] == ["Pears"]
    assert problems == []


def test_the_same_article_in_two_files_is_told(tmp_path: Path) -> None:
    put(tmp_path / "a.md", "Apples")
    (tmp_path / "more").mkdir()
    put(tmp_path / "more" / "a.md", "Other apples")
    articles, problems = Folder(tmp_path).articles()
    assert len(articles) == 1
    assert "another file" in str(problems[0])


async def test_changes_are_loaded_while_bad_files_are_told(tmp_path: Path) -> None:
    source = tmp_path / "articles"
    source.mkdir()
    put(source / "a.md", "Apples")
    kb = knowledge_base(tmp_path / "index")
    told: list[str] = []
    stop = asyncio.Event()
    reports = watch(kb, source, told.append, stop)
    first = await anext(reports)
    assert first.added == ("a/en",)
    following = asyncio.create_task(anext(reports))
    while not following.done():  # the watcher may need a moment before it sees changes
        (source / "bad.csv").write_text("nothing")
        put(source / "a.md", "Ripe apples")
        await asyncio.wait([following], timeout=1)
    report = following.result()
    assert report.updated == ("a/en",)
    assert "bad.csv" in told[0]
    assert (await kb.search("ripe apples"))[0].passage.title == "Ripe apples"
    stop.set()
    await reports.aclose()
    await kb.close()


async def test_two_processes_that_follow_a_folder_know_the_same(tmp_path: Path) -> None:
    """Where each service process has an embedded index of its own, the folder keeps them in step."""
    source = tmp_path / "articles"
    source.mkdir()
    put(source / "a.md", "Apples")
    processes = [knowledge_base(tmp_path / f"index-{number}") for number in range(2)]
    following = [asyncio.create_task(follow(kb, source)) for kb in processes]

    async def both_know(*keys: str) -> None:
        async with asyncio.timeout(20):
            while not all([article.key for article in kb.articles()] == list(keys) for kb in processes):  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    await both_know("a/en")
    put(source / "b.md", "Pears")
    await both_know("a/en", "b/en")
    (source / "a.md").unlink()
    await both_know("b/en")
    for task in following:
        task.cancel()
    await asyncio.gather(*following, return_exceptions=True)
    for kb in processes:
        await kb.close()


async def test_a_folder_that_is_not_there_or_empty_empties_nothing(tmp_path: Path) -> None:
    source = tmp_path / "articles"
    source.mkdir()
    put(source / "a.md", "Apples")
    kb = knowledge_base(tmp_path / "index")
    await anext(watch(kb, source, print))
    (source / "a.md").unlink()
    for folder in (source, tmp_path / "not mounted"):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await follow(kb, folder)
    assert [article.key for article in kb.articles()] == ["a/en"]
    await kb.close()
