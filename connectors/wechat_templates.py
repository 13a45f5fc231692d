"""Template and subscription messages of official accounts: what may be sent when the customer-service window is closed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from connectors.unasked import NOTHING, Fact, Unasked

#: The most characters of a field by the kind in its name, as the vendor documents them for subscriptions [unverified].
_LONGEST: Mapping[str, int] = {
    "thing": 20,
    "character_string": 32,
    "phrase": 5,
    "short_thing": 5,
    "time": 32,
    "const": 20,
}
_PATHS = {"template": "/cgi-bin/message/template/send", "subscribe": "/cgi-bin/message/subscribe/bizsend"}


class Template(BaseModel):
    """A template of the account; ``fields`` names the fact for each of its fields, ``{thing1: order}``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, StringConstraints(pattern=r"^[\w-]{10,80}$")]
    way: Literal["template", "subscribe"] = "template"
    fields: Mapping[Annotated[str, StringConstraints(pattern=r"^\w{1,40}$")], Fact]
    url: Annotated[str, StringConstraints(pattern=r"^(https://\S{1,500})?$")] = ""  #: opened by a tap


def call_of(template: Template, to: str, told: Unasked) -> tuple[str, dict[str, Any]]:
    """Path and body of the call that sends it."""
    data = {name: {"value": _fitted(name, told.facts.get(fact) or NOTHING)} for name, fact in template.fields.items()}
    body: dict[str, Any] = {"touser": to, "template_id": template.id, "data": data}
    if template.url:
        body["url" if template.way == "template" else "page"] = template.url
    return _PATHS[template.way], body


def _fitted(name: str, value: str) -> str:
    longest = _LONGEST.get(re.sub(r"\d+$", "", name), 200)
    return value if len(value) <= longest else f"{value[: longest - 1]}…"
