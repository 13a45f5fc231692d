"""Reads ratings that contacts write: "5", "五分", "非常满意", "4 stars", "2 not solved", "不再询问".

Only a text that is a rating from its first to its last word is one; everything else is an ordinary message.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

LONGEST = 400  # characters; whoever writes more tells something

_NUMBERS = {"1": 1, "2": 2, "3": 3, "4": 4, "5": 5, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5}
_NUMBERS |= {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5}
_WORDS = {
    5: "很满意 非常满意 特别满意 十分满意 超级满意 满分 非常好 很好 太好了 太棒了 很棒 完美 好评 五星好评 "
    "excellent|very good|great|perfect|awesome|amazing|wonderful|fantastic|very satisfied|very happy",
    4: "满意 比较满意 挺满意 还不错 不错 挺好 挺好的 不错的 good|satisfied|happy|pretty good|quite good",
    3: "一般 一般般 还行 还可以 马马虎虎 凑合 so so|so-so|average|mediocre|not bad",
    2: "不满意 不太满意 不太好 不好 poor|bad|not good|not great|unsatisfied|dissatisfied|unhappy|not satisfied|not happy",
    1: "很不满意 非常不满意 特别不满意 极不满意 十分不满意 太差 太差了 很差 非常差 差评 糟糕 很糟糕 太糟糕了 垃圾 "
    "terrible|awful|horrible|very poor|very bad|very unsatisfied|very dissatisfied|very unhappy|worst",
}
_SOLVED = (
    "解决了 已解决 已经解决 已经解决了 问题解决了 问题已解决 问题已经解决了 都解决了 搞定了 "
    "solved|resolved|it is solved|it's solved|problem solved|it was solved|issue resolved|yes solved|yes, solved|fixed"
)
_NOT_SOLVED = (
    "没解决 没有解决 未解决 还没解决 还没有解决 没能解决 问题没解决 问题没有解决 问题还没解决 问题未解决 没搞定 "
    "not solved|unsolved|not resolved|unresolved|it is not solved|it's not solved|it isn't solved|it was not solved|"
    "it wasn't solved|wasn't solved|isn't solved|problem not solved|not fixed|still not solved|no, not solved"
)
_NEVER = (
    "不再询问 不要再问 不要再问了 不用再问 不用再问了 别再问了 别再问我 别再问我了 不要再问我 不用再问我 不用再问我了 "
    "don't ask me again|don't ask again|do not ask me again|do not ask again|stop asking|stop asking me|"
    "never ask me again|never ask again|don't ask me anymore"
)
_GRAMMAR = {
    "thanks": "谢谢 谢谢你 谢谢您 谢谢了 多谢 thanks|thank you|thx|thank you very much|thanks a lot",
    "please": "我打 打 给 我给 评分 评价 打分 分数 i give|i'd give|score|rating|my rating is|my rating",
}


def _phrases(text: str) -> list[str]:
    chinese = [word for word in text.split() if any("\u4e00" <= letter <= "\u9fff" for letter in word)]
    english = re.sub(r"\S*[\u4e00-\u9fff]\S*", "", text).split("|")
    return chinese + [phrase.strip() for phrase in english if phrase.strip()]


def _any(phrases: list[str]) -> str:
    longest_first = sorted({re.escape(phrase) for phrase in phrases}, key=len, reverse=True)
    return f"(?:{'|'.join(longest_first)})"


_END = r"(?![a-z0-9])"
_SCORE_OF = {phrase: score for score, text in _WORDS.items() for phrase in _phrases(text)}
_DIGIT = rf"(?P<digit>{_any(list(_NUMBERS))})"
_UNIT = r"(?P<unit>\s*(?:分(?!之)|颗?星(?:好评|级)?|stars?|points?|/\s*5|out of (?:5|five)))?"
#: The titles of our own buttons say the score twice: "5 很满意", "2 poor".
_SAME = rf"(?:\s*[,，:：-]?\s*(?P<same>{_any([*_SCORE_OF, 'okay', 'ok'])}))?"
_PARTS = {
    "number": rf"(?:{_any(_phrases(_GRAMMAR['please']))}\s*[:：]?\s*)?{_DIGIT}{_UNIT}{_SAME}",
    "stars": r"(?P<stars>(?:[⭐★🌟]\ufe0f?){1,5}☆{0,4})",
    "word": rf"(?P<word>{_any(list(_SCORE_OF))})",
    "solved": rf"(?P<solved>{_any(_phrases(_SOLVED))})",
    "unsolved": rf"(?P<unsolved>{_any(_phrases(_NOT_SOLVED))})",
    "never": rf"(?P<never>{_any(_phrases(_NEVER))})",
    "nps": r"(?:推荐|推荐度|recommend|nps)\s*[:：]?\s*(?P<nps>10|[0-9])(?:\s*分)?",
    "thanks": _any(_phrases(_GRAMMAR["thanks"])),
}
_PATTERNS = {name: re.compile(pattern + _END) for name, pattern in _PARTS.items()}
_GAP = re.compile(r"[\s,，.。!！~;；、:：&+-]*(?:(?:and\b|but\b|但是?|不过|而且)\s*)?")
_COMMENT = re.compile(r"\s*[,，.。!！;；:：\n]\s*(?P<comment>[^?？]+)$")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a contact's text says as a rating."""

    score: int | None = None
    solved: bool | None = None
    nps: int | None = None
    comment: str = ""
    never_again: bool = False
    exact: bool = False  #: the score was a number, so that it cannot be a polite word about something else


