"""Asks "did you mean …?" when the bot is between two bands of certainty; at the second time in a row, or as many as the
service allows, a person takes over."""

from __future__ import annotations

import re
from json import dumps

from actions.answer_question import HAND_OFF, MOST_MISSES, reached
from actions.base import DeskAction, Turn
from actions.texts import TASKS, Both, button, person_button

DID_YOU_MEAN = Both("我想确认一下，您是想：", "Just to be sure, would you like to:")
WHAT_INSTEAD = Both(
    "我没太听明白，可以换个说法吗？也可以转人工客服。",
    "I did not quite get that. Could you put it another way? Or talk to a person.",
)
SOMETHING_ELSE = Both("都不是，帮我查一下", "Something else")
CHOICES = 3
KEPT_QUESTION = 300


class Clarify(DeskAction):
    """Offers the likeliest tasks and intents that trainers have made."""

    action_name = "action_clarify"

    async def act(self, turn: Turn) -> None:
        """Up to three tasks, something else (searched in the knowledge base), a person."""
        again = bool(turn.slot("clarified"))
        if again:
            misses = max(1.0, float(turn.slot("misses") or 0)) + 1
            if reached(misses, turn):
                turn.say(HAND_OFF(turn.language), handoff="two_misses", route="handoff", missed=True)
                turn.change(clarified=False, misses=0.0)
                return
            turn.change(misses=min(misses, MOST_MISSES))
        ranking = (turn.tracker.latest_message or {}).get("intent_ranking") or []
        named = _titles(turn)
        likely = [entry["name"] for entry in ranking if entry.get("name") in named][:CHOICES]
        buttons = [button(named[task], f"/{task}") for task in likely]
        question = str(turn.entity("question") or turn.text).strip()[:KEPT_QUESTION]
        if question and not question.startswith("/"):
            payload = "/ask_knowledge" + dumps({"question": question}, ensure_ascii=False)
            buttons.append(button(SOMETHING_ELSE(turn.language), payload))
        ask = DID_YOU_MEAN if likely else WHAT_INSTEAD
        turn.say(
            ask(turn.language),
            [*buttons, person_button(turn.language)],
            route="clarify",
            **({"missed": True} if again else {}),
        )
        turn.change(clarified=True)


def _titles(turn: Turn) -> dict[str, str]:
    """What can be offered, by intent: the desk's tasks, and what the model says of intents that trainers have made."""
    named = {task: title(turn.language) for task, title in TASKS.items()}
    made = turn.metadata.get("titles")
    for name, texts in made.items() if isinstance(made, dict) else ():
        title = texts.get(turn.language) if isinstance(texts, dict) else None
        if isinstance(title, str) and title and re.fullmatch(r"[a-z][a-z0-9_]*", str(name)):
            named.setdefault(str(name), title)
    return named
