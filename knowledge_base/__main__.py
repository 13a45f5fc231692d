"""``python -m knowledge_base load [DIR|FILES] | search "text" | watch DIR``: the knowledge base from a terminal."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import settings
from knowledge_base.articles import LANGUAGES
from knowledge_base.errors import KnowledgeBaseError
from knowledge_base.importing import find_sources, read_sources
from knowledge_base.knowledge_base import KnowledgeBase, LoadReport
from knowledge_base.library import Library
from knowledge_base.library_store import LibraryStore
from knowledge_base.readers import SHANGHAI, Reader
from knowledge_base.watching import watch
from knowledge_base.wording import language_of

ARTICLES = Path(__file__).with_name("articles")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m knowledge_base", description=__doc__)
    parser.add_argument("--data-dir", type=Path, help="where the embedded index is (default: the service's)")
    parser.add_argument("--qdrant-url", help="a Qdrant server instead of the embedded index")
    parser.add_argument("--encoder", help="e5, or hf: and a model's path or hub name (default: the service's)")
    commands = parser.add_subparsers(dest="command", required=True)
    load = commands.add_parser("load", help="make the knowledge base hold these files")
    load.add_argument("paths", nargs="*", type=Path, help="directories or files (default: the project's articles)")
    load.add_argument("--add", action="store_true", help="keep the articles that these files do not hold")
    search = commands.add_parser("search", help="show the passages that answer a question")
    search.add_argument("text")
    search.add_argument("--language", choices=LANGUAGES, help="default: the question's own")
    search.add_argument("--limit", type=int, default=5)
    search.add_argument("--audience", action="append", default=[], help="ask as one of these, too: member, staff …")
    search.add_argument("--json", action="store_true", help="one JSON object instead of text")
    follow = commands.add_parser("watch", help="load a directory and follow its changes")
    follow.add_argument("directory", type=Path)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    chosen = _parser().parse_args(arguments)
    try:
        asyncio.run(_run(chosen))
    except KnowledgeBaseError as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


async def _open(chosen: argparse.Namespace) -> KnowledgeBase:
    # Looking something up is no reason to encode everything anew.
    reindex = chosen.command != "search"
    if chosen.data_dir or chosen.qdrant_url:  # needs none of the service's settings
        folder, url, encoder = chosen.data_dir or Path("var"), chosen.qdrant_url, chosen.encoder or "e5"
        return await KnowledgeBase.open(folder, url, encoder, reindex=reindex)
    service = settings.load()
    return await KnowledgeBase.open(
        service.index_home,
        service.qdrant_url,
        chosen.encoder or service.encoder,
        reranker=service.reranker,
        reindex=reindex,
    )


def _edited(chosen: argparse.Namespace) -> LibraryStore | None:
    """What is edited in the desk, which files must not overwrite; None unless the service's settings are needed."""
    return None if chosen.data_dir or chosen.qdrant_url else LibraryStore.at(settings.load().database_url)


def _zone(chosen: argparse.Namespace) -> ZoneInfo:
    """The zone of the days in articles: the service's, unless the service's settings are not needed."""
    return SHANGHAI if chosen.data_dir or chosen.qdrant_url else ZoneInfo(settings.load().time_zone)


async def _run(chosen: argparse.Namespace) -> None:
    commands = {"load": _load, "search": _search, "watch": _watch}
    await commands[chosen.command](chosen)


async def _load(chosen: argparse.Namespace) -> None:
    # Everything is read before the index is touched, so one bad file changes nothing.
    articles, problems = read_sources(find_sources(chosen.paths or [ARTICLES]), _zone(chosen))
    if problems:
        for problem in problems:
            print(problem, file=sys.stderr)
        raise KnowledgeBaseError("nothing was loaded; correct the files above and load again")
    if not articles:
        raise KnowledgeBaseError("no articles were found; name a directory with Markdown, HTML, PDF, DOCX or CSV files")
    kb = await _open(chosen)
    store = _edited(chosen)
    loads = kb if store is None else Library(store, kb)
    try:
        print(_told(await loads.load(articles, _progress, complete=not chosen.add)))
        await kb.settled()
    finally:
        await kb.close()
        if store is not None:
            await store.close()


async def _search(chosen: argparse.Namespace) -> None:
    kb = await _open(chosen)
    try:
        language = chosen.language or language_of(chosen.text)
        reader = Reader.of(chosen.audience)
        hits = await kb.search(chosen.text, language, chosen.limit, reader)
        answer = await kb.answer(chosen.text, language, reader=reader)
    finally:
        await kb.close()
    if chosen.json:
        found = [
            {"passage_id": hit.passage.id, "title": hit.passage.title, "score": hit.score, "url": hit.passage.url}
            for hit in hits
        ]
        print(
            json.dumps({"answer": answer.text if answer else None, "gate": kb.gate, "hits": found}, ensure_ascii=False)
        )
        return
    for hit in hits:
        print(f"{hit.score:.2f}  {hit.passage.id}  {hit.passage.title}")
    print(f"\n{answer.text}" if answer else f"\nNo answer: no score reaches the gate of {kb.gate:.2f}.")


async def _watch(chosen: argparse.Namespace) -> None:
    if not chosen.directory.is_dir():
        raise KnowledgeBaseError(f"{chosen.directory} is not a directory; name the one that holds your articles")
    kb = await _open(chosen)
    store = _edited(chosen)
    loads = kb if store is None else Library(store, kb)
    try:
        async for report in watch(
            loads, chosen.directory, lambda text: print(text, file=sys.stderr, flush=True), zone=_zone(chosen)
        ):
            print(_told(report), flush=True)
    finally:
        await kb.close()
        if store is not None:
            await store.close()


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty() and total:
        print(f"\rencoding {done}/{total} articles", end="\n" if done == total else "", file=sys.stderr, flush=True)


def _told(report: LoadReport) -> str:
    parts = {"added": report.added, "updated": report.updated, "removed": report.removed}
    changes = ", ".join(f"{len(keys)} {name}" for name, keys in parts.items())
    told = f"articles: {changes}, {report.unchanged} unchanged; {report.passages} passages in all"
    if report.kept:
        told += f"\nedited in the desk, so the files did not change them: {', '.join(report.kept)}"
    return told


if __name__ == "__main__":
    sys.exit(main())