def read_rating(text: str) -> Reading | None:
    """The rating a text is, or None for an ordinary message."""
    written = unicodedata.normalize("NFKC", text).replace("\u2019", "'").strip()
    plain = written.lower()
    if not plain or len(plain) > LONGEST:
        return None
    found: dict[str, str] = {}
    at = 0
    while at < len(plain):
        match = _next(plain, at, found)
        if match is None:
            same_places = at > 0 and len(written) == len(plain)
            return _with_comment(written, at, found) if same_places else None
        at = match.end()
        gap = _GAP.match(plain, at)
        if gap is not None and _next(plain, gap.end(), found) is not None:
            at = gap.end()
        elif re.fullmatch(r"[\s,，.。!！~☺😊👍🙏\ufe0f]*", plain[at:]):
            break
    return _reading(found)


def _next(text: str, at: int, found: dict[str, str]) -> re.Match[str] | None:
    """The longest part that begins here and was not there yet; what it says is added to ``found``."""
    matches = [match for pattern in _PATTERNS.values() if (match := pattern.match(text, at)) is not None]
    best = max(matches, key=lambda match: match.end(), default=None)
    if best is None or not best.group():
        return None
    said = {name: value for name, value in best.groupdict().items() if value is not None}
    if any(name in found and found[name] != value for name, value in said.items()):
        return None
    found.update(said)
    return best


def _with_comment(text: str, at: int, found: dict[str, str]) -> Reading | None:
    """Free words after "5分," or "4 stars:"; after a bare number they may be about anything."""
    match = _COMMENT.match(text, at)
    if match is None or not (found.get("unit") or found.get("stars")):
        return None
    return _reading(found, match.group("comment").strip())


def _reading(found: dict[str, str], comment: str = "") -> Reading | None:
    scores = {_NUMBERS[found["digit"]]} if "digit" in found else set()
    if "stars" in found:
        scores.add(sum(found["stars"].count(star) for star in "⭐★🌟"))
    exact = bool(scores)
    scores |= {_SCORE_OF.get(found[name], 3) for name in ("word", "same") if name in found}
    if len(scores) > 1 or ("solved" in found and "unsolved" in found):
        return None
    solved = True if "solved" in found else False if "unsolved" in found else None
    reading = Reading(
        score=next(iter(scores), None),
        solved=solved,
        nps=int(found["nps"]) if "nps" in found else None,
        comment=comment,
        never_again="never" in found,
        exact=exact,
    )
    says = (reading.score, reading.solved, reading.nps) != (None, None, None) or reading.never_again
    return reading if says else None
