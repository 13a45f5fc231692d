"""Sounds and syllables that are no language: the bot asks back or says it did not understand, it does not act on them."""

from __future__ import annotations

import pytest

from bot.nlu_data import read, same
from bot.settings import ROOT
from bot.tests.desk import Bot, Chat

BABBLE = {
    "zh": ["啊哦呃嘟噜噜哔啵", "嘀哩嘟噜哇呀噗", "咕叽啵嗒呜哔哩", "噗噜嘟哒啊呃咿", "呜咔叭嘟叽啵嘞"],
    "en": ["aah ooh uh dub loo loo beep", "gloo bip wump dah doo", "fwip fwap glorb blee", "boop bap bip bloo wuh"],
}
NOTHING = {"out_of_scope", "clarify", "ask_knowledge"}


@pytest.mark.parametrize("language", BABBLE)
def test_no_intent_acts_on_babble(bot: Bot, language: str) -> None:
    known = {same(example.text) for part in ("en", "zh", "gate") for example in read(ROOT / "nlu_data", part)}
    assert not known & {same(line) for line in BABBLE[language]}
    taken = {line: Chat(bot, language).say(line)["intent"] for line in BABBLE[language]}
    assert {line: intent for line, intent in taken.items() if intent not in NOTHING} == {}
