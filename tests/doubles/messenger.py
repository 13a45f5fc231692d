"""Messenger's Send API on loopback: what it refuses, the 24-hour window, profiles, and its webhooks."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from tests.doubles.meta import WINDOW, Meta, Said, error
from tests.doubles.vendor_server import Answer, Call

PAGE, ANN, BOB = "108361758641234", "7012345678901234", "7098765432109876"


class Messenger(Meta):
    """One page."""

    def __init__(self) -> None:
        super().__init__()
        self.people = {
            ANN: {"first_name": "Ann", "last_name": "Lee", "locale": "en_US"},
            BOB: {"first_name": "波", "last_name": "王", "locale": "zh_CN"},
        }
        self.blocked: set[str] = set()
        self.tags: set[str] = set()  #: that the page may use after the window
        self.human_agent = False
        self.actions: list[tuple[str, str]] = []
        self.files: dict[str, bytes] = {}
        self.tokens_at_cdn: list[str] = []

    # --- pushing

    def message(self, text: str = "hello", *, by: str = ANN, **more: Any) -> dict[str, Any]:
        """A message of a contact; ``more`` are fields of the message."""
        self.wrote_at[by] = self.now
        said = {"mid": self.new_id("m_"), **({"text": text} if text else {}), **more}
        return self._event(by) | {"message": said}

    def file(self, kind: str, content: bytes, name: str = "a.png") -> dict[str, Any]:
        """A message with a file."""
        path = f"{self.new_id('/cdn/v/t')}/{name}"
        self.files[path] = content
        return self.message("", attachments=[{"type": kind, "payload": {"url": f"{self.url}{path}?oh=1&oe=2"}}])

    def pressing(self, said: Said, title: str) -> dict[str, Any]:
        """A quick reply that was chosen."""
        [found] = [one for one in said.body["message"]["quick_replies"] if one["title"] == title]
        return self.message(title, by=said.to, quick_reply={"payload": found["payload"]})

    def postback(self, title: str, payload: str, by: str = ANN) -> dict[str, Any]:
        """A press of a button of the page's menu."""
        self.wrote_at[by] = self.now
        return self._event(by) | {"postback": {"mid": self.new_id("m_"), "title": title, "payload": payload}}

    def watermark(self, kind: str, until: datetime, by: str = ANN) -> dict[str, Any]:
        """Everything sent up to a moment was delivered ("delivery") or read ("read")."""
        mark: dict[str, Any] = {"watermark": int(until.timestamp() * 1000)}
        if kind == "delivery":
            mark["mids"] = [said.id for said in self.said if said.to == by][-1:]
        return self._event(by) | {kind: mark}

    def webhook(self, *events: Any, page: str = PAGE) -> dict[str, Any]:
        """A webhook with any number of events."""
        entry = {"id": page, "time": int(self.now.timestamp() * 1000), "messaging": list(events)}
        return {"object": "page", "entry": [entry]}

    def _event(self, by: str) -> dict[str, Any]:
        moment = int(self.now.timestamp() * 1000)
        return {"sender": {"id": by}, "recipient": {"id": PAGE}, "timestamp": moment}

    # --- the Graph API

    def answer(self, call: Call, path: str) -> Answer:
        """Messages and profiles."""
        if call.method == "GET" and path in self.people:
            fields = call.query.get("fields", "").split(",")
            if set(fields) - {"first_name", "last_name", "locale", "name", "profile_pic"}:
                return error(100, "Tried accessing nonexisting field")
            return Answer(
                {name: self.people[path][name] for name in fields if name in self.people[path]} | {"id": path}
            )
        if call.method == "GET" and path == PAGE and call.query == {"fields": "name"}:
            return Answer({"name": "Kite Shop", "id": PAGE})
        if call.method != "POST" or path != f"{PAGE}/messages" or call.query:
            return error(100, "Unsupported request", subcode=33)
        file, body = None, call.json()
        if call.headers.get("content-type", "").startswith("multipart/"):
            parts = call.parts()
            file = parts.pop("filedata", None)
            texts = {name: content.decode() for name, (_, content) in parts.items()}
            structured = {"recipient", "message"}
            body = {name: json.loads(text) if name in structured else text for name, text in texts.items()}
        return self._messages(body, file) if isinstance(body, dict) else error(100, "Invalid parameter")

    def cdn(self, call: Call, bearer: str) -> Answer:
        """A file behind a link that anybody may open."""
        self.tokens_at_cdn += [bearer] if bearer else []
        return Answer(self.files[call.path]) if call.path in self.files else Answer(b"", 403)

    def _messages(self, body: dict[str, Any], file: tuple[str, bytes] | None) -> Answer:
        to = body.get("recipient", {}).get("id", "")
        if "sender_action" in body:
            self.actions.append((to, body["sender_action"]))
            known = set(body) == {"recipient", "sender_action"}
            return Answer({"recipient_id": to}) if known else error(100, "Invalid parameter")
        if self.failures:
            return self.failures.pop(0)
        if set(body) - {"recipient", "messaging_type", "tag", "message"} or "message" not in body:
            return error(100, "Invalid parameter")
        if body.get("messaging_type") not in ("RESPONSE", "UPDATE", "MESSAGE_TAG"):
            return error(100, "Param messaging_type is required")
        if wrong := _bad_message(body["message"], file):
            return error(100, wrong)
        if to not in self.people:
            return error(100, "No matching user found", subcode=2018001)
        if to in self.blocked:
            return error(551, "This person isn't available right now.", subcode=1545041)
        silent = self.now - self.wrote_at.get(to, datetime.min.replace(tzinfo=self.now.tzinfo))
        tag = body.get("tag") if body["messaging_type"] == "MESSAGE_TAG" else None
        if body["messaging_type"] == "MESSAGE_TAG" and tag not in ("HUMAN_AGENT", *self.tags):
            return error(100, "Param tag must be one of the approved ones")
        tagged = tag == "HUMAN_AGENT" and self.human_agent
        if tag not in self.tags and silent > (timedelta(days=7) if tagged else WINDOW):
            return error(10, "This message is sent outside of allowed window.", 403, 2018278)
        said = Said(to, self.new_id("m_"), body, file)
        self.said.append(said)
        return Answer({"recipient_id": to, "message_id": said.id})


def _bad_message(message: dict[str, Any], file: tuple[str, bytes] | None) -> str:
    if file is not None:
        shown = message.get("attachment", {}).get("type")
        return "" if set(message) == {"attachment"} and shown in ("image", "audio", "video", "file") else "attachment"
    if set(message) - {"text", "quick_replies"}:
        return "unexpected key"
    if not message.get("text", "").strip() or len(message["text"]) > 2000:
        return "Length of param message[text] must be less than or equal to 2000"
    replies = message.get("quick_replies", [])
    for one in replies:
        if set(one) != {"content_type", "title", "payload"} or one["content_type"] != "text":
            return "quick_replies"
        if not (0 < len(one["title"]) <= 20 and 0 < len(one["payload"]) <= 1000):
            return "quick_replies title or payload"
    return "at most 13 quick replies" if len(replies) > 13 else ""
