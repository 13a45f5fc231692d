"""E-mail: a mailbox read by IMAP, answers handed in by SMTP.

There is no webhook, and no sender is proven by what stands in From; ``connectors/mail_threads.py`` says what proves one.
"""

from __future__ import annotations

import asyncio
import hmac
import ssl
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar, TypeVar

import structlog

from connectors.base import (
    Arrival,
    BadPayload,
    BadSignature,
    Connector,
    Means,
    Media,
    Receive,
    WebhookRequest,
)
from connectors.mail_box import Fetched, MailBox, TokenRefused
from connectors.mail_mime import File, parsed
from connectors.mail_oauth import Tokens
from connectors.mail_reading import Ignored, Mail, Rules, read, thread_of
from connectors.mail_sending import hand_in, sign_in
from connectors.mail_settings import MailSettings
from connectors.mail_threads import Contact, Marks, Thread, Threads
from connectors.mail_writing import Envelope, Letterhead, write
from connectors.parts import Pace, send_parts
from connectors.rate_limit import RateLimit
from connectors.set_up import SetUp, Webhook
from connectors.unasked import Unasked, UnaskedRule
from connectors.vendor_calls import vendor_client
from conversations.errors import ConversationError, MessageRejected, SendError
from conversations.model import Attachment, Author, InboundMessage, OutboundMessage

log = structlog.get_logger()

_LONGEST_TEXT = 19_000  #: the desk takes 20 000 characters
_SHORT = 60  #: a choice, a rating: what was quoted below is not kept for it
_STUBBORN = 3  #: attempts to store a mail before the others go first
_REMEMBERED = 10_000
_CUT_NOTE = {"zh": "［邮件过长，全文见附件］", "en": "[the mail is long; all of it is in the attached file]"}
_TOO_LARGE_NOTE = {"zh": "［邮件过大，附件未能接收］", "en": "[the mail is too large; its files could not be received]"}
_EMPTY_NOTE = {"zh": "［空邮件］", "en": "[an empty mail]"}
_ORIGINAL = {"zh": "原邮件.txt", "en": "whole mail.txt"}
Value = TypeVar("Value")


