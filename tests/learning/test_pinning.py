"""Whatever is promoted, compared and rolled back in whatever order, every turn runs on its conversation's version."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conversations.model import Status
from learning.serving import ServingRefused
from tests.blank_database import blank_database
from tests.conversations.builders import LIN
from tests.learning.builders import EVA
from tests.learning.model_bots import ModelBot
from tests.learning.serving_desk import REASON, ServingDesk, serving_desk

VERSIONS = ("a", "b", "c", "d")
CONTACTS = ("ann", "bo", "cy", "di")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["message", "message", "message", "person", "accept", "release", "resolve", "promote", "compare", "stop",
             "rollback", "restart", "away", "back", "train", "delete", "other_process"]
        ),
        st.integers(0, 3),
    ),
    min_size=4,
    max_size=30,
)  # fmt: skip


class Played:
    """A desk that is played with, and what must be so of it."""

    def __init__(self, shop: ServingDesk) -> None:
        self.shop = shop
        self.talks: dict[str, str] = {}  #: by contact
        self.on: dict[str, str] = {}  #: by conversation, the version its turns must run on
        self.trained = 0

    async def step(self, what: str, choice: int) -> None:
        shop, contact, version = self.shop, CONTACTS[choice], VERSIONS[choice]
        bots = list(shop.bots.bots.values())
        try:
            if what in ("message", "person"):
                await self._write("person" if what == "person" else "hello", contact)
            elif what == "promote":
                await shop.serving.promote(version, EVA, shop.revision, note=REASON, without_replay=True)
            elif what == "compare":
                await shop.serving.compare(version, 50, EVA, shop.revision)
            elif what == "stop":
                await shop.serving.stop(EVA, shop.revision)
            elif what == "rollback":
                await shop.serving.rollback(EVA, shop.revision)
            elif what == "restart":
                bots[choice % 2].restart()
            elif what == "train":
                self.trained += 1
                bots[choice % 2].restart(trained=f"trained-{self.trained}")
                await shop.serving.reconcile()
                assert shop.served.choice is not None
                assert bots[0].away or bots[0].default == shop.served.choice.live
            elif what == "away":
                bots[choice % 2].away = not bots[1 - choice % 2].away  # one of them is there
            elif what == "back":
                bots[choice % 2].away = False
                await shop.serving.reconcile()
            elif what == "delete":
                self._delete(version)
            elif what == "other_process":
                other = ServingDesk(shop.database, shop.bots, shop.clock)
                await other.serving.refresh()
                assert other.served.choice == shop.served.choice
            elif contact in self.talks:
                await self._hands(what, self.talks[contact])
        except ServingRefused:
            pass

    async def _write(self, text: str, contact: str) -> None:
        shop, known = self.shop, self.talks.get(contact)
        if known is not None:
            status = (await shop.desk.get(known)).status
            if status in (Status.QUEUED, Status.ASSIGNED):
                return
        conversation_id, ran_on = await shop.say(text, contact)
        self.talks[contact] = conversation_id
        live = shop.served.choice
        assert live is not None
        due = self.on.get(conversation_id) or live.version_of(conversation_id)
        if not self._there(due or ""):
            due = live.live  # gone over to what is live
        assert ran_on == due
        self.on[conversation_id] = ran_on
        assert await shop.pin(conversation_id) == ran_on

    async def _hands(self, what: str, conversation_id: str) -> None:
        conversations = self.shop.desk.conversations
        conversation = await self.shop.desk.get(conversation_id)
        if what == "accept" and conversation.status is Status.QUEUED:
            await conversations.assign(conversation_id, LIN, over_capacity=True)
        elif what == "release" and conversation.status is Status.ASSIGNED:
            await conversations.release(conversation_id, LIN)
        elif what == "resolve" and conversation.status in (Status.BOT, Status.ASSIGNED):
            if conversation.status is Status.BOT:
                await conversations.assign(conversation_id, LIN, over_capacity=True)
            await conversations.resolve(conversation_id, LIN)
            self.on.pop(conversation_id, None)

    def _there(self, version: str) -> bool:
        return any(version in bot.folder for bot in self.shop.bots.bots.values())

    def _delete(self, version: str) -> None:
        choice = self.shop.served.choice
        bots = list(self.shop.bots.bots.values())
        kept = {choice.live, choice.candidate} if choice else set()
        if version not in kept and all(bot.default != version for bot in bots):
            for bot in bots:
                bot.folder.discard(version)
                bot.loaded = [name for name in bot.loaded if name != version]

    async def adds_up(self) -> None:
        """Running conversations are pinned to what they ran on, resolved ones to nothing, and no turn failed."""
        pins = await self.shop.pins()
        for conversation_id, pin in pins.items():
            assert pin == self.on.get(conversation_id)
            if conversation_id in self.on:
                kind, model = (await self.shop.episodes(conversation_id))[0]
                first = next(turn for turn in self.shop.bots.turns if turn["conversation_id"] == conversation_id)
                assert (kind, model) == ("bot", first["ran_on"])
        said = [one.text for conversation_id in pins for one in await self.shop.replies(conversation_id)]
        assert all(text.startswith("on ") for text in said)


async def play(steps: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as place:
        database = await blank_database(Path(place))
        folder = set(VERSIONS)
        try:
            async with serving_desk(database, [ModelBot(folder, "a"), ModelBot(folder, "a")]) as shop:
                played = Played(shop)
                for what, choice in steps:
                    await played.step(what, choice)
                await played.adds_up()
        finally:
            await database.close()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_every_turn_runs_on_the_version_of_its_conversation(steps: list[tuple[str, int]]) -> None:
    asyncio.run(play(steps))
