"""What the demo customers are made of: the shop's products, names, streets and the stations parcels pass."""

from __future__ import annotations

from dataclasses import dataclass

#: English name, Chinese name, CNY, hygiene rule. Agrees with docs/demo_shop.md.
PRODUCTS: tuple[tuple[str, str, int, bool], ...] = (
    ("Aria 5", "咏叹 5", 3299, False),
    ("Aria 5 Pro", "咏叹 5 Pro", 4799, False),
    ("Nimbus 14", "云雀 14", 6499, False),
    ("Nimbus Air", "云雀 Air", 5299, False),
    ("Slate 11", "石板 11", 2599, False),
    ("Folio 7", "书页 7", 999, False),
    ("Murmur Buds 2", "低语耳机 2", 599, True),
    ("Murmur Max", "低语 Max", 1299, True),
    ("Pebble Watch S2", "卵石手表 S2", 1199, False),
    ("Drum Mini", "小鼓音箱", 349, False),
    ("Vista 55", "远景 55", 3799, False),
    ("Sprout V1", "嫩芽扫地机 V1", 1999, False),
    ("Harbor AX3", "港湾路由 AX3", 399, False),
    ("Tidal 20K", "潮汐充电宝 20K", 269, False),
    ("Glow Lamp", "微光台灯", 199, False),
)

SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
GIVEN_NAMES = [
    "伟",
    "芳",
    "娜",
    "敏",
    "静",
    "丽",
    "强",
    "磊",
    "军",
    "洋",
    "勇",
    "艳",
    "杰",
    "娟",
    "涛",
    "明",
    "超",
    "秀兰",
    "霞",
    "平",
    "刚",
    "桂英",
    "子涵",
    "雨桐",
    "梓萱",
    "浩然",
    "欣怡",
    "俊杰",
    "思远",
    "佳琪",
    "一诺",
    "晨曦",
    "嘉豪",
    "诗涵",
    "宇航",
    "若曦",
    "文博",
    "雅婷",
    "志远",
    "晓东",
    "建国",
    "海燕",
    "玉梅",
    "春华",
]
PINYIN = [
    "wang",
    "li",
    "zhang",
    "liu",
    "chen",
    "yang",
    "zhao",
    "huang",
    "zhou",
    "wu",
    "xu",
    "sun",
    "hu",
    "zhu",
    "gao",
    "lin",
    "he",
    "guo",
    "ma",
    "luo",
    "liang",
    "song",
    "zheng",
    "xie",
    "han",
    "tang",
    "feng",
    "yu",
    "dong",
    "xiao",
    "cheng",
    "cao",
    "yuan",
    "deng",
    "xu",
    "fu",
    "shen",
    "zeng",
    "peng",
    "lv",
]
FIRST_NAMES = [
    "Oliver",
    "Amelia",
    "George",
    "Isla",
    "Noah",
    "Ava",
    "Arthur",
    "Mia",
    "Leo",
    "Ivy",
    "Freya",
    "Oscar",
    "Lily",
    "Theo",
    "Grace",
    "Hannah",
    "Lukas",
    "Marie",
    "Paul",
    "Sophie",
    "Emil",
    "Clara",
    "Hugo",
    "Chloé",
    "Jules",
    "Inès",
    "Mateo",
    "Lucía",
    "Daan",
    "Sanne",
    "Marco",
    "Giulia",
    "Piotr",
    "Zofia",
    "Aoife",
    "Liam",
]
LAST_NAMES = [
    "Smith",
    "Jones",
    "Taylor",
    "Brown",
    "Evans",
    "Thomas",
    "Walker",
    "Wright",
    "Green",
    "Hall",
    "Schmidt",
    "Becker",
    "Fischer",
    "Wagner",
    "Martin",
    "Bernard",
    "Dubois",
    "García",
    "López",
    "Janssen",
    "Bakker",
    "Rossi",
    "Ricci",
    "Nowak",
    "Murphy",
    "Byrne",
]
HONG_KONG_NAMES = ("Chan Ka Wai", "Wong Siu Ming", "Lau Hoi Yan", "Cheung Tsz Kin", "Ho Wing Sze", "Ng Chi Hang")
SINGAPORE_NAMES = ("Tan Wei Ling", "Lim Jun Jie", "Nurul Aisyah", "Raj Kumar", "Goh Hui Min", "Siti Rahman")


@dataclass(frozen=True, slots=True)
class Place:
    """A city orders go to: where parcels pass on the way, and what addresses look like."""

    zh: str
    en: str
    hub_zh: str
    hub_en: str
    address: str  #: with {n} for a house number and {m} for a flat


