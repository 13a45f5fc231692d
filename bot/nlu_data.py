"""Reads and checks the training data: the mistakes that would quietly make a worse model are told before training."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from bot import made_intents
from bot.entities.catalogue import BadCatalogue
from bot.entities.catalogue import load as load_catalogue

MINIMUM_EXAMPLES = 12
OUT_OF_SCOPE = "out_of_scope"
NOT_TRAINED = {"clarify", OUT_OF_SCOPE}


@dataclass(frozen=True)
class Example:
    """One line of the data and where it stands."""

    text: str
    intent: str
    language: str
    path: Path


def read(folder: Path, part: str) -> Iterator[Example]:
    """The examples of one language folder, or with ``test/zh`` of one test file; raises ``ValueError`` naming a bad file."""
    place = folder / part
    files = sorted(place.glob("*.yml")) if place.is_dir() else [place.with_suffix(".yml")]
    for path in files:
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
            blocks = content["nlu"]
        except (yaml.YAMLError, KeyError, TypeError, OSError, UnicodeDecodeError) as error:
            raise ValueError(f"{path.name}: not in Rasa's NLU format ({error})") from error
        for block in blocks:
            if not isinstance(block, dict) or "intent" not in block:
                continue
            for line in str(block.get("examples") or "").splitlines():
                text = re.sub(r"^\s*-\s?", "", line).strip()
                if text:
                    yield Example(text, str(block["intent"]), Path(part).name, path)


def count_examples(folder: Path) -> dict[str, dict[str, int]]:
    """How many examples each intent has, by language; raises ``ValueError`` naming a bad file."""
    return {
        language: dict(Counter(example.intent for example in read(folder, language)))
        for language in ("en", "zh")
        if (folder / language).is_dir()
    }


def product_names(folder: Path) -> dict[str, str]:
    """Every written form of a product in ``lookups/products.yml``, with the name it goes by."""
    content = yaml.safe_load((folder / "lookups" / "products.yml").read_text(encoding="utf-8"))
    return {
        re.sub(r"^\s*-\s?", "", line).strip(): block["synonym"]
        for block in content["nlu"]
        if "synonym" in block
        for line in str(block.get("examples") or "").splitlines()
        if line.strip()
    }


def words_in(texts: Iterable[str]) -> frozenset[str]:
    """The words of Latin letters that stand in at least two of the texts: not misspelt ones, as a rule."""
    count: dict[str, int] = defaultdict(int)
    for text in texts:
        for word in set(re.findall(r"[a-z]{4,}", text.lower())):
            count[word] += 1
    return frozenset(word for word, number in count.items() if number >= 2)


def frequent_words(folder: Path) -> frozenset[str]:
    """``words_in`` the training examples of a folder."""
    parts = [part for part in ("en", "zh") if (folder / part).is_dir()]
    return words_in(example.text for part in parts for example in read(folder, part))


@dataclass(frozen=True)
class NearLine:
    """A message that no intent and no article serves, and the intent it could be taken for; never trained on."""

    text: str
    near: str
    split: str


def read_near(folder: Path, language: str) -> Iterator[NearLine]:
    """The near-topic lines of a language, none if there is no such file; raises ``ValueError`` naming a bad entry."""
    path = folder / "near" / f"{language}.yml"
    if not path.exists():
        return
    for number, entry in enumerate(yaml.safe_load(path.read_text(encoding="utf-8")) or [], start=1):
        try:
            yield NearLine(str(entry["text"]), str(entry["near"]), str(entry["split"]))
        except (KeyError, TypeError) as error:
            raise ValueError(f"near/{path.name}: entry {number} needs text, near and split ({error})") from None


def gate_cost(folder: Path) -> float:
    """How much of the in-scope accuracy the gate may cost, from ``policy.yml``; raises ``ValueError`` for a bad value."""
    path = folder / "policy.yml"
    if not path.exists():
        return 0.01
    cost = (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("gate_cost")
    if not isinstance(cost, float) or not 0 < cost < 0.2:
        raise ValueError(f"{path.name}: gate_cost is {cost!r}; write a share between 0 and 0.2, such as 0.05")
    return cost


def same(text: str) -> str:
    """What two lines share when they differ in nothing but case, spaces and punctuation."""
    folded = unicodedata.normalize("NFKC", text).lower()
    key = "".join(character for character in folded if character.isalnum())
    return key or folded


def check(folder: Path, domain: Path) -> tuple[list[str], list[str]]:
    """Errors that forbid training, and warnings; each is a sentence that names the place.

    A line that the two languages' files share (people mix languages) is only a warning: the evaluation leaves it out.
    """
    intents = {
        name if isinstance(name, str) else next(iter(name))
        for name in yaml.safe_load(domain.read_text(encoding="utf-8"))["intents"]
    }
    problems: list[str] = []
    warnings: list[str] = []
    seen: dict[str, Example] = {}
    own = intents
    try:
        made = made_intents.read(folder)
        problems += made_intents.names_taken(made, intents)
        intents = intents | {one.name for one in made}
        languages = [part for part in ("en", "zh") if (folder / part).is_dir()]
        if not languages:
            return [f"{folder} holds no examples: expected the folders en/ and zh/."], []
        for language in languages:
            count: dict[str, int] = defaultdict(int)
            for example in read(folder, language):
                where = f"{language}/{example.path.name}: “{example.text}”"
                count[example.intent] += 1
                if example.intent not in intents:
                    problems.append(
                        f"{where} has the unknown intent {example.intent}; intents are listed in bot/domain.yml and in "
                        f"{made_intents.FILE}."
                    )
                elif example.intent in NOT_TRAINED:
                    problems.append(f"{where}: {example.intent} is decided by the gate and has no examples.")
                other = seen.setdefault(same(example.text), example)
                if other.intent != example.intent:
                    (problems if other.language == language else warnings).append(
                        f"{where} is also an example of {other.intent} ({other.language}/{other.path.name})."
                    )
            for intent in sorted(own - NOT_TRAINED):
                if count[intent] < MINIMUM_EXAMPLES:
                    problems.append(
                        f"{language}: {intent} has {count[intent]} examples, at least {MINIMUM_EXAMPLES} are needed."
                    )
        counts = count_examples(folder)
        trained = made_intents.trained(made, counts)
        for one in made:
            if one not in trained:
                warnings.append(
                    f"{one.name} is left out: it has fewer than {made_intents.FEWEST} examples in either language."
                )
        if (folder / "gate").is_dir():
            for example in read(folder, "gate"):
                where = f"gate/{example.path.name}: “{example.text}”"
                if example.intent != OUT_OF_SCOPE:
                    problems.append(f"{where} must be an example of {OUT_OF_SCOPE}.")
                other = seen.setdefault(same(example.text), example)
                if other.intent != OUT_OF_SCOPE:
                    problems.append(
                        f"{where} is also an example of {other.intent} ({other.language}/{other.path.name})."
                    )
        gate_cost(folder)
        for language in languages:
            if (folder / "test" / f"{language}.yml").exists():
                for example in read(folder, f"test/{language}"):
                    taught = seen.get(same(example.text))
                    if taught is not None:
                        where = f"test/{example.path.name}: “{example.text}” is a training example too"
                        (problems if taught.language == language else warnings).append(
                            f"{where} ({taught.language}/{taught.path.name})."
                        )
            for line in read_near(folder, language):
                if same(line.text) in seen:
                    problems.append(f"near/{language}.yml: “{line.text}” is a training example too.")
    except ValueError as error:
        problems.append(str(error))
    problems += check_entities(folder)
    return problems, warnings


def check_entities(folder: Path) -> list[str]:
    """What must be corrected in the entity catalogue of a folder, if it has one; one sentence each."""
    if not (folder / "entities").is_dir():
        return []
    try:
        load_catalogue(folder / "entities")
    except BadCatalogue as error:
        return [f"entities/{line}" for line in str(error).splitlines()]
    return []
