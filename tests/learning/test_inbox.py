"""What trainers decide about what went wrong."""

from __future__ import annotations

import asyncio

import pytest

from learning.inbox import InboxRefused, Wish
from learning.inbox_list_store import Filters
from tests.learning.builders import EVA, TOM, Example, Loop, ProcessDied, wish


async def refused(work: object) -> InboxRefused:
    with pytest.raises(InboxRefused) as caught:
        await work  # type: ignore[misc]
    return caught.value


async def one_group(loop: Loop) -> Loop:
    await loop.misses("can you gift wrap it", contact="ann")
    await loop.misses("gift wrap it please", contact="ben")
    return loop


async def test_a_group_is_assigned_as_a_whole_and_its_lines_are_in_the_book(loop: Loop) -> None:
    await one_group(loop)
    [group] = await loop.groups()
    made = await loop.inbox.decide(wish(group, "assign", "can you gift wrap it", "gift wrap it", intent="greet"), EVA)
    assert [(one.intent, one.text) for one in loop.book.lines] == [
        ("greet", "can you gift wrap it"),
        ("greet", "gift wrap it"),
    ]
    assert await loop.groups() == []
    [done] = await loop.groups("done")
    assert (done.changed_by, done.change, made.examples) == ("Eva", "assign", 2)
    assert loop.told == [([group.id], "assign", "Eva")]
    seen = await loop.inbox.look(group.id)
    assert [(one.kind, one.intent, one.by_name) for one in seen.decisions] == [("assign", "greet", "Eva")]


async def test_one_message_of_a_group_is_decided_and_the_rest_stays_new(loop: Loop) -> None:
    await one_group(loop)
    [group] = await loop.groups()
    [first, _] = (await loop.inbox.look(group.id)).messages
    await loop.inbox.decide(wish(group, "done", message_ids=(first.item.message_id,)), EVA)
    assert await loop.texts("new") == [["can you gift wrap it"]]
    [group] = await loop.groups()
    assert (group.state, group.messages) == ("new", 1)


async def test_the_second_of_two_trainers_is_told_what_the_first_one_did(loop: Loop) -> None:
    await one_group(loop)
    [group] = await loop.groups()
    await loop.inbox.decide(wish(group, "assign", "gift wrap", intent="greet"), EVA)
    error = await refused(loop.inbox.decide(wish(group, "ignored"), TOM))
    assert (error.code, error.detail["by"], error.detail["change"]) == ("changed", "Eva", "assign")
    assert await loop.texts("done") == [["can you gift wrap it", "gift wrap it please"]]


async def test_who_saw_what_the_other_did_can_still_decide_otherwise(loop: Loop) -> None:
    await one_group(loop)
    [group] = await loop.groups()
    await loop.inbox.decide(wish(group, "ignored"), EVA)
    [ignored] = await loop.groups("ignored")
    await loop.inbox.decide(wish(ignored, "assign", "gift wrap", intent="greet"), TOM)
    [done] = await loop.groups("done")
    assert (done.messages, done.changed_by) == (2, "Tom")
    assert [one.text for one in loop.book.lines] == ["gift wrap"]


async def test_of_two_trainers_at_the_same_moment_one_wins_and_nothing_is_mixed(loop: Loop) -> None:
    await one_group(loop)
    [group] = await loop.groups()
    outcomes = await asyncio.gather(
        loop.inbox.decide(wish(group, "assign", "gift wrap", intent="greet"), EVA),
        loop.inbox.decide(wish(group, "assign", "gift wrap it all", intent="order_status"), TOM),
        return_exceptions=True,
    )
    lost = [one for one in outcomes if isinstance(one, InboxRefused)]
    assert [one.code for one in lost] == ["changed"]
    assert len(loop.book.lines) == 1
    [done] = await loop.groups("done")
    assert done.changed_by == lost[0].detail["by"]
    assert len((await loop.inbox.look(group.id)).decisions) == 1


async def test_a_message_that_came_meanwhile_is_not_decided_unseen(loop: Loop) -> None:
    await one_group(loop)
    [group] = await loop.groups()
    await loop.misses("please gift wrap it", contact="cai")
    await loop.inbox.decide(wish(group, "done"), EVA)
    assert await loop.texts("new") == [["please gift wrap it"]]


