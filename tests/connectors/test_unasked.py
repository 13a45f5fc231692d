"""What nobody asked for goes through each channel's window as the vendor holds it, and by template outside of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.accounts import BadAccount, connectors_of
from connectors.base import Connector, Means
from connectors.channels import Channels
from connectors.door import Door
from connectors.rest import RestConnector
from connectors.unasked import Unasked
from connectors.unasked_ways import UnaskedWays
from connectors.wechat import WechatConnector
from conversations.errors import ContactUnreachable, MessageRejected, WindowClosed
from conversations.model import Address, utc_now
from tests.connectors.desk import API_KEY
from tests.connectors.dingtalk_desk import robot
from tests.connectors.mail_desk import mailbox
from tests.connectors.meta_desk import number, page
from tests.connectors.slack_desk import app
from tests.connectors.test_telegram import connector as telegram
from tests.connectors.wechat_desk import ANN as FOLLOWER
from tests.connectors.wechat_desk import Shelf, outbound, settings
from tests.doubles.dingtalk import DingTalk
from tests.doubles.dovecot import Dovecot
from tests.doubles.mail_server import MailServer, mail_server
from tests.doubles.messenger import ANN as READER
from tests.doubles.messenger import Messenger
from tests.doubles.meta import error
from tests.doubles.slack import Slack
from tests.doubles.wechat import WechatDouble
from tests.doubles.wechat_vendor import Clock
from tests.doubles.whatsapp import ANN, Whatsapp

FACTS = {"order": "KT20260301", "tracking": "SF100200300"}
TEXT = "Your order KT20260301 is on its way."
SHIPPED = {"order_shipped": {"en": {"name": "order_shipped", "language": "en", "variables": ["order", "carrier"]}}}


def told(wrote_at: datetime | None, kind: str = "order_shipped", language: str = "en") -> Unasked:
    return Unasked(kind, language, FACTS, wrote_at, "Your order", "https://desk.example/unsubscribe/x")


class TestWhatsapp:
    @pytest.fixture
    async def double(self) -> AsyncIterator[Whatsapp]:
        async with Whatsapp().running() as double:
            double.wrote_at[ANN] = double.now
            double.templates.add(("order_shipped", "en"))
            double.variables[("order_shipped", "en")] = 2
            yield double

    async def test_within_24_hours_it_is_said_as_it_is(self, double: Whatsapp) -> None:
        await number(double, templates=SHIPPED).tell(ANN, outbound(TEXT), told(double.now))
        assert [said.body["type"] for said in double.said] == ["text"]

    async def test_afterwards_the_template_is_filled_in_its_order(self, double: Whatsapp) -> None:
        wrote_at = double.now
        double.now += timedelta(hours=25)
        connector = number(double, templates=SHIPPED)
        assert connector.way(ANN, told(wrote_at), double.now) == "template"
        await connector.tell(ANN, outbound(TEXT), told(wrote_at))
        [said] = double.said
        values = [one["text"] for one in said.body["template"]["components"][0]["parameters"]]
        assert (said.body["template"]["name"], values) == ("order_shipped", ["KT20260301", "-"])
        assert said.body["biz_opaque_callback_data"] == "outbox-1"

    async def test_without_a_template_meta_would_refuse_it_with_131047(self, double: Whatsapp) -> None:
        wrote_at = double.now
        double.now += timedelta(hours=25)
        connector = number(double, templates=SHIPPED)
        assert connector.way(ANN, told(wrote_at, "callback"), double.now) is None
        with pytest.raises(WindowClosed):
            await connector.tell(ANN, outbound(TEXT), told(wrote_at, "callback"))
        with pytest.raises(WindowClosed, match="131047"):
            await connector.send(ANN, outbound(TEXT))
        assert double.said == []

    async def test_a_window_that_meta_sees_closed_leads_to_the_template_at_once(self, double: Whatsapp) -> None:
        double.failures = [error(131047, "Re-engagement message")]
        await number(double, templates=SHIPPED).tell(ANN, outbound(TEXT), told(double.now))
        assert [said.body["type"] for said in double.said] == ["template"]

    async def test_a_template_in_the_other_language_is_better_than_none(self, double: Whatsapp) -> None:
        await number(double, templates=SHIPPED).tell(ANN, outbound(TEXT), told(None, language="zh"))
        assert [said.body["type"] for said in double.said] == ["template"]

    async def test_who_stopped_such_messages_is_unreachable(self, double: Whatsapp) -> None:
        double.failures = [error(131050, "User has stopped marketing messages")]
        with pytest.raises(ContactUnreachable) as refused:
            await number(double, templates=SHIPPED).tell(ANN, outbound(TEXT), told(None))
        assert not isinstance(refused.value, WindowClosed)


class TestMessenger:
    @pytest.fixture
    async def double(self) -> AsyncIterator[Messenger]:
        async with Messenger().running() as double:
            double.wrote_at[READER] = double.now
            yield double

    async def test_within_24_hours_it_is_an_update(self, double: Messenger) -> None:
        await page(double).tell(READER, outbound(TEXT), told(double.now))
        assert [said.body["messaging_type"] for said in double.said] == ["UPDATE"]

    async def test_afterwards_the_tag_of_its_kind_is_used_and_never_that_of_people(self, double: Messenger) -> None:
        wrote_at, double.tags, double.human_agent = double.now, {"POST_PURCHASE_UPDATE"}, True
        double.now += timedelta(days=2)
        connector = page(double, tags={"order_shipped": "POST_PURCHASE_UPDATE"}, human_agent=True)
        await connector.tell(READER, outbound(TEXT), told(wrote_at))
        assert [said.body["tag"] for said in double.said] == ["POST_PURCHASE_UPDATE"]
        assert connector.way(READER, told(wrote_at, "callback"), double.now) is None
        with pytest.raises(WindowClosed):
            await connector.tell(READER, outbound(TEXT), told(wrote_at, "callback"))

    async def test_a_tag_that_meta_takes_no_more_is_named(self, double: Messenger) -> None:
        wrote_at = double.now
        double.now += timedelta(days=2)
        connector = page(double, tags={"order_shipped": "POST_PURCHASE_UPDATE"})
        with pytest.raises(MessageRejected, match="tag"):
            await connector.tell(READER, outbound(TEXT), told(wrote_at))


class TestWechat:
    ids = {
        "order_shipped": {"zh": {"id": "template-id-1", "fields": {"character_string1": "order", "thing2": "carrier"}}}
    }

    @asynccontextmanager
    async def follower(self, **more: Any) -> AsyncIterator[tuple[WechatDouble, WechatConnector]]:
        double = WechatDouble(Clock())
        double.quota[FOLLOWER] = (5, double.clock.seconds + 48 * 3600)
        double.templates["template-id-1"] = ("template", {"character_string1", "thing2"})
        async with double.running():
            means = Means("https://desk.example", Shelf(), double.clock)
            connector = WechatConnector(settings(double, **more), means)
            yield double, connector
            await connector.close()

    async def test_within_48_hours_it_is_said_as_it_is(self) -> None:
        async with self.follower(templates=self.ids) as (double, connector):
            await connector.tell(FOLLOWER, outbound(TEXT), told(double.clock()))
            assert double.shown[FOLLOWER] == [TEXT]

    async def test_afterwards_the_template_is_sent(self) -> None:
        async with self.follower(templates=self.ids) as (double, connector):
            wrote_at = double.clock()
            double.clock.advance(49 * 3600)
            assert connector.way(FOLLOWER, told(wrote_at), double.clock()) == "template"
            await connector.tell(FOLLOWER, outbound(TEXT), told(wrote_at))
            assert double.shown[FOLLOWER] == ["[template] character_string1=KT20260301 thing2=-"]

    async def test_five_messages_used_up_lead_to_the_template_at_once(self) -> None:
        async with self.follower(templates=self.ids) as (double, connector):
            double.quota[FOLLOWER] = (0, double.clock.seconds + 3600)  # 45047
            await connector.tell(FOLLOWER, outbound(TEXT), told(double.clock()))
            assert double.shown[FOLLOWER] == ["[template] character_string1=KT20260301 thing2=-"]

    async def test_a_window_that_wechat_sees_closed_without_a_template_is_told(self) -> None:
        async with self.follower() as (double, connector):
            double.quota[FOLLOWER] = (5, double.clock.seconds - 1)  # 45015
            with pytest.raises(WindowClosed, match="45015"):
                await connector.tell(FOLLOWER, outbound(TEXT), told(double.clock()))

    async def test_accounts_without_the_api_have_templates_only(self) -> None:
        async with self.follower(templates=self.ids, customer_service_api=False) as (double, connector):
            assert connector.way(FOLLOWER, told(double.clock()), double.clock()) == "template"
            assert connector.way(FOLLOWER, told(double.clock(), "callback"), double.clock()) is None

    async def test_a_subscription_message_goes_its_own_way_and_long_facts_are_cut(self) -> None:
        fields = {"thing1": "carrier"}
        entry = {"id": "subscribe-id-1", "way": "subscribe", "fields": fields, "url": "https://shop.example/orders"}
        async with self.follower(templates={"order_shipped": {"zh": entry}}) as (double, connector):
            double.templates["subscribe-id-1"] = ("subscribe", {"thing1"})
            long = Unasked("order_shipped", "zh", {"carrier": "很" * 30}, None)
            await connector.tell(FOLLOWER, outbound(TEXT), long)
            assert double.shown[FOLLOWER] == [f"[subscribe] thing1={'很' * 19}…"]

    async def test_who_left_is_unreachable(self) -> None:
        async with self.follower(templates=self.ids) as (double, connector):
            double.blocked.add(FOLLOWER)
            with pytest.raises(ContactUnreachable) as refused:
                await connector.tell(FOLLOWER, outbound(TEXT), told(None))
            assert not isinstance(refused.value, WindowClosed)


class TestMail:
    @pytest.fixture
    async def provider(self, dovecot: Dovecot) -> AsyncIterator[MailServer]:
        async with mail_server(dovecot) as provider:
            yield provider

    async def test_a_mail_has_its_own_subject_and_one_click_to_end_them(self, provider: MailServer) -> None:
        await mailbox(provider).tell("ann@shop.example", outbound(TEXT), told(None))
        [mail] = provider.received("ann@shop.example")
        assert mail["subject"] == "Your order"
        assert mail["list-unsubscribe"] == "<https://desk.example/unsubscribe/x>"
        assert mail["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
        assert mail["auto-submitted"] == "auto-generated"
        plain = mail.get_body(("plain",))
        assert plain is not None
        assert "Unsubscribe here: https://desk.example/unsubscribe/x" in plain.get_content()

    async def test_an_answer_has_none_of_it(self, provider: MailServer) -> None:
        await mailbox(provider).send("ann@shop.example", outbound(TEXT))
        [mail] = provider.received("ann@shop.example")
        assert mail["list-unsubscribe"] is None
        assert mail["auto-submitted"] == "auto-replied"


LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("connector", "to", "way"),
    [
        (telegram(), "4711", "free"),
        (telegram(), "-100200:4711", None),
        (app(Slack()), "dm:D1:U1", "free"),
        (app(Slack()), "thread:C1:1.2:U1", None),
        (robot(DingTalk()), "staff:manager7", "free"),
        (robot(DingTalk()), "guest:somebody", None),
        (robot(DingTalk()), "group:cid:manager7", None),
        (mailbox(), "ann@shop.example", "free"),
    ],
    ids=lambda value: value.channel if isinstance(value, Connector) else str(value),
)
def test_channels_without_a_window_and_groups_in_which_others_read_along(
    connector: Connector, to: str, way: str | None
) -> None:
    assert connector.way(to, told(LONG_AGO), utc_now()) == way


async def test_an_account_that_is_gone_and_a_desk_without_a_mailbox_are_no_way() -> None:
    rest = RestConnector([API_KEY])
    ways = UnaskedWays((rest,), Channels((rest,), Door(None, None)), utc_now)  # type: ignore[arg-type]
    form = {"kind": "callback", "language": "en", "facts": {}, "wrote_at": None, "subject": "", "stop_url": ""}
    assert ways.way(rest.address("ann"), form) == "kept"
    gone = Address("whatsapp", "old", ANN)
    assert ways.way(gone, form) is None
    assert ways.mail_to("ann@shop.example") is None
    with pytest.raises(MessageRejected, match="whatsapp/old is not set up"):
        await ways.tell(gone, outbound(TEXT), form)
    with_mail = UnaskedWays((rest, mailbox()), Channels((rest,), Door(None, None)), utc_now)  # type: ignore[arg-type]
    assert with_mail.mail_to(" Ann@Shop.example ") == Address("email", "default", "ann@shop.example")
    assert with_mail.repeatable(Address("email", "default", "ann@shop.example"))


@pytest.mark.parametrize(
    ("templates", "named"),
    [
        ({"order_shipped": {"fr": {"name": "x"}}}, "templates.order_shipped.fr"),
        ({"order_shipped": {"en": {"name": "Not This"}}}, "templates.order_shipped.en.name"),
        ({"order_shipped": {"en": {"name": "x", "variables": ["{{1}}"]}}}, "variables"),
    ],
)
def test_a_bad_template_stops_the_start_and_is_named(templates: dict[str, Any], named: str) -> None:
    entry = {"channel": "whatsapp", "app_secret": "a", "verify_token": "b", "access_token": "c", "phone_number_id": "1"}
    means = Means("https://desk.example", Shelf(), utc_now)
    with pytest.raises(BadAccount, match=named):
        connectors_of([entry | {"templates": templates}], means)


def test_every_connector_says_when_it_may_be_used_unasked(tmp_path: Path) -> None:
    """A window is measured from the contact's own last message."""
    for connector, hours in ((number(Whatsapp()), 24), (page(Messenger()), 24)):
        now = utc_now()
        assert connector.way("1", told(now - timedelta(hours=hours) + timedelta(seconds=1)), now) == "free"
        assert connector.way("1", told(now - timedelta(hours=hours)), now) is None
        assert connector.way("1", told(None), now) is None
