"""How the knowledge base behaves with very many passages: ``python -m benchmarks.knowledge_scale --passages 100000``.

No encoder takes part. Every text gets a vector drawn at random around the middle of its subject, with the spread that
the real encoders show, and the time this takes is taken off the ingest. Articles are made of the demo shop's sentences
with the names of products that do not exist, so that words are as common and as rare as in real articles.

On a machine that does other things, too, the times of the processor (``_cpu``) say more than those of the clock.
Ingest, restart and searches run in processes of their own, so that memory and start-up are those of a service. The last
line is one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).resolve().parent.parent
QUESTIONS = 500
ENOUGH = 2_000_000  #: entries, for comparing all of them
SUBJECTS = 4000
PER_ARTICLE = 4.5  #: passages
Vectors = npt.NDArray[np.float32]


class DrawnEncoder:
    """Vectors around the middle of the subject that a text names (``#123``), in a few directions as real ones differ."""

    def __init__(self, name: str, dimensions: int, shared: float) -> None:
        self.name = name
        self.dimensions = dimensions
        self.seconds = 0.0
        drawn = np.random.default_rng(zlib.crc32(name.encode()))
        ways = drawn.normal(
            size=(48, dimensions)
        )  # what texts are about varies in far fewer ways than there are values
        self._middles = (drawn.normal(size=(SUBJECTS, 48)) @ ways + shared * drawn.normal(size=dimensions) * 7).astype(
            "f4"
        )
        self._noise = (drawn.normal(size=(8192, 48)) @ ways * 0.55).astype("f4")

    def questions(self, texts: Sequence[str]) -> Vectors:
        """The same space serves both sides."""
        return self.passages(texts)

    def passages(self, texts: Sequence[str]) -> Vectors:
        """One row of length one per text."""
        started = time.perf_counter()
        hashes = np.array([zlib.crc32(text.encode()) for text in texts], dtype=np.int64)
        named = [re.search(r"#(\d+)", text) for text in texts]
        subjects = np.array(
            [int(match[1]) if match else hashes[place] for place, match in enumerate(named)], dtype=np.int64
        )
        rows = self._middles[subjects % SUBJECTS] + self._noise[hashes % 8192] + self._noise[(hashes >> 13) % 8192]
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        self.seconds += time.perf_counter() - started
        drawn: Vectors = rows
        return drawn


def written_articles(passages: int) -> Iterator[Any]:
    """Articles in both languages, about five passages each, a third of them with a translation."""
    from knowledge_base.articles import Article
    from knowledge_base.importing import find_sources, read_sources
    from knowledge_base.prepared import questions_of
    from knowledge_base.splitting import split

    chance = random.Random(7)
    shop, _ = read_sources(find_sources([ROOT / "knowledge_base" / "articles"]))
    lines = {
        language: [
            sentence
            for article in shop
            if article.language == language
            for sentence in re.findall(r"[^。！？.!?\n|#*]{12,}[。！？.!?]", article.body)
        ]
        for language in ("zh", "en")
    }
    asked = {language: [q for one in shop if one.language == language for q in questions_of(one)] for language in lines}
    made = {
        "en": ["".join(chance.choices("bdfgklmnprstvz", k=1) + chance.choices("aeiou", k=1)) for _ in range(60)],
        "zh": list("澜舟岚曜霁岳栖桐砚杉翎屿湛朔澄珩琢霏屹澈"),
    }
    done, number = 0.0, 0
    while done < passages:
        subject = number % SUBJECTS
        names = random.Random(subject)
        for language in ("zh", "en") if number % 3 == 0 else (("zh", "en")[number % 2],):
            product = "".join(names.choices(made[language], k=3)) + f" {names.randint(2, 99)}"
            body = "\n\n".join(
                f"## {product} {heading + 1} #{subject}\n\n"
                + ("" if language == "zh" else " ").join(
                    f"{chance.choice(lines[language])}"
                    if chance.random() < 0.8
                    else f"{product}{'：' if language == 'zh' else ': '}{chance.choice(lines[language])}"
                    for _ in range(chance.randint(6, 8) if language == "zh" else chance.randint(5, 6))
                )
                for heading in range(chance.randint(3, 6))
            )
            article = Article(
                id=f"article-{number:06}",
                title=f"{product}: {chance.choice(asked[language])} #{subject}",
                language=language,
                body=body,
                questions=tuple(
                    f"{product} {chance.choice(asked[language])} #{subject}" for _ in range(chance.randint(1, 3))
                ),
            )
            done += len(split(article)) if number < 30 else PER_ARTICLE
            yield article
        number += 1


def questions(count: int, passages: int) -> list[tuple[str, str]]:
    """Questions (text, language) about subjects of the articles; one in ten is about none of them."""
    chance = random.Random(11)
    pool = [
        (article.language, article.title) for article, _ in zip(written_articles(passages), range(3000), strict=False)
    ]
    found: list[tuple[str, str]] = []
    for place in range(count):
        language, title = chance.choice(pool)
        words = title if place % 10 else re.sub(r"#\d+", f"#{chance.randint(0, 10**6)}", title)
        found.append((f"{words} {'怎么办' if language == 'zh' else 'please'} {place}", language))
    return found


def memory_mb() -> dict[str, float]:
    """Resident memory now: all, what only this process has, and what are pages of files."""
    lines = Path("/proc/self/status").read_text().splitlines() if Path("/proc/self/status").exists() else []
    values = {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines if line.startswith(("VmRSS", "Rss"))}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "resident": round(values.get("VmRSS", peak)),
        "own": round(values.get("RssAnon", 0)),
        "files": round(values.get("RssFile", 0)),
        "peak": round(peak),
    }


