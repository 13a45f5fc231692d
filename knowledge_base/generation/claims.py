"""What a sentence claims apart from its numbers: links, names, and whether it says yes or no."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import snowballstemmer
import yaml

from knowledge_base.generation.quantities import without_quantities
from knowledge_base.wording import words_of


def _set_of(words: str) -> frozenset[str]:
    return frozenset(words.split())


NAMES = Path(__file__).parent / "names.yml"
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
#: Anything that a customer could take for an address, with or without a scheme.
_LINK = re.compile(
    r"(?:[a-z][a-z0-9+.-]{1,20}://|www\.|mailto:|tel:|javascript:|data:)[^\s<>\"'，。！？；：、（）「」《》【】]+"
    r"|[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
    r"|(?<![\w@.-])(?:[a-z0-9-]+\.)+[a-z]{2,24}(?![\w-])(?:/[^\s<>\"'，。！？；：、（）]*)?",
    re.IGNORECASE,
)
#: Plain text is shown as it is; whoever writes marks wants something drawn, hidden or loaded.
_MARKUP = re.compile(
    r"!?\[[^\]]*\]\s*\(|<[a-z/!][^>]*>|```|\$\{|\{\{|\[\[|[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]|[\U000e0000-\U000e007f]",
    re.IGNORECASE,
)
_STOP_EN = _set_of(
    "a an the and or but if then so of to in on at by for from with as is are was were be been being am do does did done "
    "have has had having will would shall should can could may might must it its this that these those there here you your "
    "yours we our us i me my he she they them their his her who whom which what when where how why also just very too any "
    "some each every all both other another such own same than into about over under up down out off again once only not no "
    "nor please s t don ll re ve d m get gets got let us via per within until till during while because"
)
_STOP_ZH = _set_of(
    "的 了 是 在 和 与 或 也 都 就 会 能 可 可以 不 没 没有 有 这 那 您 你 我 我们 您的 你的 把 被 给 对 从 到 为 以 及 等 内 "
    "中 上 下 里 时 请 要 需 需要 如果 的话 话 一般 一 个 吗 呢 吧 啊 还 再 只 只有 才 则 并 且 而 但 但是 因为 所以 即 即可 由 于 "
    "进行 以及 之 其 此 该 让 用 来 去 很 更 最 目前 不能 不可 不会 无法 并且 而且 然后 以内 以上 以下 能够 应该 日 天 年 月"
)
_NEGATIVE_EN = re.compile(
    r"\b(?:not|cannot|never|no|none|nobody|nothing|neither|nor|without|unable|impossible|unavailable|ineligible|invalid|"
    r"refus\w*|reject\w*|declin\w*|exclud\w*|prohibit\w*|forbid\w*|forbidden|banned|disallow\w*)\b|n['’]t\b"
)
_NEUTRAL_EN = re.compile(
    r"\b(?:no (?:later|more|less|fewer|sooner) than|not (?:later|more|less|fewer) than|not only|no matter|no problem|"
    r"no[- ]questions[- ]asked|without (?:giving|stating|naming) (?:a|any) reasons?|without (?:a|any) reasons?|"
    r"(?:need|needs|giv\w+) no reasons?|no reasons? (?:is |are )?(?:needed|required)|"
    r"don['’]t (?:worry|forget|hesitate)|whether or not|if not|or not)\b"
)
#: The most usual promise of a shop, in the ways it is put.
_NO_REASON_EN = re.compile(
    r"\b(?:without (?:giving|stating|naming)? ?(?:a|any)? ?reasons?|(?:you )?(?:need|needs|giv\w+) no reasons?|no[- ]questions[- ]asked|"
    r"no reasons? (?:is |are )?(?:needed|required|necessary)|for any reason)\b",
    re.IGNORECASE,
)
_NO_REASON_ZH = re.compile(
    r"无理由|不问理由|(?:不需要|不用|无需|不要|不必|无须|没有)(?:说明|给出|提供|写明|任何|有)?理由"
)
_OPEN_EN = re.compile(
    r"\b(?:only|unless|except|excepted|other than|just|nothing|excluded?|excludes|(?:is|are|be|comes|delivered|it's) free|free (?:for|from|of (?:interest|charge)(?= (?:for|from)))|for free)\b"
)
_NEGATIVE_ZH = re.compile(r"不|没|無|无|未|勿|禁止|拒绝|除外|谢绝|严禁|别(?=[再去把给用])|非(?!常)")
_NEUTRAL_ZH = re.compile(
    r"(.)不\1|(?:能|可|会|是|要)否|有没有|不超过|不少于|不低于|不高于|不多于|不晚于|不大于|不小于|[不未](?:足|到|满)(?=\s?[\d一二三四五六七八九十两半])|不管|不论|无论|不仅|不但|"
    r"不过(?=[，,])|不断|不同(?!意)|不锈钢|无理由|不问理由|(?:不需要|不用|无需|不要|不必|无须|没有)(?:说明|给出|提供|写明|任何|有)?理由|无线|无忧|无障碍|未来|未成年|没关系|没问题|不妨|不便|不得不|"
    r"不好意思|对不起|差不多|分别|特别|类别|级别|性别|区别|识别|个别|别的|别人|并非易事|无人机|不喜欢|不满意|不合适"
)
_ATTRIBUTE_ZH = re.compile(
    r"(?:没有?|未|不|无)[^，。；、的不没未]{1,6}的(?=[^，。；！？,;!?\s话])"
)  # 没有故障的耳机: about which, not whether
_OPEN_ZH = re.compile(r"只|仅|除非|除了|除外|必须|才|免(?!费[^，。；！,;]{2})")
_LEAD = re.compile(
    r"^\s*(?:(?P<yes>yes|yep|sure|certainly|of course|可以的?|能的?|是的|有的|对的?|好的|当然(?:可以)?)|"
    r"(?P<no>no|nope|sorry|unfortunately|不可以|不能|不行|不是的?|没有|抱歉|很抱歉|不可以的|不))\s*[,.!:，。！：、]\s*",
    re.IGNORECASE,
)
_NAME_EN = re.compile(r"\b[A-Z][\w'’&-]*|\b\w*\d[A-Za-z]\w*|\b[A-Za-z]+\d\w*|\b[a-z]+[A-Z]\w*")
_NAME_ZH = re.compile(r"[A-Za-z][A-Za-z0-9&'-]+|[A-Za-z]+\d\w*")
_NEVER_NAMES = _set_of(
    "i i'm i'll ok yes no am pm cny rmb gbp eur usd hkd sgd wh mah gb tb mb kg cm mm km may december november october "
    "september august july june april march february january monday tuesday wednesday thursday friday saturday sunday "
    "mondays tuesdays wednesdays thursdays fridays saturdays sundays english chinese app"
)


def links(text: str) -> set[str]:
    """Every address in a text, in a form that compares: lower case, without the last slash or full stop."""
    return {match.group().lower().rstrip("/.,;:!?)") for match in _LINK.finditer(text)}


def has_markup(text: str) -> bool:
    """Whether the text holds anything but plain words: Markdown links, HTML, code, templates, invisible characters."""
    return _MARKUP.search(text) is not None


@cache
def _stemmer() -> snowballstemmer.stemmer:
    return snowballstemmer.stemmer("english")


def content_words(text: str, language: str) -> list[str]:
    """The words that carry a sentence's meaning: English ones as stems; numbers, negations and filler left out."""
    text = without_quantities(text)
    text = (_NO_REASON_ZH if language == "zh" else _NO_REASON_EN).sub(
        " 无理由 " if language == "zh" else " noreason ", text
    )
    if language == "zh":
        words = [word for word in words_of(text) if not word.isdigit()]
        return [word for word in words if word not in _STOP_ZH and not (word.isascii() and len(word) == 1)]
    kept = list(re.findall(r"[a-z]+(?:['’][a-z]+)?|[\u4e00-\u9fff]+", text.lower()))
    kept = [re.sub(r"['’](?:s|re|ve|ll|d|m|t)$", "", word) for word in kept]
    kept = [word for word in kept if word not in _STOP_EN and len(word) > 1 and not word.endswith("n't")]
    return [_stemmer().stemWord(word) for word in kept]


