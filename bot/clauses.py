"""Cuts a message into the sentences and requests it is made of, only where a cut is safe."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

#: Nothing inside quotation marks, brackets, numbers and addresses of the net is a place to cut.
_WHOLE = re.compile(
    r"“[^”]*”|\"[^\"]*\"|「[^」]*」|『[^』]*』|《[^》]*》|\([^)]*\)|（[^）]*）|\S+@\S+|https?://\S+|\d+[.,:]\d+"
    r"|\b(?:mr|mrs|ms|dr|st|no|vs|etc|e\.g|i\.e|approx|apt|rd|ave)\.",
    re.IGNORECASE,
)
#: An address goes from its first number to the end of the sentence; commas there separate streets and towns.
_ADDRESS = re.compile(
    r"\b(?:flat|apt|apartment|unit|room|suite|floor)\s*\d+[^.!?]*|\b\d+[a-z]?\s+(?:[A-Z][\w']+\s+)+(?:road|rd|street|st|lane|avenue|ave|drive|way|close|square)\b[^.!?]*"
    r"|[\u4e00-\u9fff]{2,}(?:省|市|区|县|镇|路|街|道|巷|号|弄|幢|栋|单元|楼|室)\d*[^。！？!?]*\d[^。！？!?，,]*(?:号|室|楼|单元|层|座)",
    re.IGNORECASE,
)
_ASK_EN = r"(?:what|how|when|where|why|who|which|can|could|do|does|did|is|are|will|would|should|may|am|has|have|any)\b"
_DO_EN = r"(?:please|cancel|track|change|update|send|return|refund|check|tell|help|open|i (?:want|need|would)|i'?d like|let me)\b"
_LINK_EN = r"(?:also|then|second(?:ly)?|third(?:ly)?|first(?:ly)?|one more (?:thing|question)|by the way|btw|another (?:thing|question)|additionally|finally|plus|next)"
_LINK_ZH = r"(?:另外|还有|顺便|以及|再就是|其次|此外|对了|同时|然后|最后|再问一?[句下]|再请问|第[一二三四]|首先|(?<![么])再(?=帮|问|请|给))"
_CUT = re.compile(
    rf"(?P<end>[?？!！;；。\n]+|(?<!\d)\.(?=\s|$)|(?<=\d)\.(?=\s+[A-Z]))\s*"
    rf"|(?P<link>[,，、]?\s*\b(?:and|but)\s+(?:{_LINK_EN}\b[,:]?\s*)?(?={_ASK_EN}|{_DO_EN})"
    rf"|[,，]\s*(?:and\s+)?{_LINK_EN}\b[,:，]?\s*"
    rf"|[,，]\s*(?={_ASK_EN})"
    rf"|[,，、]?\s*(?:和|并且|而且)?(?={_LINK_ZH})"
    rf"|[,，]\s*(?=(?:KT|TK|INV)\s?\d{{5,}}\s*(?![,，和跟与及、都也&+]|一起|and\b|or\b|too\b|please\b|stays?\b|$)[^\s.。!！?？\d])"
    rf"|[,，]\s*(?=[\u4e00-\u9fff]))",
    re.IGNORECASE,
)
_LEAD = re.compile(
    rf"^(?:(?:i (?:have|'ve got) )?(?:two|three|a few|a couple of|some|several|2|3) (?:quick )?(?:things|questions)\s*[:,.\-]\s*|(?:我)?(?:有|想问|问)?[两二三几23]个(?:小?问题|事儿?|事情)\s*[:,：，]\s*|\W*\b(?:and|but|or|so|{_LINK_EN})\b[\s,:]*|\s*(?:和|那么|{_LINK_ZH})[是想]*[，,：:、]?\s*|[\s,，、:：.]+)+",
    re.IGNORECASE,
)
_QUESTION_EN = re.compile(rf"\?\s*$|^(?:so |well |ok |okay |hi |hello |please )*{_ASK_EN}", re.IGNORECASE)
_QUESTION_ZH = re.compile(
    r"[?？吗么]\s*$|呢[?？]?$|怎么|多少|多久|几[天个次点号种年月日家台件张时]|什么|哪[里个些儿天]?|谁|为何|如何|能不能|可不可以|有没有|是不是|行不行|"
    r"要不要|多长|多大|还是.+呢|防不防|支不支持|贵不贵|会不会|用不用|需不需要"
)
_REQUEST = re.compile(
    rf"^(?:hi|hello|hey|ok|okay|so|well|yes|no|first|also|then|now|just|and|\W)*{_DO_EN}|^(?:\w+\W+){{0,3}}(?:{_DO_EN})"
    r"|\b(?:i want|i need|i would like|i'?d like|i wish|please|pls|could you|can you|would you)\b"
    r"|^(?:need|want|wanna|track|check|report|show|find|book|issue|give|get|make|put|stop|arrange)\b"
    r"|我(?:还)?(?:要|想|需要|得)|帮(?:我|忙)|请|麻烦|给我|替我|劳驾|查一?下|看一?下|改一?下|[改换退开取查][^,，]{0,8}(?:吧|一下)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Clause:
    """A part of a message and whether it asks something in so many words."""

    text: str
    asks: bool


def asks(text: str) -> bool:
    """Whether the text is put as a question."""
    plain = text.strip()
    return bool(_QUESTION_EN.search(plain) or _QUESTION_ZH.search(plain))


def requests(text: str) -> bool:
    """Whether the text asks for something to be done, rather than telling how things are."""
    return _REQUEST.search(text.strip()) is not None


def split_clauses(text: str) -> list[Clause]:
    """The clauses in order; what only tells something stays with the question or request that follows it."""
    spared = [match.span() for pattern in (_WHOLE, _ADDRESS) for match in pattern.finditer(text)]
    pieces: list[str] = []
    position = 0
    for cut in _CUT.finditer(text):
        if any(start <= cut.start() < end for start, end in spared):
            continue
        stop = cut.end() if cut.lastgroup == "end" else cut.start()
        pieces.append(text[position:stop])
        position = cut.end() if cut.lastgroup == "end" else cut.start()
    pieces.append(text[position:])
    return [Clause(bare, asks(bare)) for piece in pieces if (bare := _bare(piece))]


def _bare(piece: str) -> str:
    stripped = _LEAD.sub("", piece.strip()).strip(" ,，、;；")
    return stripped if any(character.isalnum() for character in stripped) else ""


def grouped(clauses: Sequence[Clause], starts: Sequence[bool], completes: Sequence[bool] = ()) -> list[str]:
    """Joins each clause that starts nothing of its own to the next one that does, or at the end to the last.

    One that ``completes`` what came before stays with that.
    """
    groups: list[list[str]] = []
    waiting: list[str] = []
    for clause, start, complete in zip_longest(clauses, starts, completes, fillvalue=False):
        if complete and groups and not waiting and not start:
            groups[-1].append(clause.text)
            continue
        waiting.append(clause.text)
        if start:
            groups.append(waiting)
            waiting = []
    if waiting and groups:
        groups[-1] += waiting
    return [_joined(group) for group in groups]


def _joined(parts: Sequence[str]) -> str:
    text = parts[0]
    for part in parts[1:]:
        text += (
            ("" if text[-1] in "。？！，,.!?;；" else "，" if ord(part[0]) > 0x2E80 else ",")
            + " " * (ord(part[0]) < 0x2E80)
            + part
        )
    return text
