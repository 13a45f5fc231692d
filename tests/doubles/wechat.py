"""WeChat's side of an official account: the customer-service API with its window and quota, and the pushes."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from wechatpy.crypto import WeChatCrypto  # type: ignore[import-untyped]

from tests.doubles.wechat_vendor import Clock, Pushed, Refused, VendorDouble, exactly

TOKEN = "tokenOfTests"
AES_KEY = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
APP_ID = "wx5823bf96d3bd56c7"
SECRET = "canary-secret-of-the-app-0123456789abcdef"
WINDOW_SECONDS = 48 * 3600
QUOTA = 5


class WechatDouble(VendorDouble):
    """One official account as its followers and developers see it."""

    token_parameters = {"grant_type": "client_credential", "appid": APP_ID, "secret": SECRET}
    kinds = frozenset({"image", "voice", "video", "thumb"})

    def __init__(self, clock: Clock, *, encrypted: bool = True) -> None:
        super().__init__(WeChatCrypto(TOKEN, AES_KEY, APP_ID) if encrypted else None, clock)
        self.quota: dict[str, tuple[int, int]] = {}  #: messages left, and until when
        self.typing: list[str] = []
        self.menus: list[dict[str, Any]] = []
        self.blocked: set[str] = set()
        self.templates: dict[str, tuple[str, set[str]]] = {}  #: by id: "template" or "subscribe", and its fields

    def signed(self, xml: str) -> tuple[dict[str, str], str]:
        if self.crypto is not None:
            query, body = super().signed(xml)
            timestamp, nonce = query["timestamp"], query["nonce"]
        else:
            timestamp, nonce = str(self.clock.seconds), uuid.uuid4().hex[:10]
            query, body = {"timestamp": timestamp, "nonce": nonce}, xml
        return {**query, "signature": plain_signature(timestamp, nonce), "openid": "of-the-sender"}, body

    async def says(self, contact: str, text: str, **fields: str | int) -> Pushed:
        """A follower writes."""
        self.quota[contact] = (QUOTA, self.clock.seconds + WINDOW_SECONDS)
        return await self.push(contact, "text", Content=text, **fields)

    async def taps(self, contact: str, place: int) -> Pushed:
        """A follower taps an entry of the newest menu."""
        entry = self.menus[-1]["list"][place]
        return await self.says(contact, entry["content"], bizmsgmenuid=entry["id"])

    async def does(self, contact: str, event: str, **fields: str | int) -> Pushed:
        """A follower follows, leaves, or taps the account's own menu."""
        self.quota[contact] = (3, self.clock.seconds + 60)
        return await self.push(contact, "event", Event=event, **fields)

    def answered(self, contact: str, text: str, pushed: Pushed) -> None:
        pushed.acknowledged = True
        if text in ("", "success"):
            return
        if not text.startswith("<xml>"):
            self.show(contact, "该公众号暂时无法提供服务")
            return
        reply = self.opened(text)
        assert reply["ToUserName"] == contact
        assert reply["FromUserName"] == self.receiver
        assert reply["MsgType"] == "text"
        assert abs(int(reply["CreateTime"]) - self.clock.seconds) < 10
        assert len(reply["Content"].encode()) <= 2048
        pushed.answer = reply
        self.show(contact, reply["Content"])

    def called(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        if path == "/cgi-bin/message/custom/typing":
            exactly(body, "touser", "command")
            self.typing.append(body["touser"])
            return {}
        if path in ("/cgi-bin/message/template/send", "/cgi-bin/message/subscribe/bizsend"):
            return self._by_template(path, body)
        if path != "/cgi-bin/message/custom/send":
            raise Refused(40066, "invalid url")
        kind = body.get("msgtype", "")
        exactly(body, "touser", "msgtype", kind)
        contact = body["touser"]
        if contact in self.blocked:
            raise Refused(43004, "require subscribe")
        if contact not in self.quota:
            raise Refused(40003, "invalid openid")
        what = self._shown(kind, body[kind])
        left, until = self.quota[contact]
        if until < self.clock.seconds:
            raise Refused(45015, "response out of time limit or subscription is canceled")
        if left == 0:
            raise Refused(45047, "out of response count limit")
        self.quota[contact] = (left - 1, until)
        self.show(contact, what)
        return {}

    def _by_template(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """No window, but the account's own templates only, each with all of its fields."""
        link = "url" if path.endswith("template/send") else "page"
        exactly(body, "touser", "template_id", "data", optional=(link,))
        contact = body["touser"]
        if contact in self.blocked or contact not in self.quota:
            raise Refused(43004 if contact in self.blocked else 40003, "require subscribe")
        way, fields = self.templates.get(body["template_id"], ("", set()))
        if way != ("template" if link == "url" else "subscribe"):
            raise Refused(40037, "invalid template_id")
        if set(body["data"]) != fields or any(
            set(one) != {"value"} or not one["value"] for one in body["data"].values()
        ):
            raise Refused(47003, "argument invalid")
        if any(name.startswith("thing") and len(one["value"]) > 20 for name, one in body["data"].items()):
            raise Refused(47003, "argument invalid! data.thing value")
        self.show(
            contact, f"[{way}] " + " ".join(f"{name}={one['value']}" for name, one in sorted(body["data"].items()))
        )
        return {"msgid": 200228332}

    def _shown(self, kind: str, content: dict[str, Any]) -> str:
        if kind == "text":
            exactly(content, "content")
            if not content["content"]:
                raise Refused(44004, "empty content")
            if len(content["content"].encode()) > 2048:
                raise Refused(45002, "content size out of limit")
            return str(content["content"])
        if kind in ("image", "voice"):
            exactly(content, "media_id")
            if content["media_id"] not in self.files:
                raise Refused(40007, "invalid media_id")
            return f"[{kind}] {self.files[content['media_id']][0]}"
        if kind == "news":
            exactly(content, "articles")
            [article] = content["articles"]  # one at most
            exactly(article, "title", "description", "url", optional=("picurl",))
            if not article["title"] or not article["url"].startswith("https://"):
                raise Refused(40039, "invalid url size")
            return f"[news] {article['title']} | {article['description']} | {article['url']}"
        if kind == "msgmenu":
            exactly(content, "head_content", "list", "tail_content")
            for entry in content["list"]:
                exactly(entry, "id", "content")
            self.menus.append(content)
            return "\n".join([content["head_content"], *(entry["content"] for entry in content["list"])])
        raise Refused(40008, "invalid message type")


def plain_signature(timestamp: str, nonce: str) -> str:
    return hashlib.sha1("".join(sorted((TOKEN, timestamp, nonce))).encode()).hexdigest()
