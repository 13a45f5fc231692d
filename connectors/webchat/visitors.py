"""What a visitor can do, the same over the socket and by polling; it knows frames and the desk, but no web server."""

from __future__ import annotations

from typing import Any

from connectors.desk import Attachments, Desk, Forms
from connectors.rate_limit import RateLimit
from connectors.webchat.frames import Frame, Hello, Rate, Read, Say, Typing
from connectors.webchat.tokens import VisitorTokens
from conversations.errors import InvalidMessage
from conversations.model import Address, Attachment, InboundMessage, Message

CHANNEL = "webchat"
_MESSAGES_AT_ONCE, _MESSAGES_PER_SECONDS = 20, 10.0
_TYPING_AT_ONCE, _TYPING_PER_SECONDS = 10, 10.0
_READS_AT_ONCE, _READS_PER_SECONDS = 20, 10.0
_FILES_AT_ONCE, _FILES_PER_SECONDS = 10, 60.0


class TooFast(Exception):
    """The visitor sends more than the desk takes; wait ``retry_after_seconds``."""

    def __init__(self, retry_after_seconds: float) -> None:
        super().__init__("you are sending faster than we can read; wait a moment and send it again")
        self.retry_after_seconds = retry_after_seconds


class Visitors:
    """The visitors of one widget account."""

    def __init__(
        self,
        desk: Desk,
        attachments: Attachments,
        forms: Forms,
        tokens: VisitorTokens,
        account: str = "default",
        *,
        elsewhere: bool = False,
    ) -> None:
        """``elsewhere``: whether there are other channels on which a visitor may go on."""
        self._desk = desk
        self._elsewhere = elsewhere
        self._attachments = attachments
        self._forms = forms
        self._tokens = tokens
        self._account = account
        self._messages = RateLimit(_MESSAGES_AT_ONCE, _MESSAGES_PER_SECONDS)
        self._typing = RateLimit(_TYPING_AT_ONCE, _TYPING_PER_SECONDS)
        self._reads = RateLimit(_READS_AT_ONCE, _READS_PER_SECONDS)
        self._files = RateLimit(_FILES_AT_ONCE, _FILES_PER_SECONDS)

    def recognise(self, token: str) -> Address:
        """Where the visitor of a token is reached; raises ``BadToken``."""
        return self._address(self._tokens.read(token))

    async def welcome(self, hello: Hello) -> tuple[Address, Frame]:
        """The visitor who says hello (a new one without a token) and the answer; raises ``BadToken``."""
        token = self._tokens.renewed(hello.token) if hello.token else self._tokens.issue(self._tokens.new_visitor())
        visitor = self._tokens.read(token)
        address = self._address(visitor)
        current = await self._desk.find_current(address)
        return address, {
            "type": "welcome",
            "token": token,
            "visitor": visitor,
            "conversation": None if current is None else self._forms.conversation(current),
            "elsewhere": self._elsewhere,
        }

    async def say(self, address: Address, said: Say, language: str | None) -> Frame:
        """Commit a message and return its acknowledgement; raises ``TooFast`` or a ``ConversationError``."""
        self._pace(self._messages, address)
        if not said.text.strip() and said.button_id is None and not said.attachment_ids:
            raise InvalidMessage("the message is empty; write something or attach a file")
        receipt = await self._desk.receive(
            InboundMessage(
                address=address,
                # The visitor is part of the id: nobody can claim the message of another visitor.
                external_id=f"{address.contact}:{said.client_msg_id}",
                text=said.text,
                button_id=said.button_id,
                attachments=await self._attachments.of_owner(str(address), said.attachment_ids),
                language=said.language or language,
                contact_point=said.contact_point,
            )
        )
        return {
            "type": "ack",
            "client_msg_id": said.client_msg_id,
            "conversation_id": receipt.conversation_id,
            "seq": receipt.seq,
        }

    async def rate(self, address: Address, rating: Rate) -> Frame:
        """Save a rating and return its acknowledgement; raises ``TooFast`` or a ``ConversationError``."""
        self._pace(self._messages, address)
        await self._desk.rate(
            address,
            rating.conversation_id,
            rating.score,
            rating.comment,
            solved=rating.solved,
            nps=rating.nps,
            other_score=rating.other_score,
            never_again=rating.never_again,
        )
        return {"type": "ack", "client_msg_id": rating.client_msg_id, "conversation_id": rating.conversation_id}

    async def typing(self, address: Address, typing: Typing) -> None:
        """Tell the staff; more often than needed is ignored."""
        if self._typing.wait_seconds(str(address)) == 0:
            await self._desk.set_typing(address, typing.preview)

    async def read(self, address: Address, read: Read) -> None:
        """Note how far the visitor has read; more often than needed is ignored."""
        if self._reads.wait_seconds(str(address)) == 0:
            await self._desk.read_by_contact(address, read.conversation_id, read.seq)

    async def upload(self, address: Address, name: str, content: bytes) -> Frame:
        """Keep a file for a message to come; raises ``TooFast`` or ``InvalidMessage``."""
        self._pace(self._files, address)
        attachment = await self._attachments.save(str(address), name, content)
        return {"attachment": self._linked(attachment)}

    def message_frame(self, message: Message, address: Address) -> Frame:
        """A message as the contact sees it; their own ones carry the id their widget gave them."""
        form = self.with_links(self._forms.message(message))
        mine = f"{address.contact}:"
        if message.external_id is not None and message.external_id.startswith(mine):
            form["client_msg_id"] = message.external_id.removeprefix(mine)
        return {"type": "message", "message": form}

    def status_frame(self, conversation: dict[str, Any]) -> Frame:
        """A change of state as the contact sees it."""
        shown = ("status", "agent_name", "position", "agent_read_seq", "asks_contact_details", "merged")
        return {
            "type": "status",
            "conversation_id": conversation["id"],
            **{name: conversation[name] for name in shown if name in conversation},
        }

    def with_links(self, message: dict[str, Any]) -> dict[str, Any]:
        """A message in JSON with a link to each of its files."""
        files = [
            self._linked(Attachment(**{name: file[name] for name in Attachment.__slots__}))
            for file in message["attachments"]
        ]
        return {**message, "attachments": files}

    def _linked(self, attachment: Attachment) -> dict[str, Any]:
        return {
            "id": attachment.id,
            "name": attachment.name,
            "media_type": attachment.media_type,
            "size": attachment.size,
            "url": self._attachments.signed_url(attachment),
        }

    def _address(self, visitor: str) -> Address:
        return Address(CHANNEL, self._account, visitor)

    def _pace(self, limit: RateLimit, address: Address) -> None:
        wait = limit.wait_seconds(str(address))
        if wait > 0:
            raise TooFast(wait)
