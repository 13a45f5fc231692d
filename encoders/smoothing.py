"""Measures the smoothing factors of the models on the project's own texts and keeps them beside the code.

``python -m encoders.smoothing`` measures and writes them again (needed only when a model changes).
"""

from __future__ import annotations

import random
import re
from pathlib import Path

import numpy as np

from encoders.graph import Floats
from encoders.sentences import SentenceModel

FILE = Path(__file__).with_name("smoothing.npz")
_SAMPLES = 240


def stored_smoothing(model: str) -> dict[str, Floats]:
    """The factors measured for a model, by the names of the inputs they belong to."""
    with np.load(FILE, allow_pickle=False) as stored:
        return {
            name.removeprefix(f"{model}/"): stored[name].astype(np.float32)
            for name in stored.files
            if name.startswith(f"{model}/")
        }


def measured(model: SentenceModel, texts: list[str]) -> dict[str, Floats]:
    """The factors that these texts ask for; the model must have been made to be observed."""
    seen: dict[str, Floats] = {}
    for text in texts:
        for name, largest in model.largest(text).items():
            seen[name] = np.maximum(seen[name], largest) if name in seen else largest
    return model.smoothing(seen)


def _samples(root: Path, languages: tuple[str, ...]) -> list[str]:
    """Messages as customers write them, and passages as articles hold them."""
    chosen = random.Random(3)  # noqa: S311  (a sample, no secret)
    texts: list[str] = []
    for language in languages:
        lines = [
            match.group(1)
            for file in sorted((root / "nlu_data" / language).glob("*.yml"))
            for match in re.finditer(r"^ +- (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
        ]
        texts += chosen.sample(lines, _SAMPLES)
        articles = sorted((root / "knowledge_base" / "articles" / language).rglob("*.md"))
        texts += [file.read_text(encoding="utf-8")[-600:] for file in chosen.sample(articles, min(40, len(articles)))]
    return texts


def main() -> None:
    """Measure the models and write the file."""
    from encoders.e5 import E5
    from encoders.minilm import MiniLM
    from encoders.use import USE

    root = Path(__file__).parent.parent
    both = _samples(root, ("en", "zh"))
    factors = {
        "e5": measured(E5(observed=True), [f"{prefix}: {text}" for text in both for prefix in ("query", "passage")]),
        "use": measured(USE(observed=True), both),
        "minilm": measured(MiniLM(observed=True), _samples(root, ("en",))),
    }
    np.savez_compressed(
        FILE,
        **{
            f"{model}/{name}": values.astype(np.float16) for model, of in factors.items() for name, values in of.items()
        },  # type: ignore[arg-type]
    )
    print(f"{FILE.name}: {sum(map(len, factors.values()))} inputs, {FILE.stat().st_size} bytes")


if __name__ == "__main__":
    main()
