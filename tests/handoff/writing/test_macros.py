"""Macros: several steps in one click, stopped at the first that fails; and taking a reply back over the API."""

from __future__ import annotations

from typing import Any

import pytest

from conversations.model import Status, new_id, utc_now
from conversations.store import Database
from handoff.roles import Role
from handoff.store import StaffStore
from handoff.writing.canned import SHARED
from handoff.writing.macro_store import MacroDraft, MacroStore
from handoff.writing.macros import Scene, StepKind
from tests.handoff.desk import Browser, Desk


def macro(*steps: dict[str, Any], shared: bool = False) -> dict[str, Any]:
    return {"title_zh": "收尾", "title_en": "Wrap up", "steps": list(steps), "shared": shared}


async def kept(browser: Browser, *steps: dict[str, Any], shared: bool = False) -> str:
    response = await browser.post("macros", macro(*steps, shared=shared))
    assert response.status_code == 201, response.text
    return str(response.json()["macro"]["id"])


async def run(browser: Browser, conversation_id: str, macro_id: str, run_id: str | None = None) -> dict[str, Any]:
    response = await browser.post(f"conversations/{conversation_id}/macros/{macro_id}", {"run_id": run_id or new_id()})
    return {"status": response.status_code, **response.json()}


SAY = {"verb": "reply", "text": "Done, {{contact.name|you}}."}


