"""Writes our messages as DingTalk shows them: text from people, Markdown from the bot, cards where there are buttons."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from connectors.text import as_plain_text, language_of, split_markdown
from conversations.model import Attachment, Author, Button, Citation, OutboundMessage

#: A press lets the client send the words as the user's own message [2nd: used by several published robots].
_SAYS = "dtmd://dingtalkclient/sendMessage?content="
MOST_BUTTONS = 5  # sampleActionCard has one, sampleActionCard2 to 5 have as many as their number
#: Answers a press: the card shows no buttons any more [2nd: the vendor's samples for card callbacks].
WITHOUT_BUTTONS: dict[str, Any] = {
    "cardUpdateOptions": {"updateCardDataByKey": True},
    "cardData": {"cardParamMap": {"sys_full_json_obj": '{"buttons":[]}'}},
}
_LONGEST_LINK = 500
_LINE_END = re.compile(r"(?<!\n)\n(?!\n)")
_MARKS = re.compile(r"[#*_`>\[\]|~]+")
_TITLE = 40


@dataclass(frozen=True, slots=True)
class Text:
    """A text of one wire message; ``markdown`` says how it is read."""

    text: str
    title: str
    markdown: bool
    buttons: tuple[Button, ...] = ()


Part = Text | Attachment


def parts_of(message: OutboundMessage, *, limit: int, buttons: int, public_url: str) -> list[Part]:
    """The wire messages in their order: texts of at most ``limit`` UTF-8 bytes, then files.

    At most ``buttons`` buttons go on the last text; more become a numbered list.
    """
    language = language_of(message.text)
    choices = message.buttons if fits_card(message.buttons, buttons) else ()
    listed = message if not choices else replace(message, buttons=())
    markdown = message.author is not Author.AGENT  # what people type is not meant as markup
    if markdown:
        text = _LINE_END.sub("  \n", _as_markdown(listed, public_url, language))
    else:
        text = as_plain_text(listed, public_url, language)
    pieces = [piece for piece in split_markdown(text, limit, "utf-8") if piece.strip()]  # an empty message is an error
    if choices and not pieces:
        pieces = ["请选择" if language == "zh" else "Please choose"]
    title = title_of(message.text) or ("客服消息" if language == "zh" else "Message")
    texts = [Text(piece, title, markdown) for piece in pieces]
    if choices:
        texts[-1] = Text(texts[-1].text, title, True, choices)
    return [*texts, *message.attachments]


def title_of(text: str) -> str:
    """What notifications show of a text."""
    first = _MARKS.sub("", text.strip().split("\n", 1)[0]).strip()
    return first if len(first) <= _TITLE else first[: _TITLE - 1] + "…"


def fits_card(buttons: Sequence[Button], most: int) -> bool:
    """Whether every button can be shown as one."""
    return 0 < len(buttons) <= most and all(len(_link(button)) <= _LONGEST_LINK for button in buttons)


def for_webhook(part: Text, mention: str | None) -> dict[str, Any]:
    """The body for a session webhook; ``mention`` is the staff id that is called by name."""
    text = _called(mention or "", part)
    at: dict[str, Any] = {"at": {"atUserIds": [mention]}} if mention else {}
    if part.buttons:
        buttons = [{"title": button.title, "actionURL": _link(button)} for button in part.buttons]
        card = {"title": part.title, "text": text, "btnOrientation": "0", "btns": buttons}
        return {"msgtype": "actionCard", "actionCard": card}
    if part.markdown:
        return {"msgtype": "markdown", "markdown": {"title": part.title, "text": text}, **at}
    return {"msgtype": "text", "text": {"content": text}, **at}


def for_api(part: Text, name: str) -> tuple[str, str]:
    """Template key and parameters of a robot message; ``name`` stands before it where it answers one of a group."""
    text = _called(name, part)
    if part.buttons:
        values = {"title": part.title, "text": text}
        if len(part.buttons) == 1:
            [button] = part.buttons
            return "sampleActionCard", _json(values | {"singleTitle": button.title, "singleURL": _link(button)})
        for number, button in enumerate(part.buttons, 1):
            values |= {f"actionTitle{number}": button.title, f"actionURL{number}": _link(button)}
        return f"sampleActionCard{len(part.buttons)}", _json(values)
    if part.markdown:
        return "sampleMarkdown", _json({"title": part.title, "text": text})
    return "sampleText", _json({"content": text})


def card_data(part: Text) -> dict[str, str]:
    """The variables of our card template: ``title``, ``text`` and the list ``buttons`` of ``text`` and ``button_id``."""
    buttons = [{"text": button.title, "button_id": button.id} for button in part.buttons]
    # Lists travel as JSON in this one variable [src: dingtalk-stream 0.24.3, MarkdownButtonCardInstance].
    return {"title": part.title, "text": part.text, "sys_full_json_obj": _json({"buttons": buttons})}


def _called(name: str, part: Text) -> str:
    """The text with a name before it; a heading or list must still begin its line."""
    if not name:
        return part.text
    begins = part.markdown and re.match(r"[#>*|\-\d]", part.text)
    return f"@{name}\n\n{part.text}" if begins else f"@{name} {part.text}"


def _as_markdown(message: OutboundMessage, public_url: str, language: str) -> str:
    plain = as_plain_text(replace(message, citations=()), public_url, language)
    lines = [_source(citation, public_url, language) for citation in message.citations]
    return "\n\n".join(filter(None, [plain, "\n\n".join(lines)]))


def _source(citation: Citation, public_url: str, language: str) -> str:
    said = "来源：" if language == "zh" else "Source: "
    title = re.sub(r"([\\\[\]])", r"\\\1", citation.title)
    url = f"{public_url.rstrip('/')}{citation.url}" if citation.url.startswith("/") else citation.url
    return f"{said}[{title}]({url.replace(')', '%29')})" if url else f"{said}{title}"


def _link(button: Button) -> str:
    return _SAYS + quote(button.title, safe="")


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
