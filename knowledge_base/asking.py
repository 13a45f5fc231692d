"""What kind of answer a question wants: a yes or no, the way to do something, or a fact; and what it is about."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

import snowballstemmer

from knowledge_base.wording import fold, language_of, longest_words

#: What a yes or no is about; decides the words that say it.
Matter = Literal["may", "be", "have", "need", "will", "support", "plain"]


@dataclass(frozen=True, slots=True)
class Asking:
    """A question, read for its form."""

    text: str  #: the sentence that asks, folded and in lower case
    language: str
    matter: Matter | None  #: None when it cannot be answered with yes or no
    negated: bool  #: "can't I …": yes and no would each be understood both ways
    how: bool
    words: frozenset[str]  #: stems that say what is asked, without the words that only ask


_ZH_UNDONE = re.compile(r"[未没不]")
_TOPIC = 0.3  #: what a word counts that the titles have, too: all of the article speaks of it
_EN_SENTENCE = re.compile(r"(?<=[?!.;])\s+|\n+")
_ZH_SENTENCE = re.compile(r"(?<=[？?！!。；;\n])")
_EN_LEAD = re.compile(
    r"^(?:(?:hi|hello|hey|ok|okay|so|and|but|also|please|excuse me|sorry|well|um|thanks|thank you|quick question"
    r"|just wondering|one more thing|i want to know|i wonder|tell me|then)(?:\b[\s,:.!-]*| there[\s,:.!-]+))+"
)
_EN_EMBEDDED = re.compile(
    r"^(?:(?:can|could|would|will) you (?:please )?(?:tell|let) me(?: know)?|do you know|any idea|i'?d like to know|i want to know"
    r"|i wonder|please tell me|tell me) (?:if|whether) "
)
_EN_WH = re.compile(r"\b(?:how|what|whats|which|who|whom|whose|where|when|why)\b")
_EN_YES_NO: tuple[tuple[str, Matter], ...] = (
    (r"(?:do|does|did|will|would|should|must) (?:i|we|you|one|customers|it|they) (?:really |still |also )?(?:have|need) to ", "need"),
    (r"(?:do|does) (?:i|we|you) need ", "need"),
    (r"must (?:i|we) ", "need"),
    (r"(?:is|are|was|were) (?:there|it (?:ok|okay|allowed|possible)) ", "be"),
    (r"(?:can|could|may|might|am i allowed|are we allowed)\b", "may"),
    (r"(?:do|does|have|has) (?:you|[a-z]+|the [a-z]+) (?:have|got) ", "have"),
    (r"(?:is|are|was|were|am|do|does|did|will|would|shall|should|has|have|had)\b", "be"),
)  # fmt: skip
_EN_NEGATED = re.compile(
    r"^(?:is|are|was|were|do|does|did|can|could|will|would|should|has|have)(?:n'?t| not)\b|\bnot\b|\bno longer\b"
)
_EN_CHOICE = re.compile(r"\bor\b(?! not)")
_EN_HOW = re.compile(
    r"\bhow (?:(?:can|could|do|does|did|should|would|must|may) (?:i|we|you|one|customers|someone|somebody|\w+ing|the \w+)|to|exactly|can|do|does)\b"
    r"|\bsteps?\b|step by step|\bprocedure\b|\bprocess\b|\binstructions?\b|walk me through"
    r"|what (?:do|should|must|can|could) (?:i|we)(?: have to| need to)? (?:do|try)\b|\bguide\b|what(?:'s| is) the way to"
)  # fmt: skip

_ZH_YES_NO: tuple[tuple[str, Matter], ...] = (
    (r"能不能|可不可以|可以不可以|能否|可否|行不行|允不允许|得不得", "may"),
    (r"有没有|有无", "have"),
    (r"要不要|需不需要|用不用|需要不需要|是否需要|是否要", "need"),
    (r"会不会|是否会", "will"),
    (r"支不支持|是否支持", "support"),
    (r"是不是|是否", "be"),
)
_ZH_TAIL = re.compile(r"(?:吗|嘛|么|吧|不|没|没有)[呢啊呀哦]?[？?。！!~～\s]*$")
_ZH_TAIL_MATTER: tuple[tuple[str, Matter], ...] = (
    (r"支持", "support"),
    (r"能|可以|可不|行吗|行嘛|行不|允许|得了|好退|给退|让", "may"),
    (r"需要|得要|必须|还要|要(?!是)|用付|用交|得付|得交|得先", "need"),
    (r"会|影响", "will"),
    (r"是", "be"),
    (r"有", "have"),
)
_ZH_WH = re.compile(
    r"怎么|怎样|怎麼|如何|什么|哪|多少|多久|多长|多大|几[天个点月次件张种号时钱款期台倍年]|为什么|为啥|谁|啥|咋|干嘛"
)
_ZH_NOT_ASKING = re.compile(r"什么$|怎么$|多么|要么|那么|这么")
_ZH_NEGATED = re.compile(
    r"(?<!能)(?<!可)不(?:能|可以|会|是|用|要|需要|支持)(?!不)[^，。？]*(?:吗|嘛|么|吧)|没有?(?![^，。？]*(?:能|可以|会))[^，。？]*(?:吗|嘛|么)|难道|不是说"
)
_ZH_DOUBLE = re.compile(r"能不能|可不可以|是不是|会不会|要不要|需不需要|用不用|行不行|支不支持|有没有")
_ZH_CHOICE = re.compile(r"还是(?!能|可以|要|有|会|不)")
_ZH_HOW = re.compile(
    r"(?:怎么|怎样|如何|咋)(?!样|回事|还|这么|那么|没|算|收|不|会|知道|看不|说|老|又|总|了|个|才|就|啦|分)"
    r"|步骤|流程|教程|操作方法|怎么办|先做什么|该做什么|做些什么|怎么弄|方法"
)

_VALUE = re.compile(
    r"\bhow (?:much|many|long|big|far|large|heavy|soon|often)\b|\bwhich\b|\bwhat\b|\bwho\b|\bwhen\b"
    r"|多少|几|多久|多大|多长|多重|哪|什么|分别"
)
_REMEDY = re.compile(
    r"what (?:do|should|must|can|could) (?:i|we)\b|\bno longer works?\b|怎么办|先做什么|该做什么|做些什么|怎么弄|哪些资料"
)
_EN_EMPTY = frozenset(
    ["a", "an", "the", "i", "me", "my", "we", "us", "our", "you", "your", "he", "she", "it", "its", "they", "them", "their", "this", "that", "these", "those", "there", "here", "to", "of", "in", "on", "at", "for", "with", "by", "from", "as", "and", "or", "but", "if", "so", "than", "then", "too", "also", "very", "just", "only", "any", "some", "all", "both", "each", "is", "are", "was", "were", "be", "been", "being", "am", "do", "does", "did", "doing", "done", "have", "has", "had", "having", "can", "could", "may", "might", "must", "shall", "should", "will", "would", "need", "please", "tell", "know", "about", "what", "which", "who", "whom", "whose", "when", "where", "why", "how", "not", "no", "yes", "s", "t", "re", "ve", "ll", "d", "m", "im", "ive", "id", "is", "there", "possible", "allowed", "ok", "okay", "get", "got", "go", "want", "like", "still", "really", "else", "ever", "way", "one"]
)  # fmt: skip
_ZH_EMPTY = frozenset(
    [
        "的",
        "了",
        "吗",
        "呢",
        "啊",
        "呀",
        "吧",
        "嘛",
        "么",
        "哦",
        "我",
        "你",
        "您",
        "他",
        "她",
        "它",
        "我们",
        "你们",
        "他们",
        "咱们",
        "请问",
        "请",
        "问",
        "能",
        "能不能",
        "可以",
        "可不可以",
        "可",
        "不可以",
        "能否",
        "可否",
        "是",
        "是不是",
        "是否",
        "有",
        "有没有",
        "没有",
        "没",
        "不",
        "要",
        "要不要",
        "需要",
        "需不需要",
        "会",
        "会不会",
        "用不用",
        "支不支持",
        "行",
        "不行",
        "就",
        "都",
        "也",
        "还",
        "还是",
        "和",
        "与",
        "及",
        "在",
        "到",
        "把",
        "被",
        "给",
        "对",
        "从",
        "向",
        "这",
        "那",
        "这个",
        "那个",
        "这些",
        "那些",
        "一个",
        "一下",
        "个",
        "怎么",
        "怎么办",
        "如何",
        "什么",
        "怎样",
        "哪",
        "哪些",
        "哪个",
        "多少",
        "多久",
        "几",
        "得",
        "着",
        "过",
        "想",
        "想要",
        "知道",
        "告诉",
        "里",
        "上",
        "下",
        "时",
        "时候",
        "后",
        "之后",
        "以后",
        "前",
        "的话",
        "如果",
        "再",
        "又",
        "很",
        "太",
        "真",
        "该",
        "应该",
        "吗？",
        "谢谢",
        "麻烦",
        "不能",
        "不会",
        "不用",
    ]
)
_ZH_SMALL = re.compile(
    r"能不能|可不可以|是不是|会不会|要不要|需不需要|用不用|行不行|支不支持|有没有|能否|可否|是否|不可以|可以|请问|我们|你们|他们|咱们"
    r"|(?<![功性技智])能(?![量力])|吗|呢|吧|嘛|(?<=[\u4e00-\u9fff])[了的]|还|也|都|就|我|你|您|到底|一下"
)
_WORD_EN = re.compile(r"[a-z0-9][a-z0-9'.-]*")


@cache
def _stemmer() -> snowballstemmer.EnglishStemmer:
    return snowballstemmer.stemmer("english")


@lru_cache(maxsize=8192)
def _stem(word: str) -> str:
    return str(_stemmer().stemWord(word.removesuffix("'s")))


def asks_for_value(text: str) -> bool:
    """Whether a question wants an amount, a name or a choice."""
    return _VALUE.search(text) is not None


def asks_for_remedy(text: str) -> bool:
    """Whether a question wants to know what can be done, rather than how something is done."""
    return _REMEDY.search(text) is not None


def is_small_word(text: str) -> bool:
    """Whether a folded text is nothing but a word that holds sentences together."""
    return text in _EN_EMPTY or text in _ZH_EMPTY


def asked_about(text: str, language: str) -> frozenset[str]:
    """The stems of what a question speaks of, without the small words that only hold it together."""
    latin = _latin_stems(text)
    if language == "en":
        return latin
    # Small words are taken out first: next to them the segmenter sees words that are none (会员|日能|和).
    words = longest_words(_ZH_SMALL.sub(" ", text))
    return frozenset(word for word in words if not word.isascii() and word not in _ZH_EMPTY) | latin


@lru_cache(maxsize=4096)
def _latin_stems(text: str) -> frozenset[str]:
    words = (word.strip("'.-") for word in _WORD_EN.findall(text))
    return frozenset(_stem(word) for word in words if word not in _EN_EMPTY)


@lru_cache(maxsize=256)
def read_question(text: str) -> Asking:
    """The form of a question; of several sentences the last that asks counts."""
    folded = fold(text).lower().strip().replace("’", "'")
    language = language_of(folded)
    return _read_zh(folded) if language == "zh" else _read_en(folded)


def _read_en(text: str) -> Asking:
    sentences = [part for part in _EN_SENTENCE.split(text) if part.strip()] or [text]
    asking = next((part for part in reversed(sentences) if part.rstrip().endswith("?")), sentences[-1])
    bare = _EN_LEAD.sub("", asking.strip())
    embedded = _EN_EMBEDDED.match(bare)
    matter: Matter | None = None
    if embedded:
        bare = bare[embedded.end() :]
        matter = "be"
    elif not _EN_WH.search(bare.split(",")[0]) or re.match(r"(?:is|are|do|does|can|may) (?!you\b)", bare):
        matter = next((kind for pattern, kind in _EN_YES_NO if re.match(pattern, _plain_aux(bare))), None)
    if matter and (_EN_CHOICE.search(bare) and not re.search(r"\b(?:can|may|do) (?:i|we)\b", bare)):
        matter = None
    how = bool(_EN_HOW.search(bare))
    if how and matter and _EN_WH.search(bare):
        matter = None
    return Asking(asking, "en", matter, bool(_EN_NEGATED.search(bare)), how, asked_about(text, "en"))


def _plain_aux(text: str) -> str:
    return re.sub(r"^(can|is|are|do|does|did|will|would|could|should|has|have)n'?t\b", r"\1", text)


def _read_zh(text: str) -> Asking:
    sentences = [part for part in _ZH_SENTENCE.split(text) if part.strip()] or [text]
    asking = next(
        (part for part in reversed(sentences) if part.rstrip().endswith(("?", "？")) or _ZH_TAIL.search(part)),
        sentences[-1],
    )
    matter: Matter | None = next((kind for pattern, kind in _ZH_YES_NO if re.search(pattern, asking)), None)
    if matter is None and _ZH_TAIL.search(asking) and not _ZH_NOT_ASKING.search(asking.rstrip("?？ ")):
        body = _ZH_TAIL.sub("", asking)
        matter = next((kind for pattern, kind in _ZH_TAIL_MATTER if re.search(pattern, body)), "plain")
    if matter and (_ZH_WH.search(asking) or _ZH_CHOICE.search(asking)):
        matter = None
    negated = bool(_ZH_NEGATED.search(_ZH_DOUBLE.sub("", asking)))
    how = bool(_ZH_HOW.search(asking))
    return Asking(asking, "zh", matter, negated, how, asked_about(text, "zh"))


def covered(asking: Asking, text: str, topics: str = "") -> float:
    """The share of the question's words that a text has, from 0 to 1; words that the ``topics`` have count little.

    Both texts are folded and in lower case. Chinese is compared by characters, so the text need not be segmented.
    """
    if not asking.words:
        return 0.0
    stems, (weights, total) = _latin_stems(text), _weights(asking, topics)
    return sum(weight * _has(word, stems, text) for word, weight in weights.items()) / total


def says(word: str, text: str, share: float = 1.0) -> bool:
    """Whether a folded text has a word of a question, or at least this share of it."""
    return _has(word, _latin_stems(text), text) >= share


@lru_cache(maxsize=256)
def _weights(asking: Asking, topics: str) -> tuple[dict[str, float], float]:
    common = _latin_stems(topics)
    weights = {word: _TOPIC if _has(word, common, topics) == 1 else 1.0 for word in asking.words}
    return weights, sum(weights.values())


def _has(word: str, stems: frozenset[str], text: str) -> float:
    """Whether a text has a word; "未拆封" does not say "拆封". Half of a word's characters count for half."""
    if word.isascii():
        return 1.0 if word in stems else 0.0
    if word in text:
        return 0.0 if _ZH_UNDONE.search(text) and not re.search(f"(?<![未没不]){re.escape(word)}", text) else 1.0
    if len(word) < 2:
        return 0.0
    return 0.5 if sum(character in text for character in word) * 2 >= len(word) else 0.0
