"""DingTalk's OpenAPI for one robot: token, messages, cards, files; its errors become ours.

Sources: open.dingtalk.com, "robot messages" and "error codes"; what is only known from other programs is a field of
``ApiLimits``.
"""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NoReturn

import httpx

from connectors.dingtalk_messages import Contact
from connectors.vendor_calls import call, download, is_host_of, json_of
from conversations.errors import ChannelUnavailable, ContactUnreachable, MessageRejected, RateLimited
from conversations.model import Attachment

TOKEN_HEADER = "x-acs-dingtalk-access-token"  # noqa: S105  # a header's name
_EARLY = timedelta(minutes=5)  # a token is renewed before it ends
_TOKEN_CODES = ("invalidauthentication", "40014", "42001", "88")
_UNKNOWN_STAFF = "staffid.notexisted"
_SAY = 200
#: What the robot can send as a picture or a file; anything else travels in a zip [doc: message types].
_PICTURES = ("image/png", "image/jpeg", "image/gif")
_FILES = ("pdf", "docx", "xlsx", "zip")


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the API lives."""

    api: str
    media: str
    media_hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Throttling:
    """Codes that ask for a pause, and how long; the vendor names no waiting times."""

    codes: tuple[str, ...]
    seconds: float
    robot_codes: tuple[str, ...]
    robot_seconds: float


class Api:
    """The calls of one robot; holds its access token."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        endpoints: Endpoints,
        throttling: Throttling,
        credentials: tuple[str, str],
        robot_code: str,
        now: Callable[[], datetime],
    ) -> None:
        self.http = http
        self.endpoints = endpoints
        self._throttling = throttling
        self._credentials = credentials
        self._robot_code = robot_code
        self._now = now
        self._token = ""
        self._token_until: datetime | None = None
        self._refreshing = asyncio.Lock()

    async def send(self, contact: Contact, key: str, values: str) -> str:
        """Send a robot message from a template; returns the id of the request; raises a ``SendError``."""
        body = {"robotCode": self._robot_code, "msgKey": key, "msgParam": values}
        if contact.conversation is not None:
            answer = await self._post(
                "groupMessages/send",
                "/v1.0/robot/groupMessages/send",
                body | {"openConversationId": contact.conversation},
                delivers=True,
            )
            return str(answer.get("processQueryKey") or "")
        if not contact.staff:
            raise ContactUnreachable("this contact is not in the organisation and the link to their chat has expired")
        answer = await self._post(
            "oToMessages/batchSend",
            "/v1.0/robot/oToMessages/batchSend",
            body | {"userIds": [contact.user]},
            delivers=True,
        )
        if contact.user in _list(answer, "flowControlledStaffIdList"):
            raise RateLimited(self._throttling.seconds)
        for name in ("invalidStaffIdList", "filteredStaffIdList"):
            if contact.user in _list(answer, name):
                raise ContactUnreachable(f"DingTalk does not deliver to this member ({name})")
        return str(answer.get("processQueryKey") or "")

    async def send_card(self, contact: Contact, template: str, track_id: str, data: Mapping[str, str]) -> str:
        """Put an interactive card into the chat; repeating a ``track_id`` makes no second card [UNV]."""
        support = {"supportForward": False}
        body: dict[str, Any] = {
            "cardTemplateId": template,
            "outTrackId": track_id,
            "callbackType": "STREAM",
            "userIdType": 1,
            "cardData": {"cardParamMap": dict(data)},
            "imGroupOpenSpaceModel": support,
            "imRobotOpenSpaceModel": support,
        }
        if contact.conversation is not None:
            body["openSpaceId"] = f"dtv1.card//IM_GROUP.{contact.conversation}"
            body["imGroupOpenDeliverModel"] = {"robotCode": self._robot_code, "recipients": [contact.user]}
        elif contact.staff:
            body["openSpaceId"] = f"dtv1.card//IM_ROBOT.{contact.user}"
            body["imRobotOpenDeliverModel"] = {"spaceType": "IM_ROBOT", "robotCode": self._robot_code}
        else:
            raise ContactUnreachable("cards only reach members of the organisation")
        await self._post("card/instances", "/v1.0/card/instances/createAndDeliver", body, delivers=True)
        return track_id

    async def file_message(self, file: Attachment, content: bytes) -> tuple[str, dict[str, str]]:
        """Upload a file; returns the template key and parameters that show it."""
        if file.media_type in _PICTURES:
            return "sampleImageMsg", {"photoURL": await self._upload("image", file.name, file.media_type, content)}
        name, extension = file.name, file.name.rpartition(".")[2].lower()
        if extension not in _FILES:
            content = await asyncio.to_thread(_zipped, name, content)
            name, extension = f"{name}.zip", "zip"
        media_id = await self._upload("file", name, "application/octet-stream", content)
        return "sampleFile", {"mediaId": media_id, "fileName": name, "fileType": extension}

    async def fetch(self, code: str) -> bytes:
        """The file behind a download code; raises a ``SendError``."""
        body = {"downloadCode": code, "robotCode": self._robot_code}
        answer = await self._post("messageFiles/download", "/v1.0/robot/messageFiles/download", body)
        url = str(answer.get("downloadUrl") or "")
        if not is_host_of(url, self.endpoints.media_hosts, self.endpoints.api):
            raise MessageRejected("messageFiles/download: the link leads to a host that is not in media_hosts")
        return await download(self.http, "file of a message", url)

    async def post_session(self, webhook: str, body: Mapping[str, Any]) -> bool:
        """Answer through a session webhook; False when DingTalk does not take it there; raises a ``SendError``."""
        response = await call(self.http, "sessionWebhook", "POST", webhook, delivers=True, json=body)
        answer = json_of(response)
        if response.status_code == 200 and str(answer.get("errcode", "")) == "0":
            return True
        if response.status_code == 200 and "errcode" not in answer:
            return True  # nothing says that it failed, and sending again would show it twice
        code = str(answer.get("errcode", ""))
        self._throttled(code)
        if code == "-1":
            raise ChannelUnavailable("sessionWebhook: DingTalk is busy")
        return False

    async def _post(self, what: str, path: str, body: Mapping[str, Any], *, delivers: bool = False) -> dict[str, Any]:
        for attempt in (1, 2):
            token = await self._access_token()
            url = self.endpoints.api + path
            response = await call(
                self.http, what, "POST", url, delivers=delivers, json=body, headers={TOKEN_HEADER: token}
            )
            answer = json_of(response)
            if response.status_code < 300:
                return answer
            code = str(answer.get("code", ""))
            if attempt == 1 and (response.status_code == 401 or code.lower() in _TOKEN_CODES):
                self._forget(token)
                continue
            self._refused(what, response.status_code, code, str(answer.get("message", "")))
        raise AssertionError("the second attempt returns or raises")

    async def _access_token(self) -> str:
        async with self._refreshing:  # whoever waited finds the new token
            if self._token_until is not None and self._now() < self._token_until:
                return self._token
            key, secret = self._credentials
            url = f"{self.endpoints.api}/v1.0/oauth2/accessToken"
            response = await call(self.http, "accessToken", "POST", url, json={"appKey": key, "appSecret": secret})
            answer = json_of(response)
            token, seconds = answer.get("accessToken"), answer.get("expireIn")
            if response.status_code >= 300 or not isinstance(token, str) or not token:
                self._refused(
                    "accessToken", response.status_code, str(answer.get("code", "")), "check client_id and secret"
                )
            lasts = timedelta(seconds=seconds if isinstance(seconds, int) else 7200)
            self._token, self._token_until = str(token), self._now() + max(lasts - _EARLY, lasts / 2)
            return self._token

    async def _upload(self, kind: str, name: str, media_type: str, content: bytes) -> str:
        for attempt in (1, 2):
            token = await self._access_token()
            response = await call(
                self.http,
                "media/upload",
                "POST",
                f"{self.endpoints.media}/media/upload",
                params={"access_token": token, "type": kind},
                files={"media": (name, content, media_type)},
            )
            answer = json_of(response)
            code = str(answer.get("errcode", response.status_code))
            if code == "0" and isinstance(answer.get("media_id"), str):
                return str(answer["media_id"])
            if attempt == 1 and (response.status_code == 401 or code in _TOKEN_CODES):
                self._forget(token)
                continue
            self._refused("media/upload", response.status_code, code, str(answer.get("errmsg", "")))
        raise AssertionError("the second attempt returns or raises")

    async def prove(self) -> None:
        """Have a new token made, whatever the old one is still good for; raises a ``SendError``."""
        self._token_until = None
        await self._access_token()

    def _forget(self, token: str) -> None:
        if token == self._token:  # another call may have renewed it already
            self._token_until = None

    def _throttled(self, code: str) -> None:
        if "QpsLimit" in code:
            raise RateLimited(1.0)  # the window is one second [doc: frequency limits]
        if code in self._throttling.robot_codes:
            raise RateLimited(self._throttling.robot_seconds)
        if code in self._throttling.codes:
            raise RateLimited(self._throttling.seconds)

    def _refused(self, what: str, status: int, code: str, message: str) -> NoReturn:
        self._throttled(code)
        reason = f"{what}: HTTP {status} {code[:_SAY]} {message[:_SAY]}".strip()
        if code.lower() == _UNKNOWN_STAFF:
            raise ContactUnreachable(reason)
        if code in ("15", "-1", "ServiceUnavailable", "serviceUnavailable"):
            raise ChannelUnavailable(reason)
        raise MessageRejected(reason)


def _list(answer: Mapping[str, Any], name: str) -> list[Any]:
    value = answer.get(name)
    return value if isinstance(value, list) else []


def _zipped(name: str, content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return packed.getvalue()
