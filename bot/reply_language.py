"""Which language the contact is answered in.

1. The reply is in the language of the message, or of the last one that was in any: numbers, names and emoji change nothing.
2. A contact who asks for a language ("speak English please", "说中文") gets it from then on, whatever they write in.
3. They leave it by asking for the other one, or by writing two whole messages in a row in the other one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from bot.components.language import detect_language, is_clear
from bot.text import fold_case

_NAMES = {
    "zh": r"(?:chinese|mandarin|putonghua|中文|汉语|普通话|国语|华语|zhongwen)",
    "en": r"(?:english|英文|英语|yingwen|yingyu)",
}
_WISHES = (
    r"\b(?:speak|talk|reply|answer|respond|write|chat|continue|type|switch|change|text)(?: back)?(?: to)?(?: me)?(?: it)?(?: in| to)? {name}\b",
    r"\b(?:in|use|using|only) {name}(?: only| please| pls| plz| thanks| from now on| if possible)*[.!?]*$",
    r"^(?:no |hey |hi |hello |sorry |ok |and |so )*,?{name}(?: only| please| pls| plz| thanks| language| instead)+[.!?]*$",
    r"^(?:only |just )?{name}[.!?]*$",
    r"(?:请|麻烦|能|可以|可不可以|能不能|帮我|给我|跟我|和我|还是|改|换|切换?|我想|我要|咱们|我们)[^,，。?？!！]{{0,6}}(?:用|说|讲|回|成|到|切|打|发)[^,，。?？!！]{{0,4}}{name}",
    r"^(?:请|就|都|还是|麻烦)?(?:你)?(?:用|说|讲|换|改|切换?)(?:回|成|到)?{name}(?:吧|啊|呀|好吗|行吗|可以吗|回复?我?|跟我说|和我说|聊|谢谢|说|讲|回答|交流|沟通)*[,，。.!！~]*",
)
_PATTERNS = {language: [re.compile(wish.format(name=name)) for wish in _WISHES] for language, name in _NAMES.items()}
#: Whether the bot can do it is another question than whether it should: "do you speak Chinese?", "你会说英语吗".
_ONLY_ASKS = re.compile(
    r"^(?:hi |hello |hey )*,?(?:do|does|are|is)(?:n'?t)? (?:you|anyone|anybody|there|it|u)\b|^(?:你们?|您|客服)?(?:会|懂|支持|有没有|有)(?:不会)?(?:说|讲|写)?"
)
_REFUSES = re.compile(
    r"\b(?:don'?t|do not|can'?t|cannot|no|not|stop)\b[^,.!?]{0,24}|(?:不要|别|不会|不懂|看不懂|不想|不用)[^,，。！!]{0,6}"
)
_TWICE = 2


@dataclass(frozen=True)
class Speech:
    """The language of the replies, whether the contact asked for it, and how many messages in a row were in the other."""

    language: str
    asked_for: bool = False
    others: int = 0


def wished_language(text: str) -> str | None:
    """The language the message asks to be answered in, or None."""
    plain = fold_case(text)
    if _ONLY_ASKS.match(plain):
        return None
    plain = _REFUSES.sub(
        lambda match: " " if any(re.search(name, match.group()) for name in _NAMES.values()) else match.group(), plain
    )
    for clause in re.split(r"[,，.。;；!！?？]", plain):
        for language, patterns in _PATTERNS.items():
            if any(pattern.search(clause.strip()) for pattern in patterns):
                return language
    return None


def next_speech(speech: Speech, text: str) -> Speech:
    """How the reply to ``text`` (a message's reading) speaks, given how the last one did."""
    wished = wished_language(text)
    if wished:
        return Speech(wished, asked_for=True)
    said = detect_language(text, speech.language)
    if not speech.asked_for:
        return Speech(said)
    if said == speech.language or not is_clear(text):
        return replace(speech, others=0) if said == speech.language and is_clear(text) else speech
    if speech.others + 1 >= _TWICE:
        return Speech(said)
    return replace(speech, others=speech.others + 1)
