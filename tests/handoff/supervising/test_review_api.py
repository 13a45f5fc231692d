"""Reviews over HTTP: who may review what, what an agent sees of it, and what a dispute does."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from conversations.model import new_id
from handoff.roles import Role
from tests.handoff.desk import Browser, Desk
from tests.reviewing.builders import filled


@dataclass
class House:
    """Lin's resolved conversations, two supervisors and a trainer."""

    desk: Desk
    lin: Browser
    boss: Browser
    other: Browser
    trainer: Browser

    async def resolved(self, contact: str, by: Browser | None = None) -> str:
        agent = by or self.lin
        conversation_id = await self.desk.assigned_to(agent, contact)
        assert (await agent.post(f"conversations/{conversation_id}/resolve")).status_code == 200
        return conversation_id

    def wish(self, *reviewers: Browser, **more: Any) -> dict[str, Any]:
        now = self.desk.clock()
        return {
            "title": "This week", "kind": "random", "subject": "human", "card_id": "standard", "each": 5, "seed": "1",
            "reviewers": [one.member.id for one in reviewers or (self.boss,)],
            "since": (now - timedelta(days=7)).isoformat(), "until": (now + timedelta(minutes=1)).isoformat(), **more,
        }  # fmt: skip

    async def read(self, conversation_id: str) -> dict[str, Any]:
        form: dict[str, Any] = (await self.boss.get(f"conversations/{conversation_id}")).json()
        return dict(form.get("conversation", form))

    async def draft(self, *reviewers: Browser, **more: Any) -> str:
        """Make a sample; returns the id of the first reviewer's first review."""
        made = await self.boss.post("reviews/samples", self.wish(*reviewers, **more))
        assert made.status_code == 201, made.text
        reviewer = reviewers[0] if reviewers else self.boss
        listed = (await reviewer.get("reviews", view="mine")).json()["reviews"]
        return str(listed[0]["id"])

    async def submitted(self, *reviewers: Browser, **answers: Any) -> str:
        review_id = await self.draft(*reviewers)
        reviewer = reviewers[0] if reviewers else self.boss
        body = {"revision": 0, "answers": filled(**answers), "comment": "Well done", "submit": True}
        assert (await reviewer.post(f"reviews/{review_id}", body)).status_code == 200
        return review_id


@pytest.fixture
async def house(desk: Desk) -> House:
    return House(
        desk,
        await desk.browser("Lin"),
        await desk.browser("Grace", Role.SUPERVISOR),
        await desk.browser("Otto", Role.SUPERVISOR),
        await desk.browser("Wei", Role.TRAINER),
    )


async def test_a_supervisor_reviews_the_agent_disputes_and_another_one_decides(house: House) -> None:
    await house.resolved("ann")
    review_id = await house.submitted(correct="no")
    [about] = (await house.lin.get("reviews", view="about")).json()["reviews"]
    assert (about["score"], about["reviewer_name"], about["sample_id"]) == (0, None, None)
    opened = await house.lin.get(f"reviews/{review_id}")
    assert opened.json()["review"]["comment"] == "Well done"
    assert "Grace" not in opened.text
    assert house.boss.member.id not in opened.text
    reason = {"reason": "The price was right"}
    assert (await house.other.post(f"reviews/{review_id}/dispute", reason)).status_code == 403
    assert (await house.lin.post(f"reviews/{review_id}/dispute", reason)).json()["review"]["state"] == "disputed"
    assert (await house.lin.post(f"reviews/{review_id}/dispute", reason)).status_code == 409
    [disputed] = (await house.other.get("reviews", view="disputes")).json()["reviews"]
    decision = {"revision": 2, "reason": "Lin is right", "answers": filled()}
    own = await house.boss.post(f"reviews/{disputed['id']}/decide", decision)
    assert (own.status_code, own.json()["error"]["code"]) == (403, "review_own")
    decided = (await house.other.post(f"reviews/{review_id}/decide", decision)).json()["review"]
    assert (decided["state"], decided["score"], decided["score_before"]) == ("changed", 100, 0)
    kinds = ("review_sample_made", "review_submitted", "review_disputed", "review_changed")
    actors = [entry["actor"] for kind in kinds for entry in await house.desk.audited(kind)]
    assert actors == [f"agent:{one.member.id}" for one in (house.boss, house.boss, house.lin, house.other)]


