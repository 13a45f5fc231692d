"""More than one agent in a conversation: colleagues who help, supervisors who join or take over, teams it is passed to.

There is never more than one assignee. Participants write, too, but the conversation stays the assignee's, and the
contact is told who comes and who goes.
"""

from __future__ import annotations

from datetime import timedelta

from conversations import capacity, custody
from conversations.change import Change
from conversations.errors import IllegalTransition, InvalidMessage, NotAssigned, NotFound
from conversations.model import Agent, Conversation, Participant, Status
from conversations.queue_store import QueueStore
from conversations.verbs import Verbs

INVITATION = timedelta(seconds=90)
MOST_PARTICIPANTS = 5


class Company(Verbs):
    """The verbs of conversations with several agents."""

    async def transfer_to_team(
        self, conversation_id: str, agent: Agent, team_id: str, note: str = "", *, oversees: bool = False
    ) -> Conversation:
        """Put the conversation at the head of another team's queue and tell the contact.

        Who ``oversees`` may also move one that nobody holds.
        """
        team = self._desk.roster().find(team_id)
        if team is None:
            raise NotFound("there is no such team; reload the list of teams")
        ticket = await self._ticket(conversation_id, "transferred", team=team)
        async with self._change(conversation_id) as change:
            if oversees and change.conversation.status in (Status.QUEUED, Status.BOT):
                await custody.reroute(change, agent, team, note, ticket)
            else:
                await custody.transfer_to_team(change, agent, team, note, ticket)
        return change.conversation

    async def check_room(self, agent: Agent) -> None:
        """Raise ``AtCapacity`` where an agent to whom something is to be passed on holds enough already."""
        async with self.database.read() as connection:
            await capacity.check_room(connection, self._desk.roster(), agent, self.now())

    async def invite(self, conversation_id: str, agent: Agent, colleague: Agent, note: str = "") -> Conversation:
        """Ask a colleague who is at the desk to help; the conversation stays the agent's."""
        async with self._change(conversation_id) as change:
            custody.require(change, agent)
            conversation = change.conversation
            if colleague.id == agent.id:
                raise InvalidMessage("choose a colleague; you are in this conversation already")
            if conversation.participant(colleague.id) is not None:
                raise InvalidMessage(f"{colleague.name} is invited already")
            if len(conversation.participants) >= MOST_PARTICIPANTS:
                raise InvalidMessage(f"at most {MOST_PARTICIPANTS} colleagues can take part; remove somebody first")
            if await change.deliveries.agent_lost(colleague.id, self.now() - self._grace):
                raise InvalidMessage(f"{colleague.name} is not at the desk; choose someone else")
            if note.strip():
                custody.note(change, agent, note)
            until = change.now + INVITATION
            custody.add_participant(change, Participant(colleague.id, colleague.name, "guest", None, until))
            change.record("invited", f"agent:{agent.id}", {"colleague": colleague.id})
            custody.tell_staff(change, "invited", agent_id=colleague.id, by=agent.name)
        return change.conversation

    async def join(self, conversation_id: str, agent: Agent) -> Conversation:
        """Follow an invitation; the contact is told who is there now."""
        async with self._change(conversation_id) as change:
            custody.join(change, agent)
        return change.conversation

    async def leave(self, conversation_id: str, agent: Agent) -> Conversation:
        """Stop taking part, or decline an invitation."""
        async with self._change(conversation_id) as change:
            _part(change, agent.id, f"agent:{agent.id}", "left")
        return change.conversation

    async def remove(self, conversation_id: str, agent: Agent, colleague_id: str) -> Conversation:
        """Let the assignee send a participant away; a supervisor leaves by themselves."""
        async with self._change(conversation_id) as change:
            custody.require(change, agent)
            part = change.conversation.participant(colleague_id)
            if part is not None and part.role == "supervisor":
                raise NotAssigned(f"{part.name} joined as a supervisor and leaves by themselves")
            _part(change, colleague_id, f"agent:{agent.id}", "removed")
        return change.conversation

    async def barge_in(self, conversation_id: str, supervisor: Agent) -> Conversation:
        """Join a colleague's conversation unasked, to speak without taking it over."""
        async with self._change(conversation_id) as change:
            conversation = change.conversation
            if conversation.status is not Status.ASSIGNED or conversation.agent_id == supervisor.id:
                raise InvalidMessage("nobody else has this conversation; accept it to answer")
            part = conversation.participant(supervisor.id)
            if part is not None and part.joined_at is not None:
                return conversation
            custody.add_participant(change, Participant(supervisor.id, supervisor.name, "supervisor", change.now))
            change.record("barged_in", f"agent:{supervisor.id}", {"agent_id": conversation.agent_id})
            change.notice("guest_joined", agent=supervisor.name)
            custody.tell_staff(change, "barged_in", agent_id=conversation.agent_id, by=supervisor.name)
        return change.conversation

    async def take_over(self, conversation_id: str, supervisor: Agent) -> Conversation:
        """Become the assignee in an agent's place; the agent and the contact are told."""
        async with self._change(conversation_id) as change:
            conversation = change.conversation
            if conversation.status is Status.RESOLVED:
                raise IllegalTransition(Status.RESOLVED, Status.ASSIGNED)
            if conversation.status is not Status.ASSIGNED:
                raise InvalidMessage("no agent has this conversation; accept it instead")
            if conversation.agent_id == supervisor.id:
                return conversation
            await change.deliveries.note_work(supervisor.id, supervisor.name, change.now)
            custody.hand_to(change, supervisor)
            change.record("taken_over", f"agent:{supervisor.id}", {"from": conversation.agent_id})
            change.notice("taken_over", agent=supervisor.name)
            custody.tell_staff(change, "taken_over", agent_id=conversation.agent_id, by=supervisor.name)
        return change.conversation

    # -- the sweeper

    async def tidy_company(self) -> int:
        """Part with participants who were away longer than the grace period, and with invitations nobody followed."""
        async with self.database.read() as connection:
            found = await QueueStore(connection).with_participants()
        parted = 0
        for one in found:
            async with self._change(one.id) as change:
                for part in change.conversation.participants:
                    if part.joined_at is None:
                        gone = part.invited_until is None or part.invited_until <= change.now
                    else:
                        gone = await change.deliveries.agent_lost(part.agent_id, self.now() - self._grace)
                    if gone:
                        _part(change, part.agent_id, "system", "lost" if part.joined_at else "lapsed")
                        parted += 1
        return parted


def _part(change: Change, agent_id: str, actor: str, how: str) -> None:
    conversation = change.conversation
    part = conversation.participant(agent_id)
    if part is None:
        raise NotAssigned("this colleague does not take part in the conversation any more")
    change.set(
        participants=tuple(one for one in conversation.participants if one.agent_id != agent_id),
        updated_at=change.now,
    )
    change.record("parted", actor, {"agent_id": agent_id, "how": how})
    if part.joined_at is not None:
        change.notice("guest_left", agent=part.name, owner=conversation.agent_name or "")
