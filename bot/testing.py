"""Measures a trained version: held-out lines per language, entities, and the stories that trainers saved.

    python testing.py [--model ARCHIVE] [--nlu-data DIR] [--without-stories]

Stories are answered by the model's own dialogue with the service's actions (``ACTION_URL``), as dry runs in the sample shop.
The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

if __package__ in (None, ""):
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from bot import model_seal, settings, without_tensorflow
from bot.breakdown import breakdown
from bot.entities.annotated import read_lines
from bot.evaluate import load_processor, parse_lines
from bot.evaluate_entities import measure as measure_entities
from bot.held_lines import LANGUAGES, HeldLine, digest, held_out
from bot.jobs import JobRefused, Report
from bot.measure import OUT_OF_SCOPE, Parsed, near_topic

SUFFIX = ".tar.gz"
MOST_WRONG = 2_000  #: lines that went wrong, of both languages
MOST_ENTITY_MISTAKES = 150
#: Hears how far it is: the share that is done, and a word for what is being done.
Tell = Callable[[float, str], None]


def run(options: dict[str, Any], report: Report) -> dict[str, Any]:
    """The job ``test``: measures the version ``model``. Raises ``JobRefused``."""
    archive = archive_of(options)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    without_tensorflow.install()
    try:
        return loop.run_until_complete(
            measured(
                archive,
                settings.nlu_data(),
                options,
                lambda share, step: report(share, step, ""),
                os.environ.get("ACTION_URL"),
            )
        )
    except model_seal.ModelRefused as refused:
        raise JobRefused("not_sealed", str(refused)) from None


def archive_of(options: Mapping[str, Any]) -> Path:
    """The archive of the version that a job is about; raises ``JobRefused`` if there is none."""
    name = options.get("model")
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,80}", name):
        raise JobRefused("bad_options", "model must be the name of a version.")
    archive = Path(os.environ["MODEL_DIR"]) / f"{name}{SUFFIX}"
    if not archive.exists():
        raise JobRefused("model_gone", f"There is no archive of {name} any more.")
    return archive


async def measured(
    archive: Path,
    nlu_data: Path,
    options: Mapping[str, Any],
    tell: Tell,
    action_url: str | None,
) -> dict[str, Any]:
    """Every figure of a version; raises ``ModelRefused`` for an archive whose seal is not good.

    ``options`` may bring ``turn``, the metadata of a turn (thresholds among them). Without ``action_url`` no story is played.
    """
    model_seal.check(archive, settings.model_keys(archive.parent))
    metadata = dict(options.get("turn") or {})
    tell(0.0, "loading")
    processor = load_processor(archive)
    lines, left_out = held_out(nlu_data)
    tell(0.05, "lines")
    share = 0.7 / max(len(lines), 1)
    parsed = await parse_lines(
        processor,
        [(line.text, line.intent, line.language) for line in lines],
        {"thresholds": metadata.get("thresholds")},
        lambda done: tell(0.05 + share * done, "lines") if done % 25 == 0 else None,
    )
    tell(0.75, "entities")
    entities = _entities(processor, nlu_data)
    stories, problems = await _stories(archive, nlu_data, metadata, action_url, tell)
    return {
        "model": archive.name.removesuffix(SUFFIX),
        "set": digest(lines),
        "left_out": len(left_out),
        "thresholds": metadata.get("thresholds"),
        "sections": sections(lines, parsed),
        "wrong": wrong_lines(lines, parsed),
        "entities": entities,
        "stories": stories,
        "problems": problems,
    }


def sections(lines: list[HeldLine], parsed: list[Parsed]) -> dict[str, Any]:
    """The figures of all lines and of each language; near-topic lines are figures of their own."""
    found = {}
    for name in ("all", *LANGUAGES):
        mine = [(line, one) for line, one in zip(lines, parsed) if name in ("all", line.language)]
        own = [(line, one) for line, one in mine if line.origin != "near"]
        near = [one for line, one in mine if line.origin == "near"]
        inside = [one for _, one in own if one.intent != OUT_OF_SCOPE]
        section = breakdown([line.text for line, _ in own], [one for _, one in own])
        section["near"] = near_topic(inside, near) if near and inside else None
        section["saved"] = sum(line.origin == "saved" for line, _ in own)
        found[name] = section
    return found


def wrong_lines(lines: list[HeldLine], parsed: list[Parsed]) -> list[dict[str, Any]]:
    """The lines that were taken for something else, and strange ones that the gate let through; the surest first."""
    wrong = [
        (line, one)
        for line, one in zip(lines, parsed)
        if (not one.right if line.intent != OUT_OF_SCOPE else one.passed and one.decided != "ask_knowledge")
    ]
    wrong.sort(key=lambda pair: (-pair[1].probability, pair[0].text))
    return [
        {
            "text": line.text,
            "language": line.language,
            "origin": line.origin,
            "intent": line.intent,
            "predicted": one.predicted,
            "confidence": round(one.probability, 4),
            "decided": one.decided,
        }
        for line, one in wrong[:MOST_WRONG]
    ]


def _entities(processor: Any, nlu_data: Path) -> dict[str, Any] | None:
    from bot.components.entities import PatternEntities

    finder = next(
        (one._finder for one in processor.graph_runner.components() if isinstance(one, PatternEntities)), None
    )
    files = sorted((nlu_data / "entities" / "test").glob("*.yml"))
    if finder is None or not files:
        return None
    lines = [line for path in files for line in read_lines(path)]
    result = measure_entities(finder, lines)
    return {
        "lines": len(lines),
        "expected": result.total.expected,
        "total": result.total.figures(),
        "languages": {name: count.figures() for name, count in sorted(result.by_language.items())},
        "types": [
            {"name": name, "expected": count.expected, **count.figures()}
            for name, count in sorted(result.by_type.items())
        ],
        "mistakes": result.mistakes[:MOST_ENTITY_MISTAKES],
    }


async def _stories(
    archive: Path, nlu_data: Path, metadata: Mapping[str, Any], action_url: str | None, tell: Tell
) -> tuple[list[dict[str, Any]] | None, list[str]]:
    from bot import action_calls
    from bot.stories import play, read_stories
    from bot.tracker_store import TurnStore
    from bot.turn import Dialogue

    stories, problems = read_stories(nlu_data)
    if action_url is None or not stories:
        return (None if stories else []), problems
    tell(0.8, "stories")
    action_calls.install()
    endpoint = action_calls.ActionEndpoint(action_url, 10.0)
    dialogue = Dialogue(str(archive), TurnStore(host="sqlite://"), endpoint)
    played = []
    try:
        for number, story in enumerate(stories, 1):
            played.append(await play(dialogue, story, metadata))
            tell(0.8 + 0.2 * number / len(stories), "stories")
    finally:
        await endpoint.close()
    return played, problems


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="the archive; without it the one that is served")
    parser.add_argument("--nlu-data", type=Path, default=settings.nlu_data())
    parser.add_argument("--without-stories", action="store_true")
    arguments = parser.parse_args()
    settings.quieten()
    without_tensorflow.install()
    from bot import quiet_logs
    from bot.serve import find_model

    quiet_logs.configure()
    archive = arguments.model or find_model(settings.model_dir())
    action_url = None if arguments.without_stories else os.environ.get("ACTION_URL")
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)

    def tell(share: float, step: str) -> None:
        print(f"{share:4.0%} {step}", file=sys.stderr, flush=True)

    result = loop.run_until_complete(measured(archive, arguments.nlu_data, {}, tell, action_url))
    for one in result["wrong"]:
        print(f"  {one['language']}  {one['intent']} taken for {one['predicted']}: {one['text']}")
    print(json.dumps(result, ensure_ascii=False))


if __name__ == "__main__":
    main()
