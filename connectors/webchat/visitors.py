"""What a visitor can do, the same over the socket and by polling; it knows frames and the desk, but no web server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connectors.desk import Attachments, Desk, Forms
from connectors.rate_limit import RateLimit
from connectors.shared_buckets import SharedBuckets
from connectors.webchat.frames import Frame, Hello, Rate, Read, Say, Typing
from connectors.webchat.site_identity import BadIdentity, SiteIdentity
from connectors.webchat.tokens import BadToken, VisitorTokens
from conversations.errors import HelpedTwice, InvalidMessage, SignatureUsed
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
        site: SiteIdentity | None = None,
        refused: Callable[[str], None] = lambda _why: None,
        heard: Callable[[], None] = lambda: None,
    ) -> None:
        """``elsewhere``: whether there are other channels on which a visitor may go on.

        ``refused`` is told "bad_token" or "too_fast" whenever a visitor is turned away, ``heard`` whenever somebody wrote.
        """
        self._site = site or SiteIdentity(())
        self._desk = desk
        self._heard = heard
        self._elsewhere = elsewhere
        self._refused = refused
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
        return self._address(self._visitor_of(token))

    async def welcome(self, hello: Hello) -> tuple[Address, Frame]:
        """The visitor who says hello (a new one without a token) and the answer; raises ``BadToken``."""
        if hello.token:
            self._visitor_of(hello.token)
        token = self._tokens.renewed(hello.token) if hello.token else self._tokens.issue(self._tokens.new_visitor())
        identity: Frame | None = None
        if hello.identity is not None:
            token, identity = await self._identified(hello, token)
        visitor = self._tokens.read(token)
        address = self._address(visitor)
        if not self._tokens.is_signed_in(token) and await self._desk.is_retired(address):
            raise BadToken("this visitor has signed in; say hello with no token to get a new one")
        current = await self._desk.find_current(address)
        return address, {
            "type": "welcome",
            "token": token,
            "visitor": visitor,
            "conversation": None if current is None else self._forms.conversation(current),
            "elsewhere": self._elsewhere,
            "signed_in": self._tokens.is_signed_in(token),
            **({} if identity is None else {"identity": identity}),
        }

    async def _identified(self, hello: Hello, token: str) -> tuple[str, Frame]:
        """The token of the site's user, if the site has really signed who this is, and what the page is told.

        What a refused signature claims is not believed, and nobody keeps the conversation of whom it does not claim.
        """
        tokens, here = self._tokens, self._tokens.read(token)
        signed_in = tokens.is_signed_in(token)
        try:
            user = self._site.check(hello.identity or {})
            visitor = tokens.visitor_of(user.id)
            if not (signed_in and here == visitor):
                customer = await self._site.customer_of(user)
                await self._desk.sign_in(
                    self._address(visitor),
                    self._address(here),
                    user.signature_hash,
                    user.expires_at,
                    anonymous=not signed_in,
                    name=user.name,
                    language=hello.language,
                    customer_id=customer,
                )
            return tokens.issue(visitor, signed_in=True), {"ok": True}
        except BadIdentity as error:
            refusal = error
        except SignatureUsed:
            refusal = BadIdentity("used")
        except HelpedTwice:
            refusal = BadIdentity("later")
        claimed = (hello.identity or {}).get("id")
        same = not signed_in or (isinstance(claimed, str) and tokens.visitor_of(claimed) == here)
        told = {"ok": False, "code": refusal.code, "message": refusal.en, "message_zh": refusal.zh}
        return token if same else tokens.issue(tokens.new_visitor()), told

    async def say(self, address: Address, said: Say, language: str | None) -> Frame:
        """Commit a message and return its acknowledgement; raises ``TooFast`` or a ``ConversationError``."""
        await self._pace(self._messages, address)
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
        self._heard()
        return {
            "type": "ack",
            "client_msg_id": said.client_msg_id,
            "conversation_id": receipt.conversation_id,
            "seq": receipt.seq,
        }

    async def rate(self, address: Address, rating: Rate) -> Frame:
        """Save a rating and return its acknowledgement; raises ``TooFast`` or a ``ConversationError``."""
        await self._pace(self._messages, address)
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
        if await self._typing.take(str(address)) == 0:
            await self._desk.set_typing(address, typing.preview)

    async def read(self, address: Address, read: Read) -> None:
        """Note how far the visitor has read; more often than needed is ignored."""
        if await self._reads.take(str(address)) == 0:
            await self._desk.read_by_contact(address, read.conversation_id, read.seq)

    async def upload(self, address: Address, name: str, content: bytes) -> Frame:
        """Keep a file for a message to come; raises ``TooFast`` or ``InvalidMessage``."""
        await self._pace(self._files, address)
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

    def share_limits(self, buckets: SharedBuckets) -> None:
        """Count what a visitor does together with the other service processes."""
        limits = {"messages": self._messages, "typing": self._typing, "reads": self._reads, "files": self._files}
        for name, limit in limits.items():
            limit.share(buckets, f"webchat:{self._account}:{name}")

    def _address(self, visitor: str) -> Address:
        return Address(CHANNEL, self._account, visitor)

    def _visitor_of(self, token: str) -> str:
        try:
            return self._tokens.read(token)
        except BadToken:
            self._refused("bad_token")
            raise

    async def _pace(self, limit: RateLimit, address: Address) -> None:
        wait = await limit.take(str(address))
        if wait > 0:
            self._refused("too_fast")
            raise TooFast(wait)
