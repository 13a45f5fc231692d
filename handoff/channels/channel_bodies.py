"""What the staff API accepts of channels and of what they could not deliver."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from conversations.dead_letter_store import Choice
from conversations.sight import Sight
from handoff.bodies import Body, Identifier

_SAID = r"^[^\x00]+$"  # something, and nothing that PostgreSQL cannot store
_Name = Annotated[str, StringConstraints(max_length=128)]
_State = Literal["", "dead", "unknown"]
_Ordinal = Annotated[int, Field(ge=0, le=2**63 - 1)]


class TestBody(Body):
    """Whom to send what."""

    __test__ = False  # pytest takes it for one

    to: Annotated[str, StringConstraints(strip_whitespace=True, max_length=512, pattern=_SAID)]
    text: Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000, pattern=_SAID)]


class LettersQuery(Body):
    """Which dead letters to list; empty does not limit."""

    channel: _Name = ""
    account: _Name = ""
    state: _State = ""
    before: Annotated[str, StringConstraints(pattern=r"^[0-9]{0,18}$")] = ""

    def choice(self, sight: Sight) -> Choice:
        """The dead letters that are meant, as far as they are to be seen."""
        return Choice(self.channel or None, self.account or None, self.state or None, sight=sight)


class ChoiceBody(Body):
    """All dead letters that fit, as far as they were there when the list was shown."""

    channel: _Name = ""
    account: _Name = ""
    state: _State = ""
    up_to: _Ordinal
    after: _Ordinal | None = None

    def choice(self, sight: Sight) -> Choice:
        """The dead letters that are meant, as far as they are to be seen."""
        return Choice(self.channel or None, self.account or None, self.state or None, self.up_to, self.after, sight)


class LettersBody(Body):
    """Some dead letters by their ids, or all that fit."""

    ids: Annotated[tuple[Identifier, ...], Field(max_length=500)] = ()
    all: ChoiceBody | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if bool(self.ids) == (self.all is not None):
            raise ValueError("name the deliveries by ids, or choose all that fit")
        return self


class DiscardBody(LettersBody):
    """Why they need not be sent any more."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500, pattern=_SAID)]
