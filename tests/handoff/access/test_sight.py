"""What is not somebody's does not exist for them: in paths, bodies, lists, counts, searches and on the live socket."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from sanic import Blueprint, Request
from sanic.response import HTTPResponse, empty

from conversations.model import Address, new_id
from conversations.sight import Scope
from handoff.access.sight_book import PARAMETERS, Kind
from handoff.roles import POLICY, Role
from tests.handoff.desk import Browser, Desk

NOBODY = "f" * 32  # an id that nothing has


class Hidden:
    """A conversation in the queue of a team that Chen and the narrowed supervisor are not in."""

    def __init__(self, desk: Desk, owner: Browser, chen: Browser, conversation_id: str, contact_id: str) -> None:
        self.desk = desk
        self.owner = owner  #: in the team
        self.chen = chen  #: in another team
        self.id = conversation_id
        self.contact_id = contact_id


async def team_of(desk: Desk, name: str, *members: str, intents: tuple[str, ...] = ()) -> str:
    boss = await desk.browser(f"Boss of {name}", Role.SUPERVISOR)
    body = {"name_zh": name, "name_en": name, "members": list(members), "intents": list(intents)}
    added = await boss.post("teams", body)
    assert added.status_code == 201, added.text
    return str(added.json()["team"]["id"])


async def narrow(desk: Desk, member_id: str, scope: Scope) -> None:
    from sqlalchemy import text

    async with desk.database.write() as connection:
        await connection.execute(text("UPDATE staff SET sees = :s WHERE id = :i"), {"s": scope.value, "i": member_id})


@pytest.fixture
async def hidden(desk: Desk) -> Hidden:
    wu, chen = await desk.browser("Wu"), await desk.browser("Chen Yu")
    await team_of(desk, "After-sales", wu.member.id, intents=("handoff",))
    await team_of(desk, "Pre-sales", chen.member.id)
    conversation_id = await desk.queued("the zebra parcel never came")
    found = await desk.conversations.get_conversation(conversation_id)
    return Hidden(desk, wu, chen, conversation_id, found.contact_id)


def looked_up(route: str) -> bool:
    names = re.findall(r"<(\w+)>", route)
    return any(PARAMETERS[name] in (Kind.CONVERSATION, Kind.CONTACT) for name in names)


def path_of(route: str, ids: dict[str, str]) -> str:
    return re.sub(r"<(\w+)>", lambda match: ids.get(match[1], NOBODY), route)


async def ask(browser: Browser, method: str, path: str) -> tuple[int, Any]:
    response = await (browser.get(path) if method == "GET" else browser.post(path))
    return response.status_code, response.json()


@pytest.mark.parametrize("role", [Role.AGENT, Role.SUPERVISOR])
async def test_every_route_answers_for_what_is_not_ones_own_as_for_what_does_not_exist(
    hidden: Hidden, role: Role
) -> None:
    """F33: the id of somebody else's conversation or contact, at every route that takes one."""
    browser = hidden.chen
    if role is Role.SUPERVISOR:
        browser = await hidden.desk.browser("Grace", role)
        await narrow(hidden.desk, browser.member.id, Scope.TEAM)
    real = {"conversation_id": hidden.id, "contact_id": hidden.contact_id, "source_id": hidden.contact_id}
    tried = 0
    for (method, route), roles in sorted(POLICY.items()):
        if role in roles and looked_up(route):
            theirs = await ask(browser, method, path_of(route, real))
            assert theirs[0] == 404, (method, route)
            assert theirs == await ask(browser, method, path_of(route, {})), (method, route)
            tried += 1
    assert tried > 40


async def test_the_same_routes_know_it_for_those_whose_it_is(hidden: Hidden) -> None:
    """F33: the 404 of the others is not the answer to everybody."""
    for path in (f"conversations/{hidden.id}", f"contacts/{hidden.contact_id}"):
        assert (await hidden.owner.get(path)).status_code == 200
    for role in (Role.SUPERVISOR, Role.ADMIN, Role.AUDITOR, Role.TRAINER):
        browser = await hidden.desk.browser(f"Some {role}", role)
        assert (await browser.get(f"conversations/{hidden.id}")).status_code == 200, role


