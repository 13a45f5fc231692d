"""Accounts without the customer-service API: what comes too late is kept until the contact asks for it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from connectors.wechat_passive import PassiveReplies
from connectors.wechat_shelf import Shelf
from conversations.model import Address, Author
from tests.connectors.desk import AGENT
from tests.connectors.wechat_desk import ANN, PatientBot, account, rows, states, until_settled

NOTHING = "（暂无新的回答，请稍后再回复 1 / nothing new yet, reply 1 again later）"
HINT = "（回复 1 获取答案 / reply 1 for the answer）"
SEND = "/cgi-bin/message/custom/send"


async def test_a_late_answer_is_kept_and_given_to_who_asks_for_it(tmp_path: Path) -> None:
    bot = PatientBot()
    async with account(tmp_path, bot=bot, customer_service_api=False, passive_seconds=0.3) as (double, server):
        for words, told in (("delivery", HINT), ("1", NOTHING)):
            pushed = await double.says(ANN, words)
            assert pushed.answer is not None
            assert pushed.answer["Content"] == told
        bot.gate.set()
        for _ in range(20):
            number = double.number()
            await double.says(ANN, "1", MsgId=number)
            if double.shown[ANN][-1] != NOTHING:
                break
        again = await double.says(ANN, "1", MsgId=number)  # the vendor repeats what it got no answer to
        assert again.answer is not None
        assert double.shown[ANN].pop() == double.shown[ANN][-1]
        assert "three to five days" in double.shown[ANN][-1]
        assert HINT not in double.shown[ANN][-1]
        assert await until_settled(server, 1, 15) == ["sent"]
        assert (len(bot.turns), await rows(server, "select count(*) from inbox")) == (1, [1])
        assert double.calls[SEND] == 0
        await double.says(ANN, "1")  # nothing is promised any more: it is a message
        assert await rows(server, "select count(*) from inbox") == [2]


async def test_a_quick_answer_needs_no_asking(tmp_path: Path) -> None:
    async with account(tmp_path, customer_service_api=False) as (double, server):
        pushed = await double.says(ANN, "delivery")
        assert pushed.answer is not None
        assert "three to five days" in pushed.answer["Content"]
        assert await until_settled(server, 1) == ["sent"]


async def test_of_several_open_requests_only_the_newest_is_told_to_ask_again(tmp_path: Path) -> None:
    bot = PatientBot()
    async with account(tmp_path, bot=bot, customer_service_api=False, passive_seconds=1.5) as (double, server):
        fields: dict[str, str | int] = {
            "ToUserName": double.receiver,
            "FromUserName": ANN,
            "CreateTime": double.clock.seconds,
            "MsgType": "text",
            "Content": "delivery",
            "MsgId": double.number(),
        }
        pushes = []
        for _ in range(3):
            pushes.append(asyncio.create_task(double.push_again(fields)))
            await asyncio.sleep(0.1)
        done = [await one for one in pushes]
        assert [one.attempts for one in done] == [["200"]] * 3
        assert HINT in double.shown[ANN]
        assert set(double.shown[ANN]) == {HINT}
        bot.gate.set()
        assert len(await rows(server, "select seq from messages where author = 'contact'")) == 1


async def test_a_long_answer_is_fetched_part_by_part_and_nothing_is_lost(tmp_path: Path) -> None:
    async with account(tmp_path, customer_service_api=False) as (double, server):
        await double.says(ANN, "a long answer")
        for _ in range(20):
            if HINT not in double.shown[ANN][-1]:
                break
            await double.says(ANN, "1")
        told = [one for one in double.shown[ANN] if one != NOTHING]
        whole = "".join(part.removesuffix(HINT).strip("\n") for part in told)
        assert whole == "这是一个很长的回答。" * 900
        assert await until_settled(server, 1, 15) == ["sent"]


async def test_what_an_agent_wrote_meanwhile_comes_with_the_next_message(tmp_path: Path) -> None:
    async with account(tmp_path, customer_service_api=False, passive_seconds=0.3) as (double, server):
        await double.says(ANN, "a person please")
        current = await server.desk.find_current(Address("wechat", "default", ANN))
        assert current is not None
        await server.desk.assign(current.id, AGENT)
        await server.desk.reply_as_agent(current.id, AGENT, "I am Lin.")
        assert {"pending", "sending"} & set(await states(server))
        for _ in range(40):
            if any("I am Lin." in one for one in double.shown[ANN]):
                break
            await double.says(ANN, "hello?")
            await asyncio.sleep(0.5)
        assert sum(one.count("I am Lin.") for one in double.shown[ANN]) == 1
        transcript = await server.desk.transcript(Address("wechat", "default", ANN))
        assert not any(one.delivery_failed for one in transcript if one.author is Author.AGENT)


async def test_what_was_given_to_a_broken_connection_is_given_again() -> None:
    passive = PassiveReplies()
    now = [0.0]
    shelf = Shelf(passive, 200, "\n(1)", lambda: now[0])
    loop = asyncio.get_running_loop()
    assert not await shelf.put(ANN, "outbox-1", ["a" * 100, "b" * 100], 0.1)
    with passive.request(ANN, "m1") as first:
        shelf.hand_out(ANN)
        assert await first.reply(loop.time() + 1) == "a" * 100 + "\n(1)"
    first.written(False)
    with passive.request(ANN, "m1") as again:
        shelf.hand_out(ANN)
        assert await again.reply(loop.time() + 1) == "a" * 100 + "\n(1)"
    again.written(True)
    assert shelf.promised(ANN)
    with passive.request(ANN, "m2") as second:
        task = asyncio.create_task(shelf.put(ANN, "outbox-1", ["a" * 100, "b" * 100], 1))
        assert await second.reply(loop.time() + 1) == "b" * 100
    second.written(True)
    assert await task
    assert not shelf.promised(ANN)
    assert not await shelf.put(ANN, "outbox-2", ["taken back"], 0.1)
    now[0] += 1000  # the outbox does not ask for it any more
    assert shelf.last_word(ANN, "nothing")[0] == "nothing"


async def test_the_address_of_a_file_is_the_newest_one_however_long_it_lay() -> None:
    now = [0.0]
    shelf = Shelf(PassiveReplies(), 200, "\n(1)", lambda: now[0])
    while now[0] < 7200:
        assert not await shelf.put(ANN, "outbox-1", [f"https://f.example/a?until={now[0] + 3600:.0f}"], 0)
        now[0] += 30
    assert shelf.last_word(ANN, "nothing")[0].startswith(f"https://f.example/a?until={now[0] + 3570:.0f}")


async def test_what_lay_for_a_while_comes_with_a_word_that_there_may_be_more() -> None:
    passive = PassiveReplies()
    now = [0.0]
    shelf = Shelf(passive, 200, "\n(1)", lambda: now[0])
    assert not await shelf.put(ANN, "outbox-1", ["hello"], 0)
    now[0] += 20
    with passive.request(ANN, "m1") as waiting:
        shelf.hand_out(ANN)
        assert await waiting.reply(asyncio.get_running_loop().time()) == "hello\n(1)"
    waiting.written(True)
    assert await shelf.put(ANN, "outbox-1", ["hello"], 0)


async def test_a_request_that_fails_takes_back_what_it_was_given() -> None:
    passive = PassiveReplies()
    loop = asyncio.get_running_loop()
    try:
        with passive.request(ANN, "m1"):
            offered = asyncio.create_task(passive.offer(ANN, "hello"))
            await asyncio.sleep(0)
            raise RuntimeError("the connection broke")
    except RuntimeError:
        pass
    assert await offered is False
    assert await passive.offer(ANN, "hello") is None
    with passive.request(ANN, "m1") as second:
        later = asyncio.create_task(passive.offer(ANN, "hello"))
        assert await second.reply(loop.time() + 1) == "hello"
    second.written(True)
    assert await later is True
    with passive.request(ANN, "m1") as third:
        assert await third.reply(loop.time() + 1) == "hello"
    for message in range(50):
        with passive.request(ANN, f"n{message}") as waiting:
            assert await waiting.reply(loop.time()) is None
