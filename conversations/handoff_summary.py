"""What an agent needs to know of a conversation that is handed to them, read off the transcript and the bot's traces.

Plain data without sentences: the console says it in the agent's own language.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from conversations.json_form import moment
from conversations.model import Author, Conversation, Message, MessageKind

#: Facts that tasks collect, in the order an agent reads them; codes and proofs of identity are nobody's business.
DETAILS = (
    "order_number", "ticket_number", "invoice_number", "tracking_number", "product", "order_item", "return_reason",
    "problem", "new_address", "invoice_kind", "invoice_title", "amount", "date", "contact_field", "contact_value",
    "phone", "email",
)  # fmt: skip
_ASIDE = {
    "handoff", "affirm", "deny", "stop", "thanks", "inform", "greet", "goodbye", "how_are_you", "are_you_a_bot", "bot_name",
    "capabilities", "praise", "insult", "joke", "weather", "apology", "speak_language", "laugh", "hold_on",
}  # fmt: skip
_QUOTE = 300  #: characters
_COURSE = 12  #: messages whose sentiment is shown
_ADDED = 5
_ARTICLES = 5
_KEPT = ("record", "rewritten")
#: A phone number or an e-mail address by itself says where somebody is reached, not what they want.
_ONLY_AN_ADDRESS = re.compile(r"\s*(\S+@\S+|\+?\d[\d ()./-]{5,})\s*")

TurnRow = tuple[int, Mapping[str, Any]]  #: the seq of the message that was answered, and the turn's trace


def summary_of(
    conversation: Conversation,
    messages: Sequence[Message],
    turns: Sequence[TurnRow],
    now: datetime,
    *,
    reason: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The summary as it is now; what an earlier one knew of the reason and of the customer's records is kept."""
    before = conversation.handoff_summary or {}
    reasons = list(before.get("reasons") or ())
    if reason is not None and (not reasons or reasons[-1] != reason):
        reasons.append(reason)
    said = [one for one in messages if one.author is Author.CONTACT and one.kind is MessageKind.TEXT]
    wants = _wants(said, turns)
    return {
        "made_at": moment(now),
        "reason": reason if reason is not None else before.get("reason"),
        "detail": dict(detail) if detail is not None else ({} if reason is not None else before.get("detail") or {}),
        "reasons": reasons[-10:],
        "language": conversation.language,
        "channel": conversation.reached_at.channel,
        "wants": wants,
        "details": _details(turns),
        "tried": _tried(messages, turns),
        "sentiment": _sentiment(said),
        "added": _added(said, turns, conversation.queued_at),
        **{name: before.get(name) for name in _KEPT},
    }


def _wants(said: Sequence[Message], turns: Sequence[TurnRow]) -> dict[str, Any] | None:
    texts = {one.seq: one.text for one in said}
    chosen: tuple[int, str | None] | None = None
    for seq, trace in reversed(turns):
        task = _task_of(trace)
        intent = str(trace.get("intent") or "")
        if (
            seq in texts
            and intent not in _ASIDE
            and (task or trace.get("route") in ("task", "knowledge", "clarify", "handoff"))
        ):
            chosen = (seq, task or (intent if intent not in ("", "out_of_scope", "clarify") else None))
            break
    if chosen is None:
        open_task = next((task for _, trace in reversed(turns) if (task := _task_of(trace))), None)
        last = next((one for one in reversed(said) if one.text and not _ONLY_AN_ADDRESS.fullmatch(one.text)), None)
        return None if last is None else {"intent": open_task, "said": last.text[:_QUOTE], "seq": last.seq}
    return {"intent": chosen[1], "said": texts[chosen[0]][:_QUOTE], "seq": chosen[0]}


def _task_of(trace: Mapping[str, Any]) -> str | None:
    return next((name.removesuffix("_form") for name in _actions(trace) if name.endswith("_form")), None)


