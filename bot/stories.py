"""Saved chats with what is expected of each answer (``nlu_data/test/stories``), and whether a model still does so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bot.turn import BadTurn, Dialogue, Said, Turn

FOLDER = "test/stories"
#: What may be expected of an answer.
EXPECTED = ("intent", "route", "language", "entities", "actions", "article", "handoff", "would")


@dataclass(frozen=True)
class Step:
    """One message and what is expected of the answer; what is not named is not looked at."""

    said: Said
    expect: Mapping[str, Any]


@dataclass(frozen=True)
class Story:
    """A chat from its first message on."""

    name: str
    title: str
    language: str
    steps: tuple[Step, ...]


def read_stories(folder: Path) -> tuple[list[Story], list[str]]:
    """The stories of ``nlu_data/``, and a sentence for each file that is not as it should be."""
    stories, problems = [], []
    for path in sorted((folder / FOLDER).glob("*.yml")):
        try:
            stories.append(_story(path.stem, yaml.safe_load(path.read_text(encoding="utf-8"))))
        except (
            yaml.YAMLError,
            OSError,
            UnicodeDecodeError,
            KeyError,
            TypeError,
            AttributeError,
            ValueError,
            BadTurn,
        ) as error:
            problems.append(f"stories/{path.name}: not a story ({' '.join(str(error).split())[:200]})")
    return stories, problems


def _story(name: str, content: Any) -> Story:
    if content["language"] not in ("en", "zh"):
        raise ValueError("language must be en or zh")
    steps = []
    for number, one in enumerate(content["messages"], 1):
        expect = dict(one.get("expect") or {})
        unknown = [key for key in expect if key not in EXPECTED]
        if unknown:
            raise ValueError(f"message {number} expects the unknown {unknown[0]}")
        said = Said.from_json({"text": one["says"], "payload": one.get("presses")}, f"message {number}: ")
        steps.append(Step(said, expect))
    if not steps:
        raise ValueError("it has no messages")
    return Story(name, str(content["story"]), content["language"], tuple(steps))


async def play(dialogue: Dialogue, story: Story, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Has the model answer the story, writing nothing, and says where it does not do what is expected."""
    turn = Turn(
        f"story-{story.name}"[:60], f"story-{story.name}"[:60], "…", None,
        {**metadata, "language_hint": story.language, "dry_run": True}, dry_run=True, earlier=(),
    )  # fmt: skip
    answers = await dialogue.rehearse(turn, [step.said for step in story.steps])
    steps = []
    for step, answer in zip(story.steps, answers):
        seen = seen_of(answer)
        steps.append(
            {"says": step.said.text or str(step.said.payload), "seen": seen, "wrong": wrong_in(step.expect, seen)}
        )
    return {
        "name": story.name,
        "title": story.title,
        "language": story.language,
        "passed": not any(step["wrong"] for step in steps),
        "steps": steps,
    }


def seen_of(answer: Mapping[str, Any] | None) -> dict[str, Any]:
    """What of an answer can be expected, in the form in which it is."""
    if answer is None:
        return {"failed": True}
    trace, replies = answer["trace"], answer["replies"]
    articles = [str(one.get("article_id")) for reply in replies for one in reply.get("citations") or []]
    return {
        "intent": trace["intent"],
        "confidence": trace["confidence"],
        "route": trace["route"],
        "language": trace["language"],
        "entities": {one["entity"]: one["value"] for one in trace["entities"]},
        "actions": list(trace["actions"]),
        "article": articles[0] if articles else None,
        "handoff": next((reply["handoff"] for reply in replies if reply.get("handoff")), None),
        "would": list(trace.get("would") or []),
        "said": " ".join(reply["text"] for reply in replies)[:400],
    }


def wrong_in(expect: Mapping[str, Any], seen: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What is expected and was not so; of entities and actions, more than is expected is no mistake."""
    if seen.get("failed"):
        return [{"what": "answer", "expected": "an answer", "got": None}]
    wrong = []
    for what, wanted in expect.items():
        got = seen[what]
        if what == "entities":
            missing = {name: value for name, value in (wanted or {}).items() if str(got.get(name)) != str(value)}
            if missing:
                wrong.append({"what": what, "expected": missing, "got": {name: got.get(name) for name in missing}})
        elif what == "actions":
            if not _in_order(wanted or [], got):
                wrong.append({"what": what, "expected": wanted, "got": got})
        elif (list(wanted or []) if what == "would" else wanted) != got:
            wrong.append({"what": what, "expected": wanted, "got": got})
    return wrong


def _in_order(wanted: Sequence[str], got: Sequence[str]) -> bool:
    rest = iter(got)
    return all(name in rest for name in wanted)
