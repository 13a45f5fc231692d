"""What WhatsApp and Messenger share: whose requests are taken, the handshake, what refusals mean, texts."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors.accounts import connectors_of
from connectors.base import BadSignature, Means, WebhookRequest
from connectors.meta_graph import Backoff, WindowClosed, answer_challenge, error_of, verify
from connectors.meta_text import texts_of, without_markdown
from conversations.errors import ChannelUnavailable, ContactUnreachable, MessageRejected, RateLimited, SendError
from conversations.model import Address, Author, utc_now
from tests.connectors.dingtalk_desk import Shelf, buttons, citation, outbound
from tests.connectors.meta_desk import desk_of, messenger_settings, said_by_contact, whatsapp_settings
from tests.doubles.messenger import ANN as ANN_ON_PAGE
from tests.doubles.messenger import Messenger
from tests.doubles.meta import SECRET, TOKEN, VERIFY_TOKEN, Meta
from tests.doubles.whatsapp import ANN, Whatsapp

BOTH = pytest.mark.parametrize("kind", [Whatsapp, Messenger], ids=["whatsapp", "messenger"])


@pytest.fixture
async def double(kind: type[Whatsapp | Messenger]) -> AsyncIterator[Whatsapp | Messenger]:
    async with kind().running() as double:
        yield double


def asked(**query: str) -> WebhookRequest:
    right = {"mode": "subscribe", "verify_token": VERIFY_TOKEN, "challenge": "1158201444"}
    return WebhookRequest("GET", {}, {f"hub.{name}": value for name, value in (right | query).items()})


class TestTheSignature:
    def test_the_published_sample_is_verified(self) -> None:
        signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        headers = {"x-hub-signature-256": signature}
        verify(b"It's a Secret to Everybody", WebhookRequest("POST", headers, {}, b"Hello, World!"))

    @given(st.binary(max_size=200))
    def test_every_body_is_taken_with_its_own_signature_and_no_other(self, body: bytes) -> None:
        headers = Meta().signed(body)
        verify(SECRET.encode(), WebhookRequest("POST", headers, {}, body))
        with pytest.raises(BadSignature):
            verify(SECRET.encode(), WebhookRequest("POST", headers, {}, body + b"\n"))
        with pytest.raises(BadSignature):
            verify(b"another", WebhookRequest("POST", headers, {}, body))

    def test_no_flipped_character_passes(self) -> None:
        raw = b'{"object":"page","entry":[]}'
        name, good = "x-hub-signature-256", Meta().signed(raw)["x-hub-signature-256"]
        for place in range(len(good)):
            flipped = good[:place] + ("0" if good[place] != "0" else "1") + good[place + 1 :]
            with pytest.raises(BadSignature):
                verify(SECRET.encode(), WebhookRequest("POST", {name: flipped}, {}, raw))
        for place in range(len(raw)):
            changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
            with pytest.raises(BadSignature):
                verify(SECRET.encode(), WebhookRequest("POST", {name: good}, {}, changed))

    @given(st.text(max_size=300))
    def test_any_header_is_refused_with_a_reason_and_nothing_else(self, header: str) -> None:
        with pytest.raises(BadSignature):
            verify(SECRET.encode(), WebhookRequest("POST", {"x-hub-signature-256": header}, {}, b"{}"))

    @BOTH
    async def test_bad_requests_leave_no_trace(self, double: Whatsapp | Messenger, tmp_path: Path) -> None:
        async with desk_of(tmp_path, double) as (server, url):
            raw = json.dumps(double.webhook(double.message("x"))).encode()
            good = double.signed(raw)["x-hub-signature-256"]
            only_sha1 = {"x-hub-signature": double.signed(raw)["x-hub-signature"]}
            for value in (
                good.upper(),
                good.replace("sha256", "sha1"),
                good.removeprefix("sha256="),
                f"{good}\t ",
                f"{good}a",
                f"{good},{good}",
                "sha256=" + "é" * 64,
                "sha256=" + hmac.new(b"", raw, hashlib.sha256).hexdigest(),
                "sha256=" + "a" * 9_000,
                "",
            ):
                header = (b"x-hub-signature-256", value.encode())
                if value.strip() == good:
                    continue  # blanks around a header are not part of it
                answer = await server.http.post(url, content=raw, headers=[header])
                assert answer.status_code in (400, 401, 403, 413, 431), value[:80]
            twice = [("x-hub-signature-256", good)] * 2
            assert (await server.http.post(url, content=raw, headers=twice)).status_code == 403
            assert (await server.http.post(url, content=raw, headers=only_sha1)).status_code == 403
            assert (await server.http.post(url, content=raw)).status_code == 403
            for body in (
                b"",
                b"[]",
                b"\xff\xfe",
                b"null",
                b"{" * 50_000,
                b"[" * 50_000,
                b'{"object":"page"}',
                b"1" * 5_000,
            ):
                assert (await double.post(url, body)).status_code == 400, body[:20]
            for contact in (Address("whatsapp", "default", ANN), Address("messenger", "default", ANN_ON_PAGE)):
                assert await server.desk.transcript(contact) == []

    @BOTH
    def test_secrets_must_be_there_and_are_not_shown(self, kind: type[Whatsapp | Messenger]) -> None:
        settings = whatsapp_settings if kind is Whatsapp else messenger_settings
        for field in ("app_secret", "verify_token", "access_token"):
            for empty in ("", "  "):
                with pytest.raises(ValidationError):
                    settings(kind(), **{field: empty})
        shown = repr(settings(kind()))
        assert not [secret for secret in (SECRET, VERIFY_TOKEN, TOKEN) if secret in shown]

    @BOTH
    def test_the_entry_on_the_set_up_page_makes_a_connector(self, kind: type[Whatsapp | Messenger]) -> None:
        page = Path(__file__).parents[2] / "docs" / "channels" / f"{kind.__name__.lower()}.md"
        [entry] = re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)
        means = Means("https://desk.example", Shelf(), utc_now)
        [connector] = connectors_of(yaml.safe_load(entry), means)
        assert (connector.channel, connector.account) == (kind.__name__.lower(), "shop")


class TestTheHandshake:
    @BOTH
    async def test_metas_challenge_is_read_back(self, double: Whatsapp | Messenger, tmp_path: Path) -> None:
        async with desk_of(tmp_path, double) as (_, url):
            answer = await double.subscribe(url)
            assert (answer.status_code, answer.text) == (200, "1158201444")
            assert answer.headers["content-type"].startswith("text/plain")
            for wrong in ({"verify_token": "guessed"}, {"mode": "unsubscribe"}, {"challenge": "<script>"}):
                refused = await double.subscribe(url, **wrong)
                assert (refused.status_code, "script" in refused.text) == (403, False)

    @given(st.text(max_size=200))
    def test_only_harmless_characters_are_read_back(self, challenge: str) -> None:
        harmless = 0 < len(challenge) <= 128 and all(
            one.isascii() and (one.isalnum() or one in "_-") for one in challenge
        )
        if harmless:
            assert answer_challenge(VERIFY_TOKEN.encode(), asked(challenge=challenge)) == challenge
        else:
            with pytest.raises(BadSignature):
                answer_challenge(VERIFY_TOKEN.encode(), asked(challenge=challenge))

    @given(st.dictionaries(st.sampled_from(["hub.mode", "hub.verify_token", "hub.challenge"]), st.text(max_size=20)))
    def test_any_other_query_is_refused(self, query: dict[str, str]) -> None:
        with pytest.raises(BadSignature):
            answer_challenge(VERIFY_TOKEN.encode(), WebhookRequest("GET", {}, query))


@pytest.mark.parametrize(
    ("code", "subcode", "meaning"),
    [
        (131056, None, RateLimited),
        (130429, None, RateLimited),
        (80007, None, RateLimited),
        (613, None, RateLimited),
        (131047, None, WindowClosed),
        (10, 2018278, WindowClosed),
        (10, None, MessageRejected),
        (131026, None, ContactUnreachable),
        (551, 1545041, ContactUnreachable),
        (100, 2018001, ContactUnreachable),
        (131016, None, ChannelUnavailable),
        (2, None, ChannelUnavailable),
        (190, 463, MessageRejected),
        (368, None, MessageRejected),
        (131031, None, MessageRejected),
        (100, None, MessageRejected),
        (999_999, None, MessageRejected),
    ],
)
def test_each_refusal_has_its_meaning(code: int, subcode: int | None, meaning: type[SendError]) -> None:
    body = {"code": code, "error_subcode": subcode, "message": f"about {TOKEN}"}
    found = error_of("message", 400, body, lambda key: 7.0, "ann", TOKEN)
    assert type(found) is meaning
    assert TOKEN not in str(found)


@given(
    st.dictionaries(
        st.sampled_from(["code", "error_subcode", "message", "error_data", "is_transient", "title"]),
        st.none() | st.integers() | st.text(max_size=9) | st.lists(st.text()) | st.dictionaries(st.text(), st.text()),
    )
)
def test_any_error_has_some_meaning(body: dict[str, object]) -> None:
    assert isinstance(error_of("message", 400, body, lambda key: 1.0), SendError)


def test_pauses_grow_fourfold_until_a_message_goes_out() -> None:
    now = [100.0]
    backoff = Backoff(1.0, clock=lambda: now[0])
    backoff.check("ann", "")
    pauses = []
    for _ in range(8):
        pauses.append(backoff.refused("ann"))
        assert backoff.refused("ann") == pauses[-1]  # refused at the same time: one pause
        with pytest.raises(RateLimited):
            backoff.check("ann", "")
        backoff.check("bob", "")
        now[0] += pauses[-1]
    assert pauses == [1, 4, 16, 64, 256, 1024, 1024, 1024]
    backoff.taken("ann", "")
    assert backoff.refused("ann") == 1
    assert backoff.refused("", at_least=30) == 30
    with pytest.raises(RateLimited):
        backoff.check("bob", "")


class TestTexts:
    @pytest.mark.parametrize(
        ("markdown", "written"),
        [
            ("**bold** and 2*3*4", "*bold* and 2*3*4"),
            ("# Title\n- one\n* two\n  - three", "*Title*\n• one\n• two\n  • three"),
            ("see [the page](https://a.b/c?x=1)", "see the page (https://a.b/c?x=1)"),
            ("[https://a.b](https://a.b)", "https://a.b"),
            ("[x](javascript:alert)", "[x](javascript:alert)"),
        ],
    )
    def test_markdown_is_written_in_plain_signs(self, markdown: str, written: str) -> None:
        assert without_markdown(markdown, "*") == written

    @given(st.text(max_size=400) | st.text("*#[]()- \nahtps:/.", max_size=400))
    def test_a_text_never_grows(self, text: str) -> None:
        assert all(len(without_markdown(text, bold)) <= len(text) for bold in ("", "*"))

    @given(st.text(max_size=900), st.sampled_from([Author.BOT, Author.AGENT]), st.sampled_from([None, 30]))
    def test_parts_are_the_text_and_none_is_over_its_limit(self, text: str, author: Author, last: int | None) -> None:
        message = outbound(text, author=author, buttons=buttons("Yes"))
        parts = texts_of(message, "https://d.example", 100, bold="*", with_buttons=True, last_limit=last)
        assert all(part.strip() and len(part) <= 100 for part in parts)
        assert last is None or not parts or len(parts[-1]) <= last
        if author is Author.AGENT and "|" not in text:
            assert "".join("".join(parts).split()) == "".join(text.split())

    def test_links_to_the_desk_are_completed(self) -> None:
        message = outbound("See [this](/articles/x).", citations=(citation("Returns", "/articles/returns"),))
        [text] = texts_of(message, "https://d.example/", 1000, bold="*", with_buttons=False)
        assert text == "See this (https://d.example/articles/x).\n\nSource: Returns https://d.example/articles/returns"

    def test_choices_that_are_no_buttons_are_numbered(self) -> None:
        [text] = texts_of(outbound("哪一个？", buttons=buttons("甲", "乙")), "", 1000, bold="", with_buttons=False)
        assert text == "哪一个？\n\n1. 甲\n2. 乙"


@BOTH
async def test_what_comes_again_for_a_week_makes_one_turn(double: Whatsapp | Messenger, tmp_path: Path) -> None:
    async with desk_of(tmp_path, double) as (server, url):
        body = double.webhook(double.message("keep me"))
        server.desk.broken = True
        assert await double.deliver(url, body) == -1
        server.desk.broken = False
        for _ in range(3):
            assert await double.deliver(url, body) == 1
        channel, contact = server.connectors[0].channel, ANN if isinstance(double, Whatsapp) else ANN_ON_PAGE
        said = await said_by_contact(server, Address(channel, "default", contact))
        assert [one.text for one in said] == ["keep me"]
        await double.until(lambda: len(double.said) == 1)
