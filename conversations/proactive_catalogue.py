"""What the desk may tell contacts without being asked: kinds of messages, their texts in both languages, and what fills them.

A shop adds kinds of its own, or other words for these, in a YAML file (PROACTIVE_FILE, see docs/proactive.md).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from string import Formatter
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from conversations.errors import InvalidMessage

LONGEST_FACT = 500
_CONTROLS = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")
_NAME = r"^[a-z][a-z0-9_]{0,39}$"
Line = Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class BadCatalogue(SystemExit):
    """The file of kinds cannot be used; the message names the kind and says what is expected."""


class Kind(BaseModel):
    """One kind. Optional sentences stand in brackets: ``[[Tracking number: {tracking}.]]`` is left out without it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    zh: Line
    en: Line
    subject_zh: Line
    subject_en: Line
    title_zh: Line  #: what staff call it
    title_en: Line
    needs: tuple[Annotated[str, StringConstraints(pattern=_NAME)], ...] = ()
    may_have: tuple[Annotated[str, StringConstraints(pattern=_NAME)], ...] = ()
    valid_hours: Annotated[float, Field(gt=0, le=24 * 30)] = 72  #: after which it is of no use to anybody

    @model_validator(mode="after")
    def _texts_use_what_is_there(self) -> Kind:
        known = {*self.needs, *self.may_have}
        for name in ("zh", "en", "subject_zh", "subject_en"):
            text = getattr(self, name)
            always = re.sub(r"\[\[.*?\]\]", "", text, flags=re.DOTALL)
            if unknown := _fields(text) - known:
                raise ValueError(f"{name} uses {{{min(unknown)}}}, which is neither in needs nor in may_have")
            if missing := _fields(always) - set(self.needs):
                raise ValueError(f"{name} uses {{{min(missing)}}}, which may be missing; put its sentence in [[ ]]")
        return self

    @property
    def valid_for(self) -> timedelta:
        """How long it is worth telling."""
        return timedelta(hours=self.valid_hours)

    def text(self, language: str, facts: Mapping[str, str]) -> str:
        """What the contact reads."""
        return filled(self.zh if language == "zh" else self.en, facts)

    def subject(self, language: str, facts: Mapping[str, str]) -> str:
        """What stands above it in a mail."""
        return filled(self.subject_zh if language == "zh" else self.subject_en, facts)

    def checked(self, given: Mapping[str, Any]) -> dict[str, str]:
        """What was given, as texts of one line; raises ``InvalidMessage`` that names what is missing or too much."""
        known = (*self.needs, *self.may_have)
        facts: dict[str, str] = {}
        for name, value in given.items():
            if name not in known:
                raise InvalidMessage(
                    f"data.{name[:40]} is not used by this type; it takes {', '.join(known) or 'nothing'}"
                )
            if not isinstance(value, str | int) or isinstance(value, bool):
                raise InvalidMessage(f"data.{name} must be a text or a whole number")
            text = _CONTROLS.sub(" ", str(value)).encode("utf-8", "replace").decode().strip()
            if len(text) > LONGEST_FACT:
                raise InvalidMessage(f"data.{name} is longer than {LONGEST_FACT} characters; shorten it")
            if text:
                facts[name] = text
        missing = [name for name in self.needs if name not in facts]
        if missing:
            raise InvalidMessage(f"data.{missing[0]} is missing; this type needs {', '.join(self.needs)}")
        return facts


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The kinds there are, by name."""

    kinds: Mapping[str, Kind]

    def get(self, name: str) -> Kind:
        """A kind; raises ``InvalidMessage`` that names those there are."""
        found = self.kinds.get(name)
        if found is None:
            raise InvalidMessage(f"there is no type {name[:40]!r}; use one of {', '.join(sorted(self.kinds))}")
        return found

    @classmethod
    def read(cls, path: Path | None) -> Catalogue:
        """Our own kinds with those of a file over them; raises ``BadCatalogue``."""
        if path is None:
            return cls(KINDS)
        try:
            found = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise BadCatalogue(f"PROACTIVE_FILE {path} cannot be read: {error}") from None
        if not isinstance(found, dict):
            raise BadCatalogue(f"{path} must name kinds and what each says; docs/proactive.md shows one.")
        kinds = dict(KINDS)
        for name, entry in found.items():
            if not isinstance(name, str) or not re.fullmatch(_NAME, name):
                raise BadCatalogue(f"{path}: {name!r} is no name of a kind; use small letters, digits and _.")
            base = kinds[name].model_dump() if name in kinds else {}
            try:
                kinds[name] = Kind.model_validate(base | entry if isinstance(entry, dict) else entry)
            except ValidationError as error:
                first: Any = error.errors(include_url=False, include_input=False)[0]
                place = ".".join(map(str, (name, *first["loc"])))
                raise BadCatalogue(f"{path}: {place}: {str(first['msg']).removeprefix('Value error, ')}.") from None
        return cls(kinds)


def filled(text: str, facts: Mapping[str, str]) -> str:
    """A text with its facts; sentences in brackets are left out where one of theirs is not known."""

    def optional(found: re.Match[str]) -> str:
        return found[1] if _fields(found[1]) <= facts.keys() else ""

    chosen = re.sub(r"\[\[(.*?)\]\]", optional, text, flags=re.DOTALL)
    return re.sub(r"\{(\w+)\}", lambda found: facts.get(found[1], ""), chosen).strip()


def _fields(text: str) -> set[str]:
    try:
        return {name for _, name, _, _ in Formatter().parse(text) if name is not None}
    except ValueError as error:
        raise ValueError(f"the braces of {text[:40]!r} do not match: {error}") from None


KINDS: Mapping[str, Kind] = {
    "order_shipped": Kind(
        zh="您的订单 {order} 已发货。[[承运：{carrier}。]][[运单号：{tracking}。]][[预计 {expected} 送达。]]"
        "想知道到哪儿了，直接在这里问我就行。",
        en="Your order {order} is on its way.[[ It's travelling with {carrier}.]][[ Tracking number: {tracking}.]]"
        "[[ It should arrive by {expected}.]] Want to know where it is? Just ask here.",
        subject_zh="订单 {order} 已发货",
        subject_en="Your order {order} is on its way",
        title_zh="发货通知",
        title_en="Shipping news",
        needs=("order",),
        may_have=("carrier", "tracking", "expected"),
        valid_hours=72,
    ),
    "ticket_answered": Kind(
        zh="您的工单 {ticket}（{subject}）有新进展了。[[客服说：“{answer}”]]还有疑问，直接在这里回复即可。",
        en="There's news on your ticket {ticket} ({subject}).[[ Our team writes: “{answer}”]]"
        " Any questions? Just reply here.",
        subject_zh="工单 {ticket} 有新进展",
        subject_en="News on your ticket {ticket}",
        title_zh="工单进展",
        title_en="Ticket news",
        needs=("ticket", "subject"),
        may_have=("answer",),
        valid_hours=7 * 24,
    ),
    "ticket_resolved": Kind(
        zh="您的工单 {ticket}（{subject}）已处理完毕。[[客服说：“{answer}”]]如果问题还在，直接在这里告诉我们。",
        en="Your ticket {ticket} ({subject}) is done.[[ Our team writes: “{answer}”]]"
        " Not sorted after all? Just tell us here.",
        subject_zh="工单 {ticket} 已处理完毕",
        subject_en="Your ticket {ticket} is done",
        title_zh="工单完成",
        title_en="Ticket done",
        needs=("ticket", "subject"),
        may_have=("answer",),
        valid_hours=7 * 24,
    ),
    "callback": Kind(
        zh="我们刚才按您留下的方式联系过您，可惜没能联系上（工单 {ticket}）。[[客服留言：“{answer}”]]"
        "什么时候方便，或者想换个方式联系，直接在这里告诉我们就好。",
        en="We tried to reach you about your request (ticket {ticket}) but had no luck.[[ Our team left a note: “{answer}”]]"
        " Tell us here when suits you, or how you'd rather be reached.",
        subject_zh="我们联系过您（工单 {ticket}）",
        subject_en="We tried to reach you (ticket {ticket})",
        title_zh="回访通知",
        title_en="Callbacks",
        needs=("ticket",),
        may_have=("answer",),
        valid_hours=48,
    ),
}
