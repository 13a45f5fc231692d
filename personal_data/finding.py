"""Finds personal data in what people write; the one place that knows how it looks."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from functools import lru_cache

from personal_data.addresses import addresses_in
from personal_data.kinds import HIGH_RISK, Kind, Span
from personal_data.mail import mails_in
from personal_data.names import NameModels, names_in
from personal_data.numbers import numbers_in, spoken_phones_in
from personal_data.spellings import folded, spoken

LONGEST = 20_000  #: characters that are looked through at once; longer texts are cut where a line or a word ends
_REMEMBERED = 4096
_LEFT = 4  #: characters of a place that another one overlaps which are still worth hiding
#: What a text must have for anything to be found in it; most messages have none of it.
_SIGNS = re.compile(
    r"[0-9@零〇一二三四五六七八九幺壹]|\b(?:at|name|Mr|Mrs|Ms|Miss|Dr|Prof|Dear|Hi|Hello|Hey|call|I'm|I’m|I am|[Tt]his is|[Ii]t's|regards|Regards|sincerely|Sincerely|[Cc]heers|[Tt]hanks?|[Yy]ours|wishes|customer|attn|addressed|signed|wife|husband|partner|son|daughter|mother|father|mum|mom|dad|sister|brother|colleague|friend|boss|neighbou?r|assistant|roommate|flatmate|recipient|cardholder|Box)\b"
    r"|我是|我叫|叫我|本人|名字|姓名|这里是|这边是|[收寄]?[货件]人|联系人|持卡人|户名|抬头|老公|老婆|丈夫|妻子|爱人|儿子|女儿|妈妈|爸爸|父亲|母亲|哥哥|姐姐|弟弟|妹妹|同事|朋友|室友|邻居|先生|女士|小姐|太太|[路街道巷弄村苑园区县市镇][^，。！？,.!?]{0,12}[号栋室路街道]|艾特|Street|Road|Avenue|Lane|Broadway",
    re.IGNORECASE,
)


class Finder:
    """Finds; one for a process, so that models are loaded once and what was read is not read again."""

    def __init__(self, models: NameModels | None = None) -> None:
        self._models = models or NameModels()
        self._found = lru_cache(maxsize=_REMEMBERED)(self._look)

    def find(self, text: str, language: str = "", names: Collection[str] = ()) -> tuple[Span, ...]:
        """The places of personal data in a text, from left to right, none inside of another one.

        ``language`` chooses the model for names, all else is looked for in both; ``names`` are known to be somebody's.
        """
        found = self._found(text, language) if len(text) <= LONGEST else tuple(_shifted(self, text, language))
        known = [span for name in names for span in _named(text, name)]
        return _apart([*found, *known]) if known else found

    def _look(self, text: str, language: str) -> tuple[Span, ...]:
        plain = folded(text)
        spans: list[Span] = []
        if _SIGNS.search(plain) is not None:
            spans += numbers_in(plain)
            if not plain.isascii():
                said = spoken(plain)
                if said != plain:
                    spans += spoken_phones_in(said)
            spans += mails_in(plain)
            spans += addresses_in(plain)
            spans += names_in(plain)
        spans += self._models.names_in(text, language)
        return _apart(spans)


def _apart(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Of places that overlap, the riskier kind, then the longer one, then the earlier one; of the other one what is left."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda one: (one.kind not in HIGH_RISK, one.start - one.end, one.start)):
        start, end = span.start, span.end
        for other in kept:
            if start < other.end and other.start < end:
                before, behind = max(0, other.start - start), max(0, end - other.end)
                start, end = (start, other.start) if before >= behind else (other.end, end)
        if (start, end) == (span.start, span.end) or end - start >= _LEFT:
            kept.append(Span(start, end, span.kind))
    return tuple(sorted(kept))


def _named(text: str, name: str) -> Iterable[Span]:
    if len(name) < 2 or name.lower() not in text.lower():
        return ()
    edge = r"(?<![A-Za-z0-9])", r"(?![A-Za-z0-9])"
    pattern = f"{edge[0] if name[0].isascii() else ''}{re.escape(name)}{edge[1] if name[-1].isascii() else ''}"
    return [Span(*found.span(), Kind.NAME) for found in re.finditer(pattern, text, re.IGNORECASE)]


def _shifted(finder: Finder, text: str, language: str) -> Iterable[Span]:
    start = 0
    while start < len(text):
        end = min(len(text), start + LONGEST)
        if end < len(text):
            cut = max(text.rfind(mark, start + LONGEST // 2, end) for mark in ("\n", "。", " "))
            end = cut + 1 if cut > start else end
        for span in finder.find(text[start:end], language):
            yield Span(span.start + start, span.end + start, span.kind)
        start = end


#: Without a trained model for names.
find = Finder().find
