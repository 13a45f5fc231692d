"""Where somebody lives: Chinese addresses as chains of their parts, English ones by their street, and postcodes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from personal_data.kinds import Kind, Span

_PROVINCES = (
    "北京|天津|上海|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南|四川|贵州|云南|陕西|甘肃|青海|台湾|"
    "内蒙古|广西|西藏|宁夏|新疆|香港|澳门"
)
_CITIES = (
    "广州|深圳|杭州|南京|苏州|成都|武汉|西安|长沙|郑州|青岛|济南|大连|沈阳|宁波|厦门|福州|合肥|昆明|南宁|贵阳|南昌|石家庄|太原|长春|哈尔滨|无锡|常州|"
    "东莞|佛山|珠海|中山|惠州|温州|绍兴|嘉兴|金华|台州|烟台|潍坊|徐州|南通|扬州|镇江|泉州|海口|三亚|兰州|西宁|银川|乌鲁木齐|拉萨|呼和浩特|洛阳|唐山|"
    "保定|廊坊|义乌|昆山"
)
_KNOWN = re.compile(rf"{_PROVINCES}|{_CITIES}")
#: Han characters except those that stand between an address and the rest of a sentence.
_HAN = r"(?:(?![在到是往给我请的把了就也还您你他她们叫找改换寄送住搬货吗呢啊吧个这那哪有没不用])[\u4e00-\u9fff])"
_NUMBER = r"(?:[A-Za-z]\d{1,2}-?[A-Za-z](?=座|栋|幢)|[A-Za-z]?\d{1,5}(?:[-/]\d{1,4})*[A-Za-z]?|[一二三四五六七八九十百两〇零]{1,5}|[A-Za-z甲乙丙丁东西南北](?=座|栋|幢|区|单元))"
_DOOR = r"(?:号楼|号院|号铺|号房|号门|号宿舍|号|弄|栋|幢|座|单元|层|楼|室|房|户|门|巷|组|队)"
_PART = re.compile(
    rf"(?P<door>{_NUMBER}\s?{_DOOR}(?:之[一二三四五\d])?)"
    rf"|(?P<area>{_HAN}{{1,8}}?(?:特别行政区|自治区|自治州|自治县|开发区|高新区|新区|街道|地区|省|市|(?<![小社园])区|县|旗|镇|乡|盟))"
    rf"|(?P<road>{_HAN}{{1,10}}?(?:大道|大街|胡同|小区|社区|花园|公寓|大厦|广场|家园|新村|工业园|科技园|产业园|软件园|写字楼|购物中心|路|街|道|巷|弄|村|屯|苑|庭|园|府|里|湾|城)(?:[东南西北中]段?|[一二三四五六七八九十]+(?:段|期|区)|\d+期)?)"
)
_LAST_ROOM = re.compile(r"[ -]?[A-Za-z]?\d{2,5}[A-Za-z]?(?![\d\-年月日天元块个件:：%])")
_GAP = re.compile(r"[ ,，、·]{0,2}")
#: "3号线", "5号到货", "2号发货", "一号店": a number and 号 that are no door.
_NO_DOOR = re.compile(
    r"\s?(?:线|店|到|发|前|后|之前|之后|左右|早|晚|上午|下午|开始|结束|是|的|晚上|中午|左|以|色|码|电池|机型|产品|商品|客服|柜|仓|下单|付|收|截止|星期|周|（?周|去|来|能|会|就)"
)
_NO_ROAD = re.compile(
    r"^(?:一|上|下|半|顺|同|走|问|迷|修|这|那)?(?:路|街|道|里|城|府|园|湾|村)$|知道|味道|报道|通道|公里|哪里|那里|这里|家里|手里|心里|店里|车里|频道|渠道|夜里|城里|村里|公司里|商城|长城汽车|订单里|页面里|盒子里"
)
_NO_AREA = re.compile(
    r"^(?:城|超|上|股|夜|菜|全|本|各|地|小|园|社|商业|特|郊|市)?(?:市|区|县|乡|镇)$|超市|上市|门市|夜市|小区$|服务区|社区$|地区$|专区|会员区|评论区|留言区"
)

_TYPES = (
    "Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Square|Sq|Terrace|Ter|Crescent|Cres|Close|Parkway|Pkwy|Highway|Hwy|"
    "Way|Circle|Cir|Row|Mews|Gardens|Grove|Walk|Quay|Embankment|Hill|Alley|Plaza"
)
_WORD = r"(?!(?:minutes?|mins?|miles?|days?|hours?|weeks?|of|the|down|on|in|at|for|from|to|and|or|times?|items?|orders?|years?|months?|per|percent|km|pieces?|units?|watts?|this|that|my|your|a|is|was|right|best|people|ways?|new)\b)[A-Za-z][\w'’.-]*"
_UNIT = r"(?:Apartment|Apt|Suite|Ste|Unit|Flat|Room|Rm|Building|Bldg|Block|Floor|Fl|House|#)\.?\s*(?=[\w-]*\d|[A-Z]\b)#?[\w-]{1,6}"
_STATE = "AL|AK|AZ|AR|CA|CO|CT|DE|FL|GA|HI|ID|IL|IN|IA|KS|KY|LA|ME|MD|MA|MI|MN|MS|MO|MT|NE|NV|NH|NJ|NM|NY|NC|ND|OH|OK|OR|PA|RI|SC|SD|TN|TX|UT|VT|VA|WA|WV|WI|WY|DC"
_POSTCODE = r"(?:[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2}|[ABCEGHJ-NPRSTVXY]\d[A-Z]\s\d[A-Z]\d)"
_PLACE = r"[A-Z][a-z][A-Za-z'’-]*(?:\s[A-Z][a-z][A-Za-z'’-]*){0,2}"
_TAIL = rf"(?:[,\s]+{_UNIT})?(?:,\s*{_PLACE}){{0,3}}(?:,?\s+(?:{_STATE})\b(?:,?\s+\d{{5}}(?:-\d{{4}})?(?!\d)|(?!\s*\d)))?(?:,?\s+(?:\d{{5}}(?:-\d{{4}})?(?!\d)|{_POSTCODE}))?(?:,\s*(?:USA|UK|China|Canada|Australia|Singapore)\b)?"
_STREET = re.compile(
    rf"(?:{_UNIT},?\s+){{0,3}}(?<![\w$€£¥.,-])(?:No\.?\s?)?\d{{1,5}}[A-Za-z]?(?:[-/]\d{{1,4}})?,?\s+(?:[NSEW]\.?\s+|(?i:north|south|east|west)\s+)?"
    rf"(?:(?:{_WORD}\s+){{1,3}}(?i:{_TYPES})\b(?![’'-]\w)|(?:Broadway|\d{{1,3}}(?:st|nd|rd|th)\s+(?i:{_TYPES})\b))\.?{_TAIL}"
)
_BOX = re.compile(rf"(?i:\bP\.?\s?O\.?\s?Box)\s+\d{{1,6}}{_TAIL}")
_TOWN = re.compile(rf"\b{_PLACE},?\s+(?:(?:{_STATE})\s+\d{{5}}(?:-\d{{4}})?|{_POSTCODE})\b|\b{_POSTCODE}\b")
_ZIP = re.compile(
    r"(?:\b(?:zip(?:\s?code)?|postal code|postcode|post code)|邮政编码|邮编)[^A-Za-z0-9\n]{0,4}(?:(?:is|是|为)\s?)?(?P<code>\d{5,6}(?:-\d{4})?|[A-Z]\d[A-Z\d]?\s?\d[A-Z]{2})(?!\d)",
    re.IGNORECASE,
)
_NO_MORE = re.compile(r"\s*(?:$|[,.;)\n]|(?:in|please|and|instead|not|apt|flat|unit)\b)")
_STREETS = re.compile(rf"(?i)\b(?:{_TYPES}|Broadway|Box)\b")


@dataclass(slots=True)
class _Chain:
    start: int
    end: int
    areas: int = 0
    roads: int = 0
    doors: int = 0

    @property
    def leads_somewhere(self) -> bool:
        """Whether somebody could be found there: a street and a door, several doors, or a street within its town."""
        return (
            (self.doors >= 1 and self.areas + self.roads >= 1)
            or self.doors >= 3
            or (self.areas >= 2 and self.roads >= 1)
        )


def addresses_in(text: str) -> Iterator[Span]:
    """Every postal address in a folded text."""
    if any("\u4e00" <= letter <= "\u9fff" for letter in text):
        yield from _chinese(text)
    if _STREETS.search(text) is not None:
        for pattern in (_STREET, _BOX):
            for found in pattern.finditer(text):
                # Written small it may be anything: "size 42 wide court shoes".
                if found[0] != found[0].lower() or _NO_MORE.match(text, found.end()) is not None:
                    yield Span(*found.span(), Kind.ADDRESS)
    for found in _TOWN.finditer(text):
        yield Span(*found.span(), Kind.ADDRESS)
    for found in _ZIP.finditer(text):
        yield Span(*found.span("code"), Kind.ADDRESS)


def kept_of_address(written: str) -> int:
    """How much of an address may be seen: its province and city, or nothing."""
    kept = 0
    for part in _PART.finditer(written):
        if part.lastgroup != "area" or part.start() != kept or not re.search(r"(?:省|市|自治区|特别行政区)$", part[0]):
            break
        kept = part.end()
    if kept == 0:
        known = _KNOWN.match(written)
        kept = known.end() if known is not None else 0
    return kept


def _chinese(text: str) -> Iterator[Span]:
    chain: _Chain | None = None
    for part in _PART.finditer(text):
        kind = part.lastgroup
        start, end = part.span()
        if kind != "door":
            known = _KNOWN.search(text, start, end)
            start = known.start() if known is not None else start
        if not _fits(text, kind, start, end):
            if chain is not None and chain.leads_somewhere:
                yield Span(chain.start, chain.end, Kind.ADDRESS)
            chain = None
            continue
        gap = _GAP.match(text, chain.end) if chain is not None else None
        if chain is None or gap is None or gap.end() < start:
            if chain is not None and chain.leads_somewhere:
                yield _with_room(text, chain)
            chain = _Chain(start, end)
        chain.end = end
        if kind == "door":
            chain.doors += 1
        elif kind == "area":
            chain.areas += 1
        else:
            chain.roads += 1
    if chain is not None and chain.leads_somewhere:
        yield _with_room(text, chain)


def _fits(text: str, kind: str | None, start: int, end: int) -> bool:
    written = text[start:end]
    if kind == "door":
        return not (written.endswith("号") and _NO_DOOR.match(text, end) is not None)
    if kind == "road":
        return _NO_ROAD.search(written) is None
    return _NO_AREA.search(written) is None


def _with_room(text: str, chain: _Chain) -> Span:
    """A bare number behind a building is a room."""
    if chain.doors and text[chain.end - 1] in "栋幢座楼元层号":
        room = _LAST_ROOM.match(text, chain.end)
        if room is not None:
            chain.end = room.end()
    return Span(chain.start, chain.end, Kind.ADDRESS)
