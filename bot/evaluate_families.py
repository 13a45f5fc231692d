"""Measures how people really write: every line of nlu_data/families/ through the trained model, per family and language.

    python evaluate_families.py [--show dev|held]      --show prints the lines of that half that are not understood

A line is right when everything it expects holds. A question counts as understood when it goes to the knowledge base, whatever
the confidence. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

if __package__ in (None, ""):
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from bot import settings, without_tensorflow

FAMILIES = (
    "multi_question", "correction", "negation", "pronoun", "mixed", "traditional", "full_width", "emoji", "typos", "pinyin",
)  # fmt: skip
HALVES = ("dev", "held")
_QUESTIONS = {"ask_knowledge", "out_of_scope"}


@dataclass(frozen=True)
class Line:
    """One message with what is expected of it; ``context`` is what the conversation knew before."""

    family: str
    language: str
    half: str
    text: str
    expected: Mapping[str, Any]


def read_families(folder: Path) -> list[Line]:
    """The lines of all families; raises ``ValueError`` naming a file that is not as it should be."""
    lines = []
    for path in sorted(folder.glob("*.yml")):
        family, _, language = path.stem.partition(".")
        held = yaml.safe_load(path.read_text(encoding="utf-8"))
        if family not in FAMILIES or language not in ("en", "zh") or set(held) != set(HALVES):
            raise ValueError(f"{path.name}: expected <family>.<en|zh>.yml with the halves dev and held.")
        for half in HALVES:
            for row in held[half]:
                lines.append(Line(family, language, half, row["text"], row))
    return lines


def misses(line: Line, parts: list[Any], memory: Any) -> list[str]:
    """What a line expects and did not get; empty when it is understood."""
    wrong = []
    expected = line.expected
    first = parts[0]
    entities = {one["entity"]: one["value"] for one in first.parse["entities"]}
    if "parts" in expected:
        wrong += _wrong_parts(expected["parts"], parts)
    if "intent" in expected:
        allowed = expected["intent"] if isinstance(expected["intent"], list) else [expected["intent"]]
        if len(parts) > 1 or not _is_one_of(first.intent, allowed):
            wrong.append(f"{[part.intent for part in parts]} instead of {allowed}")
    wrong += [f"starts {part.intent}" for part in parts for name in expected.get("not", ()) if part.intent == name]
    for name, value in expected.get("entities", {}).items():
        if entities.get(name) != value:
            wrong.append(f"{name} is {entities.get(name)}")
    if "expect" in expected:
        wrong += _wrong_in_context(expected["expect"], first, entities, memory)
    return wrong


def _is_one_of(intent: str, allowed: list[str]) -> bool:
    return intent in allowed or (intent in _QUESTIONS and not _QUESTIONS.isdisjoint(allowed))


def _wrong_parts(expected: list[list[str]], parts: list[Any]) -> list[str]:
    if len(expected) != len(parts):
        return [f"{len(parts)} parts: {[(part.intent, part.parse['text']) for part in parts]}"]
    return [
        f"{part.intent} “{part.parse['text']}” instead of {intent} with {word}"
        for (intent, word), part in zip(expected, parts)
        if not _is_one_of(part.intent, [intent]) or word not in part.parse["text"]
    ]


def _wrong_in_context(expected: Mapping[str, str], part: Any, entities: Mapping[str, str], memory: Any) -> list[str]:
    task = part.intent if part.intent not in {"inform", "deny"} else memory.task
    order = entities.get("order_number") or memory.order or "ask"
    if part.ask == "order_number" or part.slots.get("order_number", "") is None:
        order = "ask"
    got = {
        "task": task,
        "order": order,
        "ticket": entities.get("ticket_number"),
        "slot": part.ask or part.slots.get("requested_slot"),
        "ask": "which" if part.say == "utter_which_one" else None,
    }
    wrong = [f"{name} is {got[name]}" for name, value in expected.items() if name in got and got[name] != value]
    about = expected.get("about")
    question = entities.get("question") or part.parse["text"]
    if about and (part.intent not in _QUESTIONS or about.lower() not in question.lower()):
        wrong.append(f"{part.intent} about “{question}”")
    return wrong


def memory_before(line: Line) -> Any:
    """What the conversation remembers when the line is said."""
    from bot.references import Memory

    context = line.expected.get("context", {})
    topic = context.get("topic") or ("article" if "article" in context else "order" if "order" in context else None)
    names = ("task", "slot", "order", "before", "article")
    return Memory(**{name: context.get(name) for name in names}, topic=topic)


async def measure(model: Path, lines: list[Line], show: str | None) -> dict[str, Any]:
    """The share of lines understood, per family, language and half."""
    from rasa.core.agent import Agent
    from rasa.core.channels.channel import UserMessage

    from bot.understanding import Understanding

    agent = Agent.load(str(model))
    understanding = Understanding({form.removesuffix("_form"): form for form in agent.domain.forms})
    right: dict[tuple[str, str, str], list[bool]] = {}
    for line in lines:
        memory = memory_before(line)
        metadata = {"language_hint": line.language, "requested_slot": memory.slot}

        async def parse(text: str, metadata: dict[str, Any] = metadata) -> dict[str, Any]:
            return dict(await agent.processor.parse_message(UserMessage(text, metadata=metadata)))

        understood = await understanding.understood(line.text, memory, parse)
        wrong = misses(line, understood.parts, memory)
        right.setdefault((line.family, line.language, line.half), []).append(not wrong)
        if wrong and show == line.half:
            print(f"  {line.family}.{line.language} “{line.text}” read as “{understood.reading}”: {'; '.join(wrong)}")
    return {
        family: {
            language: {half: _share(right.get((family, language, half), [])) for half in HALVES}
            for language in ("zh", "en")
        }
        for family in FAMILIES
    } | {
        "overall": {
            half: _share([one for (_, _, where), hits in right.items() if where == half for one in hits])
            for half in HALVES
        }
    }


def _share(hits: list[bool]) -> float | None:
    return round(sum(hits) / len(hits), 4) if hits else None


def main() -> None:
    """Parse, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--show", choices=HALVES)
    arguments = parser.parse_args()
    settings.quieten()
    without_tensorflow.install()
    from bot import quiet_logs
    from bot.serve import find_model

    quiet_logs.configure()
    model = find_model(settings.model_dir())
    lines = read_families(settings.ROOT / "nlu_data" / "families")
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    result = loop.run_until_complete(measure(model, lines, arguments.show))
    print(f"{'family':<16}{'zh dev':>9}{'zh held':>9}{'en dev':>9}{'en held':>9}")
    for family in FAMILIES:
        shares = [result[family][language][half] for language in ("zh", "en") for half in HALVES]
        print(f"{family:<16}" + "".join(f"{share:>9.3f}" for share in shares))
    print(json.dumps(result, ensure_ascii=False))


if __name__ == "__main__":
    main()
