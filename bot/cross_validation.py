"""Cross-validates the examples: what the pipeline takes each for when its intent head has not seen it.

    python cross_validation.py [--folds 3] [--model ARCHIVE] [--nlu-data DIR]

A whole training for each fold would read every example again, to the same vectors. So the pipeline of a trained version
reads them once, and for each fold a scaler and an intent head are trained as training does, without that fold. What stays
out of a fold are only labels and the weights of n-grams: the encoders know no labels, and what the version's reading
(spelling, product names, entities) learned from all examples tells no intent. The gate is not trained again, so the
probabilities are those before the gate.
The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if __package__ in (None, ""):
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import numpy as np
from numpy.typing import NDArray

from bot import model_seal, settings, without_tensorflow
from bot.breakdown import breakdown
from bot.jobs import JobRefused, Report
from bot.measure import Parsed
from bot.nlu_data import OUT_OF_SCOPE, read, same
from bot.testing import LANGUAGES, SUFFIX, Tell, archive_of

FOLDS = (2, 3, 4, 5)
MOST_WRONG = 4_000
_AT_ONCE = 256  #: examples that the encoders read together


@dataclass(frozen=True)
class Labelled:
    """An example as a customer would write it."""

    text: str
    intent: str
    language: str


def run(options: dict[str, Any], report: Report) -> dict[str, Any]:
    """The job ``cross_validate``: of the examples as they are now, read by the version ``model``. Raises ``JobRefused``."""
    folds = options.get("folds", 3)
    if folds not in FOLDS or isinstance(folds, bool):
        raise JobRefused("bad_options", "folds must be a number from 2 to 5.")
    archive = archive_of(options)
    asyncio.set_event_loop(asyncio.new_event_loop())
    without_tensorflow.install()
    try:
        return cross_validated(archive, settings.nlu_data(), folds, lambda share, step: report(share, step, ""))
    except model_seal.ModelRefused as refused:
        raise JobRefused("not_sealed", str(refused)) from None
    except ValueError as error:
        raise JobRefused("bad_data", str(error)) from None


def cross_validated(archive: Path, nlu_data: Path, folds: int, tell: Tell) -> dict[str, Any]:
    """What was taken for what, per language; raises ``ModelRefused``, or ``ValueError`` for data that cannot be split."""
    model_seal.check(archive, settings.model_keys(archive.parent))
    tell(0.0, "loading")
    examples = labelled(nlu_data)
    names = sorted({one.intent for one in examples})
    labels = np.array([names.index(one.intent) for one in examples])
    fold_of = stratified(
        [f"{one.intent}/{one.language}" for one in examples], [same(one.text) for one in examples], folds
    )
    started = time.monotonic()
    dense, ngrams, recipe = read_once(archive, examples, lambda share: tell(0.02 + 0.48 * share, "reading"))
    read_seconds = time.monotonic() - started
    predicted, sure = _heads(
        dense, ngrams, labels, fold_of, len(names), recipe, lambda share: tell(0.5 + 0.5 * share, "heads")
    )
    parsed = [
        Parsed(one.intent, names[best], float(probability), float(probability), 0.0, names[best], 0.0)
        for one, best, probability in zip(examples, predicted, sure)
    ]
    found = {}
    for language in ("all", *LANGUAGES):
        chosen = [(one.text, seen) for one, seen in zip(examples, parsed) if language in ("all", one.language)]
        section = breakdown([text for text, _ in chosen], [seen for _, seen in chosen])
        found[language] = {**section, "figures": _of_heads(section["figures"]), "decided": None, "near": None}
    wrong = [(one, seen) for one, seen in zip(examples, parsed) if not seen.right]
    wrong.sort(key=lambda pair: (-pair[1].probability, pair[0].text))
    return {
        "model": archive.name.removesuffix(SUFFIX),
        "folds": folds,
        "examples": len(examples),
        "seconds": {"reading": round(read_seconds), "all": round(time.monotonic() - started)},
        "sections": found,
        "wrong": [
            {
                "text": one.text,
                "language": one.language,
                "intent": one.intent,
                "predicted": seen.predicted,
                "confidence": round(seen.probability, 4),
            }
            for one, seen in wrong[:MOST_WRONG]
        ],
        "wrong_in_all": len(wrong),
    }


def _of_heads(figures: dict[str, Any]) -> dict[str, Any]:
    return {name: figures[name] for name in ("test", "accuracy", "macro_f1", "ece") if name in figures}


def labelled(nlu_data: Path) -> list[Labelled]:
    """The examples of intents in both languages, without annotations; the same words of one intent count once."""
    from rasa.shared.nlu.training_data import entities_parser

    found: dict[tuple[str, str, str], Labelled] = {}
    for language in LANGUAGES:
        for example in read(nlu_data, language) if (nlu_data / language).is_dir() else ():
            if example.intent != OUT_OF_SCOPE:
                text = entities_parser.replace_entities(example.text)
                found.setdefault((language, example.intent, text), Labelled(text, example.intent, language))
    count = Counter(one.intent for one in found.values())
    kept = [one for one in found.values() if count[one.intent] >= 2]
    if len({one.intent for one in kept}) < 2:
        raise ValueError("Cross-validation needs at least two intents with two examples each.")
    return kept


def stratified(strata: Sequence[str], keys: Sequence[str], folds: int) -> NDArray[np.int64]:
    """A fold for each example, the same share of each stratum in all; equal ``keys`` share a fold, or one would teach the other.

    Always the same for the same examples in the same order.
    """
    random = np.random.RandomState(11)
    fold_of = np.full(len(strata), -1, dtype=np.int64)
    of_key: dict[str, int] = {}
    for stratum in sorted(set(strata)):
        members = random.permutation([place for place, one in enumerate(strata) if one == stratum])
        next_fold = random.randint(folds)
        for place in members:
            fold = of_key.get(keys[place])
            if fold is None:
                fold = of_key[keys[place]] = int(next_fold % folds)
                next_fold += 1
            fold_of[place] = fold
    return fold_of


def read_once(archive: Path, examples: Sequence[Labelled], tell: Callable[[float], None]) -> tuple[Any, Any, Any]:
    """The sentence vectors and n-grams that the version's own components make of the examples, and its recipe."""
    import scipy.sparse as sp
    from rasa.shared.nlu.constants import TEXT
    from rasa.shared.nlu.training_data.message import Message

    from bot.components.features import DENSE, NGRAMS, SECOND_DENSE
    from bot.components.intent_head import LinearIntentClassifier
    from bot.components.linear import Recipe
    from bot.evaluate import load_processor

    components = load_processor(archive).graph_runner.components()
    place = next(number for number, one in enumerate(components) if isinstance(one, LinearIntentClassifier))
    readers = [one for one in components[:place] if type(one).__module__.startswith("bot.components.")]
    recipe = Recipe(**{name: components[place]._config[name] for name in vars(Recipe())})
    dense, ngrams = [], []
    for first in range(0, len(examples), _AT_ONCE):
        messages = [Message(data={TEXT: one.text}) for one in examples[first : first + _AT_ONCE]]
        for reader in readers:
            messages = reader.process(messages)
        dense += [one.get_dense_features(TEXT, [DENSE, SECOND_DENSE])[1].features for one in messages]
        ngrams += [one.get_sparse_features(TEXT, [NGRAMS])[1].features for one in messages]
        tell(min(1.0, (first + _AT_ONCE) / len(examples)))
    return np.concatenate(dense), sp.csr_matrix(sp.vstack(ngrams)), recipe


