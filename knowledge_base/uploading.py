"""Reads a file that somebody sent: in a process of its own with little time and memory, because files can be hostile.

A PDF of a few kilobytes can unpack to gigabytes, and a reader can be made to turn in circles. The child reads what it is
sent on its standard input, writes the articles as JSON, and is killed when it takes too long. No more than two are at work.
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
from knowledge_base.importing import SUFFIXES, read_content, too_large, wrong_kind

SECONDS = 30  #: well below what a request may take, so that it ends with a reason
MAX_ARTICLES = 500
MAX_BYTES = 10 * 1024 * 1024  #: the service takes no larger body
MAX_CSV_BYTES = 5 * 1024 * 1024
MOST_AT_ONCE = 2
_ADDRESSES = 3 * 1024**3  #: bytes of address space, most of which libraries only reserve
_MEMORY = 1024**3  #: bytes that are written to
_at_work: list[str] = []
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
        raise wrong_kind(name)
    most = MAX_CSV_BYTES if suffix == ".csv" else MAX_BYTES
    if len(content) > most:
        raise too_large(name, most)
    if len(_at_work) >= MOST_AT_ONCE:
        raise UnreadableSource(name, "other files are being read; try again in half a minute", "busy")
    _at_work.append(name)
    try:
        return await _read(name, content, zone, seconds)
    finally:
        _at_work.remove(name)


async def _read(name: str, content: bytes, zone: ZoneInfo, seconds: float) -> Uploaded:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "knowledge_base.uploading", name, zone.key, str(int(seconds)),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, cwd=_ROOT,
    )  # fmt: skip
    try:
        async with asyncio.timeout(seconds):
            out, _ = await child.communicate(content)
    except TimeoutError:
        problem = f"could not be read within {seconds:.0f} seconds; split or simplify it"
        raise UnreadableSource(name, problem, "slow", most=int(seconds)) from None
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    try:
        told = json.loads(out)
    except ValueError:  # it died: too much memory, or a reader that fell over
        problem = "could not be read; it may be damaged, or unpack to far too much"
        raise UnreadableSource(name, problem, "unpacks") from None
    if "problem" in told:
        raise UnreadableSource(told["source"], told["problem"], told["reason"], **told["facts"])
    return Uploaded(name, tuple(Article.from_json(one) for one in told["articles"]), told["beyond"])


def _limit(seconds: int) -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):  # elsewhere only the time is limited, from outside
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_AS, (_ADDRESSES, _ADDRESSES))
        resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, _MEMORY))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """Read one file from standard input."""
    name, zone, seconds = sys.argv[1:]
    _limit(int(seconds))
    try:
        found = read_content(name, sys.stdin.buffer.read(), ZoneInfo(zone))
        taken = [one.to_json() for one in found[:MAX_ARTICLES]]  # cut here: the service would stand still over the rest
        told: dict[str, object] = {"articles": taken, "beyond": len(found) - len(taken)}
    except UnreadableSource as problem:
        told = {"source": problem.source, "problem": problem.problem, "reason": problem.reason, "facts": problem.facts}
    except (MemoryError, RecursionError):
        problem_of = "it unpacks to more than can be read; split or simplify it"
        told = {"source": name, "problem": problem_of, "reason": "unpacks", "facts": {}}
    # Half a character, as a PDF may hold, could neither be stored nor sent.
    sys.stdout.buffer.write(json.dumps(told, ensure_ascii=False).encode("utf-8", "replace"))


if __name__ == "__main__":
    main()