class MailConnector(Connector):
    """One mailbox."""

    channel: ClassVar[str] = "email"
    unasked: ClassVar[UnaskedRule] = UnaskedRule(repeatable=True)  # the Message-ID is the same for every attempt
    set_up: ClassVar[SetUp] = SetUp(recipient="ann@example.com", also={"password": "${EMAIL_PASSWORD}"})
    answers_within: ClassVar[float] = 30.0  # nobody waits for us but the mailbox
    one_connection = True  # two readers would each store what the other has not yet confirmed
    Settings = MailSettings

    def __init__(self, settings: MailSettings, means: Means) -> None:
        super().__init__(settings.account)
        self.settings = settings
        self._means = means
        # Made from the password, which only we and the mail server know; a new one ends the recognition of old threads.
        signing = settings.secret or settings.password
        assert signing is not None, "the settings need one of them"
        given = signing.get_secret_value()
        key = hmac.digest(given.encode(), f"threads of {settings.address}".encode(), "sha256")
        self.marks = Marks(key, settings.account, settings.address)
        separate = settings.unproven == "separate"
        self._rules = Rules(settings.address, self.marks, settings.authserv_id, separate)
        self._letterhead = Letterhead(settings.address, settings.name, means.public_url)
        self._threads = Threads()
        self._pace = Pace(RateLimit(settings.mails_per_minute, 60))
        self._automatic: OrderedDict[str, deque[tuple[datetime, str]]] = OrderedDict()
        self._failed: dict[int, int] = {}  #: UIDs of mails that could not be stored, and how often
        self._held: dict[str, File] = {}  #: files of the mail that is being stored
        self._context = ssl.create_default_context(cafile=settings.ca_file)
        self._http = vendor_client()
        self._tokens = Tokens(settings.oauth, self._http) if settings.oauth is not None else None

    @property
    def webhook(self) -> Webhook:
        """Mails come by IMAP."""
        return "none"

    # --- receiving

    def verify(self, request: WebhookRequest) -> None:
        """Refuse: mails come by IMAP."""
        raise BadSignature("e-mail has no webhook")

    def parse(self, request: WebhookRequest) -> list[Arrival]:
        """Refuse: mails come by IMAP."""
        raise BadPayload("e-mail has no webhook")

    async def run(self, receive: Receive) -> None:
        """Store what lies in the mailbox and what comes into it; raises ``ChannelUnavailable`` or what storing raises."""
        async with self._opened() as box:
            self.report("connected", "", "")
            while True:
                await self._take_new(box, receive)
                await box.call(lambda one: one.wait(self.settings.poll_seconds, idle=self.settings.idle))

    async def _take_new(self, box: _InThread, receive: Receive) -> None:
        """Store each mail, then confirm it; one that cannot be stored again and again lets the others go first."""
        failed = self._failed
        for uid in sorted(await box.call(MailBox.new), key=lambda uid: failed.get(uid, 0) >= _STUBBORN):
            fetched = await box.call(lambda one, uid=uid: one.fetch(uid))  # type: ignore[misc]
            if fetched is None:
                continue
            try:
                await self._take(fetched, receive)
            except Exception as error:
                failed[uid] = failed.get(uid, 0) + 1
                if failed[uid] <= _STUBBORN:
                    raise
                log.error("mail_not_stored", account=self.account, uid=uid, attempts=failed[uid], error=error)
            else:
                failed.pop(uid, None)
                await box.call(lambda one, uid=uid: one.confirm(uid))  # type: ignore[misc]

    async def _take(self, fetched: Fetched, receive: Receive) -> None:
        mail = await asyncio.to_thread(read, fetched.raw, self._rules, fetched.received_at)
        if isinstance(mail, Ignored):
            bounce = mail.bounce
            if bounce is None:
                log.info("mail_ignored", account=self.account, reason=mail.reason)
                return
            event = "mail_bounced" if bounce.failed else "mail_delayed"
            log.warning(event, account=self.account, outbox_id=bounce.outbox_id, reason=bounce.reason)
            if bounce.failed:
                await self.undelivered(bounce.outbox_id, f"e-mail: the mail came back: {bounce.reason}".rstrip(": "))
            return
        self._threads.put(str(mail.contact), mail.thread)
        try:
            await receive([self.arrival_of(mail, whole=fetched.whole)])
        finally:
            self._held.clear()

    def arrival_of(self, mail: Mail, *, whole: bool = True) -> Arrival:
        """The mail as a message; what was cut away goes with it as a file."""
        language = mail.language or self.language
        text, files = mail.text, list(mail.content.files)
        short = mail.bound and len(text) <= _SHORT and "\n" not in text
        if len(text) > _LONGEST_TEXT:
            text = f"{text[:_LONGEST_TEXT]}\n{_CUT_NOTE[language]}"
            short = False
        if (mail.content.cut and not short) or len(mail.text) > _LONGEST_TEXT:
            files.append(File(_ORIGINAL[language], "file", mail.content.whole.encode("utf-8", "replace")))
        if not whole:
            text = f"{text}\n{_TOO_LARGE_NOTE[language]}".strip()
        if not text and not files:
            text = _EMPTY_NOTE[language]
        media = []
        for place, file in enumerate(files):
            self._held[f"{mail.external_id}/{place}"] = file
            media.append(Media(f"{mail.external_id}/{place}", file.kind, file.name))
        message = InboundMessage(
            self.address(str(mail.contact)),
            mail.external_id,
            text,
            contact_name=mail.name or mail.contact.email,
            language=mail.language,
            sent_at=mail.sent_at,
            vouched=mail.contact.email if mail.vouched else None,
        )
        return Arrival(message, tuple(media))

    async def fetch(self, media: Media) -> tuple[str, bytes]:
        """A file of the mail that is being stored; raises ``MessageRejected`` for one that is too large."""
        file = self._held.get(media.reference)
        if file is None or not file.content:
            raise MessageRejected("the file is empty, larger than 10 MiB, or one too many")
        return file.name, file.content

    # --- sending

    async def send(self, to: str, message: OutboundMessage) -> str:
        """Answer in the contact's thread; the Message-ID is the same for every attempt. Raises a ``SendError``."""
        return await self._send(to, message)

    async def tell(self, to: str, message: OutboundMessage, told: Unasked) -> str:
        """A mail with a subject of its own, and the ways to end such mails that mail programs offer (RFC 8058)."""
        return await self._send(to, message, told)

    async def _send(self, to: str, message: OutboundMessage, told: Unasked | None = None) -> str:
        contact = Contact.read(to)
        if contact is None:
            raise MessageRejected("this is not an e-mail address")
        self._guard(contact, message)
        # Where another process reads the mailbox, what is remembered here may not be the contact's last mail.
        known = (self._threads.find(to) if self.runs_here() else None) if told is None else Thread(told.subject)
        thread = known or await self._looked_up(contact)
        letters = self._letters(message, await self._files_of(message))

        async def send_one(place: int, letter: tuple[OutboundMessage, list[tuple[Attachment, bytes]]]) -> str:
            await self._pace.take(to)
            message_id = self.marks.message_id(contact, message.outbox_id, place)
            address = self.settings.address
            reply_to = self.marks.reply_address(contact) if self.settings.plus_addressing else address
            envelope = Envelope(contact.email, message_id, reply_to, thread, told.stop_url if told else None)
            content = write(self._letterhead, envelope, *letter, self._means.now())
            await self._with_token(
                lambda token: hand_in(self.settings.smtp(token), self._context, address, contact.email, content)
            )
            return message_id

        return await send_parts(message, letters, send_one)

    def _letters(
        self, message: OutboundMessage, files: list[tuple[Attachment, bytes]]
    ) -> list[tuple[OutboundMessage, list[tuple[Attachment, bytes]]]]:
        """One mail, or several where the files are too large for one."""
        letters: list[tuple[OutboundMessage, list[tuple[Attachment, bytes]]]] = [(message, [])]
        size = 0
        for file in files:
            if letters[-1][1] and size + len(file[1]) > self.settings.files_per_mail:
                letters.append((replace(message, text="", buttons=(), citations=()), []))
                size = 0
            letters[-1][1].append(file)
            size += len(file[1])
        return letters

    async def _files_of(self, message: OutboundMessage) -> list[tuple[Attachment, bytes]]:
        try:
            return [await self._means.files.content(one.id) for one in message.attachments]
        except ConversationError as error:
            raise MessageRejected(f"a file of the message is gone: {error}") from None

    def _guard(self, contact: Contact, message: OutboundMessage) -> None:
        """Raise ``MessageRejected`` when machines seem to answer each other; people may always write."""
        if message.author is Author.AGENT:
            return
        now = self._means.now()
        known = self._automatic.setdefault(contact.email.lower(), deque())
        self._automatic.move_to_end(contact.email.lower())
        if len(self._automatic) > _REMEMBERED:
            self._automatic.popitem(last=False)
        while known and now - known[0][0] >= timedelta(hours=1):
            known.popleft()
        if any(outbox_id == message.outbox_id for _, outbox_id in known):
            return  # another attempt
        if len(known) >= self.settings.automatic_per_hour:
            log.warning("mail_loop_stopped", account=self.account, per_hour=self.settings.automatic_per_hour)
            raise MessageRejected("too many automatic answers to this sender within an hour; it may be a machine")
        known.append((now, message.outbox_id))

    async def _looked_up(self, contact: Contact) -> Thread:
        """The contact's last mail as the mailbox knows it, after a restart; an empty thread if it cannot be found."""
        try:
            async with asyncio.timeout(10), self._opened() as box:
                heads = await box.call(lambda one: one.heads_from(contact.email))
        except (SendError, TimeoutError) as error:
            log.info("mail_thread_unknown", account=self.account, error=str(error) or type(error).__name__)
            return Thread()
        for head in heads:
            mail = read(head, self._rules)
            if isinstance(mail, Mail) and (mail.contact == contact):
                self._threads.put(str(contact), thread_of(parsed(head)))
                return mail.thread
        return Thread()

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[_InThread]:
        """The mailbox, signed in; raises a ``SendError``."""

        async def open_with(token: str) -> _InThread:
            box = await stack.enter_async_context(_InThread(MailBox(self.settings.imap(token), self._context)))
            await box.call(MailBox.open)
            return box

        async with AsyncExitStack() as stack:
            yield await self._with_token(open_with)

    async def _with_token(self, sign_in: Callable[[str], Awaitable[Value]]) -> Value:
        """Do something that needs a token, once more with a new one if the server does not take the one we kept."""
        if self._tokens is None:
            return await sign_in("")
        token = await self._tokens.current()
        try:
            return await sign_in(token)
        except TokenRefused:
            self._tokens.forget(token)
            return await sign_in(await self._tokens.current())

    async def close(self) -> None:
        """Let go of connections."""
        await self._http.aclose()

    async def check(self) -> str:
        """Sign in where mails are read and where they are handed in; raises a ``SendError``."""
        async with self._opened():
            await self._with_token(lambda token: sign_in(self.settings.smtp(token), self._context))
        return self.settings.address


class _InThread:
    """A mailbox in a thread of its own, which is let go of when nobody waits for it any more."""

    def __init__(self, box: MailBox) -> None:
        self._box = box
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mailbox")
        self._busy: asyncio.Future[object] | None = None

    async def __aenter__(self) -> _InThread:
        return self

    async def __aexit__(self, *error: object) -> None:
        self._box.stop()
        loop = asyncio.get_running_loop()
        closing = loop.run_in_executor(self._thread, self._box.close)
        done, _ = await asyncio.wait([closing], timeout=3)
        if not done:
            self._box.hang_up()
        self._thread.shutdown(wait=False)

    async def call(self, action: Callable[[MailBox], Value]) -> Value:
        """The result of something blocking; raises what it raises."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, action, self._box)
