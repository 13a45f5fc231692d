"""The description of what customers' browsers, channels and other programs may call."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from connectors.events import Event
from connectors.rest import RestMessage
from connectors.rest_routes import _receipt_form
from connectors.webchat.frames import Hello, Rate, Read, Say, Typing
from connectors.webchat.visitors import Visitors
from conversations.json_form import conversation_json, message_json, moment
from conversations.model import Status
from handoff.access.api_keys import SCOPES
from openapi.components import Components, Schema, nullable
from openapi.document import Answer, Operation, described
from openapi.shapes import Shapes, a_moment

_TEXT: Schema = {"type": "string"}
_BINARY: Schema = {"type": "string", "format": "binary"}
_ID = "0123456789abcdef0123456789abcdef"
_CURSOR: Schema = {"type": "string", "pattern": "^[0-9a-f]{32}:[0-9]{1,9}$", "examples": [f"{_ID}:3"]}
_TAGS = {
    "messages": "Bring a contact's messages and fetch what was said to them. 代客户发消息、取回复。",
    "events": "Tell customers what happened elsewhere: an order is shipped, and the like. 主动通知客户。",
    "chat": "What the chat widget calls where it has no socket. 网页聊天组件的 HTTP 接口。",
    "channels": "Where messaging platforms deliver. 各渠道的回调地址。",
    "pages": "Pages and files that browsers open. 浏览器打开的页面和文件。",
    "health": "Whether the desk works, for whoever watches it. 健康检查与指标。",
    "description": "This description. 本说明。",
}
_INTRO = """Programs use `/api/v1/…` with `Authorization: Bearer <key>`; admins make keys in the console (*Access*), each with scopes.
Every error is `{"error": {"code", "message"}}`. Times are UTC. How to use it, with examples: docs/api.md.

