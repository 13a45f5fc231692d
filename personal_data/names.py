"""Names of people: by how they introduce themselves and are addressed, and by a trained spaCy model where one is named."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from personal_data.kinds import Kind, Span

_SURNAMES = (
    "欧阳|司马|上官|诸葛|东方|皇甫|尉迟|公孙|慕容|令狐|司徒|夏侯|[王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石"
    "廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝]"
)
_HAN_NAME = rf"(?:{_SURNAMES})[\u4e00-\u9fff·]{{1,2}}"
_NOT_BEHIND = r"(?:吗|呢|吧|啊|的|了|们|是|在|不|有|要|想|没|也|都|就|很|会|能|可|这|那|来|去|说|把|被|给|让|和|跟|与|或|但|因|所|一|个|你|我|他|她|它)"
_HAN_TOLD = re.compile(
    rf"(?:我的?名字(?:是|叫)|我(?:叫做?|姓名是|名叫)|本人(?:叫)?|名字[是叫为:：]|姓名[是为]?[:：]?\s?|收[货件]人[是为叫]?[:：]?\s?|联系人[是为叫]?[:：]?\s?|寄件人[是为叫]?[:：]?\s?|署名[:：]?|持卡人[是为]?[:：]?\s?|户名[是为]?[:：]?\s?|抬头[是为]?[:：]\s?|称呼我(?:为)?|叫我)"
    rf"(?P<name>(?:{_SURNAMES})(?:(?!{_NOT_BEHIND})[\u4e00-\u9fff·]){{1,2}}|[\u4e00-\u9fff]{{2,4}}·[\u4e00-\u9fff]{{2,6}})(?=$|[^\u4e00-\u9fff]|先生|女士|小姐|电话|手机|身份|地址|{_NOT_BEHIND})"
)
_HAN_LATIN = re.compile(
    r"(?:我的?名字(?:是|叫)|我叫做?|我是|本人|姓名[是为]?[:：]?\s?|收[货件]人[是为叫]?[:：]?\s?|联系人[是为叫]?[:：]?\s?|持卡人[是为]?[:：]?\s?|叫我)\s?(?P<name>[A-Z][a-z'’]+(?:\s[A-Z][a-z'’]+){0,2})(?![A-Za-z0-9])"
)
_HAN_I_AM = re.compile(
    rf"(?:^|[，,。！!\s])(?:你好|您好|喂)?[，,！!]?(?:我是|这里是|我这边是)(?P<name>{_HAN_NAME})(?=$|[，,。！!；;\s])"
)
_HAN_ADDRESSED = re.compile(
    rf"(?P<name>(?:{_SURNAMES})(?:(?!{_NOT_BEHIND})[\u4e00-\u9fff]){{1,2}})(?=先生|女士|小姐|太太)"
)
_NO_NAME = re.compile(
    r"老客户|会员|新客户|顾客|用户|客服|买家|卖家|商家|代理|经理|学生|老师|时候|什么|怎么|这个|那个|全部|明天|今天|昨天|马上|金卡|高级|普通|通过|连续|向你|路过|时常|和你|应该|成都|安徽|江苏|江西|于是|任何|单独|方便|关于|程序|文件|高兴|都是|包裹|万一|石家|毛病|边上|管理|明白|解决|全新|白色|黄色|金色|蓝色|田里|公司"
)
_WORD = r"[A-ZÀ-Þ][a-zß-ÿ'’]+(?:-[A-ZÀ-Þ][a-zß-ÿ]+)?"
_FULL = rf"{_WORD}(?:\s(?:[A-Z]\.|(?:de|van|von|der|da|di|bin|al)|{_WORD})){{0,3}}"
_TOLD = re.compile(
    rf"(?:\b(?i:my (?:full |first |last )?name(?:'s| is)|name(?: on (?:the )?(?:card|order|account))?\s?(?:is|:|=)|(?:recipient|cardholder|card holder|addressee|contact person|customer|consignee|attn)\s?(?:is|:|=)|i am called|call me|they call me|the name is|under the name(?: of)?|in the name of|signed by|addressed to)\s+)"
    rf"(?P<name>{_FULL})"
)
_LOWER_TOLD = re.compile(
    r"\b(?:my (?:full )?name(?:'s| is))\s+(?P<name>[a-z]{2,15}(?:\s[a-z]{2,15})?)(?=$|[.,!;\n]|\s(?:and|from|here|i|my)\b)"
)
_I_AM = re.compile(
    rf"\b(?:I'm|I’m|I am|This is|this is|It's|it's)\s+(?P<name>{_WORD}(?:\s(?:[A-Z]\.\s)?{_WORD}){{1,2}})(?=$|[.,!;\n)]|\s(?:and|from|here|speaking|again|calling|writing|with)\b)"
)
_I_AM_ONE = re.compile(
    rf"\b(?:I'm|I’m|I am|This is|this is)\s+(?P<name>{_WORD})(?=\s(?:from|here|speaking|calling|again)\b|[,.!]?\s*$)"
)
_TITLED = re.compile(rf"\b(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof)\.?\s(?P<name>{_FULL})")
_DEAR = re.compile(rf"(?:^|\n)\s*(?:Dear|Hi|Hello|Hey)\s(?P<name>{_WORD}(?:\s{_WORD})?)(?=\s*[,!.\n]|$)")
_RELATED = re.compile(
    rf"\b(?:[Mm]y|[Oo]ur)\s(?:wife|husband|partner|son|daughter|mother|father|mum|mom|dad|sister|brother|colleague|friend|boss|neighbou?r|assistant|flatmate|roommate)\s(?P<name>{_FULL})"
)
_HAN_RELATED = re.compile(
    rf"我?(?:老公|老婆|丈夫|妻子|爱人|儿子|女儿|妈妈|爸爸|父亲|母亲|哥哥|姐姐|弟弟|妹妹|同事|朋友|室友|邻居)(?P<name>(?:{_SURNAMES})(?:(?!{_NOT_BEHIND})[\u4e00-\u9fff]){{1,2}}?)(?=$|[^\u4e00-\u9fff]|{_NOT_BEHIND}|下|买|收|推荐|付|签|代|帮|用|订)"
)
_SIGNED = re.compile(
    rf"(?i:\b(?:kind |best |warm )?regards|sincerely|cheers|yours(?: truly)?|best wishes|many thanks|thanks|thank you)[,.!]?\s*\n\s*(?P<name>{_WORD}(?:\s(?:[A-Z]\.\s)?{_WORD}){{0,2}})\s*$"
)
#: What may stand where a name could, and begins with a capital.
_COMMON_WORDS = """
There All Team Everyone Everybody Support Sir Madam Customer Guys Folks Service Agent Friend Friends Again Monday
Tuesday Wednesday Thursday Friday Saturday Sunday January February March April May June July August September
October November December English Chinese American British German French Italian Spanish Japanese Happy Sorry Not
Very Still Now Just Also Looking Having Trying Writing Waiting Interested Unhappy Disappointed Here Ready Sure Done
The This That An It Your My Our Order Christmas Android Windows Apple Google Amazon Bluetooth Kite Prime Visa Paypal
Mastercard Frontdesk Urgent Great Good Bad Ridiculous Unacceptable Perfect Awesome Terrible Fine Required Unknown
Missing Wrong Correct Empty Below Above Optional
"""
_COMMON = frozenset(_COMMON_WORDS.split())
_LOWER_WORDS = "not wrong the on in misspelt misspelled spelled spelt incorrect missing there correct different still too also very is"
_LOWER_COMMON = frozenset(_LOWER_WORDS.split())


class NameModels:
    """Trained models by language; each is loaded when the first text asks for it."""

    def __init__(self, models: Mapping[str, str] | None = None) -> None:
        """Raises ``ValueError`` for a model that is not installed."""
        self._models = dict(models or {})
        for language, model in self._models.items():
            if importlib.util.find_spec(model) is None:
                raise ValueError(f"the spaCy model {model!r} for {language!r} is not installed")
        self._people = lru_cache(maxsize=2048)(self._read)
        self._loaded: dict[str, Any] = {}

    def names_in(self, text: str, language: str) -> Iterator[Span]:
        """What the model of the language takes for people; nothing without one."""
        if language in self._models and text.strip():
            for start, end in self._people(text, language):
                yield Span(start, end, Kind.NAME)

    def _read(self, text: str, language: str) -> tuple[tuple[int, int], ...]:
        if language not in self._loaded:
            import spacy

            self._loaded[language] = spacy.load(
                self._models[language], exclude=["parser", "lemmatizer", "attribute_ruler", "textcat"]
            )
        people = self._loaded[language](text).ents
        return tuple((one.start_char, one.end_char) for one in people if one.label_ in ("PERSON", "PER"))


def names_in(text: str) -> Iterator[Span]:
    """Names that the words around them tell, in a folded text."""
    if any("\u4e00" <= letter <= "\u9fff" for letter in text):
        for pattern in (_HAN_TOLD, _HAN_LATIN, _HAN_I_AM, _HAN_ADDRESSED, _HAN_RELATED):
            for found in pattern.finditer(text):
                if _NO_NAME.search(found["name"]) is None:
                    yield Span(*found.span("name"), Kind.NAME)
    for pattern in (_TOLD, _I_AM, _I_AM_ONE, _TITLED, _DEAR, _RELATED, _SIGNED):
        for found in pattern.finditer(text):
            if not any(word.strip(".") in _COMMON for word in found["name"].split()):
                yield Span(*found.span("name"), Kind.NAME)
    for found in _LOWER_TOLD.finditer(text):
        if not any(word in _LOWER_COMMON for word in found["name"].split()):
            yield Span(*found.span("name"), Kind.NAME)
