"""What a conversation remembers between its turns, kept in slots: the last two orders, the last task and article, what waits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rasa.shared.core.events import ActionExecuted, BotUttered, Event
from rasa.shared.core.trackers import DialogueStateTracker

from bot.answers import ORDER_TASKS, TASKS
from bot.references import Memory
from bot.reply_language import Speech

#: The slots of this module; they outlive tasks.
SLOTS = frozenset(
    {
        "recent_orders",
        "last_task",
        "last_article",
        "last_topic",
        "waiting_tasks",
        "language_asked_for",
        "language_others",
    }
)
_REMEMBERED_ORDERS = 2


def memory_of(tracker: DialogueStateTracker) -> Memory:
    """What the slots say."""
    running = tracker.active_loop_name
    task = running.removesuffix("_form") if running else tracker.get_slot("last_task")
    recent: list[str] = tracker.get_slot("recent_orders") or []
    order = tracker.get_slot("order_number") or (recent[0] if recent else None)
    article = tracker.get_slot("last_article") or {}
    return Memory(
        task=task,
        slot=tracker.get_slot("requested_slot") if running else None,
        order=order,
        before=next((one for one in recent if one != order), None),
        article=article.get("title"),
        topic=tracker.get_slot("last_topic"),
        asked_back=bool(tracker.get_slot("clarified")),
    )


def told_slots(tracker: DialogueStateTracker, told: Any) -> dict[str, Any]:
    """The slots of what the service told the contact unasked: “where is it?” is about that. A running task is not disturbed."""
    if not isinstance(told, dict) or tracker.active_loop_name:
        return {}
    order, ticket = told.get("order_number"), told.get("ticket_number")
    if isinstance(order, str) and order:
        recent: list[str] = tracker.get_slot("recent_orders") or []
        before = tracker.get_slot("order_number")
        known = dict.fromkeys([order, *([before] if before else []), *recent])
        orders = list(known)[:_REMEMBERED_ORDERS]
        return {"order_number": order, "recent_orders": orders, "last_task": "order_status", "last_topic": "order"}
    if isinstance(ticket, str) and ticket:
        return {"ticket_number": ticket, "last_task": "ticket_status", "last_topic": "task"}
    return {}


def speech_of(tracker: DialogueStateTracker, hint: str | None) -> Speech:
    """How the last reply spoke; before the first one, as the service guesses."""
    language = tracker.get_slot("language") or hint or "zh"
    return Speech(language, bool(tracker.get_slot("language_asked_for")), int(tracker.get_slot("language_others") or 0))


def speech_slots(speech: Speech) -> dict[str, Any]:
    """The slots that ``speech_of`` reads back."""
    return {
        "language": speech.language,
        "language_asked_for": speech.asked_for or None,
        "language_others": float(speech.others) or None,
    }


def to_remember(tracker: DialogueStateTracker, events: Sequence[Event]) -> dict[str, Any]:
    """The slots that the events of a turn change."""
    slots: dict[str, Any] = {}
    recent: list[str] = tracker.get_slot("recent_orders") or []
    order = tracker.get_slot("order_number")
    if order and recent[:1] != [order]:
        slots["recent_orders"] = [order, *(one for one in recent if one != order)][:_REMEMBERED_ORDERS]
    for event in events:
        if isinstance(event, ActionExecuted) and event.action_name:
            task = event.action_name.removesuffix("_form").removeprefix("action_")
            if task in TASKS:
                slots["last_task"] = task
                slots["last_topic"] = "order" if task in ORDER_TASKS else "task"
    cited = [source for event in events for source in _citations(event)]
    if cited:
        slots["last_article"] = {"id": cited[-1].get("article_id"), "title": cited[-1].get("title")}
        slots["last_topic"] = "article"
    return slots


def _citations(event: Event) -> list[dict[str, Any]]:
    if not isinstance(event, BotUttered):
        return []
    return list(((event.data or {}).get("custom") or {}).get("citations") or [])