async def test_every_step_runs_in_order_and_the_audit_trail_says_so(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    conversation_id = await desk.assigned_to(chen)
    macro_id = await kept(chen, SAY, {"verb": "note", "text": "closed by macro"}, {"verb": "resolve"})
    done = await run(chen, conversation_id, macro_id)
    assert (done["ran"], done["failed"]) == (["reply", "note", "resolve"], None)
    assert done["conversation"]["status"] == "resolved"
    assert "Done, Lin Mei." in await desk.contact_sees()
    assert (await chen.get("macros")).json()["macros"][0]["uses"] == 1
    from sqlalchemy import text

    async with desk.database.read() as connection:
        bodies = " ".join((await connection.execute(text("SELECT body FROM audit_entries"))).scalars())
    assert '"macro_run"' in bodies
    assert '"macro_added"' in bodies


async def test_it_stops_at_the_first_step_that_fails_and_says_which_ran(desk: Desk) -> None:
    chen, sam = await desk.browser("Chen Yu"), await desk.browser("Sam")
    conversation_id = await desk.assigned_to(chen)
    macro_id = await kept(
        chen, SAY, {"verb": "transfer", "to_agent_id": sam.member.id}, {"verb": "note", "text": "never written"}
    )
    done = await run(chen, conversation_id, macro_id)  # Sam is not at the desk
    assert done["ran"] == ["reply"]
    assert (done["failed"]["step"], done["failed"]["verb"]) == (2, "transfer")
    assert "not at the desk" in done["failed"]["message"]
    messages = (await chen.get(f"conversations/{conversation_id}/messages")).json()["messages"]
    assert not any(one["text"] == "never written" for one in messages)
    assert done["conversation"]["agent_id"] == chen.member.id


async def test_the_same_run_sent_twice_says_nothing_twice(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    conversation_id = await desk.assigned_to(chen)
    macro_id, run_id = await kept(chen, SAY, {"verb": "note", "text": "once"}), new_id()
    await run(chen, conversation_id, macro_id, run_id)
    await run(chen, conversation_id, macro_id, run_id)
    assert (await desk.contact_sees()).count("Done, Lin Mei.") == 1


async def test_nothing_runs_while_a_variable_is_unknown_and_the_preview_shows_it(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    conversation_id = await desk.assigned_to(chen)
    note = {"verb": "note", "text": "order {{order.number}}"}
    macro_id = await kept(chen, note, {"verb": "reply", "text": "Order {{order.number}} is on its way"})
    preview = (await chen.get(f"conversations/{conversation_id}/macros/{macro_id}")).json()["steps"]
    assert [(one["verb"], one["unfilled"]) for one in preview] == [("note", []), ("reply", ["order.number"])]
    done = await run(chen, conversation_id, macro_id)
    assert (done["status"], done["error"]["code"], done["error"]["detail"]) == (
        409,
        "unfilled_variables",
        "order.number",
    )
    messages = (await chen.get(f"conversations/{conversation_id}/messages")).json()["messages"]
    assert not any(one["kind"] == "note" for one in messages)


async def test_a_canned_reply_in_a_macro_speaks_the_contacts_language(desk: Desk) -> None:
    grace = await desk.browser("Grace", Role.SUPERVISOR)
    canned = {"shortcut": "bye", "title_en": "Bye", "text_zh": "再见！", "text_en": "Goodbye!"}
    canned_id = (await grace.post("canned", {**canned, "shared": True})).json()["canned"]["id"]
    macro_id = await kept(grace, {"verb": "reply", "canned_id": canned_id}, shared=True)
    chen = await desk.browser("Chen Yu")
    conversation_id = await desk.assigned_to(chen)
    await run(chen, conversation_id, macro_id)
    assert "再见！" in await desk.contact_sees()
    await grace.post(f"canned/{canned_id}/delete")
    gone = await run(chen, conversation_id, macro_id)
    assert (gone["status"], gone["error"]["code"]) == (409, "canned_gone")


@pytest.mark.parametrize(
    ("steps", "step", "code"),
    [
        ([], "0", "count"),
        ([{"verb": "explode"}], "1", "unknown"),
        ([SAY, {"verb": "note"}], "2", "step"),
        ([{"verb": "reply"}], "1", "reply"),
        ([{"verb": "reply", "text": "{{order.prize}}"}], "1", "variable"),
        ([{"verb": "resolve"}, SAY], "2", "after"),
        ([{"verb": "transfer", "to_agent_id": "0" * 32}], "1", "nobody"),
        ([{"verb": "reply", "canned_id": "0" * 32}], "1", "not_shared"),
    ],
)
async def test_steps_that_cannot_work_are_refused_when_they_are_saved(
    desk: Desk, steps: list[Any], step: str, code: str
) -> None:
    chen = await desk.browser("Chen Yu")
    refused = await chen.post("macros", macro(*steps))
    error = refused.json()["error"]
    assert (refused.status_code, error["code"], error["detail"]) == (400, f"macro_{code}", step)


async def test_a_shared_macro_uses_only_shared_canned_replies_and_is_kept_by_supervisors(desk: Desk) -> None:
    grace, chen = await desk.browser("Grace", Role.SUPERVISOR), await desk.browser("Chen Yu")
    canned = {"shortcut": "own", "title_en": "Own", "text_en": "Mine"}
    own = (await grace.post("canned", canned)).json()["canned"]["id"]
    refused = await grace.post("macros", macro({"verb": "reply", "canned_id": own}, shared=True))
    assert refused.status_code == 400
    assert (await chen.post("macros", macro(SAY, shared=True))).status_code == 403
    shared, mine = await kept(grace, SAY, shared=True), await kept(chen, SAY)
    assert (await chen.post(f"macros/{shared}", macro(SAY))).status_code == 403
    assert (await grace.post(f"macros/{mine}", macro(SAY))).status_code == 404
    assert (await chen.post(f"macros/{mine}", macro(SAY, {"verb": "resolve"}))).status_code == 200
    assert (await chen.post(f"macros/{mine}/delete")).status_code == 200
    assert [one["id"] for one in (await chen.get("macros")).json()["macros"]] == [shared]


async def test_an_agents_macro_moves_only_what_they_hold(desk: Desk) -> None:
    chen, sam = await desk.browser("Chen Yu"), await desk.browser("Sam")
    conversation_id = await desk.assigned_to(chen)
    macro_id = await kept(sam, {"verb": "resolve"})
    done = await run(sam, conversation_id, macro_id)
    assert (done["ran"], done["failed"]["code"]) == ([], "not_assigned")
    waiting = await desk.queued(contact="mei")
    assert (await run(sam, waiting, macro_id))["failed"]["code"] == "not_assigned"
    assert (await desk.conversations.get_conversation(waiting)).status is Status.QUEUED


async def test_other_features_add_their_verbs_and_the_console_is_told_of_them(desk: Desk) -> None:
    from handoff.writing.macro_steps import NoArguments

    done: list[str] = []

    async def star(scene: Scene, _: NoArguments) -> None:
        done.append(scene.conversation.id)

    desk.side.macro_steps.add(StepKind("star", NoArguments, star, by_anyone=True))
    with pytest.raises(ValueError, match="star"):
        desk.side.macro_steps.add(StepKind("star", NoArguments, star))
    chen = await desk.browser("Chen Yu")
    conversation_id = await desk.assigned_to(chen)
    macro_id = await kept(chen, {"verb": "resolve"}, {"verb": "star"})
    assert (await run(chen, conversation_id, macro_id))["ran"] == ["resolve", "star"]
    assert done == [conversation_id]
    assert "star" in {one["name"] for one in (await chen.get("macros")).json()["verbs"]}


async def test_macros_are_kept_on_both_databases(database: Database, store: StaffStore) -> None:
    macros, now = MacroStore(database), utc_now()
    made = await macros.add(MacroDraft(SHARED, "收尾", "Wrap up", ({"verb": "resolve"},)), "Grace", now)
    assert await macros.find(made.id, "1" * 32) == made
    await macros.count_use(made.id, now)
    draft = MacroDraft("1" * 32, "收尾", "Wrap up", ({"verb": "release"},))
    assert await macros.change(made.id, draft, "Grace", now)
    (found,) = await macros.visible_to("1" * 32)
    assert (found.steps, found.uses) == (({"verb": "release"},), 1)
    assert await macros.visible_to("2" * 32) == []
    assert await macros.remove(made.id)
    assert not await macros.change(made.id, draft, "Grace", now)


# -- taking back, reading and composing, over the API and the live socket


async def test_a_reply_is_taken_back_and_consoles_see_it_struck_out(desk: Desk) -> None:
    chen, sam = await desk.browser("Chen Yu"), await desk.browser("Sam")
    conversation_id = await desk.assigned_to(chen)
    said = await chen.post(f"conversations/{conversation_id}/reply", {"text": "wrong window", "client_msg_id": "m1"})
    seq = said.json()["message"]["seq"]
    refused = await sam.post(f"conversations/{conversation_id}/recall", {"seq": seq})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "not_yours")
    async with sam.live() as live:
        await live.next("ready")
        taken = (await chen.post(f"conversations/{conversation_id}/recall", {"seq": seq})).json()
        assert taken["effect"] == "cancelled"
        assert (await live.next("recalled"))["name"] == "Chen Yu"
        message = (await live.next("message"))["message"]
    assert (message["text"], message["recalled_by"]) == ("wrong window", "Chen Yu")
    desk.clock.forward(seconds=121)
    late = await chen.post(f"conversations/{conversation_id}/reply", {"text": "late", "client_msg_id": "m2"})
    desk.clock.forward(seconds=121)
    too_late = await chen.post(f"conversations/{conversation_id}/recall", {"seq": late.json()["message"]["seq"]})
    assert (too_late.status_code, too_late.json()["error"]["code"]) == (409, "too_late")


async def test_a_colleagues_answer_stops_the_reply_until_it_was_read(desk: Desk) -> None:
    chen, sam = await desk.browser("Chen Yu"), await desk.browser("Sam")
    conversation_id = await desk.assigned_to(chen)
    read = (await desk.conversations.get_conversation(conversation_id)).last_seq
    await desk.conversations.agent_seen(sam.member.id, "Sam")
    await desk.conversations.transfer(conversation_id, chen.member.agent, sam.member.agent)
    await desk.conversations.reply_as_agent(conversation_id, sam.member.agent, "already on its way")
    await desk.conversations.agent_seen(chen.member.id, "Chen Yu")
    await desk.conversations.transfer(conversation_id, sam.member.agent, chen.member.agent)
    body = {"text": "let me look", "client_msg_id": "m1", "read_seq": read}
    stopped = await chen.post(f"conversations/{conversation_id}/reply", body)
    assert (stopped.status_code, stopped.json()["error"]["code"]) == (409, "answered_meanwhile")
    assert "Sam" in stopped.json()["error"]["message"]
    anyway = await chen.post(f"conversations/{conversation_id}/reply", {**body, "read_seq": None})
    assert anyway.status_code == 201


async def test_unread_marks_of_two_agents_do_not_touch_each_other(desk: Desk) -> None:
    chen, sam = await desk.browser("Chen Yu"), await desk.browser("Sam")
    conversation_id = await desk.assigned_to(chen)
    last = (await desk.conversations.get_conversation(conversation_id)).last_seq

    async def unread(browser: Browser) -> int:
        listed = (await browser.get("conversations", view="all")).json()["conversations"]
        return int(next(one["unread"] for one in listed if one["id"] == conversation_id))

    assert await unread(sam) == last
    async with sam.live() as live:
        await live.next("ready")
        await chen.post(f"conversations/{conversation_id}/seen", {"seq": last})
        event = await live.next("read")
    assert (event["by"], event["seq"], event["holder"]) == (chen.member.id, last, True)
    assert (await unread(chen), await unread(sam)) == (0, last)
    await sam.post(f"conversations/{conversation_id}/seen", {"seq": last})
    await desk.contact_writes("one more")
    assert (await unread(chen), await unread(sam)) == (1, 1)
    after = await desk.conversations.get_conversation(conversation_id)
    assert after.agent_read_seq == last  # Sam does not hold it: the contact is not told that Sam looked


async def test_colleagues_see_who_writes_what_and_when_it_ends(desk: Desk) -> None:
    chen, sam = await desk.browser("Chen Yu"), await desk.browser("Sam")
    trainer = await desk.browser("Lin", Role.TRAINER)
    conversation_id = await desk.assigned_to(chen)
    async with chen.live() as writing, sam.live() as watching, trainer.live() as reading:
        await watching.next("ready")
        for live in (writing, reading):
            await live.next("ready")
        await reading.send(type="composing", conversation_id=conversation_id, mode="note")  # trainers do not write
        await writing.send(type="composing", conversation_id=conversation_id, mode="reply")
        await writing.send(type="composing", conversation_id=conversation_id, mode="reply")  # too soon: not repeated
        await writing.send(type="composing", conversation_id=conversation_id, mode=None)
        first, second = await watching.next("composing"), await watching.next("composing")
    assert (first["name"], first["mode"]) == ("Chen Yu", "reply")
    assert (second["name"], second["mode"]) == ("Chen Yu", None)


async def test_macros_keep_order_too(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    conversation_id = await desk.assigned_to(chen)
    label = await desk.conversations.add_label("Waiting for parts", "teal", chen.member.agent)
    macro_id = await kept(
        chen,
        {"verb": "label", "title": "waiting for PARTS"},
        {"verb": "priority", "level": "high"},
        {"verb": "snooze", "hours": 24},
    )
    done = await run(chen, conversation_id, macro_id)
    assert (done["ran"], done["failed"]) == (["label", "priority", "snooze"], None)
    found = await desk.conversations.get_conversation(conversation_id)
    assert (found.label_ids, found.manual_priority) == ((label.id,), "high")
    assert found.snoozed_until is not None


async def test_a_macro_with_a_label_nobody_knows_is_not_kept(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    response = await chen.post("macros", macro({"verb": "label", "title": "no such label"}))
    assert (response.status_code, response.json()["error"]["code"]) == (400, "macro_label")