@pytest.mark.parametrize(
    ("lines", "intent", "code"),
    [
        (("gift wrap", "held out line"), "greet", "held_out"),
        (("gift wrap", " "), "greet", "empty"),
        (("gift wrap", "x" * 501), "greet", "too_long"),
        (("gift wrap", 'my [lamp]{"thing": 1}'), "greet", "bad_annotation"),
        (("gift wrap", "good day"), "greet", "exists"),
        (("gift wrap",), "no_such_intent", "unknown_intent"),
        ((), "greet", "no_examples"),
    ],
)
async def test_what_the_book_refuses_changes_nothing_at_all(
    loop: Loop, lines: tuple[str, ...], intent: str, code: str
) -> None:
    loop.book.held_out.add("held out line")
    loop.book.lines.append(Example("en", "greet", "good day"))
    await one_group(loop)
    [group] = await loop.groups()
    error = await refused(loop.inbox.decide(wish(group, "assign", *lines, intent=intent), EVA))
    assert error.code == code
    assert [one.text for one in loop.book.lines] == ["good day"]
    assert await loop.texts("new") == [["can you gift wrap it", "gift wrap it please"]]
    assert (await loop.inbox.look(group.id)).decisions == []
    [again] = await loop.groups()
    await loop.inbox.decide(wish(again, "assign", "gift wrap", intent="greet"), EVA)


@pytest.mark.parametrize("name", ["Gift", "a", "gift wrap", "out_of_scope", "_gift", "x" * 41, "礼品"])
async def test_a_new_intent_needs_a_name_that_can_be_one(loop: Loop, name: str) -> None:
    await one_group(loop)
    [group] = await loop.groups()
    error = await refused(loop.inbox.decide(wish(group, "new_intent", "gift wrap", intent=name), EVA))
    assert error.code == "bad_intent"
    taken = await refused(loop.inbox.decide(wish(group, "new_intent", "gift wrap", intent="greet"), EVA))
    assert taken.code == "intent_exists"


async def test_out_of_scope_goes_into_the_book_as_what_nobody_serves(loop: Loop) -> None:
    await one_group(loop)
    [group] = await loop.groups()
    await loop.inbox.decide(wish(group, "out_of_scope", "can you gift wrap it"), EVA)
    assert [(one.intent, one.text) for one in loop.book.lines] == [("out_of_scope", "can you gift wrap it")]


async def test_a_gap_is_kept_in_its_list_with_what_was_asked(loop: Loop) -> None:
    await one_group(loop)
    [group] = await loop.groups()
    made = await loop.inbox.decide(wish(group, "gap"), EVA)
    [(gap, asked)] = await loop.inbox.gaps()
    assert (gap.decision_id, gap.by_name, gap.contacts) == (made.id, "Eva", 2)
    assert sorted(asked) == ["can you gift wrap it", "gift wrap it please"]
    assert (await loop.inbox.counts())["gaps"] == 1
    await loop.inbox.undo(made.id, EVA)
    assert await loop.inbox.gaps() == []
    assert await loop.texts("new") == [["can you gift wrap it", "gift wrap it please"]]


async def test_an_undone_decision_takes_its_examples_back(loop: Loop) -> None:
    await one_group(loop)
    [group] = await loop.groups()
    made = await loop.inbox.decide(wish(group, "assign", "gift wrap", intent="greet"), EVA)
    await loop.inbox.undo(made.id, TOM)
    assert loop.book.lines == []
    assert await loop.texts("new") == [["can you gift wrap it", "gift wrap it please"]]
    assert (await refused(loop.inbox.undo(made.id, EVA))).code == "undone"


async def test_what_was_decided_since_is_not_undone_from_under_it(loop: Loop) -> None:
    await one_group(loop)
    [group] = await loop.groups()
    made = await loop.inbox.decide(wish(group, "assign", "gift wrap", intent="greet"), EVA)
    [done] = await loop.groups("done")
    await loop.inbox.decide(wish(done, "ignored"), TOM)
    error = await refused(loop.inbox.undo(made.id, EVA))
    assert (error.code, error.detail["by"]) == ("decided", "Tom")
    assert [one.text for one in loop.book.lines] == ["gift wrap"]


async def test_an_example_that_somebody_changed_in_the_book_stops_the_undoing(loop: Loop) -> None:
    await one_group(loop)
    [group] = await loop.groups()
    made = await loop.inbox.decide(wish(group, "assign", "gift wrap", intent="greet"), EVA)
    loop.book.lines.clear()
    assert (await refused(loop.inbox.undo(made.id, EVA))).code == "gone"
    assert await loop.groups() == []


