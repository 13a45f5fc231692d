"""How Rasa calls the service's actions: one kept-alive connection, a short time limit, and no more data than is read.

Stock Rasa opens a connection, posts the whole conversation with the whole domain, and checks the checking schema itself
on every call. That is most of the time of a turn, so the three are replaced here.
"""

from __future__ import annotations

import json
import time
from dataclasses import fields
from typing import Any

import aiohttp
import jsonschema
import rasa
from rasa.core.actions.action import RemoteAction
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import Event, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.endpoints import ClientResponseError, EndpointConfig
from yarl import URL

from bot.metrics import METRICS
from bot.turn_log import note_call

_JSON = {"Content-Type": "application/json"}
_VALIDATES = "validate_"
_RESULT = jsonschema.Draft7Validator(RemoteAction.action_response_format_spec())


class ActionEndpoint(EndpointConfig):  # type: ignore[misc]  # rasa is not installed where types are checked
    """The action address with a connection that stays open between calls."""

    def __init__(self, url: str, timeout_seconds: float) -> None:
        """``timeout_seconds`` bounds one action, connecting included."""
        super().__init__(url)
        self._address = URL(url)
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        self._session: aiohttp.ClientSession | None = None

    async def request(self, method: str = "post", subpath: str | None = None, **kwargs: Any) -> Any:
        """Post the call; an answer of 400 or more raises what Rasa expects."""
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(timeout=self._timeout, cookie_jar=aiohttp.DummyCookieJar())
        call = kwargs.get("json")
        name = str(call.get("next_action")) if isinstance(call, dict) else "unknown"
        began, outcome = time.perf_counter(), "failed"
        try:
            answer = await self._answer(method, json.dumps(call, ensure_ascii=False).encode())
            outcome = "done"
            return answer
        except ClientResponseError as error:
            outcome = "rejected" if error.status == 400 else "failed"  # a form's answer that fits nowhere
            raise
        finally:
            METRICS.actions.add(name, outcome)
            METRICS.action.observe(time.perf_counter() - began)

    async def _answer(self, method: str, body: bytes) -> Any:
        assert self._session is not None
        async with self._session.request(method, self._address, data=body, headers=_JSON) as response:
            answer = await response.read()
            if response.status >= 400:
                raise ClientResponseError(response.status, response.reason, answer)
            return json.loads(answer)

    async def close(self) -> None:
        """Close the connection."""
        if self._session is not None:
            await self._session.close()


def _call(action: RemoteAction, tracker: DialogueStateTracker, domain: Domain) -> dict[str, Any]:
    events = list(tracker.events)
    latest = next((i for i in range(len(events) - 1, -1, -1) if isinstance(events[i], UserUttered)), 0)
    name = action.name()
    form = name[len(_VALIDATES) :] if name.startswith(_VALIDATES) else ""
    call = {
        "next_action": name,
        "sender_id": tracker.sender_id,
        "tracker": _state(tracker) | {"events": [_event(event) for event in events[latest:]]},
        "domain": {"forms": {form: domain.forms[form]} if form in domain.forms else {}},
        "version": rasa.__version__,
    }
    note_call(call, domain)
    return call


def _state(tracker: DialogueStateTracker) -> dict[str, Any]:
    """What ``current_state`` gives, without its deep copy of the message that began the form."""
    loop = tracker.active_loop
    return {
        "sender_id": tracker.sender_id,
        "slots": tracker.current_slot_values(),
        "latest_message": tracker._latest_message_data(),
        "latest_event_time": tracker.events[-1].timestamp if tracker.events else None,
        "followup_action": tracker.followup_action,
        "paused": tracker.is_paused(),
        "latest_input_channel": tracker.get_latest_input_channel(),
        "active_loop": {field.name: getattr(loop, field.name) for field in fields(loop)} if loop else {},
        "latest_action": tracker.latest_action,
        "latest_action_name": tracker.latest_action_name,
    }


def _event(event: Event) -> dict[str, Any]:
    told: dict[str, Any] = event.as_dict()
    if isinstance(event, UserUttered):
        told["parse_data"] = {}  # it is the latest message, which the state holds
    return told


def _check(action: RemoteAction, result: Any) -> bool:
    if not _only_slots_and_words(result):
        _RESULT.validate(result)
    return True


def _only_slots_and_words(result: Any) -> bool:
    """Whether a result is what almost every result is, and as Rasa's schema demands; the schema takes its time."""
    if not isinstance(result, dict):
        return False
    events, responses = result.get("events"), result.get("responses")
    if not isinstance(events, list) or not isinstance(responses, list):
        return False
    return all(map(_is_slot_event, events)) and all(isinstance(one, dict) for one in responses)


def _is_slot_event(event: Any) -> bool:
    return (
        isinstance(event, dict)
        and event.get("event") == "slot"
        and isinstance(event.get("name"), str)
        and "value" in event
        and event.get("timestamp") is None
        and isinstance(event.get("metadata"), dict | None)
    )


def install() -> None:
    """Make Rasa call actions as described above."""
    RemoteAction._action_call_format = _call
    RemoteAction._validate_action_result = _check
