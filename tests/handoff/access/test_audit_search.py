"""Auditors look for entries by what they say, a bounded stretch at a time, and are told how far that went."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conversations import audit_search
from handoff.roles import Role
from tests.handoff.desk import Browser, Desk


async def kinds(browser: Browser, **wanted: str) -> list[str]:
    return [one["kind"] for one in (await browser.get("audit", **wanted)).json()["entries"]]


async def search(browser: Browser, words: str, **wanted: Any) -> dict[str, Any]:
    response = await browser.post("audit/search", {"words": words} | wanted)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def test_entries_are_found_by_several_kinds_by_conversation_and_by_contact(desk: Desk) -> None:
    first, second = await desk.queued(contact="ann"), await desk.queued(contact="bob")
    auditor = await desk.browser("Ines", Role.AUDITOR)
    assert set(await kinds(auditor, kind="opened,signed_in")) == {"opened", "signed_in"}
    contact_id = (await desk.conversations.get_conversation(first)).contact_id
    for wanted in ({"conversation_id": first}, {"contact_id": contact_id}):
        entries = (await auditor.get("audit", **wanted)).json()["entries"]
        assert {one["conversation_id"] for one in entries} == {first}
    assert second not in json.dumps((await auditor.get("audit", contact_id=contact_id)).json()["entries"])
    for bad in ({"kind": "opened,"}, {"kind": ",".join("abcdefghijklmnopqrstu")}, {"contact_id": "ann"}):
        assert (await auditor.get("audit", **bad)).status_code == 400


async def test_words_are_found_in_what_is_sealed_without_being_shown(desk: Desk) -> None:
    mine = await desk.queued("Where is my Blue Kettle?", contact="ann")
    await desk.queued("nothing of that kind", contact="bob")
    auditor = await desk.browser("Ines", Role.AUDITOR)
    found = await search(auditor, "kettle BLUE")
    assert {one["conversation_id"] for one in found["entries"]} == {mine}
    assert "kettle" not in json.dumps(found).casefold()
    assert (await search(auditor, "kettle", kind="signed_in"))["entries"] == []
    assert (await search(auditor, "teapot"))["entries"] == []
    assert found["next"] is None
    assert found["looked"]["down_to"] == 1


async def test_that_somebody_looked_into_what_is_sealed_is_on_record_and_their_words_are_not(desk: Desk) -> None:
    auditor = await desk.browser("Ines", Role.AUDITOR)
    await search(auditor, "13800138000")
    (entry,) = await desk.audited("audit_searched")
    assert entry["actor"] == f"agent:{auditor.member.id}"
    assert "13800138000" not in json.dumps(entry)
    assert (await auditor.post("audit/search", {"words": "  "})).status_code == 400
    assert (await auditor.post("audit/search", {"words": "x" * 201})).status_code == 400
    assert (await auditor.post("audit/search", {})).status_code == 400


async def test_an_erased_contacts_words_are_found_no_more(desk: Desk) -> None:
    conversation_id = await desk.queued("Where is my Blue Kettle?")
    auditor = await desk.browser("Ines", Role.AUDITOR)
    conversation = await desk.conversations.get_conversation(conversation_id)
    await desk.conversations.erase_contact(conversation.contact_id, auditor.member.agent)
    assert (await search(auditor, "kettle"))["entries"] == []


async def test_no_request_passes_over_more_than_a_stretch_and_the_next_goes_on_where_it_ended(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    auditor = await desk.browser("Ines", Role.AUDITOR)
    for number in range(30):
        await desk.conversations.record("noted" if number else "needle", auditor.member.agent, {"number": number})
    monkeypatch.setattr(audit_search, "SPAN", 10)
    before, looks = "", 0
    found: list[dict[str, Any]] = []
    while True:
        page = (await auditor.get("audit", kind="needle", **({"before": before} if before else {}))).json()
        looks, found = looks + 1, found + page["entries"]
        if page["next"] is None:
            break
        assert page["looked"]["down_to"] == page["next"]
        assert page["looked"]["at"]
        before = str(page["next"])
    assert [one["kind"] for one in found] == ["needle"]
    assert 3 <= looks <= 5


async def test_pages_neither_repeat_nor_leave_out_an_entry_whatever_their_size(desk: Desk) -> None:
    auditor = await desk.browser("Ines", Role.AUDITOR)
    for number in range(23):
        await desk.conversations.record("noted", auditor.member.agent, {"number": number, "even": str(number % 2 == 0)})
    for words in ("", "true"):
        for limit in ("1", "4", "50"):
            numbers: list[int] = []
            before = None
            while True:
                wanted = {"kind": "noted", "limit": limit} | ({"before": str(before)} if before else {})
                response = (
                    await auditor.post("audit/search", {"words": words} | wanted)
                    if words
                    else await auditor.get("audit", **wanted)
                )
                page = response.json()
                numbers += [one["data"]["number"] for one in page["entries"]]
                before = page["next"]
                if before is None:
                    break
            assert numbers == [n for n in reversed(range(23)) if not words or n % 2 == 0]
