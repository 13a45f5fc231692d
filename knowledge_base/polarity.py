"""Whether a passage says yes or no to exactly what was asked, and the few words that say so.

Only what is explicit counts: the clause must speak of what the question speaks of, and nothing near it may limit it.
When in doubt there is no polarity, and the quotation stands alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from knowledge_base.asking import Asking, Matter, asks_for_value, covered, read_question, says
from knowledge_base.generation.claims import denials

#: The only words of an answer that are not quoted, by language and matter: yes, no.
LEADS: dict[str, dict[Matter, tuple[str, str]]] = {
    "en": dict.fromkeys(("may", "be", "have", "need", "will", "support"), ("Yes.", "No.")),
    "zh": {
        "may": ("可以。", "不可以。"),
        "be": ("是的。", "不是。"),
        "have": ("有。", "没有。"),
        "need": ("需要。", "不需要。"),
        "will": ("会。", "不会。"),
        "support": ("支持。", "不支持。"),
    },
}

_EN_NO = re.compile(
    r"\b(?:cannot|can not|can'?t|can no longer|must not|mustn'?t|may not|should not"
    r"|(?:is|are|was|were|does|do|did|will|has|have)(?: not|n'?t)|won'?t|no longer|never|nothing|neither|nobody"
    r"|no(?= [a-z])|not(?= (?:covered|included|possible|allowed|available|automatic|part|offered)))\b"
)
_EN_CLAUSE = re.compile(
    r"[;:.!?](?=\s|$)|,\s(?=(?:and|but|so|because|although|while|whereas|which|even|as|or|then)\s)"
    r"|\s(?=(?:but|because|although|whereas|so that|as long as|and then|when|while|if|where|whenever|in case)\s)"
)
_ASKS = re.compile(r"[?？][\s*_)）\"'”’」』]*$")
_EN_HARDLY = re.compile(
    r"\b(?:hardly|rarely|seldom|barely|nowhere|instead of|rather than|incompatible|excluding|stopped|no more)\b"
)
_EN_STRONG = re.compile(r"\b(?:only|unless|except|if|as long as|provided|until)\b")
_EN_WEAK = re.compile(
    r"\b(?:up to|at least|usually|often|most|many|some|sometimes|automatic(?:ally)?|free of charge|immediately|directly)\b"
)
_ZH_NO = re.compile(
    r"不(?:能|可以|可|得|支持|提供|会|影响|包含|包括|在|收|加|用|需要|必|要|算|适合|限|强制|接受|退|赔|另|再|是|发|开|折|寄)"
    r"|没有|并没|尚未|无需|无法|暂不|从不|不了|没(?=[\u4e00-\u9fff])"
)
_ZH_CLAUSE = re.compile(r"[，；。：！？,;:!?]|、(?=也|不)")
_ZH_STRONG = re.compile(r"只有|除非|除了|如果|的话|前提|仅限|才(?:能|可以|会)")
_ZH_WEAK = re.compile(r"只(?!要)|仅|一般|部分|有的|有些|最多|最长|无理由|免费|自动|直接|强制|当场")
#: What limits everything that follows in the sentence, too.
_ZH_RANGE = re.compile(r"以内|之内|之前|满\s*\d|超过|不满|及以上|及以下")
_EN_RANGE = re.compile(r"\b(?:within|from cny|below|above)\b")
_ZH_FINE = re.compile(r"没问题|没有问题|不用担心|不限|不怕|没有任何问题")
_SAYS = (
    (
        True,
        re.compile(r"\s*(?:yes[,.:!]|可以[。，,！]|可以开。|是的[。，,]|有的?[。]|能[。，]|会[。，])", re.IGNORECASE),
    ),
    (
        False,
        re.compile(r"\s*(?:no[,.:!]|不可以[。，,！]|不能[。]|不是[。]|没有[。]|不会[。]|不支持[。])", re.IGNORECASE),
    ),
)
_STEP = re.compile(r"\s*\d{1,3}[.)、]\s")
#: Words without which a clause is no yes to a question of this matter.
_SPEAKS: dict[str, dict[Matter, re.Pattern[str]]] = {
    "en": {
        "may": re.compile(r"\b(?:can|may|allowed|possible|welcome|able|accepts?|works?|free)\b"),
        "need": re.compile(r"\b(?:needs?|must|required?|requires|have to|has to|necessary)\b"),
        "have": re.compile(r"\b(?:has|have|there (?:is|are)|offers?|comes with|with|includ\w+)\b"),
    },
    "zh": {
        "may": re.compile(r"可以|能|支持|允许|行|没问题|照常|都(?!不)|也(?!不)|接受|提供"),
        "need": re.compile(r"需要|必须|要|得(?=[\u4e00-\u9fff])|须"),
        "have": re.compile(r"有|提供|带|附"),
        "support": re.compile(r"支持|可以|能|都"),
    },
}
_LISTED = re.compile(r"\s*[-*+]\s")
_EVEN = re.compile(r"\beven (?:if|when|though)\b|即使|即便|哪怕")
_LABEL = re.compile(r"^(?:\s*[-*+]\s+)?([^:：]{2,80})[:：]\s*(yes|no|可以|不可以|有|没有)(?![\w\u4e00-\u9fff])")
_DOUBT = 0.12  #: a contradiction this much weaker, or less, leaves the question open
_NUMBER = re.compile(r"\d[\d.,:]*")
_EN_COUNT = re.compile(
    r"\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|hundred|thousand)\b"
)
_ZH_COUNT = re.compile(r"第?[一二两三四五六七八九十百千]+(?=[张天个件次月年元块台期单种倍])")


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence that may answer, and what it stands under; folded and in lower case."""

    unit: int
    text: str
    title: str  #: of the article
    headings: str
    questions: str  #: other ways to ask what the title asks: other words for the same things
    body: str  #: everything the article says
    nearness: float  #: cosine with the question


