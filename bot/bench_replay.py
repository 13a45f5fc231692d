"""Builds a log of conversations as they are, replays it on the model that answered it and on others, and measures both.

    python bench_replay.py [--turns 5000] [--candidate FILE] [--workers 2]

The last line is one JSON object. The messages are the held-out lines of ``nlu_data/``, put together into conversations
with tasks, corrections, interruptions, buttons, several questions at once and wishes for a person.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

if __package__ in (None, ""):
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from bot import settings, without_tensorflow
from bot.evaluate_families import read_families
from bot.nlu_data import read
from bot.replay import replay
from bot.tests.fake_actions import FORMS, Call, FakeActions

_NUMBERS = {"order_number": "KT2026{}", "ticket_number": "TK10{}"}
_ANSWERS: dict[str, dict[str, list[str]]] = {
    "identity_proof": {"en": ["2468", "1111", "135790"], "zh": ["2468", "尾号2468", "1111"]},
    "new_address": {"en": ["Flat 3, 48 Canal Street, Manchester M1 3HE"], "zh": ["杭州市西湖区文三路90号3幢402"]},
    "order_item": {"en": ["the Murmur Max", "headphones"], "zh": ["低语 Max", "耳机"]},
    "return_reason": {"en": ["it arrived damaged", "I don't like it"], "zh": ["到手就有划痕", "不喜欢"]},
    "invoice_kind": {"en": ["company", "personal"], "zh": ["公司", "个人"]},
    "invoice_title": {"en": ["Kite Ltd"], "zh": ["上海风筝科技有限公司"]},
    "problem": {"en": ["the left earbud crackles whenever I turn it on"], "zh": ["屏幕中间有一条绿线，没有摔过"]},
    "contact_point": {"en": ["emma@example.com"], "zh": ["13800138000"]},
    "contact_field": {"en": ["phone", "e-mail"], "zh": ["手机号", "邮箱"]},
    "contact_value": {"en": ["emma.new@example.com"], "zh": ["13900139000"]},
    "confirmed": {"en": ["yes", "no", "yes please"], "zh": ["对", "不用了", "是的"]},
}
_ASIDE = {
    "en": ["never mind", "no, I meant KT20267777", "not that order"],
    "zh": ["算了", "不对，是 KT20267777", "不是这个"],
}
_KNOWN = {
    "deliver": "Delivery takes 1 to 3 days.", "warranty": "The warranty is 12 months.", "return": "30 days.",
    "charge": "Two hours.", "保修": "保修 12 个月。", "退": "3 个工作日内退款。", "送": "1 到 3 天送到。", "门店": "9 点开门。",
}  # fmt: skip
Said = tuple[str, "str | None"]  # words, payload of a button


class Talk:
    """Makes up what contacts write; the same for the same seed."""

    def __init__(self, seed: int) -> None:
        """Reads the lines of ``nlu_data/`` that no training sees."""
        self._chance = random.Random(seed)  # noqa: S311 - no secret
        data = settings.ROOT / "nlu_data"
        self._lines: dict[str, list[str]] = {"en": [], "zh": []}
        self._tasks: dict[str, list[str]] = {"en": [], "zh": []}
        for part in ("test", "en", "zh"):
            for example in read(data, part):
                kind = self._tasks if example.intent in FORMS else self._lines
                kind[example.path.stem if part == "test" else part].append(example.text)
        for line in read_families(data / "families"):
            self._lines[line.language].append(line.text)

    def language(self) -> str:
        """Of the next contact."""
        return self._chance.choice(("en", "zh"))

    def customer(self) -> str | None:
        """One in four is known."""
        return "c0ffee" if self._chance.random() < 0.25 else None

    def length(self) -> int:
        """In messages."""
        return self._chance.choice((1, 2, 3, 4, 5, 6, 8, 10, 14))

    def next(self, language: str, asked: str | None, buttons: list[dict[str, str]]) -> Said:
        """The next message, where the bot asked for a slot and showed buttons."""
        chance = self._chance.random()
        if asked is not None and chance < 0.7:
            return self._answer(language, asked)
        if buttons and chance < 0.15:
            button = self._chance.choice(buttons)
            return button["title"], button["payload"]
        if asked is not None and chance < 0.8:
            return self._chance.choice(_ASIDE[language]), None
        pool = self._tasks if chance < 0.5 and asked is None else self._lines
        return self._chance.choice(pool[language if chance < 0.97 else "zh"]), None

    def _answer(self, language: str, asked: str) -> Said:
        if asked in _NUMBERS:
            return _NUMBERS[asked].format(self._chance.randint(1000, 9999)), None
        return self._chance.choice(_ANSWERS[asked][language]), None


class ActionsHere:
    """The tests' actions without a connection."""

    def __init__(self) -> None:
        """Knows a few answers."""
        from rasa.utils.endpoints import EndpointConfig

        self._acts = FakeActions.__new__(FakeActions)
        self._acts.called, self._acts.asked, self._acts.known_answers, self._acts.broken = [], [], _KNOWN, False
        self.endpoint = EndpointConfig("http://nowhere.invalid/")
        self.endpoint.request = self.request

    async def request(self, *_: Any, **kwargs: Any) -> dict[str, Any]:
        """What the action answers."""
        call = Call(json.loads(json.dumps(kwargs["json"])))
        self._acts.act(call)
        return {"events": call.events, "responses": call.responses}


