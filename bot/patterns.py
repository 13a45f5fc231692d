"""Numbers, dates and choices that people type, found by patterns; tolerant of case, spaces, dashes and full-width forms."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from bot.text import fold, is_cjk


@dataclass(frozen=True)
class Found:
    """One entity: what it is, its normal form, and where it stands in the text."""

    entity: str
    value: str
    start: int
    end: int


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _joined(text: str) -> str:
    return re.sub(r"[\s_.-]", "", text).upper()


def _phone(text: str) -> str:
    digits = _digits(text)
    if re.fullmatch(r"861[3-9]\d{9}", digits):
        return digits[2:]
    return ("+" if text.lstrip().startswith("+") else "") + digits


def _plain(text: str) -> str:
    return " ".join(text.split())


_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)"
)
_WEEKDAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_MONEY = r"\d[\d,]*(?:\.\d{1,2})?"
_DATE = "|".join(
    [
        r"\d{4}\s?[-/.年]\s?\d{1,2}\s?[-/.月]\s?\d{1,2}[日号]?",
        r"\d{1,2}\s?月\s?\d{1,2}\s?[日号]",
        r"大?[前后]天|[今明昨][天晚早]|[上下这本]个?(?:周|星期|礼拜)[一二三四五六日天]?|(?:周|星期|礼拜)[一二三四五六日天]|[上下本]个?月",
        rf"(?<![a-z])(?:(?:the )?day (?:after tomorrow|before yesterday)|today|tonight|tomorrow|yesterday"
        rf"|(?:last|next|this) (?:week|month|{_WEEKDAY})|{_WEEKDAY})(?![a-z])",
        rf"(?<!\w)\d{{1,2}}(?:st|nd|rd|th)? (?:of )?{_MONTH}(?![a-z])(?:,? \d{{4}})?",
        rf"(?<![a-z]){_MONTH} \d{{1,2}}(?:st|nd|rd|th)?(?!\d)(?:,? \d{{4}})?",
    ]
)

# Earlier patterns win where two overlap. Each is matched on folded text; group "v", or the whole match, is the value.
_PATTERNS: list[tuple[str, re.Pattern[str], Callable[[str], str]]] = [
    (entity, re.compile(pattern, re.IGNORECASE), normal)
    for entity, pattern, normal in [
        ("email", r"(?<![\w.+-])[a-z0-9][\w.+-]*@[a-z0-9-]+(?:\.[a-z0-9-]+)+", str.lower),
        ("order_number", r"(?<![a-z0-9])KT[\s_.:#-]{0,3}\d(?:[\s-]?\d){7}(?!\d)", lambda t: "KT" + _digits(t)),
        ("ticket_number", r"(?<![a-z0-9])TK[\s_.:#-]{0,3}\d(?:[\s-]?\d){5}(?!\d)", lambda t: "TK" + _digits(t)),
        ("invoice_number", r"(?<![a-z0-9])INV[\s_.:#-]{0,3}\d(?:[\s-]?\d){7}(?!\d)", lambda t: "INV" + _digits(t)),
        ("tracking_number", r"(?<![a-z0-9])(?:SF|JD|YT)[\s-]?\d(?:[\s-]?\d){12}(?!\d)", _joined),
        ("tracking_number", r"DHL\D{0,12}(?P<v>\d(?:[\s-]?\d){9})(?!\d)", _digits),
        (
            "order_number",
            r"(?:订单号?|单号|\border(?: number| no\.?)?)\D{0,6}(?P<v>20\d{6})(?!\d)",
            lambda t: "KT" + _digits(t),
        ),
        ("phone", r"(?<![\d+])(?:\+?86[\s-]?)?1[3-9]\d[\s-]?\d{4}[\s-]?\d{4}(?!\d)", _phone),
        ("phone", r"\+\d{1,3}(?:[\s().-]{0,2}\d){6,12}(?!\d)", _phone),
        ("phone", r"(?<![\d+])0\d{2,4}[\s-]?\d{3,4}[\s-]?\d{3,4}(?!\d)", _phone),
        (
            "amount",
            rf"[¥$£€]\s?{_MONEY}|{_MONEY}\s?(?:元|块钱?|(?:rmb|cny|hkd|sgd|gbp|eur|usd|yuan|dollars?|pounds?|euros?)\b)",
            _plain,
        ),
        ("date", _DATE, _plain),
        ("code", r"(?<![\w@.-])\d{3}[\s-]?\d{3}(?![\d@]|[\s-]\d)", _digits),
        ("last4", r"(?<![\d@.:-])(?<![a-z])\d{4}(?![\da-z年月@%:-]|\.\d| \d)", str),
    ]
]

# A choice counts only when it is all that is said: "company" answers a question, "which company delivers" asks one.
_CHOICES: list[tuple[str, str, re.Pattern[str]]] = [
    (entity, value, re.compile(pattern, re.IGNORECASE))
    for entity, value, pattern in [
        (
            "identity_proof",
            "code",
            r"(?:(?:please )?(?:send|text|email) (?:me )?(?:a |the )?|use (?:a |the )?|by |a |the )?(?:one[- ]time |verification )?code(?: please)?",
        ),
        (
            "identity_proof",
            "code",
            r"(?:请|麻烦)?(?:你)?(?:给我)?(?:用|发|发送|收|选)?(?:一?个|一下|短信|手机|邮箱)?验证码(?:吧|验证|谢谢)?",
        ),
        (
            "invoice_kind",
            "personal",
            r"(?:an? |for )?(?:personal|individual|private|myself|me)(?: invoice| one)?(?: please)?|(?:开|要|用)?(?:个人|私人)的?(?:发票|抬头|普票)?(?:吧|就行)?",
        ),
        (
            "invoice_kind",
            "company",
            r"(?:an? |for (?:a |my |the )?)?(?:company|business|corporate)(?: invoice| one)?(?: please)?|(?:开|要|用)?(?:公司|企业|单位)的?(?:发票|抬头|专票)?(?:吧|就行)?",
        ),
        (
            "contact_field",
            "phone",
            r"(?:my |the )?(?:phone|mobile|cell)(?: number| phone)?|(?:改|换)?(?:我的)?(?:手机号?|电话|电话号码|手机号码|联系电话)",
        ),
        (
            "contact_field",
            "email",
            r"(?:my |the )?e-?mail(?: address)?|(?:改|换)?(?:我的)?(?:邮箱|电子邮箱|邮件地址|邮箱地址)",
        ),
        ("contact_field", "name", r"(?:my |the )?name|(?:改|换)?(?:我的)?(?:名字|姓名|称呼)"),
    ]
]

_FILLER = re.compile(
    r"it'?s|it is|that'?s|here'?s|here is|here you go|\b(?:is|are|my|the|an?|this|order|number|num|no|ticket|invoice|code|phone|mobile|email"
    r"|e-mail|mail|last|four|4|digits?|ends?|ending|with|in|tracking|yes|ok|okay|so|and|sure|please|id|case|says?|sms|you can use|use)\b"
    r"|我的|这是|就是|那个|这个|订单号?码?|工单号?码?|编号|单号|号码?|手机号?码?|电话号?码?|邮箱|尾号|后四位|后4位|验证码|运单|发票"
    r"|是|的|呢|哦|啊|嗯|好|为|填|用|您|请|看|写|刚|收到|给你|给您|到|了",
    re.IGNORECASE,
)


def product_pattern(aliases: Iterable[str]) -> re.Pattern[str] | None:
    """One pattern that finds any of the product names, longest first; spaces in names may be left out."""

    def one(alias: str) -> str:
        body = r"[\s-]*".join(map(re.escape, fold(alias).split()))
        before = "" if is_cjk(alias[0]) else r"(?<![a-z0-9])"
        after = "" if is_cjk(alias[-1]) else r"(?![a-z0-9])"
        return f"{before}{body}{after}"

    ordered = sorted(set(aliases), key=len, reverse=True)
    return re.compile("|".join(map(one, ordered)), re.IGNORECASE) if ordered else None


def compact(name: str) -> str:
    """The key under which a product alias is looked up: folded, lower case, no spaces or dashes."""
    return re.sub(r"[\s-]", "", fold(name).lower())


def find_entities(text: str, products: re.Pattern[str] | None, canonical: dict[str, str]) -> list[Found]:
    """All entities of the text in order of position; where two overlap the more specific one is kept."""
    folded = fold(text)
    kept: list[Found] = []
    for found in _candidates(folded, products, canonical):
        if all(found.end <= other.start or found.start >= other.end for other in kept):
            kept.append(found)
    return sorted(kept, key=lambda found: found.start)


def _candidates(folded: str, products: re.Pattern[str] | None, canonical: dict[str, str]) -> Iterator[Found]:
    if products is not None:
        for match in products.finditer(folded):
            name = canonical.get(compact(match.group()))
            if name:
                yield Found("product", name, match.start(), match.end())
    for entity, pattern, normal in _PATTERNS:
        group = "v" if "v" in pattern.groupindex else 0
        for match in pattern.finditer(folded):
            yield Found(entity, normal(match.group(group)), match.start(group), match.end(group))
    said = folded.strip(" .!。,，~～")
    start = folded.find(said)
    for entity, value, pattern in _CHOICES:
        if said and pattern.fullmatch(said):
            yield Found(entity, value, start, start + len(said))


def residual(text: str, found: list[Found]) -> str:
    """What the text says apart from its entities and the words that only introduce them."""
    folded = fold(text)
    for entity in reversed(found):
        folded = f"{folded[: entity.start]} {folded[entity.end :]}"
    return re.sub(r"[\W_]+", " ", _FILLER.sub(" ", folded)).strip()
