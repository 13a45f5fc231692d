"""Calls of actions as the bot makes them, over the real route."""

from __future__ import annotations

import json
from typing import Any

from tests.faults.desk import SECRETS, Around
from tests.faults.http import Connection


async def call_action(desk: Around, action: str, turn_id: str, conversation_id: str, **slots: Any) -> Any:
    """The answer of an action, or None where the desk gave none."""
    tracker = {
        "sender_id": conversation_id,
        "slots": {"language": "en", **slots},
        "latest_message": {"text": "my kettle is broken and leaks", "metadata": {"turn_id": turn_id}},
        "events": [],
        "active_loop": {},
    }
    call = {
        "next_action": action,
        "sender_id": conversation_id,
        "version": "3.6.21",
        "domain": {},
        "tracker": tracker,
    }
    connection = Connection(desk.service.port)
    path = f"/internal/actions?token={SECRETS['ACTION_SECRET']}"
    answer = await connection.ask("POST", path, {"content-type": "application/json"}, json.dumps(call).encode())
    connection.close()
    return None if answer is None else (answer[0], json.loads(answer[1]))
