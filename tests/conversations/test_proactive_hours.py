"""What nobody asked for goes out when contacts may be disturbed, and to nobody who declined it at any of their addresses."""

from __future__ import annotations

import pytest

from conversations.errors import ChannelUnavailable
from tests.conversations.builders import TestDesk
from tests.conversations.telling import Telling, known


@pytest.fixture
def telling(desk: TestDesk) -> Telling:
    return Telling(desk)


async def test_what_waited_for_its_channel_until_the_night_goes_out_in_the_morning(telling: Telling) -> None:
    await telling.proves(await known(telling), "C-1")
    await telling.go_on(1)
    told = await telling.shipped(customer="C-1")
    telling.channels.fails = [ChannelUnavailable("down")]
    await telling.go_on(1)
    telling.open = False
    telling.desk.clock.advance(8 * 3600)
    await telling.go_on()
    assert telling.channels.told == []
    telling.open = True
    telling.desk.clock.advance(9 * 3600 + 10)
    await telling.go_on()
    assert len(telling.channels.told) == 1
    assert (await telling.state(told))[0] == "sent"


async def test_who_declined_at_another_address_is_not_told_about_a_ticket_here(telling: Telling) -> None:
    web = await known(telling, "here", "webchat")
    await telling.proves(web, "C-1")
    await telling.proves(await known(telling, "there", "telegram"), "C-1")
    object.__setattr__(telling.conversations._desk, "pushes", lambda address: address.channel != "webchat")
    await telling.desk.send("STOP", "there")
    about = {"contact_id": await telling.contact_of(web)}
    told, _ = await telling.proactive.tell("desk", "t1", "ticket_answered", about, {"ticket": "TK1", "subject": "x"})
    await telling.go_on()
    assert await telling.state(told) == ("not_sent", "opted_out")
