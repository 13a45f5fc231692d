"""WhatsApp's Cloud API on loopback: what it refuses, its media, its windows and limits, and its webhooks."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime, timedelta
from typing import Any

from tests.doubles.meta import WINDOW, Bucket, Meta, Said, error
from tests.doubles.vendor_server import Answer, Call

NUMBER, ANN, BOB = "106540352242922", "15550001111", "8613800000000"
#: What may be uploaded, and how many bytes.
MEDIA_TYPES = {
    "image/jpeg": 5,
    "image/png": 5,
    "audio/mpeg": 16,
    "audio/ogg": 16,
    "video/mp4": 16,
    "text/plain": 100,
    "application/pdf": 100,
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": 100,
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": 100,
}
_MESSAGE = {"messaging_product", "recipient_type", "to", "recipient", "type", "biz_opaque_callback_data"}
_FIELDS = {
    "text": {"body", "preview_url"},
    "image": {"id", "caption"},
    "video": {"id", "caption"},
    "audio": {"id"},
    "document": {"id", "caption", "filename"},
    "template": {"name", "language", "components"},
    "interactive": {"type", "body", "action", "header", "footer"},
}


class Whatsapp(Meta):
    """One number."""

    def __init__(self) -> None:
        super().__init__()
        self.pair = Bucket(45, 6)
        self.per_second = Bucket(80, 1 / 80)
        self.templates = {("please_write", "en")}
        self.variables: dict[tuple[str, str], int] = {}  #: how many a template has, where it has any
        self.unreachable: set[str] = set()
        self.refuses_later = False  #: windows and contacts are looked at only after the message was taken
        self.later: list[dict[str, Any]] = []  #: statuses that are to be pushed
        self.reads: list[dict[str, Any]] = []
        self.media: dict[str, tuple[str, bytes]] = {}
        self.links: dict[str, tuple[str, datetime]] = {}
        self.wrong_checksum = False

    # --- pushing

    def message(self, text: str = "hello", *, by: str = ANN, **more: Any) -> dict[str, Any]:
        """A message of a contact; ``more`` names another type and its body."""
        self.wrote_at[by] = self.now
        whom = {"from": by} if by.isdigit() else {"from_user_id": by}
        said: dict[str, Any] = more or {"type": "text", "text": {"body": text}}
        return whom | {"id": self.new_id("wamid.HBg="), "timestamp": str(int(self.now.timestamp()))} | said

    def file(self, kind: str, content: bytes, media_type: str, *, by: str = ANN, **more: Any) -> dict[str, Any]:
        """A message with a file."""
        media_id = self.new_id("14")
        self.media[media_id] = (media_type, content)
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
        body: dict[str, Any] = {kind: {"id": media_id, "mime_type": media_type, "sha256": digest} | more}
        return self.message(by=by, type=kind, **body)

    def pressing(self, said: Said, title: str) -> dict[str, Any]:
        """A press of a button, or a choice from a list."""
        action = said.body["interactive"]["action"]
        if said.body["interactive"]["type"] == "button":
            [found] = [one["reply"] for one in action["buttons"] if one["reply"]["title"] == title]
            reply = {"type": "button_reply", "button_reply": found}
        else:
            [found] = [row for part in action["sections"] for row in part["rows"] if row["title"] == title]
            reply = {"type": "list_reply", "list_reply": found}
        return self.message(by=said.to, type="interactive", interactive=reply, context={"id": said.id})

    def status(self, said: Said, state: str, *errors: dict[str, Any]) -> dict[str, Any]:
        """What became of a message."""
        made = {
            "id": said.id,
            "status": state,
            "timestamp": str(int(self.now.timestamp())),
            "recipient_id": said.to,
            "biz_opaque_callback_data": said.body.get("biz_opaque_callback_data", ""),
        }
        return made | ({"errors": list(errors)} if errors else {})

    def webhook(self, *messages: Any, statuses: tuple[Any, ...] = (), number: str = NUMBER) -> dict[str, Any]:
        """A webhook with any number of messages and statuses."""
        value: dict[str, Any] = {
            "messaging_product": "whatsapp",
            "metadata": {"display_phone_number": "15550783881", "phone_number_id": number},
        }
        if messages:
            value["contacts"] = [
                {"profile": {"name": "Ann Lee"}, "wa_id": ANN},
                {"profile": {"name": "王波"}, "wa_id": BOB},
                {"profile": {"name": "Hidden", "username": "@hidden"}, "user_id": "US.1349"},
            ]
            value["messages"] = list(messages)
        if statuses:
            value["statuses"] = list(statuses)
        entry = {"id": "102290129340398", "changes": [{"value": value, "field": "messages"}]}
        return {"object": "whatsapp_business_account", "entry": [entry]}

    # --- the Graph API

    def answer(self, call: Call, path: str) -> Answer:
        """Messages, uploads and media."""
        if call.method == "POST" and path == f"{NUMBER}/messages":
            body = call.json()
            return self._messages(body) if isinstance(body, dict) else error(100, "Invalid parameter")
        if call.method == "POST" and path == f"{NUMBER}/media":
            return self._upload(call.parts())
        if call.method == "GET" and path == NUMBER:
            known = {
                "display_phone_number": "+86 138 0013 8000",
                "verified_name": "Kite Shop",
                "quality_rating": "GREEN",
            }
            fields = call.query.get("fields", "").split(",")
            if set(fields) - set(known):
                return error(100, "Tried accessing nonexisting field")
            return Answer({name: known[name] for name in fields} | {"id": NUMBER})
        if call.method == "GET" and path in self.media and call.query in ({}, {"phone_number_id": NUMBER}):
            media_type, content = self.media[path]
            link = self.new_id("/cdn/whatsapp/")
            self.links[link] = (path, self.now + timedelta(minutes=5))
            digest = hashlib.sha256(b"" if self.wrong_checksum else content).hexdigest()
            found = {"url": f"{self.url}{link}", "mime_type": media_type, "sha256": digest, "file_size": len(content)}
            return Answer(found | {"id": path, "messaging_product": "whatsapp"})
        return error(100, "Unsupported request", subcode=33)

    def cdn(self, call: Call, bearer: str) -> Answer:
        """A file behind a link that works for five minutes and with the token only."""
        media_id, until = self.links.get(call.path, ("", self.now))
        if self.now >= until or not bearer:
            return Answer(b"", 404 if bearer else 401)
        return Answer(self.media[media_id][1])

    def _upload(self, parts: dict[str, tuple[str, bytes]]) -> Answer:
        if set(parts) != {"messaging_product", "type", "file"} or parts["messaging_product"][1] != b"whatsapp":
            return error(100, "Invalid parameter")
        media_type, content = parts["type"][1].decode(), parts["file"][1]
        if len(content) > MEDIA_TYPES.get(media_type, 0) * 1024 * 1024:
            return error(100, "Param file must be a file with one of the following types, and not too large")
        media_id = self.new_id("37")
        self.media[media_id] = (media_type, content)
        return Answer({"id": media_id})

    def _messages(self, body: dict[str, Any]) -> Answer:
        if body.get("messaging_product") != "whatsapp":
            return error(100, "The parameter messaging_product is required.")
        if body.get("status") == "read":
            self.reads.append(body)
            known = set(body) <= {"messaging_product", "status", "message_id", "typing_indicator"}
            return Answer({"success": True}) if known else error(100, "Invalid parameter")
        if self.failures:
            return self.failures.pop(0)
        kind, to = body.get("type", "text"), body.get("to") or body.get("recipient", "")
        if not to or kind not in _FIELDS or set(body) - _MESSAGE - {kind}:
            return error(100, "Invalid parameter", details="Unexpected key or type")
        if set(body[kind]) - _FIELDS[kind] or len(body.get("biz_opaque_callback_data", "")) > 512:
            return error(100, "Invalid parameter", details=f"Unexpected key in {kind}")
        if wrong := getattr(self, f"_bad_{kind}", self._bad_file)(body[kind]):
            return error(100, "Invalid parameter", details=wrong)
        if kind == "template" and (body[kind]["name"], body[kind]["language"]["code"]) not in self.templates:
            return error(132001, "Template name does not exist in the translation", 404)
        if not self.per_second.take("", self.now):
            return error(130429, "Rate limit hit", 429, details="Cloud API message throughput has been reached.")
        if not self.pair.take(to, self.now):
            return error(131056, "Pair rate limit hit", details="Too many messages sent to the same phone number.")
        return self._take(body, kind, to)

    def _take(self, body: dict[str, Any], kind: str, to: str) -> Answer:
        code, title = 0, ""
        if to in self.unreachable:
            code, title = 131026, "Message undeliverable"
        elif (
            kind != "template"
            and self.now - self.wrote_at.get(to, datetime.min.replace(tzinfo=self.now.tzinfo)) > WINDOW
        ):
            code, title = 131047, "Re-engagement message"
        if code and not self.refuses_later:
            return error(code, title)
        file_id = body[kind].get("id")
        said = Said(to, self.new_id("wamid.gBG="), body, self.media.get(file_id) if file_id else None)
        if code:
            self.later.append(self.status(said, "failed", {"code": code, "title": title, "message": title}))
        else:
            self.said.append(said)
        contacts = [{"input": to, "wa_id": to}]
        return Answer({"messaging_product": "whatsapp", "contacts": contacts, "messages": [{"id": said.id}]})

    def _bad_text(self, text: dict[str, Any]) -> str:
        return "" if text["body"].strip() and len(text["body"]) <= 4096 else "text.body has 1 to 4096 characters"

    def _bad_template(self, template: dict[str, Any]) -> str:
        parts = template.get("components", [])
        if [part["type"] for part in parts] not in ([], ["body"]):
            return "components"
        values = [one for part in parts for one in part["parameters"]]
        if any(set(one) != {"type", "text"} or one["type"] != "text" or not one["text"].strip() for one in values):
            return "a parameter is empty or of an unknown kind"
        wanted = self.variables.get((template["name"], template["language"]["code"]), 0)
        return "" if len(values) == wanted else f"number of localizable_params does not match: {wanted}"

    def _bad_file(self, file: dict[str, Any]) -> str:
        return "" if file.get("id") in self.media else "the media id is unknown"

    def _bad_interactive(self, shown: dict[str, Any]) -> str:
        if not shown["body"]["text"].strip() or len(shown["body"]["text"]) > 1024:
            return "interactive.body has 1 to 1024 characters"
        action = shown["action"]
        if shown["type"] == "button":
            replies, most, longest_id, longest = [one["reply"] for one in action["buttons"]], 3, 256, 20
        elif shown["type"] == "list" and 0 < len(action["button"]) <= 20:
            replies = [row for part in action["sections"] for row in part["rows"]]
            most, longest_id, longest = 10, 200, 24
        else:
            return "interactive.type is unknown"
        if not 0 < len(replies) <= most or len({one["title"] for one in replies}) < len(replies):
            return "too many choices, or two of the same title"
        fits = all(0 < len(one["title"]) <= longest and 0 < len(one["id"]) <= longest_id for one in replies)
        return "" if fits else "a title or id is too long"
