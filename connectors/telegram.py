"""Telegram: a bot of the Bot API, by webhook or by long polling."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, ClassVar, Self, TypeVar

from pydantic import Field, StringConstraints, model_validator
from telegram import CallbackQuery, Update

from connectors.base import (
    AccountSettings,
    Acknowledgement,
    Arrival,
    BadPayload,
    BadSignature,
    Connector,
    Means,
    Media,
    Receive,
    WebhookRequest,
)
from connectors.parts import Pace, send_parts
from connectors.rate_limit import RateLimit
from connectors.set_up import SetUp, Webhook
from connectors.telegram_api import TelegramApi
from connectors.telegram_messages import Reader, contact_of, read_update
from connectors.telegram_text import Part, keyboard, parts_of
from connectors.unasked import Unasked, Way
from conversations.errors import ConversationError, MessageRejected, SendError
from conversations.model import Attachment, Author, OutboundMessage

_PROOF_HEADER = "x-telegram-bot-api-secret-token"
_REMEMBERED = 10_000  #: contacts of whom it is known who spoke last
_COURTESIES = 64  #: calls that only look nice, at the same time
Value = TypeVar("Value")


class TelegramConnector(Connector):
    """One bot."""

    channel: ClassVar[str] = "telegram"
    set_up: ClassVar[SetUp] = SetUp(
        page="https://t.me/BotFather",
        enter={"secret_token": "secret"},
        events=("message", "callback_query"),
        recipient="123456789",
        also={"set_webhook": "true"},
        without_https={"polling": "true"},
    )
    answers_within: ClassVar[float] = 20.0  # Telegram waits for a minute before it gives a webhook up

    class Settings(AccountSettings):
        """What @BotFather gave, and how updates come."""

        token: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,20}:[A-Za-z0-9_-]{20,100}$"), Field(repr=False)]
        secret: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{16,256}$")] | None = Field(
            default=None, repr=False
        )
        set_webhook: bool = False  #: register the webhook at each start
        polling: bool = False  #: ask for updates instead, where there is no public address
        api_base: Annotated[str, StringConstraints(pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$")] = (
            "https://api.telegram.org"
        )
        proxy: Annotated[str, StringConstraints(pattern=r"^https?://\S+$")] | None = Field(
            default=None, repr=False
        )  #: where Telegram is reached only through one
        # Telegram's advice on sending (https://core.telegram.org/bots/faq#my-bot-is-hitting-limits); not promised.
        per_second: Annotated[int, Field(ge=1, le=1000)] = 30
        chat_per_second: Annotated[float, Field(gt=0, le=100)] = 1.0
        group_per_minute: Annotated[int, Field(ge=1, le=1000)] = 20

        @model_validator(mode="after")
        def _one_way_in(self) -> Self:
            if self.polling and self.set_webhook:
                raise ValueError("set_webhook and polling exclude each other; keep one")
            if self.secret is None and not self.polling and not self.set_webhook:
                raise ValueError("set secret to what you gave setWebhook, or set_webhook: true, or polling: true")
            return self

    def __init__(self, settings: Settings, means: Means) -> None:
        super().__init__(settings.account)
        self._settings = settings
        self._means = means
        self.one_connection = settings.polling  # a second getUpdates ends the first one with 409
        # Made from the token, which only we and Telegram know and which cannot be computed back from it.
        derived = hmac.new(settings.token.encode(), f"webhook of {settings.account}".encode(), "sha256").hexdigest()
        self._secret = settings.secret or derived
        self._api = TelegramApi(settings.token, settings.api_base, settings.proxy)
        self._reader = Reader(int(settings.token.partition(":")[0]), self.address, self.language)
        burst = max(1, round(3 * settings.chat_per_second))  # an answer and its sources need not wait for each other
        together = RateLimit(settings.per_second, 1)
        self._pace = Pace(together, RateLimit(burst, burst / settings.chat_per_second))
        self._group_pace = Pace(together, RateLimit(settings.group_per_minute, 60))
        self._said_last: OrderedDict[str, Author] = OrderedDict()
        self._asked_in: OrderedDict[str, int] = OrderedDict()  #: a member's last message in a group
        self._courtesies: set[asyncio.Task[None]] = set()

    @property
    def webhook(self) -> Webhook:
        """With polling there is none; with a secret of their own the operator registers it."""
        if self._settings.polling:
            return "none"
        return "registered" if self._settings.set_webhook else "pasted"

    def verify(self, request: WebhookRequest) -> None:
        """Raise ``BadSignature`` unless the request carries our secret (https://core.telegram.org/bots/api#setwebhook)."""
        given = request.headers.get(_PROOF_HEADER, "")
        if not hmac.compare_digest(given.encode("utf-8", "surrogatepass"), self._secret.encode()):
            raise BadSignature("the secret token is not the one of this bot's webhook")

    def parse(self, request: WebhookRequest) -> list[Arrival]:
        """The message or press in an update; everything else that happens is not for us."""
        return self._reader.arrivals(read_update(request.body))

    async def acknowledge(self, request: WebhookRequest, store: Callable[[], Awaitable[None]]) -> Acknowledgement:
        """Store, then say so at once; what shows the contact that they were heard goes out meanwhile."""
        await store()
        self._be_courteous(read_update(request.body))
        return Acknowledgement()

    async def fetch(self, media: Media) -> tuple[str, bytes]:
        """Name and content of a file; raises a ``SendError``."""
        return await self._api.download(media.reference)

    def way(self, to: str, told: Unasked, now: datetime) -> Way | None:
        """At any time, until the contact blocks the bot; never in a group, where others read along."""
        return None if to.startswith("-") else "free"

    async def send(self, to: str, message: OutboundMessage) -> str:
        """Texts first, then files; the buttons stand under the last of them. Raises a ``SendError``."""
        chat_text, _, member = to.partition(":")
        try:
            chat = int(chat_text)
        except ValueError:
            raise MessageRejected(f"{chat_text!r} is no chat of Telegram") from None
        rows = keyboard(message.buttons)
        texts = parts_of(message, self._means.public_url, numbered=rows is None)
        parts: list[Part | Attachment] = [*texts, *message.attachments]
        if not parts:
            raise MessageRejected("there is nothing in the message that Telegram can show")
        pace = self._group_pace if chat < 0 else self._pace
        reply_to = self._asked_in.get(to) if member else None

        async def send_one(place: int, part: Part | Attachment) -> str:
            await pace.take(chat_text)
            below = rows if place == len(parts) - 1 else None
            if isinstance(part, Part):
                return await self._api.send_text(chat, part, below, reply_to)
            try:
                file, content = await self._means.files.content(part.id)
            except ConversationError as error:
                raise MessageRejected(f"the file {part.name} cannot be sent: {error}") from None
            return await self._api.send_file(chat, file, content, below, reply_to)

        sent = await send_parts(message, parts, send_one)
        _remember(self._said_last, to, message.author)
        return sent

    async def show_typing(self, contact: str) -> None:
        """In private chats and groups alike; raises a ``SendError``."""
        chat = contact.partition(":")[0]
        if chat.lstrip("-").isdigit():
            await self._api.show_typing(int(chat))

    async def check(self) -> str:
        """Ask Telegram who the bot is; raises a ``SendError``."""
        return f"@{(await self._api.me()).username}"

    async def run(self, receive: Receive) -> None:
        """Learn the bot's name, then register the webhook or ask for updates; raises a ``SendError``."""
        self._reader.username = (await self._api.me()).username or ""
        if self._settings.polling:
            await self._api.delete_webhook()
            self.report("connected", "", "")
            await self._poll(receive)
        if self._settings.set_webhook:
            url = f"{self._means.public_url.rstrip('/')}/webhooks/{self.channel}/{self.account}"
            await self._api.set_webhook(url, self._secret)
        self.report("connected", "", "")
        await asyncio.Event().wait()  # updates come by themselves: nothing here can break

    async def close(self) -> None:
        """Let go of the connections."""
        for task in self._courtesies:
            task.cancel()
        await asyncio.gather(*self._courtesies, return_exceptions=True)
        await self._api.close()

    async def _poll(self, receive: Receive) -> None:
        """Store updates; asking for the next ones confirms those before, so only when all of them are stored."""
        after: int | None = None
        while True:
            by_chat: dict[int, list[Update]] = {}
            for update in await self._api.updates(after):
                chat = update.effective_chat
                by_chat.setdefault(chat.id if chat is not None else 0, []).append(update)
                after = update.update_id + 1
            # One chat's voice message does not hold up the others.
            taken = [self._take(receive, updates) for updates in by_chat.values()]
            for failure in await asyncio.gather(*taken, return_exceptions=True):
                if failure is not None:
                    raise failure

    async def _take(self, receive: Receive, updates: Sequence[Update]) -> None:
        for update in updates:
            with contextlib.suppress(BadPayload):  # it would come again for ever
                await receive(self._reader.arrivals(update))
                self._be_courteous(update)

    def _be_courteous(self, update: Update) -> None:
        """Show the contact that they were heard, without anybody waiting for it."""
        query, message = update.callback_query, update.message
        if query is not None:
            self._meanwhile(partial(self._api.answer_press, query.id, _title(query)))
            if (place := _own_keyboard(query)) is not None:
                self._meanwhile(partial(self._api.remove_keyboard, *place))
        if message is None or message.from_user is None or not self._reader.arrivals(update):
            return
        contact = contact_of(message.chat.id, message.chat.type, message.from_user)
        if message.chat.type != "private":
            _remember(self._asked_in, contact, message.message_id)
        # Where a person answers, nobody can say when they begin to write.
        if self._said_last.get(contact, Author.BOT) is Author.BOT:
            self._meanwhile(partial(self._api.show_typing, message.chat.id))

    def _meanwhile(self, call: Callable[[], Awaitable[None]]) -> None:
        async def try_it() -> None:
            with contextlib.suppress(SendError):  # the message itself is safe
                await call()

        if len(self._courtesies) < _COURTESIES:
            task = asyncio.create_task(try_it())
            self._courtesies.add(task)
            task.add_done_callback(self._courtesies.discard)


def _title(query: CallbackQuery) -> str:
    """What is written on the pressed button, which Telegram itself does not show in the chat."""
    markup = getattr(query.message, "reply_markup", None)
    rows = markup.inline_keyboard if markup is not None else ()
    titles = [button.text for row in rows for button in row if button.callback_data == query.data]
    return f"✓ {titles[0]}" if titles else ""


def _own_keyboard(query: CallbackQuery) -> tuple[int, int] | None:
    """Chat and message of the pressed button, unless in a group somebody presses what was offered to another."""
    message = query.message
    if message is None:
        return None
    if message.chat.type != "private":
        asked = getattr(message, "reply_to_message", None)
        if asked is None or asked.from_user is None or asked.from_user.id != query.from_user.id:
            return None
    return message.chat.id, message.message_id


def _remember(known: OrderedDict[str, Value], contact: str, value: Value) -> None:
    known[contact] = value
    known.move_to_end(contact)
    if len(known) > _REMEMBERED:
        known.popitem(last=False)
