"""Takes out of what was said in one contact's conversation whatever belongs to that contact, before another one may be
told it.

Two nets: what is known of the contact (names, addresses, numbers, what the bot understood) is looked for by itself; and
what looks like a person's number, address or name is taken out even where nobody knows it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import rjieba

from conversations.model import Contact, Conversation
from conversations.turn_model import Trace
from crm.model import Customer, Order, Ticket
from personal_data.finding import find
from personal_data.kinds import Kind
from personal_data.mail import MAIL_ADDRESS

PLACEHOLDERS = {
    "name": {"en": "[name]", "zh": "【姓名】"},
    "number": {"en": "[number]", "zh": "【编号】"},
    "address": {"en": "[address]", "zh": "【地址】"},
    "contact": {"en": "[phone or e-mail]", "zh": "【联系方式】"},
    "link": {"en": "[link]", "zh": "【链接】"},
}
PLACEHOLDER = re.compile(r"\[(?:name|number|address|phone or e-mail|link)\]|【(?:姓名|编号|地址|联系方式|链接)】")
_KIND_OF_ENTITY = {
    "email": "contact", "phone": "contact", "address": "address", "person": "name", "name": "name",
    "order_number": "number", "ticket_number": "number", "invoice_number": "number", "tracking_number": "number",
    "last4": "number", "code": "number", "tax_number": "number", "id_card": "number", "bank_card": "number", "plate": "number",
    "postcode": "address", "company": "name", "url": "link",
}  # fmt: skip
_PLACEHOLDER_OF = {
    Kind.PHONE: "contact", Kind.EMAIL: "contact", Kind.ADDRESS: "address", Kind.NAME: "name", Kind.ID_CARD: "number",
    Kind.BANK_CARD: "number", Kind.PASSPORT: "number", Kind.PLATE: "number", Kind.IP: "number",
}  # fmt: skip
_KIND_OF_SLOT = {
    "order_number": "number", "ticket_number": "number", "identity_proof": "number", "contact_point": "contact",
    "new_address": "address", "invoice_title": "name", "contact_value": "contact", "recent_orders": "number",
}  # fmt: skip
_LINK = re.compile(r"(?i)\b(?:https?://|www\.)[^\s，。；）)】]+")
#: Four digits or more in a row, with the letters that belong to them; a year, a price with its sign and a measure are no
#: identifiers.
_NUMBER = re.compile(
    r"(?<![A-Za-z0-9¥￥$£€.])(?!(?:19|20)\d{2}(?:[-/年.]|\s*(?![\w-])))(?:[A-Z]{1,6}[\s-]?|[a-z]{1,4})?"
    r"\+?\d(?:[\s-]?\d){3,}[\dXx]?(?![A-Za-z0-9%]|\s?(?:元|块|mAh|毫安|天|小时|days|hours|yuan|GB|ml|克|km|公里)(?![A-Za-z]))"
)
_MASKED_NUMBER = re.compile(r"\d*[*＊xX•]{2,}\d+")
_GREETED = re.compile(
    r"\b(?P<title>(?:Dear|Hi|Hello|Hey|Mr|Mrs|Ms|Miss|Dr|Sir|Madam)\.?),?\s+(?P<name>(?!there\b|again\b|and\b|thanks?\b|I\b|We\b|The\b|Your?\b|This\b|Sir\b|Madam\b)[A-Z][\w'’-]+(?:\s+[A-Z][\w'’-]+){0,2})"
)
_ADDRESSED = re.compile(
    r"(?<![这那该各几两一])(?P<name>[\u4e00-\u9fff]{1,3}?)(?P<title>先生|女士|小姐|太太|阿姨|老师|同学)"
)
_NOT_A_NAME = {"位", "这位", "那位", "各位", "您好", "你好", "好的", "的", "请", "让", "和", "与", "给", "由"}
_LATIN = re.compile(r"(?<![\w@.])[A-Z][a-z'’]+(?:[A-Z][a-z]+)?(?![\w@])")
#: Titles, days, months and what sentences begin with.
_COMMON_WORDS = """
Dear Hi Hello Hey Mr Mrs Ms Miss Dr Sir Madam Monday Tuesday Wednesday Thursday Friday Saturday Sunday January
February March April May June July August September October November December English Chinese Christmas Ok Okay
Yes No Sure Sorry Thanks Thank Please Great Perfect Alright Right Well Now Then Also However Once If When After
Before Until While Since Because As At By For From In On To Of Or And But So The This That These Those There
Here It Its You Your We Our They Their He She His Her My All Any Each Every Both Some Most No Not Only Just Yet
Still Even How What Which Who Where Why Can Could Will Would Shall Should May Must Do Does Did Is Are Was Were
Have Has Had Let Glad Happy Good Nice Welcome Congratulations Apologies Bye Goodbye Cheers One Two Three First
Second Next Last Today Tomorrow Yesterday
"""
_COMMON = frozenset(_COMMON_WORDS.split())
_WIDE = {
    code: code - 0xFEE0
    for first, last in (("０", "９"), ("Ａ", "Ｚ"), ("ａ", "ｚ"))
    for code in range(ord(first), ord(last) + 1)
}
_SENTENCE_START = re.compile(r"(?:^|[.!?:\n。！？：]\s*[\"“(]?|[-*•]\s+)$")


@dataclass(frozen=True, slots=True)
class Private:
    """What is known to belong to one contact: exact words and the kind of each."""

    words: tuple[tuple[str, str], ...] = ()
    agents: tuple[str, ...] = ()  #: a colleague's name does not belong in somebody else's reply


@dataclass(frozen=True, slots=True)
class Masked:
    """A text with placeholders, and how many there are."""

    text: str
    hidden: int


@dataclass(slots=True)
class _Collected:
    words: dict[str, str] = field(default_factory=dict)

    def add(self, kind: str, value: Any) -> None:
        if isinstance(value, (list, tuple)):
            for one in value:
                self.add(kind, one)
            return
        text = unicodedata.normalize("NFKC", str(value)).strip() if value is not None else ""
        if len(text) >= 2:
            self.words.setdefault(text, kind)


def private_of(
    conversation: Conversation,
    contact: Contact | None,
    customer: Customer | None,
    orders: Sequence[Order],
    tickets: Sequence[Ticket],
    traces: Sequence[Trace],
) -> Private:
    """Everything the desk knows of the contact of a conversation."""
    found = _Collected()
    for name in (conversation.contact_name, contact.name if contact else None, customer.name if customer else None):
        for part in _name_parts(name):
            found.add("name", part)
    found.add("contact", conversation.address.contact)
    found.add("number", conversation.callback_ticket)
    if customer is not None:
        found.add("contact", [customer.phone, customer.email])
        found.add("number", customer.id)
    for order in orders:
        found.add("number", order.number)
        for part in _name_parts(order.recipient):
            found.add("name", part)
        found.add("address", _address_parts(order.address))
        if order.shipment is not None:
            found.add("number", order.shipment.tracking_number)
    found.add("number", [ticket.number for ticket in tickets])
    for trace in traces:
        for entity in trace.trace.get("entities") or []:
            kind = _KIND_OF_ENTITY.get(str(entity.get("entity")))
            if kind is not None:
                found.add(kind, entity.get("value"))
        for slot, value in (trace.trace.get("slots_changed") or {}).items():
            kind = _KIND_OF_SLOT.get(slot)
            if kind is not None:
                found.add(kind, _address_parts(value) if kind == "address" else value)
    # The longest first, so that a part of something is not replaced inside of it.
    words = tuple(sorted(found.words.items(), key=lambda pair: -len(pair[0])))
    return Private(words, tuple(_name_parts(conversation.agent_name)))


def masked_for_others(
    text: str, private: Private, language: str, known_word: Callable[[str], bool] = lambda _word: False
) -> Masked:
    """The text as another contact may be told it; ``known_word`` says which capitalised or unusual words are the shop's
    own and not a person's."""
    text = text.translate(_WIDE)  # digits and letters only: the punctuation stays as it was written
    for word, kind in private.words:
        text = _without(text, word, PLACEHOLDERS[kind][language])
    for name in private.agents:
        text = _without(text, name, PLACEHOLDERS["name"][language])
    text = _LINK.sub(lambda found: found[0] if known_word(found[0]) else PLACEHOLDERS["link"][language], text)
    text = MAIL_ADDRESS.sub(lambda found: found[0] if known_word(found[0]) else PLACEHOLDERS["contact"][language], text)
    for span in reversed(find(text)):
        written = text[span.start : span.end]
        if not known_word(written) and PLACEHOLDER.search(written) is None:
            text = text[: span.start] + PLACEHOLDERS[_PLACEHOLDER_OF[span.kind]][language] + text[span.end :]
    number = PLACEHOLDERS["number"][language]
    text = _MASKED_NUMBER.sub(number, text)
    text = _NUMBER.sub(lambda found: found[0] if known_word(found[0]) else number, text)
    name = PLACEHOLDERS["name"][language]
    text = _GREETED.sub(lambda found: found[0] if known_word(found["name"]) else f"{found['title']} {name}", text)
    text = _ADDRESSED.sub(lambda found: found[0] if found["name"] in _NOT_A_NAME else f"{name}{found['title']}", text)
    text = _without_latin_names(text, name, known_word)
    text = _without_chinese_names(text, name, known_word)
    text = _joined(text, name)
    return Masked(text, len(PLACEHOLDER.findall(text)))


