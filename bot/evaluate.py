"""Trains the product's own pipeline on any set of labelled lines and measures it through Rasa's own parse.

    python evaluate.py --data FILE.jsonl [--profile fast|accurate]     lines {"text", "intent", "split"}; "oos" = out of scope
    python evaluate.py --project                                       nlu_data/, with its test lines, per language

The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

if __package__ in (None, ""):
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from bot import settings, without_tensorflow
from bot.measure import OUT_OF_SCOPE, Parsed, figures, near_topic
from bot.nlu_data import OUT_OF_SCOPE as STRANGE
from bot.nlu_data import gate_cost, read, read_near, same

LANGUAGES = ("en", "zh")
Line = tuple[str, str, str]  # text, intent, group


def read_data(path: Path) -> tuple[list[Line], list[Line]]:
    """The train and test lines of a JSON-lines file; stops with a sentence that names the first bad line."""
    train: list[Line] = []
    test: list[Line] = []
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        sys.exit(f"{path} cannot be read: {error}")
    for number, line in enumerate(content.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            text, intent, split = row["text"].strip(), row["intent"], row["split"]
        except (ValueError, KeyError, TypeError, AttributeError):
            sys.exit(f'{path}:{number}: expected {{"text": "…", "intent": "…", "split": "train|val|test"}}.')
        if split == "train" and text:
            # Out-of-scope train lines are no intent of their own; they teach the gate, as nlu_data/gate does.
            train.append((text, STRANGE if intent == OUT_OF_SCOPE else intent, ""))
        elif split == "test":
            test.append((text, intent, ""))
    return train, test


def read_project(folder: Path, languages: Sequence[str] = LANGUAGES) -> tuple[list[Line], list[Line]]:
    """The project's lines; a test line that some training file also has is left out and named."""
    train = [(line.text, line.intent, line.language) for part in (*languages, "gate") for line in read(folder, part)]
    known = {same(text) for text, _, _ in train}
    test = []
    for part in (f"test/{language}" for language in languages):
        for line in read(folder, part):
            if same(line.text) in known:
                print(f"  left out, because it is trained on: {part} “{line.text}”", file=sys.stderr)
            else:
                test.append((line.text, OUT_OF_SCOPE if line.intent == STRANGE else line.intent, line.language))
    return train, test


def train_model(lines: Sequence[Line], config: Path, output: Path, lookups: Path | None) -> Path:
    """A model of the product's pipeline for these lines, by Rasa's NLU training."""
    import yaml
    from rasa.model_training import train_nlu

    by_intent: dict[str, list[str]] = {}
    for text, intent, _ in lines:
        by_intent.setdefault(intent, []).append(" ".join(text.split()))
    blocks: list[dict[str, Any]] = [
        {"intent": intent, "examples": "".join(f"- {_plain(text)}\n" for text in texts)}
        for intent, texts in by_intent.items()
    ]
    if lookups is not None and lookups.exists():
        blocks += yaml.safe_load(lookups.read_text(encoding="utf-8"))["nlu"]
    data = output / "nlu.yml"
    data.write_text(yaml.safe_dump({"version": "3.1", "nlu": blocks}, allow_unicode=True), encoding="utf-8")
    model = train_nlu(str(config), str(data), str(output), fixed_model_name="model")
    if not model:
        sys.exit("Rasa could not train on these lines; the lines above say why.")
    return Path(model)


def _plain(text: str) -> str:
    return text.replace("[", "(").replace("]", ")").replace("{", "(").replace("}", ")")  # Rasa's markup for entities


async def parse_all(model: Path, lines: Sequence[Line]) -> list[Parsed]:
    """Every line through the loaded model, one after the other."""
    return await parse_lines(load_processor(model), lines)


