"""When the bot gives a conversation to people: pure decisions over what was seen of a turn, by rules that staff edit."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from conversations.model import HandoffReason

#: The reasons that rules decide, the most pressing first.
RULED = (
    HandoffReason.ANGRY,
    HandoffReason.ACTION_FAILED,
    HandoffReason.TWO_MISSES,
    HandoffReason.LOOP,
    HandoffReason.LOW_CONFIDENCE,
    HandoffReason.VIP,
)
#: A contact who asks for a person, or whose bot is broken, is never kept from people.
ALWAYS = (HandoffReason.ASKED_FOR_PERSON, HandoffReason.DIALOGUE_FAILED)
REMEMBERED = 12  #: turns back that a decision looks at
_ALIKE = 0.7  #: share of character pairs from which on two requests are the same
_IDLE_ROUTES = {"smalltalk", "file"}
_SHORT_ANSWERS = {"affirm", "deny", "inform", "stop", "thanks", "greet", "goodbye"}


class BadRules(ValueError):
    """The rules cannot be used; the message says what to correct, ``reason`` where."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Deviation:
    """Where a rule differs: in one language, on one channel, or on one channel in one language."""

    language: str | None = None
    channel: str | None = None
    enabled: bool | None = None
    threshold: float | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One reason's rule; what a reason does not use stays at its default."""

    enabled: bool = True
    threshold: float = 0.5  #: angry: at or above; low confidence: below
    count: int = 1  #: how often, in a row where that makes sense
    tiers: tuple[str, ...] = ()  #: of customers, for VIP
    at_once: bool = False  #: VIP: with the first message instead of the first trouble
    exceptions: tuple[Deviation, ...] = ()

    def here(self, language: str, channel: str) -> Rule:
        """The rule as it holds in a language on a channel: the exception that names most wins."""
        best: Deviation | None = None
        for one in self.exceptions:
            if one.language in (None, language) and one.channel in (None, channel):
                named = (one.channel is not None, one.language is not None)
                if best is None or named > (best.channel is not None, best.language is not None):
                    best = one
        if best is None:
            return self
        return Rule(
            self.enabled if best.enabled is None else best.enabled,
            self.threshold if best.threshold is None else best.threshold,
            self.count if best.count is None else best.count,
            self.tiers,
            self.at_once,
        )


@dataclass(frozen=True, slots=True)
class Rules:
    """The rule of every reason that rules decide."""

    angry: Rule = field(default_factory=lambda: Rule(threshold=0.6))
    action_failed: Rule = field(default_factory=lambda: Rule(count=2))
    two_misses: Rule = field(default_factory=lambda: Rule(count=2))
    loop: Rule = field(default_factory=lambda: Rule(count=3))
    low_confidence: Rule = field(default_factory=lambda: Rule(threshold=0.35, count=2))
    vip: Rule = field(default_factory=lambda: Rule(tiers=("vip",)))

    def of(self, reason: HandoffReason) -> Rule:
        """The rule of a reason of ``RULED``."""
        rule: Rule = getattr(self, reason.value)
        return rule

    def to_json(self) -> dict[str, Any]:
        """Plain values, as stored and as the console reads them."""
        return asdict(self)

    @classmethod
    def from_json(cls, form: Mapping[str, Any]) -> Rules:
        """The rules of ``to_json``; a reason that is missing has its default. Raises ``BadRules``."""
        names = {one.name for one in fields(cls)}
        unknown = sorted(set(form) - names)
        if unknown:
            raise BadRules(unknown[0], f"there is no rule called {unknown[0]}; rules are {', '.join(sorted(names))}")
        return cls(**{name: _rule(name, value) for name, value in form.items()})


def _rule(reason: str, form: Any) -> Rule:
    if not isinstance(form, Mapping):
        raise BadRules(reason, f"the rule {reason} must be an object")
    default: Rule = getattr(Rules(), reason)
    values = {one.name: form.get(one.name, getattr(default, one.name)) for one in fields(Rule)}
    exceptions = values["exceptions"]
    if not isinstance(exceptions, list | tuple) or len(exceptions) > 20:
        raise BadRules(reason, f"{reason}: exceptions must be a list of at most 20")
    values["exceptions"] = tuple(_exception(reason, one) for one in exceptions)
    _check(reason, values["enabled"], values["threshold"], values["count"])
    tiers = values["tiers"]
    if not isinstance(tiers, list | tuple) or not all(isinstance(one, str) and 0 < len(one) <= 40 for one in tiers):
        raise BadRules(reason, f"{reason}: tiers must be a list of names of tiers")
    values["tiers"] = tuple(dict.fromkeys(tiers))
    if not isinstance(values["at_once"], bool):
        raise BadRules(reason, f"{reason}: at_once must be true or false")
    return Rule(**values)


