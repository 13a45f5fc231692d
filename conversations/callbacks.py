"""The promise to get back to a contact who came while nobody was there, from the question how to the closed ticket.

``Conversation.callback_state`` says how far it is: the contact was ``ASKED`` how to reach them, or has ``GIVEN`` it; an
agent has ``ANSWERED`` since; with the end of the conversation the ticket is to be closed (``CLOSING``), and then it is
(``CLOSED``). An agent who resolves without an answer leaves the ticket to whoever calls back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conversations.change import Change

ASKED = "asked"
GIVEN = "given"
ANSWERED = "answered"
CLOSING = "closing"
CLOSED = "closed"


def note_answer(change: Change) -> None:
    """An agent has said something to a contact who was promised a callback."""
    conversation = change.conversation
    if conversation.callback_ticket is not None or conversation.callback_due:
        change.set(callback_state=ANSWERED)


def note_end(change: Change) -> None:
    """The conversation is over: what was answered needs no callback any more."""
    conversation = change.conversation
    if conversation.callback_state != ANSWERED:
        return
    if conversation.callback_ticket is None:
        change.set(callback_state=None, callback_due=False)  # it never came to a ticket
    else:
        change.set(callback_state=CLOSING, callback_due=True)
