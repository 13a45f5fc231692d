"""Takes the facts from the story of one conversation, from all that is known of it now.

A conversation's facts are made anew whenever something happened to it, so that a rating that comes days later counts, and
making them twice changes nothing. What was once taken from words or traces that are erased now stays as it was taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from conversations.episodes import Episode, Kind, intent_of
from conversations.model import HandoffReason

COMES_BACK_WITHIN = timedelta(days=7)
LOW_RATING = 2  #: stars, and fewer
_LANGUAGES = ("zh", "en")
#: Moves into the queue that are nobody's giving up: an agent stepped in, or a merge was undone.
_NO_HANDOFFS = {HandoffReason.TAKEN_OVER.value, "separated"}
Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Said:
    """A text that both sides see."""

    id: str
    seq: int
    author: str  #: contact | bot | agent
    at: datetime
    author_id: str | None = None
    turn_id: str | None = None
    articles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """One answer of the bot; its trace tells why."""

    id: str
    seq: int
    started_at: datetime
    finished_at: datetime
    trace: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wait:
    """One stay in a queue."""

    id: str
    team: str
    queued_at: datetime
    expected_seconds: int | None = None
    ended_at: datetime | None = None
    outcome: str | None = None
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """One change of status, as the audit chain has it."""

    at: datetime
    source: str
    target: str
    why: str


@dataclass(frozen=True, slots=True)
class Label:
    """Whether a turn was right, as far as somebody's word or choice tells; ``score`` is the chosen intent's."""

    correct: bool
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """What is known of a conversation, and the facts that were taken from it before."""

    id: str
    channel: str
    language: str
    team: str
    opened_at: datetime
    resolved_at: datetime | None = None
    merged: bool = False
    forgotten: bool = False  #: its words and traces are erased
    reason: str = ""
    agent: str = ""
    said: Sequence[Said] = ()
    turns: Sequence[Turn] = ()
    episodes: Sequence[Episode] = ()
    waits: Sequence[Wait] = ()
    moves: Sequence[Move] = ()
    next_opened_at: datetime | None = None  #: when the contact opened another one
    labels: Mapping[str, Label] = field(default_factory=dict)  #: by turn
    known: Mapping[str, Sequence[Values]] = field(default_factory=dict)  #: by table


def facts_of(story: Story, zone: ZoneInfo) -> dict[str, list[Values]]:
    """The rows of every table of facts; days and hours are those of ``zone``."""
    whole = _parts_of_whole(story)
    turns = _turns(story, whole, zone)
    found = {
        "fact_messages": [_message(story, whole, one, zone) for one in story.said],
        "fact_turns": turns,
        "fact_citations": _citations(story, turns, zone),
        "fact_episodes": [
            _episode(story, whole, one, one.ended_at, zone) for one in story.episodes if one.ended_at is not None
        ],
        "fact_waits": _waits(story, whole, zone),
        "fact_conversations": [],
    }
    # Where the contact said nothing they were only told something: nobody served them.
    if not story.merged and any(one.author == "contact" for one in story.said):
        found["fact_conversations"] = [_conversation(story, whole, zone)]
    return found


def local(at: datetime, zone: ZoneInfo) -> tuple[int, int]:
    """The number of the day and the hour on the wall at a moment."""
    there = at.astimezone(zone)
    return there.toordinal(), there.hour


def _place(at: datetime, zone: ZoneInfo) -> Values:
    day, hour = local(at, zone)
    return {"day": day, "hour": hour, "at": at}


def _parts_of_whole(story: Story) -> Values:
    """What the whole conversation is filed under."""
    agents = [one.agent.id for one in story.episodes if one.agent is not None]
    known = next(iter(story.known.get("fact_conversations", ())), None)
    intents = [one.intent for one in story.episodes if one.intent]
    traces = [one.trace for one in sorted(story.turns, key=lambda turn: turn.seq)]
    intent = intents[-1] if intents else intent_of(dict(trace) for trace in traces)
    models = [model for model in (_word(trace, "model_id") for trace in traces) if model]
    model = models[-1] if models else ""
    if known is not None:  # traces go before conversations do
        intent, model = intent or known["intent"], model or known["model"]
    return {
        "channel": story.channel,
        "team": story.team,
        "agent": agents[-1] if agents else story.agent,
        "language": story.language,
        "intent": (intent or "")[:80],
        "model": model,
    }


def _message(story: Story, whole: Values, one: Said, zone: ZoneInfo) -> Values:
    agent = one.author_id or "" if one.author == "agent" else ""
    own = {"message_id": one.id, "conversation_id": story.id, "seq": one.seq, "author": one.author, "agent": agent}
    return _place(one.at, zone) | whole | own


def _turns(story: Story, whole: Values, zone: ZoneInfo) -> list[Values]:
    known = {one["turn_id"]: one for one in story.known.get("fact_turns", ())}
    cited = {one.turn_id for one in story.said if one.articles and one.turn_id}
    found: dict[str, Values] = {}
    for turn in story.turns:
        trace = turn.trace
        missed = bool(trace.get("missed"))
        latency = (turn.finished_at - turn.started_at).total_seconds() * 1000
        found[turn.id] = _place(turn.started_at, zone) | {
            "turn_id": turn.id,
            "conversation_id": story.id,
            "seq": turn.seq,
            "language": trace["language"] if trace.get("language") in _LANGUAGES else story.language,
            "intent": _word(trace, "intent"),
            "model": _word(trace, "model_id"),
            "missed": missed,
            "failed": bool(trace.get("failed")),
            "knowledge": "answered" if turn.id in cited else "missed" if missed else "",
            "latency_ms": max(0, round(latency)),
            "confidence": None,
            "correct": None,
        }
    for turn_id, one in known.items():
        if turn_id not in found:  # erased since; the time zone may be another one now
            found[turn_id] = dict(one) | _place(one["at"], zone)
    for turn_id, one in found.items():
        label = story.labels.get(turn_id)
        before = known.get(turn_id)
        if label is not None:
            one |= {"correct": label.correct, "confidence": label.score}
        elif before is not None and story.forgotten:
            one |= {"correct": before["correct"], "confidence": before["confidence"]}
        one |= {name: whole[name] for name in ("channel", "team", "agent")}
    return sorted(found.values(), key=lambda one: int(one["seq"]))


def _citations(story: Story, turns: Sequence[Values], zone: ZoneInfo) -> list[Values]:
    cited: dict[str, set[str]] = {}
    for one in story.said:
        if one.turn_id and one.articles:
            cited.setdefault(one.turn_id, set()).update(one.articles)
    if story.forgotten:
        for known in story.known.get("fact_citations", ()):
            cited.setdefault(known["turn_id"], set()).add(known["article"])
    found = []
    for turn in turns:
        if turn["turn_id"] not in cited:
            continue
        disliked = turn["correct"] is False or _disliked(_episode_at(story.episodes, turn["at"]))
        own = {name: turn[name] for name in ("day", "hour", "at", "turn_id", "conversation_id", "seq")}
        own |= {name: turn[name] for name in ("channel", "team", "agent", "language", "intent", "model")}
        found += [own | {"article": one[:64], "disliked": disliked} for one in sorted(cited[turn["turn_id"]])]
    return found


def _episode_at(episodes: Sequence[Episode], at: datetime) -> Episode | None:
    ordered = sorted(episodes, key=lambda one: one.number)
    return next((one for one in ordered if one.ended_at is None or at <= one.ended_at), None)


def _disliked(episode: Episode | None) -> bool:
    rating = episode.rating if episode is not None and episode.kind is Kind.BOT else None
    if rating is None:
        return False
    return rating.solved is False or (rating.score is not None and rating.score <= LOW_RATING)


def _episode(story: Story, whole: Values, one: Episode, ended_at: datetime, zone: ZoneInfo) -> Values:
    own = {
        "episode_id": one.id,
        "conversation_id": story.id,
        "served": one.kind.value,
        # What contacts think of the bot is not credited to the people who came after it.
        "agent": one.agent.id if one.agent else "",
        "team": (one.team_id or "") if one.kind is Kind.HUMAN else "",
        "intent": one.intent or whole["intent"],
        "asked": one.asked_at is not None or one.rating is not None,
        "answered": one.rating is not None,
        "score": one.rating.score if one.rating else None,
        "nps": one.rating.nps if one.rating else None,
        "seconds": _seconds(one.started_at, ended_at),
    }
    return _place(ended_at, zone) | whole | own


def _waits(story: Story, whole: Values, zone: ZoneInfo) -> list[Values]:
    waits = sorted(story.waits, key=lambda one: (one.queued_at, one.id))
    into = {move.at: move for move in story.moves if move.target == "queued"}
    found = []
    for place, one in enumerate(waits):
        following = waits[place + 1].queued_at if place + 1 < len(waits) else None
        move = into.get(one.queued_at)
        taken = one.ended_at if one.outcome == "accepted" else None
        waited = _seconds(one.queued_at, taken) if taken is not None else None
        told = one.expected_seconds is not None and waited is not None
        agents = [
            episode.agent.id
            for episode in story.episodes
            if episode.agent is not None
            and taken is not None
            and (episode.ended_at is None or episode.ended_at > taken)
        ]
        in_time, due_at = _promise(story, one, following)
        own = {
            "wait_id": one.id,
            "conversation_id": story.id,
            "team": one.team,
            "agent": agents[0] if agents else "",
            "reason": (move.why if move is not None else story.reason)[:32],
            "by_bot": move is not None and move.source == "bot",
            "waited_seconds": waited,
            "error_seconds": abs((one.expected_seconds or 0) - (waited or 0)) if told else None,
            "in_time": in_time,
            "due_at": due_at,
        }
        found.append(_place(one.queued_at, zone) | whole | own)
    return found


def _promise(story: Story, one: Wait, following: datetime | None) -> tuple[bool | None, datetime | None]:
    """Whether the first answer came in time, once that is known, and until when it may still come."""
    if one.due_at is None:
        return None, None
    answers = [said.at for said in story.said if said.author == "agent" and said.at >= one.queued_at]
    answered = min((at for at in answers if following is None or at < following), default=None)
    if answered is not None:
        return answered <= one.due_at, None
    gone = one.ended_at if one.ended_at is not None and one.outcome != "accepted" else None
    over = min((at for at in (gone, following, story.resolved_at) if at is not None), default=None)
    if over is not None:  # nobody waited any more; before the time was up no promise was broken
        return (False if over > one.due_at else None), None
    return None, one.due_at


def _conversation(story: Story, whole: Values, zone: ZoneInfo) -> Values:
    opened_day, opened_hour = local(story.opened_at, zone)
    resolved = None if story.resolved_at is None else local(story.resolved_at, zone)
    handoffs = [
        one for one in story.moves if one.source == "bot" and one.target == "queued" and one.why not in _NO_HANDOFFS
    ]
    last = story.episodes[-1] if story.episodes else None
    resolution = last.resolution if last is not None and resolved is not None else None
    back = story.resolved_at is not None and story.next_opened_at is not None
    return whole | {
        "conversation_id": story.id,
        "opened_at": story.opened_at,
        "opened_day": opened_day,
        "opened_hour": opened_hour,
        "resolved_at": story.resolved_at,
        "resolved_day": resolved[0] if resolved else None,
        "resolved_hour": resolved[1] if resolved else None,
        "reason": (handoffs[0].why if handoffs else "")[:32],
        "bot_answered": any(one.author == "bot" for one in story.said),
        "agent_wrote": any(one.author == "agent" for one in story.said),
        "handed_off": bool(handoffs),
        "held": any(one.kind is Kind.HUMAN for one in story.episodes),
        "resolution": resolution.value if resolution is not None else "",
        "response_seconds": _response_seconds(story),
        "again": back and story.next_opened_at <= story.resolved_at + COMES_BACK_WITHIN,  # type: ignore[operator]
    }


def _response_seconds(story: Story) -> int | None:
    """From what the contact said last when they came to the queue first, or from the beginning where an agent stepped in."""
    first = min((one.at for one in story.said if one.author == "agent"), default=None)
    if first is None:
        return None
    queued = min((one.queued_at for one in story.waits if one.queued_at <= first), default=None)
    if queued is None:
        return _seconds(story.opened_at, first)
    asked = [one.at for one in story.said if one.author == "contact" and one.at <= queued]
    return _seconds(max(asked, default=queued), first)


def _seconds(begun: datetime, ended: datetime) -> int:
    return max(0, round((ended - begun).total_seconds()))


def _word(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    return value[:80] if isinstance(value, str) else ""
