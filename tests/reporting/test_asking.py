"""Questions in two languages become queries, and what cannot be asked is said plainly."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reporting.asking import NotUnderstood, Understood, form_of, parse
from reporting.catalogue import METRICS
from reporting.evaluate_asking import FOLDER, OWN, measure, read_names, read_questions
from reporting.lexicon import Lexicon
from reporting.metric_words import METRIC_WORDS, TITLES
from reporting.possible import _PARTS
from reporting.query import Query

NAMES = read_names(FOLDER / "names.json")
TODAY = date(2026, 11, 19)  # a Thursday
DAYS = st.dates(date(2001, 3, 1), date(2090, 12, 31))


def asked(text: str, today: date = TODAY, names: Lexicon = NAMES) -> Understood:
    found = parse(text, today, names)
    assert isinstance(found, Understood), (text, found)
    return found


def refused(text: str, names: Lexicon = NAMES) -> NotUnderstood:
    found = parse(text, TODAY, names)
    assert isinstance(found, NotUnderstood), (text, found)
    return found


def test_every_figure_has_words_and_a_title_in_both_languages() -> None:
    assert METRIC_WORDS.keys() == METRICS.keys() == TITLES.keys()
    for key, titles in TITLES.items():
        assert [asked(title).query.metric for title in titles] == [key, key]


def test_what_was_understood_is_told_in_parts_with_the_words_for_them() -> None:
    found = asked("上周转人工最多的三个原因")
    told = {(one.kind, one.key, one.said) for one in found.explained}
    assert told == {
        ("metric", "handoffs", "转人工"), ("period", "2026-11-09/2026-11-15", "上周"), ("by", "reason", "原因"),
        ("top", "3", "三个"), ("end", "highest", "最多"),
    }  # fmt: skip


def test_a_question_without_days_is_about_the_last_four_weeks_and_says_so() -> None:
    found = asked("NPS")
    assert (found.query.since, found.query.until) == (TODAY - timedelta(days=27), TODAY)
    assert ("period", "") in {(one.kind, one.said) for one in found.explained}


@pytest.mark.parametrize(
    ("text", "metric", "by", "filters"),
    [
        ("操作失败最多的意图", "failed_actions", "intent", {}),
        ("failed actions by intent", "failed_actions", "intent", {}),
        ("上周操作失败了多少次", "failed_actions", None, {}),
        ("turns with failed actions on WeChat", "failed_actions", None, {"channel": ("wechat",)}),
        ("因为操作失败转人工的有多少", "handoffs", None, {"reason": ("action_failed",)}),
        ("handoffs because of failed actions", "handoffs", None, {"reason": ("action_failed",)}),
        ("escalation rate for action failed", "escalation", None, {"reason": ("action_failed",)}),
    ],
)
def test_what_failed_is_a_figure_and_beside_another_one_a_reason(
    text: str, metric: str, by: str | None, filters: dict[str, tuple[str, ...]]
) -> None:
    query = asked(text).query
    assert (query.metric, query.by, query.filters) == (metric, by, filters)


@pytest.mark.parametrize("text", ["csat last week", "上周满意度"])
def test_satisfaction_is_shown_for_the_bot_and_people_apart_unless_one_of_them_is_named(text: str) -> None:
    assert asked(text).query.by == "served"
    assert asked(f"机器人 {text}").query.filters == {"served": ("bot",)}
    assert asked(f"{text} by team").query.by == "team"


@pytest.mark.parametrize(
    ("text", "code", "word"),
    [
        ("conversations except WeChat", "negation", "except"),
        ("不含微信的会话量", "negation", "不含"),
        ("csat not on email", "negation", "not"),
        ("agents with csat below 60", "condition", "below"),
        ("满意度低于60的客服", "condition", "低于"),
        ("CSAT of Robert", "unknown_part", "Robert"),
        ("小红的满意度", "unknown_part", "小红"),
        ("csat and nps last week", "two_metrics", "csat"),
        ("resolution rate", "which_metric", "resolution rate"),
        ("waiting time tomorrow", "future", "tomorrow"),
        ("明天的会话量", "future", "明天"),
        ("nps by reason", "no_such_part", "reason"),
        ("conversations of the bot", "no_such_part", "the bot"),
        ("conversations on 31 February", "no_such_day", "on 31 February"),
        ("满意度同比", "condition", "同比"),
        ("csat this week vs last month", "compare_other", "vs last month"),
        ("conversations last week and last month", "two_periods", "last week"),
        ("longest wait last week", "no_dimension", "longest"),
        ("上周销售额", "no_metric", "销售额"),
        ("why did csat drop", "condition", "why"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_the_word_and_with_what_is_possible(
    text: str, code: str, word: str
) -> None:
    found = refused(text)
    assert found.code == code
    assert word in found.unknown
    assert found.possible
    for one in found.possible:
        asked(one)


def test_a_word_that_was_not_understood_and_limits_nothing_is_named_beside_the_answer() -> None:
    found = asked("conversations last week, gimme")
    assert found.unknown == ("gimme",)


def test_what_is_proposed_is_in_the_language_of_the_console() -> None:
    zh, en = (parse("revenue", TODAY, NAMES, language) for language in ("zh", "en"))
    assert isinstance(zh, NotUnderstood)
    assert isinstance(en, NotUnderstood)
    assert all(not one.isascii() for one in zh.possible)
    assert all(one.isascii() for one in en.possible)


def test_slips_of_the_fingers_traditional_characters_and_full_width_digits_are_read() -> None:
    assert asked("satsifaction by langauge").query == asked("satisfaction by language").query
    assert asked("上週轉人工最多的３個原因").query == asked("上周转人工最多的3个原因").query
    assert asked("最近十四天的会话量").query == asked("最近14天的会话量").query == asked("过去两周的会话量").query
    assert asked("ＣＳＡＴ last week").query == asked("csat last week").query


def test_three_great_reasons_of_last_week_are_no_wednesday() -> None:
    query = asked("上周三大转人工原因").query
    assert (query.since, query.until, query.by, query.top) == (date(2026, 11, 9), date(2026, 11, 15), "reason", 3)
    assert asked("上周三的会话量").query.since == date(2026, 11, 11)


@pytest.mark.parametrize("text", ["近 7 天各渠道的会话量", "近7天各渠道的会话量"])
def test_spaces_that_only_set_a_number_off_change_nothing(text: str) -> None:
    query = asked(text).query
    assert (query.since, query.until, query.by) == (TODAY - timedelta(days=6), TODAY, "channel")


def test_a_name_that_is_not_in_the_lexicon_cannot_be_asked_by() -> None:
    assert asked("Sam's CSAT").query.filters == {"agent": ("a-sam",)}
    assert refused("Sam's CSAT", Lexicon()).code == "unknown_part"
    assert asked("售后组的满意度").query.filters == {"team": ("t-after",)}
    assert refused("售后组的满意度", Lexicon()).code == "unknown_part"


def test_a_name_that_two_people_have_is_not_guessed() -> None:
    two = Lexicon({"agent": {"a": ("Chen Yu",), "b": ("Chen Bo",)}})
    assert refused("Chen's handle time", two).code == "ambiguous"
    assert asked("Chen Bo's handle time", names=two).query.filters == {"agent": ("b",)}


def test_an_intent_that_is_called_like_a_figure_does_not_hide_it() -> None:
    assert asked("上周转人工").query == Query("handoffs", date(2026, 11, 9), date(2026, 11, 15))


def test_the_median_is_told_where_an_average_was_asked_for() -> None:
    assert ("median", "average") in {(one.kind, one.said) for one in asked("average handle time").explained}


@pytest.mark.parametrize(
    ("text", "lowest"),
    [
        ("which channel is worst by csat", True), ("best channel by csat", False), ("worst channel by waiting time", False),
        ("最好的渠道满意度", False), ("等待时间最好的渠道", True), ("slowest team by first response time", False),
    ],
)  # fmt: skip
def test_worst_and_best_depend_on_whether_more_is_better(text: str, lowest: bool) -> None:
    assert asked(text).query.lowest is lowest


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=600), DAYS)
def test_no_text_at_all_breaks_it_and_the_same_text_means_the_same(text: str, today: date) -> None:
    found = parse(text, today, NAMES)
    assert found == parse(text, today, NAMES)
    form_of(found)


_WORDS = [
    "上周",
    "最多",
    "三个",
    "原因",
    "的",
    "按",
    "渠道",
    "满意度",
    "比",
    "不",
    "小陈",
    "top",
    "5",
    "by",
    "which",
    "vs",
    "last",
    "month",
    "csat",
    "handoffs",
    "WeChat",
    "99999999999999999999",
    "2026-13-45",
    "从",
    "到",
    "9月31日",
    "0月",
    "十百",
    "past",
    "9999",
    "years",
    "前0天",
    "'s",
    "-",
]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(_WORDS), max_size=12), st.dates())
def test_no_order_of_its_own_words_breaks_it(words: list[str], today: date) -> None:
    for text in ("".join(words), " ".join(words)):
        found = parse(text, today, NAMES)
        if isinstance(found, Understood):
            assert Query.of(found.query.form()) == found.query
            assert found.query.since <= found.query.until <= today


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(sorted(METRICS)),
    st.sampled_from(("zh", "en")),
    st.sampled_from((None, *sorted(_PARTS))),
    st.sampled_from((None, 1, 3, 10)),
    st.booleans(),
    st.sampled_from((None, ("channel", "wechat", "微信", "WeChat"), ("team", "t-after", "售后组", "After-sales"), ("language", "en", "英文", "English"))),
    DAYS,
)  # fmt: skip
def test_a_question_made_of_a_query_is_understood_as_it(
    metric: str,
    language: str,
    by: str | None,
    top: int | None,
    lowest: bool,
    limit: tuple[str, ...] | None,
    today: date,
) -> None:
    known = METRICS[metric].dimensions
    by = by if by in known else None
    top, lowest = (top, lowest and top is not None) if by else (None, False)
    limit = limit if limit is not None and limit[0] in known and limit[0] != by else None
    since, until = today - timedelta(days=6), today
    zh, en = TITLES[metric]
    if language == "zh":
        part = f"按{_PARTS[by][0].removeprefix('按')}" if by else ""
        text = f"最近7天{limit[2] if limit else ''}{zh}{part}{('最低' if lowest else '最高') if top else ''}{f'的{top}个' if top else ''}"
    else:
        part = f" {_PARTS[by][1]}" if by else ""
        ends = f"{'lowest' if lowest else 'highest'} {top} " if top else ""
        text = f"{ends}{en}{part}{f' for {limit[3]}' if limit else ''} in the past 7 days"
    default = "served" if metric == "csat" and by is None else None
    wanted = Query(metric, since, until, by or default, {limit[0]: (limit[1],)} if limit else {}, top, lowest)
    assert asked(text, today).query == wanted, text


def test_the_projects_own_questions_are_understood() -> None:
    for path in OWN:
        figures, failures = measure(list(read_questions(path)), NAMES)
        assert figures["accuracy"] >= 0.9, failures
        assert figures["must_refuse"] == 6
