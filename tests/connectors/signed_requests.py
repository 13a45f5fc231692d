"""A genuine webhook of every channel that takes webhooks, and a complete entry of the channels file for every channel."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from connectors.base import Connector, Means, WebhookRequest
from connectors.dingtalk import DingTalkConnector
from connectors.messenger import MessengerConnector
from connectors.rest import RestConnector
from connectors.slack import SlackConnector
from connectors.telegram import TelegramConnector
from connectors.webhook import WebhookConnector
from connectors.wechat import WechatConnector
from connectors.wechat_crypto import signature
from connectors.wechat_xml import read_fields
from connectors.wecom import WecomConnector
from connectors.whatsapp import WhatsappConnector
from tests.connectors import dingtalk_desk, meta_desk, slack_desk, webhook_desk, wechat_desk
from tests.connectors.desk import API_KEY
from tests.doubles.dingtalk import DingTalk
from tests.doubles.messenger import Messenger
from tests.doubles.slack import Slack
from tests.doubles.telegram import TOKEN as BOT_TOKEN
from tests.doubles.webhook_program import Program
from tests.doubles.wechat import WechatDouble
from tests.doubles.wechat_vendor import Clock, VendorDouble, xml_of
from tests.doubles.wecom import WecomDouble
from tests.doubles.whatsapp import Whatsapp

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TELEGRAM_SECRET = "secret-of-the-webhook_1"
_TELEGRAM_PROOF = "x-telegram-bot-api-secret-token"
_META_PROOF = "x-hub-signature-256"


@dataclass(frozen=True)
class Signed:
    """How a channel proves who made a request."""

    make: Callable[[Means], Connector]
    sign: Callable[[datetime], WebhookRequest]
    sign_with_nothing: Callable[[], WebhookRequest]  #: as if the secret were empty
    proofs: Sequence[str]  #: headers, or fields of the query
    in_query: bool = False
    body_is_signed: bool = True
    window_seconds: int | None = 300  #: None: the proof holds no time
    other_algorithms: Sequence[tuple[str, str]] = ()  #: what is written in a proof, and what it must not become

    def signed_part(self, body: bytes) -> range:
        """The places in a body that its proof covers."""
        if not self.body_is_signed:
            return range(0)
        if not self.in_query:
            return range(len(body))
        encrypted = read_fields(body)["Encrypt"].encode()
        return range(body.index(encrypted), body.index(encrypted) + len(encrypted))

    def proof(self, request: WebhookRequest) -> Mapping[str, str]:
        """Where the proofs of a request are."""
        return request.query if self.in_query else request.headers

    def with_proof(self, request: WebhookRequest, name: str, value: str | None) -> WebhookRequest:
        """The request with another proof, or without it."""
        changed = {key: one for key, one in self.proof(request).items() if key != name}
        changed |= {} if value is None else {name: value}
        return replace(request, query=changed) if self.in_query else replace(request, headers=changed)


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _post(headers: Mapping[str, str], body: bytes) -> WebhookRequest:
    return WebhookRequest("POST", dict(headers), {}, body)


# --- one secret word, sent along


def _rest(authorization: str) -> WebhookRequest:
    return _post({"authorization": authorization}, b'{"contact":"ann","text":"hello"}')


def _telegram(secret: str) -> WebhookRequest:
    chat = {"id": 42, "type": "private", "first_name": "Ann"}
    message = {"message_id": 7, "date": int(NOW.timestamp()), "chat": chat, "from": chat | {"is_bot": False}}
    return _post({_TELEGRAM_PROOF: secret}, _json({"update_id": 1, "message": message | {"text": "hello"}}))


def _make_telegram(means: Means) -> Connector:
    entry = {"channel": "telegram", "token": BOT_TOKEN, "secret": TELEGRAM_SECRET, "api_base": "http://127.0.0.1:9"}
    return TelegramConnector(TelegramConnector.Settings.model_validate(entry), means)


# --- a signature over time and body


def _slack(at: datetime) -> WebhookRequest:
    double = Slack()
    double.now = NOW
    body = _json(double.event("hello"))
    return _post(double.signed(body, at), body)


def _slack_with_nothing() -> WebhookRequest:
    genuine = _slack(NOW)
    signed = b"v0:" + genuine.headers["x-slack-request-timestamp"].encode() + b":" + genuine.body
    return _post(dict(genuine.headers) | {"x-slack-signature": f"v0={_hex(b'', signed)}"}, genuine.body)


def _webhook(at: datetime) -> WebhookRequest:
    body = b'{"contact":"ann","text":"hello"}'
    return _post(Program(now=lambda: at).signed(body), body)


def _webhook_with_nothing() -> WebhookRequest:
    genuine = _webhook(NOW)
    headers = dict(genuine.headers)
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + genuine.body
    made = base64.b64encode(hmac.digest(b"", signed, "sha256")).decode()
    return _post(headers | {"webhook-signature": f"v1,{made}"}, genuine.body)


# --- a signature over the body alone


def _meta(double: Whatsapp | Messenger) -> WebhookRequest:
    double.now = NOW
    body = _json(double.webhook(double.message("hello")))
    return _post({_META_PROOF: double.signed(body)[_META_PROOF]}, body)


def _meta_with_nothing(double: Whatsapp | Messenger) -> WebhookRequest:
    body = _meta(double).body
    return _post({_META_PROOF: f"sha256={_hex(b'', body)}"}, body)


# --- a signature over the time alone


def _dingtalk(at: datetime) -> WebhookRequest:
    double = DingTalk()
    double.now = NOW
    return _post(double.signed(at), _json(double.message("hello")))


def _dingtalk_with_nothing() -> WebhookRequest:
    genuine = _dingtalk(NOW)
    made = hmac.digest(b"", f"{genuine.headers['timestamp']}\n".encode(), "sha256")
    return _post(dict(genuine.headers) | {"sign": base64.b64encode(made).decode()}, genuine.body)


def _make_dingtalk(means: Means) -> Connector:
    return DingTalkConnector(dingtalk_desk.settings(DingTalk(), mode="http"), means)


# --- a signature in the query, over the encrypted message


def _wechat(at: datetime, *, encrypted: bool = True) -> WebhookRequest:
    return _pushed(WechatDouble(_stopped(at), encrypted=encrypted))


def _wecom(at: datetime) -> WebhookRequest:
    return _pushed(WecomDouble(_stopped(at)), AgentID=218)


def _stopped(at: datetime) -> Clock:
    clock = Clock()
    clock.advance((at - clock()).total_seconds() + 0.5)  # in the middle of its second
    return clock


def _pushed(double: VendorDouble, **more: Any) -> WebhookRequest:
    said: dict[str, str | int] = {
        "ToUserName": "us",
        "FromUserName": "ann",
        "CreateTime": 1,
        "MsgType": "text",
        "MsgId": 7,
        "Content": "hi",
    }
    query, body = double.signed(xml_of(said | more))
    return WebhookRequest("POST", {}, query, body.encode())


def _with_empty_token(genuine: WebhookRequest, name: str) -> WebhookRequest:
    covered = [genuine.query["timestamp"], genuine.query["nonce"]]
    if name == "msg_signature":
        covered.append(read_fields(genuine.body)["Encrypt"])
    return replace(genuine, query=dict(genuine.query) | {name: signature("", *covered)})


def _make_wechat(means: Means, *, encrypted: bool = True) -> Connector:
    return WechatConnector(wechat_desk.settings(WechatDouble(Clock(), encrypted=encrypted)), means)


def _hex(key: bytes, signed: bytes) -> str:
    return hmac.new(key, signed, hashlib.sha256).hexdigest()


SIGNED: Mapping[str, Signed] = {
    "rest": Signed(
        lambda _: RestConnector([API_KEY]),
        lambda _: _rest(f"Bearer {API_KEY}"),
        lambda: _rest("Bearer "),
        ["authorization"],
        body_is_signed=False,
        window_seconds=None,
        other_algorithms=[("Bearer", "Basic")],
    ),
    "telegram": Signed(
        _make_telegram,
        lambda _: _telegram(TELEGRAM_SECRET),
        lambda: _telegram(""),
        [_TELEGRAM_PROOF],
        body_is_signed=False,
        window_seconds=None,
    ),
    "slack": Signed(
        lambda means: SlackConnector(slack_desk.settings(Slack()), means),
        _slack,
        _slack_with_nothing,
        ["x-slack-request-timestamp", "x-slack-signature"],
        other_algorithms=[("v0=", "v1="), ("v0=", "")],
    ),
    "whatsapp": Signed(
        lambda means: WhatsappConnector(meta_desk.whatsapp_settings(Whatsapp()), means),
        lambda _: _meta(Whatsapp()),
        lambda: _meta_with_nothing(Whatsapp()),
        [_META_PROOF],
        window_seconds=None,
        other_algorithms=[("sha256=", "sha1="), ("sha256=", "")],
    ),
    "messenger": Signed(
        lambda means: MessengerConnector(meta_desk.messenger_settings(Messenger()), means),
        lambda _: _meta(Messenger()),
        lambda: _meta_with_nothing(Messenger()),
        [_META_PROOF],
        window_seconds=None,
        other_algorithms=[("sha256=", "sha512="), ("sha256=", "")],
    ),
    "webhook": Signed(
        lambda means: WebhookConnector(webhook_desk.settings(account="default"), means),
        _webhook,
        _webhook_with_nothing,
        ["webhook-id", "webhook-timestamp", "webhook-signature"],
        other_algorithms=[("v1,", "v2,"), ("v1,", "v1a,"), ("v1,", "")],
    ),
    "dingtalk": Signed(
        _make_dingtalk,
        _dingtalk,
        _dingtalk_with_nothing,
        ["timestamp", "sign"],
        body_is_signed=False,
        window_seconds=3600,
    ),
    "wechat": Signed(
        _make_wechat,
        _wechat,
        lambda: _with_empty_token(_wechat(NOW), "msg_signature"),
        ["timestamp", "nonce", "msg_signature"],
        in_query=True,
    ),
    "wechat in plain text": Signed(
        lambda means: _make_wechat(means, encrypted=False),
        lambda at: _wechat(at, encrypted=False),
        lambda: _with_empty_token(_wechat(NOW, encrypted=False), "signature"),
        ["timestamp", "nonce", "signature"],
        in_query=True,
        body_is_signed=False,
    ),
    "wecom": Signed(
        lambda means: WecomConnector(wechat_desk.wecom_settings(WecomDouble(Clock())), means),
        _wecom,
        lambda: _with_empty_token(_wecom(NOW), "msg_signature"),
        ["timestamp", "nonce", "msg_signature"],
        in_query=True,
    ),
}
_SECRET = "whsec_" + base64.b64encode(b"x" * 32).decode()
_META = {"app_secret": "a", "verify_token": "v", "access_token": "t"}
#: A complete entry of each channel, and which of its fields are secrets.
ENTRIES: Mapping[str, tuple[dict[str, Any], Sequence[str]]] = {
    "dingtalk": ({"client_id": "id", "client_secret": "s"}, ["client_secret"]),
    "email": (
        {
            "address": "support@shop.example",
            "password": "p",
            "since": "2026-01-01",
            "imap_host": "imap.shop.example",
            "smtp_host": "smtp.shop.example",
            "smtp_password": "p",
            "secret": "s",
        },
        ["password", "smtp_password", "secret"],
    ),
    "messenger": ({"page_id": "1"} | _META, list(_META)),
    "mqtt": ({"host": "broker.example", "username": "desk", "password": "p"}, ["password"]),
    "slack": ({"bot_token": "xoxb-1", "signing_secret": "s"}, ["bot_token", "signing_secret"]),
    "telegram": ({"token": BOT_TOKEN, "secret": TELEGRAM_SECRET}, ["token", "secret"]),
    "webhook": (
        {
            "url": "https://shop.example/desk",
            "incoming_secrets": _SECRET,
            "outgoing_secrets": "whsec_" + base64.b64encode(b"y" * 32).decode(),
        },
        ["incoming_secrets", "outgoing_secrets"],
    ),
    "wechat": (
        {"token": "tokenOfTests", "app_id": "wx12345678", "app_secret": "s", "encoding_aes_key": "a" * 42 + "E"},
        ["token", "app_secret", "encoding_aes_key"],
    ),
    "wecom": (
        {
            "corp_id": "ww12345678",
            "agent_id": 1,
            "secret": "s",
            "token": "tokenOfTests",
            "encoding_aes_key": "a" * 42 + "E",
        },
        ["secret", "token", "encoding_aes_key"],
    ),
    "whatsapp": ({"phone_number_id": "1"} | _META, list(_META)),
}