def _exception(reason: str, form: Any) -> Deviation:
    if not isinstance(form, Mapping):
        raise BadRules(reason, f"{reason}: an exception must be an object")
    one = Deviation(**{name.name: form.get(name.name) for name in fields(Deviation)})
    if one.language not in (None, "zh", "en"):
        raise BadRules(reason, f"{reason}: an exception's language must be zh or en")
    if one.channel is not None and not (isinstance(one.channel, str) and 0 < len(one.channel) <= 64):
        raise BadRules(reason, f"{reason}: an exception's channel must be a channel's name")
    if one.language is None and one.channel is None:
        raise BadRules(reason, f"{reason}: an exception needs a language or a channel")
    _check(
        reason,
        True if one.enabled is None else one.enabled,
        0.5 if one.threshold is None else one.threshold,
        1 if one.count is None else one.count,
    )
    return one


def _check(reason: str, enabled: Any, threshold: Any, count: Any) -> None:
    if not isinstance(enabled, bool):
        raise BadRules(reason, f"{reason}: enabled must be true or false")
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 <= threshold <= 1:
        raise BadRules(reason, f"{reason}: the threshold must be a number from 0 to 1")
    least = 2 if reason == "loop" else 1
    if isinstance(count, bool) or not isinstance(count, int) or not least <= count <= 10:
        raise BadRules(reason, f"{reason}: the count must be a whole number from {least} to 10")


@dataclass(frozen=True, slots=True)
class TurnSeen:
    """What decisions look at of one turn."""

    text: str = ""  #: what the contact wrote; empty for a button
    said: str = ""  #: what the bot answered
    route: str = ""
    intent: str = ""
    confidence: float | None = None
    missed: bool = False  #: no article reached the gate
    failed: bool = False  #: a task's work failed
    done: bool = False  #: a task was carried out, or its result told
    anger: float | None = None
    value: float | None = None  #: sentiment from -1 to 1
    handed_off: str | None = None  #: the reason, if this turn handed off

    @classmethod
    def of(cls, trace: Mapping[str, Any], text: str, said: str, anger: float | None, value: float | None) -> TurnSeen:
        """From a turn's trace; what the trace lacks or holds in another form counts as not seen."""
        confidence = trace.get("confidence")
        handoff = trace.get("handoff")
        return cls(
            text,
            said,
            str(trace.get("route") or ""),
            str(trace.get("intent") or ""),
            float(confidence) if isinstance(confidence, int | float) else None,
            bool(trace.get("missed")),
            bool(trace.get("failed")),
            not trace.get("failed") and any(map(_does_something, _names(trace.get("actions")))),
            anger,
            value,
            str(handoff["reason"]) if isinstance(handoff, Mapping) and handoff.get("reason") else None,
        )


def _names(actions: Any) -> list[str]:
    return [str(name) for name in actions] if isinstance(actions, list) else []


def _does_something(action: str) -> bool:
    """Whether an action carries out a task, rather than asking, searching or clarifying."""
    others = ("action_answer_question", "action_clarify", "action_request_human")
    return action.startswith("action_") and not action.startswith("action_ask_") and action not in others


@dataclass(frozen=True, slots=True)
class Decision:
    """Why the conversation goes to people, with the figures behind it."""

    reason: HandoffReason
    detail: dict[str, Any]


