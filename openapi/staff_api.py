"""The description of the staff API: the roles table and the handlers say it all."""

from __future__ import annotations

from typing import Any

from conversations.json_form import message_json, moment
from handoff.customer_json import record_json
from handoff.guard import API, PLAIN_COOKIE, SECURE_COOKIE, Handlers
from handoff.roles import EVERYONE, POLICY, PUBLIC, Role
from handoff.staff_side import StaffSide
from openapi.components import Components, Schema, merged
from openapi.document import JSON, Answer, Operation, described
from openapi.handlers import Reading, read, schema_of
from openapi.shapes import Shapes, Value, a_moment

_TAGS = {
    "signing in": "Sessions, the second factor, accounts and keys. 登录、两步验证、账号与密钥。",
    "conversations": "Lists, transcripts and what agents do. 会话列表、聊天记录与坐席操作。",
    "contacts": "Who writes, and what is kept of them. 客户资料。",
    "writing": "Canned replies, macros, translations and help with answers. 快捷回复、宏、翻译与辅助。",
    "order": "Views, labels, search, teams and rules. 视图、标签、搜索、团队与规则。",
    "teaching": "What the bot knows and how it says it. 机器人的知识与说法。",
    "machinery": "Channels, deliveries, reports and the audit trail. 渠道、投递、报表与审计。",
}
_TAG_OF = {
    "sign-in": "signing in", "sign-out": "signing in", "me": "signing in", "openapi.json": "signing in", "demo": "signing in",
    "second-factor": "signing in", "staff-accounts": "signing in", "api-keys": "signing in",
    "conversations": "conversations", "agents": "conversations", "presence": "conversations",
    "live": "conversations", "files": "conversations", "contacts": "contacts", "customers": "contacts",
    "canned": "writing", "macros": "writing", "assist": "writing",
    "views": "order", "filters": "order", "labels": "order", "search": "order", "teams": "order", "handoff-rules": "order",
    "prompts": "teaching", "synonyms": "teaching", "knowledge": "teaching",
}  # fmt: skip
_INTRO = """The API behind the staff console, for the console and for programs that act as a signed-in member of staff.

Sign in with `POST /staff/api/sign-in`; the answer sets a cookie and holds `csrf`, which every write repeats in the header
`X-CSRF-Token`. What a role may do is in `x-roles`. Unknown fields in bodies are ignored. Times are UTC.

坐席工作台所用的接口。先调用 `POST /staff/api/sign-in` 登录：响应会写入 Cookie，并返回 `csrf`；之后每个写操作都要在请求头
`X-CSRF-Token` 里带上它。`x-roles` 列出可以调用的角色。请求体中不认识的字段会被忽略。时间均为 UTC。"""


def describe_staff_api(handlers: Handlers) -> Schema:
    """The document, from every handler that the guard has let in."""
    components = Components()
    shapes = Shapes(components)
    shapes.special = {moment: a_moment, record_json: _record, StaffSide.message_json: _message}
    operations = [_operation(method, route, read(handler, shapes)) for (method, route), handler in handlers.items()]
    operations.append(_live())
    security = {
        "cookie": {
            "type": "apiKey",
            "in": "cookie",
            "name": PLAIN_COOKIE,
            "description": f"{SECURE_COOKIE} over https.",
        },
        "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRF-Token"},
    }
    return described("Frontdesk staff API", _INTRO, operations, components, security, _TAGS)


def _operation(method: str, route: str, found: Reading) -> Operation:
    public = (method, route) in PUBLIC
    refusals = set(found.statuses) | {503}
    if not public:
        refusals |= {401, 403}
    if method != "GET":
        refusals |= {403, 409}
    if found.body is not None:
        refusals |= {400, 413, 415}
    if found.query is not None:
        refusals.add(400)
    if "<" in route:
        refusals |= {400, 404, 409}
    answers = [Answer(status, schema_of(schemas)) for status, schemas in sorted(found.answers.items())]
    answers += [Answer(200, {"type": "string", "format": "binary"}, media) for media in sorted(found.files)]
    if found.redirects:
        answers.append(Answer(302))
    is_file = isinstance(found.body, dict)
    return Operation(
        method,
        f"{API}/{route}",
        _name(method, route),
        _summary(method, route),
        _TAG_OF.get(route.partition("/")[0], "machinery"),
        tuple(answers),
        frozenset(refusals),
        found.body,
        "multipart/form-data" if is_file else JSON,
        found.body_needed,
        _EXAMPLES.get((method, route)),
        found.query,
        security=() if public else ({"cookie": []} if method == "GET" else {"cookie": [], "csrf": []},),
        more={} if public else {"x-roles": _roles(POLICY[method, route])},
    )


def _live() -> Operation:
    return Operation(
        "GET",
        f"{API}/live",
        "get_live",
        "The live socket (WebSocket): what happens at the desk, as it happens. 实时通知（WebSocket）。",
        "conversations",
        (Answer(101),),
        frozenset({400, 403, 426, 503}),
        security=({"cookie": []},),
        more={"x-roles": _roles(POLICY["GET", "live"])},
    )


def _roles(roles: frozenset[Role]) -> list[str]:
    return [role.value for role in Role if role in roles] if roles != EVERYONE else [role.value for role in Role]


def _name(method: str, route: str) -> str:
    return f"{method}_{route}".lower().replace("/", "_").replace("<", "").replace(">", "").replace("-", "_")


def _summary(method: str, route: str) -> str:
    """The address in words: routes are named after what they do."""
    *parents, last = [part for part in route.split("/") if not part.startswith("<")]
    words = " ".join([*parents, last]).replace("-", " ")
    if method == "GET":
        return f"Read {words}."
    return f"Change one of {words}." if route.endswith(">") else f"{words[:1].upper()}{words[1:]}."


def _message(shapes: Shapes, arguments: list[Value]) -> Schema:
    """A message as staff see it; ``with_urls`` works on forms, of which nothing can be read."""
    files = shapes.of(StaffSide.attachment_json, StaffSide)
    more: Schema = {"type": "object", "properties": {"attachments": {"type": "array", "items": files}}}
    form = shapes.components.resolved(shapes.of(message_json, for_contact=False))
    return shapes.components.keep("Message", merged(form, more, certain=True))


def _record(shapes: Shapes, arguments: list[Value]) -> Schema:
    return shapes.components.of_type(arguments[0].hint) if arguments else {"type": "object"}


_ID = "0123456789abcdef0123456789abcdef"
_EXAMPLES: dict[tuple[str, str], Any] = {
    ("POST", "sign-in"): {"email": "agent@kite.example", "password": "correct horse battery"},
    ("POST", "presence"): {"state": "online"},
    ("POST", "conversations/<conversation_id>/reply"): {
        "text": "您好，请问有什么可以帮您？",
        "client_msg_id": "3f9c-1",
    },
    ("POST", "conversations/<conversation_id>/note"): {"text": "Rang her back, she will send a photo."},
    ("POST", "conversations/<conversation_id>/seen"): {"seq": 12},
    ("POST", "conversations/<conversation_id>/transfer"): {"to_agent_id": _ID, "note": "懂粤语，您来更合适"},
    ("POST", "conversations/<conversation_id>/snooze"): {"until": "2031-05-01T09:00:00Z", "reason": "等仓库回复"},
    ("POST", "conversations/<conversation_id>/priority"): {"level": "high"},
    ("POST", "labels"): {"title": "Refund 退款", "colour": "red"},
    ("POST", "api-keys"): {"name": "shop", "scopes": ["messages:write"], "expires_days": 365},
}