def _heads(
    dense: Any,
    ngrams: Any,
    labels: NDArray[np.int64],
    fold_of: NDArray[np.int64],
    classes: int,
    recipe: Any,
    tell: Callable[[float], None],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    from bot.components.linear import LinearHead, Scaler, fitted_temperature, softmax

    predicted, sure = np.zeros(len(labels), dtype=np.int64), np.zeros(len(labels))
    folds = sorted(set(fold_of.tolist()))
    for number, fold in enumerate(folds):
        train, held = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
        scaler = Scaler.fitted(dense[train], ngrams[train], classes, recipe)
        head = LinearHead.trained(scaler.scale(dense[train], ngrams[train]), labels[train], classes, recipe)
        logits = head.logits(scaler.scale(dense[held], ngrams[held]))
        chances = softmax(logits, fitted_temperature(logits, labels[held]))
        predicted[held], sure[held] = chances.argmax(1), chances.max(1)
        tell((number + 1) / len(folds))
    return predicted, sure


def main() -> None:
    """Cross-validate, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folds", type=int, choices=FOLDS, default=3)
    parser.add_argument("--model", type=Path, help="the archive that reads; without it the one that is served")
    parser.add_argument("--nlu-data", type=Path, default=settings.nlu_data())
    arguments = parser.parse_args()
    settings.quieten()
    without_tensorflow.install()
    from bot import quiet_logs
    from bot.serve import find_model

    quiet_logs.configure()
    asyncio.set_event_loop(asyncio.new_event_loop())

    def tell(share: float, step: str) -> None:
        print(f"{share:4.0%} {step}", file=sys.stderr, flush=True)

    result = cross_validated(
        arguments.model or find_model(settings.model_dir()), arguments.nlu_data, arguments.folds, tell
    )
    for one in result["wrong"]:
        print(f"  {one['language']}  {one['intent']} taken for {one['predicted']}: {one['text']}")
    print(json.dumps(result, ensure_ascii=False))


if __name__ == "__main__":
    main()
