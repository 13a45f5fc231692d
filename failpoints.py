"""Named places in the product at which a test lets the process die, fail or stall; switched off they cost one look-up.

``FAILPOINTS`` in the environment of a test's process switches them on: ``after_send=kill@3, before_bot_call=delay:2``.
It is read from the environment only, never from ``.env``, and a desk that runs with it says so in its log.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from dataclasses import dataclass

#: Every place, in the order in which a message passes them; tests/faults kills the process at each of them.
MESSAGE_POINTS = (
    "after_read",  # the request's body is in memory
    "after_verify",  # its signature holds
    "after_idempotency_begin",  # the key of a REST request is noted, its message is not stored
    "before_inbound_commit",  # everything is written in the transaction
    "before_disk",  # a group of writers is about to be committed
    "after_disk",  # they are on the disk and do not know it yet
    "after_inbound_commit",  # the message is stored, nobody has been told
    "before_ack",  # the answer to the channel is made
    "before_idempotency_finish",  # the message is stored, the key's answer is not
    "after_ack",  # the answer went out
    "after_claim",  # a turn was taken, the bot was not asked
    "before_bot_call",
    "after_action",  # an action wrote something, the bot does not know it yet
    "after_bot_call",
    "before_turn_commit",  # replies and state are written in the transaction
    "after_turn_commit",
    "after_delivery_claim",  # deliveries were taken, nothing was sent
    "before_send",
    "after_send",  # the channel has it, the outbox does not know
    "before_mark_sent",  # written in the transaction
    "after_mark_sent",
    "after_file_written",  # an attachment is in its folder, its row is not in the database
    "during_checkpoint",  # half of a signed checkpoint is in its file
    "after_recovery",  # leases of the dead process were given up, nothing has been taken
    "during_drain",  # the process was asked to stop and has stopped taking turns
)
#: Those that a change of the bot's examples passes; tests/learning kills the process at each of them.
EDIT_POINTS = (
    "after_example_edit_noted",  # it is in the database, no file was touched
    "before_example_file_replaced",  # the new file lies beside the old one
    "after_example_file_replaced",  # one of several files is the new one
    "before_example_edit_done",  # all of them are, the database does not know
)
POINTS = MESSAGE_POINTS + EDIT_POINTS


class Injected(Exception):
    """A failure that a test asked for."""


@dataclass(slots=True)
class _Armed:
    action: str  #: kill | raise | delay
    seconds: float
    passes: int  #: how often the place is passed before it happens; a delay then happens every time


_armed: dict[str, _Armed] = {}


def arm(text: str) -> tuple[str, ...]:
    """Switch on what ``FAILPOINTS`` says and nothing else; returns the names. Raises ``ValueError`` for a bad one."""
    _armed.clear()
    for part in filter(None, map(str.strip, text.split(","))):
        name, _, what = part.partition("=")
        action, _, count = what.partition("@")
        action, _, seconds = action.partition(":")
        if name not in POINTS or action not in ("kill", "raise", "delay") or not (count or "1").isdecimal():
            raise ValueError(f"FAILPOINTS has {part!r}; write NAME=kill@3, NAME=raise or NAME=delay:0.5")
        _armed[name] = _Armed(action, float(seconds or 0.2), int(count or 1))
    return tuple(_armed)


def reach(name: str) -> None:
    """Say that the code is at a place; what a test armed there happens now."""
    armed = _armed.get(name)
    if armed is not None:
        _happen(name, armed)


def reach_soon(name: str) -> None:
    """As ``reach``, a moment later: for what happens once this request has been answered."""
    armed = _armed.get(name)
    if armed is not None:
        asyncio.get_running_loop().call_later(0.02, _happen, name, armed)


def _happen(name: str, armed: _Armed) -> None:
    armed.passes -= 1
    if armed.passes > 0:
        return
    if armed.action == "delay":
        time.sleep(armed.seconds)  # the whole process stands still, as on a machine that swaps
    elif armed.action == "raise":
        del _armed[name]  # once
        raise Injected(f"injected at {name}")
    else:
        os.kill(os.getpid(), signal.SIGKILL)
