"""Telegram's Bot API for one bot: the calls we make, and what its errors mean for a delivery."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import httpx
from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputFile,
    LinkPreviewOptions,
    Message,
    ReplyParameters,
    Update,
    User,
)
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)
from telegram.request import HTTPXRequest

from connectors.telegram_messages import KINDS
from connectors.telegram_text import Part
from conversations.errors import (
    ChannelUnavailable,
    ContactUnreachable,
    DeliveryUnknown,
    MessageRejected,
    RateLimited,
    SendError,
)
from conversations.model import Attachment, Button

MAX_FILE = 10 * 1024 * 1024  #: the desk keeps no larger ones; Telegram hands out 20 MB
MAX_PHOTO = 10_000_000
MAX_VOICE = 1_000_000  #: a larger one is shown as a file
_POLL_SECONDS = 25
_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 10.0
_UPLOAD_SECONDS = 15.0
#: What Telegram says with code 400 where nothing can be delivered to a chat any more (read in the official server).
_GONE = (
    "chat not found",
    "user not found",
    "user is deactivated",
    "group chat was deactivated",
    "peer_id_invalid",
    "have no rights to send",
    "not enough rights to send",
    "need administrator rights",
    "bot is not a member",
    "topic_closed",
)
Answer = TypeVar("Answer")


class TelegramApi:
    """Close it at the end."""

    def __init__(self, token: str, base: str, proxy: str | None = None) -> None:
        self._token = token
        self._moved: dict[int, int] = {}  #: groups that became supergroups, and their new ids
        base = base.rstrip("/")
        self._requests = [self._request(connections, proxy) for connections in (1, 64)]
        polling, request = self._requests
        self._bot = Bot(
            token,
            base_url=f"{base}/bot",
            base_file_url=f"{base}/file/bot",
            request=request,
            get_updates_request=polling,
        )
        self._files = httpx.AsyncClient(
            timeout=httpx.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS),
            proxy=proxy,
            trust_env=False,
            follow_redirects=False,
        )
        self._file_base = f"{base}/file/bot{token}/"

    @staticmethod
    def _request(connections: int, proxy: str | None) -> HTTPXRequest:
        return HTTPXRequest(
            connection_pool_size=connections,
            read_timeout=_ANSWER_SECONDS,
            write_timeout=_ANSWER_SECONDS,
            connect_timeout=_CONNECT_SECONDS,
            pool_timeout=_CONNECT_SECONDS,
            media_write_timeout=_UPLOAD_SECONDS,
            proxy=proxy,
            httpx_kwargs={"trust_env": False},
        )

    async def me(self) -> User:
        """Who the bot is; raises a ``SendError``."""
        return await self._call(self._bot.get_me)

    async def set_webhook(self, url: str, secret: str) -> None:
        """Have updates sent to an address; what waits there is kept. Raises a ``SendError``."""
        await self._call(
            lambda: self._bot.set_webhook(url, secret_token=secret, allowed_updates=KINDS, drop_pending_updates=False)
        )

    async def delete_webhook(self) -> None:
        """Keep updates until they are asked for; raises a ``SendError``."""
        await self._call(lambda: self._bot.delete_webhook(drop_pending_updates=False))

    async def updates(self, after: int | None) -> Sequence[Update]:
        """The updates from an id on, which confirms those before it; waits for some. Raises a ``SendError``."""
        return await self._call(
            lambda: self._bot.get_updates(offset=after, timeout=_POLL_SECONDS, allowed_updates=KINDS)
        )

    async def send_text(self, chat: int, part: Part, rows: list[list[Button]] | None, reply_to: int | None) -> str:
        """Send a text, as plain text where Telegram cannot read the tags; returns its id, raises a ``SendError``."""

        async def send(to: int) -> Message:
            more: dict[str, Any] = {
                "reply_markup": _markup(rows),
                "link_preview_options": LinkPreviewOptions(is_disabled=True),
                "reply_parameters": _reply(reply_to),
            }
            try:
                return await self._bot.send_message(to, part.html, parse_mode="HTML", **more)
            except BadRequest as error:
                # Better without bold than not at all: the text went out in no form yet.
                if "can't parse entities" not in str(error).lower():
                    raise
                return await self._bot.send_message(to, part.plain, **more)

        return await self._to_chat(chat, send)

    async def send_file(
        self, chat: int, file: Attachment, content: bytes, rows: list[list[Button]] | None, reply_to: int | None
    ) -> str:
        """Send a file as what it is, or as a document where Telegram does not show it; raises a ``SendError``."""

        async def send(to: int) -> Message:
            upload = InputFile(content, filename=file.name, attach=False)
            more: dict[str, Any] = {"reply_markup": _markup(rows), "reply_parameters": _reply(reply_to)}
            try:
                if file.media_type in ("image/png", "image/jpeg", "image/webp") and file.size <= MAX_PHOTO:
                    return await self._bot.send_photo(to, upload, **more)
                if file.media_type == "image/gif":
                    return await self._bot.send_animation(to, upload, **more)
                if file.media_type == "video/mp4":
                    return await self._bot.send_video(to, upload, supports_streaming=True, **more)
                if file.media_type == "audio/ogg" and file.size <= MAX_VOICE:
                    return await self._bot.send_voice(to, upload, **more)
            except BadRequest as error:
                if _is_gone(str(error)):
                    raise
                # A picture with strange proportions, a voice that is no Opus: it arrives as a file.
            upload = InputFile(content, filename=file.name, attach=False)
            return await self._bot.send_document(to, upload, disable_content_type_detection=True, **more)

        return await self._to_chat(chat, send)

    async def answer_press(self, query_id: str, said: str) -> None:
        """End the waiting circle on a pressed button; raises a ``SendError``."""
        await self._call(lambda: self._bot.answer_callback_query(query_id, text=said[:200] or None))

    async def remove_keyboard(self, chat: int, message_id: int) -> None:
        """Take the buttons off a message; raises a ``SendError``."""
        await self._call(lambda: self._bot.edit_message_reply_markup(chat, message_id, reply_markup=None))

    async def show_typing(self, chat: int) -> None:
        """Show for five seconds that somebody is writing; raises a ``SendError``."""
        await self._call(lambda: self._bot.send_chat_action(chat, "typing"))

    async def download(self, file_id: str) -> tuple[str, bytes]:
        """Name and content of a file; raises a ``SendError``, also for one that the desk would not keep."""
        found = await self._call(lambda: self._bot.get_file(file_id))
        path = str(found.file_path or "")
        # A server of one's own in local mode names a path on its disk instead.
        if not path.startswith(self._file_base):
            raise MessageRejected("Telegram gave no address for the file")
        if isinstance(found.file_size, int) and found.file_size > MAX_FILE:
            raise MessageRejected(f"the file is larger than {MAX_FILE // 1024 // 1024} MiB")
        content = bytearray()
        try:
            async with self._files.stream("GET", path) as answer:
                if answer.status_code != 200:
                    raise ChannelUnavailable(f"Telegram answered {answer.status_code} instead of the file")
                async for chunk in answer.aiter_bytes():
                    content += chunk
                    if len(content) > MAX_FILE:
                        raise MessageRejected(f"the file is larger than {MAX_FILE // 1024 // 1024} MiB")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ChannelUnavailable(f"the file did not come ({type(error).__name__})") from None
        return path.rpartition("/")[2], bytes(content)

    async def close(self) -> None:
        """Close the connections."""
        for request in self._requests:
            await request.shutdown()
        await self._files.aclose()

    async def _to_chat(self, chat: int, send: Callable[[int], Awaitable[Message]]) -> str:
        async def once_more_where_it_moved() -> Message:
            try:
                return await send(self._moved.get(chat, chat))
            except ChatMigrated as error:
                self._moved[chat] = error.new_chat_id
                return await send(error.new_chat_id)

        return str((await self._call(once_more_where_it_moved)).message_id)

    async def _call(self, call: Callable[[], Awaitable[Answer]]) -> Answer:
        try:
            return await call()
        except TelegramError as error:
            failure = send_error(error)
            # Whatever a library or a proxy put into its message: the token is not for logs.
            failure.args = tuple(str(arg).replace(self._token, "TOKEN") for arg in failure.args)
            raise failure from None


def send_error(error: TelegramError) -> SendError:
    """What an error of the Bot API means (https://core.telegram.org/bots/api#making-requests)."""
    said = str(error)
    if isinstance(error, RetryAfter):
        wait = error.retry_after
        return RateLimited(float(wait if isinstance(wait, int) else wait.total_seconds()))
    if isinstance(error, InvalidToken):
        return MessageRejected("Telegram does not know the bot token; compare it with @BotFather's")
    if isinstance(error, Forbidden) or (isinstance(error, BadRequest) and _is_gone(said)):
        return ContactUnreachable(f"Telegram: {said}")
    if isinstance(error, BadRequest | ChatMigrated) or said.startswith("Request Entity Too Large"):
        return MessageRejected(f"Telegram: {said}")
    if isinstance(error, NetworkError):
        cause = error.__cause__
        not_sent = isinstance(cause, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | httpx.ProxyError)
        if isinstance(cause, httpx.HTTPError) and not not_sent:
            return DeliveryUnknown(f"Telegram did not answer ({type(cause).__name__})")
        return ChannelUnavailable(f"Telegram cannot be reached ({type(cause).__name__})" if not_sent else said)
    if type(error) is TelegramError:  # an answer that is no JSON, with a code that says it was fine
        return DeliveryUnknown(f"Telegram: {said}")
    return ChannelUnavailable(f"Telegram: {said}")


def _is_gone(said: str) -> bool:
    return any(words in said.lower() for words in _GONE)


def _markup(rows: list[list[Button]] | None) -> InlineKeyboardMarkup | None:
    if not rows:
        return None
    return InlineKeyboardMarkup(
        [[InlineKeyboardButton(button.title, callback_data=button.id) for button in row] for row in rows]
    )


def _reply(message_id: int | None) -> ReplyParameters | None:
    return None if message_id is None else ReplyParameters(message_id, allow_sending_without_reply=True)
