"""Reads off a conversation what each turn showed about the thresholds: the scores, what was done, and how it turned out.

Only what was done has an outcome. A message that the bot acted on tells whether acting was right; one it asked back
about tells what was meant, if the contact chose; one that went to the articles tells nothing about acting.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum
from typing import Any

from conversations.episodes import Episode, Kind, Resolution, resolution_of
from learning.judging import Asked, Story

LOW_RATING = 2  #: stars, and fewer
#: They mean themselves at any score, so no threshold decides about them.
CONTROL = frozenset({"handoff", "stop", "inform", "affirm", "deny"})
#: The knowledge base decides about these, by a gate of its own.
_TO_KNOWLEDGE = frozenset({"ask_knowledge", "out_of_scope"})
_LANGUAGES = ("zh", "en")


class Band(IntEnum):
    """Where the score lay between the thresholds of the intent. The numbers are stored."""

    KNOWLEDGE = 0  #: below both: the articles were searched
    CLARIFY = 1
    ACT = 2


class Done(IntEnum):
    """What became of the message in its own turn. The numbers are stored."""

    ACTED = 0
    CLARIFIED = 1
    ANSWERED = 2  #: an article was quoted
    MISSED = 3  #: no article was near enough, and the bot said so
    HANDED_OFF = 4


@dataclass(frozen=True, slots=True)
class Case:
    """One message on which a threshold decided, in numbers."""

    message_id: str
    conversation_id: str
    at: datetime
    language: str
    done: Done
    model_id: str | None = None
    top: str | None = None
    score: float | None = None
    retrieval: float | None = None
    band: Band | None = None
    act_wrong: bool | None = None
    answer_wrong: bool | None = None
    helped: bool | None = None
    evidence: str | None = None
    answer_limit: float | None = None
    clarify_limit: float | None = None
    retrieval_limit: float | None = None


def cases_in(story: Story) -> list[Case]:
    """The messages of a conversation that tell something about thresholds, in order."""
    asked = sorted((one for one in story.asked if one.trace is not None), key=lambda one: one.seq)
    found: list[Case] = []
    served: list[Episode | None] = []
    for place, one in enumerate(asked):
        case = _case_of(story, one)
        if case is None:
            continue
        episode = _episode_of(one, story.episodes)
        following = asked[place + 1] if place + 1 < len(asked) else None
        if following is not None and _episode_of(following, story.episodes) is not episode:
            following = None
        found.append(_by_what_came_next(case, following))
        served.append(episode)
    return _by_ratings(found, served)


def decided(case: Case, kind: str, intent: str | None) -> Case:
    """The case with what a trainer decided about its message, which outweighs everything else."""
    if kind in ("assign", "new_intent"):
        act_wrong = intent != case.top
    elif kind in ("out_of_scope", "gap"):
        act_wrong = True
    else:
        return case
    answer_wrong = True if case.done is Done.ANSWERED else case.answer_wrong
    return replace(case, act_wrong=act_wrong, answer_wrong=answer_wrong, evidence="trainer")


def corrected(case: Case) -> Case:
    """The case of a message whose answer an agent turned down or wrote anew."""
    return _blamed(case, "agent")


def _case_of(story: Story, one: Asked) -> Case | None:
    trace = one.trace or {}
    if one.pressed or not one.has_words or trace.get("replies_by") == "service" or trace.get("failed"):
        return None
    # Of a message of several wishes only the first has a score.
    if trace.get("parts") or trace.get("refused"):
        return None
    intent = trace.get("intent")
    if not isinstance(intent, str) or intent in CONTROL:
        return None
    limits = trace.get("thresholds")
    top = _first_of(trace.get("ranking"), "name")
    retrieval = _number(_first(trace.get("retrieval")), "score")
    case = Case(
        message_id=one.message_id,
        conversation_id=story.conversation_id,
        at=one.at,
        language=trace["language"] if trace.get("language") in _LANGUAGES else story.language,
        done=_done(trace, intent),
        model_id=_word(trace.get("model_id")),
        top=top,
        retrieval=retrieval,
        answer_limit=_number(limits, "answer"),
        clarify_limit=_number(limits, "clarify"),
        retrieval_limit=_number(limits, "retrieval"),
    )
    score = _number(trace, "confidence")
    if score is not None and top is not None and top not in CONTROL | _TO_KNOWLEDGE:
        band = {"clarify": Band.CLARIFY, "out_of_scope": Band.KNOWLEDGE, top: Band.ACT}.get(intent)
        if band is not None:
            case = replace(case, score=score, band=band)
    # Without a score of either kind no threshold had a say.
    return None if case.score is None and case.retrieval is None else case


def _done(trace: Mapping[str, Any], intent: str) -> Done:
    route = trace.get("route")
    if route == "handoff":
        return Done.HANDED_OFF
    if route == "knowledge":
        return Done.ANSWERED
    if route == "clarify":
        return Done.CLARIFIED if intent == "clarify" else Done.MISSED
    return Done.ACTED


def _by_what_came_next(case: Case, following: Asked | None) -> Case:
    trace = (following.trace if following is not None else None) or {}
    intent = trace.get("intent")
    if following is None or not isinstance(intent, str):
        return case
    if case.done is Done.CLARIFIED:
        return _by_the_choice(case, following, intent, trace.get("route"))
    if intent == "insult":
        return _blamed(case, "scolded")
    if intent == "handoff":
        return _blamed(case, "asked_person")
    return case


def _by_the_choice(case: Case, following: Asked, intent: str, route: object) -> Case:
    """What a question back brought: a button that was pressed, or words that were understood, tell what was meant."""
    if intent == "handoff":
        return replace(case, helped=False, evidence="asked_person")
    if following.pressed and intent == "ask_knowledge":  # "something else"
        return replace(case, helped=False, act_wrong=True, evidence="chose")
    if following.pressed or (intent not in CONTROL | _TO_KNOWLEDGE | {"clarify"} and route == "task"):
        return replace(case, helped=True, act_wrong=intent != case.top, evidence="chose")
    if intent in ("clarify", "out_of_scope") or intent == "insult":
        return replace(case, helped=False)
    return case


def _blamed(case: Case, evidence: str) -> Case:
    if case.done is Done.ACTED and case.band is Band.ACT:
        return replace(case, act_wrong=True, evidence=evidence)
    if case.done is Done.ANSWERED:
        return replace(case, answer_wrong=True, evidence=evidence)
    return case


def _by_ratings(cases: Sequence[Case], served: Sequence[Episode | None]) -> list[Case]:
    """A good rating speaks for every answer of its part, a bad one against the last of them."""
    last: dict[str, int] = {}
    for place, (case, episode) in enumerate(zip(cases, served, strict=True)):
        if episode is not None and case.done in (Done.ACTED, Done.ANSWERED):
            last[episode.id] = place
    found = []
    for place, (case, episode) in enumerate(zip(cases, served, strict=True)):
        rating = episode.rating if episode is not None and episode.kind is Kind.BOT else None
        if rating is None or episode is None or case.act_wrong is not None or case.answer_wrong is not None:
            found.append(case)
            continue
        resolution = resolution_of(rating.score, rating.solved)
        low = resolution is Resolution.REFUTED or (rating.score is not None and rating.score <= LOW_RATING)
        if low:
            found.append(_blamed(case, "rating") if last.get(episode.id) == place else case)
        elif resolution is Resolution.VERIFIED:
            found.append(_praised(case))
        else:
            found.append(case)
    return found


def _praised(case: Case) -> Case:
    if case.done is Done.ACTED and case.band is Band.ACT:
        return replace(case, act_wrong=False, evidence="rating")
    if case.done is Done.ANSWERED:
        return replace(case, answer_wrong=False, evidence="rating")
    return case


def _episode_of(one: Asked, episodes: Iterable[Episode]) -> Episode | None:
    at = one.finished_at or one.at
    ordered = sorted(episodes, key=lambda episode: episode.number)
    return next((episode for episode in ordered if episode.ended_at is None or at <= episode.ended_at), None)


def _first(listed: Any) -> Any:
    return listed[0] if isinstance(listed, list) and listed else None


def _first_of(listed: Any, name: str) -> str | None:
    first = _first(listed)
    return _word(first.get(name)) if isinstance(first, Mapping) else None


def _number(found: Any, name: str) -> float | None:
    value = found.get(name) if isinstance(found, Mapping) else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _word(value: Any) -> str | None:
    return value[:80] if isinstance(value, str) and value else None