async def test_a_route_with_an_id_that_nobody_classified_cannot_be_added(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F33: deny by default, for ids too."""

    async def route(request: Request) -> HTTPResponse:
        return empty()

    monkeypatch.setitem(POLICY, ("GET", "parcels/<parcel_id>"), frozenset(Role))
    with pytest.raises(LookupError, match="parcel_id"):
        desk.side.guard.add(Blueprint("x"), "GET", "parcels/<parcel_id>", route)


async def test_personal_things_of_others_do_not_exist(desk: Desk) -> None:
    """F33: a colleague's filter, canned reply or macro, by its id."""
    chen, wu = await desk.browser("Chen Yu"), await desk.browser("Wu")
    conversation_id = await desk.assigned_to(chen)
    made = await wu.post("filters", {"name": "mine", "conditions": {"status": ["bot"]}})
    canned = await wu.post("canned", {"shortcut": "hi", "title_en": "Hi", "text_en": "Hello"})
    macro = await wu.post("macros", {"title_en": "End", "steps": [{"verb": "resolve"}]})
    ids = {
        "filter_id": made.json()["filter"]["id"],
        "canned_id": canned.json()["canned"]["id"],
        "macro_id": macro.json()["macro"]["id"],
    }
    bodies: dict[str, Any] = {
        "filters": {"name": "taken", "conditions": {"status": ["bot"]}},
        "canned": {"shortcut": "taken", "title_en": "T", "text_en": "T"},
        "macros": {"title_en": "T", "steps": [{"verb": "resolve"}]},
    }
    tried = 0
    for (method, route), roles in sorted(POLICY.items()):
        if Role.AGENT not in roles or not any(f"<{name}>" in route for name in ids):
            continue
        body = {"run_id": new_id()} if "conversations/" in route else bodies[route.split("/")[0]]
        answers = []
        for known in (ids, {}):
            path = path_of(route, known | {"conversation_id": conversation_id})
            response = await (chen.get(path) if method == "GET" else chen.post(path, body))
            answers.append((response.status_code, response.json()))
        assert answers[0] == answers[1], route
        assert answers[0][0] == 404, route
        tried += 1
    assert tried >= 9


async def test_ids_in_bodies_are_looked_at_like_those_in_paths(hidden: Hidden) -> None:
    """F33: bulk actions, merging, and the conversation of a ticket."""
    chen = hidden.chen
    mine = await hidden.desk.conversations.get_conversation(await hidden.desk.contact_writes(contact="zhao"))
    theirs: dict[str, str] = {"conversation": hidden.id, "contact": hidden.contact_id}
    nobodys = {"conversation": NOBODY, "contact": NOBODY}
    answers = []
    for ids in (theirs, nobodys):
        conversation, contact = ids["conversation"], ids["contact"]
        bulk = await chen.post(
            "conversations/bulk", {"ids": [conversation, mine.id], "action": "priority", "level": "low"}
        )
        first, second = bulk.json()["results"]
        assert (first["ok"], second["ok"]) == (False, True)
        ticket = {"key": new_id(), "text": "x", "contact_point": "a@b.example", "conversation_id": conversation}
        merged = await chen.post(f"conversations/{mine.id}/merge", {"into": conversation})
        one = await chen.post(f"contacts/{mine.contact_id}/merge", {"source_id": contact})
        opened = await chen.post(f"contacts/{mine.contact_id}/tickets", ticket)
        assert [merged.status_code, one.status_code, opened.status_code] == [404, 404, 404]
        answers.append([first["error"], merged.json(), one.json(), opened.json()])
    assert answers[0] == answers[1]


async def test_a_merge_of_other_contacts_cannot_be_taken_back_through_ones_own(hidden: Hidden) -> None:
    """F33: the id of a merge that belongs to another contact than the one of the path."""
    desk = hidden.desk
    other = await desk.conversations.get_conversation(await desk.queued(contact="qian"))
    merged = await hidden.owner.post(f"contacts/{hidden.contact_id}/merge", {"source_id": other.contact_id})
    merge_id = merged.json()["merge_id"]
    mine = await desk.conversations.get_conversation(await desk.contact_writes(contact="zhao"))
    answers = [
        (await hidden.chen.post(f"contacts/{mine.contact_id}/separate", {"merge_id": one})).json()
        for one in (merge_id, NOBODY)
    ]
    assert answers[0] == answers[1]
    assert (await hidden.owner.get(f"contacts/{hidden.contact_id}")).json()["merges"]


async def listed(browser: Browser, view: str, **more: str) -> list[str]:
    found = (await browser.get("conversations", view=view, **more)).json()
    return [one["id"] for one in found["conversations"]]


async def test_lists_counts_and_searches_hold_only_what_one_sees(hidden: Hidden) -> None:
    chen, wu = hidden.chen, hidden.owner
    for view, sort in (("queued", ""), ("queued", "newest"), ("all", ""), ("all", "priority")):
        more = {"sort": sort} if sort else {}
        assert await listed(wu, view, **more) == [hidden.id]
        assert await listed(chen, view, **more) == []
    counts = (await chen.get("views")).json()
    assert counts["counts"]["queued"] == counts["counts"]["all"] == 0
    assert counts["waiting_since"] is None
    assert (await wu.get("views")).json()["counts"]["queued"] == 1
    everything = {"conditions": {"status": ["queued", "bot", "assigned"]}}
    assert (await chen.post("filters/count", everything)).json()["count"] == 0
    assert (await wu.post("filters/count", everything)).json()["count"] == 1
    saved = (await chen.post("filters", {"name": "all", **everything})).json()["filter"]
    assert saved["count"] == 0
    assert await listed(chen, f"filter:{saved['id']}") == []
    for words in ("zebra", "Lin Mei", hidden.id):
        assert (await chen.get("search", q=words)).json()["conversations"] == [], words
        assert [one["id"] for one in (await wu.get("search", q=words)).json()["conversations"]] == [hidden.id], words
    assert (await chen.get("search/messages", q="zebra")).json()["found"] == 0
    assert (await wu.get("search/messages", q="zebra")).json()["found"] == 1


async def test_what_is_said_of_a_contact_leaves_out_the_conversations_one_does_not_see(hidden: Hidden) -> None:
    """The contact came back and is with the bot again, which everybody sees."""
    desk, chen = hidden.desk, hidden.chen
    await hidden.owner.post(f"conversations/{hidden.id}/accept")
    await hidden.owner.post(f"conversations/{hidden.id}/resolve")
    desk.clock.forward(days=2)
    now = await desk.contact_writes("hello again")
    assert now != hidden.id
    chens = await desk.sign_in(chen.member)  # the old session has ended meanwhile
    wus = await desk.sign_in(hidden.owner.member)
    for browser, seen in ((chens, [now]), (wus, [now, hidden.id])):
        pane = (await browser.get(f"contacts/{hidden.contact_id}")).json()
        assert [one["id"] for one in pane["conversations"]] == seen
        history = (await browser.get(f"contacts/{hidden.contact_id}/conversations")).json()
        assert [one["id"] for one in history["conversations"]] == seen
        past = (await browser.get(f"conversations/{now}")).json()["past_conversations"]
        assert [one["id"] for one in past] == [one for one in seen if one != now]
        likely = (await browser.get(f"conversations/{now}/duplicates")).json()["duplicates"]
        assert [one["id"] for one in likely] == [one for one in seen if one != now]


async def test_who_had_to_do_with_a_conversation_goes_on_seeing_it(hidden: Hidden) -> None:
    """Mentioned in a note, or once its holder: it stays theirs to look up."""
    desk, chen, wu = hidden.desk, hidden.chen, hidden.owner
    await wu.post(f"conversations/{hidden.id}/note", {"text": f"@[Chen Yu]({chen.member.id}) what do you think?"})
    assert (await chen.get(f"conversations/{hidden.id}")).status_code == 200
    assert await listed(chen, "mentions") == [hidden.id]
    helper = await desk.browser("Helper")
    assert (await helper.get(f"conversations/{hidden.id}")).status_code == 404
    await desk.conversations.assign(hidden.id, helper.member.agent)
    await desk.conversations.requeue(hidden.id, helper.member.agent)
    assert (await helper.get(f"conversations/{hidden.id}")).status_code == 200


async def test_an_invited_colleague_sees_what_they_are_asked_to_help_with(hidden: Hidden) -> None:
    wu, chen = hidden.owner, hidden.chen
    async with chen.live() as live:
        await live.next("ready")
        await wu.post(f"conversations/{hidden.id}/accept")
        invited = await wu.post(f"conversations/{hidden.id}/invite", {"agent_id": chen.member.id})
        assert invited.status_code == 200, invited.text
        assert (await live.next("invited"))["conversation_id"] == hidden.id
    assert (await chen.get(f"conversations/{hidden.id}")).status_code == 200


async def test_the_live_socket_brings_only_news_of_what_one_sees(hidden: Hidden) -> None:
    """Everything that happens to a hidden conversation, then something open: only that arrives."""
    desk, chen, wu = hidden.desk, hidden.chen, hidden.owner
    open_to_all = await desk.contact_writes("hello", contact="zhao")
    async with chen.live() as live, wu.live() as theirs:
        await live.next("ready")
        await theirs.next("ready")
        await theirs.send(type="viewing", conversation_id=hidden.id)
        await wu.post(f"conversations/{hidden.id}/accept")
        await wu.post(f"conversations/{hidden.id}/reply", {"text": "on it", "client_msg_id": "a"})
        await wu.post(f"conversations/{hidden.id}/typing")
        await wu.post(f"contacts/{hidden.contact_id}", {"revision": 0, "note": "likes zebras"})
        await theirs.next("contact")
        await desk.conversations.set_typing(Address("web", "default", "zhao"), "the end")
        heard = []
        async with asyncio.timeout(5):
            while True:
                event = await live.next_of_any()
                heard.append(event)
                if event.get("preview") == "the end":
                    break
    assert {one.get("conversation_id") for one in heard} <= {None, open_to_all}
    assert not [one for one in heard if one["type"] in ("contact", "conversation", "message", "read")]
    assert hidden.id not in str(heard)
    assert hidden.contact_id not in str(heard)


async def test_a_console_cannot_name_what_it_does_not_see(hidden: Hidden) -> None:
    open_to_all = await hidden.desk.contact_writes("hello", contact="zhao")
    async with hidden.owner.live() as theirs, hidden.chen.live() as live:
        await theirs.next("ready")
        await live.next("ready")
        for frame in ("viewing", "composing", "typing"):
            await live.send(type=frame, conversation_id=hidden.id, mode="reply")
            assert (await live.next("error"))["code"] == "not_found"
        await live.send(type="viewing", conversation_id=open_to_all)
        async with asyncio.timeout(5):
            seen = await theirs.next_of_any()
            while seen["type"] != "viewing":
                assert seen["type"] != "composing"
                seen = await theirs.next_of_any()
        assert seen["conversation_id"] == open_to_all


async def test_what_goes_to_another_team_is_said_to_be_gone(hidden: Hidden) -> None:
    """Grace's team never sees it again, unlike Wu, who has held it."""
    desk, wu, chen = hidden.desk, hidden.owner, hidden.chen
    zhang = await desk.browser("Zhang")
    team_id = desk.side.teams.teams[0].id
    body = {"name_zh": "A", "name_en": "A", "members": [wu.member.id, zhang.member.id], "intents": ["handoff"]}
    boss = await desk.browser("Boss", Role.SUPERVISOR)
    assert (await boss.post(f"teams/{team_id}", body)).status_code == 200
    async with zhang.live() as live:
        await live.next("ready")
        await wu.post(f"conversations/{hidden.id}/accept")
        assert (await live.next("conversation"))["conversation"]["id"] == hidden.id
        other = next(team.id for team in desk.side.teams.teams if team.settings["name_en"] == "Pre-sales")
        moved = await wu.post(f"conversations/{hidden.id}/transfer", {"to_team_id": other})
        assert moved.status_code == 200, moved.text
        assert (await live.next("gone"))["conversation_id"] == hidden.id
    assert (await zhang.get(f"conversations/{hidden.id}")).status_code == 404
    assert (await wu.get(f"conversations/{hidden.id}")).status_code == 200
    assert (await chen.get(f"conversations/{hidden.id}")).status_code == 200


async def test_an_agent_of_own_things_sees_what_waits_for_their_teams_and_nothing_of_the_bot(desk: Desk) -> None:
    chen = await desk.browser("Chen Yu")
    await narrow(desk, chen.member.id, Scope.OWN)
    waiting, with_bot = await desk.queued(), await desk.contact_writes(contact="zhao")
    assert await listed(chen, "all") == [waiting]
    assert (await chen.get(f"conversations/{with_bot}")).status_code == 404
    wu = await desk.browser("Wu")
    await wu.post(f"conversations/{waiting}/accept")
    assert (await chen.get(f"conversations/{waiting}")).status_code == 404


async def test_what_names_a_team_that_is_gone_belongs_to_those_of_the_default_team(hidden: Hidden) -> None:
    boss = await hidden.desk.browser("Boss", Role.SUPERVISOR)
    team_id = (await hidden.desk.conversations.get_conversation(hidden.id)).team_id
    assert (await boss.post(f"teams/{team_id}/delete")).status_code == 200
    assert (await hidden.chen.get(f"conversations/{hidden.id}")).status_code == 200


async def test_a_narrowed_supervisor_neither_sees_nor_settles_the_undelivered_of_other_teams(hidden: Hidden) -> None:
    from conversations.dead_letter_store import Choice, DeadLetterStore
    from conversations.tables import outbox

    grace = await hidden.desk.browser("Grace", Role.SUPERVISOR)
    sees_all = hidden.desk.side.sight.of(grace.member)
    await narrow(hidden.desk, grace.member.id, Scope.TEAM)
    narrowed = await hidden.desk.store.find(grace.member.id)
    assert narrowed is not None
    sight = hidden.desk.side.sight.of(narrowed)
    async with hidden.desk.database.write() as connection:
        await connection.execute(outbox.update().values(state="dead"))
        store = DeadLetterStore(connection)
        everything = await store.page(Choice(sight=sees_all), None, 10)
        assert everything
        assert await store.page(Choice(sight=sight), None, 10) == []
        assert await store.counts(sight) == []
        assert await store.oldest(Choice(sight=sight), 10) == []
        ids = [one.id for one in everything]
        assert await store.settle(ids, "dropped", sight) == []
        assert len(await store.settle(ids, "dropped", sees_all)) == len(ids)


async def test_figures_of_waiting_leave_out_the_teams_a_supervisor_does_not_see(hidden: Hidden) -> None:
    await hidden.owner.post(f"conversations/{hidden.id}/accept")
    grace = await hidden.desk.browser("Grace", Role.SUPERVISOR)
    assert (await grace.get("reports/waits")).json()["rows"]
    await narrow(hidden.desk, grace.member.id, Scope.TEAM)
    assert (await grace.get("reports/waits")).json()["rows"] == []


async def test_similar_conversations_are_offered_only_where_they_are_seen(hidden: Hidden) -> None:
    """The one place of assist that reaches into other conversations asks first which exist."""
    side = hidden.desk.side
    seen = await side.conversations.seen(side.sight.of(hidden.chen.member), [hidden.id])
    assert seen == set()
    assert side.sight_key(hidden.chen.member) != side.sight_key(hidden.owner.member)
