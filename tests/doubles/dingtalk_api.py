"""The robot's OpenAPI on loopback: token, messages, sessions, files and cards, as open.dingtalk.com describes them."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.doubles.vendor_server import Answer, Call

CLIENT_ID, CLIENT_SECRET = "dingclient", "secret-of-the-robot"
MESSAGES, CARDS = "/v1.0/im/bot/messages/get", "/v1.0/card/instances/callback"
TEMPLATES: dict[str, set[str]] = {
    "sampleText": {"content"},
    "sampleMarkdown": {"title", "text"},
    "sampleImageMsg": {"photoURL"},
    "sampleFile": {"mediaId", "fileName", "fileType"},
    "sampleActionCard": {"title", "text", "singleTitle", "singleURL"},
    **{
        f"sampleActionCard{count}": {"title", "text"}
        | {f"action{what}{number}" for what in ("Title", "URL") for number in range(1, count + 1)}
        for count in range(2, 6)
    },
}


@dataclass
class Said:
    """A message that reached a chat."""

    chat: str  #: staff id or conversation id
    kind: str
    text: str
    buttons: list[tuple[str, str]] = field(default_factory=list)  #: title and link, or title and button id
    mentioned: list[str] = field(default_factory=list)
    by: str = "api"
    file: tuple[str, bytes] | None = None
    title: str = ""


class RobotApi:
    """What the robot may call; refuses whatever it does not know."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)
        self.staff = {"manager01", "staff02"}
        self.groups = {"cidGROUP=="}
        self.said: list[Said] = []
        self.calls: list[tuple[str, Any]] = []
        self.failures: defaultdict[str, list[Answer]] = defaultdict(list)
        self.tokens: dict[str, datetime] = {}
        self.media: dict[str, tuple[str, bytes]] = {}
        self.files: dict[str, bytes] = {}
        self.sessions: dict[str, tuple[str, datetime]] = {}
        self.api = self.stream = ""
        self._tickets: dict[str, tuple[datetime, set[str]]] = {}
        self._ids = itertools.count(1)
        self._changed = asyncio.Event()

    async def _handle(self, call: Call) -> Answer:
        self.calls.append((call.path, call.json()))
        self._changed.set()
        if self.failures[call.path]:
            return self.failures[call.path].pop(0)
        match call.path:
            case "/v1.0/gateway/connections/open":
                return self._open(call)
            case "/v1.0/oauth2/accessToken":
                return self._token(call)
            case "/robot/sendBySession":
                return self._session(call)
            case "/media/upload":
                return self._upload(call)
        if call.path.startswith("/files/"):
            content = self.files.get(call.path.removeprefix("/files/"))
            return Answer(content) if content is not None else Answer(b"", 404)
        if self.tokens.get(call.headers.get("x-acs-dingtalk-access-token", ""), self.now) <= self.now:
            return _refused(401, "InvalidAuthentication", "不合法的access_token")
        match call.path:
            case "/v1.0/robot/oToMessages/batchSend":
                return self._to_people(call)
            case "/v1.0/robot/groupMessages/send":
                return self._to_group(call)
            case "/v1.0/robot/messageFiles/download":
                return self._file(call)
            case "/v1.0/card/instances/createAndDeliver":
                return self._card(call)
        return _refused(404, "InvalidAction.NotFound", "Specified api is not found")

    def _open(self, call: Call) -> Answer:
        body = call.json() or {}
        if (body.get("clientId"), body.get("clientSecret")) != (CLIENT_ID, CLIENT_SECRET):
            return _refused(401, "authFailed", "鉴权失败")
        wanted = body.get("subscriptions")
        known = {("CALLBACK", MESSAGES), ("CALLBACK", CARDS), ("EVENT", "*")}
        if not wanted or any((one.get("type"), one.get("topic")) not in known for one in wanted):
            return _refused(400, "invalidParameter", "subscriptions")
        if unknown := set(body) - {"clientId", "clientSecret", "subscriptions", "ua", "localIp"}:
            return _refused(400, "invalidParameter", str(unknown))
        ticket = f"ticket+{next(self._ids)}/="
        self._tickets[ticket] = (self.now + timedelta(seconds=90), {one["topic"] for one in wanted})
        return Answer({"endpoint": self.stream, "ticket": ticket})

    def _token(self, call: Call) -> Answer:
        if call.json() != {"appKey": CLIENT_ID, "appSecret": CLIENT_SECRET}:
            return _refused(400, "invalidClientIdOrSecret", "无效的clientId或者clientSecret")
        token = f"token{next(self._ids)}"
        self.tokens[token] = self.now + timedelta(seconds=7200)
        return Answer({"accessToken": token, "expireIn": 7200})

    def _session(self, call: Call) -> Answer:
        chat, until = self.sessions.get(call.query.get("session", ""), ("", self.now))
        if self.now >= until:
            return Answer({"errcode": 300001, "errmsg": "session is not exist"})
        body = call.json() or {}
        kind = body.get("msgtype")
        content = body.get(kind)
        required = {
            "text": {"content"},
            "markdown": {"title", "text"},
            "actionCard": {"title", "text", "btns", "btnOrientation"},
        }
        if kind not in required or not isinstance(content, dict) or set(content) != required[kind]:
            return Answer({"errcode": 400402, "errmsg": "缺少参数 或参数不合法"})
        if not all(content.values()):
            return Answer({"errcode": 400402, "errmsg": "empty"})
        buttons = [(one["title"], one["actionURL"]) for one in content.get("btns", [])]
        at = body.get("at", {}).get("atUserIds", [])
        text = content.get("text") or content["content"]
        self.said.append(Said(chat, kind, text, buttons, at, "session", title=content.get("title", "")))
        self._changed.set()
        return Answer({"errcode": 0, "errmsg": "ok"})

    def _upload(self, call: Call) -> Answer:
        if self.tokens.get(call.query.get("access_token", ""), self.now) <= self.now:
            return Answer({"errcode": 40014, "errmsg": "不合法的access_token"})
        if call.query.get("type") not in ("image", "voice", "video", "file") or "media" not in call.parts():
            return Answer({"errcode": 40035, "errmsg": "不合法的参数"})
        media_id = f"@media{next(self._ids)}"
        self.media[media_id] = call.parts()["media"]
        return Answer({"errcode": 0, "errmsg": "ok", "media_id": media_id, "type": call.query["type"]})

    def _to_people(self, call: Call) -> Answer:
        body = call.json() or {}
        if set(body) != {"robotCode", "userIds", "msgKey", "msgParam"} or not 0 < len(body["userIds"]) <= 20:
            return _refused(400, "invalidParameter", "参数错误")
        if refused := self._bad_message(body):
            return refused
        unknown = [user for user in body["userIds"] if user not in self.staff]
        if len(unknown) == len(body["userIds"]):
            return _refused(400, "staffId.notExisted", "staffId不存在")
        for user in body["userIds"]:
            self._show(user, body)
        key = f"query{next(self._ids)}"
        return Answer({"processQueryKey": key, "invalidStaffIdList": unknown, "flowControlledStaffIdList": []})

    def _to_group(self, call: Call) -> Answer:
        body = call.json() or {}
        if set(body) != {"robotCode", "openConversationId", "msgKey", "msgParam"}:
            return _refused(400, "invalidParameter", "参数错误")
        if body["openConversationId"] not in self.groups:
            return _refused(400, "resource.not.found", "robot 不存在")
        if refused := self._bad_message(body):
            return refused
        self._show(body["openConversationId"], body)
        return Answer({"processQueryKey": f"query{next(self._ids)}"})

    def _bad_message(self, body: dict[str, Any]) -> Answer | None:
        if body["robotCode"] != CLIENT_ID:
            return _refused(400, "invalidRobotCode", "robot 不存在")
        wanted = TEMPLATES.get(body["msgKey"])
        if wanted is None:
            return _refused(400, "invalidMsgKey", "机器人模板已经停用")
        values = json.loads(body["msgParam"]) if isinstance(body["msgParam"], str) else None
        if not isinstance(values, dict) or set(values) != wanted or not all(values.values()):
            return _refused(400, "invalidParameter", "msgParam")
        if len(body["msgParam"].encode()) > 15_000:
            return _refused(400, "msgParam.tooLong", "msgParam")
        return None

    def _show(self, chat: str, body: dict[str, Any]) -> None:
        values = json.loads(body["msgParam"])
        if "singleURL" in values:
            buttons = [(values["singleTitle"], values["singleURL"])]
        else:
            buttons = [
                (values[f"actionTitle{number}"], values[f"actionURL{number}"])
                for number in range(1, 6)
                if f"actionTitle{number}" in values
            ]
        media_id = values.get("photoURL") or values.get("mediaId")
        file = self.media[media_id] if media_id else None
        text = values.get("text") or values.get("content") or ""
        self.said.append(Said(chat, body["msgKey"], text, buttons, file=file, title=values.get("title", "")))
        self._changed.set()

    def _file(self, call: Call) -> Answer:
        body = call.json() or {}
        if set(body) != {"downloadCode", "robotCode"} or body["downloadCode"] not in self.files:
            return _refused(400, "invalidDownloadCode", "downloadCode")
        return Answer({"downloadUrl": f"{self.api}/files/{body['downloadCode']}"})

    def _card(self, call: Call) -> Answer:
        body = call.json() or {}
        required = {"cardTemplateId", "outTrackId", "callbackType", "userIdType", "cardData", "openSpaceId"}
        if required - set(body) or body["callbackType"] != "STREAM":
            return _refused(400, "param.error", "缺少参数")
        kind, _, chat = body["openSpaceId"].removeprefix("dtv1.card//").partition(".")
        needed = {"IM_GROUP": "imGroupOpenDeliverModel", "IM_ROBOT": "imRobotOpenDeliverModel"}.get(kind)
        if needed not in body or chat not in self.groups | self.staff:
            return _refused(400, "param.error", "openSpaceId")
        data = body["cardData"]["cardParamMap"]
        if not all(isinstance(value, str) for value in data.values()):
            return _refused(400, "param.error", "cardParamMap")
        buttons = [(one["text"], one["button_id"]) for one in json.loads(data["sys_full_json_obj"])["buttons"]]
        self.said.append(Said(chat, "card", data["text"], buttons, title=body["outTrackId"]))
        self._changed.set()
        return Answer({"success": True, "result": {"outTrackId": body["outTrackId"]}})


def _refused(status: int, code: str, message: str) -> Answer:
    return Answer({"code": code, "message": message, "requestid": "A0-REQUEST"}, status)