def times(values: Sequence[float]) -> dict[str, float]:
    """Median and 95th percentile of some seconds, in milliseconds."""
    p50, p95 = np.quantile(np.array(values) * 1000, [0.5, 0.95])
    return {"p50": round(float(p50), 2), "p95": round(float(p95), 2)}


def opened(directory: Path) -> tuple[Any, list[DrawnEncoder]]:
    """The knowledge base in a directory with drawn vectors."""
    from threadpoolctl import ThreadpoolController

    from knowledge_base.homes import FolderHome, built_with
    from knowledge_base.index_words import asked_words
    from knowledge_base.knowledge_base import KnowledgeBase

    ThreadpoolController().limit(limits=1, user_api="blas")
    use, e5 = DrawnEncoder("drawn-use", 512, 0.0), DrawnEncoder("drawn-e5", 384, 1.0)
    asked_words("warm the segmenter up")
    return KnowledgeBase(FolderHome(directory).open(built_with(use, e5, "drawn"), use, e5)), [use, e5]


async def ingest(directory: Path, passages: int) -> dict[str, Any]:
    """Load everything into an empty directory, until searches are as fast as they get."""
    articles = list(written_articles(passages))
    kb, encoders = opened(directory)
    told = time.perf_counter()

    def progress(done: int, total: int) -> None:
        nonlocal told
        if done == total or time.perf_counter() - told > 10:
            told = time.perf_counter()
            print(f"loaded {done} of {total} articles", file=sys.stderr, flush=True)

    started, worked = time.perf_counter(), time.process_time()
    report = await kb.load(articles, progress)
    working = time.process_time() - worked
    loaded = time.perf_counter() - started
    await kb.settled()
    seconds = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    drawn = sum(encoder.seconds for encoder in encoders)
    figures = {
        "articles": len(articles),
        "passages": report.passages,
        "entries": kb.status()["entries"],
        "load_s": round(loaded - drawn, 1),
        "load_cpu_s": round(working - drawn, 1),
        "graphs_s": round(seconds - loaded, 1),
        "passages_per_s": round(report.passages / (seconds - drawn)),
        "passages_per_s_until_found": round(report.passages / (loaded - drawn)),
        "memory_mb": memory_mb(),
        "graphs_cpu_s": round(used.ru_utime + used.ru_stime, 1),
        "graphs_memory_mb": round(used.ru_maxrss / 1024),
    }
    await kb.close()
    return figures