@dataclass(frozen=True, slots=True)
class Verdict:
    """Yes or no, said by the sentence ``unit``; ``leads`` says that the sentence itself begins with it."""

    yes: bool
    unit: int
    clause: str
    leads: bool
    weight: float


def verdict_of(asking: Asking, evidence: Sequence[Evidence]) -> Verdict | None:
    """What the evidence says to a yes-or-no question, or None unless it says so explicitly and without contradiction."""
    if asking.matter is None or asking.negated or not asking.words:
        return None
    found = sorted((one for item in evidence for one in _verdicts(asking, item)), key=lambda one: -one.weight)
    if not found:
        return None
    best = found[0]
    # A sentence that begins with its answer outweighs what stands further below.
    against = [one for one in found if one.yes != best.yes and not (best.leads and not one.leads)]
    if any(one.weight > best.weight - _DOUBT for one in against):
        return None
    return best


def asks(sentence: str) -> bool:
    """Whether a sentence of an article is itself a question, which answers nothing."""
    return _ASKS.search(sentence) is not None


def leading_word(sentence: str) -> tuple[bool, int] | None:
    """Whether a sentence itself begins with yes (True) or no, and where the rest of it begins; None for neither."""
    return next(((says, match.end()) for says, pattern in _SAYS if (match := pattern.match(sentence))), None)


def lead_in(asking: Asking, verdict: Verdict, language: str) -> str:
    """The words that say the verdict in the asker's language."""
    words = LEADS[language]
    matter = asking.matter if asking.matter not in (None, "plain") else _matter_of(verdict.clause)
    yes, no = words[matter or "be"]
    return yes if verdict.yes else no


def _matter_of(clause: str) -> Matter:
    order: tuple[tuple[str, Matter], ...] = (
        ("支持", "support"),
        ("可以|能", "may"),
        ("没有|有", "have"),
        ("会|影响", "will"),
    )
    return next((matter for pattern, matter in order if re.search(pattern, clause)), "be")


def _verdicts(asking: Asking, item: Evidence) -> Iterator[Verdict]:
    chinese = asking.language == "zh"
    text = item.text
    if asks(text) or _numbers(asking.text) - _numbers(text):
        return
    label = _LABEL.match(text)
    if label:
        says = label.group(2) in ("yes", "可以", "有")
        yield from _fitting(asking, item, says, label.group(1), text, sure=True)
        return
    leading = leading_word(text)
    body = text[leading[1] :] if leading else text
    clauses = [clause for clause in (_ZH_CLAUSE if chinese else _EN_CLAUSE).split(body) if clause.strip()]
    if leading is not None:
        first = clauses[0] if clauses else ""
        yield from _fitting(asking, item, leading[0], f"{first} {_asked_by(item.title)}", text, leads=True, sure=True)
    if _STEP.match(text) or text.startswith("|"):
        return  # what to do says nothing about what may be done, and a row only what its columns mean
    strong, weak, reach = (_ZH_STRONG, _ZH_WEAK, _ZH_RANGE) if chinese else (_EN_STRONG, _EN_WEAK, _EN_RANGE)
    always = set(strong.findall(_EVEN.sub(" ", body)))
    so_far: set[str] = set()
    for clause in clauses:
        so_far.update(reach.findall(clause))
        denies = _denies(clause, chinese)
        if not denies and (_denies_somehow(clause, asking) or _denied_beside(clause, clauses, asking)):
            continue  # in doubt
        if all(limit in asking.text for limit in (*always, *so_far, *weak.findall(clause))):
            yield from _fitting(asking, item, not denies, clause, text)