async def test_agents_see_only_what_was_submitted_about_themselves(house: House) -> None:
    max_ = await house.desk.browser("Max")
    await house.resolved("ann")
    review_id = await house.draft()
    assert (await house.lin.get(f"reviews/{review_id}")).status_code == 404
    body = {"revision": 0, "answers": filled(), "submit": True}
    await house.boss.post(f"reviews/{review_id}", body)
    assert (await house.lin.get(f"reviews/{review_id}")).status_code == 200
    assert (await max_.get(f"reviews/{review_id}")).status_code == 404
    assert (await max_.get("reviews", view="about")).json()["reviews"] == []
    for path in ("reviews/samples", "reviews/cards", "reviews/results", "reviews/results/export", "reviews/people"):
        assert (await max_.get(path)).status_code == 403
    for view in ("all", "disputes"):
        assert (await max_.get("reviews", view=view)).status_code == 403
    assert (await max_.get(f"reviews/{new_id()}")).status_code == 404


async def test_trainers_review_the_bot_and_nobody_else(house: House) -> None:
    conversation_id = await house.resolved("ann")
    refused = await house.boss.post("reviews/samples", house.wish(house.trainer))
    assert "trainer" in refused.json()["error"]["message"]
    review_id = await house.draft(house.trainer, subject="bot")
    body = {"revision": 0, "answers": filled(), "submit": True}
    assert (await house.trainer.post(f"reviews/{review_id}", body)).status_code == 200
    assert (await house.trainer.post(f"reviews/{review_id}/inbox", {"seq": 1})).status_code == 200
    [entry] = await house.desk.audited("turn_sent_to_inbox")
    assert (entry["data"]["conversation_id"], entry["data"]["seq"]) == (conversation_id, 1)
    inbox = house.desk.side.studio.inbox
    assert inbox is not None
    await inbox.follower.catch_up()
    [group] = (await house.trainer.get("learning/inbox")).json()["groups"]
    assert "reviewer" in str(group)
    about_lin = await house.submitted()
    assert (await house.trainer.get(f"reviews/{about_lin}")).status_code == 404


async def test_nobody_is_given_their_own_conversation(house: House) -> None:
    await house.resolved("ann", house.boss)
    refused = await house.boss.post("reviews/samples", house.wish())
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "review_nothing")
    assert (await house.boss.post("reviews/samples/preview", house.wish())).json() == {"fitting": 1, "reviews": 0}
    assert (await house.boss.post("reviews/samples/preview", house.wish(house.other))).json()["reviews"] == 1


async def test_a_comparison_is_blind_until_all_have_submitted(house: House) -> None:
    await house.resolved("ann")
    review_id = await house.draft(house.boss, house.other, kind="calibration")
    body = {"revision": 0, "answers": filled(), "submit": True}
    sample_id = (await house.boss.post(f"reviews/{review_id}", body)).json()["review"]["sample_id"]
    seen = (await house.other.get(f"reviews/samples/{sample_id}")).json()
    assert (seen["blind"], seen["agreement"]) == (True, [])
    assert {one["score"] for one in seen["reviews"]} == {None}
    assert (await house.other.get(f"reviews/{review_id}")).status_code == 404
    [mine] = (await house.other.get("reviews", view="mine")).json()["reviews"]
    await house.other.post(f"reviews/{mine['id']}", body | {"answers": filled(solved=1)})
    seen = (await house.other.get(f"reviews/samples/{sample_id}")).json()
    assert not seen["blind"]
    assert {one["key"]: one["percent"] for one in seen["agreement"]}["solved"] == 0
    assert (await house.other.get(f"reviews/{review_id}")).status_code == 200
    assert (await house.lin.get("reviews", view="about")).json()["reviews"] == []