async def serve(directory: Path, passages: int, started: float) -> dict[str, Any]:
    """Open what was loaded, and search."""
    asked = questions(QUESTIONS, passages)
    drawing = time.perf_counter()
    kb, _ = opened(directory)
    await kb.search(*asked[0])
    restart = time.perf_counter() - drawing
    after_start = memory_mb()

    def processor_time(chosen: Sequence[tuple[str, str]]) -> list[float]:
        taken: list[float] = []
        for text, language in chosen:
            begun = time.process_time()
            kb._search(text, language, 10)
            taken.append(time.process_time() - begun)
        return taken

    async def search_all(chosen: Sequence[tuple[str, str]]) -> list[float]:
        taken: list[float] = []
        for text, language in chosen:
            begun = time.perf_counter()
            await kb.search(text, language)
            taken.append(time.perf_counter() - begun)
        return taken

    cold = await search_all(asked[1:])
    warm = await search_all(asked[1:])
    four = await asyncio.gather(*(search_all(asked[first::4]) for first in range(4)))
    figures: dict[str, Any] = {
        "restart_s": round(restart, 2),
        "search_cold": times(cold),
        "search": times(warm),
        "search_cpu": times(processor_time(asked[1:])),
        "search_4_clients": times([value for one in four for value in one]),
        "memory_mb": {"after_start": after_start, "after_searches": memory_mb()},
        "agreement": await agreement(kb, asked[:100]),
    }
    await kb.close()
    return figures


async def agreement(kb: Any, asked: Sequence[tuple[str, str]]) -> dict[str, float]:
    """How often the best article, and the best three, are those found by comparing every entry."""
    from knowledge_base import candidates, entries

    async def best() -> list[list[str]]:
        return [[hit.passage.article_id for hit in await kb.search(text, language, 3)] for text, language in asked]

    by_graph = await best()
    vars(candidates)["FLAT"] = ENOUGH
    try:
        exact = await best()
    finally:
        vars(candidates)["FLAT"] = entries.FLAT
    pairs = list(zip(by_graph, exact, strict=True))
    return {
        "first": round(sum(one[:1] == other[:1] for one, other in pairs) / len(pairs), 3),
        "three": round(
            sum(len(set(one) & set(other)) for one, other in pairs) / sum(len(other) for _, other in pairs), 3
        ),
    }


def in_a_process(phase: str, directory: Path, passages: int) -> dict[str, Any]:
    """The figures of one phase."""
    command = [sys.executable, "-m", "benchmarks.knowledge_scale", "--phase", phase, "--directory", str(directory)]
    command += ["--passages", str(passages)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def main() -> int:
    """Run every phase and print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.knowledge_scale", description=__doc__)
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument(
        "--small", type=int, default=3000, help="passages of the small knowledge base beside it; 0: none"
    )
    parser.add_argument("--directory", type=Path, help="keep the index here")
    parser.add_argument("--phase", choices=("ingest", "serve"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    started = time.perf_counter()
    if chosen.phase == "ingest":
        print(json.dumps(asyncio.run(ingest(chosen.directory, chosen.passages))))
        return 0
    if chosen.phase == "serve":
        print(json.dumps(asyncio.run(serve(chosen.directory, chosen.passages, started))))
        return 0
    result: dict[str, Any] = {}
    for name, passages in (("small", chosen.small), ("large", chosen.passages)):
        if not passages:
            continue
        with tempfile.TemporaryDirectory() as temporary:
            directory = (chosen.directory or Path(temporary)) / name
            result[name] = in_a_process("ingest", directory, passages)
            stored = sum(path.stat().st_blocks for path in directory.rglob("*") if path.is_file())
            result[name]["disk_mb"] = round(stored * 512 / 2**20)
            print(f"{name}: {json.dumps(result[name])}", file=sys.stderr, flush=True)
            result[name] |= {"serve": in_a_process("serve", directory, passages)}
            print(f"{name}: {json.dumps(result[name]['serve'])}", file=sys.stderr, flush=True)
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