def load_processor(model: Path) -> Any:
    """The model as turns use it, without a conversation."""
    from rasa.core.lock_store import InMemoryLockStore
    from rasa.core.nlg.response import TemplatedNaturalLanguageGenerator
    from rasa.core.tracker_store import InMemoryTrackerStore
    from rasa.shared.core.domain import Domain

    from bot.straight_runner import StraightProcessor

    nowhere = InMemoryTrackerStore(Domain.empty())
    return StraightProcessor(str(model), nowhere, InMemoryLockStore(), TemplatedNaturalLanguageGenerator({}))


async def parse_lines(
    processor: Any,
    lines: Sequence[Line],
    metadata: Mapping[str, Any] | None = None,
    tell: Callable[[int], None] | None = None,
) -> list[Parsed]:
    """Every line through a loaded model; ``metadata`` is what a turn would bring, ``tell`` hears how many are done."""
    from rasa.core.channels.channel import UserMessage

    from bot.text import neutralise

    await processor.parse_message(UserMessage("warm up"))
    parsed = []
    for number, (text, intent, _) in enumerate(lines, 1):
        started = time.perf_counter()
        message = UserMessage(neutralise(text) or "…", metadata=dict(metadata or {}))
        result = await processor.parse_message(message)
        milliseconds = (time.perf_counter() - started) * 1000
        ranking, decided = result["intent_ranking"], result["intent"]["name"]
        best = ranking[0] if ranking else {"name": "", "confidence": 0.0}
        # What a pattern decides (a wish for a person, bare data) is the prediction; what the gate withholds is not.
        predicted = decided if decided not in {"clarify", "out_of_scope"} else best["name"]
        parsed.append(
            Parsed(
                intent, predicted, best["confidence"], result["intent"]["confidence"], result["thresholds"]["answer"],
                decided, milliseconds,
            )
        )  # fmt: skip
        if tell is not None:
            tell(number)
    return parsed


def main() -> None:
    """Train, parse, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--data", type=Path)
    what.add_argument("--project", action="store_true")
    parser.add_argument("--profile", choices=("fast", "accurate"), default="fast")
    arguments = parser.parse_args()
    nlu_data = settings.ROOT / "nlu_data"
    train, test = read_project(nlu_data) if arguments.project else read_data(arguments.data)
    if len({intent for _, intent, _ in train} - {STRANGE}) < 2 or not test:
        sys.exit("The set needs train lines of at least two intents, and test lines.")
    if arguments.project:
        os.environ.setdefault("GATE_COST", str(gate_cost(nlu_data)))
    settings.quieten()
    without_tensorflow.install()
    from bot import quiet_logs

    quiet_logs.configure()
    asyncio.set_event_loop(asyncio.new_event_loop())
    print(f"Training on {len(train)} lines …", flush=True)
    config = settings.config(arguments.profile)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        started = time.monotonic()
        model = train_model(
            train, config, Path(folder), nlu_data / "lookups" / "products.yml" if arguments.project else None
        )
        seconds = round(time.monotonic() - started, 1)
        print(f"Parsing {len(test)} lines …", flush=True)
        near = [
            (line.text, OUT_OF_SCOPE, language)
            for language in (LANGUAGES if arguments.project else ())
            for line in read_near(nlu_data, language)
            if line.split == "test"
        ]
        everything = asyncio.run(parse_all(model, [*test, *near]))
        parsed, strange = everything[: len(test)], everything[len(test) :]
        os.chdir(settings.BOT)
    result: dict[str, Any] = {"profile": arguments.profile, "train": len(train), **figures(parsed), "train_s": seconds}
    if arguments.project:
        for language in LANGUAGES:
            mine = [one for one, line in zip(parsed, test) if line[2] == language]
            result[language] = figures(mine)
            inside = [one for one in mine if one.intent != OUT_OF_SCOPE]
            result[language]["near_topic"] = near_topic(
                inside, [one for one, line in zip(strange, near) if line[2] == language]
            )
        for one, line in zip(parsed, test):
            if not one.right and one.intent != OUT_OF_SCOPE:
                print(f"  {line[2]}  {line[1]} taken for {one.predicted}: {line[0]}")
    print(json.dumps(result, ensure_ascii=False))


if __name__ == "__main__":
    main()
