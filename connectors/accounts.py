"""Makes the connectors of the accounts in the channels file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Protocol, cast

from pydantic import ValidationError

from connectors.base import AccountSettings, Connector, Means
from connectors.set_up import SetUp

#: Channels that are set up in the channels file, with module and class; a library is loaded only where it is used.
CHANNELS: Mapping[str, tuple[str, str]] = {
    "dingtalk": ("connectors.dingtalk", "DingTalkConnector"),
    "messenger": ("connectors.messenger", "MessengerConnector"),
    "email": ("connectors.mail", "MailConnector"),
    "slack": ("connectors.slack", "SlackConnector"),
    "telegram": ("connectors.telegram", "TelegramConnector"),
    "wechat": ("connectors.wechat", "WechatConnector"),
    "wecom": ("connectors.wecom", "WecomConnector"),
    "whatsapp": ("connectors.whatsapp", "WhatsappConnector"),
    "mqtt": ("connectors.mqtt", "MqttConnector"),
    "webhook": ("connectors.webhook", "WebhookConnector"),
}


class BadAccount(SystemExit):
    """A channel account cannot be used; the message names it and says what is expected."""


class ConnectorClass(Protocol):
    """A connector made from an entry of the channels file."""

    Settings: type[AccountSettings]
    set_up: SetUp

    def __call__(self, settings: Any, means: Means) -> Connector:
        """The connector of one account."""
        ...


def class_of(channel: str) -> ConnectorClass:
    """The connector of a channel, loaded with its library."""
    module, name = CHANNELS[channel]
    return cast(ConnectorClass, getattr(import_module(module), name))


def connectors_of(entries: Sequence[Mapping[str, object]], means: Means) -> list[Connector]:
    """One connector for each entry; raises ``BadAccount`` that names the first bad entry and field."""
    made: list[Connector] = []
    for place, entry in enumerate(entries, 1):
        channel = entry.get("channel")
        if not isinstance(channel, str) or channel not in CHANNELS:
            known = ", ".join(sorted(CHANNELS))
            raise BadAccount(f"Channels file, entry {place}: channel {channel!r} is unknown; use one of {known}.")
        connector_class = class_of(channel)
        try:
            settings = connector_class.Settings.model_validate(entry)
        except ValidationError as error:
            first: Any = error.errors(include_url=False, include_input=False)[0]
            field = ".".join(map(str, first["loc"])) or "entry"
            message = str(first["msg"]).removeprefix("Value error, ")
            raise BadAccount(f"Channels file, entry {place} ({channel}): {field}: {message}.") from None
        made.append(connector_class(settings, means))
    return made
