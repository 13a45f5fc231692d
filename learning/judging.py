"""Says of one conversation what went wrong in it, from all that is known of it now.

A conversation is judged anew whenever something happens in it, so that a rating that comes days later finds its messages,
and judging twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from conversations.episodes import Episode, Kind
from learning.reasons import Mishap, Reason

LOW_RATING = 2  #: stars, and fewer
#: Messages that answer the bot or steer it: what is thought of the conversation later is not about them.
_STEERING = {"inform", "affirm", "deny", "stop", "thanks", "handoff", "goodbye", "greet"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A message of the contact, with the trace of its turn if the bot answered it."""

    message_id: str
    seq: int
    at: datetime
    has_words: bool
    pressed: bool = False  #: it is a button's payload
    finished_at: datetime | None = None
    trace: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """What is known of a conversation."""

    conversation_id: str
    contact_id: str
    channel: str
    language: str
    asked: Sequence[Asked]
    episodes: Sequence[Episode] = ()
    corrected: Collection[int] = field(default_factory=frozenset)  #: seqs at which an agent corrected the bot
    reviewed: Collection[int] = field(default_factory=frozenset)  #: seqs that a reviewer sent here


def mishaps_in(story: Story) -> list[Mishap]:
    """The messages of a conversation that went wrong, in order."""
    judged: list[tuple[Asked, Episode | None, Reason]] = []
    for one in sorted(story.asked, key=lambda asked: asked.seq):
        if not one.has_words or one.pressed:
            continue
        episode = _episode_of(one, story.episodes)
        trace = one.trace or {}
        own = _own_reasons(trace)
        if trace.get("intent") == "insult" or trace.get("intent") == "handoff":
            _blame_the_one_before(judged, episode, trace["intent"])
            own &= ~Reason.HANDED_OFF  # that people were asked for was understood very well
        judged.append((one, episode, own))
    found = []
    for one, episode, reasons in judged:
        trace = one.trace or {}
        if one.trace is not None and _has_substance(trace):
            reasons |= _later_reasons(episode)
        if one.seq in story.corrected:
            reasons |= Reason.CORRECTED
        if one.seq in story.reviewed:
            reasons |= Reason.REVIEWER
        if reasons and (reasons & Reason.REVIEWER or not _no_fault_of_the_model(trace)):
            found.append(_mishap(story, one, episode, reasons))
    return found


def _own_reasons(trace: Mapping[str, Any]) -> Reason:
    """What the turn itself shows."""
    reasons = Reason(0)
    route, intent = trace.get("route"), trace.get("intent")
    if trace.get("missed"):
        reasons |= Reason.MISSED
    elif route == "clarify":
        reasons |= Reason.CLARIFIED
    if route == "handoff":
        reasons |= Reason.HANDED_OFF
    limit, confidence = _number(trace.get("thresholds"), "answer"), _number(trace, "confidence")
    # What an article answered has passed a gate of its own.
    if limit is not None and confidence is not None and route != "knowledge" and intent not in _STEERING:
        reasons |= Reason.LOW_CONFIDENCE if confidence < limit else Reason(0)
    return reasons


def _blame_the_one_before(
    judged: list[tuple[Asked, Episode | None, Reason]], episode: Episode | None, intent: str
) -> None:
    """Whoever scolds the bot or asks for a person does so for what came before, in the same part."""
    for place in range(len(judged) - 1, -1, -1):
        asked, of_it, reasons = judged[place]
        if of_it != episode:
            return
        if asked.trace is not None and _has_substance(asked.trace):
            reason = Reason.DISLIKED if intent == "insult" else Reason.HANDED_OFF
            judged[place] = (asked, of_it, reasons | reason)
            return


def _later_reasons(episode: Episode | None) -> Reason:
    """What the contact thought of the part of the conversation afterwards."""
    reasons = Reason(0)
    if episode is None or episode.rating is None or episode.kind is not Kind.BOT:
        return reasons
    if episode.rating.score is not None and episode.rating.score <= LOW_RATING:
        reasons |= Reason.LOW_RATING
    if episode.rating.solved is False:
        reasons |= Reason.DISLIKED
    return reasons


def _has_substance(trace: Mapping[str, Any]) -> bool:
    """Whether a wish was in the message, rather than small talk or an answer."""
    return trace.get("route") != "smalltalk" and trace.get("intent") not in _STEERING


def _no_fault_of_the_model(trace: Mapping[str, Any]) -> bool:
    """The bot was away or broken, or the message was a file: there is nothing in it to learn from."""
    return trace.get("replies_by") == "service"


def _episode_of(one: Asked, episodes: Sequence[Episode]) -> Episode | None:
    at = one.finished_at or one.at
    for episode in sorted(episodes, key=lambda episode: episode.number):
        if episode.ended_at is None or at <= episode.ended_at:
            return episode
    return None


def _mishap(story: Story, one: Asked, episode: Episode | None, reasons: Reason) -> Mishap:
    trace = one.trace or {}
    limits = trace.get("thresholds")
    made = Mishap(
        message_id=one.message_id,
        conversation_id=story.conversation_id,
        seq=one.seq,
        contact_id=story.contact_id,
        channel=story.channel,
        language=trace["language"] if trace.get("language") in ("zh", "en") else story.language,
        at=one.at,
        reasons=reasons,
        intent=_word(trace, "intent"),
        confidence=_number(trace, "confidence"),
        answer_limit=_number(limits, "answer"),
        clarify_limit=_number(limits, "clarify"),
        route=_word(trace, "route"),
        model_id=_word(trace, "model_id"),
        handed_off=bool(reasons & Reason.HANDED_OFF),
    )
    if episode is None:
        return made
    later = [one for one in sorted(story.episodes, key=lambda one: one.number) if one.number >= episode.number]
    rated = [one.rating.score for one in later if one.rating is not None and one.rating.score is not None]
    return replace(
        made,
        episode_id=episode.id,
        rating=rated[0] if rated else None,
        handed_off=made.handed_off or episode.ended_by == "handoff" or any(one.kind is Kind.HUMAN for one in later),
    )


def _number(found: Any, name: str) -> float | None:
    value = found.get(name) if isinstance(found, Mapping) else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _word(found: Mapping[str, Any], name: str) -> str | None:
    value = found.get(name)
    return value[:80] if isinstance(value, str) and value else None
