"""Hands the conversation to a person because the contact asked for one."""

from __future__ import annotations

from actions.base import DeskAction, Turn
from actions.texts import Both

COMING = Both("好的，马上为您转接人工客服。", "Of course, I am getting a person for you.")


class RequestHuman(DeskAction):
    """Always works; the service says where the contact stands in the queue."""

    action_name = "action_request_human"

    async def act(self, turn: Turn) -> None:
        """One sentence and the handoff."""
        turn.say(COMING(turn.language), handoff="asked_for_person", route="handoff")
        turn.change(misses=0.0, clarified=False)
