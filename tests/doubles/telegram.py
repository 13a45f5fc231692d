"""A Bot API on loopback: checks what it is asked as Telegram documents it, and keeps what bots send.

Methods and parameters: https://core.telegram.org/bots/api; error texts as the official server writes them.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from html.parser import HTMLParser
from typing import Any

from tests.doubles.telegram_updates import Updates
from tests.doubles.vendor_server import Answer, Call, serving

TOKEN = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1"
BOT = {"id": 123456789, "is_bot": True, "first_name": "Kite", "username": "KiteDeskBot"}
_SEND = {"chat_id", "reply_markup", "reply_parameters"}
#: Parameters of each method: needed, allowed besides.
METHODS: dict[str, tuple[set[str], set[str]]] = {
    "getMe": (set(), set()),
    "setWebhook": ({"url"}, {"secret_token", "allowed_updates", "drop_pending_updates", "max_connections"}),
    "deleteWebhook": (set(), {"drop_pending_updates"}),
    "getUpdates": (set(), {"offset", "limit", "timeout", "allowed_updates"}),
    "sendMessage": ({"chat_id", "text"}, _SEND | {"parse_mode", "link_preview_options"}),
    "sendPhoto": ({"chat_id", "photo"}, _SEND | {"caption"}),
    "sendAnimation": ({"chat_id", "animation"}, _SEND | {"caption"}),
    "sendVideo": ({"chat_id", "video"}, _SEND | {"caption", "supports_streaming"}),
    "sendVoice": ({"chat_id", "voice"}, _SEND | {"caption"}),
    "sendDocument": ({"chat_id", "document"}, _SEND | {"caption", "disable_content_type_detection"}),
    "sendChatAction": ({"chat_id", "action"}, set()),
    "answerCallbackQuery": ({"callback_query_id"}, {"text"}),
    "editMessageReplyMarkup": ({"chat_id", "message_id"}, {"reply_markup"}),
    "getFile": ({"file_id"}, set()),
}
FILES = {"sendPhoto": "photo", "sendAnimation": "animation", "sendVideo": "video", "sendVoice": "voice"}
WORDS = {"text", "url", "secret_token", "callback_query_id", "file_id"}
TAGS = {"b", "strong", "i", "em", "u", "s", "code", "pre", "a", "blockquote"}


class Refused(Exception):
    """An error of the Bot API."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code = code
        self.parameters = parameters