def split_lead(text: str) -> tuple[bool | None, str]:
    """The answer a sentence opens with (True for yes), and the rest of it."""
    match = _LEAD.match(text)
    return (None, text) if match is None else (bool(match["yes"]), text[match.end() :])


def denials(text: str, language: str) -> int:
    """How often the text denies something."""
    if language == "zh":
        return len(_NEGATIVE_ZH.findall(_ATTRIBUTE_ZH.sub("", _NEUTRAL_ZH.sub("", text))))
    return len(_NEGATIVE_EN.findall(_NEUTRAL_EN.sub(" ", text.lower())))


def polarity(text: str, language: str) -> tuple[bool, bool]:
    """Whether the text denies something, and whether it says so in a way that may be turned round ("only", "free")."""
    open_to_both = _OPEN_ZH.search(text) if language == "zh" else _OPEN_EN.search(text.lower())
    return denials(text, language) % 2 == 1, open_to_both is not None


@cache
def glossary() -> tuple[tuple[frozenset[str], frozenset[str]], ...]:
    """Names with their other spellings, (Chinese, English)."""
    entries = yaml.safe_load(NAMES.read_text(encoding="utf-8"))
    return tuple((frozenset(entry["zh"]), frozenset(entry["en"])) for entry in entries)


def names_in(text: str) -> list[tuple[frozenset[str], frozenset[str]]]:
    """The names of the glossary that a text holds, each with all its spellings."""
    return [
        (chinese, english)
        for chinese, english in glossary()
        if any(name in text for name in chinese) or any(re.search(rf"\b{re.escape(name)}\b", text) for name in english)
    ]


