"""How messages are read: letters, emoji, regional words, pinyin and slips, with the lore of a few examples; no model needed."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.components.normaliser import Reader
from bot.reading.edits import Edit, Reading
from bot.reading.regional import regional_words
from bot.reading.shared_words import SharedWords
from bot.reading.wordlore import WordLore
from bot.text import fold

EXAMPLES = [
    "where is my order", "please cancel my order", "I want to return my headphones", "send me the invoice please",
    "my laptop is broken", "the warranty of my watch", "how long is the warranty on the phone", "talk to a human please",
    "我要退货", "帮我取消订单", "我的订单到哪了", "我没有收到货", "手机保修多久", "开发票", "转人工", "快递怎么还没到", "查询物流", "我要开发票", "给我开个发票",
    "发票还没有收到", "电脑坏了要报修",
] * 24  # fmt: skip


@pytest.fixture(scope="module")
def lore() -> WordLore:
    return WordLore.gathered(EXAMPLES, ["Murmur Max", "Pebble Watch"])


@pytest.fixture(scope="module")
def reader(lore: WordLore) -> Reader:
    return Reader(lore, regional_words())


@pytest.mark.parametrize(("written", "read"), [
    ("wo yao tui huo", "我要退货"), ("woyaotuihuo", "我要退货"), ("Wǒ yào tuìhuò", "我要退货"), ("wo3 yao4 tui4 huo4", "我要退货"),
    ("my dingdan is late", "my 订单 is late"), ("please quxiao my order KT20261234", "please 取消 my order KT20261234"),
])  # fmt: skip
def test_pinyin_is_read_as_characters(reader: Reader, written: str, read: str) -> None:
    assert reader.read(written, "zh").text == read


@pytest.mark.parametrize("text", [
    "can he change men to women", "Chen Wei", "send it to Shenzhen please", "hahaha", "ka.wang@mail.example", "KT20261234",
    "https://kite.example/wo-yao", "the long fan", "tere khan, mianhae",
])  # fmt: skip
def test_what_only_looks_like_pinyin_stays(reader: Reader, text: str) -> None:
    assert not any("\u4e00" <= character <= "\u9fff" for character in reader.read(text, "en").text)


@pytest.mark.parametrize(("written", "read"), [
    ("wheer is my oredr", "where is my order"), ("plaese cancle it", "please cancel it"), ("the warrenty", "the warranty"),
    ("my headphnes", "my headphones"), ("pebbel watch", "pebble watch"), ("pleeease", "please"),
])  # fmt: skip
def test_slips_of_the_fingers_are_repaired(reader: Reader, written: str, read: str) -> None:
    assert reader.read(written, "en").text == read


@pytest.mark.parametrize("text", [
    "KT2026123", "my name is Ordrey Invoyce", "mail ordr@kite.example", "marble brochure", "obrigado pela ajuda amigo", "INV20260042",
    "the ORDR-77 unit",
])  # fmt: skip
def test_names_identifiers_and_other_words_are_not_repaired(reader: Reader, text: str) -> None:
    assert reader.read(text, "en").text == text


@pytest.mark.parametrize(("written", "read"), [
    ("我要退或", "我要退货"), ("砖人工", "转人工"), ("开法票", "开发票"), ("订但到哪了", "订单到哪了"), ("我要报休", "我要报修"),
])  # fmt: skip
def test_a_character_that_only_sounds_right_is_repaired(reader: Reader, written: str, read: str) -> None:
    assert reader.read(written, "zh").text == read


@pytest.mark.parametrize("text", ["我住在徐家汇", "店里能取吗", "保修和报修", "王晓明收"])
def test_characters_that_make_sense_stay(reader: Reader, text: str) -> None:
    assert reader.read(text, "zh").text == text


@pytest.mark.parametrize(("written", "hint", "read"), [
    ("👍", "en", "yes"), ("👍🏽👍🏽", "zh", "好的"), ("🙅‍♀️", "en", "no"), ("😂😂", "zh", "哈哈哈"), ("where is my 📦", "zh", "where is my parcel"),
    ("我的📦呢", "en", "我的包裹呢"), ("🫠", "en", "🫠"),
])  # fmt: skip
def test_emoji_are_read_as_what_they_say(reader: Reader, written: str, hint: str, read: str) -> None:
    assert reader.read(written, hint).text.strip() == read


@pytest.mark.parametrize(("written", "read"), [
    ("whére is my órder", "where is my order"), ("сancel my оrder", "cancel my order"), ("my ﬁrst", "my first"), ("can\u200bcel", "cancel"),
    ("ʜᴇʟʟᴏ", "hello"), ("ｗｈｅｒｅ", "where"), ("I’d like", "I'd like"), ("转　人　工", "转人工"),
])  # fmt: skip
def test_odd_letters_become_plain(reader: Reader, written: str, read: str) -> None:
    assert reader.read(written, "en").text == read


def test_words_of_taiwan_are_read_as_the_articles_say_them(reader: Reader) -> None:
    assert reader.read("行動電源可以帶上飛機嗎", "zh").text == "充电宝可以带上飞机吗"
    assert reader.read("行动电源", "zh").text == "行动电源"  # written in simplified characters it is left as it is


def test_an_entity_of_the_reading_points_to_where_it_was_written(reader: Reader) -> None:
    written = "wo yao tuihuo 📦 KT20261234"
    reading = reader.read(written, "zh")
    start = reading.text.index("KT20261234")
    assert written[slice(*reading.place_of(start, start + 10))] == "KT20261234"
    assert reading.place_of(0, 2) == (0, len("wo yao tuihuo"))


@given(
    st.text(max_size=30), st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5), st.text(max_size=4)), max_size=5)
)
def test_places_always_lie_inside_the_message_and_keep_their_order(
    text: str, wanted: list[tuple[int, int, str]]
) -> None:
    edits = [Edit(start, min(start + size, len(text)), new) for start, size, new in wanted if start <= len(text)]
    reading = Reading.of(text).edited(edits)
    assert reading.places is None or len(reading.places) == len(reading.text)
    places = [reading.place_of(i, i + 1) for i in range(len(reading.text))]
    assert all(0 <= start <= end <= len(text) for start, end in places)
    assert places == sorted(places)


@given(st.text(max_size=60))
def test_any_message_can_be_read(reader: Reader, text: str) -> None:
    reading = reader.read(text, "en")
    assert reading.places is None or len(reading.places) == len(reading.text)


def test_the_lore_survives_being_stored(lore: WordLore) -> None:
    restored = WordLore.restored(json.loads(json.dumps(lore.stored())))
    assert restored.pinyin == lore.pinyin
    assert Reader(restored, {}).read("wo yao tui huo", "zh").text == "我要退货"


def test_a_message_without_anything_odd_is_only_folded(reader: Reader) -> None:
    for text in ("where is my order KT20261234?", "我的订单到哪了？"):
        assert reader.read(text, "en") == Reading(fold(text))


@pytest.mark.parametrize(("chinese", "english", "meaning"), [
    ("我要取消订单", "please cancel my order", "cancel"),
    ("發票什麼時候開", "where is my invoice", "invoice"),
    ("下次聊，拜拜", "ok goodbye then", "bye"),
])  # fmt: skip
def test_words_that_mean_the_same_are_the_same_feature_in_both_languages(
    chinese: str, english: str, meaning: str
) -> None:
    words = SharedWords.written()
    place = list(words.meanings).index(meaning)
    assert place in set(words.found(chinese)) & set(words.found(english))
    rows = words.features([chinese, "xyzzy", english]).toarray()
    assert rows.shape == (3, len(words.meanings))
    assert (rows[[0, 2], place] > 0).all()
    assert not rows[1].any()


def test_english_words_are_found_where_they_begin_only() -> None:
    words = SharedWords.written()
    names = list(words.meanings)
    assert "return" in {names[place] for place in words.found("returning it")}
    assert "order" not in {names[place] for place in words.found("a border collie")}
