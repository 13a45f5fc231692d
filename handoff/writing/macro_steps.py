"""The verbs of macros that the desk has by itself; other features add theirs to ``StaffSide.macro_steps``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from conversations.errors import NotAssigned
from conversations.model import Agent
from handoff.bodies import Body, Identifier, Prose
from handoff.errors import Refused
from handoff.roles import DESK, OVERSEERS
from handoff.writing.canned import Filled
from handoff.writing.macros import MacroSteps, Scene, StepField, StepKind

if TYPE_CHECKING:
    from handoff.staff_side import StaffSide


class NoArguments(Body):
    """Nothing to say."""


class ReplyStep(Body):
    """What the contact is told: a canned reply, or words of the macro's own."""

    canned_id: Identifier | None = None
    text: Annotated[Prose, Field(max_length=4000)] = ""


class NoteStep(Body):
    """What colleagues are told."""

    text: Annotated[Prose, Field(min_length=1, max_length=4000)]


class TransferStep(Body):
    """Who goes on."""

    to_agent_id: Identifier
    note: Annotated[Prose, Field(max_length=2000)] = ""


class RequeueStep(Body):
    """Why it goes back."""

    note: Annotated[Prose, Field(max_length=2000)] = ""


def own_steps() -> MacroSteps:
    """Accept, reply, note, transfer, requeue, release and resolve."""
    note = StepField("note", "note")
    steps = MacroSteps()
    steps.add(
        StepKind("accept", NoArguments, _accept, by_anyone=True),
        StepKind(
            "reply",
            ReplyStep,
            _reply,
            (StepField("canned_id", "canned"), StepField("text", "text")),
            check=_check_reply,
            says=_say,
        ),
        StepKind("note", NoteStep, _note, (StepField("text", "note", required=True),), by_anyone=True, says=_say_note),
        StepKind(
            "transfer",
            TransferStep,
            _transfer,
            (StepField("to_agent_id", "agent", required=True), note),
            hands_on=True,
            check=_check_transfer,
        ),
        StepKind("requeue", RequeueStep, _requeue, (note,), hands_on=True),
        StepKind("release", NoArguments, _release, hands_on=True),
        StepKind("resolve", NoArguments, _resolve, hands_on=True),
    )
    return steps


async def _accept(scene: Scene, _: NoArguments) -> None:
    oversees = scene.member.role in OVERSEERS
    await scene.side.conversations.assign(scene.conversation.id, scene.member.agent, over_capacity=oversees)


async def _say(scene: Scene, step: ReplyStep) -> Filled:
    language = scene.conversation.language
    text = step.text
    if step.canned_id is not None:
        found = await scene.side.canned.find(step.canned_id, scene.member.id)
        if found is None:
            raise Refused(409, "canned_gone", "The canned reply of this step was deleted. Edit the macro.")
        text = found.text_in(language)
    return await scene.side.variables.fill(text, scene.conversation, scene.member, language)


async def _reply(scene: Scene, step: ReplyStep) -> None:
    said = await _say(scene, step)
    if said.unfilled:
        names = ", ".join(said.unfilled)
        raise Refused(
            409, "unfilled_variables", f"Nothing is known for {names}. Insert the reply and fill it in.", detail=names
        )
    await scene.side.conversations.reply_as_agent(
        scene.conversation.id, scene.member.agent, said.text, client_msg_id=scene.key
    )
    if step.canned_id is not None:
        await scene.side.canned.count_use(step.canned_id, scene.side.conversations.now())


async def _check_reply(side: StaffSide, owner: str, step: ReplyStep) -> None:
    if (step.canned_id is None) == (not step.text.strip()):
        raise Refused(400, "reply", "A reply needs either a canned reply or a text.")
    if step.canned_id is not None and await side.canned.find(step.canned_id, owner) is None:
        raise Refused(400, "not_shared", "A shared macro can only use shared canned replies; this one is not.")


async def _say_note(scene: Scene, step: NoteStep) -> Filled:
    filled = await scene.side.variables.fill(step.text, scene.conversation, scene.member, scene.conversation.language)
    return Filled(filled.text, ())


async def _note(scene: Scene, step: NoteStep) -> None:
    said = await _say_note(scene, step)
    await scene.side.conversations.add_note(scene.conversation.id, scene.member.agent, said.text, scene.key)


async def _transfer(scene: Scene, step: TransferStep) -> None:
    to = await scene.side.store.find(step.to_agent_id)
    if to is None or not to.active or to.role not in DESK:
        raise Refused(409, "not_at_the_desk", "The colleague of this step does not work here any more.")
    await scene.side.conversations.transfer(scene.conversation.id, _holder(scene), to.agent, step.note)


async def _check_transfer(side: StaffSide, owner: str, step: TransferStep) -> None:
    to = await side.store.find(step.to_agent_id)
    if to is None or not to.active or to.role not in DESK:
        raise Refused(400, "nobody", "Nobody at the desk has that id. Choose an agent from the list.")


async def _requeue(scene: Scene, step: RequeueStep) -> None:
    await scene.side.conversations.requeue(scene.conversation.id, _holder(scene), step.note)


async def _release(scene: Scene, _: NoArguments) -> None:
    await scene.side.conversations.release(scene.conversation.id, _holder(scene))


async def _resolve(scene: Scene, _: NoArguments) -> None:
    await scene.side.conversations.resolve(scene.conversation.id, _holder(scene))


def _holder(scene: Scene) -> Agent:
    """Macros move what their agent holds; supervisors also what nobody holds."""
    held_by = scene.conversation.agent_id
    if held_by == scene.member.id or (held_by is None and scene.member.role in OVERSEERS):
        return scene.member.agent
    holder = f"{scene.conversation.agent_name} has it" if held_by else "accept it from the queue first"
    raise NotAssigned(f"this conversation is not assigned to you: {holder}")
