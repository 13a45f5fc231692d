"""Answers the calls of actions from the log: as they answered then, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rasa.utils.endpoints import EndpointConfig

from bot.replay_log import Form, Recorded
from bot.turn_log import CALLS

_VALIDATES, _ASKS = "validate_", "action_ask_"
Answer = dict[str, Any]


class NotLogged(Exception):
    """An action is called that the log has not, or is asked what it was not asked then."""

    def __init__(self, action: str, *, otherwise: bool) -> None:
        """``otherwise``: it ran in that turn, but with something else to go by."""
        super().__init__(action)
        self.action = action
        self.otherwise = otherwise


@dataclass
class _Ran:
    """An action of the recorded turn with what it left; a form that ran is its check and its question."""

    name: str
    left: list[Form] = field(default_factory=list)
    rejected: bool = False


class LoggedActions(EndpointConfig):  # type: ignore[misc]  # rasa is not installed where types are checked
    """Stands where the service's actions stand; nothing leaves the process."""

    def __init__(self) -> None:
        """Without a turn there is nothing to answer with."""
        super().__init__("http://nowhere.invalid/")
        self._ran: list[_Ran] = []
        self._asks: list[Form] | None = None
        self._calls: list[Sequence[str]] | None = None
        self._alike = True

    def begin(self, recorded: Recorded) -> None:
        """Answer from this turn; without digests, until ``unlike`` is said."""
        self._ran = _ran_in(recorded.events)
        self._asks = None
        self._calls = None if recorded.calls is None else list(recorded.calls)
        self._alike = True

    def unlike(self) -> None:
        """The message is understood otherwise than in the log, so only digests can tell what an action would say."""
        self._alike = False

    async def request(self, method: str = "post", subpath: str | None = None, **kwargs: Any) -> Answer:
        """What the action answered then; raises ``NotLogged``."""
        name = str(kwargs["json"]["next_action"])
        self._check(name)
        if name.startswith(_VALIDATES):
            return self._checked(name, name[len(_VALIDATES) :])
        if name.startswith(_ASKS) and self._asks is not None:
            asked, self._asks = self._asks, None
            return _answer(asked)
        self._asks = None
        return _answer(self._next(name).left)

    def _check(self, name: str) -> None:
        """Whether it is asked what it was asked in the log."""
        called = CALLS.get() or []
        if self._calls is None:
            if not self._alike:
                raise NotLogged(name, otherwise=any(name in (one.name, _VALIDATES + one.name) for one in self._ran))
            return
        place = len(called) - 1
        logged = self._calls[place] if place < len(self._calls) else None
        if logged is None or list(logged) != called[place]:
            raise NotLogged(name, otherwise=logged is not None and logged[0] == name)

    def _checked(self, name: str, form: str) -> Answer:
        ran = self._next(form, called=name)
        if ran.rejected:  # nothing was found in the message that the form asks for
            self._asks = None
            return _answer([])
        said, asked = _halves(ran.left, form)
        self._asks = asked
        return _answer(said)

    def _next(self, name: str, called: str | None = None) -> _Ran:
        if not self._ran or self._ran[0].name != name:
            raise NotLogged(called or name, otherwise=False)
        return self._ran.pop(0)


def _ran_in(events: Sequence[Form]) -> list[_Ran]:
    ran: list[_Ran] = []
    current: _Ran | None = None
    for event in events:
        kind = event["event"]
        if kind in {"action", "action_execution_rejected"}:
            current = None
            name = str(event.get("name") or "")
            rejected = kind == "action_execution_rejected"
            if rejected and event.get("policy") is None:
                continue  # the form only stepped aside, and was not asked
            if name.endswith("_form") or (name.startswith("action_") and name not in _RASAS_OWN):
                current = _Ran(name, rejected=rejected)
                ran.append(current)
        elif kind == "user":
            current = None
        elif current is not None and kind in {"slot", "bot", "active_loop"}:
            current.left.append(event)
    return ran


_RASAS_OWN = {"action_listen", "action_session_start", "action_extract_slots", "action_deactivate_loop"}


def _halves(left: Sequence[Form], form: str) -> tuple[list[Form], list[Form]]:
    """What checking the answers left, and what asking for the next one said; Rasa's own marks of the form left out."""
    own = list(left)
    if own and own[0]["event"] == "active_loop" and own[0].get("name") == form:
        own = own[1:]
    if own and own[-1]["event"] == "active_loop" and own[-1].get("name") is None:
        own = own[:-1]
    set_at = next((place for place, event in enumerate(own) if event["event"] != "bot"), len(own))
    asked_at = next((place for place in range(set_at, len(own)) if own[place]["event"] == "bot"), len(own))
    return own[:asked_at], own[asked_at:]


def _answer(left: Sequence[Form]) -> Answer:
    return {
        "responses": [_response(event) for event in left if event["event"] == "bot"],
        "events": [_plain(event) for event in left if event["event"] != "bot"],
    }


def _response(event: Form) -> Form:
    data = {name: value for name, value in (event.get("data") or {}).items() if value}
    metadata = {name: value for name, value in (event.get("metadata") or {}).items() if name in {"utter_action"}}
    return {"text": event.get("text"), **data, **metadata}


def _plain(event: Form) -> Form:
    kept = ("event", "name", "value")
    return {name: event[name] for name in kept if name in event} | {"timestamp": None}
