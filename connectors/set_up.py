"""What an operator needs to set a channel up: the vendor's page, what to enter there, and an entry for the channels file."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel

#: How the vendor learns the webhook's address: somebody pastes it, the desk registers it itself, or there is none.
Webhook = Literal["pasted", "registered", "none"]
_ALONE = re.compile(r"[^.]*|.*\.(local|internal|lan|localhost)")


@dataclass(frozen=True, slots=True)
class SetUp:
    """The vendor's side of a channel in the vendor's own words; docs/channels/CHANNEL.md tells it step by step."""

    page: str = ""  #: where accounts of this channel are made
    where: str = ""  #: the menus that lead to where the address of the webhook is entered
    enter: Mapping[str, str] = field(default_factory=dict)  #: what else is entered there, and the setting that holds it
    events: tuple[str, ...] = ()  #: to tick there
    recipient: str = ""  #: what a recipient of this channel looks like
    also: Mapping[str, str] = field(default_factory=dict)  #: optional settings that a new account needs all the same
    without_https: Mapping[str, str] = field(default_factory=dict)  #: instead, where the desk has no public address


def is_public(url: str) -> bool:
    """Whether a vendor on the internet can call an address: HTTPS, and no name that only this network knows."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "https" or not host:
        return False
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return _ALONE.fullmatch(host) is None


def snippet(channel: str, settings: type[BaseModel], set_up: SetUp, *, public: bool) -> tuple[str, list[str]]:
    """An entry for the channels file with a variable for every setting that is needed, and the variables' names."""
    lines, variables = [f"- channel: {channel}", "  account: default"], []
    for name, field_info in settings.model_fields.items():
        if field_info.is_required() and name != "channel":
            variables.append(f"{channel}_{name}".upper())
            lines.append(f"  {name}: ${{{variables[-1]}}}")
    extra = set_up.without_https if set_up.without_https and not public else set_up.also
    for name, value in extra.items():
        lines.append(f"  {name}: {value}")
        variables += re.findall(r"\$\{(\w+)\}", value)
    return "\n".join(lines) + "\n", variables


def form_of(set_up: SetUp) -> dict[str, Any]:
    """The set-up as the console shows it."""
    return {
        "page": set_up.page,
        "where": set_up.where,
        "enter": [{"field": name, "setting": setting} for name, setting in set_up.enter.items()],
        "events": list(set_up.events),
        "recipient": set_up.recipient,
    }