MAINLAND = (
    Place("杭州", "Hangzhou", "杭州萧山集散中心", "Hangzhou Xiaoshan hub", "浙江省杭州市西湖区文三路{n}号{m}室"),
    Place("上海", "Shanghai", "上海浦东集散中心", "Shanghai Pudong hub", "上海市浦东新区张杨路{n}号{m}室"),
    Place("北京", "Beijing", "北京顺义集散中心", "Beijing Shunyi hub", "北京市朝阳区建国路{n}号{m}室"),
    Place("深圳", "Shenzhen", "深圳宝安集散中心", "Shenzhen Bao'an hub", "广东省深圳市南山区科苑路{n}号{m}室"),
    Place("广州", "Guangzhou", "广州白云集散中心", "Guangzhou Baiyun hub", "广东省广州市天河区体育西路{n}号{m}室"),
    Place("成都", "Chengdu", "成都双流集散中心", "Chengdu Shuangliu hub", "四川省成都市锦江区春熙路{n}号{m}室"),
    Place("武汉", "Wuhan", "武汉东西湖集散中心", "Wuhan Dongxihu hub", "湖北省武汉市洪山区珞喻路{n}号{m}室"),
    Place("西安", "Xi'an", "西安咸阳集散中心", "Xi'an Xianyang hub", "陕西省西安市雁塔区科技路{n}号{m}室"),
    Place("南京", "Nanjing", "南京江宁集散中心", "Nanjing Jiangning hub", "江苏省南京市鼓楼区中山路{n}号{m}室"),
    Place("拉萨", "Lhasa", "拉萨集散中心", "Lhasa hub", "西藏自治区拉萨市城关区江苏路{n}号{m}室"),
)
ABROAD: dict[str, tuple[Place, ...]] = {
    "HK": (
        Place(
            "香港", "Hong Kong", "香港国际机场", "Hong Kong airport", "Flat {m}, {n} Nathan Road, Kowloon, Hong Kong"
        ),
    ),
    "SG": (Place("新加坡", "Singapore", "新加坡樟宜", "Singapore Changi", "{n} Orchard Road #{m}, Singapore 238801"),),
    "GB": (
        Place("伦敦", "London", "东米德兰兹机场", "East Midlands airport", "{n} Camden Road, London NW1 9AA"),
        Place("曼彻斯特", "Manchester", "东米德兰兹机场", "East Midlands airport", "{n} Deansgate, Manchester M3 4LQ"),
        Place("爱丁堡", "Edinburgh", "东米德兰兹机场", "East Midlands airport", "{n} Leith Walk, Edinburgh EH6 8NS"),
    ),
    "DE": (
        Place("柏林", "Berlin", "莱比锡", "Leipzig", "Torstraße {n}, 10119 Berlin, Germany"),
        Place("慕尼黑", "Munich", "莱比锡", "Leipzig", "Lindwurmstraße {n}, 80337 München, Germany"),
    ),
    "FR": (Place("巴黎", "Paris", "莱比锡", "Leipzig", "{n} rue de Charonne, 75011 Paris, France"),),
    "NL": (Place("阿姆斯特丹", "Amsterdam", "莱比锡", "Leipzig", "Kinkerstraat {n}, 1053 Amsterdam, Netherlands"),),
}
CURRENCIES = {"CN": "CNY", "HK": "HKD", "SG": "SGD", "GB": "GBP", "DE": "EUR", "FR": "EUR", "NL": "EUR"}
#: Days from dispatch to delivery.
DELIVERY_DAYS = {"CN": (1, 3), "HK": (2, 4), "SG": (4, 7), "GB": (6, 10), "DE": (6, 10), "FR": (6, 10), "NL": (6, 10)}
REMOTE_DAYS = (5, 7)

PROBLEMS = (
    ("zh", "耳机左边没有声音", "低语耳机左边突然没有声音了，重置过也没用。", "耳机盒也带来了，预计明天检测完成。"),
    ("zh", "包裹外箱破损", "收到时外箱破了一个角，里面的商品需要你们确认。", "照片已收到，正在和快递核实。"),
    ("zh", "发票抬头写错了", "发票抬头少写了两个字，麻烦更正。", "新发票已经开好，请查收邮箱。"),
    ("zh", "想要价保退差价", "买完第三天就降价了，申请价保。", "差价已原路退回。"),
    (
        "en",
        "Watch loses its connection",
        "My Pebble Watch disconnects from the phone every evening.",
        "We are testing this with the same phone model.",
    ),
    (
        "en",
        "Parcel shown as delivered but not here",
        "The tracking says delivered, but I have not got it.",
        "We have asked the carrier for the proof of delivery.",
    ),
    (
        "en",
        "Charger missing in the box",
        "There was no charger in the box of my Nimbus.",
        "A charger is on its way to you.",
    ),
)
