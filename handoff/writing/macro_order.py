"""The verbs of macros that keep order: label, priority and snooze."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from conversations.model import PRIORITIES, Label
from handoff.bodies import Body, Prose
from handoff.errors import Refused
from handoff.writing.macros import MacroSteps, Scene, StepField, StepKind

if TYPE_CHECKING:
    from handoff.staff_side import StaffSide


class LabelStep(Body):
    """The label's title, as agents know it."""

    title: Annotated[Prose, Field(min_length=1, max_length=40)]


class PriorityStep(Body):
    """How urgent it is from now on."""

    level: Literal["none", "low", "normal", "high", "urgent"]


class SnoozeStep(Body):
    """For how many hours it is put aside."""

    hours: Annotated[int, Field(ge=1, le=24 * 365)]


def add_order_steps(steps: MacroSteps) -> None:
    """Let macros use them."""
    steps.add(
        StepKind("label", LabelStep, _label, (StepField("title", "text", required=True),), check=_check_label, by_anyone=True),
        StepKind("priority", PriorityStep, _priority, (StepField("level", "choice", required=True, choices=PRIORITIES),), by_anyone=True),
        StepKind("snooze", SnoozeStep, _snooze, (StepField("hours", "number", required=True),)),
    )  # fmt: skip


async def _find_label(side: StaffSide, title: str) -> Label | None:
    wanted = title.strip().casefold()
    return next((one for one in await side.conversations.labels() if one.title.casefold() == wanted and not one.archived), None)  # fmt: skip


async def _check_label(side: StaffSide, owner: str, step: LabelStep) -> None:
    if await _find_label(side, step.title) is None:
        raise Refused(
            400, "label", f"There is no label “{step.title}”. Add it first, or write it as it is in the list."
        )


async def _label(scene: Scene, step: LabelStep) -> None:
    found = await _find_label(scene.side, step.title)
    if found is None:
        raise Refused(409, "label_gone", f"There is no label “{step.title}” any more. Edit the macro.")
    await scene.side.conversations.change_labels(scene.conversation.id, scene.member.agent, add=[found.id])


async def _priority(scene: Scene, step: PriorityStep) -> None:
    await scene.side.conversations.set_priority(scene.conversation.id, scene.member.agent, step.level)


async def _snooze(scene: Scene, step: SnoozeStep) -> None:
    until = scene.side.conversations.now() + timedelta(hours=step.hours)
    await scene.side.conversations.snooze(scene.conversation.id, scene.member.agent, until)