async def build(model: Path, url: str, turns: int, seed: int = 1) -> int:
    """Fill a store with conversations of a model; returns how many turns they have."""
    from bot.tracker_store import TurnStore
    from bot.turn import Dialogue, Turn

    store, talk, done, number = TurnStore(host=url), Talk(seed), 0, 0
    dialogue = Dialogue(str(model), store, ActionsHere().endpoint)
    while done < turns:
        number += 1
        conversation, language, customer = f"c{number:06d}", talk.language(), talk.customer()
        buttons: list[dict[str, str]] = []
        for place in range(talk.length()):
            asked = store.load(conversation).get_slot("requested_slot") if place else None
            text, payload = talk.next(language, asked, buttons)
            metadata = {
                "language_hint": language,
                "customer_id": customer,
                "sent_at": f"2026-11-{1 + number % 28:02d}T09:{place:02d}:00+00:00",
                "misses": 2,
                "products": [],
                "thresholds": {},
            }
            answer = await dialogue.respond(Turn(f"t{number:06d}x{place}", conversation, text, payload, metadata))
            buttons = [button for reply in answer["replies"] for button in reply["buttons"]]
            done += 1
            if any(reply["handoff"] for reply in answer["replies"]) or done >= turns:
                break
    return done


def main() -> None:
    """Build, replay twice on the same model and once on another, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=5000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--candidate", type=Path, help="another sealed archive")
    parser.add_argument("--log", type=Path, help="where the log is kept, or found if it is there")
    parser.add_argument(
        "--show", type=int, default=0, help="so many changes of the same model, which has none if all is well"
    )
    arguments = parser.parse_args()
    settings.quieten()
    without_tensorflow.install()
    from bot import action_calls, quiet_logs
    from bot.replay_log import Log
    from bot.serve import find_model

    quiet_logs.configure()
    action_calls.install()
    model = find_model(settings.model_dir())
    with tempfile.TemporaryDirectory() as folder:
        database = arguments.log or Path(folder) / "bot.db"
        url = f"sqlite:///{database}"
        if not database.exists():
            print(f"building a log of {arguments.turns} turns …", flush=True)
            asyncio.run(build(model, url, arguments.turns))
        chosen = Log(url).newest(arguments.turns)
        first = replay(model, url, chosen, workers=arguments.workers)
        for change in first["changes"][: arguments.show]:
            print(json.dumps(change, ensure_ascii=False))
        again = replay(model, url, chosen, workers=arguments.workers)
        figures: dict[str, Any] = _figures(first)
        figures["digest_equal"] = first["digest"] == again["digest"]
        figures["again_seconds"] = again["seconds"]
        if arguments.candidate is not None:
            figures["candidate"] = _figures(replay(arguments.candidate, url, chosen, workers=arguments.workers))
    print(json.dumps(figures, ensure_ascii=False))


def _figures(report: dict[str, Any]) -> dict[str, Any]:
    kept = (
        "turns",
        "same",
        "changed",
        "after_divergence",
        "not_replayable",
        "by_kind",
        "conversations",
        "seconds",
        "load_seconds",
        "cpu_seconds",
        "digest",
    )
    return {name: report[name] for name in kept} | {
        "turns_per_s": round(report["turns"] / max(report["seconds"], 1e-9), 1),
        "whole_seconds": round(report["seconds"] + report["load_seconds"], 1),
    }


if __name__ == "__main__":
    main()