def _actions(trace: Mapping[str, Any]) -> list[str]:
    found = trace.get("actions")
    return [str(name) for name in found if not str(name).startswith("validate_")] if isinstance(found, list) else []


def _details(turns: Sequence[TurnRow]) -> list[dict[str, Any]]:
    found: dict[str, tuple[str, int]] = {}
    for seq, trace in turns:
        for entity in _list(trace.get("entities")):
            if isinstance(entity, Mapping):
                _note(found, str(entity.get("entity")), entity.get("value"), seq)
        slots = trace.get("slots_changed")
        for name, value in slots.items() if isinstance(slots, Mapping) else ():
            _note(found, str(name), value, seq)
    return [{"name": name, "value": found[name][0], "seq": found[name][1]} for name in DETAILS if name in found]


def _note(found: dict[str, tuple[str, int]], name: str, value: Any, seq: int) -> None:
    if isinstance(value, list | tuple):
        value = ", ".join(str(one) for one in value if one is not None)
    if isinstance(value, str | int | float) and not isinstance(value, bool) and str(value).strip():
        found[name] = (str(value).strip()[:200], seq)  # the last one said counts; an emptied slot keeps what was known


#: What a contact means who wants none of what they were asked to confirm.
_DECLINES = {"deny", "stop"}


def _tried(messages: Sequence[Message], turns: Sequence[TurnRow]) -> dict[str, Any]:
    articles: dict[str, dict[str, Any]] = {}
    for message in messages:
        for citation in message.citations if message.author is Author.BOT else ():
            articles.pop(citation.article_id, None)
            articles[citation.article_id] = {"title": citation.title, "url": citation.url, "seq": message.seq}
    tasks: dict[str, dict[str, Any]] = {}
    running: str | None = None
    for seq, trace in turns:
        asked = _task_of(trace)
        running = asked or running
        if running is None:
            continue
        ended, intent = f"action_{running}" in _actions(trace), str(trace.get("intent"))
        done = ended and intent not in _DECLINES  # the action runs after a no, too, and says that nothing was done
        stopped = intent == "stop" or (ended and not done)
        if asked is None and not done and not stopped:
            continue  # about something else
        outcome = "failed" if trace.get("failed") else "done" if done else "stopped" if stopped else "unfinished"
        tasks.pop(running, None)
        tasks[running] = {"task": running, "outcome": outcome, "seq": seq}
        if outcome in ("done", "stopped"):
            running = None
    traces = [trace for _, trace in turns]
    return {
        "articles": list(articles.values())[-_ARTICLES:],
        "tasks": list(tasks.values())[-_ARTICLES:],
        "clarified": sum(trace.get("route") == "clarify" for trace in traces),
        "missed": sum(bool(trace.get("missed")) for trace in traces),
        "turns": len(traces),
    }


def _sentiment(said: Sequence[Message]) -> dict[str, Any] | None:
    course = [
        {
            "seq": one.seq,
            "value": round(one.sentiment, 2),
            "label": one.sentiment_label,
            "anger": round(one.anger or 0.0, 2),
        }
        for one in said
        if one.sentiment is not None
    ][-_COURSE:]
    if not course:
        return None
    values = [float(one["value"] or 0.0) for one in course]
    earlier = values[: max(1, len(values) // 2)]
    change = values[-1] - sum(earlier) / len(earlier) if len(values) > 1 else 0.0
    trend = "worse" if change <= -0.4 else "better" if change >= 0.4 else "steady"
    return {"label": course[-1]["label"], "value": values[-1], "trend": trend, "course": course}


def _added(said: Sequence[Message], turns: Sequence[TurnRow], queued_at: datetime | None) -> list[dict[str, Any]]:
    answered = max((seq for seq, _ in turns), default=0)
    if queued_at is None:
        return []
    later = [one for one in said if one.seq > answered and one.created_at > queued_at and (one.text or one.attachments)]
    return [{"seq": one.seq, "text": one.text[:_QUOTE], "files": len(one.attachments)} for one in later[-_ADDED:]]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