程序调用 `/api/v1/…` 时在请求头带上 `Authorization: Bearer <密钥>`；密钥由管理员在工作台“访问”页创建，并限定权限范围。
所有错误都是 `{"error": {"code", "message"}}` 的形式，时间均为 UTC。用法与示例见 docs/api.md。"""
_SECURITY = {
    "key": {"type": "http", "scheme": "bearer", "description": "An API key. Scopes: " + ", ".join(SCOPES)},
    "visitor": {"type": "http", "scheme": "bearer", "description": "The token that POST /webchat/hello gave."},
    "metrics": {"type": "http", "scheme": "bearer", "description": "METRICS_TOKEN."},
}
_IDEMPOTENCY = {
    "name": "Idempotency-Key", "in": "header", "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x21-\\x7e]+$"},
    "description": "A repeat with the same key is answered as the first one was. 重复请求用同一个键，不会处理两次。",
}  # fmt: skip
#: Routes that no description names, and why.
UNDESCRIBED = {
    ("POST", "/internal/actions"): "only the bot calls it, in rasa-sdk's own form",
    ("GET", "/staff"): "the console, a page",
    ("GET", "/staff/"): "the console, a page",
    ("HEAD", "/staff/"): "the console, a page",
    ("GET", "/staff/<path:path>"): "the console's files",
    ("HEAD", "/staff/<path:path>"): "the console's files",
    ("GET", "/static/kb.css"): "what article pages look like",
    ("GET", "/"): "the demo's shop",
    ("GET", "/shop/<name:str>"): "the demo's shop",
    ("GET", "/demo/mailbox"): "the demo's mailbox",
}


def describe_public_api() -> Schema:
    """The document; the same for every desk, so it tells nothing of this one."""
    components = Components()
    shapes = Shapes(components)
    shapes.special = {moment: a_moment}
    operations = [*_messages(shapes), *_events(shapes), *_chat(shapes), *_channels(), *_pages(), *_health()]
    return described("Frontdesk API", _INTRO, operations, components, _SECURITY, _TAGS)


def _messages(shapes: Shapes) -> list[Operation]:
    receipt, message = shapes.of(_receipt_form), shapes.of(message_json, for_contact=True)
    receipt_example = {"conversation_id": _ID, "message_id": _ID, "seq": 1, "duplicate": False}
    replies: Schema = {
        "allOf": [receipt],
        "properties": {
            "replies": {"type": "array", "items": message},
            "status": nullable({"type": "string", "enum": [status.value for status in Status]}),
        },
        "required": ["replies", "status"],
    }
    page: Schema = {
        "type": "object",
        "properties": {
            "messages": {"type": "array", "items": message},
            "next": nullable(_CURSOR),
            "more": {"type": "boolean"},
        },
        "required": ["messages", "next", "more"],
    }
    contact = _query(
        "contact", {"type": "string", "pattern": "^[\\w.@:+-]{1,128}$", "examples": ["shop-4711"]}, needed=True
    )
    return [
        Operation(
            "POST", "/api/v1/messages", "send_message",
            "Bring a message of a contact; with wait_seconds, wait for the replies. 代客户发一条消息，可等待回复。", "messages",
            (
                Answer(200, shapes.components.keep("MessageReplies", replies)),
                Answer(202, receipt, example=receipt_example),
            ),
            frozenset({400, 401, 403, 408, 409, 413, 422, 429, 503}), RestMessage, headers=(_IDEMPOTENCY,),
            example={"contact": "shop-4711", "text": "我的订单到哪了？", "language": "zh", "wait_seconds": 10},
            **_key("messages:write"),
        ),
        Operation(
            "GET", "/api/v1/messages", "list_messages",
            "The transcript of a contact, page by page. 按页读取与客户的对话。", "messages",
            (Answer(200, shapes.components.keep("MessagePage", page)),), frozenset({400, 401, 403, 429, 503}),
            query=(contact, _query("after", _CURSOR)), **_key("messages:read"),
        ),
    ]  # fmt: skip


def _events(shapes: Shapes) -> list[Operation]:
    moments: Schema = {
        name: nullable({"type": "string", "format": "date-time"}) for name in ("settled_at", "next_try_at")
    }
    moments |= {name: {"type": "string", "format": "date-time"} for name in ("created_at", "expires_at")}
    named = {name: nullable(_TEXT) for name in ("reason", "channel", "account", "how")}
    properties: Schema = dict.fromkeys(("id", "type", "state"), _TEXT) | named | moments
    told: Schema = {"type": "object", "properties": properties, "required": sorted(properties)}
    event = shapes.components.keep("ToldEvent", told)
    taken: Schema = {"allOf": [event], "properties": {"duplicate": {"type": "boolean"}}, "required": ["duplicate"]}
    return [
        Operation(
            "POST", "/api/v1/events", "tell_event",
            "Tell a customer that something happened. 告诉客户一件事，例如订单已发货。", "events",
            (Answer(202, shapes.components.keep("TakenEvent", taken)),),
            frozenset({400, 401, 403, 408, 413, 422, 429, 503}), Event, headers=(_IDEMPOTENCY,),
            example={
                "type": "order_shipped", "email": "lin.mei@example.com",
                "data": {"order": "KE-20391", "carrier": "顺丰速运"}, "idempotency_key": "ship-20391",
            },
            **_key("events:write"),
        ),
        Operation(
            "GET", "/api/v1/events/<id>", "find_event", "What became of an event. 查询通知的结果。", "events",
            (Answer(200, event),), frozenset({401, 403, 404, 429, 503}), **_key("events:read"),
        ),
    ]  # fmt: skip


def _chat(shapes: Shapes) -> list[Operation]:
    welcome: Schema = {
        "type": "object",
        "properties": {
            "type": {"const": "welcome"}, "token": _TEXT, "visitor": _TEXT,
            "conversation": nullable(shapes.of(conversation_json, for_contact=True)),
            "elsewhere": {"type": "boolean"}, "signed_in": {"type": "boolean"}, "identity": {"type": "object"},
        },
        "required": ["type", "token", "visitor", "conversation", "elsewhere", "signed_in"],
    }  # fmt: skip
    frames: Schema = {
        "type": "object",
        "properties": {
            "frames": {
                "type": "array",
                "items": {"type": "object", "properties": {"type": _TEXT}, "required": ["type"]},
            },
            "after": nullable(_CURSOR),
            "since": {"type": "integer"},
        },
        "required": ["frames", "after", "since"],
    }
    form: Schema = {
        "type": "object",
        "properties": {"file": {"type": "string", "contentMediaType": "application/octet-stream", "format": "binary"}},
        "required": ["file"],
    }
    linked: Schema = {
        "type": "object", "required": ["attachment"], "properties": {"attachment": shapes.of(Visitors._linked, Visitors)},
    }  # fmt: skip
    poll = (
        _query("after", _CURSOR),
        _query("since", {"type": "string", "pattern": "^[0-9]{1,15}$"}),
        _query("wait", {"type": "number"}),
    )
    limited = frozenset({400, 401, 403, 408, 413, 429, 409, 503})

    def frame(
        name: str, summary: str, body: type[BaseModel], answer: Answer, refusals: frozenset[int] = limited, **more: Any
    ) -> Operation:
        address = {"say": "messages", "rate": "rating"}.get(name, name)
        return Operation(
            "POST", f"/webchat/{address}", f"chat_{name}", summary, "chat", (answer,), refusals, body, **more
        )

    hello = {"type": "hello", "language": "zh"}
    say = {"type": "message", "client_msg_id": "a1b2c3d4", "text": "我想退货"}
    visitor: dict[str, Any] = {"security": ({"visitor": []},)}
    missing = limited | {404}
    operations = [
        frame("hello", "Begin or go on; answers with the visitor's token. 开始或继续聊天。", Hello, Answer(200, welcome), example=hello),
        frame("say", "Say something. 发消息。", Say, Answer(200, shapes.of(Visitors.say, Visitors)), missing, example=say, **visitor),
        frame("typing", "The contact is writing. 正在输入。", Typing, Answer(204), missing, **visitor),
        frame("read", "The contact has seen it. 已读。", Read, Answer(204), missing, **visitor),
        frame("rate", "Rate a conversation. 评价。", Rate, Answer(200, shapes.of(Visitors.rate, Visitors)), missing, **visitor),
        Operation(
            "GET", "/webchat/messages", "chat_poll", "Wait for what is new. 轮询新消息。", "chat", (Answer(200, frames),),
            limited, query=poll, **visitor,
        ),
        Operation(
            "POST", "/webchat/files", "chat_upload", "Keep a file for a message to come. 上传文件。", "chat",
            (Answer(201, linked),), missing, form, "multipart/form-data", **visitor,
        ),
        Operation(
            "GET", "/webchat/socket", "chat_socket", "The same by WebSocket. WebSocket 连接。", "chat", (Answer(101),),
            frozenset({400, 403, 426, 503}),
        ),
    ]  # fmt: skip
    for name in ("hello", "messages", "typing", "read", "rating", "files"):
        said = "Whether a page of another site may ask. 跨域预检。"
        operations.append(
            Operation(
                "OPTIONS", f"/webchat/{name}", f"chat_preflight_{name}", said, "chat", (Answer(204),), frozenset({403})
            )
        )
    return operations


def _channels() -> list[Operation]:
    address = "/webhooks/<channel>/<account>"
    body: Schema = {"description": "What the vendor documents: JSON, a form or XML. 以各平台文档为准。"}
    return [
        Operation(
            "GET", address, "channel_handshake", "The handshake when a webhook is set up. 配置回调时的校验。", "channels",
            (Answer(200, _TEXT, "text/plain"),), frozenset({403, 404, 503}),
        ),
        Operation(
            "POST", address, "channel_deliver", "An event of a messaging platform, proved by its signature. 平台推送的消息。",
            "channels", (Answer(200, _BINARY, "*/*"),), frozenset({400, 401, 403, 404, 408, 409, 413, 503}), body,
            "application/json", body_needed=False,
        ),
    ]  # fmt: skip


def _pages() -> list[Operation]:
    page = _BINARY

    def get(
        path: str, name: str, summary: str, answers: tuple[Answer, ...], refusals: set[int], **more: Any
    ) -> Operation:
        return Operation("GET", path, name, summary, "pages", answers, frozenset(refusals), **more)

    html = "text/html"
    token = "/unsubscribe/<token>"  # noqa: S105  # an address
    ended = (Answer(200, page, html), Answer(404, page, html))
    return [
        get("/files/<attachment_id>", "read_file", "A file of a conversation, by its signed link. 会话中的文件。",
            (Answer(200, _BINARY, "*/*"),), {401, 404, 409, 503}, query=(_query("t", _TEXT),)),
        get("/widget.js", "widget", "The chat widget. 聊天组件。", (Answer(200, page, "text/javascript"), Answer(304)), {503}),
        get("/kb/<language>/<article_id>", "article", "An article as a page. 知识库文章。",
            (Answer(200, page, html), Answer(302), Answer(404, page, html)), {503}, query=(_query("k", _TEXT),)),
        get(token, "unsubscribe_ask", "The page that asks before it ends notifications. 退订确认页。", ended, {503}),
        Operation("POST", token, "unsubscribe", "End notifications (RFC 8058). 退订。", "pages", ended, frozenset({503})),
        Operation("GET", "/api/v1/openapi.json", "description", "This description. 本说明。", "description",
                  (Answer(200, {"type": "object"}),), frozenset({503})),
    ]  # fmt: skip


def _health() -> list[Operation]:
    state: Schema = {"type": "object", "properties": {"status": _TEXT}, "required": ["status"]}
    ready: Schema = {
        "type": "object", "required": ["status"],
        "properties": {"status": _TEXT, "database": {"type": "boolean"}, "bot": {"type": "object"}},
    }  # fmt: skip
    operations = []
    for path, name in (("/health/live", "live"), ("/healthz", "healthz")):
        operations.append(
            Operation("GET", path, name, "Whether the process lives. 进程是否存活。", "health", (Answer(200, state),))
        )
    for path, name in (("/health/ready", "ready"), ("/readyz", "readyz")):
        said = "Whether it can work: database and bot answer. 是否就绪。"
        operations.append(Operation("GET", path, name, said, "health", (Answer(200, ready), Answer(503, ready))))
    operations.append(
        Operation(
            "GET", "/metrics", "metrics", "Figures for Prometheus. 监控指标。", "health", (Answer(200, _TEXT, "text/plain"),),
            frozenset({401, 403, 503}), security=({}, {"metrics": []}),
        )
    )  # fmt: skip
    return operations


def _query(name: str, schema: Schema, *, needed: bool = False) -> Schema:
    return {"name": name, "in": "query", "required": needed, "schema": schema}


def _key(scope: str) -> dict[str, Any]:
    assert scope in SCOPES
    return {"security": ({"key": []},), "more": {"x-scope": scope}}
