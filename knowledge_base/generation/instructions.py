"""Finds sentences in articles that speak to a machine instead of a customer; they are neither sent to a model nor quoted.

An article is written by the shop, but it may have been copied from elsewhere, and text that people do not see can come
along. What is looked for is orders about the answer itself; orders to the reader ("reply STOP") stay.
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from functools import lru_cache

from knowledge_base.splitting import sentences
from knowledge_base.wording import fold, plain

_HIDDEN = re.compile(r"<!--.*?-->|[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]", re.DOTALL)
_PARAGRAPH = re.compile(r"\n\s*\n")
_BLOB = re.compile(r"(?<![\w/+=-])[A-Za-z0-9+/_-]{24,}={0,2}(?![\w/+=-])")
_ORDERS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # what was said before shall not count
        r"\b(?:ignore|disregard|forget|override|bypass)\b[^.!?]{0,40}\b(?:(?:previous|prior|above|earlier|preceding|all|any|your|these|those|the|system|other|former)\s+){1,4}(?:instruction|rule|prompt|guideline|message|direction|restriction|context|command)",
        r"\b(?:new|updated|real|actual|following|hidden|secret)\s+(?:system\s+)?(?:instruction|prompt|directive|command)s?\b\s*(?::|-|are|is|for|follow)",
        r"(?:忽略|无视|忘掉|忘记|不要理会|不必理会|别管|跳过|覆盖|绕过|抛开)[^。！？]{0,14}(?:指令|指示|规则|提示词?|设定|要求|限制|上文|以上内容|前面的(?:话|内容))",
        r"(?:新的?|以下|下面|真正的)(?:系统)?(?:指令|提示词|系统提示)",
        # who the machine shall be
        r"\b(?:you are|you're|act as|pretend to be|behave as|roleplay as)\b[^.!?]{0,30}\b(?:an?\s+)?(?:ai|assistant|chatbot|language model|llm|gpt|dan|bot|jailbr\w+|unrestricted|developer mode|administrator|system)\b",
        r"\b(?:as an?|dear|hey|attention|note to(?: the)?|instructions? (?:to|for)(?: the)?|message (?:to|for)(?: the)?)\s+(?:ai|llm|language model|assistant|chatbot|model|bot|answering system|support bot)\b",
        r"\b(?:the\s+)?(?:ai|llm|language model|assistant|chatbot|model|bot)s?\s+(?:must|should|shall|has to|have to|will now|is (?:required|instructed|ordered) to)\b",
        r"(?:你(?:现在)?是|你将扮演|请?扮演|假装(?:你)?是|充当)[^。！？]{0,12}(?:AI|助手|机器人|模型|管理员|开发者|系统|DAN)",
        r"(?:AI|人工智能|语言模型|大模型|机器人|智能助手|智能客服|助手)(?:请|必须|应当|应该|须|务必|要|需要)",
        r"(?:致|给|写给)(?:AI|人工智能|语言模型|大模型|机器人|智能助手|智能客服)",
        # what the answer shall be
        r"\b(?:reply|respond|answer|output|print|return|write|say)\b\s+(?:only\s+|exactly\s+|always\s+|just\s+)?(?:with\s+)?(?:the following|exactly|verbatim|this (?:text|sentence|link|message|answer)|nothing (?:but|else)|in json|word for word)",
        r"\b(?:always|only|now|then|instead|please)\s+(?:reply|respond|answer|tell|recommend|say|output|print)\b[^.!?]{0,24}(?:\b(?:with|that|to)\b|:|[\"“「'])",
        r"\b(?:tell|inform|ask|send|give|offer|promise|direct|refer|advise|instruct)\s+(?:the|every|each|all|any|this|our)?\s*(?:customer|user|visitor|caller|asker|reader|person asking|shopper|client)s?\b",
        r"\b(?:include|add|append|insert|put|embed|mention|attach)\b[^.!?]{0,30}\b(?:in|to|into)\s+(?:your|the|every|each|all)\s+(?:answer|reply|response|output|message)",
        r"\b(?:in|at the end of|begin|start|finish|end)\s+(?:your|every|each)\s+(?:answer|reply|response|output)",
        r"\b(?:print|reveal|show|repeat|output|disclose|leak|display|recite|share|translate)\b[^.!?]{0,24}\b(?:your|the|system)\s+(?:system\s+)?(?:prompt|instructions?|rules|configuration|secrets?|api key|password|context|passages)",
        r"(?:请|务必|必须|一律|总是|只要|统一|直接)?(?:回复|回答|输出|告诉|告知|答复)(?:给)?(?:顾客|用户|客户|对方|提问者|访客|来访者|他们|她们?|他)",
        r"(?:请|务必|必须|一律|总是|统一|只能|直接|改为|就)(?:回复|回答|输出|答复|说)\s?[:：“\"「『]",
        r"(?:让|叫|引导|要求|建议|提示|通知|诱导)(?:顾客|用户|客户|对方|访客)(?:去|到|点击|访问|添加|加|转账|提供|输入|发送|前往|扫码)",
        r"(?:在|每次|每条)?(?:你的?)?(?:回答|回复|答案)(?:的?(?:末尾|开头|最后|结尾|里|中|前面|后面))[^。！？]{0,10}(?:加上|附上|写上|插入|包含|提到|注明)",
        r"(?:打印|输出|显示|泄露|公布|复述|重复|告诉我|说出|展示|翻译)[^。！？]{0,10}(?:提示词|系统提示|你的(?:指令|规则|设定|密钥|密码)|内部(?:指令|规则|资料))",
        r"\b(?:reply|respond|answer)\s+(?:(?:only|always|just)\s+with|exactly)\b",
        # the marks of chat formats
        r"<\|?/?(?:im_start|im_end|system|assistant|user|endoftext|begin_of_text|start_header_id)\|?>|\[/?(?:INST|SYS)\]|<</?SYS>>|^\s*#{2,}\s*(?:system|instruction|assistant|human)\b",
        r"^\s*(?:system|assistant|developer)\s*[:：]|^\s*(?:系统|助手)\s?[:：]",
        r"\bsystem prompt\b|\bprompt injection\b|\bdeveloper mode\b|\bjailbreak\b|系统提示词|开发者模式|越狱模式",
        r"\{\s*\"sentences\"\s*:",
    )
)


def speaks_to_a_machine(text: str) -> bool:
    """Whether a sentence gives orders about the answer, openly, in another script of the same letters, or encoded."""
    if any(order.search(form) for form in {fold(text), _bare(text)} for order in _ORDERS):
        return True
    return any(_readable(blob) for blob in _BLOB.findall(text))


@lru_cache(maxsize=2048)
def without_orders(text: str) -> str:
    """The passage without what people cannot see and without paragraphs that speak to a machine; empty when none is left.

    A paragraph goes as a whole: what stands beside an order belongs to it. The rest is verbatim.
    """
    visible = _HIDDEN.sub("", text)
    if visible == text and not speaks_to_a_machine(text):
        return text
    kept = [part for part in _PARAGRAPH.split(visible) if part.strip() and not speaks_to_a_machine(part)]
    whole = "\n\n".join(kept)
    # An order may be spread over paragraphs.
    return "" if speaks_to_a_machine(whole) else whole.strip()


def quotable(quote: str, passage: str, language: str) -> str:
    """The quote without sentences that stand only in a part of the passage that speaks to a machine."""
    usable = without_orders(passage)
    if usable == passage:
        return quote
    allowed = fold(plain(usable))
    return "".join(part for part in sentences(quote, language) if fold(part) in allowed).strip()


def _bare(text: str) -> str:
    """Lower-case letters without accents, look-alikes and the marks put between letters to hide a word."""
    text = fold(_HIDDEN.sub("", text)).translate(_LOOK_ALIKES)
    text = "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    text = re.sub(r"(?<=\b\w)[.\-_* ](?=\w\b)", "", text)  # i.g.n.o.r.e
    return re.sub(r"[*_`~]+", "", text)


def _readable(blob: str) -> bool:
    """Whether letters and digits are encoded text, which no customer can read."""
    padded = blob.replace("-", "+").replace("_", "/")
    try:
        decoded = base64.b64decode(padded + "=" * (-len(padded) % 4), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return False
    letters = sum(letter.isalpha() or letter.isspace() for letter in decoded)
    return decoded.isprintable() and letters > 0.7 * len(decoded)


_LOOK_ALIKES = str.maketrans("аеорсухіјѕԁһӏтпАЕОРСТХВМНКІ", "aeopcyxijsdhltnAEOPCTXBMHKI")
