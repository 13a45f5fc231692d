"""A mailbox without a password: tokens from the provider, renewed in time, and errors that say what to mend."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from connectors.mail import MailConnector
from connectors.mail_oauth import OAuthSettings, Tokens
from connectors.mail_settings import MailSettings
from conversations.errors import ChannelUnavailable
from tests.connectors.mail_desk import desk_with_mailbox, mailbox, settings
from tests.connectors.test_mail_box import Inbox, running
from tests.connectors.test_mail_sending import outbound
from tests.doubles.dovecot import Dovecot, running_dovecot
from tests.doubles.mail_server import DESK, MailServerWithTokens, mail, mail_server
from tests.doubles.oauth import CLIENT, REFRESH, SCOPE, SECRET, Issuer
from tests.doubles.vendor_server import Answer

ANN = "ann@shop.example"


def app(issuer: Issuer, **more: Any) -> dict[str, Any]:
    """The app signs in as itself."""
    return {"token_url": f"{issuer.url}/token", "client_id": CLIENT, "client_secret": SECRET, "scope": SCOPE} | more


def owner(issuer: Issuer, **more: Any) -> dict[str, Any]:
    """The app signs in for the owner of the mailbox."""
    return app(issuer, refresh_token=REFRESH) | more


def by_token(entry: dict[str, Any]) -> dict[str, Any]:
    return {"password": None, "oauth": entry, "secret": "a long and random text", "smtp_login": True}


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    async with Issuer(DESK).running() as issuer:
        yield issuer


@pytest.fixture
async def provider(issuer: Issuer) -> AsyncIterator[MailServerWithTokens]:
    with running_dovecot(issuer=issuer.url) as own:
        async with mail_server(own, issuer=issuer) as provider:
            assert isinstance(provider, MailServerWithTokens)
            provider.proven.add("shop.example")
            yield provider


@asynccontextmanager
async def tokens(entry: dict[str, Any], now: list[float] | None = None) -> AsyncIterator[Tokens]:
    clock = now or [0.0]
    async with httpx.AsyncClient() as http:
        yield Tokens(OAuthSettings.model_validate(entry), http, lambda: clock[0])


class TestTokens:
    async def test_a_token_is_kept_until_shortly_before_it_expires(self, issuer: Issuer) -> None:
        now = [0.0]
        async with tokens(app(issuer), now) as kept:
            first = await kept.current()
            now[0] = 3_400
            assert await kept.current() == first
            now[0] = 3_590  # a few seconds are left, which a sign-in may need
            assert await kept.current() != first
        assert [form["grant_type"] for form in issuer.asked] == ["client_credentials"] * 2

    async def test_many_who_need_one_ask_once(self, issuer: Issuer) -> None:
        async with tokens(app(issuer)) as kept:
            assert len(set(await asyncio.gather(*(kept.current() for _ in range(20))))) == 1
        assert len(issuer.asked) == 1

    async def test_a_refresh_token_that_is_replaced_is_followed(self, issuer: Issuer) -> None:
        issuer.rotates = True
        now = [0.0]
        async with tokens(owner(issuer), now) as kept:
            for hour in range(3):
                now[0] = hour * 3_600
                assert await kept.current() in issuer.valid
        assert len({form["refresh_token"] for form in issuer.asked}) == 3

    @pytest.mark.parametrize("lasts", ["3600", None, "soon", -5, [], float("1e30")])
    async def test_a_strange_life_time_is_survived(self, issuer: Issuer, lasts: object) -> None:
        issuer.lasts = lasts
        async with tokens(app(issuer)) as kept:
            assert await kept.current() == await kept.current()

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"client_secret": "wrong"}, "invalid_client.*client_secret is wrong"),
            ({"refresh_token": "an old one"}, "invalid_grant.*new refresh_token"),
            ({"scope": "https://graph.example/.default"}, "invalid_scope.*scope is wrong"),
        ],
    )
    async def test_a_refusal_says_what_to_mend_and_no_secret(
        self, issuer: Issuer, change: dict[str, str], words: str
    ) -> None:
        async with tokens(app(issuer) | change) as kept:
            with pytest.raises(ChannelUnavailable, match=words) as error:
                await kept.current()
        assert not [one for one in (SECRET, "an old one", REFRESH) if one in str(error.value)]

    @pytest.mark.parametrize(
        "answer",
        [
            Answer({"access_token": ""}),
            Answer({"access_token": "秘密"}),
            Answer(b"<html>"),
            Answer({"error": ["x"]}, 400),
            Answer({}, 500),
            Answer(cut=True),
            Answer({}, 302, {"location": "https://evil.example/"}),
        ],
    )
    async def test_nonsense_is_an_error_and_the_next_attempt_asks_again(self, issuer: Issuer, answer: Answer) -> None:
        issuer.answers = [answer]
        async with tokens(app(issuer)) as kept:
            with pytest.raises(ChannelUnavailable):
                await kept.current()
            assert await kept.current() in issuer.valid

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"token_url": "http://login.example/token"}, "https"),
            ({"client_secret": None}, "refresh_token"),
            ({"scope": ""}, "refresh_token"),
            ({"client_secret": " "}, "empty"),
        ],
    )
    def test_settings_that_cannot_work_are_refused(self, change: dict[str, Any], words: str) -> None:
        entry = {
            "token_url": "https://login.example/token",
            "client_id": CLIENT,
            "client_secret": SECRET,
            "scope": SCOPE,
        }
        with pytest.raises(ValidationError, match=words):
            OAuthSettings.model_validate(entry | change)

    def test_a_mailbox_has_a_password_or_tokens_and_with_tokens_a_secret(self) -> None:
        entry = by_token({"token_url": "https://login.example/token", "client_id": "a", "refresh_token": "b"})
        assert isinstance(settings(**entry), MailSettings)
        for change, words in (
            ({"password": "x"}, "either password or oauth"),
            ({"oauth": None}, "either password or oauth"),
            ({"secret": None}, "secret is missing"),
        ):
            with pytest.raises(ValidationError, match=words):
                settings(**(entry | change))


class TestWithTheServers:
    @pytest.mark.parametrize("entry", [app, owner])
    async def test_mails_are_read_and_answered_with_one_token(
        self, issuer: Issuer, provider: MailServerWithTokens, tmp_path: Path, entry: Any
    ) -> None:
        async with desk_with_mailbox(tmp_path, provider, **by_token(entry(issuer))):
            await provider.write(ANN, mail(ANN, "Kite", "How do I return a kite?"))
            answer = await provider.answer_to(ANN, 1)
        assert "30 days" in str(answer.get_body(("plain",)))
        assert len(issuer.asked) == 1
        assert set(issuer.introspected) == issuer.valid  # Dovecot asked about the very token
        assert provider.signed_in == [True]

    async def test_a_withdrawn_token_is_replaced_without_anybody_noticing(
        self, issuer: Issuer, provider: MailServerWithTokens
    ) -> None:
        connector, inbox = mailbox(provider, **by_token(app(issuer))), Inbox()
        await connector.send(ANN, outbound("one"))
        issuer.withdraw()
        await provider.write(ANN, mail(ANN, "", "hello"))
        async with running(connector, inbox):
            await provider.until(lambda: inbox.stored)
        issuer.withdraw()
        await connector.send(ANN, outbound("two", outbox_id="b" * 32))
        assert provider.signed_in == [True, False, True]
        assert len(issuer.asked) == 3
        await connector.close()

    async def test_a_mailbox_that_the_app_may_not_open_is_named(
        self, issuer: Issuer, provider: MailServerWithTokens
    ) -> None:
        issuer.user = "somebody-else@desk.example"
        connector = mailbox(provider, **by_token(app(issuer)))
        with pytest.raises(ChannelUnavailable, match=rf"does not take the access token of \S*{DESK}") as error:
            await connector.run(Inbox().receive)
        assert not [token for token in issuer.valid if token in str(error.value)]
        assert len(issuer.asked) == 2  # a new one was tried before giving up
        issuer.user = provider.dovecot.login(DESK)
        other: MailConnector = mailbox(provider, **by_token(app(issuer)), imap_user=DESK, smtp_user="eve@desk.example")
        with pytest.raises(ChannelUnavailable, match="does not take the access token of eve@desk"):
            await other.send(ANN, outbound("x"))
        await connector.close()
        await other.close()

    async def test_a_server_without_oauth_is_named(self, issuer: Issuer, dovecot: Dovecot) -> None:
        async with mail_server(dovecot) as plain:
            connector = mailbox(plain, **by_token(app(issuer)))
            with pytest.raises(ChannelUnavailable, match="does not offer XOAUTH2"):
                await connector.run(Inbox().receive)
            await connector.close()
