"""What can be done to the examples, and why it may be refused; nothing here reads or writes a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

LANGUAGES = ("zh", "en")
OUT_OF_SCOPE = "out_of_scope"
MAX_TEXT = 500
MAX_WHY = 500
MAX_CHANGES = 20_000


@dataclass(frozen=True, slots=True)
class Example:
    """One line of an intent, as it is written in its file: annotations of entities included."""

    language: str
    intent: str
    text: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a line stood, so that taking a change back puts it there again: its file, the line, and the one before.

    ``left`` counts equal lines that stayed, ``others`` names the places (``en/greet``) where the same words stood too.
    """

    file: str
    line: str
    after: str
    left: int = 0
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Add:
    """A new example; ``place`` is where it stood once, when its removal is taken back."""

    language: str
    intent: str
    text: str
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Remove:
    """An example that goes; ``was`` is filled in when it is done."""

    language: str
    intent: str
    text: str
    was: Place | None = None


@dataclass(frozen=True, slots=True)
class Reword:
    """An example that is written another way and stays where it is."""

    language: str
    intent: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Move:
    """An example that belongs to another intent: from ``before`` to ``after``."""

    language: str
    before: str
    after: str
    text: str
    place: Place | None = None
    was: Place | None = None


@dataclass(frozen=True, slots=True)
class MadeIntent:
    """An intent that a trainer made: what it is called, and what the bot does about it."""

    name: str
    title_zh: str
    title_en: str
    does: str  #: knowledge | reply | handoff
    reply_zh: str = ""
    reply_en: str = ""


@dataclass(frozen=True, slots=True)
class NewIntent:
    """An intent that there was not."""

    made: MadeIntent


@dataclass(frozen=True, slots=True)
class DropIntent:
    """An intent that goes, once it has no examples."""

    made: MadeIntent


@dataclass(frozen=True, slots=True)
class ReviseIntent:
    """An intent that is called, or answered, another way; its name stays."""

    before: MadeIntent
    after: MadeIntent


OfIntent = NewIntent | DropIntent | ReviseIntent
OfExample = Add | Remove | Reword | Move
Change = OfExample | OfIntent
_KINDS: dict[str, type[Any]] = {
    "add": Add,
    "remove": Remove,
    "reword": Reword,
    "move": Move,
    "new_intent": NewIntent,
    "drop_intent": DropIntent,
    "revise_intent": ReviseIntent,
}


@dataclass(frozen=True, slots=True)
class Edit:
    """Changes that one person made at once; ``undone_by`` is the edit that took them back, ``undoes`` the one they take back."""

    id: str
    at: datetime
    by_id: str
    by_name: str
    why: str
    changes: tuple[Change, ...]
    undoes: str | None = None
    undone_by: str | None = None


class ExampleRefused(Exception):
    """The examples were not changed; ``code`` says why to a program, the message to a person, ``detail`` names things.

    Codes: exists, gone, unknown_intent, bad_intent, intent_exists, intent_used, empty, too_long, too_many, bad_text,
    bad_annotation, held_out, not_editable, busy, read_only, unknown_edit, already_undone.
    """

    def __init__(self, code: str, message: str, detail: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.detail: dict[str, Any] = dict(detail or {})


def inverse(change: Change) -> Change:
    """What takes a change back."""
    if isinstance(change, Add):
        return Remove(change.language, change.intent, change.text)
    if isinstance(change, Remove):
        return Add(change.language, change.intent, change.text, change.was)
    if isinstance(change, Reword):
        return Reword(change.language, change.intent, change.after, change.before)
    if isinstance(change, NewIntent):
        return DropIntent(change.made)
    if isinstance(change, DropIntent):
        return NewIntent(change.made)
    if isinstance(change, ReviseIntent):
        return ReviseIntent(change.after, change.before)
    return Move(change.language, change.after, change.before, change.text, place=change.was)


def bare(change: Change) -> Change:
    """A change without places, for people."""
    if isinstance(change, Add):
        return replace(change, place=None)
    if isinstance(change, Remove):
        return replace(change, was=None)
    return replace(change, place=None, was=None) if isinstance(change, Move) else change


def intents_of(changes: Sequence[Change]) -> list[str]:
    """Every intent that the changes concern, in their order."""
    found: dict[str, None] = {}
    for change in changes:
        if isinstance(change, ReviseIntent):
            names: tuple[str, ...] = (change.after.name,)
        elif isinstance(change, NewIntent | DropIntent):
            names = (change.made.name,)
        else:
            names = (change.before, change.after) if isinstance(change, Move) else (change.intent,)
        found.update(dict.fromkeys(names))
    return list(found)


def change_json(change: Change) -> dict[str, Any]:
    """A change as JSON."""
    kind = next(name for name, one in _KINDS.items() if isinstance(change, one))
    return {"do": kind} | {name: value for name, value in asdict(change).items() if value is not None}


def change_of(form: Mapping[str, Any]) -> Change:
    """The change of its JSON form."""
    fields: dict[str, Any] = {name: value for name, value in form.items() if name != "do"}
    for name in ("place", "was"):
        if isinstance(fields.get(name), Mapping):
            fields[name] = Place(**{**fields[name], "others": tuple(fields[name].get("others", ()))})
    for name in ("made", "before", "after"):
        if isinstance(fields.get(name), Mapping):
            fields[name] = MadeIntent(**fields[name])
    return _KINDS[str(form["do"])](**fields)  # type: ignore[no-any-return]