def _without(text: str, word: str, placeholder: str) -> str:
    if word.isascii():
        return re.sub(rf"(?i)(?<![A-Za-z0-9]){re.escape(word)}(?![A-Za-z0-9])", placeholder, text)
    return text.replace(word, placeholder)


def _name_parts(name: str | None) -> list[str]:
    """A name as it may be written: whole, each of its words, and a Chinese given name."""
    whole = unicodedata.normalize("NFKC", name or "").strip()
    if not whole:
        return []
    parts = [whole, *(part for part in whole.split() if len(part) >= 2)]
    if re.fullmatch(r"[\u4e00-\u9fff]{3,4}", whole):
        parts.append(whole[-2:])
    return list(dict.fromkeys(parts))


def _address_parts(address: object) -> list[str]:
    """An address and its parts that lead to a door by themselves."""
    whole = str(address or "").strip()
    parts = [part.strip() for part in re.split(r"[,，;；\n]", whole)]
    return [whole, *(part for part in parts if len(part) >= 5 and any(letter.isdigit() for letter in part))]


def _without_latin_names(text: str, placeholder: str, known_word: Callable[[str], bool]) -> str:
    """Capitalised words that the shop itself does not use are somebody's."""

    def judged(found: re.Match[str]) -> str:
        word = found[0]
        if word.partition("'")[0] in _COMMON or known_word(word):
            return word
        # The first word of a sentence is capitalised whatever it is.
        starts = _SENTENCE_START.search(text[: found.start()]) is not None
        return word if starts and (word.endswith("ly") or known_word(word.lower())) else placeholder

    return _LATIN.sub(judged, text)


def _without_chinese_names(text: str, placeholder: str, known_word: Callable[[str], bool]) -> str:
    if not re.search(r"[\u4e00-\u9fff]{2}", text):
        return text
    kept = [
        placeholder
        if kind == "nr" and len(word) >= 2 and not known_word(word) and "\u4e00" <= word[0] <= "\u9fff"
        else word
        for word, kind in rjieba.tag(text)
    ]
    return "".join(kept)


def _joined(text: str, placeholder: str) -> str:
    """Several names in a row are one person."""
    mark = re.escape(placeholder)
    return re.sub(rf"{mark}(?:\s*{mark})+", placeholder, text)
