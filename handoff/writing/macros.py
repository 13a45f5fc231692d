"""Macros: several steps in one click. A step is a verb from a register; what registers it decides what it takes and does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog
from pydantic import ValidationError

from conversations.errors import AtCapacity, ConversationError
from conversations.model import Conversation
from handoff.bodies import Body, explain
from handoff.errors import Refused
from handoff.store import StaffMember
from handoff.writing.canned import Filled

if TYPE_CHECKING:
    from handoff.staff_side import StaffSide

MAX_STEPS = 20
log = structlog.get_logger()


class BadMacro(Exception):
    """A macro cannot be kept like this; ``step`` counts from 1, 0 is the macro itself.

    ``code`` is for a console that says it in its own words.
    """

    def __init__(self, step: int, message: str, code: str = "step") -> None:
        super().__init__(message)
        self.step = step
        self.code = code


@dataclass(frozen=True, slots=True)
class Macro:
    """A stored macro; ``owner`` is a member's id, or empty when everybody may run it."""

    id: str
    owner: str
    title_zh: str
    title_en: str
    steps: tuple[dict[str, Any], ...]
    uses: int
    last_used_at: datetime | None
    updated_at: datetime
    updated_by: str


@dataclass(frozen=True, slots=True)
class Scene:
    """One step at work: who runs it, on which conversation as it is now; ``key`` makes a repeat of the step harmless."""

    side: StaffSide
    member: StaffMember
    conversation: Conversation
    key: str


@dataclass(frozen=True, slots=True)
class StepField:
    """One thing a step takes, for the console's editor. ``kind``: "canned", "text", "note", "agent", "choice", "number"."""

    name: str
    kind: str
    required: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StepKind:
    """A verb that macros may use.

    ``body`` checks its arguments, ``run`` does it (raising ``ConversationError`` or ``Refused``), ``check`` looks at
    what the arguments point to when a macro is saved, ``says`` is what the contact would read. After a verb with
    ``hands_on`` the conversation is no longer the agent's, so only verbs with ``by_anyone`` may follow.
    """

    name: str
    body: type[Body]
    run: Callable[[Scene, Any], Awaitable[None]]
    fields: tuple[StepField, ...] = ()
    hands_on: bool = False
    by_anyone: bool = False
    check: Callable[[StaffSide, str, Any], Awaitable[None]] | None = None
    says: Callable[[Scene, Any], Awaitable[Filled]] | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A step before it is run, as the agent sees it."""

    verb: str
    arguments: dict[str, Any]
    text: str | None
    unfilled: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """How far a macro came: the verbs that ran, and why it stopped if it did."""

    ran: tuple[str, ...]
    failed: dict[str, Any] | None


@dataclass
class MacroSteps:
    """The register of verbs; whoever has a verb to offer adds it before the desk opens."""

    kinds: dict[str, StepKind] = field(default_factory=dict)

    def add(self, *kinds: StepKind) -> None:
        """Offer verbs to macros; raises ``ValueError`` for a name that is taken."""
        for kind in kinds:
            if kind.name in self.kinds:
                raise ValueError(f"there is a macro step {kind.name!r} already")
            self.kinds[kind.name] = kind

    async def checked(
        self, side: StaffSide, owner: str, steps: Sequence[Mapping[str, Any]]
    ) -> tuple[dict[str, Any], ...]:
        """Steps as they are kept; raises ``BadMacro`` naming the first that cannot work."""
        if not 1 <= len(steps) <= MAX_STEPS:
            raise BadMacro(0, f"A macro has 1 to {MAX_STEPS} steps.", "count")
        kept: list[dict[str, Any]] = []
        gone: str | None = None
        for place, step in enumerate(steps, start=1):
            kind, arguments = self._read(place, step)
            if gone is not None and not kind.by_anyone:
                raise BadMacro(
                    place, f"{kind.name} cannot follow {gone}: the conversation is not yours any more.", "after"
                )
            if kind.check is not None:
                try:
                    await kind.check(side, owner, arguments)
                except Refused as error:
                    raise BadMacro(place, error.message, error.code) from None
            gone = kind.name if kind.hands_on else gone
            kept.append({"verb": kind.name, **arguments.model_dump()})
        return tuple(kept)

    async def shown(
        self, side: StaffSide, member: StaffMember, conversation: Conversation, macro: Macro
    ) -> list[Shown]:
        """What each step would say and do here, without doing it."""
        found = []
        for place, step in enumerate(macro.steps, start=1):
            kind, arguments = self._read(place, step)
            scene = Scene(side, member, conversation, "")
            said = await kind.says(scene, arguments) if kind.says is not None else None
            found.append(
                Shown(kind.name, arguments.model_dump(), said.text if said else None, said.unfilled if said else ())
            )
        return found

    async def run(self, side: StaffSide, member: StaffMember, conversation_id: str, macro: Macro, run_id: str) -> Run:
        """Do the steps one after the other and stop at the first that fails; what ran before it stays done."""
        ran: list[str] = []
        for place, step in enumerate(macro.steps, start=1):
            verb = str(step.get("verb"))
            try:
                kind, arguments = self._read(place, step)
                conversation = await side.conversations.get_conversation(conversation_id)
                await kind.run(Scene(side, member, conversation, f"{run_id}:{place}"), arguments)
            except Refused as error:
                return Run(tuple(ran), _failure(place, verb, error.code, error.message))
            except BadMacro as error:
                return Run(tuple(ran), _failure(place, verb, "bad_step", str(error)))
            except ConversationError as error:
                said = f"{str(error)[:1].upper()}{str(error)[1:].rstrip('.')}."
                detail = {"detail": error.detail} if isinstance(error, AtCapacity) else {}
                return Run(tuple(ran), _failure(place, verb, error.code, said) | detail)
            except Exception:
                log.exception("macro_step_failed", macro_id=macro.id, verb=verb, conversation_id=conversation_id)
                told = "This step failed on our side and was logged. Do it and the rest by hand."
                return Run(tuple(ran), _failure(place, verb, "internal", told))
            ran.append(verb)
        return Run(tuple(ran), None)

    def _read(self, place: int, step: Mapping[str, Any]) -> tuple[StepKind, Body]:
        kind = self.kinds.get(str(step.get("verb")))
        if kind is None:
            raise BadMacro(
                place, f"There is no step {step.get('verb')!r}. Use one of: {', '.join(self.kinds)}.", "unknown"
            )
        try:
            return kind, kind.body.model_validate({name: value for name, value in step.items() if name != "verb"})
        except ValidationError as error:
            raise BadMacro(place, explain(error)) from None


def _failure(place: int, verb: str, code: str, message: str) -> dict[str, Any]:
    return {"step": place, "verb": verb, "code": code, "message": message}
