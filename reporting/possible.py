"""What can be asked instead: a few whole questions that are near to the one that was not understood."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from reporting.catalogue import METRICS
from reporting.lexicon import Lexicon
from reporting.metric_words import TITLES
from reporting.segments import Segment

MOST = 4
_USUAL = ("conversations", "csat", "handoffs", "wait")
_PARTS = {
    "channel": ("按渠道", "by channel"), "team": ("按团队", "by team"), "agent": ("按客服", "by agent"), "language": ("按语言", "by language"),
    "intent": ("按意图", "by intent"), "model": ("按模型版本", "by model version"), "reason": ("按原因", "by reason"), "article": ("按文章", "by article"),
}  # fmt: skip
_INSTEAD = {"bot": ("bot_share", "contained", "latency"), "human": ("first_response", "handle_time", "sla")}


def possible(
    code: str, keys: Sequence[str], segments: Sequence[Segment], lexicon: Lexicon, language: str, today: date
) -> tuple[str, ...]:
    """Questions in the language; each of them is understood."""
    said = next((one.said for one in segments if one.period and one.period.since <= today), None)
    fitting = said is not None and (language == "zh") != said.isascii()
    when = (
        said
        if fitting and code not in ("future", "two_periods", "no_such_day", "compare_other")
        else ("上周" if language == "zh" else "last week")
    )
    metrics = list(keys)
    if not metrics:
        metrics = [one.key for one in segments if one.kind in ("metric", "weak")]
    if code == "no_such_part":
        metrics += [other for one in segments if one.kind == "filter" for other in _INSTEAD.get(one.key, ())]
    if not metrics:
        metrics = list(_USUAL)
    metrics = list(dict.fromkeys(metrics))
    plain = [_sentence(key, None, str(when), language) for key in metrics]
    if len(metrics) > 1:
        return tuple(plain[:MOST])
    wanted = [one.key for one in segments if one.kind == "dimension"]
    known = [
        name
        for name in (*wanted, "channel", "team", "intent", "reason")
        if name in METRICS[metrics[0]].dimensions and name in _PARTS
    ]
    broken = [_sentence(metrics[0], name, str(when), language) for name in dict.fromkeys(known)]
    return tuple([*plain, *broken][:MOST])


def _sentence(key: str, by: str | None, when: str, language: str) -> str:
    zh, en = TITLES[key]
    if language == "zh":
        return f"{when}{_PARTS[by][0] if by else ''}{zh}" if by is None else f"{_PARTS[by][0]}看{when}{zh}"
    return f"{en}{' ' + _PARTS[by][1] if by else ''} {when}"
