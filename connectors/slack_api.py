"""Slack's Web API for one app: messages, files, people; its errors become ours.

Source: docs.slack.dev, pages of the methods. We call them with httpx, because the asynchronous client of slack-sdk needs
a second HTTP library; the tests hold ours and theirs against the same double.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx

from connectors.slack_messages import Contact
from connectors.slack_replies import Text
from connectors.vendor_calls import call, download, is_host_of, json_of, retry_after
from conversations.errors import ChannelUnavailable, ContactUnreachable, MessageRejected, RateLimited
from conversations.model import Attachment

_TOO_FAST = {"ratelimited", "rate_limited", "message_limit_exceeded"}
_LATER = {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org", "timeout"}
#: The contact cannot be reached there any more, whatever is said.
_UNREACHABLE = {
    "channel_not_found",
    "is_archived",
    "not_in_channel",
    "user_not_found",
    "user_disabled",
    "cannot_dm_bot",
    "messages_tab_disabled",
    "thread_not_found",
    "thread_locked",
    "restricted_action",
    "restricted_action_read_only_channel",
    "restricted_action_thread_only_channel",
    "restricted_action_thread_locked",
    "is_inactive",
}
#: Somebody must act before anything goes out; said in our words because Slack's are short.
_ADVICE = {
    "token_revoked": "the app was removed or its token revoked; install it again and set the new bot_token",
    "token_expired": "the token has expired; set a new bot_token",
    "account_inactive": "the app's account is inactive; install the app again",
    "invalid_auth": "bot_token is wrong",
    "not_authed": "bot_token is missing",
    "missing_scope": "the app lacks a permission",
}


class Api:
    """The calls of one app."""

    def __init__(self, http: httpx.AsyncClient, base: str, token: str, file_hosts: tuple[str, ...]) -> None:
        self._http = http
        self._base = base.rstrip("/")
        self._bearer = {"authorization": f"Bearer {token}"}
        self._file_hosts = file_hosts

    async def post(self, contact: Contact, part: Text) -> str:
        """Say something; returns the message's ts; raises a ``SendError``."""
        body: dict[str, Any] = {
            "channel": contact.channel,
            "text": part.text,
            "mrkdwn": part.mrkdwn,
            "unfurl_links": False,
            "unfurl_media": False,
        }
        if part.blocks:
            body["blocks"] = list(part.blocks)
        if contact.thread is not None:
            body["thread_ts"] = contact.thread
        answer = await self._call("chat.postMessage", delivers=True, json=body)
        return str(answer.get("ts") or "")

    async def update(self, channel: str, ts: str, text: str, blocks: list[Any]) -> None:
        """Show a message of ours anew."""
        await self._call("chat.update", json={"channel": channel, "ts": ts, "text": text, "blocks": blocks})

    async def upload(self, contact: Contact, file: Attachment, content: bytes) -> str:
        """Show a file (in three steps); returns its id; raises a ``SendError``."""
        answer = await self._call(
            "files.getUploadURLExternal", data={"filename": file.name, "length": str(len(content))}
        )
        url, file_id = str(answer.get("upload_url") or ""), str(answer.get("file_id") or "")
        if not is_host_of(url, self._file_hosts, self._base):
            raise MessageRejected("files.getUploadURLExternal: the link leads to a host that is not in file_hosts")
        response = await call(self._http, "file upload", "POST", url, content=content)
        if response.status_code != 200:
            raise MessageRejected(f"file upload: HTTP {response.status_code}")
        values = {"files": json.dumps([{"id": file_id, "title": file.name}]), "channel_id": contact.channel}
        if contact.thread is not None:
            values["thread_ts"] = contact.thread
        await self._call("files.completeUploadExternal", delivers=True, data=values)
        return file_id

    async def fetch(self, url: str) -> bytes:
        """A file that a contact sent; the token goes to Slack's own hosts only."""
        if not is_host_of(url, self._file_hosts, self._base):
            raise MessageRejected("the link to a file leads to a host that is not in file_hosts")
        return await download(self._http, "file of a message", url, self._bearer)

    async def person(self, user: str) -> tuple[str, str]:
        """Display name and locale of somebody; needs the scope users:read."""
        answer = await self._call("users.info", data={"user": user, "include_locale": "true"})
        found = answer.get("user")
        found = found if isinstance(found, dict) else {}
        profile = found.get("profile")
        profile = profile if isinstance(profile, dict) else {}
        name = profile.get("display_name") or found.get("real_name") or found.get("name") or ""
        return str(name), str(found.get("locale") or "")

    async def who(self) -> str:
        """The app's user and the workspace."""
        answer = await self._call("auth.test")
        named = (answer.get("user") or answer.get("user_id"), answer.get("team") or answer.get("team_id"))
        return " @ ".join(str(one)[:100] for one in named if one)

    async def _call(self, method: str, *, delivers: bool = False, **request: Any) -> Mapping[str, Any]:
        url = f"{self._base}/{method}"
        response = await call(self._http, method, "POST", url, delivers=delivers, headers=dict(self._bearer), **request)
        answer = json_of(response)
        if answer.get("ok") is True:
            return answer
        error = str(answer.get("error") or f"HTTP {response.status_code}")[:100]
        if error in _TOO_FAST:
            raise RateLimited(retry_after(response))
        if error in _LATER:
            raise ChannelUnavailable(f"{method}: {error}")
        if error in _UNREACHABLE:
            raise ContactUnreachable(f"{method}: {error}")
        needed = str(answer.get("needed") or "")[:100]
        advice = "; ".join(filter(None, [_ADVICE.get(error, ""), needed]))
        raise MessageRejected(f"{method}: {error}" + (f" ({advice})" if advice else ""))
