"""What agents do to keep order, as rules of the desk's machine: none of it may break a promise."""

from __future__ import annotations

import contextlib
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from conversations.errors import AlreadyMerged, InvalidMessage
from conversations.model import Agent, Status
from tests.conversations.builders import LIN, inbound
from tests.conversations.history import History
from tests.conversations.machine import CONTACTS, DeskMachine


class OrderMachine(DeskMachine):
    """Conversations are put aside and come back, duplicates are merged and separated again."""

    @precondition(lambda self: self.somebody(Status.QUEUED, Status.ASSIGNED))
    @rule(data=st.data(), minutes=st.sampled_from([1, 90]))
    def agent_puts_it_aside(self, data: st.DataObject, minutes: int) -> None:
        contact = self.pick(data, Status.QUEUED, Status.ASSIGNED)
        desk = self.desk.conversations
        conversation = self.do(desk.find_current(inbound(contact=contact).address))
        if conversation is None or conversation.status not in (Status.QUEUED, Status.ASSIGNED):
            return
        holder = Agent(conversation.agent_id, conversation.agent_name or "") if conversation.agent_id else LIN
        until = self.clock() + timedelta(minutes=minutes)
        after = self.do(desk.snooze(conversation.id, holder, until))
        assert (after.status, after.agent_id) == (conversation.status, conversation.agent_id)

    @rule()
    def what_was_put_aside_comes_back(self) -> None:
        self.do(self.desk.conversations.wake_due())
        for conversation in self.do(History(self.desk).conversations()):
            assert conversation.snoozed_until is None or conversation.snoozed_until > self.clock() - timedelta(
                seconds=1
            )

    @rule(data=st.data(), source=st.sampled_from(CONTACTS))
    def agent_merges(self, data: st.DataObject, source: str) -> None:
        desk = self.desk.conversations
        other = next(name for name in CONTACTS if name != source)
        pair = [self.do(desk.find_current(inbound(contact=name).address)) for name in (source, other)]
        if pair[0] is None or pair[1] is None:
            return
        possible = pair[1].status in (Status.QUEUED, Status.ASSIGNED)
        possible = possible and pair[0].merged_into is None and pair[1].merged_into is None
        try:
            merged = self.do(desk.merge(pair[0].id, pair[1].id, LIN, oversees=True))
        except (AlreadyMerged, InvalidMessage):
            assert not possible
        else:
            assert possible
            assert (merged.status, merged.agent_id) == (pair[1].status, pair[1].agent_id)
            assert pair[0].id not in self.do(History(self.desk).waiting_for_the_bot(Status.RESOLVED))

    @rule(contact=st.sampled_from(CONTACTS))
    def a_merge_is_undone(self, contact: str) -> None:
        desk = self.desk.conversations
        conversation = self.do(desk.find_current(inbound(contact=contact).address))
        if conversation is None or conversation.merged_into is None:
            return
        with contextlib.suppress(InvalidMessage):  # too late
            undone = self.do(desk.undo_merge(conversation.id, LIN, oversees=True))
            assert undone.merged_into is None
            assert (undone.status is Status.ASSIGNED) == (
                undone.agent_id is not None
            ) or undone.status is Status.RESOLVED
        self.do(self.keep_agents())
