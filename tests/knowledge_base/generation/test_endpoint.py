"""One completion within a time limit, whatever the server does; the key never leaves the request."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base.generation.endpoint import ChatEndpoint, CircuitBreaker, EndpointFailed, Message
from tests.knowledge_base.generation.conftest import KEY
from tests.knowledge_base.generation.model_double import ModelDouble, Reply, completion, failure

ASK = [Message("system", "rules"), Message("user", "question")]


async def reason_of(endpoint: ChatEndpoint, seconds: float | None = None) -> str:
    with pytest.raises(EndpointFailed) as failed:
        await endpoint.complete(ASK, seconds)
    return failed.value.reason


async def test_the_request_is_as_the_api_documents_it(model: ModelDouble, endpoint: ChatEndpoint) -> None:
    model.will(completion("fine"))
    answer = await endpoint.complete(ASK)
    assert (answer.text, answer.attempts, answer.tokens["total_tokens"]) == ("fine", 1, 120)
    [body] = model.requests
    assert model.paths == ["/v1/chat/completions"]
    assert model.keys == [f"Bearer {KEY}"]
    assert body["model"] == "double-1"
    assert body["messages"] == [{"role": "system", "content": "rules"}, {"role": "user", "content": "question"}]
    assert body["temperature"] == 0


async def test_without_a_key_none_is_sent(model: ModelDouble) -> None:
    endpoint = ChatEndpoint(model.url + "/", "m")
    model.will(completion("fine"))
    assert (await endpoint.complete(ASK)).text == "fine"
    assert model.keys == [None]
    await endpoint.close()


@pytest.mark.parametrize("status", [429, 500, 502, 503])
async def test_a_passing_failure_is_tried_once_more(model: ModelDouble, endpoint: ChatEndpoint, status: int) -> None:
    model.will(failure(status), completion("second"))
    answer = await endpoint.complete(ASK)
    assert (answer.text, answer.attempts) == ("second", 2)


@pytest.mark.parametrize("status", [400, 401, 403, 404])
async def test_a_lasting_failure_is_a_code_without_the_servers_words(
    model: ModelDouble, endpoint: ChatEndpoint, status: int
) -> None:
    model.will(failure(status))
    reason = await reason_of(endpoint)
    assert reason == f"status_{status}"
    assert len(model.requests) == (2 if status == 400 else 1)


async def test_two_failures_in_a_row_are_given_up(model: ModelDouble, endpoint: ChatEndpoint) -> None:
    model.will(failure(500), failure(503), completion("third"))
    assert await reason_of(endpoint) == "status_503"
    assert len(model.requests) == 2


async def test_retry_after_is_waited_for_when_it_fits(model: ModelDouble, endpoint: ChatEndpoint) -> None:
    model.will(failure(429, retry_after="1"), completion("later"))
    started = time.monotonic()
    assert (await endpoint.complete(ASK)).text == "later"
    assert time.monotonic() - started >= 1.0


@pytest.mark.parametrize("header", ["60", "date"])
async def test_retry_after_beyond_the_time_limit_gives_up_at_once_and_leaves_the_server_alone(
    model: ModelDouble, endpoint: ChatEndpoint, header: str
) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(minutes=1), usegmt=True)
    model.will(failure(429, retry_after=later if header == "date" else header), completion("never"))
    assert await reason_of(endpoint) == "status_429"
    assert await reason_of(endpoint) == "resting"
    assert len(model.requests) == 1


async def test_a_slow_server_is_waited_for_no_longer_than_the_turn_allows(
    model: ModelDouble, endpoint: ChatEndpoint
) -> None:
    slow = completion("late")
    slow.seconds = 1.5
    model.will(slow)
    assert await reason_of(endpoint, seconds=0.5) == "timeout"
    assert len(model.requests) == 1


async def test_a_trickling_server_is_cut_off_as_well(endpoint: ChatEndpoint) -> None:
    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        try:
            for _ in range(100):
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.05)
        except OSError:
            pass
        writer.close()

    server = await asyncio.start_server(trickle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    slow = ChatEndpoint(f"http://127.0.0.1:{port}/v1", "m", timeout_seconds=0.6)
    assert await reason_of(slow) == "timeout"
    await slow.close()
    server.close()


async def test_no_time_left_is_no_request(model: ModelDouble, endpoint: ChatEndpoint) -> None:
    assert await reason_of(endpoint, seconds=0.1) == "no_time"
    assert model.requests == []


async def test_nobody_listening_is_a_failure(model: ModelDouble) -> None:
    endpoint = ChatEndpoint("http://127.0.0.1:1/v1", "m", timeout_seconds=2)
    assert await reason_of(endpoint) == "connection_ConnectError"
    await endpoint.close()


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(body=b"<html>"), "not_as_documented"),
        (Reply(body=b'{"choices": []}'), "not_as_documented"),
        (Reply(body=b'{"choices": [{"message": "text"}]}'), "not_as_documented"),
        (Reply(body=b"[" * 50_000), "not_as_documented"),
        (Reply(body=b"\xff\xfe"), "not_as_documented"),
        (completion(""), "empty"),
        (completion("half a sen", finish="length"), "cut_off"),
        (completion("", refusal="I cannot"), "refused"),
        (completion("x", finish="content_filter"), "refused"),
        (Reply(body=b" " * 300_000), "too_large"),
    ],
)
async def test_an_answer_that_is_not_one_has_a_reason(
    model: ModelDouble, endpoint: ChatEndpoint, reply: Reply, reason: str
) -> None:
    model.will(reply)
    assert await reason_of(endpoint) == reason


async def test_a_connection_cut_in_the_middle_is_tried_once_more(model: ModelDouble, endpoint: ChatEndpoint) -> None:
    cut = completion("never read")
    cut.cut = True
    model.will(cut, completion("whole"))
    assert (await endpoint.complete(ASK)).text == "whole"


async def test_a_server_that_knows_fewer_fields_is_asked_with_fewer_from_then_on(
    model: ModelDouble, endpoint: ChatEndpoint
) -> None:
    model.will(failure(400), completion("plain"))
    assert (await endpoint.complete(ASK)).text == "plain"
    assert (await endpoint.complete(ASK)).text == "plain"
    assert [sorted(body) for body in model.requests][1:] == [["messages", "model"]] * 2


async def test_a_redirect_is_not_followed_with_the_key(model: ModelDouble, endpoint: ChatEndpoint) -> None:
    model.will(Reply(307, headers={"Location": model.url}))
    assert await reason_of(endpoint) == "status_307"
    assert len(model.requests) == 1


async def test_the_key_is_taken_out_of_what_the_model_says(model: ModelDouble, endpoint: ChatEndpoint) -> None:
    model.will(completion(f"your key is {KEY}\x00 \ud800"))
    text = (await endpoint.complete(ASK)).text
    assert KEY not in text
    assert "\x00" not in text
    json.dumps(text).encode()


async def test_after_many_failures_the_endpoint_rests_and_then_one_request_tries_it(model: ModelDouble) -> None:
    """F44: a model that fails costs no more calls for a while; answers are quoted meanwhile."""
    now = 0.0
    endpoint = ChatEndpoint(model.url, "m", breaker=CircuitBreaker(lambda: now))
    model.will(failure(404))
    for _ in range(5):
        assert await reason_of(endpoint) == "status_404"
    assert await reason_of(endpoint) == "resting"
    now += 31
    model.will(completion("well again"))
    assert (await endpoint.complete(ASK)).text == "well again"
    assert (await endpoint.complete(ASK)).text == "well again"
    await endpoint.close()


def test_while_one_request_tries_a_rested_endpoint_others_wait() -> None:
    now = 0.0
    breaker = CircuitBreaker(lambda: now)
    for _ in range(5):
        assert breaker.admit()
        breaker.failed()
    now += 31
    assert [breaker.admit(), breaker.admit()] == [True, False]


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 400)), max_size=60))
def test_a_breaker_never_rests_after_a_success_and_never_longer_than_five_minutes(
    outcomes: list[tuple[bool, float]],
) -> None:
    now = 0.0
    breaker = CircuitBreaker(lambda: now)
    for succeeded, seconds in outcomes:
        now += seconds
        if not breaker.admit():
            continue
        if succeeded:
            breaker.succeeded()
            assert not breaker.resting
        else:
            breaker.failed()
        before = now
        now += 300.1
        assert not breaker.resting
        now = before
