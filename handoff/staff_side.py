"""Everything the staff's side is made of: the app builds one, mounts ``staff_blueprints`` of it and closes it at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from conversations.attachments import Attachments
from conversations.conversations import Conversations
from conversations.json_form import attachment_json, message_json
from conversations.model import Attachment, Message
from conversations.rule_book import RuleBook
from conversations.store import Database
from crm.port import Crm
from handoff.demo import DemoSignIn
from handoff.guard import Guard
from handoff.pages import DIST
from handoff.presence import PresenceBoard
from handoff.prompt_desk import PromptDesk
from handoff.roles import DESK
from handoff.search_store import SearchStore
from handoff.sign_in import SignIn
from handoff.store import StaffMember, StaffStore
from knowledge_base.synonym_book import SynonymBook


class StaffSide:
    """The staff's side of one service process."""

    def __init__(
        self,
        database: Database,
        conversations: Conversations,
        crm: Crm,
        attachments: Attachments,
        public_url: str,
        *,
        prompts: PromptDesk,
        store: StaffStore | None = None,
        sign_in: SignIn | None = None,
        demo_sign_ins: Sequence[DemoSignIn] = (),
        dist: Path = DIST,
        check_session_seconds: float = 5.0,
        knowledge_status: Callable[[], dict[str, Any]] = dict,
        synonyms: SynonymBook | None = None,
        rules: RuleBook | None = None,
    ) -> None:
        self.conversations = conversations
        self.crm = crm
        self.attachments = attachments
        self.prompts = prompts
        self.store = store or StaffStore(database)
        self.sign_in = sign_in or SignIn(self.store)
        self.search = SearchStore(database)
        self.guard = Guard(self.sign_in, public_url)
        self.presence = PresenceBoard(conversations)
        self.demo_sign_ins = tuple(demo_sign_ins)
        self.dist = dist
        self.synonyms = synonyms
        self.rules = rules or RuleBook(database, conversations.audit, conversations.now)
        self.check_session_seconds = check_session_seconds
        self.knowledge_status = knowledge_status

    async def close(self) -> None:
        """Stop what runs in the background."""
        await self.presence.close()

    def message_json(self, message: Message) -> dict[str, Any]:
        """A message as staff see it, with addresses for its files."""
        return self.with_urls(message_json(message))

    def with_urls(self, form: dict[str, Any]) -> dict[str, Any]:
        """The JSON form of a message with a signed address on each of its files."""
        if not form["attachments"]:
            return form
        return form | {"attachments": [self.attachment_json(Attachment(**one)) for one in form["attachments"]]}

    def attachment_json(self, attachment: Attachment) -> dict[str, Any]:
        """A file with a signed address."""
        return attachment_json(attachment) | {"url": self.attachments.signed_url(attachment)}

    async def agents_json(self) -> list[dict[str, Any]]:
        """Everybody who can hold a conversation, with presence and load; those at the desk first."""
        everyone = await self.presence.everyone()
        rank = {"online": 0, "away": 1, "offline": 2}
        forms = []
        for member in await self.store.all_staff():
            if member.active and member.role in DESK:
                presence = everyone.get(member.id)
                state, assigned = self.presence.state_of(presence), presence.assigned if presence else 0
                forms.append(member_json(member) | {"agent_id": member.id, "state": state, "assigned": assigned})
        return sorted(forms, key=lambda form: rank[form["state"]])


def member_json(member: StaffMember) -> dict[str, Any]:
    """A member of staff as the console shows them."""
    return {
        "id": member.id,
        "name": member.name,
        "email": member.email,
        "role": member.role.value,
        "languages": list(member.languages),
    }
