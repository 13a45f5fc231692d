"""Expressions for times of day: clock times, parts of the day, and runs from one time to another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.entities.numbers import parse_number

DAY = 24 * 60
#: Parts of a day as minutes from midnight.
PARTS = {
    "early_morning": (0, 6 * 60), "morning": (6 * 60, 12 * 60), "forenoon": (8 * 60, 12 * 60), "noon": (11 * 60, 13 * 60),
    "afternoon": (12 * 60, 18 * 60), "dusk": (17 * 60, 19 * 60), "evening": (18 * 60, 22 * 60), "night": (20 * 60, DAY),
}  # fmt: skip
_PART_WORDS = {
    "凌晨": "early_morning", "清晨": "morning", "清早": "morning", "一大早": "morning", "早上": "morning", "早晨": "morning",
    "早": "morning", "上午": "forenoon", "中午": "noon", "正午": "noon", "午后": "afternoon", "下午": "afternoon",
    "傍晚": "dusk", "晚上": "evening", "晚间": "evening", "晚": "evening", "夜里": "night", "夜间": "night", "半夜": "night",
    "深夜": "night", "early morning": "early_morning", "morning": "morning", "mornings": "morning", "noon": "noon",
    "midday": "noon", "lunchtime": "noon", "afternoon": "afternoon", "afternoons": "afternoon", "evening": "evening",
    "evenings": "evening", "night": "night", "nights": "night", "tonight": "evening", "midnight": "night",
}  # fmt: skip
#: How a part of the day is called in a value.
PART_NAMES = {"forenoon": "morning", "dusk": "evening"}
_ZH_PART = "凌晨|清晨|清早|一大早|早上|早晨|上午|中午|正午|午后|下午|傍晚|晚上|晚间|夜里|夜间|半夜|深夜"
_ZH_NUMBER = r"\d{1,2}|[零一二两三四五六七八九十]{1,3}"
_HOUR_WORDS = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"

_CLOCK = re.compile(
    "|".join(
        [
            rf"(?P<zh>(?:(?P<zp>{_ZH_PART}|(?<=[今明昨])[早晚])的?)?(?P<zhh>{_ZH_NUMBER})\s?(?:点钟?|(?<=\d)[時时](?!间|候|段))(?P<zm>半|[一三两]刻|(?:{_ZH_NUMBER})(?=分)|[一二三四五]十[一二三四五六七八九]?|零[一二三四五六七八九五]|\d{{2}})?分?整?)(?!儿?(?:建议|意见|要求|问题|小|疑问|点))",
            rf"(?P<hm>(?:(?P<hp>{_ZH_PART})\s?)?(?<![\d:])(?P<h>[01]?\d|2[0-4]):(?P<m>[0-5]\d)(?::[0-5]\d)?(?![\d:])\s?(?P<ha>[ap]\.?m\b\.?)?)",
            r"(?P<ap>(?<![\d.:£$€])(?P<ah>1[0-2]|0?[1-9])(?:[:.](?P<am>[0-5]\d))?\s?(?P<aa>[ap]\.?m\b\.?)|(?<![\d.:])(?P<oh>1[0-2]|[1-9]) o'?clock)",
            rf"(?P<past>(?<![a-z])(?P<pw>half|quarter|five|ten|twenty) (?P<pd>past|to) (?P<ph>{_HOUR_WORDS}|1[0-2]|[1-9]\b))",
            rf"(?P<wo>(?<![a-z])(?P<woh>{_HOUR_WORDS}) (?:o'?clock|(?P<woa>[ap]\.?m\b\.?)))",
        ]
    )
)
_PART = re.compile(
    rf"(?P<zh>{_ZH_PART}|(?<=[今明昨])[早晚])(?!好)|(?<![a-z])(?:(?:in |during )?the )?(?P<en>early morning|mornings?|afternoons?|evenings?|nights?|noon|midday|lunchtime|tonight)(?![a-z])"
)
_GREETING = re.compile(r"(?:good|nice) $")
_TO = re.compile(r"\s?(?:到|至|-|~|–|—|to|until|till|and)\s?")
_BARE_HOUR = re.compile(r"(?<![\d:.a-z/-])(?P<h>1[0-2]|[1-9])(?=\s?(?:到|至|-|~|–|to|and)\s?\d)")
_AROUND = re.compile(r"(?:between|from) $")
_ONE_POINT = re.compile(r"一点(?!半|钟|整|[一三]刻|\d|[零一二三四五]?十?[一二三四五六七八九]?分)")


@dataclass(frozen=True)
class Clock:
    """A time (``last`` is None) or a run of times, in minutes from midnight; ``part`` when it is a part of the day."""

    start: int
    end: int
    first: int
    last: int | None = None
    part: str | None = None


def clock_text(minutes: int) -> str:
    """``15:00``; midnight at the end of a day is ``24:00``."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def find_clocks(lower: str) -> list[Clock]:
    """Times, runs of times and parts of the day in order of position; parts that belong to a time are not told twice."""
    times = [found for match in _CLOCK.finditer(lower) if (found := _time(match, lower))]
    runs = list(_runs(lower, times))
    covered = [(one.start, one.end) for one in (*times, *runs)]
    parts = []
    for match in _PART.finditer(lower):
        word = match["zh"] or match["en"]
        start = match.start("zh") if match["zh"] else match.start("en")
        if any(start < stop and begin < match.end() for begin, stop in covered):
            continue
        if match["en"] and _GREETING.search(lower, 0, start):
            continue
        part = _PART_WORDS[word]
        parts.append(Clock(start, match.end(), *PARTS[part], part=PART_NAMES.get(part, part)))
    return sorted([*times, *runs, *parts], key=lambda one: (one.start, -one.end))


