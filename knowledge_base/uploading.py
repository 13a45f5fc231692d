"""Reads a file that somebody sent: in a process of its own with little time and memory, because files can be hostile.

A PDF of a few kilobytes can unpack to gigabytes, and a reader can be made to turn in circles. The child reads what it is
sent on its standard input, writes the articles as JSON, and is killed when it takes too long.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from knowledge_base.articles import Article
from knowledge_base.errors import UnreadableSource
from knowledge_base.importing import MAX_BYTES, SUFFIXES, read_content

SECONDS = 60
MAX_ARTICLES = 500
MAX_CSV_BYTES = 5 * 1024 * 1024
_MEMORY = 3 * 1024**3  #: bytes of address space, most of which libraries only reserve
_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What a file became."""

    name: str
    articles: tuple[Article, ...]
    beyond: int = 0  #: articles that were left out because there are too many


async def read_upload(name: str, content: bytes, zone: ZoneInfo, *, seconds: float = SECONDS) -> Uploaded:
    """The articles in a sent file; raises ``UnreadableSource`` naming what is wrong with it."""
    name = Path(name.replace("\\", "/")).name[:120] or "file"
    suffix = Path(name).suffix.lower()
    if suffix not in SUFFIXES:
        raise UnreadableSource(name, f"files of this kind cannot be read; use {', '.join(SUFFIXES)}")
    most = MAX_CSV_BYTES if suffix == ".csv" else MAX_BYTES
    if len(content) > most:
        raise UnreadableSource(name, f"larger than {most // 1024 // 1024} MiB; split it")
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "knowledge_base.uploading", name, zone.key, str(int(seconds)),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, cwd=_ROOT,
    )  # fmt: skip
    try:
        async with asyncio.timeout(seconds):
            out, _ = await child.communicate(content)
    except TimeoutError:
        raise UnreadableSource(name, f"could not be read within {seconds:.0f} seconds; split or simplify it") from None
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    try:
        told = json.loads(out)
    except ValueError:  # it died: too much memory, or a reader that fell over
        raise UnreadableSource(name, "could not be read; it may be damaged, or unpack to far too much") from None
    if "problem" in told:
        raise UnreadableSource(told["source"], told["problem"])
    articles = tuple(Article.from_json(one) for one in told["articles"])
    return Uploaded(name, articles[:MAX_ARTICLES], max(0, len(articles) - MAX_ARTICLES))


def _limit(seconds: int) -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):  # elsewhere only the time is limited, from outside
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """Read one file from standard input."""
    name, zone, seconds = sys.argv[1:]
    _limit(int(seconds))
    try:
        found = read_content(name, sys.stdin.buffer.read(), ZoneInfo(zone))
        told: dict[str, object] = {"articles": [one.to_json() for one in found]}
    except UnreadableSource as problem:
        told = {"source": problem.source, "problem": problem.problem}
    except (MemoryError, RecursionError):
        told = {"source": name, "problem": "it unpacks to more than can be read; split or simplify it"}
    sys.stdout.write(json.dumps(told, ensure_ascii=True))


if __name__ == "__main__":
    main()
