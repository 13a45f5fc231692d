"""How agents keep order: labels, priority, and putting conversations aside until a time."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from conversations.audit import AuditEntry, AuditLog
from conversations.change import AWAKE, STAFF, Change
from conversations.errors import IllegalTransition, InvalidMessage, NotAssigned, NotFound
from conversations.json_form import label_json
from conversations.model import PRIORITIES, Agent, Conversation, Label, Status, new_id
from conversations.organising_store import OrganisingStore
from conversations.verbs import Verbs

COLOURS = ("grey", "red", "orange", "yellow", "green", "teal", "blue", "indigo", "purple", "pink")
MAX_TITLE = 40
MAX_LABELS = 200  #: in use at a desk
MAX_LABELS_EACH = 20  #: on one conversation
MAX_REASON = 200
LONGEST_SNOOZE = timedelta(days=366)
_WAKE_BATCH = 100


class Organising(Verbs):
    """The organising part of ``Conversations``; none of it changes who speaks."""

    audit: AuditLog

    # labels

    async def labels(self) -> list[Label]:
        """Every label, archived ones too."""
        async with self.database.read() as connection:
            return await OrganisingStore(connection).all_labels()

    async def add_label(self, title: str, colour: str, agent: Agent) -> Label:
        """A new label, or the one of that title, taken out of the archive if it is there."""
        title, key = clean_title(title)
        async with self.database.write() as connection:
            store = OrganisingStore(connection)
            label = Label(new_id(), title, _colour(colour))
            known = await store.find_label_called(key)
            if known is None and await store.count_labels() >= MAX_LABELS:
                raise InvalidMessage(f"there are {MAX_LABELS} labels already; archive some that nobody uses")
            if known is None and not await store.add_label(label, key, agent.id, self.now()):
                known = await store.find_label_called(key)
            if known is not None:
                if not known.archived:
                    return known
                label = replace(known, archived=False)
                await store.change_label(label, key, self.now())
            data = {"label_id": label.id, "title": label.title}
            await self.audit.append(connection, self.now(), [AuditEntry("label_added", f"agent:{agent.id}", data=data)])
        await self.hub.publish(STAFF, {"type": "label", "label": label_json(label)})
        return label

    async def change_label(self, label_id: str, title: str, colour: str, archived: bool, agent: Agent) -> Label:
        """Rename, recolour, archive or restore a label; raises ``NotFound``."""
        title, key = clean_title(title)
        async with self.database.write() as connection:
            store = OrganisingStore(connection)
            if await store.find_label(label_id) is None:
                raise NotFound("there is no such label; reload the list")
            namesake = await store.find_label_called(key)
            if namesake is not None and namesake.id != label_id:
                raise InvalidMessage(f"there is a label {namesake.title!r} already; choose another title")
            label = Label(label_id, title, _colour(colour), archived)
            await store.change_label(label, key, self.now())
            data = {"label_id": label.id, "title": label.title, "colour": label.colour, "archived": archived}
            entry = AuditEntry("label_changed", f"agent:{agent.id}", data=data)
            await self.audit.append(connection, self.now(), [entry])
        await self.hub.publish(STAFF, {"type": "label", "label": label_json(label)})
        return label

    async def change_labels(
        self, conversation_id: str, agent: Agent, add: Sequence[str] = (), remove: Iterable[str] = ()
    ) -> Conversation:
        """Put labels on a conversation and take others off; those it has or lacks already make no difference."""
        async with self._change(conversation_id) as change:
            store = OrganisingStore(change.connection)
            known = {label.id: label for label in await store.all_labels()}
            unknown = [label_id for label_id in add if label_id not in known or known[label_id].archived]
            if unknown:
                raise NotFound("one of the labels does not exist or is archived; reload the list")
            gone = set(remove)
            before = change.conversation.label_ids
            after = tuple(dict.fromkeys(one for one in (*before, *add) if one not in gone or one in add))
            if len(after) > MAX_LABELS_EACH:
                raise InvalidMessage(f"a conversation has at most {MAX_LABELS_EACH} labels; take one off first")
            if after != before:
                change.set(label_ids=after)
                await store.set_labels(conversation_id, after, change.now)
                data = {"added": sorted(set(after) - set(before)), "removed": sorted(set(before) - set(after))}
                change.record("labelled", f"agent:{agent.id}", data)
        return change.conversation

    # priority

    async def set_priority(self, conversation_id: str, agent: Agent, level: str) -> Conversation:
        """Say how urgent a conversation is: one of ``PRIORITIES``."""
        if level not in PRIORITIES:
            raise InvalidMessage(f"the priority is one of {', '.join(PRIORITIES)}")
        async with self._change(conversation_id) as change:
            before = change.conversation.manual_priority
            if before != level:
                change.set(manual_priority=level)
                change.record("prioritised", f"agent:{agent.id}", {"from": before, "to": level})
        return change.conversation

    # snoozing

    async def snooze(self, conversation_id: str, agent: Agent, until: datetime, reason: str = "") -> Conversation:
        """Put a conversation with people aside until a time or until the contact writes; ``agent`` is told then."""
        reason = reason.replace("\x00", "").strip()
        if len(reason) > MAX_REASON:
            raise InvalidMessage(f"the reason is longer than {MAX_REASON} characters; say it in a note")
        async with self._change(conversation_id) as change:
            conversation = change.conversation
            if conversation.status not in (Status.QUEUED, Status.ASSIGNED):
                raise IllegalTransition(conversation.status, "snoozed")
            if conversation.status is Status.ASSIGNED and conversation.agent_id != agent.id:
                raise NotAssigned(f"this conversation is not assigned to you: {conversation.agent_name} has it")
            if not self.now() < until <= self.now() + LONGEST_SNOOZE:
                raise InvalidMessage("choose a time to come within a year")
            change.set(snoozed_until=until, snoozed_by=agent.id, snooze_reason=reason or None)
            data = {"until": until.isoformat(timespec="seconds")}
            change.record("snoozed", f"agent:{agent.id}", data, {"reason": reason} if reason else None)
        return change.conversation

    async def unsnooze(self, conversation_id: str, agent: Agent) -> Conversation:
        """Take a conversation back before its time; harmless if it is awake."""
        async with self._change(conversation_id) as change:
            if change.conversation.snoozed_until is not None:
                change.set(updated_at=change.now, **AWAKE)
                change.record("woke", f"agent:{agent.id}", {"why": "agent"})
        return change.conversation

    async def wake_due(self) -> int:
        """Bring back every conversation whose time has come; each once, however many processes sweep."""
        async with self.database.read() as connection:
            due = await OrganisingStore(connection).due_to_wake(self.now(), _WAKE_BATCH)
        woken = 0
        for conversation_id in due:
            async with self._change(conversation_id) as change:
                until = change.conversation.snoozed_until
                if until is not None and until <= self.now():
                    wake(change, "time")
                    woken += 1
        return woken

    # notices

    async def unseen_notices(self, staff_id: str, conversation_ids: Sequence[str]) -> dict[str, dict[str, int]]:
        """By conversation and kind ("mention", "woke"), how many notices the member has not seen."""
        async with self.database.read() as connection:
            return await OrganisingStore(connection).unseen_notices(staff_id, conversation_ids)

    async def see_notices(self, staff_id: str, conversation_id: str, seq: int) -> int:
        """The member has read up to ``seq``; their other consoles are told if that settled a notice."""
        async with self.database.read() as connection:
            if not await OrganisingStore(connection).unseen_notices(staff_id, [conversation_id]):
                return 0
        async with self.database.write() as connection:
            settled = await OrganisingStore(connection).see_notices(staff_id, conversation_id, seq, self.now())
        if settled:
            event = {"type": "notices_seen", "conversation_id": conversation_id, "staff_id": staff_id, "seq": seq}
            await self.hub.publish(STAFF, event)
        return settled


def wake(change: Change, why: str) -> None:
    """Bring a snoozed conversation back and tell whoever put it aside; ``why`` is "time" or "contact"."""
    asleep_by = change.conversation.snoozed_by
    change.set(updated_at=change.now, **AWAKE)
    change.record("woke", "system" if why == "time" else "contact", {"why": why})
    if asleep_by is not None:
        change.notify("woke", asleep_by, change.conversation.last_seq)


def clean_title(title: str) -> tuple[str, str]:
    """A label's title as shown and as compared; raises ``InvalidMessage``."""
    shown = " ".join(title.replace("\x00", "").split())
    if not shown or len(shown) > MAX_TITLE:
        raise InvalidMessage(f"a label has 1 to {MAX_TITLE} characters")
    return shown, unicodedata.normalize("NFKC", shown).casefold()


def _colour(colour: str) -> str:
    if colour not in COLOURS:
        raise InvalidMessage(f"the colour is one of {', '.join(COLOURS)}")
    return colour