def _time(match: re.Match[str], lower: str) -> Clock | None:
    group = match.groupdict()
    if group["zh"]:
        hour, minute = parse_number(group["zhh"]), _minute(group["zm"])
        if hour is None or hour > 24 or (not group["zp"] and _ONE_POINT.match(lower, match.start())):
            return None
        return _clock(match, _in_part(int(hour), group["zp"]), minute)
    if group["hm"]:
        hour = int(group["h"])
        hour = _half_day(hour, group["ha"]) if group["ha"] else _in_part(hour, group["hp"])
        return _clock(match, hour, int(group["m"]))
    if group["past"]:
        hour = int(parse_number(group["ph"]) or 0)
        minutes = {"half": 30, "quarter": 15, "five": 5, "ten": 10, "twenty": 20}[group["pw"]]
        total = hour * 60 + (minutes if group["pd"] == "past" else -minutes)
        return _clock(match, total // 60, total % 60)
    if group["wo"]:
        return _clock(match, _half_day(int(parse_number(group["woh"]) or 0), group["woa"]), 0)
    hour = int(group["ah"] or group["oh"])
    return _clock(match, _half_day(hour, group["aa"]), int(group["am"] or 0))


def _clock(match: re.Match[str], hour: int, minute: int) -> Clock | None:
    minutes = hour * 60 + minute
    return Clock(match.start(), match.end(), minutes) if 0 <= minutes <= DAY else None


def _minute(written: str | None) -> int:
    if not written:
        return 0
    if written == "半":
        return 30
    if written.endswith("刻"):
        return 15 * int(parse_number(written[0]) or 0)
    return int(parse_number(written.lstrip("零") or "零") or 0)


def _in_part(hour: int, part: str | None) -> int:
    """The hour on a 24-hour clock: 下午三点 is 15, 凌晨十二点 is 0."""
    name = _PART_WORDS.get(part or "")
    if name in {"afternoon", "evening", "dusk"} and hour < 12:
        return hour + 12
    if name == "night" and 6 <= hour < 12:
        return hour + 12
    if name == "noon" and hour < 4:
        return hour + 12
    if hour == 12 and name in {"early_morning", "night", "evening"}:
        return 0 if name == "early_morning" else 24
    return hour


def _half_day(hour: int, written: str | None) -> int:
    if not written:
        return hour
    return hour % 12 + (12 if written[0] == "p" else 0)


def _runs(lower: str, times: list[Clock]) -> Iterator[Clock]:
    """From one time to the next; the first may be a bare hour (“between 2 and 4 pm”)."""
    for place, one in enumerate(times):
        before = times[place - 1] if place else None
        if before:
            joint = _TO.match(lower, before.end)
            if joint and joint.end() == one.start:
                yield _run(lower, before.start, before.first, one)
                continue
        for match in _BARE_HOUR.finditer(lower, max(0, one.start - 8), one.start + 1):
            joint = _TO.match(lower, match.end())
            if joint and joint.end() == one.start:
                hour = int(match["h"]) * 60
                first = hour + 12 * 60 if one.first > 12 * 60 and hour + 12 * 60 <= one.first else hour
                yield _run(lower, match.start(), first, one)


_MORNING_MARK = re.compile(r"[早晨上凌]|a\.?m")


def _run(lower: str, start: int, first: int, one: Clock) -> Clock:
    last = one.first
    if first < last < 7 * 60 and not _MORNING_MARK.search(lower, start, one.end):
        first, last = first + 12 * 60, last + 12 * 60  # 2点到4点 is said of the afternoon
    if first >= 12 * 60 and last < first and last + 12 * 60 <= DAY:
        last += 12 * 60  # 下午2点到4点: the second time is in the same half of the day
    around = _AROUND.search(lower, 0, start)
    return Clock(around.start() if around else start, one.end, first, last)
