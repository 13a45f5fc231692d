"""Entities inside an example, in Rasa's form: ``where is my [Aria]{"entity": "product", "value": "Aria 5"}``."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from learning.changes import ExampleRefused

#: What Rasa takes for an annotation: words in brackets with a name, an object or a list of objects right behind them.
_MARKED = re.compile(r"\[(?P<words>[^\]]+?)\](?:\((?P<name>[^)]*)\)|\{(?P<one>[^}]*)\}|\[(?P<more>.*?)\])")
#: The only type whose value may differ from its words: Rasa keeps such a value as a synonym, and the bot takes every
#: synonym of the training data for a name of a product.
NAMED = "product"


@dataclass(frozen=True, slots=True)
class Annotation:
    """Words of an example that are an entity; places count in the text without annotations."""

    start: int
    end: int
    entity: str
    value: str


def plain(text: str) -> str:
    """The example as a customer would write it."""
    return _MARKED.sub(lambda match: match["words"], text)


def key_of(text: str) -> str:
    """What two examples share when they differ in nothing but case, spaces, punctuation and annotations; as training has it."""
    folded = unicodedata.normalize("NFKC", plain(text)).lower()
    key = "".join(character for character in folded if character.isalnum())
    return key or folded


def annotations_of(text: str) -> list[Annotation]:
    """The entities of an example, as far as they can be read."""
    found: list[Annotation] = []
    taken = 0
    for match in _MARKED.finditer(text):
        words = match["words"]
        start = match.start() - taken
        taken += len(match[0]) - len(words)
        if match["name"]:
            name, _, value = match["name"].partition(":")
            found.append(Annotation(start, start + len(words), name, value or words))
            continue
        for form in _objects(match):
            if isinstance(form, dict) and isinstance(form.get("entity"), str):
                found.append(Annotation(start, start + len(words), form["entity"], str(form.get("value", words))))
    return found


def annotated(text: str, start: int, end: int, entity: str, value: str = "") -> str:
    """A plain text with one entity marked in it."""
    words = text[start:end]
    form = {"entity": entity} | ({"value": value} if value and value != words else {})
    return f"{text[:start]}[{words}]{json.dumps(form, ensure_ascii=False)}{text[end:]}"


def check_annotations(text: str, types: Mapping[str, Any], names: frozenset[str]) -> None:
    """Raises ``ExampleRefused`` where training would read something else than the writer means.

    ``types`` are the entity types of the catalogue, ``names`` the products as the shop calls them.
    """
    for match in _MARKED.finditer(text):
        words = match["words"]
        try:
            forms = _objects(match)
        except ValueError:
            raise _bad(
                f'What stands behind “[{words}]” is not JSON; write it like {{"entity": "product"}}.', words
            ) from None
        if match["name"] is not None or match["more"] is not None or len(forms) != 1:
            raise _bad(
                f"Training would read “{match[0]}” as an entity. Mark an entity like "
                f'[{words}]{{"entity": "product"}}, or leave the brackets out.',
                words,
            )
        form = forms[0]
        if not isinstance(form, dict) or not set(form) <= {"entity", "value"}:
            raise _bad(f"An entity has a type (entity) and perhaps a value, nothing else: “{match[0]}”.", words)
        entity, value = form.get("entity"), form.get("value", words)
        if not isinstance(entity, str) or entity not in types:
            raise _bad(f"There is no entity type {entity!r} in nlu_data/entities.", words)
        if not isinstance(value, str) or not value.strip():
            raise _bad(f"The value of “{words}” must be a text.", words)
        if value != words and (entity != NAMED or value not in names):
            raise _bad(
                f"Only a product can have a value that differs from its words, and it must be a name in "
                f"nlu_data/lookups/products.yml: training takes every such value for the name of a product. "
                f"“{words}” is marked as {entity} with the value “{value}”.",
                words,
            )


def _objects(match: re.Match[str]) -> list[Any]:
    if match["one"] is not None:
        return [_object(match["one"])]
    return [_object(inner) for inner in re.findall(r"\{([^}]*)\}", match["more"] or "")]


def _object(inside: str) -> Any:
    try:
        return json.loads(f"{{{inside}}}")
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _bad(message: str, words: str) -> ExampleRefused:
    return ExampleRefused("bad_annotation", message, {"words": words})