async def test_figures_and_their_file(house: House) -> None:
    for number in range(5):
        await house.resolved(f"c{number}")
    await house.draft()
    for one in (await house.boss.get("reviews", view="mine")).json()["reviews"]:
        body = {"revision": 0, "answers": filled(solved=3), "submit": True}
        await house.boss.post(f"reviews/{one['id']}", body)
    reports = (await house.boss.get("reviews/results", days=30)).json()["reports"]
    [people] = [one for one in reports if one["subject"] == "human"]
    assert (people["lines"][0]["reviews"], people["lines"][0]["mean"]) == (5, 91.67)
    written = (await house.boss.get("reviews/results/export", days=30)).content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(written)))
    assert [row["label"] for row in rows if row["breakdown"] == "agent"] == ["Lin"]
    assert len(await house.desk.audited("reviews_exported")) == 1
    assert (await house.trainer.get("reviews/results")).status_code == 403
    auditor = await house.desk.browser("Audrey", Role.AUDITOR)
    assert len((await auditor.get("reviews", view="all")).json()["reviews"]) == 5
    assert (await house.boss.get("reviews/results", days="x")).status_code == 400


async def test_a_scorecard_is_edited_as_a_new_version(house: House) -> None:
    [card] = (await house.boss.get("reviews/cards")).json()["cards"]
    body = card | {"based_on": 1, "pass_mark": 90}
    assert (await house.boss.post("reviews/cards", body)).json()["card"]["version"] == 2
    again = await house.boss.post("reviews/cards", body)
    assert (again.status_code, again.json()["error"]["code"]) == (409, "review_changed")
    new = {name: value for name, value in body.items() if name != "id"} | {"based_on": 0}
    assert (await house.boss.post("reviews/cards", new)).json()["card"]["version"] == 1
    assert (await house.trainer.post("reviews/cards", new)).status_code == 403


async def test_what_is_not_answered_cannot_be_handed_in(house: House) -> None:
    await house.resolved("ann")
    review_id = await house.draft()
    refused = await house.boss.post(
        f"reviews/{review_id}", {"revision": 0, "answers": {"correct": "yes"}, "submit": True}
    )
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "review_incomplete")
    assert (
        await house.boss.post(f"reviews/{review_id}", {"revision": 0, "answers": {"correct": 7}})
    ).status_code == 400
    assert (await house.other.post(f"reviews/{review_id}", {"revision": 0, "answers": {}})).status_code == 404


async def test_any_sample_can_be_of_one_team_and_so_can_lists_and_results(house: House) -> None:
    conversation_id = await house.resolved("ann")
    team = (await house.read(conversation_id))["team_id"]
    for kind in ("random", "targeted"):
        for asked, fitting in ((team, 1), ("another", 0)):
            wish = house.wish(kind=kind, criteria={"team_id": asked, "negative": False})
            assert (await house.boss.post("reviews/samples/preview", wish)).json()["fitting"] == fitting
    await house.submitted()
    for asked, found in ((team, 1), ("another", 0)):
        listed = (await house.boss.get("reviews", view="all", team_id=asked)).json()["reviews"]
        assert [one["team_id"] for one in listed] == [team] * found
        reports = (await house.boss.get("reviews/results", days=30, team_id=asked)).json()["reports"]
        assert [one["lines"][0]["reviews"] for one in reports if one["subject"] == "human"] == [found]


async def test_a_note_stands_by_its_question_and_the_agent_reads_it(house: House) -> None:
    await house.resolved("ann")
    review_id = await house.draft()
    body = {"revision": 0, "answers": filled(), "notes": {"identity": "Asked for the number", "solved": " "}}
    kept = (await house.boss.post(f"reviews/{review_id}", body)).json()["review"]
    assert kept["notes"] == {"identity": "Asked for the number"}
    body |= {"revision": kept["revision"], "submit": True}
    await house.boss.post(f"reviews/{review_id}", body)
    assert (await house.lin.get(f"reviews/{review_id}")).json()["review"]["notes"] == kept["notes"]


async def test_the_copy_of_a_contact_holds_what_reviewers_wrote(house: House) -> None:
    conversation_id = await house.resolved("ann")
    await house.submitted()
    contact_id = (await house.read(conversation_id))["contact_id"]
    archive = zipfile.ZipFile(io.BytesIO((await house.boss.get(f"contacts/{contact_id}/export")).content))
    [form] = json.loads(archive.read("reviews.json"))
    assert (form["conversation_id"], form["comment"]) == (conversation_id, "Well done")
    assert "reviews.json" in archive.read("README.txt").decode()