async def test_like_what_is_ignored_is_ignored_and_like_what_is_done_comes_back(loop: Loop) -> None:
    await one_group(loop)
    [group] = await loop.groups()
    await loop.inbox.decide(wish(group, "ignored"), EVA)
    await loop.misses("please gift wrap it", contact="cai")
    assert await loop.groups() == []
    [ignored] = await loop.groups("ignored")
    assert ignored.messages == 3
    await loop.inbox.decide(wish(ignored, "done"), EVA)
    await loop.turn("do gift wrap it", "dan", **{"route": "clarify", "confidence": 0.4, "model_id": "model-2"})
    await loop.follower.catch_up()
    [again] = await loop.groups()
    assert (again.id, again.messages, again.again_model) == (group.id, 1, "model-2")
    assert again.done_at is not None
    assert again.again_at is not None
    assert again.again_at > again.done_at


async def test_lists_are_filtered_sorted_and_searched_by_meaning(loop: Loop) -> None:
    await one_group(loop)
    await loop.turn(
        "is the shop closed on monday", "dan", handoff="two_misses", route="handoff", missed=True, confidence=0.1
    )
    await loop.follower.catch_up()
    wrap, shop = await loop.groups()
    assert [one.id for one in await loop.groups(reasons=["handed_off"])] == [shop.id]
    assert [one.id for one in await loop.groups(sort="newest")] == [shop.id, wrap.id]
    assert [one.id for one in await loop.groups(sort="cost")] == [shop.id, wrap.id]
    assert await loop.groups(language="zh") == []
    assert await loop.groups(channel="mail") == []
    assert len(await loop.groups(channel="telegram")) == 2
    assert await loop.groups(since=loop.clock()) == []
    assert (await loop.inbox.like("礼品包装"))[0] == wrap.id
    page, total = await loop.inbox.groups(Filters(), "frequent", 1, 1)
    assert ([one.id for one, _ in page], total) == ([shop.id], 2)


async def test_one_character_or_word_of_what_was_said_finds_it_whatever_it_means(loop: Loop) -> None:
    await loop.turn(
        "耳机盒上可以刻我的名字吗", "dan", handoff="two_misses", route="handoff", missed=True, confidence=0.1
    )
    await loop.follower.catch_up()
    (engraving,) = await loop.groups()
    assert await loop.inbox.like("刻") == [engraving.id]
    assert await loop.inbox.like("名字") == [engraving.id]
    assert await loop.inbox.like("KT99999999") == []


async def test_without_a_book_nothing_is_assigned_but_the_rest_works(loop: Loop) -> None:
    await one_group(loop)
    loop.inbox.book = None
    [group] = await loop.groups()
    assert (await refused(loop.inbox.decide(wish(group, "assign", "a b", intent="greet"), EVA))).code == "no_book"
    await loop.inbox.decide(wish(group, "ignored"), EVA)
    assert len(await loop.groups("ignored")) == 1


async def test_a_process_that_dies_after_writing_the_book_has_its_decision_finished(loop: Loop) -> None:
    await one_group(loop)
    [group] = await loop.groups()
    loop.book.dies_after_writing = True
    loop.inbox._drop = _nothing  # type: ignore[method-assign, assignment]  # a dead process tidies nothing up
    with pytest.raises(ProcessDied):
        await loop.inbox.decide(wish(group, "assign", "gift wrap", intent="greet"), EVA)
    loop.book.dies_after_writing = False
    assert len(await loop.groups()) == 1
    after = Loop(loop.database, loop.book)
    after.clock.advance(7200)
    assert await after.inbox.mend() == 1
    assert await after.groups() == []
    [done] = await after.groups("done")
    [decision] = (await after.inbox.look(done.id)).decisions
    await after.inbox.undo(decision.id, EVA)
    assert after.book.lines == []
    assert await after.inbox.mend() == 0


async def test_a_process_that_dies_before_writing_the_book_leaves_nothing_behind(loop: Loop) -> None:
    await one_group(loop)
    [group] = await loop.groups()
    await loop.inbox._begin(wish(group, "assign", "gift wrap", intent="greet"), EVA, True)
    loop.clock.advance(7200)
    assert await loop.inbox.mend() == 1
    assert (await loop.inbox.look(group.id)).decisions == []
    assert await loop.texts("new") == [["can you gift wrap it", "gift wrap it please"]]


async def test_a_group_that_is_not_there_is_said_to_be_so(loop: Loop) -> None:
    assert (await refused(loop.inbox.look("0" * 32))).code == "not_found"
    assert (await refused(loop.inbox.decide(Wish("0" * 32, 0, "done"), EVA))).code == "not_found"
    assert (await refused(loop.inbox.undo("0" * 32, EVA))).code == "not_found"


async def _nothing(_decision: object) -> None:
    return None