def decide(
    turn: TurnSeen,
    earlier: Sequence[TurnSeen],
    had: frozenset[str],
    tier: str,
    language: str,
    channel: str,
    rules: Rules,
) -> Decision | None:
    """The reason to hand off after this turn, or None; ``had`` are the reasons of this conversation's handoffs so far.

    ``earlier`` are the turns before it, oldest first; those up to the last handoff have had their say and count no more,
    so that the same evidence never hands off twice.
    """
    since = list(earlier)[-REMEMBERED:]
    for place in reversed(range(len(since))):
        if since[place].handed_off:
            since = since[place + 1 :]
            break
    for reason in RULED:
        rule = rules.of(reason).here(language, channel)
        if not rule.enabled:
            continue
        detail = _LOOKS[reason](rule, turn, since, tier)
        if detail is None:
            continue
        if reason is HandoffReason.VIP and reason.value in had:
            continue  # being a VIP is no news the second time
        return Decision(reason, detail)
    return None


Look = Callable[[Rule, TurnSeen, Sequence[TurnSeen], str], dict[str, Any] | None]


def _angry(rule: Rule, turn: TurnSeen, since: Sequence[TurnSeen], tier: str) -> dict[str, Any] | None:
    upset = [one for one in (*since, turn) if one.anger is not None and one.anger >= rule.threshold]
    now = turn.anger is not None and turn.anger >= rule.threshold
    return {"anger": round(turn.anger or 0.0, 2), "messages": len(upset)} if now and len(upset) >= rule.count else None


def _action_failed(rule: Rule, turn: TurnSeen, since: Sequence[TurnSeen], tier: str) -> dict[str, Any] | None:
    failures = sum(one.failed for one in (*since, turn))
    return {"failures": failures} if turn.failed and failures >= rule.count else None


def _two_misses(rule: Rule, turn: TurnSeen, since: Sequence[TurnSeen], tier: str) -> dict[str, Any] | None:
    misses = _in_a_row((*since, turn), lambda one: one.missed) if turn.missed else 0
    return {"misses": misses} if misses >= rule.count else None


def _low_confidence(rule: Rule, turn: TurnSeen, since: Sequence[TurnSeen], tier: str) -> dict[str, Any] | None:
    def unsure(one: TurnSeen) -> bool:
        low = one.confidence is not None and one.confidence < rule.threshold
        return low and one.route in ("clarify", "handoff")

    times = _in_a_row((*since, turn), unsure) if unsure(turn) else 0
    return {"turns": times, "confidence": round(turn.confidence or 0.0, 2)} if times >= rule.count else None


def _loop(rule: Rule, turn: TurnSeen, since: Sequence[TurnSeen], tier: str) -> dict[str, Any] | None:
    if turn.route in _IDLE_ROUTES:
        return None
    asked = said = 1
    for one in since:
        if one.route in _IDLE_ROUTES:
            continue
        asked += _repeats(one, turn)
        said += bool(turn.said) and one.said == turn.said
    if asked >= rule.count and turn.text:
        return {"by": "contact", "times": asked}
    return {"by": "bot", "times": said} if said >= rule.count else None


def _vip(rule: Rule, turn: TurnSeen, since: Sequence[TurnSeen], tier: str) -> dict[str, Any] | None:
    if tier not in rule.tiers:
        return None
    trouble = turn.missed or turn.failed or turn.route == "clarify" or (turn.value is not None and turn.value <= -0.5)
    return {"tier": tier} if rule.at_once or trouble else None


_LOOKS: dict[HandoffReason, Look] = {
    HandoffReason.ANGRY: _angry,
    HandoffReason.ACTION_FAILED: _action_failed,
    HandoffReason.TWO_MISSES: _two_misses,
    HandoffReason.LOOP: _loop,
    HandoffReason.LOW_CONFIDENCE: _low_confidence,
    HandoffReason.VIP: _vip,
}


def _in_a_row(turns: Sequence[TurnSeen], holds: Callable[[TurnSeen], bool]) -> int:
    """How many of the last turns it holds for, small talk left out."""
    number = 0
    for one in reversed([one for one in turns if one.route not in _IDLE_ROUTES]):
        if not holds(one):
            break
        number += 1
    return number


def _repeats(one: TurnSeen, other: TurnSeen) -> bool:
    if {one.intent, other.intent} & _SHORT_ANSWERS:
        return False
    first, second = _pairs(one.text), _pairs(other.text)
    return len(first) > 2 and len(first & second) >= _ALIKE * len(first | second)


def _pairs(text: str) -> set[str]:
    plain = "".join(letter for letter in unicodedata.normalize("NFKC", text).lower() if letter.isalnum())
    return {plain[start : start + 2] for start in range(len(plain) - 1)}
