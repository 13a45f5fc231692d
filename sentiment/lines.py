"""Reads the labelled lines and finds what would spoil a figure: a line twice, or a test line among the training lines."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

LABELS = ("negative", "neutral", "positive")
LANGUAGES = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Line:
    """One message, how it feels, and where it stands; lines of one ``topic`` were written together."""

    text: str
    label: str
    language: str
    angry: bool = False
    topic: str = ""


def read(folder: Path) -> list[Line]:
    """The training lines, ``zh/*.yml`` and ``en/*.yml``; raises ``ValueError`` naming a bad file."""
    return [
        line
        for language in LANGUAGES
        for path in sorted((folder / language).glob("*.yml"))
        for line in _lines(path, language)
    ]


def read_test(folder: Path) -> list[Line]:
    """The held-out lines, ``zh.yml`` and ``en.yml``; raises ``ValueError`` naming a bad file."""
    return [line for language in LANGUAGES for line in _lines(folder / f"{language}.yml", language)]


def _lines(path: Path, language: str) -> Iterator[Line]:
    try:
        blocks = yaml.safe_load(path.read_text(encoding="utf-8"))["sentiment"]
        for block in blocks:
            if block["label"] not in LABELS:
                raise ValueError(f"{block['label']!r} is not one of {', '.join(LABELS)}")
            for text in block["examples"].splitlines():
                said = text.strip().removeprefix("-").strip()
                if said:
                    yield Line(said, block["label"], language, bool(block.get("angry")), path.stem)
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, OSError, ValueError) as error:
        raise ValueError(f"{path.parent.name}/{path.name}: expected blocks of label and examples ({error})") from error


def same(text: str) -> str:
    """What two lines share when they differ in nothing but case, spaces and punctuation."""
    folded = unicodedata.normalize("NFKC", text).lower()
    return "".join(letter for letter in folded if letter.isalnum()) or folded


def _trigrams(text: str) -> set[str]:
    plain = same(text)
    return {plain[start : start + 3] for start in range(len(plain) - 2)}


def problems(training: Iterable[Line], test: Iterable[Line], too_alike: float = 0.55) -> list[str]:
    """Sentences that name lines with two labels, lines twice, and test lines too much like a training line."""
    found: list[str] = []
    seen: dict[tuple[str, str], Line] = {}
    for line in training:
        key = (same(line.text), line.language)
        other = seen.setdefault(key, line)
        if other is not line:
            kind = "is there twice" if other.label == line.label else f"is {other.label} and {line.label}"
            found.append(f"{line.language}/{line.topic}.yml: “{line.text}” {kind} (also in {other.topic}.yml).")
    learnt = [(line, plain, _trigrams(line.text)) for (plain, _), line in seen.items()]
    for line in test:
        grams, said = _trigrams(line.text), same(line.text)
        for other, plain, theirs in learnt:
            if plain == said or (len(grams) > 3 and len(grams & theirs) >= too_alike * len(grams | theirs)):
                found.append(
                    f"{other.language}/{other.topic}.yml: “{other.text}” is too much like the held-out “{line.text}”."
                )
    return found