class TelegramDouble:
    """The server of one bot."""

    def __init__(self) -> None:
        self.url = ""
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.sent: list[dict[str, Any]] = []  #: messages that are out, in their order
        self.blocked: set[int] = set()
        self.moved: dict[int, int] = {}
        self.files: dict[str, tuple[str, bytes]] = {}
        self.next: dict[str, deque[Refused | str]] = defaultdict(deque)  #: what happens to the next calls of a method
        self.quota = 1000  #: messages that a chat takes in a second
        self.clock: Callable[[], float] = time.monotonic
        self.updates = Updates()
        self.conflicts = 0  #: requests for updates that another one ended
        self._polls = 0
        self._times: dict[int, list[float]] = defaultdict(list)
        self._ids = itertools.count(1000)
        self._arrived = asyncio.Condition()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[TelegramDouble]:
        """While it serves."""
        async with serving(self._handle) as self.url:
            try:
                yield self
            finally:
                await self.updates.stop()

    def named(self, method: str) -> list[dict[str, Any]]:
        """The parameters of every call of a method."""
        return [given for name, given in self.calls if name == method]

    async def until(self, count: int, chat: int | None = None) -> list[dict[str, Any]]:
        """The messages that are out in a chat (or anywhere), once there are ``count``."""
        return await self._once(count, lambda: [one for one in self.sent if chat is None or one["chat_id"] == chat])

    async def saying(self, words: str) -> dict[str, Any]:
        """The newest message with these words in its text or on its buttons, once there is one."""
        found = await self._once(
            1, lambda: [one for one in self.sent if words in json.dumps(_seen(one), ensure_ascii=False)]
        )
        return found[-1]

    async def called(self, method: str, count: int = 1) -> list[dict[str, Any]]:
        """The parameters of the calls of a method, once there are ``count``."""
        return await self._once(count, lambda: self.named(method))

    async def _once(self, count: int, find: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]]:
        async with asyncio.timeout(20), self._arrived:
            await self._arrived.wait_for(lambda: len(find()) >= count)
            return find()

    async def _handle(self, call: Call) -> Answer:
        try:
            return await self._respond(call)
        finally:
            async with self._arrived:
                self._arrived.notify_all()

    async def _respond(self, call: Call) -> Answer:
        prefix = f"/file/bot{TOKEN}/"
        if call.path.startswith(prefix):
            found = [content for path, content in self.files.values() if path == call.path.removeprefix(prefix)]
            return Answer(found[0]) if found else Answer(b"not found", 404)
        token, _, method = call.path.removeprefix("/bot").partition("/")
        try:
            if token != TOKEN:
                raise Refused(401, "Unauthorized")
            if method not in METHODS:
                raise Refused(404, "Not Found")
            planned = self.next[method].popleft() if self.next[method] else None
            if isinstance(planned, Refused):
                self.calls.append((method, {}))
                raise planned
            if planned == "broken":
                self.calls.append((method, {}))
                return Answer(b"<html>Bad Gateway</html>", 502)
            result = await self._answer(method, call)
            if planned == "silence":
                await asyncio.sleep(60)
            if planned == "hang up":  # it happened, and nobody hears of it
                return Answer(cut=True)
            if planned == "garbage":
                return Answer(b"<html>")
        except Refused as error:
            form = {"ok": False, "error_code": error.code, "description": str(error)}
            if error.parameters:
                form["parameters"] = error.parameters
            return Answer(form, error.code)
        return Answer({"ok": True, "result": result})

    async def _answer(self, method: str, call: Call) -> Any:
        given: dict[str, Any] = {}
        for name, value in call.form().items():
            try:
                given[name] = value if name in WORDS else json.loads(value)
            except ValueError:
                given[name] = value
        given |= {name: file for name, file in call.parts().items() if file[0]}
        self.calls.append((method, given))
        needed, allowed = METHODS[method]
        if missing := needed - given.keys():
            what = "message text is empty" if missing == {"text"} else f"{min(missing)} is missing"
            raise Refused(400, f"Bad Request: {what}")
        if unknown := given.keys() - needed - allowed:  # Telegram passes them over; here they are mistakes
            raise Refused(400, f"Bad Request: unexpected parameter {min(unknown)}")
        if "chat_id" in given:
            self._check_chat(given["chat_id"])
        if method.startswith("send") and method != "sendChatAction":
            return self._send(method, given)
        return await getattr(self, f"_{method}")(given)

    def _check_chat(self, chat: Any) -> None:
        if chat in self.blocked:
            raise Refused(403, "Forbidden: bot was blocked by the user")
        if chat in self.moved:
            raise Refused(
                400,
                "Bad Request: group chat was upgraded to a supergroup chat",
                migrate_to_chat_id=self.moved[chat],
            )
        if not isinstance(chat, int) or chat not in self.updates.chats:
            raise Refused(400, "Bad Request: chat not found")

    def _send(self, method: str, given: dict[str, Any]) -> dict[str, Any]:
        number, chat = next(self._ids), int(given["chat_id"])
        self._times[chat] = [at for at in self._times[chat] if at > self.clock() - 1]
        if len(self._times[chat]) >= self.quota:
            raise Refused(429, "Too Many Requests: retry after 1", retry_after=1)
        self._times[chat].append(self.clock())
        message: dict[str, Any] = {"message_id": number, "date": int(time.time()), "chat": self.updates.chats[chat]}
        if method == "sendMessage":
            text = shown(given["text"]) if given.get("parse_mode") == "HTML" else given["text"]
            if not text.strip():
                raise Refused(400, "Bad Request: message text is empty")
            if len(text.encode("utf-16-le")) > 2 * 4096:
                raise Refused(400, "Bad Request: message is too long")
            message["text"] = text.strip()
        else:
            kind = FILES.get(method, "document")
            name, content = given[kind] if isinstance(given[kind], tuple) else ("", b"")
            if not content:
                raise Refused(400, "Bad Request: file must be non-empty")
            limits = {"photo": 10, "voice": 1}
            if len(content) > limits.get(kind, 50) * 1024 * 1024:
                raise Refused(413, "Request Entity Too Large")
            if kind == "photo" and not content.startswith((b"\x89PNG", b"\xff\xd8", b"RIFF")):
                raise Refused(400, "Bad Request: IMAGE_PROCESS_FAILED")
            message |= {"file": name, "content": content, "kind": kind}
        self._check_keyboard(given.get("reply_markup"))
        self.sent.append(message | given)
        self.updates.kept[(chat, number)] = message | given
        return {name: value for name, value in message.items() if name not in ("content", "file", "kind")} | {
            "from": BOT
        }

    def _check_keyboard(self, markup: Any) -> None:
        for row in markup["inline_keyboard"] if markup else ():
            for button in row:
                if button.keys() - {"text", "callback_data"} or not button["text"]:
                    raise Refused(400, "Bad Request: can't parse inline keyboard button")
                if not 1 <= len(button["callback_data"].encode()) <= 64:
                    raise Refused(400, "Bad Request: BUTTON_DATA_INVALID")

    async def _getMe(self, given: dict[str, Any]) -> Any:
        return BOT | {"can_join_groups": True, "can_read_all_group_messages": False, "supports_inline_queries": False}

    async def _setWebhook(self, given: dict[str, Any]) -> bool:
        secret = given.get("secret_token", "")
        if len(secret) > 256:
            raise Refused(400, "Bad Request: secret token is too long")
        if not given["url"].startswith(("https://", "http://127.0.0.1:")):  # the second is for tests
            raise Refused(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
        self.updates.push_to(given["url"], secret)
        return True

    async def _deleteWebhook(self, given: dict[str, Any]) -> bool:
        await self.updates.keep()
        return True

    async def _getUpdates(self, given: dict[str, Any]) -> Any:
        if self.updates.webhook:
            text = "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
            raise Refused(409, f"Conflict: {text}")
        self._polls += 1
        this = self._polls
        updates = await self.updates.waiting(given.get("offset", 0), given.get("limit", 100), given.get("timeout", 0))
        if this != self._polls:
            self.conflicts += 1
            text = "terminated by other getUpdates request; make sure that only one bot instance is running"
            raise Refused(409, f"Conflict: {text}")
        return updates

    async def _sendChatAction(self, given: dict[str, Any]) -> bool:
        if given["action"] not in ("typing", "upload_photo", "upload_document"):
            raise Refused(400, "Bad Request: wrong parameter action in request")
        return True

    async def _answerCallbackQuery(self, given: dict[str, Any]) -> bool:
        if given["callback_query_id"] not in self.updates.presses:
            raise Refused(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
        return True

    async def _editMessageReplyMarkup(self, given: dict[str, Any]) -> Any:
        kept = self.updates.kept.get((given["chat_id"], given["message_id"]))
        if kept is None:
            raise Refused(400, "Bad Request: message to edit not found")
        if kept.get("reply_markup") == given.get("reply_markup"):
            raise Refused(400, "Bad Request: message is not modified")
        kept.pop("reply_markup", None)
        return {"message_id": kept["message_id"], "date": kept["date"], "chat": kept["chat"], "from": BOT}

    async def _getFile(self, given: dict[str, Any]) -> Any:
        if given["file_id"] not in self.files:
            raise Refused(400, "Bad Request: invalid file_id")
        path, content = self.files[given["file_id"]]
        if len(content) > 20 * 1024 * 1024:
            raise Refused(400, "Bad Request: file is too big")
        return {
            "file_id": given["file_id"],
            "file_unique_id": "u",
            "file_size": len(content),
            "file_path": path,
        }


def _seen(message: dict[str, Any]) -> list[Any]:
    return [message.get("text"), message.get("reply_markup")]


class _Html(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            raise Refused(400, f'Bad Request: can\'t parse entities: Unsupported start tag "{tag}"')
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            raise Refused(400, "Bad Request: can't parse entities: Unexpected end tag")

    def handle_data(self, data: str) -> None:
        if "<" in data:
            raise Refused(400, "Bad Request: can't parse entities: Unsupported start tag")
        self.text += data

    def handle_entityref(self, name: str) -> None:
        self.text += {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}[name]

    def handle_charref(self, name: str) -> None:
        self.text += chr(int(name[1:], 16) if name[:1] in "xX" else int(name))


def shown(html: str) -> str:
    """What is seen of Telegram's HTML; raises ``Refused`` where Telegram refuses it."""
    parser = _Html()
    parser.feed(html)
    parser.close()
    if parser.open:
        raise Refused(400, f"Bad Request: can't parse entities: Can't find end tag corresponding to {parser.open[-1]}")
    return parser.text
