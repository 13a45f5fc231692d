"""The log says what happened and where, and not what people wrote."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
import structlog
from structlog.contextvars import bound_contextvars

from channels_file import secrets_of
from conversations.errors import MessageRejected
from monitoring.scrubbing import UNSAID, Scrubber, described, traced
from settings import Settings, load
from tests.monitoring.watched import written_log

NEEDED = {"BOT_SECRET": "b" * 16, "ACTION_SECRET": "a" * 16, "SECRET_KEY": "s" * 32}


def line(**event: Any) -> dict[str, Any]:
    """What is written of an event."""
    return Scrubber(["sekrit-token/1"])(None, "info", {"event": "happened", "level": "info", **event})


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("call me at +86 139-1234-5678", "call me at [number]"),
        ("电话13912345678，谢谢", "电话[number]，谢谢"),
        ("tel:13912345678", "tel:[number]"),
        ("card 6222 0212 3456 7890 128", "card [number]"),
        ("ID 11010519491231002X", "ID [number]"),
        ("(415) 555-1234", "[number]"),
        ("write to ann.lee+shop@mail.example.org now", "write to [e-mail] now"),
        ("https://api.telegram.org/bot1:abc/sendMessage?x=1", "https://api.telegram.org"),
        ("postgresql+asyncpg://desk:pass@db:5432/desk", "postgresql+asyncpg://db:5432"),
        ("with sekrit-token/1 in it", "with [secret] in it"),
        ("and sekrit-token%2F1 in a link", "and [secret] in a link"),
        ("Authorization: Bearer abcdefgh12345", "Authorization: Bearer [secret]"),
    ],
)
def test_a_text_loses_numbers_addresses_links_and_secrets(written: str, kept: str) -> None:
    assert line(error=written)["error"] == kept


@pytest.mark.parametrize(
    "harmless",
    [
        "06dc08517307479c9a0c870304bda101",
        "answered 503 after 2.5 s",
        "2026-11-29T13:17:00Z",
        "http://127.0.0.1:5005 did not answer",
        "score 0.83125",
        "10.0.12.200:5432",
        "channel wechat/default",
    ],
)
def test_what_helps_to_find_a_fault_stays(harmless: str) -> None:
    assert line(error=harmless)["error"] == harmless


def test_words_of_what_is_worked_on_are_taken_out_in_every_spelling() -> None:
    words = ("二手 café\nsecond line here", "Bo", "王芳", None, "x")
    quoted = f"failed: {words[0]!r} {json.dumps(words[0])} second line here; Bo and 王芳 with Bob, box"
    event = line(private_words=words, error=quoted)
    assert "private_words" not in event
    assert event["error"] == "failed: '[said]' \"[said]\" [said]; [said] and [said] with Bob, box"


def test_nested_values_are_cleaned_too() -> None:
    event = line(
        private_words=("secret wish",), data={"a": ["secret wish", {"b": "x@y.example"}], "n": 13912345678, "ok": 3}
    )
    assert event["data"] == {"a": ["[said]", {"b": "[e-mail]"}], "n": "[number]", "ok": 3}


def test_our_own_errors_keep_their_words_and_those_of_others_their_kind_and_place() -> None:
    assert (
        described(MessageRejected("the chat is closed")) == "conversations.errors.MessageRejected: the chat is closed"
    )
    assert described(OSError(28, "No space left on device", "/home/ann")) == "OSError: No space left on device"
    assert described(ValueError("invalid literal: '13912345678 王芳'")) == f"ValueError {UNSAID}"
    assert described(KeyError()) == "KeyError"
    try:
        int("王芳")
    except ValueError as error:
        told = traced(error)
    assert "王芳" not in told.replace('int("王芳")', "")
    assert "test_scrubbing.py" in told
    assert told.endswith(f"ValueError {UNSAID}")


def test_a_chain_of_exceptions_is_told_from_the_first_to_the_last() -> None:
    try:
        try:
            raise ConnectionResetError(104, "Connection reset by peer")
        except OSError as first:
            raise MessageRejected("not sent") from first
    except MessageRejected as error:
        told = traced(error)
    assert told.index("Connection reset by peer") < told.index("led to:") < told.index("not sent")


def test_every_line_of_a_block_carries_what_it_belongs_to_also_those_of_libraries() -> None:
    with (
        written_log() as log,
        bound_contextvars(conversation_id="c1", channel="slack", private_words=("my wish",)),
    ):
        structlog.get_logger().info("ours", error="my wish failed")
        logging.getLogger("some.library").warning("theirs: %s", "my wish")
    ours, theirs = (json.loads(one) for one in log.getvalue().splitlines())
    assert (ours["conversation_id"], ours["channel"], ours["error"]) == ("c1", "slack", "[said] failed")
    assert (theirs["conversation_id"], theirs["event"], theirs["logger"]) == ("c1", "theirs: [said]", "some.library")
    assert theirs["level"] == "warning"
    assert "timestamp" in theirs


def test_nothing_below_the_level_is_written_and_every_line_is_counted() -> None:
    import logs

    levels: list[str] = []
    with written_log() as log:
        logs.as_json("WARNING", count=levels.append)
        structlog.get_logger().info("quiet")
        structlog.get_logger().error("loud")
        logging.getLogger("httpx").info("GET https://vendor.example/bot1:token")
        logging.getLogger("some.library").error("loud too")
    assert levels == ["error", "error"]
    assert "quiet" not in log.getvalue()
    assert "vendor.example" not in log.getvalue()


def settings(**changes: str) -> Settings:
    return load({**NEEDED, **changes})


def test_the_secrets_of_the_settings_are_known_passwords_in_addresses_included() -> None:
    found = settings(
        REST_API_KEYS="key-one-long, key-two-long",
        LLM_URL="https://models.example/v1",
        LLM_MODEL="m",
        LLM_KEY="sk-1234567",
        METRICS_TOKEN="t" * 16,
        DATABASE_URL="postgresql+asyncpg://desk:p%40ssword@db/desk",
        REDIS_URL="redis://:redis-pass@redis:6379",
    ).secrets
    expected = {"key-one-long", "key-two-long", "sk-1234567", "t" * 16, "p@ssword", "redis-pass", *NEEDED.values()}
    assert expected <= set(found)


def test_the_secrets_of_channels_are_found_by_their_names_at_any_depth() -> None:
    entry = {
        "channel": "email",
        "imap_password": "imap-pass",
        "smtp": {"password": "smtp-pass", "host": "smtp.example"},
        "incoming_secrets": "whsec_one, whsec_two",
        "bots": [{"token": "bot-token"}],
    }
    found = set(secrets_of([entry]))
    assert {"imap-pass", "smtp-pass", "whsec_one", "whsec_two", "bot-token"} <= found
    assert not {"email", "smtp.example"} & found


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"METRICS_TOKEN": "short"}, "METRICS_TOKEN"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "127.0.0.1:4318"}, "OTEL_EXPORTER_OTLP_ENDPOINT"),
        ({"OTEL_TRACES_SAMPLER_ARG": "2"}, "OTEL_TRACES_SAMPLER_ARG"),
    ],
)
def test_a_setting_of_the_monitoring_that_cannot_work_names_itself(changes: dict[str, str], named: str) -> None:
    from settings import BadSetting

    with pytest.raises(BadSetting, match=named):
        settings(**changes)


def test_the_token_is_not_shown_when_settings_are_printed() -> None:
    assert "hidden-token-123" not in repr(settings(METRICS_TOKEN="hidden-token-123"))
