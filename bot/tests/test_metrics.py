"""The bot's figures: what they count, who may read them, and that nobody's words are in them."""

from __future__ import annotations

import http.client
import re

from bot.metrics import MOST_SERIES, Counter, Histogram, Metrics
from bot.tests.desk import Bot, Chat


def shown(bot: Bot, headers: dict[str, str] | None = None) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", bot.port, timeout=10)
    connection.request("GET", "/metrics", headers=headers or {})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def samples(text: str) -> dict[str, float]:
    return {name: float(value) for name, value in re.findall(r"^([^#\s][^ ]*(?:\{.*\})?) (\S+)$", text, re.MULTILINE)}


def test_a_turn_shows_in_the_figures_and_its_words_do_not(bot: Bot) -> None:
    before = samples(shown(bot)[1])
    chat = Chat(bot)
    body = chat.body("do you ship to Norway? my name is Zzyzx")
    chat.send(body)
    chat.send(body)  # the same turn again
    status, text = shown(bot)
    after = samples(text)
    assert status == 200
    assert "Zzyzx" not in text

    def more(name: str) -> float:
        return after.get(name, 0.0) - before.get(name, 0.0)

    assert more('frontdesk_dialogue_turns_total{outcome="answered"}') == 1
    assert more('frontdesk_dialogue_turns_total{outcome="repeated"}') == 1
    assert more("frontdesk_dialogue_turn_seconds_count") == 1
    assert more("frontdesk_dialogue_understand_seconds_count") == 1
    assert sum(more(name) for name in after if name.startswith("frontdesk_dialogue_routes_total")) == 1
    assert after["frontdesk_dialogue_resident_memory_bytes"] > 10_000_000
    [model] = [name for name in after if name.startswith("frontdesk_dialogue_model_info")]
    assert bot.request("GET", "/webhooks/turn/health")[1]["model_id"] in model


def test_what_is_refused_is_counted_by_reason(bot: Bot) -> None:
    bot.request("POST", "/webhooks/turn", b"{", None)
    bot.request("POST", "/webhooks/turn", b"{")
    after = samples(shown(bot)[1])
    assert after['frontdesk_dialogue_errors_total{reason="wrong_secret"}'] >= 1
    assert after['frontdesk_dialogue_errors_total{reason="bad_json"}'] >= 1


def test_without_a_token_only_this_machine_reads_them(bot: Bot) -> None:
    for headers in ({"Host": "bot.example"}, {"X-Forwarded-For": "203.0.113.9"}, {"Via": "1.1 proxy"}):
        status, text = shown(bot, headers)
        assert status == 403
        assert "frontdesk_dialogue" not in text


def test_a_label_that_grows_goes_on_as_other() -> None:
    counter = Counter("c_total", "c", ("name",))
    for number in range(MOST_SERIES + 50):
        counter.add(f"n{number}")
    lines = list(counter.lines())
    assert len(lines) == MOST_SERIES + 1
    assert 'c_total{name="other"} 50' in lines


def test_a_histogram_counts_upwards_and_escapes_its_labels() -> None:
    histogram = Histogram("h_seconds", "h", ("of",))
    for seconds in (0.001, 0.3, 60.0):
        histogram.observe(seconds, 'a"b\\c\nd')
    found = list(histogram.lines())
    assert found[0] == 'h_seconds_bucket{of="a\\"b\\\\c\\nd",le="0.005"} 1'
    assert found[-3].endswith('le="+Inf"} 3')
    assert found[-1].endswith(" 3")


def test_the_page_is_whole_before_anything_has_happened() -> None:
    text = Metrics().text(None, "3.6.21")
    assert 'frontdesk_dialogue_model_info{model_id="none",model="none",rasa="3.6.21"} 0' in text
    names = re.findall(r"^# TYPE (\S+) (counter|gauge|histogram)$", text, re.MULTILINE)
    assert len(names) == len(dict(names)) == 14