def _denies_somehow(clause: str, asking: Asking) -> bool:
    """Whether a clause denies more than the question does, in words that the verdicts do not tell from a yes."""
    more = denials(clause, asking.language) > denials(asking.text, asking.language)
    return more or (asking.language == "en" and _EN_HARDLY.search(clause) is not None)


def _denied_beside(clause: str, clauses: Sequence[str], asking: Asking) -> bool:
    """Whether a word of the question that a clause lacks is denied by another one: "may be exchanged but not returned"."""
    denied = [one for one in clauses if one != clause and denials(one, asking.language)]
    return any(says(word, one) and not says(word, clause) for one in denied for word in asking.words)


@lru_cache(maxsize=1024)
def _asked_by(title: str) -> str:
    """What of a title its article's first word answers: a title may ask two things, and a yes answers only the first."""
    asked = 0
    kept = []
    for part in re.split(r"[,，、?？]", title):
        question = read_question(f"{part}?") if part.strip() else None
        asks = question is not None and (question.matter is not None or question.how or asks_for_value(part))
        asked += asks
        if not asks or asked == 1:
            kept.append(part)
    return " ".join(kept)


def _fitting(
    asking: Asking, item: Evidence, yes: bool, clause: str, text: str, *, leads: bool = False, sure: bool = False
) -> Iterator[Verdict]:
    """The verdict of a clause if the clause speaks of what was asked."""
    above = f"{item.title} {item.headings}"
    here, near = covered(asking, clause, item.title), covered(asking, f"{text} {above}")
    unsaid = [word for word in asking.words if not says(word, f"{text} {above}") and says(word, item.body)]
    if near < 1 and not unsaid:  # other words for what the article is about are half as good as its own
        named = covered(asking, f"{text} {above} {item.questions}")
        near += (named - near) / 2
    close = item.nearness
    plainly = here >= 0.9 and near >= 0.99 and close >= 0.3
    if sure:
        fits = here >= 0.6 and near >= 0.75
    elif yes and (_LISTED.match(text) or not _affirms(asking, item, clause)):
        fits = False
    elif yes:
        fits = (
            plainly
            or (here >= 0.5 and near >= 0.87 and close >= 0.38)
            or (here >= 0.7 and near >= 0.8 and close >= 0.6)
        )
    else:
        fits = (here >= 0.5 and near >= 0.75 and close >= 0.3) or (here >= 0.4 and near >= 0.6 and close >= 0.6)
    if fits:
        yield Verdict(yes, item.unit, clause, leads, here + close + (0.2 if leads else 0.0))


def _affirms(asking: Asking, item: Evidence, clause: str) -> bool:
    """Whether a clause without a no can be a yes: it speaks of may, need or have as the question does, and leaves out
    nothing that was asked but what all of the article is about, or what it calls by another name."""
    speaks = _SPEAKS[asking.language].get(asking.matter or "be")
    if speaks is not None and not speaks.search(clause):
        return False
    left_out = [word for word in asking.words if not says(word, clause, 0.5) and not says(word, item.title, 0.5)]
    return not left_out or (
        len(left_out) == 1 and not says(left_out[0], item.body) and says(left_out[0], item.questions)
    )


def _denies(clause: str, chinese: bool) -> bool:
    if not chinese:
        return _EN_NO.search(clause) is not None
    return _ZH_NO.search(_ZH_FINE.sub("", clause)) is not None


def _numbers(text: str) -> set[str]:
    counts = {*_EN_COUNT.findall(text), *_ZH_COUNT.findall(text)}
    return {number.strip(".,:") for number in _NUMBER.findall(text)} | counts