def strange_names(sentence: str, language: str, evidence: str) -> list[str]:
    """Names in a sentence that the evidence does not know in any spelling."""
    lowered = evidence.lower()
    known = {word.lower() for word in re.findall(r"[A-Za-z0-9][\w'’&-]*", evidence)}
    known |= {word.removesuffix("'s") for word in known}
    strange: list[str] = []
    covered = sentence
    for chinese, english in glossary():
        spelled = [name for name in chinese if name in sentence]
        spelled += [name for name in english if re.search(rf"\b{re.escape(name)}\b", sentence)]
        if not spelled:
            continue
        if any(name in evidence for name in chinese) or any(
            re.search(rf"\b{re.escape(name.lower())}\b", lowered) for name in english
        ):
            for name in spelled:
                covered = covered.replace(name, " ")
        elif not _part_of_longer(spelled, sentence):
            strange.append(spelled[0])
    pattern = _NAME_ZH if language == "zh" else _NAME_EN
    for match in pattern.finditer(covered):
        name = match.group()
        plain = re.sub(r"['’]s$", "", name).lower()
        if plain in _NEVER_NAMES or plain in known or len(plain) == 1:
            continue
        if language == "en" and name[0].isupper() and name[1:].islower() and _opens_sentence(covered, match.start()):
            continue  # every sentence begins with a capital
        if not re.search(r"[a-z]", plain):
            continue
        strange.append(name)
    return strange


def _part_of_longer(spelled: list[str], sentence: str) -> bool:
    """Whether each spelling stands only inside a longer name of the glossary that is in the sentence as well."""
    longer = [name for both in glossary() for names in both for name in names if name in sentence]
    return all(any(name != other and name in other for other in longer) for name in spelled)


def _opens_sentence(text: str, start: int) -> bool:
    before = text[:start].rstrip(" \t\"'“”‘’(")
    return not before or before[-1] in ".!?:\n…-•"


def han_share(text: str) -> float:
    """Which share of a text's letters are Chinese characters."""
    letters = len(re.findall(r"[A-Za-z]+", text)) + len(_HAN.findall(text))
    return len(_HAN.findall(text)) / letters if letters else 0.0
