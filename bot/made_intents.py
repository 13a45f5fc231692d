"""Intents that trainers have made: read from ``nlu_data/intents.yml``, and turned into what Rasa trains on.

Each entry says what the bot does: ``knowledge`` answers from the knowledge base, ``reply`` says a fixed text, ``handoff``
asks for a person. What the product itself brings stays in ``domain.yml`` and ``rules.yml``.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bot import settings

FILE = "intents.yml"
LANGUAGES = ("en", "zh")
FEWEST = 5  #: examples in one language at least; with fewer an intent is left out of the training
MOST_TEXT = 1_000
_NAME = re.compile(r"[a-z][a-z0-9_]{1,39}")
_ACTIONS = {"knowledge": "action_answer_question", "handoff": "action_request_human"}
DOES = (*_ACTIONS, "reply")
_TITLE = "utter_title_of_"  #: a response that is never said keeps what an intent is called in the model
#: Never the name of one: Rasa gives them a meaning of their own.
_RASAS = {"restart", "back", "session_start", "nlu_fallback", "oos"}


@dataclass(frozen=True)
class MadeIntent:
    """One entry; ``reply`` by language where a fixed text is said."""

    name: str
    title: dict[str, str]
    does: str
    reply: dict[str, str]


@dataclass(frozen=True)
class Project:
    """The files that Rasa trains on."""

    domain: list[Path]
    training: list[Path]


def read(folder: Path) -> list[MadeIntent]:
    """The entries of a folder, none if there is no file; raises ``ValueError`` with one sentence for the first bad one."""
    path = folder / FILE
    if not path.exists():
        return []
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{FILE}: cannot be read ({error})") from error
    if content is None:
        return []
    if not isinstance(content, list):
        raise ValueError(f"{FILE}: expected a list of intents")
    return [_entry(number, one) for number, one in enumerate(content, start=1)]


def _entry(number: int, form: Any) -> MadeIntent:
    where = f"{FILE}, entry {number}"
    if not isinstance(form, dict) or not isinstance(form.get("name"), str) or not _NAME.fullmatch(form["name"]):
        raise ValueError(f"{where}: name must be 2 to 40 small letters, digits and underscores, like gift_card")
    where = f"{FILE}: {form['name']}"
    if form.get("does") not in DOES:
        raise ValueError(f"{where}: does must be one of {', '.join(DOES)}")
    reply = _texts(f"{where}: reply", form.get("reply")) if form["does"] == "reply" else {}
    return MadeIntent(form["name"], _texts(f"{where}: title", form.get("title")), form["does"], reply)


def _texts(where: str, form: Any) -> dict[str, str]:
    for language in LANGUAGES:
        text = form.get(language) if isinstance(form, dict) else None
        if not isinstance(text, str) or not text.strip() or len(text) > MOST_TEXT:
            raise ValueError(f"{where}.{language} must be a text of at most {MOST_TEXT} characters")
        if "{" in text or "}" in text:
            raise ValueError(f"{where}.{language} must hold no braces")
    return {language: form[language].strip() for language in LANGUAGES}


def names_taken(made: list[MadeIntent], others: Collection[str]) -> list[str]:
    """One sentence for each name that the product has already, or that stands twice."""
    seen: set[str] = set()
    problems = []
    for one in made:
        if one.name in others or one.name in _RASAS:
            problems.append(f"{FILE}: there is already an intent {one.name}.")
        elif one.name in seen:
            problems.append(f"{FILE}: {one.name} stands there twice.")
        seen.add(one.name)
    return problems


def trained(made: list[MadeIntent], counts: dict[str, dict[str, int]]) -> list[MadeIntent]:
    """Those with enough examples; ``counts`` by language, then intent."""
    return [one for one in made if max((found.get(one.name, 0) for found in counts.values()), default=0) >= FEWEST]


def project_of(nlu_data: Path, workspace: Path, counts: dict[str, dict[str, int]]) -> Project:
    """The product's own domain and rules, with the made intents added in files of ``workspace``."""
    domain = [settings.BOT / "domain.yml", settings.BOT / "responses"]
    training = [nlu_data / part for part in ("en", "zh", "gate", "lookups") if (nlu_data / part).exists()]
    training.append(settings.BOT / "rules.yml")
    every = read(nlu_data)
    chosen = trained(every, counts)
    if not every:
        return Project(domain, training)
    left_out = {one.name for one in every} - {one.name for one in chosen}
    if left_out:
        training = _without(training, left_out, workspace)
    domain[0] = _write(workspace / "domain.yml", _domain_with(chosen))
    if chosen:
        training.append(
            _write(workspace / "made_rules.yml", {"version": "3.1", "rules": [_rule(one) for one in chosen]})
        )
    return Project(domain, training)


def _domain_with(made: list[MadeIntent]) -> dict[str, Any]:
    domain: dict[str, Any] = yaml.safe_load((settings.BOT / "domain.yml").read_text(encoding="utf-8"))
    names = [one.name for one in made]
    domain["intents"] += names
    for form in domain["forms"].values():  # like any other sure intent they interrupt a form, which then asks again
        form["ignored_intents"] = [*form.get("ignored_intents", []), *names]
    domain["responses"] = {_response(one): _in_both(one.reply) for one in made if one.does == "reply"}
    domain["responses"] |= {f"{_TITLE}{one.name}": _in_both(one.title) for one in made}
    return domain


def _in_both(texts: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {"condition": [{"type": "slot", "name": "language", "value": language}], "text": texts[language]}
        for language in LANGUAGES
    ]


def titles_in(responses: dict[str, list[dict[str, Any]]]) -> dict[str, dict[str, str]]:
    """By made intent and language, what it is called, as a model's responses keep it."""
    return {
        name.removeprefix(_TITLE): {one["condition"][0]["value"]: str(one["text"]) for one in variations}
        for name, variations in responses.items()
        if name.startswith(_TITLE)
    }


def _response(one: MadeIntent) -> str:
    return f"utter_made_{one.name}"


def _rule(one: MadeIntent) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"intent": one.name}, {"action": _ACTIONS.get(one.does) or _response(one)}]
    if one.does == "handoff":
        steps += [{"action": "action_deactivate_loop"}, {"active_loop": None}]
    return {"rule": f"Made: {one.name}", "steps": steps}


def _without(training: list[Path], left_out: set[str], workspace: Path) -> list[Path]:
    """The training files without the examples of intents that have too few yet."""
    kept: list[Path] = []
    for path in training:
        files = sorted(path.rglob("*.yml")) if path.is_dir() else [path]
        for file in files:
            content = yaml.safe_load(file.read_text(encoding="utf-8"))
            blocks = content.get("nlu") if isinstance(content, dict) else None
            if not any(isinstance(one, dict) and one.get("intent") in left_out for one in blocks or ()):
                kept.append(file)
                continue
            content["nlu"] = [one for one in blocks if one.get("intent") not in left_out]
            if content["nlu"]:
                name = f"{file.parent.name}_{file.name}"
                kept.append(_write(workspace / name, content))
    return kept


def _write(path: Path, content: dict[str, Any]) -> Path:
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path
