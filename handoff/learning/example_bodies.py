"""What the routes of the examples accept."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from handoff.bodies import Body, Identifier, Prose
from learning.changes import (
    MAX_CHANGES,
    MAX_WHY,
    Add,
    Change,
    DropIntent,
    MadeIntent,
    Move,
    NewIntent,
    Remove,
    ReviseIntent,
    Reword,
)

MAX_BYTES = 4 * 1024 * 1024  #: of one request: many examples may be moved at once
Language = Literal["zh", "en"]
Name = Annotated[Prose, Field(min_length=1, max_length=100)]
#: Longer texts are refused by the book, which says so in words.
Text = Annotated[Prose, Field(max_length=4000)]


class AddBody(Body):
    """A new example."""

    do: Literal["add"]
    language: Language
    intent: Name
    text: Text

    def change(self) -> Change:
        """For the book."""
        return Add(self.language, self.intent, self.text)


class RemoveBody(Body):
    """An example that goes."""

    do: Literal["remove"]
    language: Language
    intent: Name
    text: Text

    def change(self) -> Change:
        """For the book."""
        return Remove(self.language, self.intent, self.text)


class RewordBody(Body):
    """An example that is written another way."""

    do: Literal["reword"]
    language: Language
    intent: Name
    before: Text
    after: Text

    def change(self) -> Change:
        """For the book."""
        return Reword(self.language, self.intent, self.before, self.after)


class MoveBody(Body):
    """An example that belongs to another intent."""

    do: Literal["move"]
    language: Language
    before: Name
    after: Name
    text: Text

    def change(self) -> Change:
        """For the book."""
        return Move(self.language, self.before, self.after, self.text)


class IntentBody(Body):
    """An intent that trainers make: what it is called, and what the bot does about it."""

    name: Annotated[str, Field(max_length=80)]
    title_zh: Annotated[Prose, Field(max_length=200)]
    title_en: Annotated[Prose, Field(max_length=200)]
    does: Literal["knowledge", "reply", "handoff"] = "knowledge"
    reply_zh: Text = ""
    reply_en: Text = ""

    def made(self) -> MadeIntent:
        """For the book."""
        texts = (self.title_zh, self.title_en, self.reply_zh, self.reply_en)
        title_zh, title_en, reply_zh, reply_en = (one.strip() for one in texts)
        if self.does != "reply":
            reply_zh = reply_en = ""
        return MadeIntent(self.name.strip(), title_zh, title_en, self.does, reply_zh, reply_en)


class NewIntentBody(Body):
    """An intent that there was not."""

    do: Literal["new_intent"]
    made: IntentBody

    def change(self) -> Change:
        """For the book."""
        return NewIntent(self.made.made())


class DropIntentBody(Body):
    """An intent that goes, as it was seen; it must have no examples any more."""

    do: Literal["drop_intent"]
    made: IntentBody

    def change(self) -> Change:
        """For the book."""
        return DropIntent(self.made.made())


class ReviseIntentBody(Body):
    """An intent that is called, or answered, another way."""

    do: Literal["revise_intent"]
    before: IntentBody
    after: IntentBody

    def change(self) -> Change:
        """For the book."""
        return ReviseIntent(self.before.made(), self.after.made())


AnyChange = Annotated[
    AddBody | RemoveBody | RewordBody | MoveBody | NewIntentBody | DropIntentBody | ReviseIntentBody,
    Field(discriminator="do"),
]


class EditBody(Body):
    """All of these changes, or none."""

    changes: Annotated[tuple[AnyChange, ...], Field(min_length=1, max_length=MAX_CHANGES)]
    why: Annotated[Prose, Field(max_length=MAX_WHY)] = ""


class UndoBody(Body):
    """Why an edit is taken back."""

    why: Annotated[Prose, Field(max_length=MAX_WHY)] = ""


class AskBody(Body):
    """For which examples the bot is asked; without an intent or a language, for all."""

    intent: Name | None = None
    language: Language | None = None


class ExamplesQuery(Body):
    """Which examples to list."""

    intent: Name | None = None
    language: Language | None = None
    q: Annotated[Prose, Field(max_length=200)] = ""
    kind: Literal["duplicate", "conflict", "near", "mistaken", "bot", "crossed", "held_out"] | None = None
    offset: Annotated[int, Field(ge=0, le=10_000_000)] = 0
    limit: Annotated[int, Field(ge=1, le=500)] = 100


class HistoryQuery(Body):
    """Which edits to list: of an intent, before the last one seen."""

    intent: Name | None = None
    before: Identifier | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 30


class ExportQuery(Body):
    """Which examples are written to a file, and in which form."""

    form: Literal["csv", "yaml"] = "csv"
    intent: Name | None = None
    language: Language | None = None
